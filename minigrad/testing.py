"""Checks for layers that you write: one call, one table."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.engine import grad
from minigrad.nn.module import Module
from minigrad.tensor import Tensor
from minigrad.transforms import gradcheck

TOLERANCE = 1e-9  # of the largest entry, in float64


@dataclass
class Report:
    """What `check_layer` found; true if nothing failed, and it prints as a table."""

    layer: str
    rows: list[tuple[str, str, str, str]] = field(default_factory=list)  # mode, check, verdict, why

    def __bool__(self) -> bool:
        """Whether nothing failed."""
        return not any(verdict == "FAILED" for _, _, verdict, _ in self.rows)

    def __repr__(self) -> str:
        """The table."""
        head = f"check_layer({self.layer}): {'passed' if self else 'FAILED'}"
        return "\n".join(
            [head, *(f"  {m:<6} {c:<24} {v:<13} {why}".rstrip() for m, c, v, why in self.rows)]
        )


def check_layer(
    layer: Module, input_shape: tuple[int, ...], torch_layer: Any = None, seed: int = 0
) -> Report:
    """Try a layer in every way that layers go wrong, in float64, on a copy of it.

    In training and in evaluation: first and second derivatives by the input and every parameter
    against central differences; an input that was broadcast; backward twice; an input that is not
    contiguous; NumPy against CuPy where there is a GPU; and PyTorch where it is installed.

    Parameters
    ----------
    layer
        A module that takes one tensor and answers one.
    input_shape
        The shape of its input, batch included: small, as every entry is moved in turn.
    torch_layer
        A module of PyTorch to compare with, given the layer's state_dict. If None, PyTorch's class
        of the same name is built from the layer's attributes of the constructor's names.
    seed
        For the input, and for layers that draw random numbers: each run draws the same.
    """
    report = Report(repr(layer).partition("\n")[0])
    host = np.random.default_rng(seed).standard_normal(input_shape)
    checks: dict[str, Callable[..., tuple[bool | None, str]]] = {
        "first derivatives": lambda run, x: _derivatives(run, x, 1),
        "second derivatives": lambda run, x: _derivatives(run, x, 2),
        "broadcast input": _broadcast,
        "backward twice": _twice,
        "non-contiguous input": _strided,
        "NumPy against CuPy": _on_cupy,
        "PyTorch": lambda run, x: _beside_torch(run, x, torch_layer),
    }
    for mode in ("train", "eval"):
        for name, check in checks.items():
            run = _Run(copy.deepcopy(layer).to("numpy").double().train(mode == "train"), seed)
            try:
                with run.repeatable():
                    good, why = check(run, host)
            except Exception as error:  # what a layer does wrong may raise anything
                good, why = False, f"{type(error).__name__}: {error}"
            verdict = "not compared" if good is None else "ok" if good else "FAILED"
            report.rows.append((mode, name, verdict, why))
    return report


class _Run:
    """A layer as a function of its input and parameters, the same at every call."""

    def __init__(self, layer: Module, seed: int) -> None:
        self.layer, self.seed = layer, seed
        self.buffers = [(b, b.data) for b in layer.buffers()]

    @contextmanager
    def repeatable(self) -> Iterator[None]:
        before = backend.generator()
        try:
            yield
        finally:
            backend.set_generator(before)
            for buffer, data in self.buffers:
                buffer.data = data

    def __call__(self, x: Tensor) -> Tensor:
        backend.manual_seed(self.seed)
        for buffer, data in self.buffers:
            buffer.data = backend.copy_as(data, data)
        return self.layer(x)

    def gradients(self, x: Tensor) -> list[np.ndarray]:
        """Output, and gradients of a fixed projection by the input and every parameter."""
        x = x if x.requires_grad else x.detach().requires_grad_()
        y = self(x)
        u = backend.copy_as(np.cos(np.arange(y.numel())).reshape(y.shape), y.data)
        by = [x, *self.layer.parameters()]
        found = grad(ops.sum(y * Tensor(u)), by, allow_unused=True)
        return [
            y.numpy(),
            *(
                np.zeros(t.shape) if g is None else g.numpy()
                for t, g in zip(by, found, strict=True)
            ),
        ]


def _same(found: list[np.ndarray], wanted: list[np.ndarray]) -> tuple[bool, str]:
    worst = 0.0
    for a, b in zip(found, wanted, strict=True):
        if a.shape != b.shape:
            return False, f"shapes {a.shape} and {b.shape} differ"
        scale = max(1.0, float(np.max(np.abs(b), initial=0.0)))
        worst = max(worst, float(np.max(np.abs(a - b), initial=0.0)) / scale)
    return worst <= TOLERANCE, f"largest difference {worst:.1e}"


def _derivatives(run: _Run, host: np.ndarray, order: int) -> tuple[bool, str]:
    parameters = list(run.layer.parameters())

    def function(x: Tensor, *values: Tensor) -> Tensor:
        with _replaced(run.layer, values):
            return run(x)

    verdict = gradcheck(function, (Tensor(host), *parameters), order=order)
    worst = max((c for c in verdict.checks if c.order == order), key=lambda check: check.error)
    names = ["the input", *(name for name, _ in run.layer.named_parameters())]
    return bool(verdict), (
        f"worst at {names[worst.input]}{list(worst.worst)}: rule {worst.rule:.6g}, "
        f"difference {worst.difference:.6g}{' (a kink?)' if worst.kink else ''}"
    )


@contextmanager
def _replaced(layer: Module, values: tuple[Tensor, ...]) -> Iterator[None]:
    """Let the layer compute with other tensors in its parameters' places."""
    places = [
        (module, name, value)
        for module in layer.modules()
        for name, value in vars(module).items()
        if any(value is parameter for parameter in layer.parameters())
    ]
    given = dict(zip(map(id, layer.parameters()), values, strict=True))
    try:
        for module, name, value in places:
            object.__setattr__(module, name, given[id(value)])
        yield
    finally:
        for module, name, value in places:
            object.__setattr__(module, name, value)


