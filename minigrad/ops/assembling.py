"""Side by side: joining along named axes, grids, and the shapes that PyTorch has words for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad.ops.indexing import getitem
from minigrad.ops.joining import cat, split, stack
from minigrad.ops.padding import pad
from minigrad.ops.shape import axis_of, broadcast_to, flip, reshape, transpose, unsqueeze


def concat(tensors: Any, dim: int = 0) -> Any:
    """`cat`, by its longer name."""
    return cat(tensors, dim)


concatenate = concat


def atleast_1d(x: Any) -> Any:
    """A number as a vector of one; else the tensor itself."""
    return x if x.ndim else reshape(x, (1,))


def atleast_2d(x: Any) -> Any:
    """A vector as a matrix of one row; matrices and the like themselves."""
    return x if x.ndim > 1 else reshape(x, (1, -1))


def hstack(tensors: Any) -> Any:
    """Tensors side by side: along axis 1, vectors one after the other."""
    parts = [atleast_1d(x) for x in tensors]
    return cat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(tensors: Any) -> Any:
    """Tensors on top of each other: along axis 0, vectors as rows."""
    return cat([atleast_2d(x) for x in tensors], 0)


def dstack(tensors: Any) -> Any:
    """Tensors behind each other: along axis 2."""
    flat = [atleast_2d(x) for x in tensors]
    return cat([x if x.ndim > 2 else unsqueeze(x, 2) for x in flat], 2)  # noqa: PLR2004


def column_stack(tensors: Any) -> Any:
    """Tensors side by side, vectors as columns."""
    return cat([x if x.ndim > 1 else reshape(x, (-1, 1)) for x in tensors], 1)


def broadcast_tensors(*tensors: Any) -> tuple[Any, ...]:
    """Each tensor broadcast to the shape that they have together."""
    shape = np.broadcast_shapes(*(tuple(x.shape) for x in tensors))
    return tuple(broadcast_to(x, shape) for x in tensors)


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Any, ...]:
    """The coordinates of a grid: out[k][i, j, …] is entry i, j, … of the k-th vector.

    With ``indexing="xy"`` the first two axes are exchanged, as on a plot.
    """
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], tuple | list) else tensors
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid was given indexing={indexing!r}; it is 'ij' or 'xy'.")
    axes = list(range(len(given)))
    if indexing == "xy":
        axes[:2] = axes[:2][::-1]
    shapes = [tuple(-1 if a == axis else 1 for a in range(len(given))) for axis in axes]
    return broadcast_tensors(*(reshape(x, s) for x, s in zip(given, shapes, strict=True)))


def cartesian_prod(*tensors: Any) -> Any:
    """All combinations of an entry of each vector, (n₁·n₂·…, number of vectors)."""
    return stack([reshape(x, (-1,)) for x in meshgrid(*tensors)], 1)


# ── parts of tensors ─────────────────────────────────────────────────────────────────────────────


def narrow(x: Any, dim: int, start: int, length: int) -> Any:
    """So many slices along ``dim``, from ``start`` on."""
    return getitem(x, (slice(None),) * axis_of(dim, x.ndim) + (slice(start, start + length),))


def select(x: Any, dim: int, index: int) -> Any:
    """One slice along ``dim``, without it."""
    return getitem(x, (slice(None),) * axis_of(dim, x.ndim) + (index,))


def tensor_split(x: Any, indices_or_sections: Any, dim: int = 0) -> tuple[Any, ...]:
    """``x`` cut along ``dim`` into so many parts, or at these places; the first are longer."""
    n = x.shape[dim]
    if isinstance(indices_or_sections, int):
        parts = indices_or_sections
        return split(x, [n // parts + (i < n % parts) for i in range(parts)], dim)
    ends = [min(i, n) for i in (*indices_or_sections, n)]
    return split(x, [max(b - a, 0) for a, b in zip([0, *ends], ends, strict=False)], dim)


def diff(x: Any, n: int = 1, dim: int = -1) -> Any:
    """The differences of neighbours along ``dim``, taken ``n`` times."""
    before = (slice(None),) * axis_of(dim, x.ndim)
    for _ in range(n):
        x = getitem(x, (*before, slice(1, None))) - getitem(x, (*before, slice(-1)))
    return x


def repeat_interleave(x: Any, repeats: int, dim: int | None = None) -> Any:
    """Each slice along ``dim`` so many times in a row; all entries, where none is named."""
    if dim is None:
        x, dim = reshape(x, (-1,)), 0
    axis = axis_of(dim, x.ndim) + 1
    shape = [*x.shape[:axis], repeats, *x.shape[axis:]]
    laid = broadcast_to(unsqueeze(x, axis), tuple(shape))
    return reshape(laid, (*x.shape[: axis - 1], x.shape[axis - 1] * repeats, *x.shape[axis:]))


# ── turned, and multiplied out ───────────────────────────────────────────────────────────────────


def fliplr(x: Any) -> Any:
    """The columns in reverse order."""
    return flip(x, 1)


def flipud(x: Any) -> Any:
    """The rows in reverse order."""
    return flip(x, 0)


def rot90(x: Any, k: int = 1, dims: tuple[int, int] = (0, 1)) -> Any:
    """``x`` turned k times by a quarter, from the first of two axes towards the second."""
    first, second = dims
    if k % 4 == 2:  # noqa: PLR2004 - half a turn
        return flip(x, first, second)
    if k % 2:
        return transpose(flip(x, second if k % 4 == 1 else first), first, second)
    return x


def kron(x: Any, y: Any) -> Any:
    """The Kronecker product: ``y`` in the place of each entry of x, times that entry."""
    ndim = max(x.ndim, y.ndim)
    outer = (1,) * (ndim - x.ndim) + tuple(x.shape)
    inner = (1,) * (ndim - y.ndim) + tuple(y.shape)
    spread = reshape(x, tuple(m for n in outer for m in (n, 1)))
    tiles = spread * reshape(y, tuple(m for n in inner for m in (1, n)))
    return reshape(tiles, tuple(n * m for n, m in zip(outer, inner, strict=True)))


def block_diag(*tensors: Any) -> Any:
    """Matrices one after the other along the diagonal of a matrix of zeros."""
    blocks = [atleast_2d(x) for x in tensors]
    wide, left = sum(x.shape[1] for x in blocks), 0
    rows = []
    for x in blocks:
        rows.append(pad(x, (left, wide - left - x.shape[1])))
        left += x.shape[1]
    return cat(rows, 0)


def numel(x: Any) -> int:
    """The number of entries."""
    return math.prod(x.shape)
