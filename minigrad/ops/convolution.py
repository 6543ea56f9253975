"""Convolution, and its two transposes.

Convolution is linear in the input x and in the kernel w, so Σ g·(w ∗ x) is linear in each of three
arrays. Its derivatives by g, by x and by w are the three operations here, and the backward rules
of each are the other two: at any order, and with nothing kept but the arrays themselves.

Each is a product of matrices with the patches of x. These are many times as large as x, so they
are made in the kernel, of as many images at once as stay in the cache, and never kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.padding import Widths
from minigrad.ops.patches import (
    Sizes,
    Window,
    batched,
    check_window,
    gather,
    named,
    per_axis,
    places_of,
    reach,
    scatter,
    space,
)
from minigrad.ops.reductions import sum_over
from minigrad.ops.shape import reshape

# ── images as matrices ───────────────────────────────────────────────────────────────────────────


class _Plan(NamedTuple):
    """How a convolution is cut into products of matrices.

    Each block of images makes P matrices of M images side by side: one for each image (M = 1) or,
    where images have few places, one for all (P = 1), as thin matrices are slow to multiply.
    """

    window: Window
    groups: int
    blocks: list[tuple[Any, ...]]  # of images, as indices
    together: bool  # whether P = 1


def _plan(like: Array, x_shape: Sizes, w_shape: Sizes, window: Window, groups: int) -> _Plan:
    n, (o, *rest) = x_shape[0], w_shape
    entries, columns = math.prod(rest), math.prod(places_of(window, x_shape[2:]))
    # The larger the weights, the more images must share one reading of them.
    limit = max(backend.of(like).block, math.prod(w_shape))
    step = limit // max((groups * entries + o) * columns, 1) or 1
    blocks = [(slice(i, min(i + step, n)), ...) for i in range(0, max(n, 1), step)]
    return _Plan(window, groups, blocks, entries > 4 * columns)


def _rows(w: Array, groups: int) -> Array:
    """Kernels (O, C/G, *K) as matrices (G, O/G, C/G·K)."""
    shape = (groups, w.shape[0] // groups, math.prod(w.shape[1:]))
    return backend.reshape(w, shape)


def _beside(x: Array, plan: _Plan) -> Array:
    """Images (P·M, C, *S) as (P, C, M, *S)."""
    xp = namespace(x)
    p, m = (1, x.shape[0]) if plan.together else (x.shape[0], 1)
    x = xp.reshape(x, (p, m, *x.shape[1:]))
    return xp.permute_dims(x, (0, 2, 1, *range(3, x.ndim)))


def _images(x: Array) -> Array:
    """(P, C, M, *S) as images (P·M, C, *S)."""
    xp = namespace(x)
    x = xp.permute_dims(x, (0, 2, 1, *range(3, x.ndim)))
    return xp.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def _joined(x: Array, groups: int, rows: int) -> Array:
    """(P, *R, M, *L), where there are so many axes R, as matrices (P, G, R/G, M·L)."""
    height, width = math.prod(x.shape[1 : 1 + rows]), math.prod(x.shape[1 + rows :])
    return backend.reshape(x, (x.shape[0], groups, height // groups, width))


def _split(x: Array, rows: Sizes, count: Sizes) -> Array:
    """Matrices (P, G, R/G, M·L) as (P, *R, M, *L)."""
    m = x.shape[-1] // math.prod(count)
    return backend.reshape(x, (x.shape[0], *rows, m, *count))


def _zeros(shape: Sizes, *beside: Array) -> Array:
    """Zeros of the dtype that these arrays come to together."""
    xp = namespace(beside[0])
    zeros = backend.zeros(shape, like=beside[0])
    return xp.astype(zeros, xp.result_type(*[x.dtype for x in beside]), copy=False)


def _columns(x: Array, plan: _Plan) -> Iterator[tuple[Any, Array]]:
    """Block by block the patches of images (N, C, *S) as matrices (P, G, C/G·K, M·L).

    They share their memory: what is outside the images stays 0, all else is written again.
    """
    shape, into = None, []
    for block in plan.blocks:
        part = _beside(x[block], plan)
        if part.shape != shape:  # the first, and the last if it is smaller
            shape, into = part.shape, space(part, plan.window)
        found = gather(part, plan.window, into)  # (P, C, *K, M, *L)
        yield block, _joined(found, plan.groups, rows=1 + len(plan.window.kernel))


def _upstream(y: Array, plan: _Plan) -> Array:
    """Results (P·M, O, *L) as matrices (P, G, O/G, M·L)."""
    return _joined(_beside(y, plan), plan.groups, rows=1)


# ── the three operations ─────────────────────────────────────────────────────────────────────────


@primitive
def convolve(x: Array, w: Array, b: Array | None = None, *, window: Window, groups: int) -> Array:
    """out = w ∗ x + b: out[n, o, l] = Σ w[o, c, k] x[n, c, l·stride + k·dilation] + b[o].

    x counts with the window's edges of zeros around it.
    """
    xp = namespace(x)
    plan = _plan(x, x.shape, w.shape, window, groups)
    o, count = w.shape[0], places_of(window, x.shape[2:])
    out = _zeros((x.shape[0], o, *count), x, w, *(() if b is None else (b,)))
    if b is not None:  # before the rest, which is added on to it in the same pass
        out[...] = xp.reshape(b, (o, *[1 for _ in count]))
    rows = _rows(w, groups)
    for block, columns in _columns(x, plan):
        y = xp.matmul(rows, columns)  # (P, G, O/G, M·L)
        out[block] += _images(_split(y, (o,), count))
    return out


@primitive
def convolve_input(y: Array, w: Array, *, shape: Sizes, window: Window, groups: int) -> Array:
    """out = wᵀ ∗ y: the sum of w[o, c, k] y[n, o, l] where l·stride + k·dilation = i, at i.

    It is what `convolve` with w makes of an x of ``shape``, transposed.
    """
    xp = namespace(y)
    plan = _plan(y, shape, w.shape, window, groups)
    out = _zeros(shape, y, w)
    rows = xp.matrix_transpose(_rows(w, groups))
    for block in plan.blocks:
        x = xp.matmul(rows, _upstream(y[block], plan))  # (P, G, C/G·K, M·L)
        found = _split(x, (shape[1], *window.kernel), y.shape[2:])
        out[block] = _images(scatter(found, shape[2:], window))
    return out


@primitive
def convolve_kernel(y: Array, x: Array, *, window: Window, groups: int) -> Array:
    """out = y ∗ x: out[o, c, k] = Σ y[n, o, l] x[n, c, l·stride + k·dilation]."""
    xp = namespace(x)
    shape = (y.shape[1], x.shape[1] // groups, *window.kernel)
    plan = _plan(x, x.shape, shape, window, groups)
    out = None
    for block, columns in _columns(x, plan):
        places = xp.matrix_transpose(_upstream(y[block], plan))
        w = xp.matmul(columns, places)  # (P, G, C/G·K, O/G)
        w = w[0, ...] if plan.together else xp.sum(w, axis=0)
        out = w if out is None else out + w
    return xp.reshape(xp.matrix_transpose(out), shape)


convolve.vjp(
    x=lambda g, w, x_shape, window, groups: convolve_input(
        g, w, shape=x_shape, window=window, groups=groups
    ),
    w=lambda g, x, window, groups: convolve_kernel(g, x, window=window, groups=groups),
    b=lambda g: sum_over(g, axis=(0, *range(2, g.ndim)), keepdims=False),
)
convolve_input.vjp(
    y=lambda g, w, window, groups: convolve(g, w, window=window, groups=groups),
    w=lambda g, y, window, groups: convolve_kernel(y, g, window=window, groups=groups),
)
convolve_kernel.vjp(
    y=lambda g, x, window, groups: convolve(x, g, window=window, groups=groups),
    x=lambda g, y, x_shape, window, groups: convolve_input(
        y, g, shape=x_shape, window=window, groups=groups
    ),
)


# ── what users call ──────────────────────────────────────────────────────────────────────────────


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """out[n, o, l] = Σ w[o, c, k] x[n, c, l·stride + k·dilation] + b[o]; see `conv2d`."""
    return _conv(1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """out[n, o, i, j] = Σ w[o, c, k, l] x[n, c, i·s + k·d, j·s + l·d] + b[o].

    Parameters
    ----------
    input, weight, bias
        (N, C, H, W) or (C, H, W); (O, C/groups, kh, kw); (O,).
    stride, dilation
        The step s of the kernel over the input, and d between its own entries.
    padding
        So many zeros on either side, or "same" (output as large as the input), or "valid" (none).
    groups
        So many blocks of channels that do not mix.
    """
    return _conv(2, input, weight, bias, stride, padding, dilation, groups)


def _conv(
    dims: int, x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """Convolution over ``dims`` axes, once its arguments are seen to fit."""
    asked = f"conv{dims}d"
    xs = batched(x, dims, asked)
    c, o, per_group, kernel = xs.shape[1], w.shape[0], w.shape[1], tuple(w.shape[2:])
    if len(kernel) != dims or groups < 1 or c != per_group * groups or o % groups:
        raise ValueError(
            f"{named(asked)} of inputs {tuple(x.shape)} in groups={groups} needs a weight of shape "
            f"(O, {c}/{groups}, kernel) with O divisible by {groups}; got {tuple(w.shape)}. "
            f"Set in_channels={c}, or move the channels to axis {x.ndim - dims - 1}."
        )
    stride = per_axis(stride, dims, f"{asked}'s stride")
    dilation = per_axis(dilation, dims, f"{asked}'s dilation")
    window = Window(kernel, stride, dilation, edges_of(padding, kernel, stride, dilation, asked))
    check_window(window, xs.shape[2:], asked)
    if b is not None and tuple(b.shape) != (o,):
        raise ValueError(
            f"{named(asked)} needs a bias of shape ({o},), one number for each kernel; got "
            f"{tuple(b.shape)}. Reshape it."
        )
    given = () if b is None else (b,)
    y = convolve(xs, w, *given, window=window, groups=groups)
    return y if x.ndim == xs.ndim else reshape(y, y.shape[1:])


def edges_of(padding: Any, kernel: Sizes, stride: Sizes, dilation: Sizes, asked: str) -> Widths:
    """How much to pad before and after each axis."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding == "same":
        if max(stride) > 1:
            raise ValueError(
                f"{named(asked)} with padding='same' needs stride 1, or no padding makes the "
                f"output as large as the input; got {stride}. Give the padding as a number."
            )
        whole = [reach(k, d) - 1 for k, d in zip(kernel, dilation, strict=True)]
        return tuple([(n // 2, n - n // 2) for n in whole])  # an odd one goes behind, as in PyTorch
    if isinstance(padding, str):
        raise ValueError(
            f"{named(asked)} was given padding={padding!r}; it is 'same', 'valid' or a number."
        )
    edge = per_axis(padding, len(kernel), f"{asked}'s padding")
    if min(edge) < 0:
        raise ValueError(
            f"{named(asked)} needs padding of at least 0; got {edge}. Cut the input by a slice."
        )
    return tuple([(p, p) for p in edge])
