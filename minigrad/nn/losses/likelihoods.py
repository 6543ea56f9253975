"""Losses that are −ln of a density, for counts and for numbers with a spread."""

from __future__ import annotations

import math
from typing import Any

from minigrad import ops
from minigrad.nn.losses.reduction import reduce, same_shape


def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    reduction: str = "mean",
) -> Any:
    """λ − t·ln λ for counts t, with ``input`` ln λ; or λ itself, if not ``log_input``.

    ``full`` adds Stirling's t·ln t − t + ln(2πt)/2 for ln t! where t > 1.
    """
    same_shape("poisson_nll_loss", input, target)
    rate, log_rate = (ops.exp(input), input) if log_input else (input, ops.log(input + eps))
    loss = rate - target * log_rate
    if full:
        t = ops.where(target > 1, target, 1.0)
        stirling = t * ops.log(t) - t + 0.5 * ops.log(2 * math.pi * t)
        loss = loss + ops.where(target > 1, stirling, 0.0)
    return reduce(loss, reduction)


def gaussian_nll_loss(
    input: Any,
    target: Any,
    var: Any,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Any:
    """(ln v + (input − t)²/v)/2 with v = ``var``, at least ε; ``full`` adds ln(2π)/2.

    ``var`` has the input's shape, or one number for each sample (…, 1) or (…) (Nix and Weigend
    1994). Where ε takes its place the variance gets no gradient of its own.
    """
    same_shape("gaussian_nll_loss", input, target)
    if isinstance(var, int | float):
        var = 0.0 * (input.detach() if hasattr(input, "detach") else input) + var
    if tuple(var.shape) == tuple(input.shape[:-1]):
        var = ops.unsqueeze(var, -1)
    if tuple(var.shape) not in (tuple(input.shape), (*input.shape[:-1], 1)):
        raise ValueError(
            f"gaussian_nll_loss needs a variance for each entry or sample of shape "
            f"{tuple(input.shape)}; got {tuple(var.shape)}. Reshape it."
        )
    raw = var.detach() if hasattr(var, "detach") else var
    if bool(ops.any(raw < 0)):
        raise ValueError(
            "gaussian_nll_loss needs variances ≥ 0; found negative ones. Predict ln v, and pass "
            "its exponential."
        )
    v = var + (ops.clamp(raw, min=eps) - raw)
    loss = 0.5 * (ops.log(v) + ops.square(input - target) / v)
    return reduce(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)
