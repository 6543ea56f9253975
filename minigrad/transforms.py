"""Derivatives of functions: products with Jacobians, whole Jacobians and Hessians, and checks.

Names, arguments and answers are those of ``torch.autograd.functional``: ``inputs`` is a Tensor or
a tuple of them, and where it is a tuple so is the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.engine import grad, vertex
from minigrad.recording import enable_grad
from minigrad.tensor import Tensor, wrap

Function = Callable[..., Any]


def _inputs(inputs: Any, fresh: bool = True) -> tuple[Tensor, ...]:
    """``inputs`` as a tuple of leaves of their own, or connected to where they came from."""
    given = inputs if isinstance(inputs, tuple | list) else (inputs,)
    tensors = [x if isinstance(x, Tensor) else Tensor(x) for x in given]
    if fresh:
        return tuple(x.detach().requires_grad_() for x in tensors)
    return tuple(x if x.requires_grad else x.detach().requires_grad_() for x in tensors)


def _like(inputs: Any, answers: tuple[Any, ...]) -> Any:
    return answers if isinstance(inputs, tuple | list) else answers[0]


def _gradients(y: Tensor, xs: tuple[Tensor, ...], v: Any, create_graph: bool) -> tuple[Tensor, ...]:
    """vᵀ ∂y/∂x for each x; zeros where y does not depend on it."""
    if vertex(y) is None:
        return tuple(ops.zeros_like(x) for x in xs)
    found = grad(y, xs, v, create_graph=create_graph, allow_unused=True)
    return tuple(ops.zeros_like(x) if g is None else g for x, g in zip(xs, found, strict=True))


def vjp(func: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """(f(x), vᵀJ): the product of a row vector with the Jacobian, in one backward pass."""
    with enable_grad():
        xs = _inputs(inputs, fresh=not create_graph)
        y = func(*xs)
        products = _gradients(y, xs, v, create_graph)
    return (y if create_graph else y.detach()), _like(inputs, products)


def jvp(func: Function, inputs: Any, v: Any, create_graph: bool = False) -> tuple[Any, Any]:
    """(f(x), Jv): the product of the Jacobian with a column vector, by differentiating uᵀJ in u.

    u ↦ uᵀJ is linear with matrix Jᵀ, so its own product with v is vᵀJᵀ = (Jv)ᵀ.
    """
    with enable_grad():
        xs = _inputs(inputs, fresh=not create_graph)
        y = func(*xs)
        u = ops.zeros_like(y).requires_grad_()
        rows = _gradients(y, xs, u, create_graph=True)
        (product,) = _gradients(_dot("jvp", rows, v), (u,), None, create_graph)
    return (y if create_graph else y.detach()), product


def jacobian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """∂f/∂x with shape (*f.shape, *x.shape): one backward pass per entry of f."""
    with enable_grad():
        xs = _inputs(inputs, fresh=not create_graph)
        y = func(*xs)
        rows = [_gradients(y, xs, seed, create_graph) for seed in basis(y)]
    stack = ops.stack if create_graph else lambda parts: wrap(_stacked([p.data for p in parts]))
    answers = tuple(
        ops.reshape(stack([row[i] for row in rows]), (*y.shape, *x.shape))
        if rows
        else ops.reshape(
            ops.zeros_like(x)[:0] if x.ndim else x.detach()[None][:0], (*y.shape, *x.shape)
        )
        for i, x in enumerate(xs)
    )
    return _like(inputs, answers)


def _stacked(arrays: list[Any]) -> Any:
    return namespace(arrays[0]).stack(arrays)


def basis(y: Tensor) -> Any:
    """The unit vectors of the shape of ``y``, one after the other."""
    for i in range(y.numel()):
        unit = backend.zeros((y.numel(),), like=y.data)
        unit[i] = 1
        yield wrap(backend.reshape(unit, y.shape))


def hessian(func: Function, inputs: Any, create_graph: bool = False) -> Any:
    """∂²f/∂x∂x of a scalar f, with shape (*x.shape, *x.shape); a tuple of tuples for several x."""

    def gradient(*xs: Tensor) -> Any:
        return _gradients(_scalar("hessian", func(*xs)), xs, None, create_graph=True)

    several = isinstance(inputs, tuple | list)
    n = len(inputs) if several else 1
    rows = tuple(
        jacobian(lambda *xs, i=i: gradient(*xs)[i], inputs, create_graph) for i in range(n)
    )
    return rows if several else rows[0]


def hvp(func: Function, inputs: Any, v: Any) -> tuple[Any, Any]:
    """(f(x), Hv) of a scalar f: differentiate the gradient's product with v."""
    with enable_grad():
        xs = _inputs(inputs)
        y = _scalar("hvp", func(*xs))
        gs = _gradients(y, xs, None, create_graph=True)
        products = _gradients(_dot("hvp", gs, v), xs, None, create_graph=False)
    return y.detach(), _like(inputs, products)


def _dot(asker: str, gs: tuple[Tensor, ...], v: Any) -> Tensor:
    """Σ g·v over all inputs."""
    vs = v if isinstance(v, tuple | list) else (v,)
    found = [tuple(getattr(part, "shape", ())) for part in vs]
    if found != [g.shape for g in gs]:
        raise ValueError(
            f"{asker} needs a v of each input's shape, {[g.shape for g in gs]}; got {found}. "
            "Reshape v, or pass one for each input."
        )
    total: Any = 0.0
    for g, part in zip(gs, vs, strict=True):
        total = total + ops.sum(g * part)
    return total


