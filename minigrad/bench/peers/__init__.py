"""The contenders: what each must offer, and which of them can run here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Any, ClassVar

import numpy as np

from minigrad.bench import BenchError
from minigrad.bench.workloads import Problem

Step = Callable[[], Sequence[Any]]  # does the work once and answers the workload's results


class Skip(Exception):  # noqa: N818 - not an error: the message says why a peer sits this one out
    """A peer has nothing honest to offer for a workload."""


class Peer:
    """One contender: a method for each family of workloads, which builds its `Step`.

    A step starts from copies of the problem's weights and changes them as it goes. What building
    does is not timed.

    Attributes
    ----------
    label
        What the table calls it.
    package
        The distribution it needs, whose version is reported.
    traced
        Whether its arrays are NumPy's, so that tracemalloc sees their memory.
    """

    label: ClassVar[str]
    package: ClassVar[str]
    traced: ClassVar[bool] = False
    on_gpu: ClassVar[bool] = False  # whether it can follow --backend cupy there

    def __init__(self, backend: str = "numpy", threads: int = 1) -> None:
        self.backend, self.threads = backend, threads

    def version(self) -> str:
        """The number of the package that runs."""
        return metadata.version(self.package)

    def host(self, x: Any) -> np.ndarray:
        """A result as a NumPy array."""
        return np.asarray(x)

    def wait(self, results: Sequence[Any]) -> None:
        """Return when ``results`` are there: a GPU, and JAX, answer before they have computed."""

    def mlp(self, problem: Problem) -> Step:
        """A training step of the multi-layer perceptron."""
        raise Skip("it has no such step here")

    def conv(self, problem: Problem) -> Step:
        """A convolution, and its gradients for a given upstream gradient."""
        raise Skip("it has no convolution of images")

    def lstm(self, problem: Problem) -> Step:
        """A training step of the LSTM."""
        raise Skip("it has no such step here")

    def attention(self, problem: Problem) -> Step:
        """A training step of multi-head self-attention."""
        raise Skip("it has no such step here")

    def gradient(self, problem: Problem) -> Step:
        """The loss of the multi-layer perceptron, and its gradient by all weights."""
        raise Skip("it has no second derivatives")

    def hvp(self, problem: Problem) -> Step:
        """The loss, and the product of its Hessian with the problem's v, for all weights."""
        raise Skip("it has no second derivatives")

    def record(self, problem: Problem) -> Step:
        """Many calls of one cheap operation whose input asks for a gradient."""
        raise Skip("it compiles a function, and records no single operation")


# name → (module, class); NumPy by hand comes first: the others are measured by it
PEERS = {
    "numpy": ("by_hand", "ByHand"),
    "minigrad": ("with_minigrad", "WithMinigrad"),
    "replay": ("with_minigrad", "Replayed"),
    "torch": ("with_torch", "WithTorch"),
    "jax": ("with_jax", "WithJax"),
    "autograd": ("with_autograd", "WithAutograd"),
    "mygrad": ("with_mygrad", "WithMygrad"),
}
ALWAYS = ("numpy", "minigrad", "replay")  # which need nothing but this package


def load(
    names: Sequence[str] | None, backend: str = "numpy", threads: int = 1
) -> tuple[dict[str, Peer], dict[str, str]]:
    """The peers that run here by name, and of the others why they do not.

    Parameters
    ----------
    names
        Those that are asked for besides NumPy by hand and minigrad, which always run; None for all
        that are installed.
    backend, threads
        Where minigrad computes, and with how many threads.

    Raises
    ------
    BenchError
        If a name is unknown, or a peer asked for by name is not installed.
    """
    for name in names or ():
        if name not in PEERS:
            raise BenchError(
                f"Peer {name!r} was asked for; found {', '.join(PEERS)}. Choose among these."
            )
        if name not in ALWAYS and find_spec(name) is None:
            raise BenchError(
                f"Peer {name!r} was asked for; it is not installed. pip install {name}, or leave "
                "it out of --peers."
            )
    found: dict[str, Peer] = {}
    missing: dict[str, str] = {}
    for name, (module, kind) in PEERS.items():
        if names is not None and name not in (*ALWAYS, *names):
            continue
        if name not in ALWAYS and find_spec(name) is None:
            missing[name] = "not installed"
            continue
        peer: type[Peer] = getattr(import_module(f"{__name__}.{module}"), kind)
        if backend != "numpy" and not peer.on_gpu:
            missing[name] = f"does not run on {backend}"
            continue
        try:
            found[name] = peer(backend, threads)
        except ImportError as error:
            if name in ALWAYS:
                raise
            missing[name] = f"installed, but does not import: {error}"
    return found, missing
