"""Pooling: each patch of the input as one number, its largest or its mean."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.linear_algebra import matmul
from minigrad.ops.padding import Widths, pad_edges
from minigrad.ops.patches import (
    Sizes,
    Window,
    batched,
    check_fit,
    check_steps,
    named,
    patches,
    per_axis,
    places,
    reach,
)
from minigrad.ops.reductions import sum_over
from minigrad.ops.shape import movedim, reshape
from minigrad.tensor import Tensor

_ALL = slice(None)


def _taps(count: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> list[tuple[slice, ...]]:
    """For each entry k of the kernel the slice of all l·stride + k·dilation that it meets."""
    along = [
        [slice(k * d, k * d + s * (n - 1) + 1, s) for k in range(entries)]
        for entries, n, s, d in zip(kernel, count, stride, dilation, strict=True)
    ]
    return [(_ALL, _ALL, *met) for met in itertools.product(*along)]


# ── the largest ──────────────────────────────────────────────────────────────────────────────────


@primitive(outputs=("out", "index"))
def max_over_patches(
    x: Array, *, kernel: Sizes, stride: Sizes, dilation: Sizes, inside: Array | None = None
) -> tuple[Array, Array]:
    """out[n, c, l] = max over k of x[n, c, l·stride + k·dilation]; index = the first such k.

    It is a k where ``inside`` (1, 1, …), if given, holds; or the last that has NaN, as in PyTorch.
    """
    xp = namespace(x)
    count = places(x.shape[2:], kernel, stride, dilation)
    at = _taps(count, kernel, stride, dilation)
    out = xp.asarray(x[at[0]], copy=True)
    for k in range(1, len(at)):
        out = xp.maximum(out, x[at[k]])
    index = xp.zeros_like(out, dtype=xp.int32)
    for k in range(len(at) - 1, -1, -1):
        found = x[at[k]] == out
        index = xp.where(found if inside is None else found & inside[at[k]], k, index)
    if bool(xp.any(out != out)):  # noqa: PLR0124 - NaN equals nothing
        for k in range(len(at)):
            index = xp.where(x[at[k]] != x[at[k]], k, index)
    return out, index


@primitive
def _put(
    x: Array, index: Array, *, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> Array:
    """x[n, c, l] added to entry index[n, c, l] of its patch: the transpose of `_pick`."""
    xp = namespace(x)
    out = backend.zeros((*x.shape[:2], *size), like=x)
    zero = xp.zeros_like(x)
    for k, met in enumerate(_taps(x.shape[2:], kernel, stride, dilation)):
        out[met] += xp.where(index == k, x, zero)
    return out


@primitive
def _pick(x: Array, index: Array, *, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """out[n, c, l] = entry index[n, c, l] of the patch at l."""
    xp = namespace(x)
    count = places(x.shape[2:], kernel, stride, dilation)
    out = backend.zeros((*x.shape[:2], *count), like=x)
    for k, met in enumerate(_taps(count, kernel, stride, dilation)):
        out = xp.where(index == k, x[met], out)
    return out


max_over_patches.vjp(
    x={
        "out": lambda g, index, x_shape, kernel, stride, dilation: _put(
            g, index, size=x_shape[2:], kernel=kernel, stride=stride, dilation=dilation
        )
    }
)
_put.vjp(
    x=lambda g, index, kernel, stride, dilation: _pick(
        g, index, kernel=kernel, stride=stride, dilation=dilation
    )
)
_pick.vjp(
    x=lambda g, index, x_shape, kernel, stride, dilation: _put(
        g, index, size=x_shape[2:], kernel=kernel, stride=stride, dilation=dilation
    )
)


def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of each patch of (N, C, L); see `max_pool2d`."""
    how = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return _max_pool(input, *how, 1)


