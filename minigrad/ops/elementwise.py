"""Entry by entry: arithmetic, comparison, and the functions of a calculus table."""

from __future__ import annotations

import builtins  # for a name that here is an operation
import math
from typing import Any

from minigrad import backend
from minigrad.backend import Array, is_array, namespace
from minigrad.operation import primitive
from minigrad.tensor import Tensor


def first_array(*xs: Any) -> Array:
    """The first argument that is an array: its namespace serves them all."""
    return next((x for x in xs if is_array(x)), xs[0])


# ── arithmetic ───────────────────────────────────────────────────────────────────────────────────


@primitive
def add(x: Array, y: Array) -> Array:
    """out = x + y."""
    return x + y


add.vjp(x=lambda g: g, y=lambda g: g)


@primitive
def sub(x: Array, y: Array) -> Array:
    """out = x − y."""
    return x - y


sub.vjp(x=lambda g: g, y=lambda g: -g)


@primitive
def mul(x: Array, y: Array) -> Array:
    """out = x · y."""
    return x * y


mul.vjp(x=lambda g, y: g * y, y=lambda g, x: g * x)


@primitive
def div(x: Array, y: Array) -> Array:
    """out = x / y."""
    return x / y


div.vjp(x=lambda g, y: g / y, y=lambda g, y, out: -g * out / y)


@primitive
def pow(x: Array, y: Array) -> Array:
    """out = xʸ."""
    return x**y


pow.vjp(
    x=lambda g, x, y: g * _power_slope(x, y),
    y=lambda g, x, out: g * out * _log_of_base(x),
)


def _power_slope(x: Any, y: Any) -> Any:
    """The slope y·xʸ⁻¹ of xʸ in x, which is 0, not 0·∞, where y = 0."""
    if isinstance(y, int | float):
        return y * x ** (y - 1) if y else 0.0 * x
    return y * pow(x, where(y == 0, 1.0, y - 1))


def _log_of_base(x: Any) -> Any:
    """ln x, and 0 where x = 0: there 0ʸ does not move with y."""
    if isinstance(x, int | float):
        return math.log(x) if x else 0.0
    return log(where(x == 0, 1.0, x))


@primitive
def neg(x: Array) -> Array:
    """out = −x."""
    return -x


neg.vjp(x=lambda g: -g)


@primitive
def floor_divide(x: Array, y: Array) -> Array:
    """out = ⌊x / y⌋; flat, so it has no gradient."""
    return x // y


@primitive
def remainder(x: Array, y: Array) -> Array:
    """out = x − y·⌊x / y⌋."""
    return x % y


