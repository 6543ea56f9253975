"""Losses that ask for a margin: between classes, between pairs, between near and far.

Targets of ±1 say which side is meant.
"""

from __future__ import annotations

from typing import Any

from minigrad import backend, ops
from minigrad.nn.losses.reduction import reduce, same_shape
from minigrad.ops.activations import log1pexp


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """max(0, −t·(x₁ − x₂) + margin): with t = 1 the first should be larger, with −1 the second."""
    same_shape("margin_ranking_loss", input1, input2)
    same_shape("margin_ranking_loss", input1, target)
    return reduce(_hinge(margin - target * (input1 - input2)), reduction)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, reduction: str = "mean"
) -> Any:
    """x where t = 1, max(0, margin − x) where t = −1, for distances x = input."""
    same_shape("hinge_embedding_loss", input, target)
    near = ops.where(target != -1, input, 0.0)
    far = ops.where(target != 1, _hinge(margin - input), 0.0)
    return reduce(near + far, reduction)


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """ln(1 + e^−t·x)."""
    same_shape("soft_margin_loss", input, target)
    return reduce(log1pexp(-target * input), reduction)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean"
) -> Any:
    """1 − cos(x₁, x₂) where t = 1, max(0, cos − margin) where t = −1; points (N, D) or (D,)."""
    same_shape("cosine_embedding_loss", input1, input2)
    same_shape("cosine_embedding_loss", input1[..., 0], target)
    tiny = 1e-12  # PyTorch's: under both roots
    squares = [ops.sum(x * x, -1) + tiny for x in (input1, input2)]
    cosine = ops.sum(input1 * input2, -1) / ops.sqrt(squares[0] * squares[1])
    alike = ops.where(target == 1, 1 - cosine, 0.0)
    return reduce(alike + ops.where(target == -1, _hinge(cosine - margin), 0.0), reduction)


def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: str = "mean",
) -> Any:
    """max(0, d(a, p) − d(a, n) + margin) for points (…, D), d the p-norm of the difference.

    With ``swap`` the negative is measured from whichever of a and p is nearer to it
    (Balntas et al. 2016).
    """
    same_shape("triplet_margin_loss", anchor, positive)
    same_shape("triplet_margin_loss", anchor, negative)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = ops.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduce(_hinge(pairwise_distance(anchor, positive, p, eps) - far + margin), reduction)


def multi_margin_loss(
    input: Any,
    target: Any,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
) -> Any:
    """Σ max(0, margin − x[t] + x[c])ᵖ / C over the classes c ≠ t, for scores (N, C) or (C,).

    ``weight`` (C,) is a factor for each true class.
    """
    classes = input.shape[-1]
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss needs p of 1 or 2; got {p}. Choose one of them.")
    if tuple(input.shape[:-1]) != tuple(target.shape):
        raise ValueError(
            f"multi_margin_loss needs scores (N, C) and class numbers (N,); got "
            f"{tuple(input.shape)} and {tuple(target.shape)}. Reshape one."
        )
    index = ops.unsqueeze(target, -1)
    gaps = _hinge(margin - ops.take_along_dim(input, index, -1) + input)
    loss = gaps if p == 1 else ops.square(gaps)
    if weight is not None:
        loss = loss * ops.unsqueeze(ops.take(weight, target), -1)
    numbers = backend.arange(classes, like=getattr(target, "data", target))
    return reduce(ops.sum(ops.where(index == numbers, 0.0, loss), -1) / classes, reduction)


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """The mean over classes of ln(1 + e^∓x), − where the label is 1 and + where it is 0."""
    same_shape("multilabel_soft_margin_loss", input, target)
    loss = target * log1pexp(-input) + (1 - target) * log1pexp(input)
    return reduce(ops.mean(loss if weight is None else loss * weight, -1), reduction)


def pairwise_distance(
    x1: Any, x2: Any, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False
) -> Any:
    """‖x₁ − x₂ + ε‖ₚ along the last axis."""
    return ops.norm(x1 - x2 + eps, p, -1, keepdim)


def _hinge(x: Any) -> Any:
    """max(0, x); at 0 itself the slope is that of x, as in PyTorch's clamp."""
    return ops.clamp(x, min=0.0)