def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest entry of each patch of (N, C, H, W); of ties the first takes the gradient.

    Parameters
    ----------
    kernel_size, stride, dilation
        The patch, the step from one to the next (``kernel_size`` unless given), and the step
        within one.
    padding
        So many entries of −∞ on either side, at most half the kernel.
    ceil_mode
        Let the last patch of an axis reach beyond the end.
    return_indices
        Answer (values, indices): where in H·W each of them stood.
    """
    how = (kernel_size, stride, padding, dilation, ceil_mode, return_indices)
    return _max_pool(input, *how, 2)


def _max_pool(
    input: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
    dims: int,
) -> Any:
    asked = f"max_pool{dims}d"
    x = batched(input, dims, asked)
    kernel, stride, edge = _settings(kernel, stride, padding, dims, asked)
    dilation = per_axis(dilation, dims, f"{asked}'s dilation")
    if not math.prod(x.shape[1:]):
        raise ValueError(
            f"{named(asked)} needs entries to choose from; got shape {tuple(input.shape)}. Only "
            "the batch axis may be empty."
        )
    size = x.shape[2:]
    widths = _widths(size, kernel, stride, edge, dilation, ceil_mode)
    inside = None
    if any(map(any, widths)):  # −∞ is no entry, also where nothing is larger
        raw = x.data if isinstance(x, Tensor) else x
        inside = pad_edges(backend.zeros((1, 1, *size), like=raw) + 1, widths) > 0
    x = pad_edges(x, widths, -math.inf)
    check_fit(x.shape[2:], kernel, stride, dilation, asked)
    how: dict[str, Any] = {"kernel": kernel, "stride": stride, "dilation": dilation}
    out, index = max_over_patches(x, **how, inside=inside)
    answer = (out, _flat(index, size, kernel, stride, edge, dilation)) if return_indices else (out,)
    if input.ndim < x.ndim:
        answer = tuple([reshape(y, y.shape[1:]) for y in answer])
    return answer if return_indices else answer[0]


def _flat(
    index: Any, size: Sizes, kernel: Sizes, stride: Sizes, edge: Sizes, dilation: Sizes
) -> Any:
    """Where in the flattened axes of ``size`` the entries ``index`` of the patches stand."""
    raw = index.data if isinstance(index, Tensor) else index
    xp = namespace(raw)
    rest, flat, step = xp.astype(raw, xp.int64), 0, 1
    for axis in range(len(size) - 1, -1, -1):
        place = backend.arange(raw.shape[2 + axis], like=raw) * stride[axis] - edge[axis]
        place = xp.reshape(place, (-1,) + (1,) * (len(size) - 1 - axis))
        flat = flat + step * (place + rest % kernel[axis] * dilation[axis])
        rest, step = rest // kernel[axis], step * size[axis]
    return Tensor(flat) if isinstance(index, Tensor) else flat


def _settings(
    kernel: Any, stride: Any, padding: Any, dims: int, asked: str
) -> tuple[Sizes, Sizes, Sizes]:
    """Kernel, stride and padding for each axis."""
    kernel = per_axis(kernel, dims, f"{asked}'s kernel_size")
    stride = kernel if stride in (None, (), []) else per_axis(stride, dims, f"{asked}'s stride")
    edge = per_axis(padding, dims, f"{asked}'s padding")
    check_steps(kernel, stride, (1,), asked)
    if any(not 0 <= 2 * p <= k for p, k in zip(edge, kernel, strict=True)):
        raise ValueError(
            f"{named(asked)} needs padding from 0 to half the kernel {kernel}, so that no patch is "
            f"all padding; got {edge}. Pad less, or use a larger kernel."
        )
    return kernel, stride, edge


def _widths(
    size: Sizes, kernel: Sizes, stride: Sizes, edge: Sizes, dilation: Sizes, ceil_mode: bool
) -> Widths:
    """How much to pad: ``edge``, and behind as much more as a last patch cut short needs."""
    widths = []
    for n, k, s, p, d in zip(size, kernel, stride, edge, dilation, strict=True):
        rest = (n + 2 * p - reach(k, d)) % s  # entries behind the last whole patch
        starts_inside = n + 2 * p - reach(k, d) - rest + s < n + p
        widths.append((p, p + (s - rest if ceil_mode and rest and starts_inside else 0)))
    return tuple(widths)


# ── the mean ─────────────────────────────────────────────────────────────────────────────────────


def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each patch of (N, C, L); see `avg_pool2d`."""
    return _avg_pool(input, kernel_size, stride, padding, ceil_mode, count_include_pad, None, 1)


