"""Tracing: an array that writes down every call of NumPy by which something is computed from it.

Each call is kept with the very arrays that it read and filled, so that to make it again is to fill
the same array anew. A view needs no call: it shows whatever its memory holds.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from minigrad import backend
from minigrad.memory import caller, line_of
from minigrad.tensor import Tensor


class ReplayError(RuntimeError):
    """A step that is not the same computation each time, or an input of another shape."""


class Call(NamedTuple):
    """One call of a kernel."""

    kernel: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]
    out: tuple[np.ndarray, ...] = ()  # the arrays that it is given to fill
    new: bool = False  # whether these are its own, which nobody knew before


def record(
    step: Callable[..., Any], inputs: Sequence[Tensor], tensors: Sequence[Tensor]
) -> tuple[list[Call], list[np.ndarray]]:
    """Run ``step(*inputs)`` on traced ``tensors``: its calls, and the arrays of its results."""
    arrays = [x.data for x in tensors]
    tape = Traced.tape = []
    try:
        for x in tensors:
            x.data = x.data.view(Traced)
        result = step(*inputs)
        results = [plain(y.data) for y in (result if isinstance(result, tuple) else [result])]
    finally:
        Traced.tape = None
        for x, array in zip(tensors, arrays, strict=True):
            x.data = array
            if x.grad is not None:
                x.grad.data = plain(x.grad.data)
    return tape, results


def plain(x: Any) -> Any:
    """``x`` untraced, through the lists and tuples that functions take."""
    if isinstance(x, list | tuple):
        return type(x)(map(plain, x))
    return x.view(np.ndarray) if isinstance(x, Traced) else x


def arrays_in(x: Any) -> Iterator[np.ndarray]:
    """All arrays in ``x``, through lists and tuples."""
    if isinstance(x, list | tuple):
        for part in x:
            yield from arrays_in(part)
    elif isinstance(x, np.ndarray):
        yield x


def owner(x: np.ndarray) -> np.ndarray:
    """The array whose memory ``x`` shows."""
    while isinstance(base := _base(x), np.ndarray):
        x = base
    return x


_base = np.ndarray.base.__get__


class Traced(np.ndarray):
    """An array that writes down what is computed from it; what comes out is traced in turn."""

    tape: list[Call] | None = None  # while nothing is recorded, it computes as any array does

    @property
    def base(self) -> Any:
        """What it is a part of; None if it is all of its memory, as if there were no tracing."""
        whole = owner(self)
        return None if whole.nbytes == self.nbytes else whole

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **options: Any
    ) -> Any:
        kernel = getattr(ufunc, method)
        args, options = tuple(map(plain, inputs)), {name: plain(x) for name, x in options.items()}
        given = () if out is None else plain(out)
        results = kernel(*args, **options, **({"out": given} if given else {}))
        if self.tape is None:
            return results
        if method == "at":
            self.tape.append(Call(kernel, args, options))
            return None
        several = isinstance(results, tuple)
        filled = given or tuple(map(np.asarray, results if several else (results,)))
        if method == "__call__":
            kernel, args = ufunc, tuple(_as_array(x, args, filled[0].shape) for x in args)
            if ufunc is np.matmul and not given and all(x.ndim == 2 for x in args):  # noqa: PLR2004
                kernel = np.dot  # the same product, called faster
        self.tape.append(Call(kernel, args, options, filled, new=not given))
        traced = out or tuple(x.view(Traced) for x in filled)
        return traced if several else traced[0]

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        known = len(self.tape or ())
        result = super().__array_function__(func, types, args, kwargs)
        if self.tape is None or len(self.tape) > known:  # of a function written in Python the
            return result  # parts have been written down
        return self._came(result, func, plain(args), {name: plain(x) for name, x in kwargs.items()})

    def _came(self, result: Any, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Write down where ``result`` came from, unless it is a view."""
        if self.tape is None:
            return result
        if type(result) in (bool, int, float, list) or result is None:
            self.tape.append(Call(_same, (line_of(caller()), result, func, args, kwargs), {}))
            return result
        out = np.asarray(plain(result))
        if not any(np.may_share_memory(out, x) for x in arrays_in(args)):
            call = Call(_copied, (func, args, kwargs), {}, (out,), new=True)
            if func in (np.dot, np.concatenate):
                call = Call(func, args, kwargs, (out,), new=True)
            elif func is np.ndarray.astype:
                call = Call(cast, args[:1], {}, (out,), new=True)
            self.tape.append(call)
        return out.view(Traced)

    def __setitem__(self, key: Any, value: Any) -> None:
        args = (plain(self), plain(key), plain(value))
        operator.setitem(*args)
        if self.tape is not None:
            self.tape.append(Call(operator.setitem, args, {}))


