"""Dropout: entries, or whole channels, left out by chance."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.tensor import Tensor


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """x·m/(1 − p) with a mask m of zeros (chance p) and ones; x itself in evaluation.

    The mask is drawn on the host, from the generator that `mg.manual_seed` seeds, so it is the
    same on every backend; the graph sees a constant (Srivastava et al. 2014).
    """
    if not 0 <= p <= 1:
        raise ValueError(f"dropout needs a probability p from 0 to 1; got {p}. Try 0.5.")
    if not training or p == 0:
        return input
    raw = input.data if isinstance(input, Tensor) else input
    kept = backend.generator().random(raw.shape, dtype=np.float32) >= p
    return ops.mul(input, backend.copy_as(kept / (1 - p) if p < 1 else kept * 0.0, raw))


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, L) or (C, L)."""
    return _dropout_but(1, input, p, training)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """`dropout` of whole channels of (N, C, H, W) or (C, H, W) (Tompson et al. 2015)."""
    return _dropout_but(2, input, p, training)


def _dropout_but(axes: int, input: Any, p: float, training: bool) -> Any:
    """One mask for all entries along the last ``axes``."""
    if not training:
        return input
    raw = input.data if isinstance(input, Tensor) else input
    first = raw[(..., *(slice(1),) * axes)]
    return ops.mul(input, dropout(namespace(raw).ones_like(first), p))
