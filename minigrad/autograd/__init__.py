"""PyTorch's path to derivatives: ``mg.autograd.grad``, ``mg.autograd.functional.jacobian``."""

from __future__ import annotations

from typing import Any

from minigrad import engine
from minigrad.anomaly import detect_anomaly
from minigrad.autograd import functional
from minigrad.recording import enable_grad, inference_mode, no_grad, set_grad_enabled
from minigrad.transforms import gradcheck

__all__ = [
    "backward",
    "detect_anomaly",
    "enable_grad",
    "functional",
    "grad",
    "gradcheck",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """`mg.grad`; graphs are kept as long as their result, so ``retain_graph`` changes nothing."""
    return engine.grad(outputs, inputs, grad_outputs, create_graph, allow_unused)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the gradients of these tensors, each from its upstream gradient, to their leaves."""
    ys = list(tensors) if isinstance(tensors, tuple | list) else [tensors]
    given = grad_tensors if isinstance(grad_tensors, tuple | list) else [grad_tensors] * len(ys)
    for y, g in zip(ys, given, strict=True):
        y.backward(g, create_graph=create_graph)
