"""Normalization layers: one standardising operation over different axes, then γ and β."""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend, ops
from minigrad.nn import normalizing
from minigrad.nn.module import Module, Parameter
from minigrad.tensor import Tensor

_AXES = ("", ", L", ", H, W", ", D, H, W")  # how the axes behind (N, C) are called


class RunningNorm(Module):
    """A normalization that may keep running statistics of its channels for evaluation."""

    ndims: tuple[int, ...] = ()
    axis = 1
    running_mean: Tensor | None
    running_var: Tensor | None
    num_batches_tracked: Tensor

    def __init__(
        self,
        num_features: int,
        eps: float,
        momentum: float | None,
        weight: bool,
        bias: bool,
        track_running_stats: bool,
    ) -> None:
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.track_running_stats = track = track_running_stats
        self.weight = Parameter(ops.ones(num_features)) if weight else None
        self.bias = Parameter(ops.zeros(num_features)) if bias else None
        self.register_buffer("running_mean", ops.zeros(num_features) if track else None)
        self.register_buffer("running_var", ops.ones(num_features) if track else None)
        seen = ops.zeros((), dtype=backend.int64) if track else None
        self.register_buffer("num_batches_tracked", seen)

    def _check(self, shape: tuple[int, ...]) -> None:
        """Refuse inputs with other axes, or other channels, than they should have."""
        if len(shape) in self.ndims and shape[self.axis] == self.num_features:
            return
        shapes = []
        for ndim in self.ndims:
            names = ["N", *_AXES[ndim - 2][2:].split(", ")] if ndim > 2 else ["N"]  # noqa: PLR2004
            names.insert(self.axis % ndim, str(self.num_features))
            shapes.append(f"({', '.join(names)})")
        raise ValueError(
            f"{self._place()} needs inputs of shape {' or '.join(shapes)}; got {shape}. "
            f"Set num_features to the size of axis {self.axis}, or reshape before it."
        )


class BatchNorm(RunningNorm):
    """y = γ·(x − μ)/σ + β, with μ and σ² = var + ε per channel (axis 1) over all other axes.

    In training μ and σ are those of the batch (variance divided by n) and enter the gradient;
    running_mean and running_var (variance divided by n − 1) follow them as
    ``running ← (1 − momentum)·running + momentum·batch``. In evaluation the running ones are
    used, as constants. With ``momentum=None`` they average all batches alike; with
    ``track_running_stats=False`` the batch's own serve in evaluation too.

    Parameters
    ----------
    num_features, eps, momentum, affine, track_running_stats
        As in PyTorch.
    bias, center, scale
        Whether an affine layer has β (PyTorch's name and Keras's), and γ (Keras's).
    axis
        Where the channels are: 1, or −1 for channels-last inputs (N, …, C).

    Source: Ioffe and Szegedy 2015; conventions of PyTorch.
    """

    def __init__(  # noqa: PLR0913 - PyTorch's settings and Keras's
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        *,
        bias: bool = True,
        center: bool = True,
        scale: bool = True,
        axis: int = 1,
    ) -> None:
        has_gamma, has_beta = affine and scale, affine and center and bias
        super().__init__(num_features, eps, momentum, has_gamma, has_beta, track_running_stats)
        self.affine, self.center, self.scale, self.axis = affine, center, scale, axis

    def forward(self, x: Any) -> Any:
        """Map (N, C, …) to itself."""
        x = x if isinstance(x, Tensor) else Tensor(x)
        shape, momentum, training = x.shape, self.momentum, self.training
        self._check(shape)
        if training and x.data.size <= self.num_features:
            raise ValueError(
                f"{self._place()} needs more than one value per channel to have a variance in "
                f"training; got shape {shape}. Use a larger batch, or call eval()."
            )
        if training and self.running_mean is not None:
            seen = self.num_batches_tracked.data
            backend.increment(seen)
            if momentum is None:
                momentum = 1 / int(seen)
        return normalizing.by_channel(
            x,
            False,
            self.axis,
            (self.running_mean, self.running_var),
            (self.weight, self.bias),
            training,
            momentum or 0.0,
            self.eps,
        )

    def extra_repr(self) -> str:
        """Its settings."""
        switches = [(name, getattr(self, name)) for name in ("center", "scale")]
        more = "".join([f", {name}=False" for name, value in switches if not value])
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}{more}"
            f"{f', axis={self.axis}' if self.axis != 1 else ''}"
        )


class BatchNorm1d(BatchNorm):
    """`BatchNorm` of (N, C) or (N, C, L)."""

    ndims = (2, 3)


class BatchNorm2d(BatchNorm):
    """`BatchNorm` of (N, C, H, W): over N·H·W values per channel."""

    ndims = (4,)


class BatchNorm3d(BatchNorm):
    """`BatchNorm` of (N, C, D, H, W): over N·D·H·W values per channel."""

    ndims = (5,)


class InstanceNorm(RunningNorm):
    """y = γ·(x − μ)/σ + β, with μ and σ² = var + ε per sample and channel over all other axes.

    As in PyTorch there are neither γ and β nor running statistics unless asked for; tracked ones
    follow the mean over the samples, and serve in evaluation. Source: Ulyanov et al. 2016.
    """

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = False,
        track_running_stats: bool = False,
        *,
        bias: bool = True,
    ) -> None:
        has_beta = affine and bias
        super().__init__(num_features, eps, momentum, affine, has_beta, track_running_stats)
        self.affine = affine

    def forward(self, x: Any) -> Any:
        """Map (N, C, …), or one sample (C, …), to itself."""
        batch = x if x.ndim != self.ndims[0] - 1 else ops.unsqueeze(x, 0)
        self._check(tuple(batch.shape))
        by_sample = self.training or not self.track_running_stats
        if by_sample and math.prod(batch.shape[2:]) == 1:
            raise ValueError(
                f"{self._place()} needs more than one value per sample and channel to have a "
                f"variance; got shape {tuple(x.shape)}. Use larger inputs, or another norm."
            )
        y = normalizing.instance_norm(
            batch,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            by_sample,
            self.momentum or 0.0,
            self.eps,
        )
        return y if batch is x else ops.squeeze(y, 0)

    def extra_repr(self) -> str:
        """Its settings."""
        return (
            f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
            f"affine={self.affine}, track_running_stats={self.track_running_stats}"
        )


class InstanceNorm1d(InstanceNorm):
    """`InstanceNorm` of (N, C, L) or (C, L)."""

    ndims = (3,)


class InstanceNorm2d(InstanceNorm):
    """`InstanceNorm` of (N, C, H, W) or (C, H, W)."""

    ndims = (4,)


class GroupNorm(Module):
    """y = γ·(x − μ)/σ + β, with μ and σ² = var + ε per sample and group of channels.

    γ and β are learned per channel (Wu and He 2018). One group is a layer norm over all channels,
    a group per channel an instance norm.
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        *,
        bias: bool = True,
    ) -> None:
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm needs num_channels divisible by num_groups; got {num_channels} and "
                f"{num_groups}. Change one of them."
            )
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        self.weight = Parameter(ops.ones(num_channels)) if affine else None
        self.bias = Parameter(ops.zeros(num_channels)) if affine and bias else None

    def forward(self, x: Any) -> Any:
        """Map (N, C, …) to itself."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:  # noqa: PLR2004 - samples and channels
            raise ValueError(
                f"{self._place()} needs inputs of shape (N, {self.num_channels}, …); got "
                f"{tuple(x.shape)}. Set num_channels to the size of axis 1."
            )
        return normalizing.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        """Its settings."""
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}"
