"""Where arrays live: NumPy on the host, CuPy on a GPU, told apart by the data.

Everything else in minigrad asks `namespace(x)` for the module that owns ``x`` and calls functions
of the Python Array API standard on it. `use` decides only where *new* tensors are born.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.backend.protocol import Array as Array
from minigrad.backend.protocol import Backend as Backend
from minigrad.backend.protocol import adopt as adopt
from minigrad.backend.protocol import namespace as namespace
from minigrad.backend.random import generator as generator
from minigrad.backend.random import manual_seed as manual_seed
from minigrad.backend.random import set_generator as set_generator
from minigrad.backend.sums import largest as largest
from minigrad.backend.sums import mean as mean
from minigrad.backend.sums import ndarray
from minigrad.backend.sums import sum_to as sum_to
from minigrad.backend.sums import total as total

SCALAR = np.generic  # what NumPy answers where the Array API promises a 0-d array

float16 = np.dtype("float16")
float32 = np.dtype("float32")
float64 = np.dtype("float64")
int8 = np.dtype("int8")
int16 = np.dtype("int16")
int32 = np.dtype("int32")
int64 = np.dtype("int64")
uint8 = np.dtype("uint8")
bool_ = np.dtype("bool")


def _load_cupy() -> Backend:
    from minigrad.backend.cupy import load  # noqa: PLC0415 - only where the user asks for it

    return load()


def _load_numpy() -> Backend:
    # glibc hands freed arrays of up to this size back to the system, page by page, until it has
    # seen one: a training step would fault its memory in again each time (measured: 1.3 to 1.9 ×).
    np.empty(2**25 - 2**16, np.uint8)
    return Backend("numpy", np, np.asarray, np.asanyarray, np.add.at, _erf)


def _erf(x: np.ndarray) -> np.ndarray:
    """SciPy's where it is installed (with the lessons it is), else Python's, entry by entry."""
    try:
        from scipy.special import erf  # noqa: PLC0415 - no dependency of the engine
    except ImportError:
        return np.vectorize(math.erf, otypes=[x.dtype])(x)
    return np.asanyarray(erf(x))


_loaders: dict[str, Callable[[], Backend]] = {"numpy": _load_numpy, "cupy": _load_cupy}
_loaded: dict[str, Backend] = {}
_default: Backend | None = None


def register(name: str, load: Callable[[], Backend]) -> None:
    """Offer a further backend under ``name``; ``load`` runs when it is first asked for."""
    _loaders[name] = load


def names() -> list[str]:
    """The names of all backends that can be asked for."""
    return list(_loaders)


def place(name: str) -> str | None:
    """The backend that ``name`` means: its own name, or PyTorch's word for where it computes."""
    name = {"cpu": "numpy", "cuda": "cupy"}.get(name.partition(":")[0], name)
    return name if name in _loaders else None


def get(name: str) -> Backend:
    """The backend called ``name``; its library is imported the first time."""
    if name in _loaded:
        return _loaded[name]
    if name not in _loaders:
        known = ", ".join(repr(known) for known in _loaders)
        raise ValueError(f"use({name!r}) asks for an unknown backend. Known ones: {known}.")
    _loaded[name] = _loaders[name]()
    return _loaded[name]


def default() -> Backend:
    """Where new tensors are born: as `use` says, else MINIGRAD_BACKEND, else NumPy."""
    global _default  # noqa: PLW0603 - the one switch of the package
    if _default is None:
        _default = get(os.environ.get("MINIGRAD_BACKEND") or "numpy")
    return _default


class use:  # noqa: N801 - a call and a context manager, spelled as a verb
    """Choose where new tensors are born, for good or for a ``with`` block.

    ``mg.use("cupy")`` switches the process; ``with mg.use("cupy"):`` switches back at the end.
    Existing tensors stay where they are.
    """

    def __init__(self, name: str) -> None:
        global _default  # noqa: PLW0603
        chosen = get(name)
        self._before = _default
        _default = chosen

    def __enter__(self) -> None:
        """Nothing left to do: the switch is made."""

    def __exit__(self, *error: object) -> None:
        """Switch back."""
        global _default  # noqa: PLW0603
        _default = self._before


def of(x: Array) -> Backend:
    """The backend that ``x`` lives on."""
    if type(x) is ndarray:
        return get("numpy")
    xp = namespace(x)
    for backend in _loaded.values():
        if backend.xp is xp:
            return backend
    return get(xp.__name__)


def to(x: Array, name: str) -> Array:
    """``x`` on the backend called ``name``: itself if it is there, else a copy through the host."""
    source, target = of(x), get(name)
    return x if source is target else target.from_numpy(source.to_numpy(x))


def to_numpy(x: Array) -> np.ndarray:
    """``x`` as a NumPy array: itself if it is one, else copied to the host."""
    return of(x).to_numpy(x)


def is_array(x: object) -> bool:
    """Whether ``x`` is an array of some backend (not a list, not a Python scalar)."""
    return hasattr(x, "dtype") and hasattr(x, "shape")


def lift(value: Any, like: Array) -> Array:
    """``value`` as an array beside ``like``: its backend and, unless it has one, its dtype."""
    if is_array(value) and not isinstance(value, np.ndarray | SCALAR):
        return value
    dtype = None if is_array(value) else str(like.dtype).rpartition(".")[2]
    return of(like).from_numpy(np.asarray(value, dtype=dtype))


