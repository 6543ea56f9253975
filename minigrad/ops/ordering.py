"""Sorting and choosing: where entries are by their size, and what stands there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.indexing import getitem, take_along_dim
from minigrad.ops.joining import cat, unbind
from minigrad.ops.reductions import accepts_dim
from minigrad.ops.shape import axis_of, broadcast_to, reshape, takes_scalars


class Sorted(NamedTuple):
    """Entries in order, and where each of them was."""

    values: Any
    indices: Any


@primitive
def _argsort(x: Array, *, axis: int, descending: bool) -> Array:
    xp = namespace(x)
    if not descending:
        return xp.argsort(x, axis=axis, stable=True)
    # Upwards from the other end: ties keep their order and NaN, the largest, comes first.
    upwards = xp.argsort(xp.flip(x, axis=axis), axis=axis, stable=True)
    return x.shape[axis] - 1 - xp.flip(upwards, axis=axis)


@accepts_dim
@takes_scalars
def argsort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """The places of the entries along ``axis`` in the order of their size; ties keep theirs.

    So it is always ``stable``, whether asked or not.
    """
    return _argsort(x, axis=axis, descending=descending)


@accepts_dim
@takes_scalars
def sort(x: Any, axis: int = -1, descending: bool = False, stable: bool = True) -> Sorted:
    """(values, indices) of the entries along ``axis`` in the order of their size; see `argsort`."""
    indices = argsort(x, axis, descending)
    return Sorted(take_along_dim(x, indices, axis), indices)


@accepts_dim
@takes_scalars
def topk(x: Any, k: int, axis: int = -1, largest: bool = True, sorted: bool = True) -> Sorted:
    """(values, indices) of the ``k`` largest entries along ``axis``, largest first.

    So they are always ``sorted``, whether asked or not.
    """
    axis = axis_of(axis, x.ndim)
    if not 0 <= k <= x.shape[axis]:
        raise ValueError(
            f"topk was asked for {k} entries along axis {axis}, which has {x.shape[axis]}. "
            "Ask for fewer."
        )
    first = (slice(None),) * axis + (slice(k),)
    indices = getitem(argsort(x, axis, descending=largest), first)
    return Sorted(take_along_dim(x, indices, axis), indices)


def masked_select(x: Any, mask: Any) -> Any:
    """The entries where the mask holds, as a vector; each is broadcast to the other."""
    shape = np.broadcast_shapes(x.shape, mask.shape)
    return getitem(broadcast_to(x, shape), broadcast_to(mask, shape))


def nonzero(x: Any, *, as_tuple: bool = False) -> Any:
    """The indices of the entries that are not 0, one a row; or as one vector for each axis."""
    if x.ndim == 0 and not as_tuple:
        return _nonzero(reshape(x, (1,)))[:, :0]
    found = _nonzero(x if x.ndim else reshape(x, (1,)))
    return unbind(found, 1) if as_tuple else found


@primitive
def _nonzero(x: Array) -> Array:
    xp = namespace(x)
    return xp.stack(xp.nonzero(x), axis=-1)


@accepts_dim
@takes_scalars
def cumprod(x: Any, axis: int) -> Any:
    """out[i] = x[0] · … · x[i] along ``axis``, one product after the other."""
    along = (slice(None),) * axis_of(axis, x.ndim)
    out = x
    shift = 1
    while shift < x.shape[axis]:  # doubling: after each round a product covers twice as many
        kept, moved = getitem(out, (*along, slice(shift))), getitem(out, (*along, slice(-shift)))
        out = cat([kept, getitem(out, (*along, slice(shift, None))) * moved], axis)
        shift *= 2
    return out
