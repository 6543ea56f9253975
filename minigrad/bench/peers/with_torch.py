"""PyTorch eager, as its tutorials write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from minigrad.bench.peers import Peer, Step
from minigrad.bench.workloads import CALLS, Problem


class WithTorch(Peer):
    """PyTorch on the CPU; on the GPU where minigrad is there."""

    label = "PyTorch"
    package = "torch"
    on_gpu = True

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        super().__init__(backend, threads)
        self.torch: Any = import_module("torch")
        self.torch.set_num_threads(threads)
        self._gpu = backend == "cupy"
        if self._gpu and not self.torch.cuda.is_available():
            raise ImportError("PyTorch sees no GPU")

    def host(self, x: Any) -> np.ndarray:
        """A result as a NumPy array."""
        return np.asarray(x.detach().cpu().numpy())

    def wait(self, results: Sequence[Any]) -> None:
        """Wait for the GPU, where there is one."""
        if self._gpu:
            self.torch.cuda.synchronize()

    def _tensor(self, x: np.ndarray, requires_grad: bool = False) -> Any:
        place = "cuda" if self._gpu else "cpu"
        return self.torch.tensor(x, device=place).requires_grad_(requires_grad)

    def _training(self, problem: Problem, model: Any, loss: Callable[[Any, Any], Any]) -> Step:
        model = model.to("cuda" if self._gpu else "cpu")
        parameters = list(model.parameters())
        with self.torch.no_grad():
            for p, w in zip(parameters, problem.weights, strict=True):
                p.copy_(self._tensor(w))
        x, t = self._tensor(problem.data["x"]), self._tensor(problem.data["t"])
        kinds = {"sgd": self.torch.optim.SGD, "adam": self.torch.optim.Adam}
        optimizer = kinds[problem.settings["optimizer"]](parameters, lr=problem.settings["lr"])

        def step() -> tuple[Any]:
            value = loss(model(x), t)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            return (value,)

        return step

    def mlp(self, problem: Problem) -> Step:
        """A Sequential of layers."""
        nn = self.torch.nn
        inputs, hidden = problem.data["x"].shape[1], problem.weights[1].size
        norm = nn.BatchNorm1d if problem.settings["norm"] == "batch" else nn.LayerNorm
        model = nn.Sequential(
            *(nn.Linear(inputs, hidden), norm(hidden), nn.ReLU()),
            *(nn.Linear(hidden, hidden), norm(hidden), nn.ReLU()),
            nn.Linear(hidden, problem.weights[-1].size),
        )
        return self._training(problem, model, nn.functional.cross_entropy)

    def conv(self, problem: Problem) -> Step:
        """`torch.nn.functional.conv2d`."""
        w, b = (self._tensor(x, requires_grad=True) for x in problem.weights)
        x, g = self._tensor(problem.data["x"], requires_grad=True), self._tensor(problem.data["g"])
        torch, padding = self.torch, problem.settings["padding"]

        def step() -> tuple[Any, ...]:
            y = torch.nn.functional.conv2d(x, w, b, padding=padding)
            return (y, *torch.autograd.grad(y, [x, w, b], g))

        return step

    def lstm(self, problem: Problem) -> Step:
        """`torch.nn.LSTM`."""
        inputs, hidden = problem.data["x"].shape[2], problem.data["t"].shape[2]
        mse = self.torch.nn.functional.mse_loss
        model = self.torch.nn.LSTM(inputs, hidden)
        return self._training(problem, model, lambda y, t: mse(y[0], t))

    def attention(self, problem: Problem) -> Step:
        """`torch.nn.MultiheadAttention`."""
        mse = self.torch.nn.functional.mse_loss
        width, heads = problem.data["x"].shape[2], problem.settings["heads"]
        attend = self.torch.nn.MultiheadAttention(width, heads, batch_first=True)

        class SelfAttention(self.torch.nn.Module):  # type: ignore[misc,name-defined]
            def __init__(self) -> None:
                super().__init__()
                self.attend = attend

            def forward(self, x: Any) -> Any:
                return self.attend(x, x, x, need_weights=False)[0]

        return self._training(problem, SelfAttention(), mse)

    def _second(self, problem: Problem) -> tuple[Callable[[], Any], list[Any]]:
        functional = self.torch.nn.functional
        x, t = self._tensor(problem.data["x"]), self._tensor(problem.data["t"])
        weights = [self._tensor(w, requires_grad=True) for w in problem.weights]

        def loss() -> Any:
            w1, b1, gamma1, beta1, w2, b2, gamma2, beta2, w3, b3 = weights
            h = x
            for w, b, gamma, beta in ((w1, b1, gamma1, beta1), (w2, b2, gamma2, beta2)):
                z = functional.linear(h, w, b)
                z = functional.batch_norm(z, None, None, gamma, beta, training=True)
                h = functional.relu(z)
            return functional.cross_entropy(functional.linear(h, w3, b3), t)

        return loss, weights

    def gradient(self, problem: Problem) -> Step:
        """`torch.autograd.grad`."""
        loss, weights = self._second(problem)
        grad = self.torch.autograd.grad

        def step() -> tuple[Any, ...]:
            value = loss()
            return (value, *grad(value, weights))

        return step

    def hvp(self, problem: Problem) -> Step:
        """The gradient of the gradient's product with v."""
        loss, weights = self._second(problem)
        grad = self.torch.autograd.grad
        v = [self._tensor(x) for name, x in problem.data.items() if name[0] == "v"]

        def step() -> tuple[Any, ...]:
            value = loss()
            gradients = grad(value, weights, create_graph=True)
            return (value, *grad(gradients, weights, v))

        return step

    def record(self, problem: Problem) -> Step:
        """The calls by name."""
        name = problem.settings["op"]
        op = getattr(self.torch, name)
        x, y = self._tensor(problem.weights[0], True), self._tensor(problem.data["y"])
        args = (x,) if name == "tanh" else (x, y)

        def step() -> tuple[Any]:
            for _ in range(CALLS):
                z = op(*args)
            return (z,)

        return step