def copy_as(value: Any, like: Array) -> Array:
    """A copy of ``value`` on the backend and with the dtype of ``like``."""
    target = of(like)
    if is_array(value) and hasattr(value, "detach"):  # a tensor of another library, on the host
        value = value.detach().numpy()
    moved = target.from_numpy(to_numpy(value)) if of(value) is not target else value
    return target.xp.astype(target.xp.asarray(moved, copy=True), like.dtype)


def is_float(dtype: Any) -> bool:
    """Whether ``dtype`` is one of floating numbers."""
    kind = getattr(dtype, "kind", None)  # what NumPy and CuPy say; asking str() takes longer
    return kind == "f" if kind else "float" in str(dtype)


def is_integer(dtype: Any) -> bool:
    """Whether ``dtype`` is one of integers."""
    kind = getattr(dtype, "kind", None)
    return kind in ("i", "u") if kind else "int" in str(dtype)


def as_index(key: list[Any]) -> Array:
    """A list used as an index, as an array of the default backend."""
    return default().from_numpy(np.asarray(key, dtype=None if key else np.intp))


def _beside(like: Array) -> dict[str, Any]:
    """The arguments by which a creation function puts its array on the device of ``like``."""
    return {} if of(like).name in ("numpy", "cupy") else {"device": like.device}


def zeros(shape: tuple[int, ...], like: Array) -> Array:
    """Zeros beside ``like``, of its dtype."""
    if type(like) is ndarray:
        return np.zeros(shape, like.dtype)
    return namespace(like).zeros(shape, dtype=like.dtype, **_beside(like))


def ones(shape: tuple[int, ...], like: Array) -> Array:
    """Ones beside ``like``, of its dtype."""
    if type(like) is ndarray:
        out = np.empty(shape, like.dtype)  # np.ones is Python around the same
        out.fill(1)
        return out
    return namespace(like).ones(shape, dtype=like.dtype, **_beside(like))


def arange(n: int, like: Array) -> Array:
    """0 … n − 1 beside ``like``."""
    if type(like) is ndarray:
        return np.arange(n)
    return namespace(like).arange(n, **_beside(like))


def add_at(x: Array, index: Any, y: Array) -> None:
    """x[index] += y, where a target named twice takes both."""
    of(x).add_at(x, index, y)


def added(out: Array, b: Array) -> Array:
    """out + b, where ``out`` is the caller's own: in place, if the sum has its shape and dtype."""
    if b.dtype == out.dtype:
        try:
            out += b
        except ValueError:  # the sum would be wider than out
            pass
        else:
            return out
    return out + b


def count_on(n: Array) -> None:
    """n += 1, of no axes; on the host by way of a Python number, in a fifth of the time."""
    if type(n) is ndarray:
        n.fill(n.item() + 1)
    else:
        n += 1


def cast(x: Array, dtype: Any) -> Array:
    """``x`` with another dtype."""
    return x.astype(dtype) if type(x) is ndarray else namespace(x).astype(x, dtype)


def one_hot(labels: Array, classes: int, axis: int, dtype: Any) -> Array | None:
    """A 1 at each of ``labels`` along a new ``axis`` of zeros; None if any has no place there."""
    n = labels.size
    if type(labels) is ndarray and labels.dtype == int64 and labels.ndim == axis == 1:
        rows = np.zeros((n, classes), dtype)
        try:
            rows[np.arange(n), labels] = 1
            np.bincount(labels)  # refuses negative ones, which an index counts from the end
        except (IndexError, ValueError):
            return None
        return rows
    xp = namespace(labels)
    numbers = arange(classes, like=labels)[(..., *[None] * (labels.ndim - axis))]
    hot = xp.expand_dims(labels, axis=axis) == numbers
    return cast(hot, dtype) if int(xp.count_nonzero(hot)) == n else None


def product(x: Array, y: Array) -> Array:
    """X Y, of matrices."""
    if type(x) is type(y) is ndarray and x.ndim == y.ndim == 2:  # noqa: PLR2004
        return x.dot(y)  # the same product, called faster
    return namespace(x).matmul(x, y)


def erf(x: Array) -> Array:
    """The error function of each entry."""
    return of(x).erf(x)


def dtype_on(xp: Any, dtype: Any) -> Any:
    """The dtype object by which ``xp`` calls ``dtype``."""
    try:
        return getattr(xp, np.dtype(dtype).name)
    except TypeError:  # already one of xp's own
        return dtype


# ── the default dtype ───────────────────────────────────────────────────────────────────────────

_default_dtype = float32


def set_default_dtype(dtype: Any) -> None:
    """Make ``dtype`` (float32 at the start) that of new parameters and of Python floats."""
    global _default_dtype  # noqa: PLW0603
    found = np.dtype(dtype)
    if found.kind != "f":
        raise TypeError(
            f"set_default_dtype needs a floating dtype; got {found}. Use mg.float32 or mg.float64."
        )
    _default_dtype = found


def get_default_dtype() -> np.dtype[Any]:
    """The dtype of new parameters and of Python floats."""
    return _default_dtype
