"""Convolution layers, and the pooling that goes with them."""

from __future__ import annotations

import math
from typing import Any

from minigrad import ops
from minigrad.nn import functional, init
from minigrad.nn.module import Module, Parameter
from minigrad.ops.convolution import edges_of
from minigrad.ops.patches import per_axis


class Conv(Module):
    """out[n, o, l] = Σ w[o, c, k] x[n, c, l·stride + k·dilation] + b[o], over ``dims`` axes.

    weight (O, C/groups, *kernel) and bias (O,) start uniform in ±1/√(C/groups · kernel entries),
    PyTorch's default. ``padding`` is so many zeros on either side, "same" or "valid"; in place of
    zeros, ``padding_mode`` "reflect", "replicate" or "circular" repeats the input.
    """

    dims = 0

    def __init__(  # noqa: PLR0913, PLR0917 - PyTorch's arguments
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
    ) -> None:
        name = type(self).__name__
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise ValueError(
                f"{name} needs in_channels and out_channels divisible by groups; got {in_channels},"
                f" {out_channels} and groups={groups}. Change one of them."
            )
        if padding_mode not in ("zeros", "reflect", "replicate", "circular"):
            raise ValueError(
                f"{name} was given padding_mode={padding_mode!r}; it is 'zeros', 'reflect', "
                "'replicate' or 'circular'."
            )
        self.padding_mode = padding_mode
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = per_axis(kernel_size, self.dims, f"{name}'s kernel_size")
        self.stride = per_axis(stride, self.dims, f"{name}'s stride")
        self.dilation = per_axis(dilation, self.dims, f"{name}'s dilation")
        named = isinstance(padding, str)
        self.padding = padding if named else per_axis(padding, self.dims, f"{name}'s padding")
        if padding == "same" and max(self.stride) > 1:
            raise ValueError(
                f"{name} with padding='same' needs stride 1; got {self.stride}. Give the padding "
                "as a number."
            )
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        fan_in = math.prod(shape[1:])
        bound = 1 / math.sqrt(fan_in) if fan_in else 0.0
        self.weight = Parameter(ops.zeros(shape))
        init.uniform_(self.weight, -bound, bound)
        self.bias = Parameter(ops.zeros(out_channels)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        """Its settings, those that are not the default."""
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"]
        parts.append(f"stride={self.stride}")
        ones = (1,) * self.dims
        if self.padding != (0,) * self.dims:
            parts.append(f"padding={self.padding}")
        if self.dilation != ones:
            parts.append(f"dilation={self.dilation}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts if self.bias is not None else [*parts, "bias=False"])

    def forward(self, x: Any) -> Any:
        """Map (N, C, *S), or (C, *S), to (N, O, *L)."""
        convolve = functional.conv1d if self.dims == 1 else functional.conv2d
        padding = self.padding
        if self.padding_mode != "zeros":
            asked = type(self).__name__
            edges = edges_of(padding, self.kernel_size, self.stride, self.dilation, asked)
            x = ops.pad(x, [n for pair in edges[::-1] for n in pair], self.padding_mode)
            padding = 0
        return convolve(x, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)


class Conv1d(Conv):
    """`Conv` over one axis: (N, C, L) to (N, O, L′)."""

    dims = 1


class Conv2d(Conv):
    """`Conv` over two axes: (N, C, H, W) to (N, O, H′, W′)."""

    dims = 2


# ── pooling ──────────────────────────────────────────────────────────────────────────────────────


class _MaxPool(Module):
    """The largest entry of each patch; of ties the first takes the gradient."""

    dims = 0

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self.kernel_size, self.padding, self.dilation = kernel_size, padding, dilation
        self.stride = kernel_size if stride is None else stride
        self.ceil_mode, self.return_indices = ceil_mode, return_indices

    def forward(self, x: Any) -> Any:
        """Map (N, C, *S) to (N, C, *L); with ``return_indices`` to a pair of them."""
        pool = functional.max_pool1d if self.dims == 1 else functional.max_pool2d
        how = (self.kernel_size, self.stride, self.padding, self.dilation, self.ceil_mode)
        return pool(x, *how, self.return_indices)

    def extra_repr(self) -> str:
        """Its settings."""
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPool):
    """The largest entry of each patch of (N, C, L); see `functional.max_pool2d`."""

    dims = 1


class MaxPool2d(_MaxPool):
    """The largest entry of each patch of (N, C, H, W); see `functional.max_pool2d`."""

    dims = 2


class AvgPool1d(Module):
    """The mean of each patch of (N, C, L); see `functional.avg_pool2d`."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.kernel_size, self.padding, self.ceil_mode = kernel_size, padding, ceil_mode
        self.stride = kernel_size if stride is None else stride
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Any:
        """Map (N, C, L) to (N, C, L′)."""
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return functional.avg_pool1d(x, *how)

    def extra_repr(self) -> str:
        """Its settings."""
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(AvgPool1d):
    """The mean of each patch of (N, C, H, W); see `functional.avg_pool2d`."""

    def __init__(
        self,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode, count_include_pad)
        self.divisor_override = divisor_override

    def forward(self, x: Any) -> Any:
        """Map (N, C, H, W) to (N, C, H′, W′)."""
        how = (self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)
        return functional.avg_pool2d(x, *how, self.divisor_override)


class AdaptiveAvgPool1d(Module):
    """The means of (N, C, L) over ``output_size`` stretches."""

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def forward(self, x: Any) -> Any:
        """Map (N, C, L) to (N, C, output_size)."""
        return functional.adaptive_avg_pool1d(x, self.output_size)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"output_size={self.output_size}"


class AdaptiveAvgPool2d(AdaptiveAvgPool1d):
    """The means of (N, C, H, W) over ``output_size`` stretches along each axis."""

    def forward(self, x: Any) -> Any:
        """Map (N, C, H, W) to (N, C, *output_size)."""
        return functional.adaptive_avg_pool2d(x, self.output_size)
