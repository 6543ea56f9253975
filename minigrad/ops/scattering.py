"""Writing at indices: the inverse of `gather`, and what else puts entries at places.

Nothing is written in place: each is a sum of, or a choice between, the tensor and zeros with the
new entries at their places, so that gradients go where the entries came from.
"""

from __future__ import annotations

from typing import Any

from minigrad import backend
from minigrad.backend import namespace
from minigrad.ops.choosing import where
from minigrad.ops.embedding import add_rows
from minigrad.ops.indexing import _put_along, getitem, take_along_dim
from minigrad.ops.padding import pad, pad_edges
from minigrad.ops.shape import axis_of, movedim, permute, reshape, unsqueeze
from minigrad.tensor import Tensor


def _raw(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


def _put(name: str, x: Any, dim: int, index: Any, src: Any) -> Any:
    """Zeros of the shape of ``x`` with src[i, j] added at [index[i, j], j] (``dim`` 0), and so on.

    ``index`` may be shorter than ``x`` along other axes, and than ``src`` along all.
    """
    axis, shape, raw = axis_of(dim, x.ndim), tuple(x.shape), _raw(index)
    fits = raw.ndim == x.ndim == src.ndim and all(
        n <= m and (a == axis or n <= k)
        for a, (n, m, k) in enumerate(zip(raw.shape, src.shape, shape, strict=True))
    )
    if not fits:
        raise ValueError(
            f"{name} along axis {axis} of shape {shape} needs an index no longer than the source "
            f"and, along other axes, than the tensor; got index {tuple(raw.shape)} and source "
            f"{tuple(src.shape)}. Cut or expand them."
        )
    if tuple(src.shape) != tuple(raw.shape):
        src = getitem(src, tuple(slice(n) for n in raw.shape))
    inner = tuple(shape[a] if a == axis else n for a, n in enumerate(raw.shape))
    put = _put_along(src, indices=raw, axis=axis, shape=inner)
    return pad_edges(put, tuple((0, n - m) for n, m in zip(shape, inner, strict=True)))


def scatter_add(x: Any, dim: int, index: Any, src: Any) -> Any:
    """out = x with src[i, j] added at [index[i, j], j] for ``dim`` 0, and so on; repeats add up."""
    return x + _put("scatter_add", x, dim, index, src)


def scatter(x: Any, dim: int, index: Any, src: Any) -> Any:
    """out = x but src[i, j], or one number, at [index[i, j], j] for ``dim`` 0, and so on.

    Raises
    ------
    ValueError
        If two different entries of ``src`` have one place: which stays would be left to chance.
    """
    raw = _raw(x)
    xp = namespace(raw)
    ones = xp.ones_like(_raw(index), dtype=raw.dtype)
    times = _put("scatter", raw, dim, index, ones)
    if isinstance(src, int | float):
        return where(times > 0, src, x)
    if bool(xp.any(times > 1)):
        raise ValueError(
            "scatter needs a place of its own for each entry of the source; found two for one "
            "place, of which chance would choose. Use scatter_add, or pass one number."
        )
    return where(times > 0, _put("scatter", x, dim, index, src), x)


def index_add(x: Any, dim: int, index: Any, source: Any, *, alpha: float = 1) -> Any:
    """out = x with the slices of alpha·source added at these integers along ``dim``."""
    axis = axis_of(dim, x.ndim)
    shape = (x.shape[axis], *x.shape[:axis], *x.shape[axis + 1 :])
    added = add_rows(movedim(source, axis, 0), index=_raw(index), shape=shape)
    return x + alpha * movedim(added, 0, axis)


def index_fill(x: Any, dim: int, index: Any, value: float) -> Any:
    """out = x but ``value`` in the slices at these integers along ``dim``."""
    axis, raw = axis_of(dim, x.ndim), _raw(index)
    xp = namespace(raw)
    rows = xp.reshape(backend.arange(x.shape[axis], like=raw), (-1, 1))
    named = xp.any(rows == raw % x.shape[axis], axis=1)
    return where(xp.reshape(named, (-1,) + (1,) * (x.ndim - axis - 1)), value, x)


def take(x: Any, index: Any) -> Any:
    """The entries at these places of all entries in a row."""
    flat = _raw(index)
    places = backend.reshape(flat, (-1,))
    return reshape(take_along_dim(reshape(x, (-1,)), places, 0), tuple(flat.shape))


# ── diagonals ────────────────────────────────────────────────────────────────────────────────────


def diagonal(x: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The entries [i, i + offset] of axes ``dim1`` and ``dim2``, as the last axis."""
    first, second = axis_of(dim1, x.ndim), axis_of(dim2, x.ndim)
    others = [a for a in range(x.ndim) if a not in (first, second)]
    x = permute(x, *others, first, second)
    *front, rows, columns = x.shape
    start, step = offset if offset >= 0 else -offset * columns, columns + 1
    n = max(0, min(rows + min(offset, 0), columns - max(offset, 0)))
    end = start + (n - 1) * step + 1 if n else start
    return getitem(reshape(x, (*front, rows * columns)), (..., slice(start, end, step)))


def diag_embed(x: Any, offset: int = 0) -> Any:
    """The last axis as the diagonal, or another one beside it, of matrices (…, n, n) of zeros."""
    beside = abs(offset)
    wide = pad(x, (0, beside))
    raw = _raw(x)
    xp = namespace(raw)
    numbers = backend.arange(wide.shape[-1], like=raw)
    rows, columns = xp.reshape(numbers, (-1, 1)), xp.reshape(numbers, (1, -1))
    placed = unsqueeze(wide, -1 if offset >= 0 else -2)
    return where(columns - rows == offset, placed, 0.0)
