"""What a few kernels need of every library, said once: creation beside an array, sums in place.

And what NumPy does faster another way than by the function that the standard names.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend.places import of
from minigrad.backend.protocol import Array, namespace
from minigrad.backend.sums import ndarray

_int64 = np.dtype("int64")


def _beside(like: Array) -> dict[str, Any]:
    """The arguments by which a creation function puts its array on the device of ``like``."""
    return {} if of(like).name in ("numpy", "cupy") else {"device": like.device}


def zeros(shape: tuple[int, ...], like: Array) -> Array:
    """Zeros beside ``like``, of its dtype."""
    if type(like) is ndarray:
        return np.zeros(shape, like.dtype)
    return namespace(like).zeros(shape, dtype=like.dtype, **_beside(like))


def ones(shape: tuple[int, ...], like: Array) -> Array:
    """Ones beside ``like``, of its dtype."""
    if type(like) is ndarray:
        out = np.empty(shape, like.dtype)  # np.ones is Python around the same
        out.fill(1)
        return out
    return namespace(like).ones(shape, dtype=like.dtype, **_beside(like))


def arange(n: int, like: Array) -> Array:
    """0 … n − 1 beside ``like``."""
    if type(like) is ndarray:
        return np.arange(n)
    return namespace(like).arange(n, **_beside(like))


def add_at(x: Array, index: Any, y: Array) -> None:
    """x[index] += y, where a target named twice takes both."""
    of(x).add_at(x, index, y)


def added(out: Array, b: Array) -> Array:
    """out + b, where ``out`` is the caller's own: in place, if the sum has its shape and dtype."""
    if b.dtype == out.dtype:
        try:
            out += b
        except ValueError:  # the sum would be wider than out
            pass
        else:
            return out
    return out + b


def increment(n: Array) -> None:
    """n += 1, of no axes; on the host by way of a Python number, in a fifth of the time."""
    if type(n) is ndarray:
        n.fill(n.item() + 1)
    else:
        n += 1


def cast(x: Array, dtype: Any) -> Array:
    """``x`` with another dtype."""
    return x.astype(dtype) if type(x) is ndarray else namespace(x).astype(x, dtype)


def one_hot(labels: Array, classes: int, axis: int, dtype: Any) -> Array | None:
    """A 1 at each of ``labels`` along a new ``axis`` of zeros; None if any has no place there."""
    n = labels.size
    if type(labels) is ndarray and labels.dtype == _int64 and labels.ndim == axis == 1:
        rows = np.zeros((n, classes), dtype)
        try:
            rows[np.arange(n), labels] = 1
            np.bincount(labels)  # refuses negative ones, which an index counts from the end
        except (IndexError, ValueError):
            return None
        return rows
    xp = namespace(labels)
    numbers = arange(classes, like=labels)[(..., *[None] * (labels.ndim - axis))]
    hot = xp.expand_dims(labels, axis=axis) == numbers
    return cast(hot, dtype) if int(xp.count_nonzero(hot)) == n else None


def reshape(x: Array, shape: tuple[int, ...]) -> Array:
    """The entries of ``x`` with another shape."""
    if type(x) is ndarray:
        return x.reshape(shape)  # np.reshape is Python around the same, as np.transpose is
    return namespace(x).reshape(x, shape)


def permute(x: Array, axes: tuple[int, ...]) -> Array:
    """``x`` with its axes in this order."""
    return x.transpose(axes) if type(x) is ndarray else namespace(x).permute_dims(x, axes)


def product(x: Array, y: Array) -> Array:
    """X Y, of matrices."""
    if type(x) is type(y) is ndarray and x.ndim == y.ndim == 2:  # noqa: PLR2004 - matrices
        return x.dot(y)  # the same product, called faster
    return namespace(x).matmul(x, y)


def erf(x: Array) -> Array:
    """The error function of each entry."""
    return of(x).erf(x)
