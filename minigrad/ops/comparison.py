"""Comparison and logic entry by entry, and whether all or any is true; none has a gradient."""

from __future__ import annotations

from typing import Any

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.choosing import where
from minigrad.ops.elementwise import abs
from minigrad.ops.reductions import Axis, accepts_dim


@primitive
def eq(x: Array, y: Array) -> Array:
    """out = x equals y."""
    return x == y


@primitive
def ne(x: Array, y: Array) -> Array:
    """out = x differs from y."""
    return x != y


@primitive
def lt(x: Array, y: Array) -> Array:
    """out = x < y."""
    return x < y


@primitive
def le(x: Array, y: Array) -> Array:
    """out = x ≤ y."""
    return x <= y


@primitive
def gt(x: Array, y: Array) -> Array:
    """out = x > y."""
    return x > y


@primitive
def ge(x: Array, y: Array) -> Array:
    """out = x ≥ y."""
    return x >= y


@primitive
def bitwise_and(x: Array, y: Array) -> Array:
    """out = x & y, of truth values or bit by bit."""
    return x & y


@primitive
def bitwise_or(x: Array, y: Array) -> Array:
    """out = x | y, of truth values or bit by bit."""
    return x | y


@primitive
def bitwise_xor(x: Array, y: Array) -> Array:
    """out = x ^ y, of truth values or bit by bit."""
    return x ^ y


@primitive
def bitwise_not(x: Array) -> Array:
    """out = ~x, of truth values or bit by bit."""
    return ~x


def logical_and(x: Any, y: Any) -> Any:
    """Whether neither x nor y is 0."""
    return (x != 0) & (y != 0)


def logical_or(x: Any, y: Any) -> Any:
    """Whether x or y is not 0."""
    return (x != 0) | (y != 0)


def logical_xor(x: Any, y: Any) -> Any:
    """Whether one of x and y is 0 and the other is not."""
    return (x != 0) ^ (y != 0)


def logical_not(x: Any) -> Any:
    """Whether x is 0."""
    return x == 0


@primitive
def isnan(x: Array) -> Array:
    """Whether each entry is NaN."""
    return namespace(x).isnan(x)


@primitive
def isinf(x: Array) -> Array:
    """Whether each entry is infinite."""
    return namespace(x).isinf(x)


def isclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Whether |x − y| ≤ atol + rtol·|y|, entry by entry; infinities are close to themselves."""
    if rtol < 0 or atol < 0:
        raise ValueError(
            f"isclose needs tolerances of at least 0; got rtol={rtol} and atol={atol}."
        )
    finite = isfinite(x) & isfinite(y)
    gap = where(finite, x, 0) - where(finite, y, 0)
    close = (x == y) | (finite & (abs(gap) <= atol + rtol * abs(where(finite, y, 0))))
    return close | (isnan(x) & isnan(y)) if equal_nan else close


@primitive
def isfinite(x: Array) -> Array:
    """Whether each entry is a finite number."""
    return namespace(x).isfinite(x)


# ── over many entries ─────────────────────────────────────────────────────────────────────────────


@primitive
def _all(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    return namespace(x).all(x, axis=axis, keepdims=keepdims)


@primitive
def _any(x: Array, *, axis: Axis, keepdims: bool) -> Array:
    return namespace(x).any(x, axis=axis, keepdims=keepdims)


@accepts_dim
def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether every entry over ``axis`` is true."""
    return _all(x, axis=axis, keepdims=keepdims)


@accepts_dim
def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """Whether some entry over ``axis`` is true."""
    return _any(x, axis=axis, keepdims=keepdims)


def allclose(
    x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False
) -> bool:
    """Whether all |x − y| ≤ atol + rtol·|y|; NaNs are close to nothing, or to one another."""
    return bool(all(isclose(x, y, rtol, atol, equal_nan)))


def equal(x: Any, y: Any) -> bool:
    """Whether shapes and all entries are equal."""
    return tuple(x.shape) == tuple(y.shape) and bool(all(x == y))
