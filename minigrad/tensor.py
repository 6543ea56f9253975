"""Tensor: an array, its gradient, and its place in the graph of what was computed.

Nothing is computed here. Operators and methods are one-line doors into `minigrad.ops`, and
`backward` into `minigrad.engine`.
"""

from __future__ import annotations

import builtins  # for names that inside the class are methods
import functools
import math
import weakref
from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import backend, memory
from minigrad.backend import SCALAR, Array, namespace
from minigrad.backend import device as devices
from minigrad.node import keepers

if TYPE_CHECKING:
    from minigrad.node import Node


class _Op:
    """A method that hands its tensor to the operation of the same name in `minigrad.ops`."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Tensor | None, owner: type) -> Callable[..., Any]:
        operation: Callable[..., Any] = getattr(ops, self.name)
        return operation if tensor is None else functools.partial(operation, tensor)


class _InPlace(_Op):
    """A method such as ``x.add_(y)``: the operation without the underscore, written into x."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name.removesuffix("_")

    def __get__(self, tensor: Tensor | None, owner: type) -> Callable[..., Any]:
        operation: Callable[..., Any] = getattr(owner, self.name)

        def write(x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            raw = [_raw(a) for a in args]
            return x._write(..., operation(x.data, *raw, **kwargs))

        return write if tensor is None else functools.partial(write, tensor)


def _of_data(name: str, doc: str) -> Any:
    """A property that is its array's."""
    return property(attrgetter(f"data.{name}"), doc=doc)


class Tensor:
    """An array that remembers how it was made.

    Parameters
    ----------
    data
        An array, kept as it is; anything else becomes an array of the default backend.
    requires_grad
        Whether gradients with respect to this tensor are wanted. Floating dtypes only.

    Attributes
    ----------
    data
        The raw array.
    grad
        A Tensor once `backward` has reached this leaf; None means *not computed*, which is not 0.
    name
        What drawings and messages call it.
    """

    __slots__ = ("__weakref__", "data", "grad", "name", "node", "tracked")

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self.data: Array = data if backend.is_array(data) else as_array(data)
        if isinstance(self.data, SCALAR):
            self.data = np.asarray(self.data)
        self.grad: Tensor | None = None
        self.name: str | None = None
        self.node: Node | None = None
        self.tracked = False  # what the engine reads; requires_grad checks first
        if requires_grad:
            self.requires_grad = True

    # ── what it is ───────────────────────────────────────────────────────────────────────────────

    @property
    def requires_grad(self) -> bool:
        """Whether gradients flow to this tensor or through it."""
        return self.tracked

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and not backend.is_float(self.dtype):
            raise TypeError(
                f"requires_grad=True needs a floating dtype; this tensor is {self.dtype}. "
                "Convert it first: x.float()."
            )
        if not wanted and self.node is not None:
            raise RuntimeError(
                "requires_grad=False was set on the result of an operation, which needs its "
                "gradient for its inputs. Use x.detach() for a tensor cut off from the graph."
            )
        self.tracked = bool(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Set `requires_grad` and answer the tensor itself."""
        self.requires_grad = requires_grad
        return self

    @property
    def grad_fn(self) -> Any:
        """The operation that made this tensor, where that was recorded; else None."""
        return None if self.node is None else _source(self.node).op

    def retain_grad(self) -> None:
        """Let `backward` keep the gradient of this result in ``.grad``, as it does for leaves."""
        if not self.tracked:
            raise RuntimeError(
                "retain_grad() asks backward() to keep a gradient; this tensor has none, as it "
                "does not require grad. Set requires_grad=True on an input before computing."
            )
        if self.node is not None:
            keepers[self.node] = weakref.ref(self)

    @property
    def is_leaf(self) -> bool:
        """Whether no recorded operation made this tensor."""
        return self.node is None

    # Asked so often that Python's own C answers:
    shape = _of_data("shape", "Its size along each axis.")
    dtype = _of_data("dtype", "The dtype of its numbers.")
    ndim = _of_data("ndim", "Its number of axes.")

    def size(self, dim: int | None = None) -> Any:
        """Its shape, or its size along one axis (PyTorch's method; `numel` counts the entries)."""
        return self.shape if dim is None else self.shape[dim]

    def numel(self) -> int:
        """Its number of entries."""
        return math.prod(self.data.shape)

    def dim(self) -> int:
        """Its number of axes."""
        return self.ndim

    @property
    def backend(self) -> str:
        """The name of the backend it lives on."""
        return backend.of(self.data).name

    def __len__(self) -> int:
        """Its size along the first axis."""
        if not self.shape:
            raise TypeError("len() needs at least one axis; this tensor is 0-d. Use x.numel().")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        """Its parts along the first axis."""
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        """Its numbers, and how it stands to the graph."""
        numbers = np.array2string(self.numpy(), separator=", ", prefix="tensor(")
        notes = []
        if str(self.dtype) not in ("float32", "int64", "bool"):
            notes.append(f"dtype={self.dtype}")
        if self.backend != "numpy":
            notes.append(f"backend={self.backend!r}")
        if self.node is not None:
            notes.append(f"made by {_maker(self.node)}")
        elif self.tracked:
            notes.append("requires_grad=True")
        return f"tensor({', '.join([numbers, *notes])})"

    @property
    def written(self) -> int:
        """The logical time of the last write in place to its memory, by whatever shares it."""
        return memory.last_write(self.data)

    # ── ways out of the graph ────────────────────────────────────────────────────────────────────

    def numpy(self) -> np.ndarray:
        """The numbers as a NumPy array: the same memory on the host, a copy from a GPU."""
        return backend.to_numpy(self.data)

    def item(self) -> Any:
        """The one number of a tensor of size 1, as a Python number."""
        if self.numel() != 1:
            raise ValueError(
                f"item() needs exactly one entry; this tensor has shape {self.shape}. "
                "Reduce it first, or use x.tolist()."
            )
        return self.numpy().item()

    def tolist(self) -> Any:
        """The numbers as nested Python lists."""
        return self.numpy().tolist()

    def detach(self) -> Tensor:
        """The same numbers (shared), cut off from the graph."""
        return wrap(self.data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """Let NumPy read a tensor that needs no gradient; refuse to cut a graph silently."""
        if self.tracked:
            raise TypeError(
                "NumPy was asked to read a tensor that requires grad, which would silently cut "
                "the graph. Use x.detach().numpy() to leave the graph, or the operation of the "
                "same name in minigrad to stay in it."
            )
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Tensor:
        """Let ``array + tensor`` and ``np.exp(tensor)`` be minigrad's own, recorded, operations."""
        name = _UFUNCS.get(ufunc.__name__, ufunc.__name__)
        if method != "__call__" or kwargs or not hasattr(ops, name):
            how = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            raise TypeError(
                f"np.{how} was called on a tensor; minigrad records no operation of that name or "
                "with these arguments. Use operations of minigrad, or leave the graph with "
                "x.detach().numpy()."
            )
        return getattr(ops, name)(*inputs)

    def __dlpack__(self, **kwargs: Any) -> Any:
        """Hand the memory to another library: ``torch.from_dlpack(x)`` copies nothing."""
        if self.tracked:
            raise BufferError(
                "DLPack was asked for a tensor that requires grad, which would silently cut the "
                "graph. Use x.detach()."
            )
        return self.data.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        """Where the memory is."""
        return self.data.__dlpack_device__()

    def __float__(self) -> float:
        """The one number, as a float."""
        return float(self.item())

    def __int__(self) -> int:
        """The one number, as an int."""
        return int(self.item())

    def __index__(self) -> int:
        """The one integer, for indexing."""
        return self.numpy().__index__()

    def __bool__(self) -> bool:
        """The one truth value."""
        if self.numel() != 1:
            raise ValueError(
                f"the truth of a tensor of shape {self.shape} is ambiguous; use x.any() or x.all()."
            )
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        """Format the one number, or all of them without a spec."""
        return format(self.item() if spec else repr(self), spec)

    # ── gradients ────────────────────────────────────────────────────────────────────────────────

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
    ) -> None:
        """Add the gradient of this scalar to ``.grad`` of every leaf it was computed from.

        Gradients *add up* over calls, as in PyTorch: clear them with ``zero_grad()`` between
        steps. Graphs are kept as long as their result, so ``retain_graph`` changes nothing.
        """
        engine.backward(self, gradient, create_graph)

    # ── writing in place ─────────────────────────────────────────────────────────────────────────

    def _write(self, key: Any, value: Any) -> Tensor:
        """Put ``value`` at ``key``; the clock lets a backward that needed the old value notice."""
        if self.tracked and recording.thread.state.recording:
            raise RuntimeError(
                f"an in-place write to {self.name or 'a tensor'} of shape {self.shape} would "
                "change what the graph recorded. Write inside `with mg.no_grad():`, or compute a "
                "new tensor."
            )
        self.data[key] = value.data if isinstance(value, Tensor) else value
        memory.wrote(self.data)
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write in place."""
        self._write(ops.raw_index(key), value)

    def __iadd__(self, other: Any) -> Tensor:
        """Add: in place where nothing is recorded, else a new tensor under the same name."""
        return self + other if self._records(other) else self._write(..., self.data + _raw(other))

    def __isub__(self, other: Any) -> Tensor:
        """Subtract: in place where nothing is recorded, else a new tensor."""
        return self - other if self._records(other) else self._write(..., self.data - _raw(other))

    def __imul__(self, other: Any) -> Tensor:
        """Multiply: in place where nothing is recorded, else a new tensor."""
        return self * other if self._records(other) else self._write(..., self.data * _raw(other))

    def __itruediv__(self, other: Any) -> Tensor:
        """Divide: in place where nothing is recorded, else a new tensor."""
        return self / other if self._records(other) else self._write(..., self.data / _raw(other))

    def _records(self, other: Any) -> bool:
        """Whether combining with ``other`` is recorded; refuses to replace a leaf."""
        if not recording.thread.state.recording:
            return False
        if self.tracked and self.node is None:
            raise RuntimeError(
                f"an in-place operation on the leaf {self.name or 'tensor'} of shape {self.shape}, "
                "which requires grad: its gradient would be lost. Write inside "
                "`with mg.no_grad():`, or give the result a new name."
            )
        return self.tracked or (isinstance(other, Tensor) and other.tracked)

    # ── operators ────────────────────────────────────────────────────────────────────────────────

    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Tensor:
        return ops.add(self, other)

    def __radd__(self, other: Any) -> Tensor:
        return ops.add(other, self)

    def __sub__(self, other: Any) -> Tensor:
        return ops.sub(self, other)

    def __rsub__(self, other: Any) -> Tensor:
        return ops.sub(other, self)

    def __mul__(self, other: Any) -> Tensor:
        return ops.mul(self, other)

    def __rmul__(self, other: Any) -> Tensor:
        return ops.mul(other, self)

    def __truediv__(self, other: Any) -> Tensor:
        return ops.div(self, other)

    def __rtruediv__(self, other: Any) -> Tensor:
        return ops.div(other, self)

    def __floordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Tensor:
        return ops.floor_divide(other, self)

    def __mod__(self, other: Any) -> Tensor:
        return ops.remainder(self, other)

    def __rmod__(self, other: Any) -> Tensor:
        return ops.remainder(other, self)

    def __pow__(self, other: Any) -> Tensor:
        return ops.pow(self, other)

    def __rpow__(self, other: Any) -> Tensor:
        return ops.pow(other, self)

    def __matmul__(self, other: Any) -> Tensor:
        return ops.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Tensor:
        return ops.matmul(other, self)

    def __neg__(self) -> Tensor:
        return ops.neg(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __invert__(self) -> Tensor:
        return ops.bitwise_not(self)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]
        return ops.eq(self, other)

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]
        return ops.ne(self, other)

    def __lt__(self, other: Any) -> Tensor:
        return ops.lt(self, other)

    def __le__(self, other: Any) -> Tensor:
        return ops.le(self, other)

    def __gt__(self, other: Any) -> Tensor:
        return ops.gt(self, other)

    def __ge__(self, other: Any) -> Tensor:
        return ops.ge(self, other)

    def __and__(self, other: Any) -> Tensor:
        return ops.bitwise_and(self, other)

    def __or__(self, other: Any) -> Tensor:
        return ops.bitwise_or(self, other)

    def __xor__(self, other: Any) -> Tensor:
        return ops.bitwise_xor(self, other)

    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__

    def __getitem__(self, key: Any) -> Tensor:
        return ops.getitem(self, key)

    # ── the operations as methods: x.exp() is minigrad.exp(x) ────────────────────────────────────

    def add(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """self + alpha·other."""
        return ops.add(self, other if alpha == 1 else alpha * other)

    def sub(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """self − alpha·other."""
        return ops.sub(self, other if alpha == 1 else alpha * other)

    def div(self, other: Any, *, rounding_mode: str | None = None) -> Tensor:
        """self / other, rounded down with "floor" and towards 0 with "trunc"."""
        if rounding_mode is None:
            return ops.div(self, other)
        return rounding.round_quotient(self, other, rounding_mode)

    mul, pow = _Op(), _Op()
    neg, abs, sign, square, reciprocal = _Op(), _Op(), _Op(), _Op(), _Op()
    exp, log, log1p, expm1, log2 = _Op(), _Op(), _Op(), _Op(), _Op()
    sqrt, rsqrt, sin, cos, tanh = _Op(), _Op(), _Op(), _Op(), _Op()
    sigmoid, erf, relu, clamp, clip = _Op(), _Op(), _Op(), _Op(), _Op()
    maximum, minimum, masked_fill = _Op(), _Op(), _Op()
    eq, ne, lt, le, gt, ge = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    logical_and, logical_or, logical_not = _Op(), _Op(), _Op()
    isnan, isinf, isfinite = _Op(), _Op(), _Op()
    sum, mean, var, std, prod = _Op(), _Op(), _Op(), _Op(), _Op()
    max, min, amax, amin, argmax, argmin = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    all, any, cumsum, logsumexp, softmax, log_softmax = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    norm = _Op()
    reshape, view, flatten, unflatten = _Op(), _Op(), _Op(), _Op()
    transpose, permute, movedim, swapaxes, t = _Op(), _Op(), _Op(), _Op(), _Op()
    squeeze, unsqueeze, expand, expand_as, broadcast_to = _Op(), _Op(), _Op(), _Op(), _Op()
    flip, roll, repeat, tile, tril, triu = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    chunk, split, gather, index_select, take_along_dim = _Op(), _Op(), _Op(), _Op(), _Op()
    matmul, mm, bmm, mv, dot, outer = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    addmm, diag, trace, unbind = _Op(), _Op(), _Op(), _Op()
    floor, ceil, round, isclose, allclose, equal = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    sort, argsort, topk, nonzero, cumprod = _Op(), _Op(), _Op(), _Op(), _Op()
    masked_select, ravel, view_as, reshape_as = _Op(), _Op(), _Op(), _Op()
    tan, asin, acos, atan, atan2, sinh, cosh = _Op(), _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    asinh, acosh, atanh, log10, exp2, erfc = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    trunc, frac, fmod, remainder, floor_divide = _Op(), _Op(), _Op(), _Op(), _Op()
    lerp, addcmul, addcdiv, nan_to_num, logit = _Op(), _Op(), _Op(), _Op(), _Op()
    logaddexp, hypot, logical_xor, xlogy, dist = _Op(), _Op(), _Op(), _Op(), _Op()
    scatter, scatter_add, index_add, index_fill, take = _Op(), _Op(), _Op(), _Op(), _Op()
    diagonal, diag_embed, narrow, select, diff = _Op(), _Op(), _Op(), _Op(), _Op()
    repeat_interleave, tensor_split, bernoulli = _Op(), _Op(), _Op()
    unique, bincount, median, quantile, kthvalue = _Op(), _Op(), _Op(), _Op(), _Op()
    count_nonzero, aminmax, nansum, multinomial = _Op(), _Op(), _Op(), _Op()
    inverse, det, logdet, slogdet, matrix_power = _Op(), _Op(), _Op(), _Op(), _Op()
    kron, cross, fliplr, flipud, rot90, ger = _Op(), _Op(), _Op(), _Op(), _Op(), _Op()
    multiply, subtract, divide, true_divide = _Op(), _Op(), _Op(), _Op()
    absolute, negative, arctan, arctan2, arcsin = _Op(), _Op(), _Op(), _Op(), _Op()
    arccos, arcsinh, arccosh, arctanh, deg2rad = _Op(), _Op(), _Op(), _Op(), _Op()
    rad2deg, sinc, fix, inner = _Op(), _Op(), _Op(), _Op()
    clamp_min, clamp_max, vdot = _Op(), _Op(), _Op()

    def where(self, condition: Any, other: Any) -> Tensor:
        """These entries where ``condition`` holds, those of ``other`` elsewhere."""
        return ops.where(condition, self, other)

    @property
    def T(self) -> Tensor:  # noqa: N802 - the name that NumPy and PyTorch share
        """The axes in reverse order."""
        return ops.permute(self, tuple(range(self.ndim))[::-1])

    @property
    def mT(self) -> Tensor:  # noqa: N802
        """The last two axes exchanged."""
        return ops.transpose(self, -2, -1)

    # ── PyTorch's in-place methods: only where nothing is recorded ───────────────────────────────

    mul_, div_, clamp_, neg_ = _InPlace(), _InPlace(), _InPlace(), _InPlace()
    abs_, exp_, log_, sqrt_, pow_ = _InPlace(), _InPlace(), _InPlace(), _InPlace(), _InPlace()
    masked_fill_, relu_, sigmoid_, tanh_ = _InPlace(), _InPlace(), _InPlace(), _InPlace()
    round_, floor_, ceil_, trunc_ = _InPlace(), _InPlace(), _InPlace(), _InPlace()
    addcmul_, addcdiv_, lerp_, reciprocal_ = _InPlace(), _InPlace(), _InPlace(), _InPlace()
    scatter_, scatter_add_, index_add_, index_fill_ = _InPlace(), _InPlace(), _InPlace(), _InPlace()

    def add_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Add alpha·other: ``w.add_(w.grad, alpha=-lr)`` is a step down the gradient."""
        return self._write(..., self.data + (_raw(other) if alpha == 1 else alpha * _raw(other)))

    def sub_(self, other: Any, *, alpha: Any = 1) -> Tensor:
        """Subtract alpha·other."""
        return self._write(..., self.data - (_raw(other) if alpha == 1 else alpha * _raw(other)))

    def fill_(self, value: Any) -> Tensor:
        """Write ``value`` everywhere."""
        return self._write(..., value)

    def zero_(self) -> Tensor:
        """Write zeros."""
        return self._write(..., 0)

    def copy_(self, other: Any) -> Tensor:
        """Write the entries of ``other``, cast and brought here."""
        there = backend.copy_as(_raw(other), self.data)
        return self._write(..., there)

    def normal_(self, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Write normal random numbers."""
        return self.copy_((generator or backend.generator()).normal(mean, std, self.shape))

    def uniform_(self, a: Any = 0.0, b: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Write uniform random numbers in [a, b)."""
        return self.copy_((generator or backend.generator()).uniform(a, b, self.shape))

    def exponential_(self, lambd: Any = 1.0, *, generator: Any = None) -> Tensor:
        """Write random numbers with the density λ·e^−λx."""
        return self.copy_((generator or backend.generator()).exponential(1 / lambd, self.shape))

    def bernoulli_(self, p: Any = 0.5, *, generator: Any = None) -> Tensor:
        """Write 1 with chance p, else 0."""
        return self.copy_((generator or backend.generator()).random(self.shape) < p)

    def random_(self, low: Any, high: Any = None, *, generator: Any = None) -> Tensor:
        """Write random integers in [low, high), or in [0, low)."""
        low, high = (0, low) if high is None else (low, high)
        return self.copy_((generator or backend.generator()).integers(low, high, self.shape))

    def detach_(self) -> Tensor:
        """Cut this tensor itself off from the graph."""
        self.node, self.tracked = None, False
        return self

    # ── other dtypes, other places ───────────────────────────────────────────────────────────────

    def to(
        self,
        target: Any = None,
        dtype: Any = None,
        non_blocking: builtins.bool = False,
        copy: builtins.bool = False,
        *,
        device: Any = None,
    ) -> Tensor:
        """This tensor on another backend (``"cupy"``), or with another dtype (``mg.float64``).

        Both are recorded, so gradients come back to where the tensor was. PyTorch's "cpu" and
        "cuda" are understood, and another tensor stands for its place and dtype. With ``copy``
        the answer has memory of its own in any case; ``non_blocking`` changes nothing.
        """
        if isinstance(dtype, builtins.bool):  # PyTorch's to(dtype, non_blocking, copy)
            return self.to(target, None, dtype, non_blocking)
        if isinstance(target, Tensor):
            target, dtype = target.backend, target.dtype
        out = self
        for asked in (target, device, dtype):
            name = backend.place(asked) if isinstance(asked, str) else None
            if name and name != out.backend:
                out = ops.transfer(out, name)
            elif not name and asked is not None and asked != out.dtype:
                out = ops.astype(out, asked)
        return self.clone() if copy and out is self else out

    @property
    def device(self) -> devices.device:
        """Where it is, in PyTorch's words: "cpu", "cuda", or else the name of its backend."""
        return devices.device.of(self.backend)

    @property
    def is_cuda(self) -> builtins.bool:
        """Whether it is on a GPU."""
        return self.device == "cuda"

    def is_contiguous(self) -> builtins.bool:
        """True: to minigrad every memory order is as good."""
        return True

    def is_floating_point(self) -> builtins.bool:
        """Whether its numbers are floating."""
        return backend.is_float(self.dtype)

    def nelement(self) -> builtins.int:
        """`numel`, by its older name."""
        return self.numel()

    @property
    def nbytes(self) -> builtins.int:
        """The bytes of all entries."""
        return self.numel() * self.element_size()

    def element_size(self) -> builtins.int:
        """The bytes of one entry."""
        return np.dtype(self._kind()).itemsize

    def _kind(self) -> str:
        """The name of its dtype, which all backends share."""
        return str(self.dtype).rpartition(".")[2]

    def astype(self, dtype: Any) -> Tensor:
        """This tensor with another dtype."""
        return ops.astype(self, dtype)

    type = astype

    def float(self) -> Tensor:
        """This tensor in float32."""
        return ops.astype(self, backend.float32)

    def double(self) -> Tensor:
        """This tensor in float64."""
        return ops.astype(self, backend.float64)

    def half(self) -> Tensor:
        """This tensor in float16."""
        return ops.astype(self, backend.float16)

    def long(self) -> Tensor:
        """This tensor in int64."""
        return ops.astype(self, backend.int64)

    def short(self) -> Tensor:
        """This tensor in int16."""
        return ops.astype(self, backend.int16)

    def byte(self) -> Tensor:
        """This tensor in uint8."""
        return ops.astype(self, backend.uint8)

    def int(self) -> Tensor:
        """This tensor in int32."""
        return ops.astype(self, backend.int32)

    def bool(self) -> Tensor:
        """This tensor as truth values."""
        return ops.astype(self, backend.bool_)

    def type_as(self, other: Tensor) -> Tensor:
        """This tensor with the dtype of ``other``."""
        return ops.astype(self, other.dtype)

    def new_zeros(self, *shape: Any, **how: Any) -> Tensor:
        """Zeros of this shape, with the dtype and place of this tensor unless others are given."""
        return ops.zeros(*shape, **self._beside(how))

    new_empty = new_zeros

    def new_ones(self, *shape: Any, **how: Any) -> Tensor:
        """Ones of this shape, with the dtype and place of this tensor unless others are given."""
        return ops.ones(*shape, **self._beside(how))

    def new_full(self, size: Any, fill_value: Any, **how: Any) -> Tensor:
        """One value everywhere, with the dtype and place of this tensor unless others are given."""
        return ops.full(size, fill_value, **self._beside(how))

    def new_tensor(self, data: Any, **how: Any) -> Tensor:
        """``data`` with the dtype and place of this tensor unless others are given."""
        return ops.tensor(data, **self._beside(how))

    def _beside(self, how: dict[str, Any]) -> dict[str, Any]:
        """Arguments for a creation function, with this tensor's dtype and place where missing."""
        return {"dtype": self._kind(), "device": self.backend, **how}

    def clone(self) -> Tensor:
        """A recorded copy in memory of its own."""
        return ops.clone(self)

    def contiguous(self) -> Tensor:
        """Itself: kernels take any memory order."""
        return self

    def cpu(self) -> Tensor:
        """This tensor in host memory."""
        return self.to("numpy")

    def cuda(self) -> Tensor:
        """This tensor on the GPU."""
        return self.to("cupy")


def as_array(data: Any, dtype: Any = None) -> Array:
    """``data`` as an array of the default backend; Python floats take the default dtype."""
    if isinstance(data, Tensor):
        raw, xp = data.data, namespace(data.data)
        return raw if dtype is None else xp.astype(raw, backend.dtype_on(xp, dtype), copy=False)
    if dtype is None and not backend.is_array(data):
        found = np.asarray(data)
        dtype = backend.get_default_dtype() if found.dtype.kind == "f" else found.dtype
    if backend.is_array(data) and not isinstance(data, np.ndarray | SCALAR):
        return data if dtype is None else namespace(data).astype(data, dtype)
    return backend.default().from_numpy(np.asarray(data, dtype=dtype))


# What NumPy calls differently.
_UFUNCS = {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "negative": "neg",
    "power": "pow",
    "absolute": "abs",
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "invert": "bitwise_not",
}

_new, _ndarray = Tensor.__new__, np.ndarray


def wrap(data: Array, node: Node | None = None) -> Tensor:
    """A Tensor around a kernel's result; what `Tensor()` does, without its questions."""
    t = _new(Tensor)
    if type(data) is not _ndarray and isinstance(data, SCALAR):  # the first question is quicker
        data = np.asarray(data)
    t.data = data
    t.grad = t.name = None
    t.node = node
    t.tracked = node is not None
    return t


def _raw(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


def _source(node: Node) -> Node:
    """The node behind ``node``, seen through the picking of one output."""
    source: Node = node.inputs[0] if node.op is operation.output else node
    return source


def _maker(node: Node) -> str:
    """The name of the operation behind ``node``."""
    return _source(node).op.name


from minigrad import engine, operation, ops, recording  # noqa: E402 - the one circle: operators are doors into ops
from minigrad.ops import rounding  # noqa: E402
