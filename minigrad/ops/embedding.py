"""Looking up rows of a table, and the transpose of that."""

from __future__ import annotations

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive

Shape = tuple[int, ...]


@primitive
def take_rows(x: Array, *, index: Array) -> Array:
    """out[i, j, …] = the row index[i, j, …] of the table x (V, D)."""
    xp = namespace(x)
    rows = xp.take(x, xp.reshape(index, (-1,)), axis=0)
    return xp.reshape(rows, (*index.shape, *x.shape[1:]))


@primitive
def add_rows(x: Array, *, index: Array, shape: Shape) -> Array:
    """Zeros of ``shape`` with x[i, j, …] added to row index[i, j, …]; repeated rows add up."""
    xp = namespace(x)
    out = backend.zeros(shape, like=x)
    backend.add_at(out, (xp.reshape(index, (-1,)),), xp.reshape(x, (index.size, *shape[1:])))
    return out


take_rows.vjp(x=lambda g, index, x_shape: add_rows(g, index=index, shape=x_shape))
add_rows.vjp(x=lambda g, index: take_rows(g, index=index))