def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Any:
    """The mean of each patch of (N, C, H, W).

    Parameters
    ----------
    kernel_size, stride
        The patch, and the step from one to the next (``kernel_size`` unless given).
    padding
        So many zeros on either side, at most half the kernel.
    ceil_mode
        Let the last patch of an axis reach beyond the end; what lies there counts for nothing.
    count_include_pad
        Whether the zeros of the padding count in the mean.
    divisor_override
        Divide each sum by this instead of by the count.
    """
    return _avg_pool(
        input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override, 2
    )


def _avg_pool(
    input: Any,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor: int | None,
    dims: int,
) -> Any:
    asked = f"avg_pool{dims}d"
    x = batched(input, dims, asked)
    kernel, stride, edge = _settings(kernel, stride, padding, dims, asked)
    step = (1,) * dims
    widths = _widths(x.shape[2:], kernel, stride, edge, step, ceil_mode)
    found = patches(x, Window(kernel, stride, step, widths), asked)  # (N, C, *K, *L)
    total = sum_over(found, axis=tuple(range(2, 2 + dims)), keepdims=False)
    if divisor == 0:
        raise ValueError(f"{named(asked)} cannot divide by divisor_override=0. Leave it out.")
    if divisor is None:
        counts = [
            _counts(*axis, count_include_pad)
            for axis in zip(x.shape[2:], kernel, stride, edge, total.shape[2:], strict=True)
        ]
        all_whole = all((c == k).all() for c, k in zip(counts, kernel, strict=True))
        by: Any = math.prod(kernel) if all_whole else _beside(_outer(counts), x)
    else:
        by = divisor
    out = total / by
    return out if input.ndim == x.ndim else reshape(out, out.shape[1:])


def _counts(n: int, k: int, s: int, p: int, places: int, include_pad: bool) -> np.ndarray:
    """How many entries of each patch along an axis count in its mean."""
    start = np.arange(places) * s - p
    low, high = (-p, n + p) if include_pad else (0, n)
    return np.minimum(start + k, high) - np.maximum(start, low)


def _outer(factors: list[np.ndarray]) -> np.ndarray:
    """The products of one entry from each."""
    return np.asarray(np.prod(np.meshgrid(*factors, indexing="ij"), axis=0))


def _beside(values: np.ndarray, x: Any) -> Any:
    """Host numbers on the backend and with the dtype of ``x``."""
    return backend.copy_as(values, x.data if isinstance(x, Tensor) else x)


def adaptive_avg_pool1d(input: Any, output_size: Any) -> Any:
    """Means of (N, C, L) over ``output_size`` stretches; see `adaptive_avg_pool2d`."""
    return _adaptive_avg_pool(input, output_size, 1)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Means of (N, C, H, W) over as many stretches along each axis as ``output_size`` says.

    Stretch i of o along n entries runs from ⌊i·n/o⌋ to ⌈(i + 1)·n/o⌉; None leaves an axis as it is.
    """
    return _adaptive_avg_pool(input, output_size, 2)


def _adaptive_avg_pool(input: Any, output_size: Any, dims: int) -> Any:
    """The product with one averaging matrix along each axis."""
    asked = f"adaptive_avg_pool{dims}d"
    x = batched(input, dims, asked)
    sizes = (output_size,) * dims if output_size is None else output_size
    sizes = (sizes,) * dims if isinstance(sizes, int) else tuple(sizes)
    if len(sizes) != dims or any(o is not None and o < 1 for o in sizes):
        raise ValueError(
            f"{named(asked)} needs a size of at least 1 (or None) for each of {dims} axes; got "
            f"{output_size!r}. One integer stands for all."
        )
    for axis, o in zip(range(2, 2 + dims), sizes, strict=True):
        if o is not None and o != x.shape[axis]:
            means = _beside(_averaging(x.shape[axis], o), x)
            x = movedim(matmul(movedim(x, axis, -1), means), -1, axis)
    return x if input.ndim == x.ndim else reshape(x, x.shape[1:])


def _averaging(n: int, o: int) -> np.ndarray:
    """(n, o): column i holds 1/length over stretch i, else 0."""
    out = np.zeros((n, o))
    for i in range(o):
        start, end = i * n // o, -(-(i + 1) * n // o)
        out[start:end, i] = 1 / (end - start)
    return out
