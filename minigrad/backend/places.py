"""The backends there are, which of them is the default, and the ways from one to another."""

from __future__ import annotations

import math
import os
from collections.abc import Callable

import numpy as np

from minigrad.backend.protocol import Array, Backend, namespace
from minigrad.backend.sums import ndarray


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
        global _default  # noqa: PLW0603 - the same switch
        chosen = get(name)
        self._before = _default
        _default = chosen

    def __enter__(self) -> None:
        """Nothing left to do: the switch is made."""

    def __exit__(self, *error: object) -> None:
        """Switch back."""
        global _default  # noqa: PLW0603 - the same switch
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
