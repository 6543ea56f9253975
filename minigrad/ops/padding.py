"""Padding: an edge of one value, or of the entries themselves."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array
from minigrad.operation import primitive
from minigrad.ops.indexing import getitem, index_select
from minigrad.tensor import Tensor

Shape = tuple[int, ...]
Widths = tuple[tuple[int, int], ...]  # so much before and after, for each of the last axes


@primitive
def _pad(x: Array, *, widths: Widths, value: float) -> Array:
    """``x`` with an edge of ``value`` around its last axes."""
    outer = len(x.shape) - len(widths)
    size = [n + sum(width) for n, width in zip(x.shape[outer:], widths, strict=True)]
    out = backend.zeros((*x.shape[:outer], *size), like=x)
    if value:
        out[...] = value
    out[inside(x.shape, widths)] = x
    return out


def inside(x_shape: Shape, widths: Widths) -> tuple[Any, ...]:
    """Where the entries of ``x`` lie once it is padded."""
    spatial = zip(widths, x_shape[len(x_shape) - len(widths) :], strict=True)
    return (..., *[slice(before, before + n) for (before, _), n in spatial])


_pad.vjp(x=lambda g, x_shape, widths: getitem(g, inside(x_shape, widths)))


def pad_edges(x: Any, widths: Widths, value: float = 0.0) -> Any:
    """``x`` with so many entries of ``value`` before and after each of its last axes."""
    return _pad(x, widths=widths, value=value) if any(map(any, widths)) else x


# Which entry of an axis of n stands at place i, where i runs beyond both ends.
_SOURCES: dict[str, Callable[[Any, int], Any]] = {
    "reflect": lambda i, n: n - 1 - np.abs(n - 1 - np.abs(i)),
    "replicate": lambda i, n: np.clip(i, 0, n - 1),
    "circular": lambda i, n: i % n,
}


def pad(x: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """``x`` with an edge around it: ``pad`` is (left, right) of the last axis, then the next.

    As PyTorch's ``nn.functional.pad``: the edge is ``value`` (0 unless given), or in the modes
    "reflect", "replicate" and "circular" it repeats ``x``. Negative margins crop.
    """
    if mode not in ("constant", *_SOURCES) or len(pad) % 2 or len(pad) > 2 * x.ndim:
        raise ValueError(
            f"pad needs mode='constant', 'reflect', 'replicate' or 'circular' and two margins an "
            f"axis, for at most {x.ndim} axes; got mode={mode!r} and {tuple(pad)}. Give a pair "
            "for each axis, the last one first."
        )
    pairs = [(int(pad[i]), int(pad[i + 1])) for i in range(0, len(pad), 2)][::-1]
    sizes = x.shape[x.ndim - len(pairs) :]
    if mode in ("constant", "circular") and any(n < 0 for pair in pairs for n in pair):
        if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in zip(sizes, pairs, strict=True)):
            raise ValueError(
                f"pad {tuple(pad)} crops more than there is of shape {tuple(x.shape)}. Crop less."
            )
        kept = zip(sizes, pairs, strict=True)
        x = getitem(x, (..., *[slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in kept]))
        pairs = [(max(a, 0), max(b, 0)) for a, b in pairs]
    if mode == "constant":
        return _pad(x, widths=tuple(pairs), value=value or 0.0)
    for axis, (left, right) in enumerate(pairs, x.ndim - len(pairs)):
        x = _continued(x, axis, left, right, mode) if left or right else x
    return x


def _continued(x: Any, axis: int, left: int, right: int, mode: str) -> Any:
    """``x`` with its own entries repeated before and behind one axis."""
    n = x.shape[axis]
    most = {"reflect": n - 1, "circular": n}.get(mode, math.inf if n else 0)
    if max(left, right) > most or left + n + right < 0:
        raise ValueError(
            f"pad in mode {mode!r} was asked for {(left, right)} on an axis of {n} entries, which "
            f"has at most {most} to repeat. Pad less, or in mode 'replicate'."
        )
    index = _SOURCES[mode](np.arange(-left, n + right), n)
    return index_select(x, axis, backend.lift(index, x.data if isinstance(x, Tensor) else x))