def _method(name: str) -> Callable[..., Any]:
    """A method that NumPy computes without asking the protocols above."""
    func = getattr(np.ndarray, name)

    def method(self: Traced, *args: Any, **kwargs: Any) -> Any:
        args = (plain(self), *plain(args))
        return self._came(func(*args, **kwargs), func, args, kwargs)

    return method


for _name in (
    *("__bool__", "__int__", "__float__", "__index__", "item", "tolist", "__getitem__"),
    *("reshape", "ravel", "flatten", "astype", "copy", "take", "repeat", "dot"),
    *("argmax", "argmin", "argsort", "cumsum", "cumprod"),
):
    setattr(Traced, _name, _method(_name))


class _Namespace(ModuleType):
    """NumPy, for traced arrays."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def zeros(self, shape: Any, dtype: Any) -> np.ndarray:
        """Zeros that the step may write to: each time they must be zeros again."""
        out = np.zeros(shape, dtype)
        if Traced.tape is not None:
            Traced.tape.append(Call(zero, (), {}, (out,), new=True))
        return out.view(Traced)

    def zeros_like(self, x: np.ndarray, dtype: Any = None) -> np.ndarray:
        """Zeros of the shape of ``x``."""
        return self.zeros(x.shape, dtype or x.dtype)

    def asarray(self, x: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        """``x`` as it is, or a copy, traced as before."""
        x = np.asanyarray(x, dtype)
        return x.copy() if copy else x


backend.adopt(Traced, _Namespace("numpy"))


def _as_array(x: Any, beside: tuple[Any, ...], shape: tuple[int, ...]) -> Any:
    """A number as an array of the dtype that it takes on, which each call would make anew."""
    like = next((a for a in beside if isinstance(a, np.ndarray)), None)
    if isinstance(x, bool) or not isinstance(x, int | float) or like is None:
        return x
    if like.dtype.kind != "f" and not (isinstance(x, int) and like.dtype.kind == "i"):
        return x
    return np.full(shape if math.prod(shape) <= SMALL else (), x, like.dtype)


SMALL = 1024  # up to this many entries NumPy takes a whole array faster than one number


# ── kernels that NumPy has not in this form ──────────────────────────────────────────────────────


def zero(out: np.ndarray) -> None:
    """Fill with zeros."""
    out.fill(0)


def cast(x: np.ndarray, out: np.ndarray) -> None:
    """Fill with the numbers of ``x``, in the dtype of ``out``."""
    np.copyto(out, x, casting="unsafe")


def _copied(func: Callable[..., Any], args: Any, kwargs: Any, out: np.ndarray) -> None:
    """For a function that cannot fill an array given to it."""
    np.copyto(out, func(*args, **kwargs))


def _same(line: str, found: Any, func: Callable[..., Any], args: Any, kwargs: Any) -> None:
    """A number that Python has read, and may have decided by, must stay what it was."""
    now = func(*args, **kwargs)
    if now != found:
        raise ReplayError(
            f"replay needs a step that computes the same each time; at {line} it read {found} "
            f"from an array, which now gives {now}. Call the step itself for such data, or "
            "return the tensor and read the number outside."
        )
