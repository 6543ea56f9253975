"""How far apart, and how alike, points are."""

from __future__ import annotations

import math
from typing import Any

from minigrad import ops
from minigrad.nn import functional, init
from minigrad.nn.module import Module, Parameter


class CosineSimilarity(Module):
    """x₁·x₂ / (‖x₁‖·‖x₂‖) along ``dim``; see `functional.cosine_similarity`."""

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        self.dim, self.eps = dim, eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """Map two tensors to one without ``dim``."""
        return functional.cosine_similarity(x1, x2, self.dim, self.eps)


class PairwiseDistance(Module):
    """‖x₁ − x₂ + ε‖ₚ along the last axis; see `functional.pairwise_distance`."""

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        self.norm, self.eps, self.keepdim = p, eps, keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """Map two (…, D) to (…)."""
        return functional.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class Bilinear(Module):
    """y[o] = Σ x₁[i] W[o, i, j] x₂[j] + b[o]; weight (out, in1, in2), bias (out,).

    Both start uniform in ±1/√in1, PyTorch's default.
    """

    def __init__(
        self, in1_features: int, in2_features: int, out_features: int, bias: bool = True
    ) -> None:
        self.in1_features, self.in2_features = in1_features, in2_features
        self.out_features = out_features
        bound = 1 / math.sqrt(in1_features) if in1_features else 0.0
        self.weight = Parameter(ops.zeros(out_features, in1_features, in2_features))
        init.uniform_(self.weight, -bound, bound)
        self.bias = Parameter(ops.zeros(out_features)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x1: Any, x2: Any) -> Any:
        """Map (…, in1) and (…, in2) to (…, out)."""
        return functional.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Its sizes."""
        bias = "" if self.bias is not None else ", bias=False"
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}"
        return f"{sizes}, out_features={self.out_features}{bias}"
