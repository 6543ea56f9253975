"""Softmax, its logarithm, and the logarithm of its denominator: none of them overflows."""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.backend.sums import axes_of
from minigrad.operation import primitive
from minigrad.ops.elementwise import exp
from minigrad.ops.reductions import Axis, accepts_dim, spread, sum_over
from minigrad.ops.shape import takes_scalars


def _top(x: Array, axis: Axis) -> Array:
    """The largest x over ``axis``, which is kept; 0 where there is none."""
    return backend.largest(x, axis) if x.size else backend.total(x, axis, keepdims=True)


@primitive
def _softmax(x: Array, *, axis: int) -> Array:
    e = namespace(x).exp(x - _top(x, axis))
    e /= backend.total(e, axis, keepdims=True)
    return e


_softmax.vjp(x=lambda g, out, axis: out * (g - sum_over(g * out, axis=axis, keepdims=True)))


@primitive
def _log_softmax(x: Array, *, axis: int) -> Array:
    xp = namespace(x)
    x = x - _top(x, axis)
    x -= xp.log(backend.total(xp.exp(x), axis, keepdims=True))
    return x


_log_softmax.vjp(x=lambda g, out, axis: g - exp(out) * sum_over(g, axis=axis, keepdims=True))


@accepts_dim
def softmax(x: Any, axis: int) -> Any:
    """out = eˣ / Σ eˣ along ``axis``."""
    return _softmax(x, axis=axis)


@accepts_dim
def log_softmax(x: Any, axis: int) -> Any:
    """out = x − ln Σ eˣ along ``axis``."""
    return _log_softmax(x, axis=axis)


@primitive
def _logsumexp(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    xp = namespace(x)
    top = _top(x, axis)
    top = xp.where(xp.isfinite(top), top, xp.zeros_like(top))
    total = xp.sum(xp.exp(x - top), axis=axis, keepdims=True)
    some = total > 0  # ln 0 = −∞, said without a warning
    out = xp.where(some, xp.log(xp.where(some, total, xp.ones_like(total))) + top, -math.inf)
    return out if keepdims else xp.squeeze(out, axis=axes_of(axis, x.ndim))


_logsumexp.vjp(
    x=lambda g, x, out, axis, keepdims: (
        spread(g, x.shape, axis, keepdims) * exp(x - spread(out, x.shape, axis, keepdims))
    )
)


@accepts_dim
@takes_scalars
def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """ln Σ eˣ over ``axis``, without overflow."""
    return _logsumexp(x, axis=axis, keepdims=keepdims)
