"""What a backend is: an array library, and the doors that the Array API standard leaves out."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

Array = Any  # numpy.ndarray, cupy.ndarray, or any array of a registered backend


class Backend(NamedTuple):
    """An array library: its namespace and the two doors between it and the host."""

    name: str
    xp: ModuleType
    from_numpy: Callable[[np.ndarray], Array]
    to_numpy: Callable[[Array], np.ndarray]
    # Two kernels that the Array API standard lacks:
    add_at: Callable[[Array, Any, Array], None]  # x[index] += y, repeated targets adding up
    erf: Callable[[Array], Array]  # the error function
    block: int = 2**19  # entries that a kernel may take at once and still find in the cache


_namespaces: dict[type, ModuleType] = {}


def adopt(kind: type, module: ModuleType) -> None:
    """Let arrays of class ``kind`` be computed on by ``module``."""
    _namespaces[kind] = module


def namespace(x: Array) -> Any:
    """The module whose functions work on ``x``; Python scalars belong to NumPy."""
    found = _namespaces.get(type(x))
    if found is None:
        root = type(x).__module__.partition(".")[0]
        found = sys.modules[root] if root != "builtins" else np
        _namespaces[type(x)] = found
    return found
