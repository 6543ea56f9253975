"""Cutting a tensor into parts, and joining tensors: each is the other's backward rule.

An operation that makes several parts has as many outputs, and one rule for all: the gradients are
joined once. A rule for each would pad each of them with zeros to the size of the whole, at a cost
quadratic in their number.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import Primitive, primitive
from minigrad.ops.indexing import getitem
from minigrad.ops.shape import axis_of, reshape
from minigrad.tensor import Tensor

Shape = tuple[int, ...]

# ── cutting ──────────────────────────────────────────────────────────────────────────────────────


def chunk(x: Any, chunks: int, dim: int = 0) -> tuple[Any, ...]:
    """``x`` cut along ``dim`` into (at most) so many parts of equal size."""
    n = x.shape[dim]
    return split(x, -(-n // chunks) if n else [0] * chunks, dim)


def split(x: Any, sizes: int | list[int] | tuple[int, ...], dim: int = 0) -> tuple[Any, ...]:
    """``x`` cut along ``dim`` into parts of this size, or of these sizes."""
    dim = axis_of(dim, x.ndim)
    n = x.shape[dim]
    if isinstance(sizes, int):
        sizes = [min(sizes, n - start) for start in range(0, max(n, 1), sizes)]
    if sum(sizes) != n or min(sizes, default=0) < 0:
        raise ValueError(
            f"split into sizes {list(sizes)} was asked for along axis {dim}, which has {n} "
            "entries. Give sizes that add up to it."
        )
    if len(sizes) == 1:
        return (getitem(x, ...),)
    return _cut(len(sizes))(x, sizes=tuple(sizes), axis=dim) if sizes else ()


def unbind(x: Any, dim: int = 0) -> tuple[Any, ...]:
    """The slices along ``dim``, without it; there and back in time linear in their number."""
    dim = axis_of(dim, x.ndim)
    n = x.shape[dim]
    if n > 1:
        return _unstack(n)(x, axis=dim)
    return (reshape(x, (*x.shape[:dim], *x.shape[dim + 1 :])),) if n else ()


@functools.cache
def _cut(parts: int) -> Primitive:
    """The operation that cuts an axis into so many parts."""

    def split(x: Array, *, sizes: Shape, axis: int) -> tuple[Array, ...]:
        before, ends = (slice(None),) * axis, np.cumsum(sizes).tolist()
        cuts = zip(sizes, ends, strict=True)
        return tuple([x[(*before, slice(end - size, end), ...)] for size, end in cuts])

    cut = Primitive(split, tuple([f"x{i}" for i in range(parts)]))
    cut.vjp(
        x={
            ...: lambda g, x_shape, sizes, axis: cat(
                _filled(g, [(*x_shape[:axis], n, *x_shape[axis + 1 :]) for n in sizes]), axis
            )
        }
    )
    return cut


@functools.cache
def _unstack(parts: int) -> Primitive:
    """The operation that takes so many slices, one for each entry of an axis."""

    def unbind(x: Array, *, axis: int) -> tuple[Array, ...]:
        before = (slice(None),) * axis
        return tuple([x[(*before, i, ...)] for i in range(parts)])

    unstack = Primitive(unbind, tuple([f"x{i}" for i in range(parts)]))
    unstack.vjp(
        x={
            ...: lambda g, x_shape, axis: stack(
                _filled(g, [(*x_shape[:axis], *x_shape[axis + 1 :])] * x_shape[axis]), axis
            )
        }
    )
    return unstack


def _filled(g: dict[int, Any], shapes: Iterable[Shape]) -> list[Any]:
    """The gradients of all outputs: zeros for those that were not used."""
    given = next(iter(g.values()))
    like = given.data if isinstance(given, Tensor) else given
    return [g[i] if i in g else backend.zeros(n, like=like) for i, n in enumerate(shapes)]


# ── joining ──────────────────────────────────────────────────────────────────────────────────────


@primitive
def _concat(*xs: Array, axis: int) -> Array:
    return namespace(xs[0]).concat(xs, axis=axis)


_concat.vjp(xs=lambda g, xs_shape, axis: split(g, [shape[axis] for shape in xs_shape], axis))


@primitive
def _stack(*xs: Array, axis: int) -> Array:
    return namespace(xs[0]).stack(xs, axis=axis)


_stack.vjp(xs=lambda g, axis: unbind(g, axis))


def cat(tensors: Any, dim: int = 0) -> Any:
    """Tensors joined along an axis they have; an empty vector joins anything, as in PyTorch."""
    given = list(tensors)
    try:
        return _concat(*given, axis=dim)
    except ValueError:
        filled = [x for x in given if tuple(getattr(x, "shape", ())) != (0,)]
        if len(filled) == len(given):
            raise
        return _concat(*filled, axis=dim)


def stack(tensors: Any, dim: int = 0) -> Any:
    """Tensors of one shape joined along a new axis."""
    return _stack(*tensors, axis=dim)
