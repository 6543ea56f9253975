"""From many entries to few: sums, means, extremes and norms."""

from __future__ import annotations

import builtins  # for a name that here is a reduction
import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.backend.sums import axes_of, count
from minigrad.gradients import broadcast_to
from minigrad.operation import primitive
from minigrad.ops.choosing import maximum, minimum, where
from minigrad.ops.copying import astype
from minigrad.ops.elementwise import abs, sign, square
from minigrad.ops.indexing import take_along_dim
from minigrad.ops.shape import axis_of, flip, reshape, squeeze, takes_scalars

Axis = int | tuple[int, ...] | None
Shape = tuple[int, ...]


def spread(g: Any, shape: Shape, axis: Axis, keepdims: bool) -> Any:
    """Hand a reduction's gradient back to each of the entries it was reduced from."""
    if not keepdims:
        axes = axes_of(axis, len(shape))
        g = reshape(g, tuple(1 if a in axes else n for a, n in enumerate(shape)))
    return broadcast_to(g, shape=shape)


def accepts_dim(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let PyTorch's spelling (``dim``, ``keepdim``) stand for NumPy's (``axis``, ``keepdims``).

    As in PyTorch, an empty tuple of axes means all of them (NumPy's reduces none), and ``dtype``
    is what the input is cast to first.
    """

    @functools.wraps(function)
    def spelled(*args: Any, **kwargs: Any) -> Any:
        if "dim" in kwargs:
            kwargs["axis"] = kwargs.pop("dim")
        if "keepdim" in kwargs:
            kwargs["keepdims"] = kwargs.pop("keepdim")
        if "axis" in kwargs:
            kwargs["axis"] = _axis(kwargs["axis"])
        if kwargs and (dtype := kwargs.pop("dtype", None)) is not None:
            args = (astype(args[0], dtype), *args[1:])
        return function(*args[:1], *map(_axis, args[1:]), **kwargs)

    return spelled


def _axis(axis: Any) -> Any:
    """A list of axes as a tuple; an empty one as None, which means all."""
    return (tuple(axis) or None) if isinstance(axis, tuple | list) else axis


# ── sums and means ───────────────────────────────────────────────────────────────────────────────


@primitive
def sum_over(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    """out = Σ x over ``axis``."""
    return backend.total(x, axis, keepdims)


sum_over.vjp(x=lambda g, x_shape, axis, keepdims: spread(g, x_shape, axis, keepdims))


@primitive
def mean_over(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    """out = the mean of x over ``axis``."""
    return backend.mean(x, axis, keepdims)


mean_over.vjp(
    x=lambda g, x_shape, axis, keepdims: spread(g / count(x_shape, axis), x_shape, axis, keepdims)
)


@accepts_dim
def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Σ x over ``axis`` (an int, a tuple, or None for all)."""
    return sum_over(x, axis=axis, keepdims=keepdims)


@accepts_dim
def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The mean of x over ``axis``."""
    return mean_over(x, axis=axis, keepdims=keepdims)


@accepts_dim
def var(
    x: Any,
    axis: Axis = None,
    unbiased: bool | None = None,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """Σ (x − mean)² / (n − correction) over ``axis``.

    Unbiased by default, as in PyTorch: the correction is 1, and 0 with ``unbiased=False``.
    """
    axis, freedom = _freedom(x, axis, unbiased, correction)
    squares = square(x - mean_over(x, axis=axis, keepdims=True))
    return sum_over(squares, axis=axis, keepdims=keepdims) / freedom


@accepts_dim
def std(
    x: Any,
    axis: Axis = None,
    unbiased: bool | None = None,
    keepdims: bool = False,
    *,
    correction: float | None = None,
) -> Any:
    """The square root of `var`, ‖x − mean‖ / √(n − correction); its slope at 0 is taken as 0."""
    axis, freedom = _freedom(x, axis, unbiased, correction)
    deviation = x - mean_over(x, axis=axis, keepdims=True)
    return _norm(deviation, axis=axis, keepdims=keepdims) / math.sqrt(freedom)


def _freedom(
    x: Any, axis: Any, unbiased: bool | None, correction: float | None
) -> tuple[Axis, float]:
    """The axis, and n − correction; ``x.var(False)`` is PyTorch's way to say unbiased=False."""
    if isinstance(axis, bool):
        axis, unbiased = None, axis
    if correction is None:
        correction = 0 if unbiased is False else 1
    return axis, builtins.max(count(x.shape, axis) - correction, 0)


@accepts_dim
def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The product of x over ``axis``, halved pairwise: right at every order, zeros included."""
    given = axis if isinstance(axis, tuple | list) else range(x.ndim) if axis is None else (axis,)
    axes = [axis_of(a, x.ndim or 1) for a in given] if x.ndim else []
    for a in axes:
        along = (slice(None),) * a
        rest: Any = 1 if x.shape[a] else sum_over(x, axis=a, keepdims=True) + 1
        while (n := x.shape[a]) > 1:
            if n % 2:
                rest = rest * x[(*along, slice(n - 1, n))]
            x = x[(*along, slice(n // 2))] * x[(*along, slice(n // 2, n // 2 * 2))]
        x = x * rest if n else rest
    return x if keepdims else reshape(x, tuple(n for a, n in enumerate(x.shape) if a not in axes))


# ── extremes ─────────────────────────────────────────────────────────────────────────────────────


@primitive
def max_over(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    """out = the largest x over ``axis``; entries that tie share the gradient."""
    return namespace(x).max(x, axis=axis, keepdims=keepdims)


@primitive
def min_over(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    """out = the smallest x over ``axis``; entries that tie share the gradient."""
    return namespace(x).min(x, axis=axis, keepdims=keepdims)


def _to_extremes(g: Any, x: Any, out: Any, axis: Axis, keepdims: bool) -> Any:
    """Hand ``g`` to the entries that equal their extreme, in equal shares."""
    is_extreme = x == spread(out, x.shape, axis, keepdims)
    hits = where(is_extreme, spread(0 * out + 1, x.shape, axis, keepdims), 0.0)
    ties = spread(sum_over(hits, axis=axis, keepdims=keepdims), x.shape, axis, keepdims)
    return where(is_extreme, spread(g, x.shape, axis, keepdims) / ties, 0.0)


max_over.vjp(x=_to_extremes)
min_over.vjp(x=_to_extremes)


class Extreme(NamedTuple):
    """What `max` and `min` answer along an axis."""

    values: Any
    indices: Any


@accepts_dim
def amax(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The largest x over ``axis``; ties share the gradient."""
    return max_over(x, axis=axis, keepdims=keepdims)


@accepts_dim
def amin(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """The smallest x over ``axis``; ties share the gradient."""
    return min_over(x, axis=axis, keepdims=keepdims)


@accepts_dim
def max(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest entry; along an axis (values, indices); of two tensors the larger, entrywise."""
    if axis is None:
        return max_over(x, axis=None, keepdims=False)
    return _extreme_along(x, argmax, axis, keepdims) if isinstance(axis, int) else maximum(x, axis)


@accepts_dim
def min(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest entry; along an axis (values, indices); of two tensors the smaller."""
    if axis is None:
        return min_over(x, axis=None, keepdims=False)
    return _extreme_along(x, argmin, axis, keepdims) if isinstance(axis, int) else minimum(x, axis)


@takes_scalars
def _extreme_along(x: Any, find: Callable[..., Any], axis: int, keepdims: bool) -> Extreme:
    """The extreme and where it is; of ties the first alone takes the gradient, as in PyTorch."""
    indices = find(x, axis, True)
    values = take_along_dim(x, indices, axis)
    if keepdims:
        return Extreme(values, indices)
    return Extreme(squeeze(values, axis), squeeze(indices, axis))


@primitive
def _argmax(x: Array, *, axis: int | None, keepdims: bool) -> Array:
    return namespace(x).argmax(x, axis=axis, keepdims=keepdims)


@primitive
def _argmin(x: Array, *, axis: int | None, keepdims: bool) -> Array:
    return namespace(x).argmin(x, axis=axis, keepdims=keepdims)


@accepts_dim
def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the largest entry is; of ties, the first."""
    return _argmax(x, axis=axis, keepdims=keepdims)


@accepts_dim
def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Where the smallest entry is; of ties, the first."""
    return _argmin(x, axis=axis, keepdims=keepdims)


# ── running sums, and norms ───────────────────────────────────────────────────────────────────────


@primitive
def _cumulative_sum(x: Array, *, axis: int) -> Array:
    return namespace(x).cumulative_sum(x, axis=axis)


_cumulative_sum.vjp(x=lambda g, axis: flip(_cumulative_sum(flip(g, axis), axis=axis), axis))


@accepts_dim
@takes_scalars
def cumsum(x: Any, axis: int) -> Any:
    """out[i] = x[0] + … + x[i] along ``axis``."""
    return _cumulative_sum(x, axis=axis)


@primitive
def _norm(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    xp = namespace(x)
    return xp.sqrt(xp.sum(x * x, axis=axis, keepdims=keepdims))


_norm.vjp(
    x=lambda g, x, out, axis, keepdims: (
        x * spread(g / where(out == 0, 1.0, out), x.shape, axis, keepdims)
    )
)


@accepts_dim
def norm(x: Any, p: Any = 2, axis: Axis = None, keepdims: bool = False) -> Any:
    """(Σ |x|ᵖ)^(1/p) over ``axis``; its slope at the zero vector is taken as 0.

    p = ±∞ is the largest or smallest |x|, p = 0 the number of entries that are not 0, and "fro",
    or None, stands for 2.
    """
    if p in (2, "fro", None):
        return _norm(x, axis=axis, keepdims=keepdims)
    if isinstance(p, str):
        raise ValueError(f"norm needs p as a number, or 'fro' for 2; got {p!r}.")
    if p in (math.inf, -math.inf):
        return (max_over if p > 0 else min_over)(abs(x), axis=axis, keepdims=keepdims)
    size = abs(x)
    if p in (0, 1):
        return sum_over(size if p else sign(size), axis=axis, keepdims=keepdims)
    return _power(sum_over(_power(size, p), axis=axis, keepdims=keepdims), 1 / p)


def _power(x: Any, p: float) -> Any:
    """xᵖ for x ≥ 0, where the slope at 0 is 0: never 0·∞."""
    return where(x == 0, 0.0 if p > 0 else math.inf, where(x == 0, 1.0, x) ** p)
