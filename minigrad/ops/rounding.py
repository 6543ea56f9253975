"""Between whole numbers, and between two ends: rounding, remainders, mixtures."""

from __future__ import annotations

import builtins  # for a name that here is an operation
import math
from typing import Any

from minigrad import backend
from minigrad.backend import Array, is_array, namespace
from minigrad.operation import primitive
from minigrad.ops.choosing import clamp, where
from minigrad.ops.elementwise import floor_divide


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


@primitive
def trunc(x: Array) -> Array:
    """out = the nearest integer on the side of 0; flat, so its gradient is 0."""
    return namespace(x).trunc(x)


trunc.vjp(x=lambda g: 0.0 * g)
fix = trunc


def frac(x: Any) -> Any:
    """out = x − trunc x, the part after the point, with the sign of x."""
    return x - trunc(x)


def fmod(x: Any, y: Any) -> Any:
    """out = x − y·trunc(x/y), which has the sign of x; `remainder` has that of y."""
    ratio = trunc(x / y)
    return x - y * (ratio.detach() if hasattr(ratio, "detach") else ratio)


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


def clamp_min(x: Any, min: float) -> Any:
    """out = x, but at least ``min``."""
    return clamp(x, min=min)


def clamp_max(x: Any, max: float) -> Any:
    """out = x, but at most ``max``."""
    return clamp(x, max=max)


def lerp(x: Any, end: Any, weight: Any) -> Any:
    """out = x + weight·(end − x)."""
    return x + weight * (end - x)


def addcmul(x: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """out = x + value·tensor1·tensor2."""
    return x + value * (tensor1 * tensor2)


def addcdiv(x: Any, tensor1: Any, tensor2: Any, *, value: float = 1) -> Any:
    """out = x + value·tensor1/tensor2."""
    return x + value * (tensor1 / tensor2)


def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """``nan`` in place of NaN, and for ±∞ the largest numbers of the dtype, unless given."""
    info = namespace(getattr(x, "data", x)).finfo(x.dtype)
    x = where(x != x, nan, x)  # noqa: PLR0124 - NaN alone differs from itself
    x = where(x == math.inf, float(info.max) if posinf is None else posinf, x)
    return where(x == -math.inf, float(info.min) if neginf is None else neginf, x)
