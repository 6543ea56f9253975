"""Entry by entry: arithmetic, and the functions of a calculus table."""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.choosing import where

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
