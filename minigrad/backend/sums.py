"""Sums and maxima on the host, by the quickest of NumPy's ways.

A sum over the first axes, or over the last ones, is a product with ones, for which BLAS takes a
half to an eighth of the time of NumPy's sum. The largest of each of many short rows is found
soonest down the columns of a transposed copy.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

Shape = tuple[int, ...]

_SHORT = 4096  # longer rows NumPy adds pair by pair, which rounds less than BLAS
_BRIEF, _MANY = 32, 64  # rows of so many entries at most, and at least so many of them


class _Plan(NamedTuple):
    """A sum as a product of a matrix with ones."""

    ones: np.ndarray
    down: bool  # over the rows, for each column
    matrix: Shape | None  # what to lay the array out as, if it is not one
    shape: Shape | None  # and the result, if that is no vector


@lru_cache(maxsize=256)
def _plan(shape: Shape, dtype: np.dtype[Any], axis: Any, keepdims: bool) -> _Plan | None:
    """How to sum an array over ``axis``; None if NumPy does that best, or refuses it."""
    ndim = len(shape)
    given = axis if isinstance(axis, tuple) else (axis,)
    if ndim < 2 or axis is None or not all(-ndim <= a < ndim for a in given):  # noqa: PLR2004
        return None
    axes = {a % ndim for a in given}
    kept = [i for i in range(ndim) if i not in axes]
    if dtype.char not in "fd" or not axes or not kept or len(axes) < len(given):
        return None
    down = max(axes) < min(kept)
    summed, left = (math.prod(shape[i] for i in some) for some in (axes, kept))
    if not down and (min(axes) < max(kept) or summed > _SHORT):
        return None
    matrix = None if ndim == 2 else (summed, left) if down else (left, summed)  # noqa: PLR2004
    result = tuple([1 if i in axes else n for i, n in enumerate(shape) if keepdims or i in kept])
    return _Plan(np.ones(summed, dtype), down, matrix, None if len(result) == 1 else result)


def total(x: np.ndarray, axis: Any, keepdims: bool) -> Any:
    """Σ x over ``axis``."""
    plan = _plan(x.shape, x.dtype, axis, keepdims)
    if plan is None or (plan.matrix and not x.flags.c_contiguous):
        return np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
    ones, down, matrix, shape = plan
    if matrix:
        x = x.reshape(matrix)
    sums = np.dot(ones, x) if down else np.dot(x, ones)
    return sums.reshape(shape) if shape else sums


def largest(x: np.ndarray, axis: Any) -> Any:
    """The largest x over ``axis``, which is kept."""
    n = x.shape[-1] if x.ndim else 0
    last = axis in (-1, x.ndim - 1) and x.flags.c_contiguous
    if last and 0 < n <= _BRIEF and x.size >= n * _MANY:
        columns = x.reshape(-1, n).T.copy()
        return np.maximum.reduce(columns, axis=0).reshape(*x.shape[:-1], 1)
    return np.maximum.reduce(x, axis=axis, keepdims=True)
