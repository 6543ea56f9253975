"""The same entries in another arrangement: reshaping, permuting, repeating.

Each of these is linear, so its backward rule is its transpose: entries go back where they came
from, and add up where one was used twice.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.gradients import broadcast_to as broadcast
from minigrad.operation import primitive

Shape = tuple[int, ...]


def _ints(sizes: tuple[Any, ...], given: Any = None) -> tuple[int, ...]:
    """Sizes given one by one, as one sequence, or by the name of the argument."""
    if given is not None:
        sizes = (given,) if isinstance(given, int) else tuple(given)
    if len(sizes) == 1 and isinstance(sizes[0], tuple | list):
        return tuple(sizes[0])
    return tuple(int(n) for n in sizes)


def axis_of(dim: int, ndim: int) -> int:
    """``dim`` counted from the front; one that is not there is refused, never wrapped around."""
    if not -ndim <= dim < ndim:
        raise IndexError(
            f"axis {dim} is out of bounds for array of dimension {ndim}. "
            f"Choose one from {-ndim} to {ndim - 1}."
        )
    return dim % ndim


def takes_scalars(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a function along an axis take a 0-d tensor too, as a vector of one entry."""

    @functools.wraps(function)
    def along(x: Any, *args: Any, **kwargs: Any) -> Any:
        if x.ndim:
            return function(x, *args, **kwargs)
        out = function(reshape(x, (1,)), *args, **kwargs)
        if isinstance(out, tuple):
            return type(out)(*[reshape(y, ()) for y in out])
        return reshape(out, ())

    return along


# ── reshaping ────────────────────────────────────────────────────────────────────────────────────


@primitive
def _reshape(x: Array, *, shape: Shape) -> Array:
    return backend.reshape(x, shape)


_reshape.vjp(x=lambda g, x_shape: _reshape(g, shape=x_shape))


def reshape(x: Any, *shape: Any) -> Any:
    """The entries in the same order with another shape; one size may be −1."""
    sizes = _ints(shape)
    if min(sizes, default=0) < -1:  # which NumPy takes for −1
        raise ValueError(
            f"reshape to {sizes} needs sizes of at least 0, but for one that may be −1. "
            "Write -1 where the size should follow from the others."
        )
    return _reshape(x, shape=sizes)


view = reshape  # PyTorch's name: memory order is no concern of the caller's here


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """Axes ``start_dim`` to ``end_dim`` as one."""
    if x.ndim == 0:
        return reshape(x, 1)
    start, end = axis_of(start_dim, x.ndim), axis_of(end_dim, x.ndim)
    if start > end:
        raise ValueError(
            f"flatten needs start_dim not after end_dim; got {start_dim} and {end_dim} for shape "
            f"{tuple(x.shape)}. Exchange them."
        )
    return reshape(x, (*x.shape[:start], math.prod(x.shape[start : end + 1]), *x.shape[end + 1 :]))


