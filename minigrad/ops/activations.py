"""The nonlinearities of neural networks, beyond those of a calculus table."""

from __future__ import annotations

import math
from typing import Any

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.choosing import where
from minigrad.ops.elementwise import erf, sigmoid, tanh

# Each branch of a `where` is finite wherever the other is chosen: a gradient of 0·∞ is no number.


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """out = x where x > 0, else slope·x (Maas, Hannun and Ng 2013)."""
    return where(x > 0, x, negative_slope * x)


@primitive
def _elu(x: Array, *, alpha: float) -> Array:
    xp = namespace(x)
    return xp.where(x > 0, x, alpha * xp.expm1(xp.minimum(x, xp.zeros_like(x))))


_elu.vjp(
    x=lambda g, x, out, alpha: where(x > 0, g, where(x < 0, g * (out + alpha), alpha * g)),
)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """out = x where x > 0, else α(eˣ − 1) (Clevert, Unterthiner and Hochreiter 2016).

    Its slope at 0 is taken as α, and the slope of that as 0.
    """
    return _elu(x, alpha=alpha)


def gelu(x: Any, approximate: str = "none") -> Any:
    """out = x·Φ(x) = x·(1 + erf(x/√2))/2 (Hendrycks and Gimpel 2016).

    With ``approximate="tanh"`` out = x·(1 + tanh(√(2/π)·(x + 0.044715 x³)))/2.
    """
    if approximate == "none":
        return 0.5 * x * (1 + erf(x * math.sqrt(0.5)))
    if approximate == "tanh":
        return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)))
    raise ValueError(f"gelu was given approximate={approximate!r}; it is 'none' or 'tanh'.")


def silu(x: Any) -> Any:
    """out = x·σ(x) with the logistic σ (Elfwing, Uchibe and Doya 2018)."""
    return x * sigmoid(x)


@primitive
def log1pexp(x: Array) -> Array:
    """out = ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|), which cannot overflow."""
    xp = namespace(x)
    return xp.maximum(x, xp.zeros_like(x)) + xp.log1p(xp.exp(-xp.abs(x)))


log1pexp.vjp(x=lambda g, x: g * sigmoid(x))


def softplus(x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """out = ln(1 + e^βx)/β, and x itself where βx > threshold (Dugas et al. 2001)."""
    return where(x * beta > threshold, x, log1pexp(x * beta) / beta)


def logsigmoid(x: Any) -> Any:
    """out = ln σ(x) = −ln(1 + e⁻ˣ)."""
    return -log1pexp(-x)


def hardtanh(x: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """out = x kept between two values; unlike `clamp` it is flat at the bounds themselves."""
    if min_val > max_val:
        raise ValueError(
            f"hardtanh needs min_val up to max_val; got {min_val} and {max_val}. Exchange them."
        )
    return where(x <= min_val, min_val, where(x >= max_val, max_val, x))