remainder.vjp(x=lambda g: g, y=lambda g, x, y: -g * (x // y))


def round_quotient(x: Any, y: Any, mode: str) -> Any:
    """x / y rounded: down with "floor", towards 0 with "trunc"; flat, so its gradient is 0."""
    if mode not in ("floor", "trunc"):
        raise ValueError(f"div was given rounding_mode={mode!r}; it is None, 'floor' or 'trunc'.")
    if any(isinstance(v, float) or (is_array(v) and backend.is_float(v.dtype)) for v in (x, y)):
        quotient = x / y
        down = floor(quotient)
        return down if mode == "floor" else where(quotient < 0, ceil(quotient), down)
    down = floor_divide(x, y)
    return down if mode == "floor" else down + ((x % y != 0) & ((x < 0) != (y < 0)))


# ── the calculus table ───────────────────────────────────────────────────────────────────────────


@primitive
def exp(x: Array) -> Array:
    """out = eˣ."""
    return namespace(x).exp(x)


exp.vjp(x=lambda g, out: g * out)


@primitive
def log(x: Array) -> Array:
    """out = ln x."""
    return namespace(x).log(x)


log.vjp(x=lambda g, x: g / x)


@primitive
def log1p(x: Array) -> Array:
    """out = ln(1 + x), exact for small x."""
    return namespace(x).log1p(x)


log1p.vjp(x=lambda g, x: g / (1 + x))


@primitive
def expm1(x: Array) -> Array:
    """out = eˣ − 1, exact for small x."""
    return namespace(x).expm1(x)


expm1.vjp(x=lambda g, out: g * (out + 1))


@primitive
def log2(x: Array) -> Array:
    """out = log₂ x."""
    return namespace(x).log2(x)


log2.vjp(x=lambda g, x: g / (x * 0.6931471805599453))


@primitive
def sqrt(x: Array) -> Array:
    """out = √x."""
    return namespace(x).sqrt(x)


sqrt.vjp(x=lambda g, out: g / (2 * out))


@primitive
def rsqrt(x: Array) -> Array:
    """out = 1/√x."""
    return 1 / namespace(x).sqrt(x)


rsqrt.vjp(x=lambda g, x, out: -g * out / (2 * x))


@primitive
def square(x: Array) -> Array:
    """out = x²."""
    return x * x


square.vjp(x=lambda g, x: g * (2 * x))


@primitive
def reciprocal(x: Array) -> Array:
    """out = 1/x."""
    return 1 / x


reciprocal.vjp(x=lambda g, out: -g * out * out)


@primitive
def sign(x: Array) -> Array:
    """out = −1, 0 or 1; flat, so its gradient is 0."""
    return namespace(x).sign(x)


sign.vjp(x=lambda g: 0.0 * g)


@primitive
def abs(x: Array) -> Array:
    """out = |x|; its slope at 0 is taken as 0."""
    return namespace(x).abs(x)


abs.vjp(x=lambda g, x: g * sign(x))


@primitive
def sin(x: Array) -> Array:
    """out = sin x."""
    return namespace(x).sin(x)


@primitive
def cos(x: Array) -> Array:
    """out = cos x."""
    return namespace(x).cos(x)


sin.vjp(x=lambda g, x: g * cos(x))
cos.vjp(x=lambda g, x: -g * sin(x))


@primitive
def tanh(x: Array) -> Array:
    """out = tanh x."""
    return namespace(x).tanh(x)


tanh.vjp(x=lambda g, out: g * (1 - out * out))


@primitive
def erf(x: Array) -> Array:
    """out = 2/√π ∫₀ˣ e^−t² dt."""
    return backend.erf(x)


erf.vjp(x=lambda g, x: g * exp(-x * x) * (2 / math.sqrt(math.pi)))


@primitive
def sigmoid(x: Array) -> Array:
    """out = 1 / (1 + e⁻ˣ), computed from e^−|x|, which cannot overflow."""
    xp = namespace(x)
    e = xp.exp(-xp.abs(x))
    return xp.where(x < 0, e, xp.ones_like(e)) / (1 + e)


sigmoid.vjp(x=lambda g, out: g * out * (1 - out))


# ── choices ──────────────────────────────────────────────────────────────────────────────────────


@primitive
def where(condition: Array, x: Array, y: Array) -> Array:
    """out = x where the condition holds, else y."""
    return namespace(first_array(condition, x, y)).where(condition, x, y)


where.vjp(
    x=lambda g, condition: where(condition, g, 0.0),
    y=lambda g, condition: where(condition, 0.0, g),
)


@primitive
def step(x: Array) -> Array:
    """out = 1 where x > 0, else 0; flat, so its gradient is 0."""
    return namespace(x).astype(x > 0, x.dtype)


step.vjp(x=lambda g: 0.0 * g)


@primitive
def relu(x: Array) -> Array:
    """out = max(x, 0); its slope at 0 is taken as 0."""
    return namespace(x).maximum(x, backend.zeros(x.shape, like=x))  # a plain 0 takes NumPy longer


relu.vjp(x=lambda g, out: g * step(out))


@primitive
def maximum(x: Array, y: Array) -> Array:
    """out = the larger of x and y; a tie shares its gradient."""
    return namespace(first_array(x, y)).maximum(x, y)


maximum.vjp(
    x=lambda g, x, y: g * _share(x > y, x == y),
    y=lambda g, x, y: g * _share(y > x, x == y),
)


@primitive
def minimum(x: Array, y: Array) -> Array:
    """out = the smaller of x and y; a tie shares its gradient."""
    return namespace(first_array(x, y)).minimum(x, y)


minimum.vjp(
    x=lambda g, x, y: g * _share(x < y, x == y),
    y=lambda g, x, y: g * _share(y < x, x == y),
)


def _share(wins: Any, ties: Any) -> Any:
    """1 where it wins, ½ where it ties, 0 where it loses."""
    wins, ties = (t.data if isinstance(t, Tensor) else t for t in (wins, ties))
    xp = namespace(wins)
    one = xp.ones_like(wins, dtype=xp.float32)
    return xp.where(wins, one, 0.0) + xp.where(ties, one / 2, 0.0)


@primitive
def _clamp(x: Array, *, min: float | None, max: float | None) -> Array:
    return namespace(x).clip(x, min, max)


_clamp.vjp(x=lambda g, x, out: where(x == out, g, 0.0))


def clamp(x: Any, min: Any = None, max: Any = None) -> Any:
    """out = x kept between ``min`` and ``max``, numbers or tensors that broadcast with x.

    The bounds themselves pass the gradient to x; beyond them it goes to the bound.
    """
    if min is None and max is None:
        raise ValueError("clamp needs a bound; got neither min nor max. Give one of them.")
    if is_array(min) or is_array(max):
        x = x if min is None else where(x < min, min, x)
        return x if max is None else where(x > max, max, x)
    return _clamp(x, min=min, max=max)


clip = clamp  # NumPy's name


@primitive
def floor(x: Array) -> Array:
    """out = the largest integer ≤ x; flat, so its gradient is 0."""
    return namespace(x).floor(x)


@primitive
def ceil(x: Array) -> Array:
    """out = the smallest integer ≥ x; flat, so its gradient is 0."""
    return namespace(x).ceil(x)


@primitive
def _round(x: Array) -> Array:
    return namespace(x).round(x)


floor.vjp(x=lambda g: 0.0 * g)
ceil.vjp(x=lambda g: 0.0 * g)
_round.vjp(x=lambda g: 0.0 * g)


def round(x: Any, *, decimals: int = 0) -> Any:
    """out = the nearest number of so many decimals, of two the even one; its gradient is 0."""
    if decimals == 0:
        return _round(x)
    tens = 10.0 ** builtins.abs(decimals)
    return _round(x * tens) / tens if decimals > 0 else _round(x / tens) * tens


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """``value``, one number, where the mask holds, else x."""
    if getattr(value, "ndim", 0):
        raise ValueError(
            f"masked_fill needs one number to fill in; got shape {tuple(value.shape)}. "
            "Choose entry by entry with where(mask, value, x)."
        )
    return where(mask, value, x)


# ── comparison and logic: no gradients ───────────────────────────────────────────────────────────


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
