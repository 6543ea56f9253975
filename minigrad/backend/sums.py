"""Sums, means and maxima; on the host, by the quickest of NumPy's ways.

A sum over the first axes, the last ones, or both, is a product with ones, for which BLAS takes a
half to an eighth of the time of NumPy's sum. The largest of each of many short rows is found
soonest down the columns of a transposed copy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache, partial
from operator import methodcaller
from typing import Any

import numpy as np

from minigrad.backend.protocol import Array, namespace

ndarray = np.ndarray  # looked up in a module of its own, it takes half the time
Shape = tuple[int, ...]
Way = Callable[[np.ndarray], Any]

_SHORT = 4096  # longer rows NumPy adds pair by pair, which rounds less than BLAS
_LONG = 2**20  # columns whose ones would take megabytes, for as long as they are kept
_BRIEF, _MANY = 32, 128  # rows of so many entries at most, and at least so many of them


def total(x: Array, axis: Any, keepdims: bool = False) -> Any:
    """Σ x over ``axis``."""
    if isinstance(x, ndarray):
        return _way(type(x) is ndarray, x.shape, x.dtype, axis, keepdims, False)(x)
    xp = namespace(x)
    if x.dtype == xp.bool:  # which the standard cannot add
        x = xp.astype(x, xp.int64)
    return xp.sum(x, axis=axis, keepdims=keepdims)


def mean(x: Array, axis: Any, keepdims: bool = False) -> Any:
    """Σ x/n over ``axis``, which has n entries."""
    if isinstance(x, ndarray):
        return _way(type(x) is ndarray, x.shape, x.dtype, axis, keepdims, True)(x)
    return total(x, axis, keepdims) / count(x.shape, axis)


def sum_to(x: Array, shape: Shape) -> Any:
    """Σ x over what an array of ``shape`` was stretched by to be broadcast to that of ``x``."""
    if isinstance(x, ndarray):
        return _way_to(type(x) is ndarray, x.shape, x.dtype, shape)(x)
    x = total(x, _stretched(tuple(x.shape), shape))
    return x if x.shape == shape else namespace(x).reshape(x, shape)


@lru_cache(maxsize=1024)
def count(shape: Shape, axis: Any) -> int:
    """How many entries of ``shape`` are reduced into one over ``axis``."""
    return math.prod(shape[a] for a in axes_of(axis, len(shape)))


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """``axis`` as a tuple of non-negative integers; None means all of them."""
    if axis is None or not ndim:  # a 0-d array has one entry, whichever axis is named
        return tuple(range(ndim))
    axes = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(a % ndim for a in axes)


@lru_cache(maxsize=1024)
def stretches(shape: Shape, wide: Shape) -> bool:
    """Whether an array of ``shape`` is broadcast to ``wide`` beside one of that."""
    pairs = zip(reversed(shape), reversed(wide), strict=False)
    return len(shape) <= len(wide) and all(m in (1, n) for m, n in pairs)


@lru_cache(maxsize=1024)
def _stretched(wide: Shape, shape: Shape) -> tuple[int, ...]:
    """The axes of ``wide`` along which ``shape`` has a single entry or, in front, none at all."""
    if not stretches(shape, wide):
        raise ValueError(
            f"a gradient of shape {wide} cannot belong to an input of shape {shape}: it must have "
            "that shape, or sum to it over broadcast axes. Mend the rule."
        )
    new = len(wide) - len(shape)
    kept = [i for i, n in enumerate(shape, new) if n == 1 and wide[i] != 1]
    return (*range(new), *kept)


@lru_cache(maxsize=256)
def _way_to(plain: bool, wide: Shape, dtype: np.dtype[Any], shape: Shape) -> Way:
    """How to sum an array to ``shape``."""
    axes = _stretched(wide, shape)
    way = _way(plain, wide, dtype, axes, False, False)
    if len(shape) == len(wide) - len(axes):
        return way
    return lambda x: way(x).reshape(shape)


@lru_cache(maxsize=256)
def _way(
    plain: bool, shape: Shape, dtype: np.dtype[Any], axis: Any, keepdims: bool, mean: bool
) -> Way:
    """How to sum an array over ``axis``; and divide by the number of its entries."""
    n = count(shape, axis)
    if mean and dtype == np.float16:  # whose largest number is soon exceeded, even by n
        wide = partial(np.add.reduce, axis=axis, keepdims=keepdims, dtype=np.float32)
        return lambda x: (wide(x) / n).astype(dtype)
    exact = mean and n & (n - 1) == 0 < n  # with a power of two 1/n is
    way = _by_products(plain, shape, dtype, axis, keepdims, 1 / n if exact else 1)
    if way is None:
        way, exact = partial(np.add.reduce, axis=axis, keepdims=keepdims), False
    return way if exact or not mean else lambda x: way(x) / n


def _by_products(
    plain: bool, shape: Shape, dtype: np.dtype[Any], axis: Any, keepdims: bool, factor: float
) -> Way | None:
    """The sum times ``factor``; None if NumPy does it best, or refuses it."""
    ndim = len(shape)
    given = axis if isinstance(axis, tuple) else range(ndim) if axis is None else (axis,)
    axes = {a % ndim for a in given if -ndim <= a < ndim}
    if dtype.char not in "fd" or not axes or len(axes) < len(given):
        return None
    kept = [i for i in range(ndim) if i not in axes]
    if not kept:
        return _of_all(plain, shape, dtype, keepdims, factor)
    first, last = kept[0], kept[-1] + 1  # sum over the axes before and from there
    before, left, behind = (math.prod(s) for s in (shape[:first], shape[first:last], shape[last:]))
    row = before * behind if left == 1 else behind  # what is added up entry by entry
    if kept != [*range(first, last)] or row > _SHORT or before > _LONG:
        return None
    if ndim == 2 and first:  # noqa: PLR2004
        ones = _filled(before, dtype, factor)
        return _times(plain, ones[None] if keepdims else ones)
    if ndim == 2:  # noqa: PLR2004
        column = _filled(behind, dtype, factor)
        return methodcaller("dot", column[:, None] if keepdims else column)
    across = _filled(behind, dtype, 1 if first else factor) if last < ndim else None
    down = _times(plain, _filled(before, dtype, factor)) if first else None
    result = [1 if i in axes else n for i, n in enumerate(shape) if keepdims or i in kept]

    def way(x: np.ndarray) -> Any:
        if not x.flags.c_contiguous:
            out = np.add.reduce(x, axis=axis, keepdims=keepdims)  # type: ignore[call-overload]
            return out if factor == 1 else out * dtype.type(factor)
        if across is not None:
            x = x.reshape(before * left, behind).dot(across)
        if down is not None:
            x = down(x.reshape(before, left))
        return x.reshape(result)

    return way


def _of_all(
    plain: bool, shape: Shape, dtype: np.dtype[Any], keepdims: bool, factor: float
) -> Way | None:
    """The same over all axes."""
    n = math.prod(shape)
    if n > _SHORT:
        return None
    ones = _filled(n, dtype, factor)
    if plain and not keepdims:
        return lambda x: x.reshape(n).dot(ones)
    result = (1,) * len(shape) if keepdims else ()  # no number, which subclasses could not watch
    return lambda x: x.reshape(1, n).dot(ones).reshape(result)


def _times(plain: bool, ones: np.ndarray) -> Way:
    """The product of ``ones`` with an array; subclasses hear of it from the function alone."""
    return ones.dot if plain else partial(np.dot, ones)


def _filled(n: int, dtype: np.dtype[Any], value: float) -> np.ndarray:
    return _all(1 << (n - 1).bit_length(), dtype, value)[:n]


@lru_cache(maxsize=64)  # by powers of two, so that all share what one or two long ones take
def _all(n: int, dtype: np.dtype[Any], value: float) -> np.ndarray:
    return np.full(n, value, dtype)


def largest(x: Array, axis: Any) -> Any:
    """The largest x over ``axis``, which is kept."""
    if not isinstance(x, ndarray):
        return namespace(x).max(x, axis=axis, keepdims=True)
    n = x.shape[-1] if x.ndim else 0
    last = axis in (-1, x.ndim - 1) and x.flags.c_contiguous
    if last and 0 < n <= _BRIEF and x.size >= n * _MANY:
        columns = x.reshape(-1, n).T.copy()
        return np.maximum.reduce(columns, axis=0).reshape(*x.shape[:-1], 1)
    return np.maximum.reduce(x, axis=axis, keepdims=True)
