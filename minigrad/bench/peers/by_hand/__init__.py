"""NumPy by hand: forward and backward written out, in place wherever nothing is needed later.

It is what minigrad is measured by, so it is written as a careful person would for one network: no
pass that can be saved, and nothing that only a compiler would think of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad import backend as backends
from minigrad.bench.peers import Peer, Skip, Step
from minigrad.bench.peers.by_hand.convolution import conv_step
from minigrad.bench.peers.by_hand.perceptron import mlp_step
from minigrad.bench.peers.by_hand.sequences import attention_step, lstm_step
from minigrad.bench.workloads import CALLS, Problem


class ByHand(Peer):
    """The same functions on NumPy's arrays and on CuPy's."""

    label = "NumPy by hand"
    package = "numpy"
    traced = True
    on_gpu = True

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        super().__init__(backend, threads)
        self._place = backends.get(backend)
        self.xp = self._place.xp
        self.package_version = str(self.xp.__version__)

    def version(self) -> str:
        """NumPy's version, or that of what stands in for it."""
        return self.package_version

    def host(self, x: Any) -> np.ndarray:
        """A result as a NumPy array."""
        return np.asarray(self._place.to_numpy(self.xp.asarray(x)))

    def wait(self, results: Sequence[Any]) -> None:
        """Wait for the GPU, where there is one."""
        synchronize(self.xp)

    def _mine(self, problem: Problem) -> Problem:
        """The problem with arrays of our own."""

        def copy(x: np.ndarray) -> Any:
            return self._place.from_numpy(x.copy())

        data = {name: copy(x) for name, x in problem.data.items()}
        return Problem([copy(w) for w in problem.weights], data, problem.settings)

    def mlp(self, problem: Problem) -> Step:
        """A training step of the multi-layer perceptron."""
        return mlp_step(self.xp, self._mine(problem))

    def conv(self, problem: Problem) -> Step:
        """A convolution by one matrix product an image, and its gradients."""
        return conv_step(self.xp, self._mine(problem))

    def lstm(self, problem: Problem) -> Step:
        """Backpropagation through time."""
        return lstm_step(self.xp, self._mine(problem))

    def attention(self, problem: Problem) -> Step:
        """Multi-head self-attention and its gradient."""
        return attention_step(self.xp, self._mine(problem))

    def gradient(self, problem: Problem) -> Step:
        """Left out: nobody writes a Hessian-vector product by hand to compare it with."""
        raise Skip("nobody writes second derivatives out by hand")

    hvp = gradient

    def record(self, problem: Problem) -> Step:
        """The bare calls."""
        mine = self._mine(problem)
        (x,), y = mine.weights, mine.data["y"]
        op = getattr(self.xp, mine.settings["op"])
        args = (x,) if mine.settings["op"] == "tanh" else (x, y)

        def step() -> tuple[Any]:
            for _ in range(CALLS):
                z = op(*args)
            return (z,)

        return step


def synchronize(xp: Any) -> None:
    """Wait until the GPU of ``xp`` has done all it was told; nothing on the host."""
    if hasattr(xp, "cuda"):
        xp.cuda.Device().synchronize()
