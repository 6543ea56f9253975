"""Frames around images that continue what is inside them."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.ops.embedding import take_rows
from minigrad.ops.shape import movedim
from minigrad.ops.shape import pad as pad_with_a_value
from minigrad.tensor import Tensor

MODES = ("reflect", "replicate", "circular")


def pad(input: Any, pad: Any, mode: str = "constant", value: float = 0.0) -> Any:
    """``input`` with a frame: ``pad`` is (left, right) of the last axis, then the next.

    The frame holds ``value``; or the entries mirrored at the border one ("reflect"), the border
    one again ("replicate"), or those of the other end ("circular"). Negative margins crop.
    """
    if mode not in MODES:
        return pad_with_a_value(input, pad, mode, value)
    if len(pad) % 2 or len(pad) > 2 * input.ndim:
        raise ValueError(
            f"pad needs two margins an axis, for at most {input.ndim} axes; got {tuple(pad)}. Give "
            "them for the last axis first."
        )
    raw = input.data if isinstance(input, Tensor) else input
    for i in range(0, len(pad), 2):
        axis = input.ndim - 1 - i // 2
        places = _places(input.shape[axis], pad[i], pad[i + 1], mode)
        index = backend.of(raw).from_numpy(places)
        input = movedim(take_rows(movedim(input, axis, 0), index=index), 0, axis)
    return input


def _places(n: int, before: int, after: int, mode: str) -> np.ndarray:
    """Which of n entries stands at each place of the padded axis."""
    most = {"reflect": n - 1, "circular": n}.get(mode, max(before, after))
    if max(before, after) > most or not n:
        raise ValueError(
            f"pad with mode={mode!r} has {most} entries to continue an axis of {n} with; got "
            f"margins {before} and {after}. Make them smaller, or use mode='constant'."
        )
    places = np.arange(-before, n + after)
    if mode == "replicate":
        return np.clip(places, 0, n - 1)
    return places % n if mode == "circular" else n - 1 - np.abs(n - 1 - np.abs(places))
