"""How entries are distributed: which there are, how many, and where the middle is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.choosing import where
from minigrad.ops.comparison import any
from minigrad.ops.indexing import getitem
from minigrad.ops.ordering import Sorted, sort
from minigrad.ops.reductions import accepts_dim, amax, amin, mean, std, sum, var
from minigrad.ops.rounding import lerp
from minigrad.ops.shape import axis_of, reshape, unsqueeze
from minigrad.tensor import Tensor, wrap


def _raw(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


def unique(
    x: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False
) -> Any:
    """The different entries, in order; where asked, also which of them each entry is, how often.

    Only on backends whose shapes may depend on data.
    """
    raw = _raw(x)
    xp = namespace(raw)
    found = xp.unique_all(raw)
    answers = [found.values]
    if return_inverse:
        answers.append(xp.reshape(found.inverse_indices, raw.shape))
    if return_counts:
        answers.append(found.counts)
    tensors = tuple(wrap(a) if isinstance(x, Tensor) else a for a in answers)
    return tensors if len(tensors) > 1 else tensors[0]


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Any:
    """How often 0, 1, 2, … are in a vector of integers; or the sum of their weights."""
    raw = _raw(x)
    xp = namespace(raw)
    if raw.ndim != 1 or not backend.is_integer(raw.dtype) or (x.shape[0] and int(xp.min(raw)) < 0):
        raise ValueError(
            f"bincount needs a vector of integers ≥ 0; got shape {tuple(raw.shape)} of "
            f"{raw.dtype}. Flatten it, and shift what is negative."
        )
    n = max(minlength, int(xp.max(raw)) + 1 if x.shape[0] else 0)
    each = xp.ones_like(raw, dtype=xp.int64) if weights is None else _raw(weights)
    out = backend.zeros((n,), like=each)
    backend.add_at(out, (raw,), each)
    return wrap(out) if isinstance(x, Tensor) else out


def count_nonzero(x: Any, dim: Any = None) -> Any:
    """How many entries are not 0, in all or along ``dim``."""
    return sum(x != 0, dim)


@primitive
def _searchsorted(x: Array, y: Array, *, side: str) -> Array:
    return namespace(x).searchsorted(x, y, side=side)


def searchsorted(sorted_sequence: Any, values: Any, *, right: bool = False) -> Any:
    """Where each value would stand in a vector in ascending order, before or after its equals."""
    return _searchsorted(sorted_sequence, values, side="right" if right else "left")


def bucketize(x: Any, boundaries: Any, *, right: bool = False) -> Any:
    """`searchsorted` with its arguments exchanged: the number of each entry's interval."""
    return searchsorted(boundaries, x, right=right)


def isin(elements: Any, test_elements: Any) -> Any:
    """Whether each entry is among those of another tensor."""
    return any(unsqueeze(elements, -1) == reshape(test_elements, (-1,)), -1)


# ── the middle, and other places in the order ────────────────────────────────────────────────────


@accepts_dim
def kthvalue(x: Any, k: int, axis: int = -1, keepdims: bool = False) -> Sorted:
    """(values, indices) of the ``k``-th smallest entry along ``axis``, counted from 1."""
    axis = axis_of(axis, x.ndim)
    if not 1 <= k <= x.shape[axis]:
        raise ValueError(
            f"kthvalue counts from 1 to the {x.shape[axis]} entries along axis {axis}; got k={k}. "
            "Choose one of them."
        )
    at = (slice(None),) * axis + (slice(k - 1, k) if keepdims else k - 1,)
    found = sort(x, axis)
    return Sorted(getitem(found.values, at), getitem(found.indices, at))


@accepts_dim
def median(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """The entry in the middle of the order, of two the lower; along an axis (values, indices)."""
    if axis is None:
        flat = reshape(x, (-1,))
        return kthvalue(flat, (flat.shape[0] + 1) // 2).values
    return kthvalue(x, (x.shape[axis] + 1) // 2, axis, keepdims)


@accepts_dim
def quantile(x: Any, q: float, axis: int | None = None, keepdims: bool = False) -> Any:
    """The number below which a share ``q`` of the entries lies, on the line between neighbours."""
    if not 0 <= q <= 1:
        raise ValueError(f"quantile needs a share q from 0 to 1; got {q}. For percents divide.")
    shape = (1,) * x.ndim if axis is None and keepdims else None
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis = axis_of(axis, x.ndim)
    place = q * (x.shape[axis] - 1)
    below = int(place)
    values, before = sort(x, axis).values, (slice(None),) * axis
    low, high = (getitem(values, (*before, min(i, x.shape[axis] - 1))) for i in (below, below + 1))
    out = lerp(low, high, place - below)
    return reshape(out, shape) if shape else unsqueeze(out, axis) if keepdims else out


# ── two answers at once ──────────────────────────────────────────────────────────────────────────


@accepts_dim
def aminmax(x: Any, axis: Any = None, keepdims: bool = False) -> tuple[Any, Any]:
    """(smallest, largest) over ``axis``."""
    return amin(x, axis, keepdims), amax(x, axis, keepdims)


@accepts_dim
def var_mean(
    x: Any,
    axis: Any = None,
    unbiased: bool | None = None,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """(variance, mean) over ``axis``."""
    return _with_mean(var, x, axis, unbiased, keepdims, correction)


@accepts_dim
def std_mean(
    x: Any,
    axis: Any = None,
    unbiased: bool | None = None,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> tuple[Any, Any]:
    """(standard deviation, mean) over ``axis``."""
    return _with_mean(std, x, axis, unbiased, keepdims, correction)


def _with_mean(
    spread: Callable[..., Any], x: Any, axis: Any, unbiased: Any, keepdims: bool, correction: Any
) -> tuple[Any, Any]:
    """``spread``, `var` or `std`, and the mean over the same axes."""
    if isinstance(axis, bool):  # PyTorch's var_mean(x, unbiased)
        axis, unbiased = None, axis
    return spread(x, axis, unbiased, keepdims, correction=correction), mean(x, axis, keepdims)


@accepts_dim
def nansum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Σ x over ``axis``, NaN left out."""
    return sum(where(x != x, 0.0, x), axis, keepdims)  # noqa: PLR0124 - NaN alone
