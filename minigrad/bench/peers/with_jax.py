"""JAX: the whole step, optimizer included, compiled as one function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from minigrad.bench.peers import Step
from minigrad.bench.peers.functional import Functional, Loss, follow
from minigrad.bench.workloads import Problem


class WithJax(Functional):
    """`jax.jit` of the step; the old weights' memory is given back to it."""

    label = "JAX jit"
    package = "jax"
    on_gpu = True

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        super().__init__(backend, threads)
        self.jax: Any = import_module("jax")
        self.xp = import_module("jax.numpy")
        wanted = "gpu" if backend == "cupy" else "cpu"
        try:
            self._device = self.jax.devices(wanted)[0]
        except RuntimeError as error:
            raise ImportError(f"JAX has no {wanted}: {error}") from error

    def wait(self, results: Sequence[Any]) -> None:
        """Wait for what was only begun."""
        self.jax.block_until_ready(results)

    def cross_entropy(self, scores: Any, t: Any) -> Any:
        """Through JAX's own log-softmax."""
        xp = self.xp
        return -xp.mean(self.jax.nn.log_softmax(scores)[xp.arange(len(t)), t])

    def softmax(self, x: Any) -> Any:
        """JAX's own."""
        return self.jax.nn.softmax(x, axis=-1)

    def lstm_loss(self, weights: Sequence[Any], data: dict[str, Any]) -> Any:
        """A `lax.scan` over the steps of the sequence, and the mean squared error."""
        xp = self.xp
        w_in, w_state, b_in, b_state = weights
        x, t, size = data["x"], data["t"], w_state.shape[1]

        def cell(state: Any, a: Any) -> Any:
            h, c = self.lstm_cell(a + xp.matmul(state[0], w_state.T), state[1], size)
            return (h, c), h

        zeros = xp.zeros_like(t[0])
        _, h = self.jax.lax.scan(cell, (zeros, zeros), xp.matmul(x, w_in.T) + (b_in + b_state))
        return xp.mean((h - t) ** 2), []

    def _put(self, x: Any) -> Any:
        return self.jax.device_put(x, self._device)

    def train(self, loss: Loss, problem: Problem, running: list[np.ndarray]) -> Step:
        """Gradient and update in one compiled function."""
        xp, lr = self.xp, problem.settings["lr"]
        adam = problem.settings["optimizer"] == "adam"
        data = self._put(problem.data)
        n = len(problem.data["x"])

        def advance(state: Any, data: Any) -> Any:
            weights, running, means, steps = state
            (value, seen), gradients = self.jax.value_and_grad(loss, has_aux=True)(weights, data)
            if not adam:
                weights = [w - lr * g for w, g in zip(weights, gradients, strict=True)]
                return value, (weights, follow(running, seen, n), means, steps)
            steps = steps + 1
            moved, kept = [], []
            for w, g, (m, v) in zip(weights, gradients, means, strict=True):
                m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g  # noqa: PLW2901
                root = xp.sqrt(v / (1 - 0.999**steps))
                moved.append(w - lr / (1 - 0.9**steps) * m / (root + 1e-8))
                kept.append((m, v))
            return value, (moved, follow(running, seen, n), kept, steps)

        compiled = self.jax.jit(advance, donate_argnums=0)
        zeros = [(xp.zeros_like(w), xp.zeros_like(w)) for w in problem.weights if adam]
        state = self._put((problem.weights, running, zeros, np.float32(0)))

        def step() -> tuple[Any]:
            nonlocal state
            value, state = compiled(state, data)
            self.jax.block_until_ready(state)
            return (value,)

        return step

    def conv(self, problem: Problem) -> Step:
        """`lax.conv` and its transposes."""
        pad = problem.settings["padding"]
        inputs = self._put((problem.data["x"], *problem.weights, problem.data["g"]))

        def forward(x: Any, w: Any, b: Any) -> Any:
            y = self.jax.lax.conv_general_dilated(x, w, (1, 1), [(pad, pad)] * 2)
            return y + b[:, None, None]

        def both(x: Any, w: Any, b: Any, g: Any) -> Any:
            y, back = self.jax.vjp(forward, x, w, b)
            return (y, *back(g))

        compiled = self.jax.jit(both)
        return lambda: compiled(*inputs)

    def _second(self, problem: Problem) -> tuple[Callable[[Any], Any], Any]:
        data = self._put({name: problem.data[name] for name in ("x", "t")})
        loss = self.mlp_loss("batch")
        return lambda weights: loss(weights, data)[0], self._put(problem.weights)

    def gradient(self, problem: Problem) -> Step:
        """`jax.value_and_grad`."""
        loss, weights = self._second(problem)
        compiled = self.jax.jit(self.jax.value_and_grad(loss))

        def step() -> tuple[Any, ...]:
            value, gradients = compiled(weights)
            return (value, *gradients)

        return step

    def hvp(self, problem: Problem) -> Step:
        """The derivative of the gradient along v: forward over reverse."""
        loss, weights = self._second(problem)
        v = self._put([x for name, x in problem.data.items() if name[0] == "v"])
        derivative = self.jax.value_and_grad(loss)

        def product(weights: Any, v: Any) -> Any:
            (value, _), (_, along) = self.jax.jvp(derivative, (weights,), (v,))
            return (value, *along)

        compiled = self.jax.jit(product)
        return lambda: compiled(weights, v)