def _broadcast(run: _Run, host: np.ndarray) -> tuple[bool, str]:
    """An input stretched from a smaller tensor sends the sum of its gradient there."""
    small = Tensor(host[..., :1].copy()).requires_grad_()
    wide = ops.broadcast_to(small, host.shape)
    y = run(wide)
    u = Tensor(np.cos(np.arange(y.numel())).reshape(y.shape))
    (g,) = grad(ops.sum(y * u), small)
    full = run.gradients(Tensor(np.broadcast_to(host[..., :1], host.shape).copy()))[1]
    return _same([g.numpy()], [full.sum(-1, keepdims=True)]) if g is not None else (False, "none")


def _twice(run: _Run, host: np.ndarray) -> tuple[bool, str]:
    """A second backward through the same graph adds the same gradients again."""
    x = Tensor(host).requires_grad_()
    y = ops.sum(ops.square(run(x)))
    y.backward()
    leaves = [t for t in (x, *run.layer.parameters()) if t.grad is not None]
    once = [t.grad.numpy().copy() for t in leaves if t.grad is not None]
    y.backward()
    return _same([t.grad.numpy() for t in leaves if t.grad is not None], [2 * g for g in once])


def _strided(run: _Run, host: np.ndarray) -> tuple[bool, str]:
    wide = np.zeros((*host.shape, 2))[..., ::-1]
    wide[..., 0] = host
    return _same(run.gradients(Tensor(wide[..., 0])), run.gradients(Tensor(host)))


def _on_cupy(run: _Run, host: np.ndarray) -> tuple[bool | None, str]:
    try:
        backend.get("cupy")
    except RuntimeError:
        return None, "no CuPy with a GPU"
    wanted = run.gradients(Tensor(host))
    there = _Run(copy.deepcopy(run.layer).to("cupy"), run.seed)
    with backend.use("cupy"):
        return _same(there.gradients(Tensor(host).to("cupy")), wanted)


def _beside_torch(run: _Run, host: np.ndarray, torch_layer: Any) -> tuple[bool | None, str]:
    try:
        import torch  # noqa: PLC0415 - only where it is installed
    except ImportError:
        return None, "PyTorch is not installed"
    theirs = torch_layer if torch_layer is not None else _rebuilt(run.layer, torch)
    if theirs is None:
        return None, "PyTorch has no such layer; pass torch_layer"
    theirs = copy.deepcopy(theirs).double().train(run.layer.training)
    theirs.load_state_dict(
        {name: torch.tensor(t.numpy()) for name, t in run.layer.state_dict().items()}
    )
    x = torch.tensor(host, requires_grad=True)
    y = theirs(x)
    u = torch.cos(torch.arange(y.numel(), dtype=y.dtype)).reshape(y.shape)
    by = [x, *theirs.parameters()]
    found = torch.autograd.grad((y * u).sum(), by, allow_unused=True)
    wanted = [y, *(torch.zeros_like(t) if g is None else g for t, g in zip(by, found, strict=True))]
    return _same(run.gradients(Tensor(host)), [t.detach().numpy() for t in wanted])


def _rebuilt(layer: Module, torch: Any) -> Any:
    """PyTorch's layer of the same name, built from the attributes of the same names."""
    kind = getattr(torch.nn, type(layer).__name__, None)
    if kind is None:
        return None
    named = {
        name: getattr(layer, name)
        for name in inspect.signature(kind).parameters
        if hasattr(layer, name)
    }
    if isinstance(named.get("bias"), Tensor | None) and "bias" in named:
        named["bias"] = named["bias"] is not None
    try:
        built = kind(**named)
    except TypeError:
        return None
    return built if list(built.state_dict()) == list(layer.state_dict()) else None
