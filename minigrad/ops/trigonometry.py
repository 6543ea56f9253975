"""The rest of the calculus table: circles and hyperbolas, other bases, powers of small things."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.choosing import first_array, where
from minigrad.ops.elementwise import erf, exp, log, sin

# ── circles ──────────────────────────────────────────────────────────────────────────────────────


@primitive
def tan(x: Array) -> Array:
    """out = tan x."""
    return namespace(x).tan(x)


@primitive
def asin(x: Array) -> Array:
    """out = arcsin x."""
    return namespace(x).asin(x)


@primitive
def acos(x: Array) -> Array:
    """out = arccos x."""
    return namespace(x).acos(x)


@primitive
def atan(x: Array) -> Array:
    """out = arctan x."""
    return namespace(x).atan(x)


tan.vjp(x=lambda g, out: g * (1 + out * out))
asin.vjp(x=lambda g, x: g * (1 - x * x) ** -0.5)
acos.vjp(x=lambda g, x: -g * (1 - x * x) ** -0.5)
atan.vjp(x=lambda g, x: g / (1 + x * x))


@primitive
def atan2(y: Array, x: Array) -> Array:
    """out = the angle of the point (x, y), from −π to π."""
    return namespace(first_array(y, x)).atan2(y, x)


atan2.vjp(
    y=lambda g, y, x: g * x / (x * x + y * y),
    x=lambda g, y, x: -g * y / (x * x + y * y),
)


@primitive
def hypot(x: Array, y: Array) -> Array:
    """out = √(x² + y²), without overflow."""
    return namespace(first_array(x, y)).hypot(x, y)


hypot.vjp(x=lambda g, x, out: g * x / out, y=lambda g, y, out: g * y / out)


def deg2rad(x: Any) -> Any:
    """out = x·π/180."""
    return x * (math.pi / 180)


def rad2deg(x: Any) -> Any:
    """out = x·180/π."""
    return x * (180 / math.pi)


def sinc(x: Any) -> Any:
    """out = sin(πx)/(πx), and 1 at 0."""
    away = where(x == 0, 1.0, x) * math.pi
    return where(x == 0, 1.0, sin(away) / away)


# ── hyperbolas ───────────────────────────────────────────────────────────────────────────────────


@primitive
def sinh(x: Array) -> Array:
    """out = (eˣ − e⁻ˣ)/2."""
    return namespace(x).sinh(x)


@primitive
def cosh(x: Array) -> Array:
    """out = (eˣ + e⁻ˣ)/2."""
    return namespace(x).cosh(x)


sinh.vjp(x=lambda g, x: g * cosh(x))
cosh.vjp(x=lambda g, x: g * sinh(x))


@primitive
def asinh(x: Array) -> Array:
    """out = the number whose sinh is x."""
    return namespace(x).asinh(x)


@primitive
def acosh(x: Array) -> Array:
    """out = the number ≥ 0 whose cosh is x."""
    return namespace(x).acosh(x)


@primitive
def atanh(x: Array) -> Array:
    """out = the number whose tanh is x."""
    return namespace(x).atanh(x)


asinh.vjp(x=lambda g, x: g * (x * x + 1) ** -0.5)
acosh.vjp(x=lambda g, x: g * (x * x - 1) ** -0.5)
atanh.vjp(x=lambda g, x: g / (1 - x * x))

# ── other bases, and what is made of logarithms ──────────────────────────────────────────────────


@primitive
def log10(x: Array) -> Array:
    """out = log₁₀ x."""
    return namespace(x).log10(x)


log10.vjp(x=lambda g, x: g / (x * 2.302585092994046))


def exp2(x: Any) -> Any:
    """out = 2ˣ."""
    return 2.0**x


@primitive
def logaddexp(x: Array, y: Array) -> Array:
    """out = ln(eˣ + eʸ), without overflow."""
    return namespace(first_array(x, y)).logaddexp(x, y)


logaddexp.vjp(x=lambda g, x, out: g * exp(x - out), y=lambda g, y, out: g * exp(y - out))


def xlogy(x: Any, y: Any) -> Any:
    """out = x·ln y, and 0 where x = 0."""
    return x * log(where(x == 0, 1.0, y))


def logit(x: Any, eps: float | None = None) -> Any:
    """out = ln(x/(1 − x)), the inverse of `sigmoid`; ``eps`` keeps x off 0 and 1."""
    if eps is not None:
        x = where(x < eps, eps, where(x > 1 - eps, 1 - eps, x))
    return log(x / (1 - x))


def erfc(x: Any) -> Any:
    """out = 1 − erf x."""
    return 1 - erf(x)


arctan, arctan2, arcsin, arccos = atan, atan2, asin, acos  # PyTorch has NumPy's names, too
arcsinh, arccosh, arctanh = asinh, acosh, atanh
