"""Where arrays live: NumPy on the host, CuPy on a GPU, told apart by the data.

Everything else in minigrad asks `namespace(x)` for the module that owns ``x`` and calls functions
of the Python Array API standard on it. `use` decides only where *new* tensors are born.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.backend.kernels import add_at as add_at
from minigrad.backend.kernels import added as added
from minigrad.backend.kernels import arange as arange
from minigrad.backend.kernels import cast as cast
from minigrad.backend.kernels import erf as erf
from minigrad.backend.kernels import increment as increment
from minigrad.backend.kernels import one_hot as one_hot
from minigrad.backend.kernels import ones as ones
from minigrad.backend.kernels import permute as permute
from minigrad.backend.kernels import product as product
from minigrad.backend.kernels import reshape as reshape
from minigrad.backend.kernels import zeros as zeros
from minigrad.backend.places import default as default
from minigrad.backend.places import get as get
from minigrad.backend.places import names as names
from minigrad.backend.places import of as of
from minigrad.backend.places import place as place
from minigrad.backend.places import register as register
from minigrad.backend.places import to as to
from minigrad.backend.places import to_numpy as to_numpy
from minigrad.backend.places import use as use
from minigrad.backend.protocol import Array as Array
from minigrad.backend.protocol import Backend as Backend
from minigrad.backend.protocol import adopt as adopt
from minigrad.backend.protocol import namespace as namespace
from minigrad.backend.random import generator as generator
from minigrad.backend.random import manual_seed as manual_seed
from minigrad.backend.random import set_generator as set_generator
from minigrad.backend.sums import largest as largest
from minigrad.backend.sums import mean as mean
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
