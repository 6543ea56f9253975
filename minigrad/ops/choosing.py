"""Entry by entry: one or the other, the larger, the smaller, and what lies between bounds."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array, is_array, namespace
from minigrad.operation import primitive
from minigrad.tensor import Tensor


def first_array(*xs: Any) -> Array:
    """The first argument that is an array: its namespace serves them all."""
    return next((x for x in xs if is_array(x)), xs[0])


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
    positive = x > 0
    # NumPy multiplies by truth values as they are; the standard has them made numbers first.
    return positive if isinstance(x, np.ndarray) else namespace(x).astype(positive, x.dtype)


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


def masked_fill(x: Any, mask: Any, value: Any) -> Any:
    """``value``, one number, where the mask holds, else x."""
    if getattr(value, "ndim", 0):
        raise ValueError(
            f"masked_fill needs one number to fill in; got shape {tuple(value.shape)}. "
            "Choose entry by entry with where(mask, value, x)."
        )
    return where(mask, value, x)
