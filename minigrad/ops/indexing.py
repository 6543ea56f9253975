"""Some of the entries: by index, by slice, by position along an axis.

Each of these is linear, so its backward rule is its transpose: entries go back where they came
from, and add up where one was used twice.
"""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.embedding import take_rows
from minigrad.ops.shape import Shape, axis_of, movedim, ravel, reshape, takes_scalars
from minigrad.tensor import Tensor


def raw_index(key: Any) -> tuple[Any, ...]:
    """``key`` as the standard wants it: a tuple that covers every axis, of raw arrays."""
    parts = key if isinstance(key, tuple) else (key,)
    raw = tuple(
        k.data if isinstance(k, Tensor) else backend.as_index(k) if isinstance(k, list) else k
        for k in parts
    )
    return raw if any(k is ... for k in raw) else (*raw, ...)


@primitive
def _getitem(x: Array, *, index: Any) -> Array:
    return x[index]


@primitive
def _place(x: Array, *, index: Any, shape: Shape) -> Array:
    """Zeros of ``shape`` with ``x`` added at ``index``, once for each time it is named there."""
    out = backend.zeros(shape, like=x)
    if any(backend.is_array(k) for k in index):
        backend.add_at(out, index, x)  # a target named twice takes both
    else:
        kept = tuple(k for k in index if k is not None)  # the standard cannot write to a new axis
        out[kept] = x if kept == index else backend.reshape(x, out[kept].shape)
    return out


_getitem.vjp(x=lambda g, index, x_shape: _place(g, index=index, shape=x_shape))
_place.vjp(x=lambda g, index: _getitem(g, index=index))


def getitem(x: Any, key: Any) -> Any:
    """x[key], with slices, integers, None, …, boolean masks and arrays of integers, as in NumPy."""
    return _getitem(x, index=raw_index(key))


@primitive
def _take_along(x: Array, *, indices: Array, axis: int) -> Array:
    return namespace(x).take_along_axis(x, indices, axis=axis)


@primitive
def _put_along(x: Array, *, indices: Array, axis: int, shape: Shape) -> Array:
    """The transpose of taking: zeros of ``shape``, ``x`` added at ``indices`` along ``axis``."""
    xp = namespace(x)
    out = backend.zeros(shape, like=x)
    grid = [
        indices
        if a == axis
        else xp.reshape(
            backend.arange(n, like=x) % shape[a],  # all at 0 where taking has stretched an axis
            tuple(n if b == a else 1 for b in range(x.ndim)),
        )
        for a, n in enumerate(x.shape)
    ]
    backend.add_at(out, tuple(grid), x)
    return out


_take_along.vjp(
    x=lambda g, indices, axis, x_shape: _put_along(g, indices=indices, axis=axis, shape=x_shape)
)
_put_along.vjp(x=lambda g, indices, axis: _take_along(g, indices=indices, axis=axis))


def take_along_dim(x: Any, indices: Any, dim: int | None = None) -> Any:
    """out[i, j] = x[indices[i, j], j] for ``dim`` 0, and so on; without it, both flattened."""
    raw = indices.data if isinstance(indices, Tensor) else indices
    if dim is None:
        return take_along_dim(ravel(x), reshape(raw, (-1,)), 0)
    return _take_along(x, indices=raw, axis=axis_of(dim, x.ndim))


def gather(x: Any, dim: int, index: Any) -> Any:
    """`take_along_dim` with PyTorch's older order of arguments.

    Nothing broadcasts: along other axes ``index`` may be shorter than ``x``, and takes the first.
    """
    axis = axis_of(dim, x.ndim or 1)
    scalar = 0 in (x.ndim, index.ndim) and max(x.ndim, index.ndim) <= 1
    if scalar or not math.prod(index.shape):  # PyTorch takes nothing in whatever shape
        return take_rows(ravel(x), index=index.data if isinstance(index, Tensor) else index)
    sizes = tuple(n if a == axis else m for a, (n, m) in enumerate(zip(x.shape, index.shape)))  # noqa: B905
    if index.ndim != x.ndim or any(n < m for n, m in zip(x.shape, sizes, strict=True)):
        raise ValueError(
            f"gather along axis {axis} needs an index no longer than its input along other axes; "
            f"got shapes {tuple(index.shape)} and {tuple(x.shape)}. Or broadcast: take_along_dim."
        )
    if sizes != tuple(x.shape):
        x = getitem(x, tuple(slice(n) for n in sizes))
    return take_along_dim(x, index, axis)


@takes_scalars
def index_select(x: Any, dim: int, index: Any) -> Any:
    """The slices of ``x`` along ``dim`` at these integers, a vector of them."""
    if index.ndim > 1:
        raise ValueError(
            f"index_select needs a vector of integers; got shape {tuple(index.shape)}. "
            "Index with it instead: x[index]."
        )
    axis = axis_of(dim, x.ndim)
    raw = ravel(index.data if isinstance(index, Tensor) else index)
    return movedim(take_rows(movedim(x, axis, 0), index=raw), 0, axis)
