"""minigrad as a user writes it: its layers, its losses, its optimizers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - the name that everybody gives it
from minigrad import backend as backends
from minigrad import nn, optim
from minigrad.bench.peers import Peer, Skip, Step
from minigrad.bench.peers.by_hand import synchronize
from minigrad.bench.workloads import CALLS, Problem
from minigrad.tensor import Tensor


class WithMinigrad(Peer):
    """This package, on NumPy or CuPy."""

    label = "minigrad"
    package = "minigrad"
    traced = True
    on_gpu = True

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        super().__init__(backend, threads)
        self._place = backends.get(backend)

    def version(self) -> str:
        """Of the code that runs, installed or not."""
        return mg.__version__

    def host(self, x: Any) -> np.ndarray:
        """A result as a NumPy array."""
        return np.asarray(x.detach().numpy())

    def wait(self, results: Sequence[Any]) -> None:
        """Wait for the GPU, where there is one."""
        synchronize(self._place.xp)

    def _tensor(self, x: np.ndarray, requires_grad: bool = False) -> Tensor:
        return Tensor(self._place.from_numpy(x.copy()), requires_grad=requires_grad)

    def _data(self, problem: Problem) -> list[Tensor]:
        return [self._tensor(x) for x in problem.data.values()]

    def _training(
        self, problem: Problem, model: nn.Module, loss: Callable[[Any, Any], Any]
    ) -> Step:
        """The loop's body: loss, gradients, optimizer."""
        parameters = list(model.parameters())
        for p, w in zip(parameters, problem.weights, strict=True):
            p.data[...] = self._place.from_numpy(w)
        x, t = self._data(problem)
        lr = problem.settings["lr"]
        adam = problem.settings["optimizer"] == "adam"
        optimizer = optim.Adam(parameters, lr=lr) if adam else optim.SGD(parameters, lr=lr)

        def step(x: Tensor, t: Tensor) -> Tensor:
            value: Tensor = loss(model(x), t)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            return value

        return self._repeated(step, x, t, model, optimizer)

    def _repeated(
        self, step: Callable[..., Tensor], x: Tensor, t: Tensor, model: Any, optimizer: Any
    ) -> Step:
        return lambda: (step(x, t),)

    def mlp(self, problem: Problem) -> Step:
        """A Sequential of layers."""
        inputs, hidden = problem.data["x"].shape[1], problem.weights[1].size
        norm = nn.BatchNorm1d if problem.settings["norm"] == "batch" else nn.LayerNorm
        with mg.use(self.backend):
            model = nn.Sequential(
                *(nn.Linear(inputs, hidden), norm(hidden), nn.ReLU()),
                *(nn.Linear(hidden, hidden), norm(hidden), nn.ReLU()),
                nn.Linear(hidden, problem.weights[-1].size),
            )
        return self._training(problem, model, F.cross_entropy)

    def conv(self, problem: Problem) -> Step:
        """`F.conv2d`."""
        w, b = (self._tensor(x, requires_grad=True) for x in problem.weights)
        x, g = self._data(problem)
        x.requires_grad_()

        def step() -> tuple[Any, ...]:
            y = F.conv2d(x, w, b, padding=problem.settings["padding"])
            return (y, *mg.grad(y, [x, w, b], g))

        return step

    def lstm(self, problem: Problem) -> Step:
        """`nn.LSTM`."""
        inputs, hidden = problem.data["x"].shape[2], problem.data["t"].shape[2]
        with mg.use(self.backend):
            model = nn.LSTM(inputs, hidden)
        return self._training(problem, model, lambda y, t: F.mse_loss(y[0], t))

    def attention(self, problem: Problem) -> Step:
        """`nn.MultiheadAttention`."""
        width, heads = problem.data["x"].shape[2], problem.settings["heads"]
        with mg.use(self.backend):
            model = _SelfAttention(width, heads)
        return self._training(problem, model, F.mse_loss)

    def _second(self, problem: Problem) -> tuple[Callable[..., Any], tuple[Tensor, ...]]:
        """The loss as a function of all weights, and the weights."""
        x, t = self._data(problem)[:2]

        def loss(*weights: Any) -> Any:
            w1, b1, gamma1, beta1, w2, b2, gamma2, beta2, w3, b3 = weights
            h = x
            for w, b, gamma, beta in ((w1, b1, gamma1, beta1), (w2, b2, gamma2, beta2)):
                z = F.linear(h, w, b)
                h = F.relu(F.batch_norm(z, weight=gamma, bias=beta, training=True))
            return F.cross_entropy(F.linear(h, w3, b3), t)

        return loss, tuple(self._tensor(w, requires_grad=True) for w in problem.weights)

    def gradient(self, problem: Problem) -> Step:
        """`mg.grad`."""
        loss, weights = self._second(problem)

        def step() -> tuple[Any, ...]:
            value = loss(*weights)
            return (value, *mg.grad(value, weights))

        return step

    def hvp(self, problem: Problem) -> Step:
        """`mg.hvp`."""
        loss, weights = self._second(problem)
        v = tuple(self._data(problem)[2:])

        def step() -> tuple[Any, ...]:
            value, product = mg.hvp(loss, weights, v)
            return (value, *product)

        return step

    def record(self, problem: Problem) -> Step:
        """The calls by name, on Tensors."""
        name = problem.settings["op"]
        op: Any = {"add": mg.add, "multiply": mg.mul, "tanh": mg.tanh}[name]
        x, y = self._tensor(problem.weights[0], requires_grad=True), self._data(problem)[0]
        args = (x,) if name == "tanh" else (x, y)

        def step() -> tuple[Any]:
            for _ in range(CALLS):
                z = op(*args)
            return (z,)

        return step


class Replayed(WithMinigrad):
    """The same training steps, recorded once and replayed."""

    label = "minigrad, replayed"
    on_gpu = False

    def _repeated(
        self, step: Callable[..., Tensor], x: Tensor, t: Tensor, model: Any, optimizer: Any
    ) -> Step:
        if not isinstance(optimizer, optim.SGD):
            raise Skip("Adam counts its steps, so that no two are the same")
        fast = mg.replay(step, x, t, state=model)
        return lambda: (fast(x, t),)

    def conv(self, problem: Problem) -> Step:
        """Left out."""
        raise Skip("it replays training steps")

    gradient = hvp = record = conv


class _SelfAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        self.attend = nn.MultiheadAttention(width, heads, batch_first=True)

    def forward(self, x: Any) -> Any:
        return self.attend(x, x, x, need_weights=False)[0]
