"""The derivatives of functions, on PyTorch's path; they are those of `minigrad.transforms`."""

from __future__ import annotations

from typing import Any

from minigrad.transforms import Function, hessian, hvp, jacobian, jvp, vjp

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def vhp(func: Function, inputs: Any, v: Any) -> tuple[Any, Any]:
    """(f(x), vᵀH) of a scalar f, which is `hvp`: a Hessian is symmetric."""
    return hvp(func, inputs, v)
