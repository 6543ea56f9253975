"""Losses as modules, with their settings in the constructor."""

from __future__ import annotations

from typing import Any

from minigrad.nn.losses import classification, regression
from minigrad.nn.module import Module


class Loss(Module):
    """A loss with a ``reduction``: "mean", "sum" or "none"."""

    weight: Any  # per class or per entry, in those losses that take one
    pos_weight: Any

    def __init__(self, reduction: str = "mean") -> None:
        self.reduction = reduction


class MSELoss(Loss):
    """The mean of (input − target)²; see `functional.mse_loss`."""

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of predictions of the target's shape."""
        return regression.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """The mean of |input − target|; see `functional.l1_loss`."""

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of predictions of the target's shape."""
        return regression.l1_loss(input, target, self.reduction)


class SmoothL1Loss(Loss):
    """Quadratic within β, linear beyond; see `functional.smooth_l1_loss`."""

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of predictions of the target's shape."""
        return regression.smooth_l1_loss(input, target, self.reduction, self.beta)


class HuberLoss(Loss):
    """Quadratic within δ, linear with slope δ beyond; see `functional.huber_loss`."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of predictions of the target's shape."""
        return regression.huber_loss(input, target, self.reduction, self.delta)


class CrossEntropyLoss(Loss):
    """−ln softmax(input)[target]; see `functional.cross_entropy`."""

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of logits (N, C, …) for class numbers (N, …) or probabilities (N, C, …)."""
        return classification.cross_entropy(
            input, target, self.weight, self.ignore_index, self.reduction, self.label_smoothing
        )


class NLLLoss(Loss):
    """−input[target]; see `functional.nll_loss`."""

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of log-probabilities (N, C, …) for class numbers (N, …)."""
        return classification.nll_loss(
            input, target, self.weight, self.ignore_index, self.reduction
        )


class BCELoss(Loss):
    """−t·ln p − (1 − t)·ln(1 − p); see `functional.binary_cross_entropy`."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of probabilities of the target's shape."""
        return classification.binary_cross_entropy(input, target, self.weight, self.reduction)


class BCEWithLogitsLoss(Loss):
    """`BCELoss` of sigmoid(input), exact; see `functional.binary_cross_entropy_with_logits`."""

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of logits of the target's shape."""
        return classification.binary_cross_entropy_with_logits(
            input, target, self.weight, self.reduction, self.pos_weight
        )


class KLDivLoss(Loss):
    """t·(ln t − input); see `functional.kl_div`."""

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of log-probabilities of the target's shape."""
        return classification.kl_div(input, target, self.reduction, self.log_target)
