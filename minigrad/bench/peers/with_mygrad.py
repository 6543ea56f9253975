"""MyGrad: NumPy's names on tensors of its own, with its memory guards off, as it advises."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from minigrad.bench.peers import Step
from minigrad.bench.peers.by_hand.perceptron import UPDATES
from minigrad.bench.peers.functional import Functional, Loss, follow
from minigrad.bench.workloads import CALLS, Problem


class WithMygrad(Functional):
    """`mygrad.Tensor`; the optimizers are those by hand."""

    label = "MyGrad"
    package = "mygrad"
    traced = True

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        super().__init__(backend, threads)
        self.xp: Any = import_module("mygrad")
        self._nnet: Any = import_module("mygrad.nnet")
        self.xp.turn_memory_guarding_off()

    def host(self, x: Any) -> np.ndarray:
        """A result as a NumPy array."""
        return np.asarray(getattr(x, "data", x))

    def cross_entropy(self, scores: Any, t: Any) -> Any:
        """MyGrad's own."""
        return self._nnet.losses.softmax_crossentropy(scores, t)

    def softmax(self, x: Any) -> Any:
        """MyGrad's own."""
        return self._nnet.activations.softmax(x, axis=-1)

    def train(self, loss: Loss, problem: Problem, running: list[np.ndarray]) -> Step:
        """Backward by MyGrad, the update in place."""
        tensors = [self.xp.tensor(w) for w in problem.weights]
        weights = [tensor.data for tensor in tensors]
        data, n = problem.data, len(problem.data["x"])
        update = UPDATES[problem.settings["optimizer"]](np, weights, problem.settings["lr"])

        def step() -> tuple[Any]:
            nonlocal running
            value, seen = loss(tensors, data)
            running = follow(running, [(mu.data, var.data) for mu, var in seen], n)
            value.backward()
            update([np.array(tensor.grad) for tensor in tensors])  # they may share memory
            for tensor in tensors:
                tensor.null_grad()
            return (value,)

        return step

    def conv(self, problem: Problem) -> Step:
        """`mygrad.nnet.layers.conv_nd`."""
        tensor = self.xp.tensor
        x, w, b = tensor(problem.data["x"]), *[tensor(w) for w in problem.weights]
        g, pad = problem.data["g"], problem.settings["padding"]
        conv_nd, reshape = self._nnet.layers.conv_nd, self.xp.reshape

        def step() -> tuple[Any, ...]:
            y = conv_nd(x, w, stride=1, padding=pad) + reshape(b, (1, -1, 1, 1))
            y.backward(g)
            answer = (y.data, x.grad, w.grad, b.grad)
            for leaf in (x, w, b):
                leaf.null_grad()
            return answer

        return step

    def record(self, problem: Problem) -> Step:
        """The calls by name."""
        name = problem.settings["op"]
        op = getattr(self.xp, name)
        x, y = self.xp.tensor(problem.weights[0]), problem.data["y"]
        args = (x,) if name == "tanh" else (x, y)

        def step() -> tuple[Any]:
            for _ in range(CALLS):
                z = op(*args)
            return (z,)

        return step
