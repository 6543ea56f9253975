"""Normalization layers: one standardising operation over different axes, then γ and β."""

from __future__ import annotations

import math
from typing import Any

from minigrad import ops
from minigrad.backend import int64, namespace
from minigrad.nn.module import Module, Parameter
from minigrad.tensor import Tensor


class BatchNorm(Module):
    """y = γ·(x − μ)/σ + β, with μ and σ² = var + ε per channel (axis 1) over all other axes.

    In training μ and σ are those of the batch (variance divided by n) and enter the gradient;
    running_mean and running_var (variance divided by n − 1) follow them as
    ``running ← (1 − momentum)·running + momentum·batch``. In evaluation the running ones are
    used, as constants. With ``momentum=None`` they average all batches alike; with
    ``track_running_stats=False`` the batch's own serve in evaluation too.

    Source: Ioffe and Szegedy 2015; conventions of PyTorch.
    """

    ndims: tuple[int, ...] = ()
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        self.weight = Parameter(ops.ones(num_features)) if affine else None
        self.bias = Parameter(ops.zeros(num_features)) if affine else None
        track = track_running_stats
        self.register_buffer("running_mean", ops.zeros(num_features) if track else None)
        self.register_buffer("running_var", ops.ones(num_features) if track else None)
        self.register_buffer("num_batches_tracked", ops.zeros((), dtype=int64) if track else None)

    def forward(self, x: Any) -> Any:
        """Map (N, C, …) to itself."""
        x = x if isinstance(x, Tensor) else Tensor(x)
        self._check(x)
        per_channel = (1, -1) + (1,) * (x.ndim - 2)
        if self.training or self.running_mean is None or self.running_var is None:
            axis = (0, *range(2, x.ndim))
            z, mu, sigma = ops.standardize(x, axis=axis, eps=self.eps)
            if self.training:
                self._follow(mu.data, sigma.data, x.numel() // self.num_features)
        else:
            mu = ops.reshape(self.running_mean, per_channel)
            var = ops.reshape(self.running_var, per_channel)
            z = ops.normalize(x, mu, ops.sqrt(var + self.eps))
        if self.weight is None or self.bias is None:
            return z
        gamma, beta = self.weight, self.bias
        if x.ndim > 2:  # noqa: PLR2004 - (N, C) broadcasts as it is
            gamma, beta = gamma.reshape(per_channel), beta.reshape(per_channel)
        return ops.scale_shift(z, gamma, beta)

    def _follow(self, mu: Any, sigma: Any, n: int) -> None:
        """Let the running statistics follow those of a batch of ``n`` values per channel."""
        if self.running_mean is None or self.running_var is None:
            return
        self.num_batches_tracked.data = self.num_batches_tracked.data + 1
        m = 1 / int(self.num_batches_tracked) if self.momentum is None else self.momentum
        unbiased = (sigma * sigma - self.eps) * (n / (n - 1))
        for running, batch in ((self.running_mean, mu), (self.running_var, unbiased)):
            batch_value = namespace(batch).reshape(batch, running.shape)
            running.data = (1 - m) * running.data + m * batch_value

    def _check(self, x: Tensor) -> None:
        if x.ndim not in self.ndims or x.shape[1] != self.num_features:
            axes = " or ".join(
                _AXES[ndim].replace("C", str(self.num_features)) for ndim in self.ndims
            )
            raise ValueError(
                f"{self._place()} needs inputs of shape {axes}; got {x.shape}. "
                "Set num_features to the size of axis 1, or reshape before it."
            )
        if self.training and x.numel() <= self.num_features:
            raise ValueError(
                f"{self._place()} needs more than one value per channel to have a variance in "
                f"training; got shape {x.shape}. Use a larger batch, or call eval()."
            )

    def extra_repr(self) -> str:
        """Its settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


_AXES = {2: "(N, C)", 3: "(N, C, L)", 4: "(N, C, H, W)", 5: "(N, C, D, H, W)"}


class BatchNorm1d(BatchNorm):
    """`BatchNorm` of (N, C) or (N, C, L)."""

    ndims = (2, 3)


class BatchNorm2d(BatchNorm):
    """`BatchNorm` of (N, C, H, W): over N·H·W values per channel."""

    ndims = (4,)


class LayerNorm(Module):
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
        shape = (
            (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        )
        self.normalized_shape, self.eps, self.elementwise_affine = shape, eps, elementwise_affine
        self.weight = Parameter(ops.ones(shape)) if elementwise_affine else None
        self.bias = Parameter(ops.zeros(shape)) if elementwise_affine and bias else None

    def forward(self, x: Any) -> Any:
        """Map (…, *normalized_shape) to itself."""
        k = len(self.normalized_shape)
        if tuple(x.shape[-k:]) != self.normalized_shape or not math.prod(self.normalized_shape):
            raise ValueError(
                f"{self._place()} needs inputs whose last axes are {self.normalized_shape}; got "
                f"shape {tuple(x.shape)}. Set normalized_shape to the axes to normalise over."
            )
        z, _, _ = ops.standardize(x, axis=tuple(range(-k, 0)), eps=self.eps)
        if self.weight is None:
            return z
        return z * self.weight if self.bias is None else ops.scale_shift(z, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Its settings."""
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )
