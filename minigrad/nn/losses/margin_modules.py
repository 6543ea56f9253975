"""The losses of `margins` and `likelihoods` as modules, with their settings in the constructor."""

from __future__ import annotations

from typing import Any

from minigrad.nn.losses import likelihoods, margins
from minigrad.nn.losses.modules import Loss


class MarginRankingLoss(Loss):
    """max(0, −t·(x₁ − x₂) + margin); see `functional.margin_ranking_loss`."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss of two scores for targets of ±1, all of one shape."""
        return margins.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class HingeEmbeddingLoss(Loss):
    """x where t = 1, max(0, margin − x) where t = −1; see `functional.hinge_embedding_loss`."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of distances for targets of ±1 of their shape."""
        return margins.hinge_embedding_loss(input, target, self.margin, self.reduction)


class SoftMarginLoss(Loss):
    """ln(1 + e^−t·x); see `functional.soft_margin_loss`."""

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores for targets of ±1 of their shape."""
        return margins.soft_margin_loss(input, target, self.reduction)


class CosineEmbeddingLoss(Loss):
    """1 − cos where t = 1, max(0, cos − margin) else; see `functional.cosine_embedding_loss`."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """The loss of points (N, D) for targets (N,) of ±1."""
        return margins.cosine_embedding_loss(input1, input2, target, self.margin, self.reduction)


class TripletMarginLoss(Loss):
    """max(0, d(a, p) − d(a, n) + margin); see `functional.triplet_margin_loss`."""

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """The loss of three points (…, D)."""
        how = (self.margin, self.p, self.eps, self.swap, self.reduction)
        return margins.triplet_margin_loss(anchor, positive, negative, *how)


class MultiMarginLoss(Loss):
    """Σ max(0, margin − x[t] + x[c])ᵖ / C; see `functional.multi_margin_loss`."""

    def __init__(
        self, p: int = 1, margin: float = 1.0, weight: Any = None, reduction: str = "mean"
    ) -> None:
        super().__init__(reduction)
        self.p, self.margin = p, margin
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores (N, C) for class numbers (N,)."""
        how = (self.p, self.margin, self.weight, self.reduction)
        return margins.multi_margin_loss(input, target, *how)


class MultiLabelSoftMarginLoss(Loss):
    """The mean over classes of ln(1 + e^∓x); see `functional.multilabel_soft_margin_loss`."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.register_buffer("weight", weight)

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of scores (…, C) for labels 0 or 1 of their shape."""
        return margins.multilabel_soft_margin_loss(input, target, self.weight, self.reduction)


class PoissonNLLLoss(Loss):
    """λ − t·ln λ for counts; see `functional.poisson_nll_loss`."""

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        eps: float = 1e-8,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: Any, target: Any) -> Any:
        """The loss of rates, or their logarithms, for counts of their shape."""
        how = (self.log_input, self.full, self.eps, self.reduction)
        return likelihoods.poisson_nll_loss(input, target, *how)


class GaussianNLLLoss(Loss):
    """(ln v + (input − t)²/v)/2; see `functional.gaussian_nll_loss`."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:
        """The loss of means and variances for targets of their shape."""
        how = (self.full, self.eps, self.reduction)
        return likelihoods.gaussian_nll_loss(input, target, var, *how)
