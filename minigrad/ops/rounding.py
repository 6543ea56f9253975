"""Between whole numbers, and between two ends: rounding, remainders, mixtures."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.elementwise import clamp, where


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
