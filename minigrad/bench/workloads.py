"""What is timed: each workload's sizes, and the numbers that every contender starts from."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import numpy as np

from minigrad.bench import BenchError

Size = tuple[int, ...] | tuple[str]

CLASSES = 10
MLP = ((32, 64, 64), (64, 64, 256), (128, 784, 512), (1024, 1024, 1024))
CALLS = 1000  # of a cheap operation, timed as one


@dataclass
class Problem:
    """One workload at one size: initial weights in PyTorch's order and layout, and the data."""

    weights: list[np.ndarray]
    data: dict[str, np.ndarray]
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Workload:
    """A piece of work that several contenders do.

    Attributes
    ----------
    name, title
        What it is asked for by, and what it is.
    family
        The method of a peer that builds it.
    axes, sizes
        What the numbers of a size are, and the sizes.
    make
        size → the `Problem`.
    results
        What a step answers; compared before anything is timed.
    against
        What times are divided by: the contender "numpy", or the family "gradient", by which each
        contender is compared with its own gradient.
    calls
        How many times a step does it; times are reported for one.
    """

    name: str
    title: str
    family: str
    axes: str
    sizes: tuple[Size, ...]
    make: Callable[[Any], Problem]
    results: tuple[str, ...] = ("loss",)
    against: str = "numpy"
    calls: int = 1


def label(size: Size) -> str:
    """A size as the table shows it."""
    return "×".join(map(str, size))


def choose(names: Sequence[str]) -> list[Workload]:
    """The workloads called ``names``, in their own order; all if there are none.

    Raises
    ------
    BenchError
        If a name is none of a workload.
    """
    for name in names:
        if name not in WORKLOADS:
            close = get_close_matches(name, WORKLOADS, 1)
            raise BenchError(
                f"Workload {name!r} was asked for; found {', '.join(WORKLOADS)}. "
                + (f"Did you mean {close[0]!r}? " if close else "")
                + "See them with: minigrad bench --list"
            )
    return [workload for name, workload in WORKLOADS.items() if not names or name in names]


# ── the numbers ──────────────────────────────────────────────────────────────────────────────────


class _Draw:
    """Random float32 arrays, the same in every run."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)

    def normal(self, *shape: int) -> np.ndarray:
        return self._random.standard_normal(shape, np.float32)

    def weight(self, *shape: int) -> np.ndarray:
        """Uniform in ±1/√fan-in, the fan-in being all axes but the first."""
        bound = np.float32(1 / math.sqrt(math.prod(shape[1:])))
        return bound * (2 * self._random.random(shape, np.float32) - 1)

    def bias(self, n: int, fan_in: int) -> np.ndarray:
        return self.weight(n, fan_in)[:, 0].copy()

    def classes(self, n: int) -> np.ndarray:
        return self._random.integers(0, CLASSES, n)


def _mlp(norm: str, optimizer: str) -> Callable[[Any], Problem]:
    def make(size: tuple[int, int, int]) -> Problem:
        batch, inputs, hidden = size
        draw = _Draw()
        weights: list[np.ndarray] = []
        for fan_in in (inputs, hidden):
            weights += [draw.weight(hidden, fan_in), draw.bias(hidden, fan_in)]
            weights += [np.ones(hidden, np.float32), np.zeros(hidden, np.float32)]
        weights += [draw.weight(CLASSES, hidden), draw.bias(CLASSES, hidden)]
        data = {"x": draw.normal(batch, inputs), "t": draw.classes(batch)}
        lr = 1e-3 if optimizer == "adam" else 0.1
        return Problem(weights, data, {"norm": norm, "optimizer": optimizer, "lr": lr})

    return make


def _hvp(size: tuple[int, int, int]) -> Problem:
    problem = _mlp("batch", "none")(size)
    draw = _Draw()
    problem.data |= {f"v{i}": draw.normal(*w.shape) for i, w in enumerate(problem.weights)}
    return problem


def _conv(size: tuple[int, int, int, int]) -> Problem:
    batch, channels, side, filters = size
    draw = _Draw()
    weights = [draw.weight(filters, channels, 3, 3), draw.bias(filters, 9 * channels)]
    x, g = draw.normal(batch, channels, side, side), draw.normal(batch, filters, side, side)
    return Problem(weights, {"x": x, "g": g}, {"padding": 1})


def _lstm(size: tuple[int, int, int, int]) -> Problem:
    steps, batch, inputs, hidden = size
    draw = _Draw()
    weights = [draw.weight(4 * hidden, inputs), draw.weight(4 * hidden, hidden)]
    weights += [draw.bias(4 * hidden, hidden), draw.bias(4 * hidden, hidden)]
    data = {"x": draw.normal(steps, batch, inputs), "t": draw.normal(steps, batch, hidden)}
    return Problem(weights, data, {"optimizer": "sgd", "lr": 0.1})


def _attention(size: tuple[int, int, int, int]) -> Problem:
    batch, length, width, heads = size
    draw = _Draw()
    weights = [draw.weight(3 * width, width), draw.bias(3 * width, width)]
    weights += [draw.weight(width, width), draw.bias(width, width)]
    data = {"x": draw.normal(batch, length, width), "t": draw.normal(batch, length, width)}
    return Problem(weights, data, {"heads": heads, "optimizer": "sgd", "lr": 0.1})


def _record(size: tuple[str]) -> Problem:
    draw = _Draw()
    return Problem([draw.normal(64)], {"y": draw.normal(64)}, {"op": size[0]})


WORKLOADS: dict[str, Workload] = {
    w.name: w
    for w in [
        Workload(
            "mlp",
            "training step: 3 Linear, 2 BatchNorm1d, ReLU, cross-entropy, SGD",
            *("mlp", "batch×in×hidden", MLP, _mlp("batch", "sgd")),
        ),
        Workload(
            "mlp-layernorm",
            "the same with LayerNorm",
            *("mlp", "batch×in×hidden", MLP, _mlp("layer", "sgd")),
        ),
        Workload(
            "mlp-adam",
            "the same with BatchNorm1d and Adam",
            *("mlp", "batch×in×hidden", MLP, _mlp("batch", "adam")),
        ),
        Workload(
            "conv",
            "Conv2d 3×3, padding 1: forward, and gradients by input, weight and bias",
            *("conv", "batch×channels×side×filters", ((32, 3, 32, 32), (32, 16, 16, 32)), _conv),
            results=("y", "∂x", "∂weight", "∂bias"),
        ),
        Workload(
            "lstm",
            "training step: LSTM along a sequence, mean squared error, SGD",
            *("lstm", "steps×batch×in×hidden", ((16, 32, 32, 64), (32, 32, 64, 128)), _lstm),
        ),
        Workload(
            "attention",
            "training step: multi-head self-attention, mean squared error, SGD",
            *("attention", "batch×length×width×heads", ((8, 32, 64, 4), (16, 64, 256, 8))),
            _attention,
        ),
        Workload(
            "hvp",
            "Hessian-vector product by all weights of the MLP, over the cost of its gradient",
            *("hvp", "batch×in×hidden", MLP, _hvp),
            results=("loss", "Hv"),
            against="gradient",
        ),
        Workload(
            "record",
            "an operation on 64 numbers, recorded for backward, over the NumPy call",
            *("record", "operation", (("add",), ("multiply",), ("tanh",)), _record),
            results=("y",),
            calls=CALLS,
        ),
    ]
}