def unflatten(x: Any, dim: int, sizes: Shape) -> Any:
    """One axis as several of these ``sizes``."""
    dim = axis_of(dim, x.ndim)
    if -1 in sizes and 0 not in sizes:  # what −1 stands for is plain even where x has no entries
        sizes = tuple(x.shape[dim] // -math.prod(sizes) if n == -1 else n for n in sizes)
    return reshape(x, (*x.shape[:dim], *sizes, *x.shape[dim + 1 :]))


def ravel(x: Any) -> Any:
    """All entries as one axis."""
    return reshape(x, -1)


def view_as(x: Any, other: Any) -> Any:
    """The entries in the shape of ``other``."""
    return reshape(x, tuple(other.shape))


reshape_as = view_as


def squeeze(x: Any, dim: Any = None) -> Any:
    """Drop axes of size 1: all of them, or those in ``dim``."""
    dims = range(x.ndim) if dim is None else dim if isinstance(dim, tuple | list) else (dim,)
    axes = {axis_of(d, x.ndim or 1) for d in dims}
    if len(axes) < len(dims):
        raise ValueError(f"squeeze was given an axis twice in {dims}. Name each axis once.")
    drop = {a for a in axes if x.ndim and x.shape[a] == 1}
    return reshape(x, tuple(n for a, n in enumerate(x.shape) if a not in drop))


def unsqueeze(x: Any, dim: int) -> Any:
    """A new axis of size 1 at ``dim``."""
    dim = axis_of(dim, x.ndim + 1)
    return reshape(x, (*x.shape[:dim], 1, *x.shape[dim:]))


def broadcast_to(x: Any, *shape: Any) -> Any:
    """``x`` repeated along new or single axes until it has ``shape``; nothing is copied."""
    return broadcast(x, shape=_ints(shape))


def expand(x: Any, *shape: Any) -> Any:
    """PyTorch's `broadcast_to`, where −1 leaves a size as it is."""
    sizes = _ints(shape)
    new = len(sizes) - x.ndim
    return broadcast(
        x, shape=tuple(x.shape[i - new] if n == -1 and i >= new else n for i, n in enumerate(sizes))
    )


def expand_as(x: Any, other: Any) -> Any:
    """``x`` broadcast to the shape of ``other``."""
    return broadcast(x, shape=other.shape)


# ── permuting ────────────────────────────────────────────────────────────────────────────────────


@functools.lru_cache(maxsize=256)
def _inverse(axes: Shape) -> Shape:
    n = len(axes)
    return tuple(sorted(range(n), key=lambda i: axes[i] % n))


@primitive
def _permute(x: Array, *, axes: Shape) -> Array:
    return backend.permute(x, axes)


_permute.vjp(x=lambda g, axes: _permute(g, axes=_inverse(axes)))


def permute(x: Any, *order: Any, dims: Any = None) -> Any:
    """The axes in this order, given one by one or as ``dims``."""
    return _permute(x, axes=_ints(order, dims))


def transpose(x: Any, dim0: int, dim1: int) -> Any:
    """Two axes exchanged."""
    axes = list(range(x.ndim or 1))
    i, j = axis_of(dim0, len(axes)), axis_of(dim1, len(axes))
    axes[i], axes[j] = j, i
    return _permute(x, axes=tuple(axes[: x.ndim]))  # of a 0-d tensor nothing is left


swapaxes = transpose


def t(x: Any) -> Any:
    """The transpose of a matrix; vectors as they are."""
    if x.ndim > 2:  # noqa: PLR2004 - a matrix
        raise ValueError(
            f"t needs at most 2 axes; got shape {tuple(x.shape)}. Use x.mT for matrices in a "
            "stack, or transpose."
        )
    return transpose(x, 0, 1) if x.ndim == 2 else x  # noqa: PLR2004


def movedim(x: Any, source: int | Shape, destination: int | Shape) -> Any:
    """An axis, or several, moved to another place, the others in their order."""
    start, end = (
        [axis_of(d, x.ndim) for d in (dims if isinstance(dims, tuple | list) else (dims,))]
        for dims in (source, destination)
    )
    if not len(set(start)) == len(start) == len(end) == len(set(end)):
        raise ValueError(
            f"movedim needs as many places as axes, each named once; got {source} and "
            f"{destination}. Give every axis a place of its own."
        )
    axes = [a for a in range(x.ndim) if a not in start]
    for place, axis in sorted(zip(end, start, strict=True)):
        axes.insert(place, axis)
    return _permute(x, axes=tuple(axes))


@primitive
def matrix_transpose(x: Array) -> Array:
    """The last two axes exchanged."""
    return namespace(x).matrix_transpose(x)


matrix_transpose.vjp(x=lambda g: matrix_transpose(g))


@primitive
def _flip(x: Array, *, axis: int | Shape | None) -> Array:
    return namespace(x).flip(x, axis=axis)


_flip.vjp(x=lambda g, axis: _flip(g, axis=axis))


def flip(x: Any, *axes: Any, dims: Any = None) -> Any:
    """The entries in reverse order along these axes, given one by one or as ``dims``."""
    return _flip(x, axis=_ints(axes, dims))


@primitive
def _roll(x: Array, *, shift: Any, axis: Any) -> Array:
    return namespace(x).roll(x, shift, axis=axis)


_roll.vjp(
    x=lambda g, shift, axis: _roll(
        g, shift=-shift if isinstance(shift, int) else tuple(-s for s in shift), axis=axis
    )
)


def roll(x: Any, shifts: Any, dims: Any = None) -> Any:
    """The entries moved on by ``shifts`` along ``dims``; what falls off comes in again."""
    pair = [v if isinstance(v, tuple | list) else (v,) for v in (shifts, dims)]
    if len(pair[0]) != len(pair[1]):
        raise ValueError(
            f"roll needs one shift for each axis; got shifts={shifts} and dims={dims}. "
            "Give as many of one as of the other."
        )
    return _roll(x, shift=shifts, axis=dims)


# ── repeating ────────────────────────────────────────────────────────────────────────────────────


def repeat(x: Any, *sizes: Any) -> Any:
    """``x`` laid out so many times along each axis; more sizes than axes make new ones in front."""
    times = _ints(sizes)
    x = reshape(x, (1,) * (len(times) - x.ndim) + tuple(x.shape))
    paired = [m for n in x.shape for m in (1, n)]
    spread = [m for n, k in zip(x.shape, times, strict=True) for m in (k, n)]
    laid = broadcast(reshape(x, tuple(paired)), shape=tuple(spread))
    return reshape(laid, tuple(n * k for n, k in zip(x.shape, times, strict=True)))


def tile(x: Any, *sizes: Any, dims: Any = None) -> Any:
    """`repeat`, where missing sizes in front are 1."""
    times = _ints(sizes, dims)
    return repeat(x, (1,) * (x.ndim - len(times)) + times)


# ── triangles ─────────────────────────────────────────────────────────────────────────────────────


@primitive
def _tril(x: Array, *, k: int) -> Array:
    return namespace(x).tril(x, k=k)


_tril.vjp(x=lambda g, k: _tril(g, k=k))


@primitive
def _triu(x: Array, *, k: int) -> Array:
    return namespace(x).triu(x, k=k)


_triu.vjp(x=lambda g, k: _triu(g, k=k))


def _needs_matrices(name: str, x: Any) -> None:
    if x.ndim < 2:  # noqa: PLR2004 - rows and columns
        raise ValueError(
            f"{name} needs at least 2 axes; got shape {tuple(x.shape)}. Add one with unsqueeze."
        )


def tril(x: Any, diagonal: int = 0) -> Any:
    """The lower triangle of each matrix, zeros above."""
    _needs_matrices("tril", x)
    return _tril(x, k=diagonal)


def triu(x: Any, diagonal: int = 0) -> Any:
    """The upper triangle of each matrix, zeros below."""
    _needs_matrices("triu", x)
    return _triu(x, k=diagonal)
