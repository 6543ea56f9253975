"""Images larger and smaller: interpolation, and channels dealt out as pixels.

Along each axis interpolation is a product with a matrix that has a row for each pixel of the
result: a 1 at the nearest pixel, or the two weights of a straight line.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.ops.contraction import tensordot
from minigrad.ops.embedding import take_rows
from minigrad.ops.shape import movedim, permute, reshape
from minigrad.tensor import Tensor

MODES = {"nearest": None, "linear": 1, "bilinear": 2}


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Any:
    """(N, C, *S) with other sizes S, given as ``size`` or as factors; pixels nearest or linear.

    ``mode`` is "nearest", or "linear" for one axis and "bilinear" for two. With
    ``align_corners`` the centres of the corner pixels stay in place, else the image's borders.
    """
    axes = input.ndim - 2
    if mode not in MODES or MODES[mode] not in (None, axes) or axes < 1:
        raise ValueError(
            f"interpolate knows mode 'nearest', 'linear' for (N, C, L) and 'bilinear' for "
            f"(N, C, H, W); got {mode!r} for shape {tuple(input.shape)}. Choose one of them."
        )
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"interpolate needs either size or scale_factor; got {size} and {scale_factor}. "
            "Give one of them."
        )
    factors = _each(scale_factor, axes)
    for i, (n, wanted) in enumerate(zip(input.shape[2:], _each(size, axes), strict=True)):
        m = math.floor(n * factors[i]) if wanted is None else wanted
        ratio = n / m if factors[i] is None else 1 / factors[i]
        if mode == "nearest":
            chosen = np.minimum(np.floor(np.arange(m) * ratio).astype(np.int64), n - 1)
            index = backend.of(_raw(input)).from_numpy(chosen)
            input = movedim(take_rows(movedim(input, i + 2, 0), index=index), 0, i + 2)
        else:
            weights = _straight(n, m, ratio, bool(align_corners))
            input = _along(input, i + 2, backend.copy_as(weights, _raw(input)))
    return input


def _each(given: Any, axes: int) -> list[Any]:
    return list(given) if isinstance(given, tuple | list) else [given] * axes


def _raw(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


def _straight(n: int, m: int, ratio: float, align_corners: bool) -> np.ndarray:
    """The matrix (m, n) of linear interpolation from n pixels to m."""
    if align_corners:
        place = np.arange(m) * ((n - 1) / (m - 1) if m > 1 else 0.0)
    else:
        place = np.maximum((np.arange(m) + 0.5) * ratio - 0.5, 0.0)
    low = np.minimum(place.astype(np.int64), n - 1)
    part = np.where(low < n - 1, place - low, 0.0)
    weights = np.zeros((m, n))
    weights[np.arange(m), low] += 1 - part
    weights[np.arange(m), np.minimum(low + 1, n - 1)] += part
    return weights


def _along(x: Any, axis: int, weights: Any) -> Any:
    """The product of ``weights`` (m, n) with an axis of n."""
    return movedim(tensordot(x, weights, ([axis], [1])), -1, axis)


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(…, C·r², H, W) as (…, C, H·r, W·r): channels become pixels (Shi et al. 2016)."""
    r = upscale_factor
    *front, channels, h, w = input.shape
    if channels % (r * r):
        raise ValueError(
            f"pixel_shuffle by {r} needs channels divisible by {r * r}; got shape "
            f"{tuple(input.shape)}. Give the layer before it more channels."
        )
    x = reshape(input, (*front, channels // (r * r), r, r, h, w))
    n = len(front)
    x = permute(x, *range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return reshape(x, (*front, channels // (r * r), h * r, w * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """(…, C, H·r, W·r) as (…, C·r², H, W): the inverse of `pixel_shuffle`."""
    r = downscale_factor
    *front, channels, h, w = input.shape
    if h % r or w % r:
        raise ValueError(
            f"pixel_unshuffle by {r} needs sides divisible by {r}; got shape "
            f"{tuple(input.shape)}. Crop or pad it."
        )
    x = reshape(input, (*front, channels, h // r, r, w // r, r))
    n = len(front)
    x = permute(x, *range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return reshape(x, (*front, channels * r * r, h // r, w // r))
