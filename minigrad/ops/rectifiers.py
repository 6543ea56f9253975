"""The further nonlinearities of PyTorch, made of those of a calculus table.

``inplace`` is understood for the sake of scripts written for PyTorch; the result is a new tensor.
"""

from __future__ import annotations

from typing import Any

from minigrad import backend
from minigrad.ops.activations import elu, hardtanh, log1pexp
from minigrad.ops.choosing import where
from minigrad.ops.elementwise import abs, add, neg, sigmoid, sign, sub, tanh
from minigrad.ops.indexing import getitem
from minigrad.ops.reductions import argmax
from minigrad.ops.shape import axis_of, reshape
from minigrad.ops.softmax import softmax
from minigrad.tensor import Tensor

# ── piecewise linear ─────────────────────────────────────────────────────────────────────────────


def relu6(input: Any, inplace: bool = False) -> Any:
    """x kept between 0 and 6 (Krizhevsky 2010)."""
    return hardtanh(input, 0.0, 6.0)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """x where it is above ``threshold``, else ``value``."""
    return where(input <= threshold, value, input)


def hardshrink(input: Any, lambd: float = 0.5) -> Any:
    """x where |x| > λ, else 0."""
    return where(abs(input) <= lambd, 0.0, input)


def softshrink(input: Any, lambd: float = 0.5) -> Any:
    """x moved towards 0 by λ, and 0 where it would pass it."""
    return where(abs(input) <= lambd, 0.0, input - lambd * sign(input))


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """x/6 + ½ kept between 0 and 1 (Courbariaux et al. 2015)."""
    return hardtanh(input / 6 + 0.5, 0.0, 1.0)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """x·(x/6 + ½), with the factor kept between 0 and 1 (Howard et al. 2019)."""
    inner = input * (input / 6 + 0.5)
    return where(input <= -3, 0.0, where(input >= 3, input, inner))  # noqa: PLR2004


def prelu(input: Any, weight: Any) -> Any:
    """x where x > 0, else a·x with a learned for all channels (1,), or for each (C,) (He 2015)."""
    channels = weight.shape[0] if weight.ndim else 1
    if channels != 1:
        if input.ndim < 2 or input.shape[1] != channels:  # noqa: PLR2004 - samples and channels
            raise ValueError(
                f"prelu with {channels} weights needs inputs (N, {channels}, …); got shape "
                f"{tuple(input.shape)}. Give one weight, or one for each channel."
            )
        weight = reshape(weight, (-1,) + (1,) * (input.ndim - 2))
    elif input.ndim == 0:
        weight = reshape(weight, ())
    return where(input > 0, input, weight * input)


def rrelu(
    input: Any,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Any:
    """x where x > 0, else a·x with a drawn for each entry, or in the middle in evaluation."""
    slope: Any = (lower + upper) / 2
    if training:
        raw = input.data if isinstance(input, Tensor) else input
        slope = backend.copy_as(backend.generator().uniform(lower, upper, raw.shape), raw)
    return where(input >= 0, input, slope * input)


# ── smooth ───────────────────────────────────────────────────────────────────────────────────────


def selu(input: Any, inplace: bool = False) -> Any:
    """λ·elu(x, α), with the λ and α that keep mean 0 and variance 1 (Klambauer et al. 2017)."""
    return 1.0507009873554804934193349852946 * elu(input, 1.6732632423543772848170429916717)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else α(e^(x/α) − 1): `elu` with slope 1 on both sides (Barron 2017)."""
    return alpha * elu(input / alpha)


def mish(input: Any, inplace: bool = False) -> Any:
    """x·tanh(ln(1 + eˣ)) (Misra 2020)."""
    return input * tanh(log1pexp(input))


def softsign(input: Any) -> Any:
    """x/(1 + |x|)."""
    return input / (1 + abs(input))


def tanhshrink(input: Any) -> Any:
    """x − tanh x."""
    return sub(input, tanh(input))


def softmin(input: Any, dim: int) -> Any:
    """e⁻ˣ / Σ e⁻ˣ along ``dim``."""
    return softmax(neg(input), dim)


def glu(input: Any, dim: int = -1) -> Any:
    """a·σ(b), with a and b the two halves of x along ``dim`` (Dauphin et al. 2017)."""
    axis = axis_of(dim, input.ndim)
    size = input.shape[axis]
    if size % 2:
        raise ValueError(
            f"glu halves axis {axis}, which needs an even size; got shape {tuple(input.shape)}. "
            "Choose another dim, or give the layer before it an even output."
        )
    before = (slice(None),) * axis
    gate = getitem(input, (*before, slice(size // 2, None)))
    return getitem(input, (*before, slice(size // 2))) * sigmoid(gate)


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, dim: int = -1) -> Any:
    """softmax((x + noise)/τ): a sample from softmax x that has a slope (Jang et al. 2017).

    With ``hard`` the sample is one-hot, and the slope that of the soft one.
    """
    raw = logits.data if isinstance(logits, Tensor) else logits
    noise = backend.copy_as(backend.generator().gumbel(size=raw.shape), raw)
    soft = softmax(add(logits, noise) / tau, dim)
    if not hard:
        return soft
    rest = soft.detach() if isinstance(soft, Tensor) else soft
    xp = backend.namespace(raw)
    top = argmax(rest, dim, True)
    numbers = backend.arange(raw.shape[dim], like=raw)
    along = xp.reshape(numbers, (-1,) + (1,) * (raw.ndim - 1 - axis_of(dim, raw.ndim)))
    return where(top == along, 1.0, 0.0 * rest) - rest + soft
