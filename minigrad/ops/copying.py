"""The same entries again: in other memory, with another dtype, in another place."""

from __future__ import annotations

from typing import Any

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive


@primitive
def clone(x: Array) -> Array:
    """The same entries in memory of their own."""
    return namespace(x).asarray(x, copy=True)


clone.vjp(x=lambda g: g)


@primitive
def _astype(x: Array, *, dtype: Any) -> Array:
    xp = namespace(x)
    return xp.astype(x, backend.dtype_on(xp, dtype))


_astype.vjp(x=lambda g: g)  # the cast back is the engine's: see fit


def astype(x: Any, dtype: Any) -> Any:
    """The same entries with another dtype."""
    return _astype(x, dtype=dtype)


@primitive
def _transfer(x: Array, *, source: str, target: str) -> Array:
    return backend.to(x, target)


_transfer.vjp(x=lambda g, source, target: _transfer(g, source=target, target=source))


def transfer(x: Any, target: str) -> Any:
    """The same entries on another backend; the gradient travels back."""
    return _transfer(x, source=x.backend, target=target)
