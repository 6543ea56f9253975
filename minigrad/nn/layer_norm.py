"""Normalization of each sample over its last axes: LayerNorm and RMSNorm."""

from __future__ import annotations

import math
from typing import Any

from minigrad import ops
from minigrad.nn import normalizing
from minigrad.nn.module import Module, Parameter


class _LastAxesNorm(Module):
    """A normalization per sample over the last axes, those of ``normalized_shape``."""

    def __init__(self, normalized_shape: int | tuple[int, ...] | list[int]) -> None:
        self.normalized_shape = (
            (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        )

    def _check(self, x: Any) -> None:
        shape = self.normalized_shape
        if tuple(x.shape[-len(shape) :]) != shape or not math.prod(shape):
            raise ValueError(
                f"{self._place()} needs inputs whose last axes are {shape}; got "
                f"shape {tuple(x.shape)}. Set normalized_shape to the axes to normalise over."
            )

    def extra_repr(self) -> str:
        """Its settings."""
        affine = self.elementwise_affine
        return f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={affine}"

    eps: float | None
    elementwise_affine: bool


class LayerNorm(_LastAxesNorm):
    """y = γ·(x − μ)/σ + β, with μ and σ² = var + ε per sample over the last axes.

    γ and β are learned and have ``normalized_shape`` (Ba, Kiros and Hinton 2016: gain and bias).
    Training and evaluation are the same, and no other sample matters.
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        super().__init__(normalized_shape)
        self.eps: float = eps
        self.elementwise_affine = elementwise_affine
        shape = self.normalized_shape
        self.weight = Parameter(ops.ones(shape)) if elementwise_affine else None
        self.bias = Parameter(ops.zeros(shape)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """Map (…, *normalized_shape) to itself."""
        self._check(x)
        return normalizing.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)


class RMSNorm(_LastAxesNorm):
    """y = γ·x/σ, with σ² = mean x² + ε per sample over the last axes: no μ, no β.

    ε is that of the input's dtype unless given (Zhang and Sennrich 2019).
    """

    def __init__(
        self,
        normalized_shape: int | tuple[int, ...] | list[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:
        super().__init__(normalized_shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        self.weight = Parameter(ops.ones(self.normalized_shape)) if elementwise_affine else None

    def forward(self, x: Any) -> Any:
        """Map (…, *normalized_shape) to itself."""
        self._check(x)
        return normalizing.rms_norm(x, self.normalized_shape, self.weight, self.eps)
