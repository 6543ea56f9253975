"""Losses of numbers against numbers."""

from __future__ import annotations

from typing import Any

from minigrad import ops
from minigrad.nn.losses.reduction import reduce, same_shape


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean of (input − target)²; shapes must be equal."""
    same_shape("mse_loss", input, target)
    return reduce(ops.square(ops.sub(input, target)), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean of |input − target|, whose slope at 0 is taken as 0; shapes must be equal."""
    same_shape("l1_loss", input, target)
    return reduce(ops.abs(ops.sub(input, target)), reduction)


def smooth_l1_loss(input: Any, target: Any, reduction: str = "mean", beta: float = 1.0) -> Any:
    """The mean of d²/2β where |d| < β, else |d| − β/2, with d = input − target (Girshick 2015)."""
    same_shape("smooth_l1_loss", input, target)
    if beta < 0:
        raise ValueError(f"smooth_l1_loss needs beta of at least 0; got {beta}. Try 1.0.")
    if beta == 0:
        return l1_loss(input, target, reduction)
    d = ops.sub(input, target)
    size = ops.abs(d)
    return reduce(ops.where(size < beta, ops.square(d) / (2 * beta), size - beta / 2), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """The mean of d²/2 where |d| < δ, else δ(|d| − δ/2), with d = input − target (Huber 1964)."""
    same_shape("huber_loss", input, target)
    if delta <= 0:
        raise ValueError(f"huber_loss needs delta above 0; got {delta}. Try 1.0, or l1_loss.")
    d = ops.sub(input, target)
    size = ops.abs(d)
    return reduce(ops.where(size < delta, ops.square(d) / 2, delta * (size - delta / 2)), reduction)
