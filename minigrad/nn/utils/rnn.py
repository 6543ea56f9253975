"""Sequences of different lengths as one tensor."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad import ops
from minigrad.tensor import Tensor


def pad_sequence(
    sequences: Sequence[Tensor],
    batch_first: bool = False,
    padding_value: float = 0.0,
    padding_side: str = "right",
) -> Tensor:
    """Tensors (Lᵢ, …) stretched to the longest and stacked: (L, N, …), or (N, L, …)."""
    if padding_side not in ("left", "right"):
        raise ValueError(
            f"pad_sequence pads on the 'left' or the 'right'; got {padding_side!r}. Choose one."
        )
    longest = max(len(x) for x in sequences)
    right = padding_side == "right"
    padded = []
    for x in sequences:
        margin = longest - len(x)
        ends = (0, margin) if right else (margin, 0)
        padded.append(ops.pad(x, (0, 0) * (x.ndim - 1) + ends, value=padding_value))
    stacked: Tensor = ops.stack(padded, 0 if batch_first else 1)
    return stacked
