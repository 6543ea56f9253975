"""New tensors: from data, from a rule, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend.device import at
from minigrad.tensor import Tensor, as_array, wrap

# ``device`` is "cpu", "cuda", the name of a backend, or None for where new tensors are born.


def tensor(
    data: Any, dtype: Any = None, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """A new tensor with a copy of ``data``.

    Python floats take the default dtype (float32), Python ints int64; arrays keep theirs. What
    is on no device yet (lists, NumPy arrays) goes to the default backend; a GPU array stays.
    """
    raw = _at(as_array(data, dtype), device)
    return Tensor(backend.namespace(raw).asarray(raw, copy=True), requires_grad)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the memory of a NumPy array."""
    return wrap(array)


def as_tensor(data: Any, dtype: Any = None, device: str | None = None) -> Tensor:
    """``data`` as a tensor, sharing its memory where that is possible."""
    if isinstance(data, Tensor) and dtype is None and device is None:
        return data
    return wrap(_at(as_array(data, dtype), device))


def _at(array: Any, device: str | None) -> Any:
    """An array on the device asked for."""
    return array if device is None else backend.to(array, at(device).name)


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a Tensor."""
    return isinstance(x, Tensor)


def is_floating_point(x: Tensor) -> bool:
    """Whether the numbers of a tensor are floating."""
    return backend.is_float(x.dtype)


def from_dlpack(x: Any) -> Tensor:
    """A tensor that shares the memory of another library's array (PyTorch, CuPy, JAX, …)."""
    device, _ = x.__dlpack_device__()
    on_gpu = device in (2, 13)  # kDLCUDA, kDLCUDAManaged
    return wrap(backend.get("cupy" if on_gpu else "numpy").xp.from_dlpack(x))


def born(
    array: Any, dtype: Any = None, requires_grad: bool = False, device: str | None = None
) -> Tensor:
    """Numbers on the host as a new tensor; floating ones take the default dtype unless given."""
    found = dtype or (backend.get_default_dtype() if array.dtype.kind == "f" else array.dtype)
    return Tensor(at(device).from_numpy(np.asarray(array, dtype=found)), requires_grad)


def shape_of(sizes: tuple[Any, ...], size: Any = None) -> tuple[int, ...]:
    """A shape given as numbers, as one sequence, or by the keyword ``size``."""
    if size is not None:
        return (size,) if isinstance(size, int) else tuple(size)
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes


def zeros(
    *shape: Any,
    size: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: str | None = None,
) -> Tensor:
    """Zeros of this shape."""
    return born(np.zeros(shape_of(shape, size)), dtype, requires_grad, device)


def ones(
    *shape: Any,
    size: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: str | None = None,
) -> Tensor:
    """Ones of this shape."""
    return born(np.ones(shape_of(shape, size)), dtype, requires_grad, device)


empty = zeros  # a tensor to be filled: nothing is left to chance


def full(
    size: Any,
    fill_value: float,
    dtype: Any = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """One value everywhere."""
    return born(np.full(size, fill_value), dtype, requires_grad, device)


def arange(
    *bounds: Any,
    start: float = 0,
    end: float | None = None,
    step: float = 1,
    dtype: Any = None,
    requires_grad: bool = False,
    device: str | None = None,
) -> Tensor:
    """From start in steps, without end: ``arange(end)``, ``arange(start, end, step)``."""
    if len(bounds) > 1:
        start, end, step = (*bounds, step)[:3]
    elif bounds:
        start, end = (start, bounds[0]) if end is None else (bounds[0], end)
    return born(np.arange(start, end, step), dtype, requires_grad, device)


def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: Any = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """So many points from start to end, both included, at equal distances."""
    return born(np.linspace(float(start), float(end), steps), dtype, requires_grad, device)


def logspace(
    start: float,
    end: float,
    steps: int,
    base: float = 10.0,
    dtype: Any = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """``base`` to the power of each of so many points from start to end, at equal distances."""
    return born(np.logspace(start, end, steps, base=base), dtype, requires_grad, device)


def eye(
    n: int,
    m: int | None = None,
    dtype: Any = None,
    requires_grad: bool = False,
    *,
    device: str | None = None,
) -> Tensor:
    """The identity matrix."""
    return born(np.eye(n, m), dtype, requires_grad, device)


def tril_indices(row: int, col: int, offset: int = 0, *, device: str | None = None) -> Tensor:
    """Rows and columns (2, K) of the entries of a matrix on and below a diagonal."""
    return born(np.stack(np.tril_indices(row, offset, col)), device=device)


def triu_indices(row: int, col: int, offset: int = 0, *, device: str | None = None) -> Tensor:
    """Rows and columns (2, K) of the entries of a matrix on and above a diagonal."""
    return born(np.stack(np.triu_indices(row, offset, col)), device=device)


# ── with the shape, dtype and place of another, unless other ones are asked for ──────────────────


def like(
    x: Tensor,
    numbers: Any,
    dtype: Any = None,
    requires_grad: bool = False,
    device: str | None = None,
) -> Tensor:
    """Numbers on the host as a tensor of the dtype and at the place of ``x``, or those given."""
    there = (at(device) if device else backend.of(x.data)).from_numpy(np.asarray(numbers))
    xp = backend.namespace(there)
    kind = str(x.dtype).rpartition(".")[2] if dtype is None else dtype
    return Tensor(xp.astype(there, backend.dtype_on(xp, kind)), requires_grad)


def zeros_like(
    x: Tensor, dtype: Any = None, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """Zeros with the shape, dtype and place of ``x``."""
    return _like(x, "zeros_like", dtype, requires_grad, device)


def ones_like(
    x: Tensor, dtype: Any = None, requires_grad: bool = False, *, device: str | None = None
) -> Tensor:
    """Ones with the shape, dtype and place of ``x``."""
    return _like(x, "ones_like", dtype, requires_grad, device)


empty_like = zeros_like  # as `empty`: nothing is left to chance


def full_like(
    x: Tensor,
    fill_value: float,
    requires_grad: bool = False,
    *,
    dtype: Any = None,
    device: str | None = None,
) -> Tensor:
    """One value everywhere, with the shape, dtype and place of ``x``."""
    return like(x, np.full(x.shape, fill_value), dtype, requires_grad, device)


def _like(x: Tensor, function: str, dtype: Any, requires_grad: bool, device: str | None) -> Tensor:
    xp = backend.namespace(x.data)
    kind = x.dtype if dtype is None else backend.dtype_on(xp, dtype)
    return Tensor(_at(getattr(xp, function)(x.data, dtype=kind), device), requires_grad)
