"""Layers that make images larger or smaller, or set them in a frame; nothing is learned."""

from __future__ import annotations

from typing import Any

from minigrad.nn import functional
from minigrad.nn.module import Module


class Upsample(Module):
    """(N, C, *S) with other sizes S; see `functional.interpolate`."""

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
    ) -> None:
        self.size, self.scale_factor = size, scale_factor
        self.mode, self.align_corners = mode, align_corners

    def forward(self, x: Any) -> Any:
        """Map (N, C, *S) to (N, C, *L)."""
        return functional.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners
        )

    def extra_repr(self) -> str:
        """Its settings."""
        given = f"scale_factor={self.scale_factor}" if self.size is None else f"size={self.size}"
        return f"{given}, mode={self.mode!r}"


class PixelShuffle(Module):
    """(N, C·r², H, W) as (N, C, H·r, W·r); see `functional.pixel_shuffle`."""

    def __init__(self, upscale_factor: int) -> None:
        self.upscale_factor = upscale_factor

    def forward(self, x: Any) -> Any:
        """Map channels to pixels."""
        return functional.pixel_shuffle(x, self.upscale_factor)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """(N, C, H·r, W·r) as (N, C·r², H, W); see `functional.pixel_unshuffle`."""

    def __init__(self, downscale_factor: int) -> None:
        self.downscale_factor = downscale_factor

    def forward(self, x: Any) -> Any:
        """Map pixels to channels."""
        return functional.pixel_unshuffle(x, self.downscale_factor)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"downscale_factor={self.downscale_factor}"


class _Pad(Module):
    """A frame around the last axes: ``padding`` on every side, or (left, right, top, bottom)."""

    dims = 0
    mode = "constant"
    value = 0.0

    def __init__(self, padding: Any) -> None:
        given = (padding,) * (2 * self.dims) if isinstance(padding, int) else tuple(padding)
        if len(given) != 2 * self.dims:
            raise ValueError(
                f"{type(self).__name__} needs one margin or {2 * self.dims}; got {given}. Give "
                "two for each axis, the last axis first."
            )
        self.padding = given

    def forward(self, x: Any) -> Any:
        """Map (N, C, *S) to (N, C, *L)."""
        return functional.pad(x, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        """Its margins."""
        value = f", value={self.value}" if self.value else ""
        return f"padding={self.padding}{value}"


class ZeroPad1d(_Pad):
    """Zeros around (N, C, L)."""

    dims = 1


class ZeroPad2d(_Pad):
    """Zeros around (N, C, H, W)."""

    dims = 2


class ConstantPad1d(_Pad):
    """One value around (N, C, L)."""

    dims = 1

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value


class ConstantPad2d(ConstantPad1d):
    """One value around (N, C, H, W)."""

    dims = 2


class ReflectionPad1d(_Pad):
    """The entries mirrored at the border around (N, C, L)."""

    dims = 1
    mode = "reflect"


class ReflectionPad2d(_Pad):
    """The entries mirrored at the border around (N, C, H, W)."""

    dims = 2
    mode = "reflect"


class ReplicationPad1d(_Pad):
    """The border entries again around (N, C, L)."""

    dims = 1
    mode = "replicate"


class ReplicationPad2d(_Pad):
    """The border entries again around (N, C, H, W)."""

    dims = 2
    mode = "replicate"


class CircularPad1d(_Pad):
    """The entries of the other end around (N, C, L)."""

    dims = 1
    mode = "circular"


class CircularPad2d(_Pad):
    """The entries of the other end around (N, C, H, W)."""

    dims = 2
    mode = "circular"


class Unfold(Module):
    """All patches of (N, C, H, W) as columns; see `functional.unfold`."""

    def __init__(
        self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
    ) -> None:
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, x: Any) -> Any:
        """Map (N, C, H, W) to (N, C·kernel entries, patches)."""
        return functional.unfold(x, self.kernel_size, self.dilation, self.padding, self.stride)


class Fold(Module):
    """Columns added up as the patches they came from; see `functional.fold`."""

    def __init__(
        self,
        output_size: Any,
        kernel_size: Any,
        dilation: Any = 1,
        padding: Any = 0,
        stride: Any = 1,
    ) -> None:
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, x: Any) -> Any:
        """Map (N, C·kernel entries, patches) to (N, C, H, W)."""
        how = (self.dilation, self.padding, self.stride)
        return functional.fold(x, self.output_size, self.kernel_size, *how)
