"""What all losses share: how they are reduced, and which shapes they refuse."""

from __future__ import annotations

import math
from typing import Any

from minigrad import ops


def reduce(loss: Any, reduction: str) -> Any:
    """The mean or the sum of a loss, or the loss as it is."""
    if reduction == "mean":
        return ops.mean(loss) if math.prod(loss.shape) else ops.sum(loss) + math.nan
    if reduction == "sum":
        return ops.sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"reduction={reduction!r} is unknown; use 'mean', 'sum' or 'none'.")


def weighted_mean(total: Any, weight: Any) -> Any:
    """``total`` / ``weight``, and nan with gradient 0 where nothing counts, as in PyTorch."""
    if isinstance(weight, int):
        return total / weight if weight else total + math.nan
    empty = ops.eq(weight, 0)
    return ops.where(empty, math.nan, total / ops.where(empty, 1.0, weight))


def same_shape(name: str, x: Any, target: Any) -> None:
    """Refuse shapes that would broadcast: (n, 1) against (n,) makes n² differences, silently."""
    if tuple(x.shape) != tuple(target.shape):
        raise ValueError(
            f"{name} needs input and target of one shape; got {tuple(x.shape)} and "
            f"{tuple(target.shape)}, which could broadcast. Reshape one: "
            "target.reshape(input.shape), or input.squeeze(-1)."
        )
