"""Patches: what a kernel meets of an input as it slides over it.

`unfold` copies for every place of the kernel the patch of the input that lies under it; its
transpose `fold` adds patches back to where they came from. Each is the other's backward rule.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

from minigrad import backend
from minigrad.backend import Array
from minigrad.operation import primitive
from minigrad.ops.padding import Widths
from minigrad.ops.shape import reshape
from minigrad.recording import thread

Sizes = tuple[int, ...]


def named(operation: str) -> str:
    """An operation for messages: its name, and the path of the module that runs it."""
    path = ".".join(name for name, _ in thread.state.scope if name)
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


# ── a kernel that slides ─────────────────────────────────────────────────────────────────────────


class Window(NamedTuple):
    """A kernel that slides over an input with ``edges`` of so many zeros before and after.

    Along each axis its entry k meets at place l the input's entry l·stride + k·dilation − before.
    """

    kernel: Sizes
    stride: Sizes
    dilation: Sizes
    edges: Widths


def places(size: Sizes, kernel: Sizes, stride: Sizes, dilation: Sizes) -> Sizes:
    """At how many places along each axis a kernel fits: ⌊(size − reach)/stride⌋ + 1."""
    return tuple(
        [
            (n - reach(k, d)) // s + 1
            for n, k, s, d in zip(size, kernel, stride, dilation, strict=True)
        ]
    )


def places_of(window: Window, size: Sizes) -> Sizes:
    """At how many places along each axis ``window`` fits an input of ``size``."""
    return places(_padded(size, window), *window[:3])


def _padded(size: Sizes, window: Window) -> Sizes:
    return tuple([n + sum(edge) for n, edge in zip(size, window.edges, strict=True)])


@functools.lru_cache(maxsize=256)  # a small convolution would spend its time here
def _met(window: Window, axis: int, n: int, count: int) -> tuple[tuple[int, slice, slice], ...]:
    """Each entry of the kernel along an axis of n, where it is inside, and what it meets there."""
    stride, found = window.stride[axis], []
    for k in range(window.kernel[axis]):
        shift = k * window.dilation[axis] - window.edges[axis][0]
        first, last = max(0, -(shift // stride)), min(count - 1, (n - 1 - shift) // stride)
        if first <= last:
            met = slice(first * stride + shift, last * stride + shift + 1, stride)
            found.append((k, slice(first, last + 1), met))
    return tuple(found)


_ALL = slice(None)


def space(x: Array, window: Window) -> list[Array]:
    """Zeros for what `gather` makes of ``x``: patches along one axis, along two, and so on."""
    dims, shape, made = len(window.kernel), x.shape, []
    count = places_of(window, shape[-dims:])
    for axis in range(-1, -dims - 1, -1):
        here = len(shape) + axis
        front, behind = shape[2:here], shape[here + 1 :]
        shape = (*shape[:2], window.kernel[axis], *front, count[axis], *behind)
        made.append(backend.zeros(shape, like=x))
    return made


def gather(x: Array, window: Window, into: list[Array]) -> Array:
    """The patches (A, B, *K, …, *L) of ``x`` (A, B, …, *S), in the `space` made for them.

    They are gathered along one axis after the other: that is a copy for each entry along each
    axis, not for each entry of the kernel, and most of the copies are of whole rows.
    """
    for axis, out in enumerate(into, 1):
        rest = (_ALL,) * (axis - 1)
        for k, at, met in _met(window, -axis, x.shape[-axis], out.shape[-axis]):
            out[(_ALL, _ALL, k, ..., at, *rest)] = x[(..., met, *rest)]
        x = out
    return x


def scatter(x: Array, size: Sizes, window: Window) -> Array:
    """The transpose of `gather`: patches (A, B, *K, …, *L) added up where they overlap."""
    for axis in range(-len(size), 0):
        here = x.ndim + axis
        front, behind = x.shape[3:here], x.shape[here + 1 :]
        out = backend.zeros((*x.shape[:2], *front, size[axis], *behind), like=x)
        rest = (_ALL,) * len(behind)
        for k, at, met in _met(window, axis, size[axis], x.shape[axis]):
            out[(..., met, *rest)] += x[(_ALL, _ALL, k, ..., at, *rest)]
        x = out
    return x


@primitive
def _unfold(x: Array, *, window: Window) -> Array:
    """out[n, c, k, l] = x[n, c, l·stride + k·dilation]: the patch at l (N, C, *K, *L)."""
    return gather(x, window, space(x, window))


@primitive
def _fold(x: Array, *, size: Sizes, window: Window) -> Array:
    """The transpose of `_unfold`: patches (N, C, *K, *L) added where they overlap: (N, C, *S)."""
    return scatter(x, size, window)


_unfold.vjp(x=lambda g, x_shape, window: _fold(g, size=x_shape[2:], window=window))
_fold.vjp(x=lambda g, window: _unfold(g, window=window))


# ── what users call ──────────────────────────────────────────────────────────────────────────────


def patches(x: Any, window: Window, asked: str) -> Any:
    """The patches (N, C, *K, *L) of x (N, C, *S) under a window; refuses one that does not fit."""
    check_window(window, x.shape[2:], asked)
    return _unfold(x, window=window)


def check_window(window: Window, size: Sizes, asked: str) -> None:
    """Refuse a window that does not fit an input of ``size``, edges included."""
    check_fit(_padded(size, window), *window[:3], asked)


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
    window = _window(kernel_size, dilation, padding, stride, "unfold")
    found = patches(x, window, "unfold")
    count = math.prod(found.shape[4:])
    columns = reshape(found, (x.shape[0], x.shape[1] * math.prod(window.kernel), count))
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
    size = per_axis(output_size, 2, "fold's output_size")
    window = _window(kernel_size, dilation, padding, stride, "fold")
    check_window(window, size, "fold")
    count = places_of(window, size)
    rows, columns = math.prod(window.kernel), math.prod(count)
    if input.ndim not in (2, 3) or input.shape[-1] != columns or input.shape[-2] % rows:
        raise ValueError(
            f"{named('fold')} to {size} needs columns of shape (N, C·{rows}, {columns}); got "
            f"{tuple(input.shape)}. Use the sizes that unfold was called with."
        )
    n = input.shape[0] if input.ndim == 3 else 1  # noqa: PLR2004 - with a batch axis
    x = reshape(input, (n, input.shape[-2] // rows, *window.kernel, *count))
    out = _fold(x, size=size, window=window)
    return out if input.ndim == 3 else reshape(out, out.shape[1:])  # noqa: PLR2004


def _window(kernel: Any, dilation: Any, padding: Any, stride: Any, asked: str) -> Window:
    """PyTorch's arguments as a window over the two axes of an image."""
    kernel, dilation, edge, stride = (
        per_axis(value, 2, f"{asked}'s {name}")
        for name, value in (
            ("kernel_size", kernel),
            ("dilation", dilation),
            ("padding", padding),
            ("stride", stride),
        )
    )
    return Window(kernel, stride, dilation, tuple([(p, p) for p in edge]))
