"""New tensors: from data, from a rule, at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.tensor import Tensor, as_array, wrap


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A new tensor with a copy of ``data``.

    Python floats take the default dtype (float32), Python ints int64; arrays keep theirs. What
    is on no device yet (lists, NumPy arrays) goes to the default backend; a GPU array stays.
    """
    raw = as_array(data, dtype)
    return Tensor(backend.namespace(raw).asarray(raw, copy=True), requires_grad)


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares the memory of a NumPy array."""
    return wrap(array)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """``data`` as a tensor, sharing its memory where that is possible."""
    if isinstance(data, Tensor) and dtype is None:
        return data
    return wrap(as_array(data, dtype))


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a Tensor."""
    return isinstance(x, Tensor)


def from_dlpack(x: Any) -> Tensor:
    """A tensor that shares the memory of another library's array (PyTorch, CuPy, JAX, …)."""
    device, _ = x.__dlpack_device__()
    on_gpu = device in (2, 13)  # kDLCUDA, kDLCUDAManaged
    return wrap(backend.get("cupy" if on_gpu else "numpy").xp.from_dlpack(x))


def _born(array: np.ndarray, dtype: Any, requires_grad: bool) -> Tensor:
    """A host array as a new tensor of the default backend."""
    found = dtype or (backend.get_default_dtype() if array.dtype.kind == "f" else array.dtype)
    return Tensor(as_array(array, found), requires_grad)


def _shape(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], tuple | list) else sizes


def zeros(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros of this shape."""
    return _born(np.zeros(_shape(shape)), dtype, requires_grad)


def ones(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones of this shape."""
    return _born(np.ones(_shape(shape)), dtype, requires_grad)


def empty(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor to be filled; it holds zeros, so that nothing is left to chance."""
    return zeros(*shape, dtype=dtype, requires_grad=requires_grad)


def full(shape: Any, value: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """One value everywhere."""
    return _born(np.full(shape, value), dtype, requires_grad)


def arange(*bounds: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """From start in steps, without stop: ``arange(stop)``, ``arange(start, stop, step)``."""
    return _born(np.arange(*bounds), dtype, requires_grad)


def linspace(
    start: float, end: float, steps: int, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """So many points from start to end, both included, at equal distances."""
    return _born(np.linspace(float(start), float(end), steps), dtype, requires_grad)


def eye(n: int, m: int | None = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """The identity matrix."""
    return _born(np.eye(n, m), dtype, requires_grad)


def rand(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers in [0, 1); see `manual_seed`."""
    return _born(backend.generator().random(_shape(shape)), dtype, requires_grad)


def randn(*shape: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Standard normal random numbers; see `manual_seed`."""
    return _born(backend.generator().standard_normal(_shape(shape)), dtype, requires_grad)


def randint(low: int, high: Any, size: Any = None, dtype: Any = None) -> Tensor:
    """Random integers in [low, high); ``randint(high, size)`` starts at 0. See `manual_seed`."""
    if size is None:
        low, high, size = 0, low, high
    return _born(backend.generator().integers(low, high, size), dtype, False)


def normal(mean: float, std: float, size: Any, dtype: Any = None) -> Tensor:
    """Normal random numbers with this mean and standard deviation; see `manual_seed`."""
    return _born(backend.generator().normal(mean, std, size), dtype, False)


def randperm(n: int) -> Tensor:
    """The integers 0 … n − 1 in random order; see `manual_seed`."""
    return _born(backend.generator().permutation(n), None, False)


def zeros_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Zeros with the shape, dtype and place of ``x``."""
    return _like(x, "zeros_like", dtype, requires_grad)


def ones_like(x: Tensor, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Ones with the shape, dtype and place of ``x``."""
    return _like(x, "ones_like", dtype, requires_grad)


def rand_like(x: Tensor, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers with the shape, dtype and place of ``x``."""
    return Tensor(backend.copy_as(backend.generator().random(x.shape), x.data), requires_grad)


def randn_like(x: Tensor, requires_grad: bool = False) -> Tensor:
    """Standard normal random numbers with the shape, dtype and place of ``x``."""
    normal = backend.generator().standard_normal(x.shape)
    return Tensor(backend.copy_as(normal, x.data), requires_grad)


def full_like(x: Tensor, value: float, requires_grad: bool = False) -> Tensor:
    """One value everywhere, with the shape, dtype and place of ``x``."""
    return Tensor(backend.namespace(x.data).full_like(x.data, value), requires_grad)


def _like(x: Tensor, function: str, dtype: Any, requires_grad: bool) -> Tensor:
    xp = backend.namespace(x.data)
    kind = x.dtype if dtype is None else backend.dtype_on(xp, dtype)
    return Tensor(getattr(xp, function)(x.data, dtype=kind), requires_grad)
