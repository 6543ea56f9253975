"""Convolution and pooling in NumPy, one place of the kernel after the other."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

EDGE = 20  # more than any padding here


def _each(value: Any, dims: int) -> tuple[Any, ...]:
    return (value,) * dims if isinstance(value, int | str | None) else tuple(value)


def _along(n: int, k: int, s: int, p: Any, d: int = 1, ceil_mode: bool = False) -> list[range]:
    """For each place along an axis of n entries, those under the kernel, some outside 0 … n − 1."""
    if p == "same":
        first = -(d * (k - 1) // 2)
        return [range(i, i + d * k, d) for i in range(first, first + n)]
    p = 0 if p == "valid" else p
    steps = (n + 2 * p - d * (k - 1) - 1) / s
    starts = [i * s - p for i in range((math.ceil(steps) if ceil_mode else math.floor(steps)) + 1)]
    if ceil_mode and starts[-1] >= n:  # all padding
        starts.pop()
    return [range(i, i + d * k, d) for i in starts]


def _patches(
    x: Any, kernel: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
    ceil_mode: bool = False, value: float = 0.0,
) -> tuple[tuple[int, ...], Iterator[tuple[tuple[int, ...], tuple[range, ...], Any]]]:  # fmt: skip
    """How many places there are; and each, with its entries and the patch (N, C, *K) there."""
    dims = x.ndim - 2
    settings = (_each(v, dims) for v in (kernel, stride, padding, dilation, ceil_mode))
    axes = [_along(*axis) for axis in zip(x.shape[2:], *settings, strict=True)]
    wide = np.pad(x, [(0, 0)] * 2 + [(EDGE, EDGE)] * dims, constant_values=value)
    counts = tuple(len(axis) for axis in axes)
    places = zip(np.ndindex(counts), itertools.product(*axes), strict=True)
    return counts, (
        (place, at, wide[(..., *np.ix_(*[np.add(a, EDGE) for a in at]))]) for place, at in places
    )


def _one_or_many(dims: int) -> Any:
    """Let a function of batches take a sample without its batch axis too."""

    def decorate(function: Any) -> Any:
        def wrapped(x: Any, *args: Any, **how: Any) -> Any:
            y = function(x if x.ndim == dims else x[None], *args, **how)
            return y if x.ndim == dims else y[0]

        return wrapped

    return decorate


def _convolve(x: Any, w: Any, b: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1,
              groups: int = 1) -> Any:  # fmt: skip
    counts, places = _patches(x, w.shape[2:], stride, padding, dilation)
    out = np.zeros((len(x), len(w), *counts))
    kernels = w.reshape(groups, len(w) // groups, -1)
    for place, _, patch in places:
        columns = patch.reshape(len(x), groups, -1)
        out[(..., *place)] = np.einsum("ngk,gok->ngo", columns, kernels).reshape(out.shape[:2])
    return out if b is None else out + b.reshape(-1, *[1] * len(counts))


def _max_pool(x: Any, kernel_size: Any, stride: Any = None, **how: Any) -> Any:
    counts, places = _patches(x, kernel_size, stride or kernel_size, value=-np.inf, **how)
    out = np.zeros((*x.shape[:2], *counts))
    for place, _, patch in places:
        out[(..., *place)] = patch.max(tuple(range(2, x.ndim)))
    return out


def _avg_pool(x: Any, kernel_size: Any, stride: Any = None, padding: int = 0,
              ceil_mode: bool = False, count_include_pad: bool = True,
              divisor_override: int | None = None) -> Any:  # fmt: skip
    counts, places = _patches(x, kernel_size, stride or kernel_size, padding, ceil_mode=ceil_mode)
    out = np.zeros((*x.shape[:2], *counts))
    edge = padding if count_include_pad else 0
    for place, at, patch in places:
        met = [sum(-edge <= i < n + edge for i in a) for a, n in zip(at, x.shape[2:], strict=True)]
        by = divisor_override or math.prod(met)
        out[(..., *place)] = patch.sum(tuple(range(2, x.ndim))) / by
    return out


def _adaptive_avg_pool(x: Any, output_size: Any) -> Any:
    sizes = [o or n for o, n in zip(_each(output_size, x.ndim - 2), x.shape[2:], strict=True)]
    out = np.zeros((*x.shape[:2], *sizes))
    for place in np.ndindex(*sizes):
        axes = zip(place, sizes, x.shape[2:], strict=True)
        at = [slice(math.floor(i * n / o), math.ceil((i + 1) * n / o)) for i, o, n in axes]
        out[(..., *place)] = x[(..., *at)].mean(tuple(range(2, x.ndim)))
    return out


@_one_or_many(4)
def unfold(x: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """PyTorch's unfold."""
    _, places = _patches(x, kernel_size, stride, padding, dilation)
    return np.stack([patch.reshape(len(x), -1) for _, _, patch in places], -1)


@_one_or_many(3)
def fold(x: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
         stride: Any = 1) -> Any:  # fmt: skip
    """PyTorch's fold."""
    kernel, size = _each(kernel_size, 2), _each(output_size, 2)
    channels = x.shape[1] // math.prod(kernel)
    wide = np.zeros((len(x), channels, *(n + 2 * EDGE for n in size)))
    _, places = _patches(np.zeros((1, 1, *size)), kernel, stride, padding, dilation)
    for column, (_, at, _) in enumerate(places):
        patch = x[..., column].reshape(len(x), channels, *kernel)
        wide[(..., *np.ix_(*[np.add(a, EDGE) for a in at]))] += patch
    return wide[..., EDGE:-EDGE, EDGE:-EDGE]


conv1d, conv2d = _one_or_many(3)(_convolve), _one_or_many(4)(_convolve)
max_pool1d, max_pool2d = _one_or_many(3)(_max_pool), _one_or_many(4)(_max_pool)
avg_pool1d, avg_pool2d = _one_or_many(3)(_avg_pool), _one_or_many(4)(_avg_pool)
adaptive_avg_pool1d = _one_or_many(3)(_adaptive_avg_pool)
adaptive_avg_pool2d = _one_or_many(4)(_adaptive_avg_pool)
