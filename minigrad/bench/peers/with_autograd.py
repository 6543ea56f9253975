"""autograd (HIPS), whose gradients are of functions written with its own NumPy."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from minigrad.bench.peers import Skip, Step
from minigrad.bench.peers.by_hand.perceptron import UPDATES
from minigrad.bench.peers.functional import Functional, Loss, follow
from minigrad.bench.workloads import Problem


class WithAutograd(Functional):
    """`autograd.value_and_grad`; the optimizers are those by hand."""

    label = "autograd"
    package = "autograd"
    traced = True

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        super().__init__(backend, threads)
        self.autograd: Any = import_module("autograd")
        self.xp: Any = import_module("autograd.numpy")
        self._getval: Any = import_module("autograd.tracer").getval

    def cross_entropy(self, scores: Any, t: Any) -> Any:
        """Written out; the largest score is a constant."""
        xp = self.xp
        z = scores - self._getval(scores).max(axis=1, keepdims=True)
        return xp.mean(xp.log(xp.sum(xp.exp(z), axis=1)) - z[np.arange(len(t)), t])

    def softmax(self, x: Any) -> Any:
        """Written out; the largest entry is a constant."""
        e = self.xp.exp(x - self._getval(x).max(axis=-1, keepdims=True))
        return e / self.xp.sum(e, axis=-1, keepdims=True)

    def train(self, loss: Loss, problem: Problem, running: list[np.ndarray]) -> Step:
        """The gradient by autograd, the update in place."""
        weights = [w.copy() for w in problem.weights]
        data, n = problem.data, len(problem.data["x"])
        update = UPDATES[problem.settings["optimizer"]](np, weights, problem.settings["lr"])
        seen: list[tuple[Any, Any]] = []

        def scalar(weights: list[Any]) -> Any:
            value, seen[:] = loss(weights, data)
            return value

        derivative = self.autograd.value_and_grad(scalar)

        def step() -> tuple[Any]:
            nonlocal running
            value, gradients = derivative(weights)
            statistics = [(self._getval(mu), self._getval(var)) for mu, var in seen]
            running = follow(running, statistics, n)
            update([np.array(g) for g in gradients])  # its gradients may share memory
            return (value,)

        return step

    def gradient(self, problem: Problem) -> Step:
        """`autograd.value_and_grad`."""
        loss = self.mlp_loss("batch")
        derivative = self.autograd.value_and_grad(lambda ws: loss(ws, problem.data)[0])

        def step() -> tuple[Any, ...]:
            value, gradients = derivative(problem.weights)
            return (value, *gradients)

        return step

    def hvp(self, problem: Problem) -> Step:
        """The gradient of the gradient's product with v."""
        loss = self.mlp_loss("batch")
        v = [x for name, x in problem.data.items() if name[0] == "v"]
        value: Any = None

        def first(weights: list[Any]) -> Any:
            nonlocal value
            value, _ = loss(weights, problem.data)
            return value

        gradient = self.autograd.grad(first)

        def along(weights: list[Any]) -> Any:
            parts = [self.xp.sum(g * u) for g, u in zip(gradient(weights), v, strict=True)]
            return sum(parts)

        product = self.autograd.grad(along)

        def step() -> tuple[Any, ...]:
            answer = product(problem.weights)
            return (self._getval(self._getval(value)), *answer)

        return step

    def record(self, problem: Problem) -> Step:
        """Left out."""
        raise Skip("it records only inside the function that grad is called on")