def _scalar(asker: str, y: Tensor) -> Tensor:
    if y.numel() != 1:
        raise ValueError(
            f"{asker} needs a function with a scalar result; got shape {y.shape}. Reduce it, for "
            "example with .sum()."
        )
    return y


# ── gradient checking ────────────────────────────────────────────────────────────────────────────


@dataclass
class Check:
    """One row of a verdict: one input at one order of derivative."""

    order: int
    input: int
    error: float  # largest |rule − difference| / (atol + rtol·|difference|); at most 1 passes
    worst: tuple[int, ...]  # the entry where it is
    rule: float
    difference: float
    kink: bool  # whether the two one-sided differences disagree there


@dataclass
class Verdict:
    """What `gradcheck` found; true if all entries agree, and it prints as a table."""

    checks: list[Check] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        """Whether every derivative agrees with its central difference."""
        return bool(self.checks) and all(check.error <= 1 for check in self.checks)

    def __repr__(self) -> str:
        """A table with the worst entry of each input at each order."""
        lines = ["gradcheck: " + ("passed" if self else "FAILED")]
        lines.append("  order  input  worst entry   by rule        by difference  error/tolerance")
        lines += [
            f"  {c.order:<6} {c.input:<6} {c.worst!s:<13} {c.rule:<14.7g} {c.difference:<14.7g} "
            f"{c.error:.2g}{'' if c.error <= 1 else '  ✗'}{'  (a kink?)' if c.kink else ''}"
            for c in self.checks
        ]
        return "\n".join([*lines, *(f"  note: {note}" for note in self.notes)])


def gradcheck(
    func: Function,
    inputs: Any,
    order: int = 2,
    eps: float = 1e-6,
    atol: float = 1e-6,
    rtol: float = 1e-5,
) -> Verdict:
    """Compare derivatives by the rules with central differences, entry by entry.

    The result of ``func`` is projected on a fixed random direction u, and the gradient of u·f is
    compared with (u·f(x + εe) − u·f(x − εe))/2ε for every unit vector e. At order 2 the same is
    done to that gradient.

    Parameters
    ----------
    func, inputs
        A function of Tensors and where to check it; use float64.
    order
        How many orders of derivative to check.
    eps, atol, rtol
        The step, and how far rule and difference may differ: atol + rtol·|difference|.
    """
    verdict = Verdict()
    xs = _inputs(inputs)
    random = np.random.default_rng(0)
    if any("float64" not in str(x.dtype) for x in xs):
        verdict.notes.append(
            "an input is not float64: differences are then good to 3 digits at best; use x.double()"
        )
    for k in range(1, order + 1):
        scalar = _projected(func, xs, random)
        gradient = _gradient_of(scalar)
        for i, g in enumerate(gradient(*xs)):
            if xs[i].numel():
                verdict.checks.append(_compare(k, i, g.numpy(), scalar, xs, eps, atol, rtol))
        func = gradient
    if any(check.kink and check.error > 1 for check in verdict.checks):
        verdict.notes.append(
            "one-sided differences disagree at an entry marked (a kink?): the function has a "
            "corner within ε of it, where no derivative exists; check at another point"
        )
    if not verdict.checks:
        verdict.notes.append("there was nothing to check: all inputs are empty")
    return verdict


def _projected(func: Function, xs: tuple[Tensor, ...], random: np.random.Generator) -> Function:
    """x ↦ u·f(x) for a fixed random u."""

    def outputs(*inputs: Tensor) -> list[Tensor]:
        found = func(*inputs)
        return list(found) if isinstance(found, tuple | list) else [found]

    us = [Tensor(backend.copy_as(random.standard_normal(y.shape), y.data)) for y in outputs(*xs)]

    def scalar(*inputs: Tensor) -> Tensor:
        total: Any = 0.0
        for u, y in zip(us, outputs(*inputs), strict=True):
            total = total + ops.sum(u * y)
        return total

    return scalar


def _gradient_of(scalar: Function) -> Function:
    def gradient(*xs: Tensor) -> tuple[Tensor, ...]:
        with enable_grad():
            return _gradients(scalar(*xs), xs, None, create_graph=True)

    return gradient


def _compare(
    order: int,
    i: int,
    by_rule: np.ndarray,
    scalar: Function,
    xs: tuple[Tensor, ...],
    eps: float,
    atol: float,
    rtol: float,
) -> Check:
    """Difference ``scalar`` by each entry of input ``i``; report the entry that is furthest off."""
    host = xs[i].numpy()
    here = scalar(*xs).item()
    worst = Check(order, i, -1.0, (), math.nan, math.nan, False)

    def shifted(index: tuple[int, ...], step: float) -> float:
        moved = host.copy()
        moved[index] += step
        x = Tensor(backend.of(xs[i].data).from_numpy(moved)).requires_grad_()
        return float(scalar(*xs[:i], x, *xs[i + 1 :]).item())

    for index in np.ndindex(host.shape):
        above, below = shifted(index, eps), shifted(index, -eps)
        difference = (above - below) / (2 * eps)
        rule = float(by_rule[index])
        error = abs(rule - difference) / (atol + rtol * abs(difference))
        if not error <= worst.error:  # a NaN is the worst of all
            bend = abs((above - here) - (here - below)) / eps
            kink = bend > 1e-3 * max(abs(above - here), abs(here - below), eps) / eps
            worst = Check(order, i, error, index, rule, difference, kink)
            if math.isnan(error):
                worst.error = math.inf
                break
    return worst
