"""Convolution as one matrix product: unfold the patches under the kernel, multiply, fold back.

`unfold` copies for every place of the kernel the patch of the input that lies under it; its
transpose `fold` adds patches back to where they came from. Each is the other's backward rule, so
convolution needs no rule of its own, at any order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from typing import Any

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.indexing import getitem
from minigrad.ops.linear_algebra import matmul
from minigrad.ops.padding import Widths, inside, pad_edges
from minigrad.ops.shape import matrix_transpose, permute, reshape
from minigrad.recording import state

Sizes = tuple[int, ...]


def named(operation: str) -> str:
    """An operation for messages: its name, and the path of the module that runs it."""
    path = ".".join(name for name, _ in state.scope if name)
    return operation + (f" in module {path!r}" if path else "")


def per_axis(value: Any, dims: int, asked: str) -> Sizes:
    """One integer for each of ``dims`` spatial axes, from one for all or a sequence."""
    sizes = (value,) * dims if isinstance(value, int) else tuple(value)
    if len(sizes) == 1:
        sizes *= dims
    if len(sizes) != dims:
        raise ValueError(
            f"{named(asked)} needs an integer, or one for each of {dims} axes; got {value!r}. "
            f"Write it as {tuple(sizes[:1]) * dims}."
        )
    return tuple([int(n) for n in sizes])


def reach(kernel: int, dilation: int) -> int:
    """How many entries a dilated kernel spans."""
    return dilation * (kernel - 1) + 1


def batched(x: Any, dims: int, asked: str) -> Any:
    """``x`` as (N, C, *S): a sample without its batch axis is a batch of one."""
    if x.ndim == dims + 2:
        return x
    if x.ndim == dims + 1:
        return reshape(x, (1, *x.shape))
    axes = "".join(f", {axis}" for axis in "DHW"[-dims:]) if dims > 1 else ", L"
    raise ValueError(
        f"{named(asked)} needs inputs of shape (N, C{axes}) or (C{axes}); got {tuple(x.shape)}. "
        "Add the missing axes with unsqueeze, or reshape before it."
    )


# ── patches ──────────────────────────────────────────────────────────────────────────────────────


def places(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """At how many places along each axis a kernel fits: ⌊(size − reach)/stride⌋ + 1."""
    return tuple(
        [
            (n - reach(k, d)) // s + 1
            for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
    )


def taps(
    count: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes
) -> Iterator[tuple[Sizes, tuple[slice, ...]]]:
    """Each entry k of the kernel, with the slice of all l·stride + k·dilation that it meets."""
    for offset in itertools.product(*map(range, kernel)):
        met = zip(offset, count, stride, dilation, strict=True)
        yield offset, tuple([slice(k * d, k * d + s * (n - 1) + 1, s) for k, n, s, d in met])


_ALL = slice(None)


@primitive
def _unfold(x: Array, *, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """out[n, c, k, l] = x[n, c, l·stride + k·dilation]: the patch at l (N, C, *K, *L)."""
    xp = namespace(x)
    d = len(kernel)
    count = places(x.shape[2:], kernel, stride, dilation)
    x = xp.permute_dims(x, (1, 0, *range(2, 2 + d)))
    # Patches are laid out (C, *K, N, *L): then a whole batch is one matrix, with nothing to copy.
    out = backend.zeros((x.shape[0], *kernel, x.shape[1], *count), like=x)
    for offset, met in taps(count, kernel, stride, dilation):
        out[(_ALL, *offset, ...)] = x[(_ALL, _ALL, *met)]
    return xp.permute_dims(out, (1 + d, 0, *range(1, 1 + d), *range(2 + d, 2 + 2 * d)))


@primitive
def _fold(x: Array, *, size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Array:
    """The transpose of `_unfold`: patches (N, C, *K, *L) added where they overlap: (N, C, *S)."""
    xp = namespace(x)
    d = len(kernel)
    x = xp.permute_dims(x, (1, *range(2, 2 + d), 0, *range(2 + d, 2 + 2 * d)))  # (C, *K, N, *L)
    out = backend.zeros((x.shape[0], x.shape[1 + d], *size), like=x)
    for offset, met in taps(x.shape[2 + d :], kernel, stride, dilation):
        out[(_ALL, _ALL, *met)] += x[(_ALL, *offset, ...)]
    return xp.permute_dims(out, (1, 0, *range(2, 2 + d)))


_unfold.vjp(
    x=lambda g, x_shape, kernel, stride, dilation: _fold(
        g, size=x_shape[2:], kernel=kernel, stride=stride, dilation=dilation
    )
)
_fold.vjp(
    x=lambda g, kernel, stride, dilation: _unfold(
        g, kernel=kernel, stride=stride, dilation=dilation
    )
)


def patches(x: Any, kernel: Sizes, stride: Sizes, dilation: Sizes, asked: str) -> Any:
    """The patches (N, C, *K, *L) of x (N, C, *S) under a kernel; refuses one that does not fit."""
    check_fit(x.shape[2:], kernel, stride, dilation, asked)
    return _unfold(x, kernel=kernel, stride=stride, dilation=dilation)


def check_steps(kernel: Sizes, stride: Sizes, dilation: Sizes, asked: str) -> None:
    """Refuse a kernel without entries, and steps that do not step."""
    if min(kernel) < 1 or min(stride) < 1 or min(dilation) < 1:
        raise ValueError(
            f"{named(asked)} needs a kernel size, stride and dilation of at least 1; got {kernel}, "
            f"{stride} and {dilation}. Leave stride and dilation out for 1."
        )


def check_fit(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes, asked: str) -> None:
    """Refuse a kernel that is wider than its input."""
    check_steps(kernel, stride, dilation, asked)
    spans = tuple([reach(k, d) for k, d in zip(kernel, dilation, strict=True)])
    if any(span > n for span, n in zip(spans, size, strict=True)):
        raise ValueError(
            f"{named(asked)} needs inputs of at least the {spans} entries that its kernel spans; "
            f"got {tuple(size)}, padding included. Pad more, or use a smaller kernel or dilation."
        )


def unfold(
    input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:
    """The patches of images (N, C, H, W) as columns (N, C·kh·kw, places)."""
    x = batched(input, 2, "unfold")
    kernel, dilation, edge, stride = (
        per_axis(value, 2, f"unfold's {name}")
        for name, value in (
            ("kernel_size", kernel_size),
            ("dilation", dilation),
            ("padding", padding),
            ("stride", stride),
        )
    )
    found = patches(pad_edges(x, tuple([(p, p) for p in edge])), kernel, stride, dilation, "unfold")
    count = math.prod(found.shape[4:])
    columns = reshape(found, (x.shape[0], x.shape[1] * math.prod(kernel), count))
    return columns if input.ndim == x.ndim else reshape(columns, columns.shape[1:])


def fold(
    input: Any,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Any:
    """Columns (N, C·kh·kw, places) added up to images (N, C, H, W): the transpose of `unfold`."""
    size, kernel, dilation, edge, stride = (
        per_axis(value, 2, f"fold's {name}")
        for name, value in (
            ("output_size", output_size),
            ("kernel_size", kernel_size),
            ("dilation", dilation),
            ("padding", padding),
            ("stride", stride),
        )
    )
    padded = tuple([n + 2 * p for n, p in zip(size, edge, strict=True)])
    check_fit(padded, kernel, stride, dilation, "fold")
    count = places(padded, kernel, stride, dilation)
    rows, columns = math.prod(kernel), math.prod(count)
    if input.ndim not in (2, 3) or input.shape[-1] != columns or input.shape[-2] % rows:
        raise ValueError(
            f"{named('fold')} to {size} needs columns of shape (N, C·{rows}, {columns}); got "
            f"{tuple(input.shape)}. Use the sizes that unfold was called with."
        )
    n = input.shape[0] if input.ndim == 3 else 1  # noqa: PLR2004 - with a batch axis
    x = reshape(input, (n, input.shape[-2] // rows, *kernel, *count))
    out = _fold(x, size=padded, kernel=kernel, stride=stride, dilation=dilation)
    inner = inside((*out.shape[:2], *size), tuple([(p, p) for p in edge]))
    out = getitem(out, inner) if any(edge) else out
    return out if input.ndim == 3 else reshape(out, out.shape[1:])  # noqa: PLR2004


# ── convolution ──────────────────────────────────────────────────────────────────────────────────


@primitive
def _product(w: Array, x: Array, b: Array | None = None) -> Array:
    """out = w x + b, for w (G, O, E), the columns x (G, E, M) and b (G, O, 1)."""
    out = namespace(x).matmul(w, x)
    if b is not None and b.dtype == out.dtype:
        out += b  # in place: an output of this size costs more to allocate than to add to
        return out
    return out if b is None else out + b


_product.vjp(
    w=lambda g, x: matmul(g, matrix_transpose(x)),
    x=lambda g, w: matmul(matrix_transpose(w), g),
    b=lambda g: g,
)


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
    return _convolve(1, input, weight, bias, stride, padding, dilation, groups)


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
    return _convolve(2, input, weight, bias, stride, padding, dilation, groups)


def _convolve(
    dims: int, x: Any, w: Any, b: Any, stride: Any, padding: Any, dilation: Any, groups: int
) -> Any:
    """Convolution over ``dims`` axes: patches as columns, kernels as rows, one matrix product."""
    asked = f"conv{dims}d"
    xs = batched(x, dims, asked)
    n, c = xs.shape[:2]
    o, per_group, kernel = w.shape[0], w.shape[1], tuple(w.shape[2:])
    if len(kernel) != dims or groups < 1 or c != per_group * groups or o % groups:
        raise ValueError(
            f"{named(asked)} of inputs {tuple(x.shape)} in groups={groups} needs a weight of shape "
            f"(O, {c}/{groups}, kernel) with O divisible by {groups}; got {tuple(w.shape)}. "
            f"Set in_channels={c}, or move the channels to axis {x.ndim - dims - 1}."
        )
    stride = per_axis(stride, dims, f"{asked}'s stride")
    dilation = per_axis(dilation, dims, f"{asked}'s dilation")
    xs = pad_edges(xs, edges_of(padding, kernel, stride, dilation, asked))
    found = patches(xs, kernel, stride, dilation, asked)  # (N, C, *K, *L)
    count = found.shape[2 + dims :]
    entries = per_group * math.prod(kernel)
    found = permute(found, (1, *range(2, 2 + dims), 0, *range(2 + dims, 2 + 2 * dims)))
    columns = reshape(found, (groups, entries, n * math.prod(count)))  # (G, C/G·K, N·L)
    rows = reshape(w, (groups, o // groups, entries))  # (G, O/G, C/G·K)
    added = () if b is None else (reshape(b, (groups, o // groups, 1)),)
    y = reshape(_product(rows, columns, *added), (o, n, *count))
    y = permute(y, (1, 0, *range(2, 2 + dims)))  # (N, O, *L)
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
