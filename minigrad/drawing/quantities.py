"""The numbers on a drawing: values that the graph kept or that can be had again, and gradients.

The engine keeps only what backward rules read. The other values are recomputed here, from the
leaves, by the operations' own forwards on raw arrays: nothing is recorded, nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad import backend, engine
from minigrad.drawing.graph import Quantity, State
from minigrad.memory import last_write
from minigrad.operation import Node, output
from minigrad.recording import no_grad
from minigrad.tensor import Tensor

SMALL = 6  # tensors up to this size show every number
LIMIT = 10_000_000  # graphs with more numbers than this show what was kept and no more


def quantity(array: Any) -> Quantity:
    """``array`` in words: the numbers of a small one (axes of size 1 left out), else mean ± std."""
    host = backend.to_numpy(array) if backend.is_array(array) else np.asarray(array)
    if host.size <= SMALL:
        return Quantity("computed", _nested(host.squeeze().tolist()) if host.size else "empty")
    kept = host if host.dtype.kind in "fc" else host.astype(np.float64)
    wild = host.size - int(np.isfinite(kept).sum())
    if wild:
        return Quantity("computed", f"{wild} of {host.size} not finite")
    mean, std = float(kept.mean(dtype=np.float64)), float(kept.std(dtype=np.float64))
    if std:  # digits of the mean below the third of ± are noise
        mean = round(mean, 2 - math.floor(math.log10(std))) + 0.0
    return Quantity("computed", f"{number(mean, 3)} ± {number(std, 3)}")


def number(x: Any, digits: int = 4) -> str:
    """One number with ``digits`` significant digits and a true minus sign."""
    text = f"{x:.{digits}g}" if isinstance(x, float) else str(x)
    return text.replace("-", "−")


def _nested(x: Any) -> str:
    return f"[{', '.join(map(_nested, x))}]" if isinstance(x, list) else number(x)


def affordable(nodes: Iterable[Node]) -> bool:
    """Whether a graph is small enough to compute again for a drawing."""
    total: int = sum(math.prod(node.shape) for node in nodes)
    return total <= LIMIT


class Values:
    """The raw results of a graph's operations: kept ones, and the others computed again.

    Parameters
    ----------
    nodes
        All nodes of the graph, inputs first.
    roots
        The results it was read from; their values are at hand.
    """

    def __init__(self, nodes: Sequence[Node], roots: Iterable[Tensor]) -> None:
        self._raw: dict[int, Any] = {}  # of those that are there
        self._missing: State = "overwritten" if affordable(nodes) else "not kept"
        read = [pair for node in nodes for pair in zip(node.inputs, node.saved, strict=False)]
        for origin, raw in (*[(x.node, x.data) for x in roots], *read):
            if isinstance(origin, Node) and raw is not None and last_write(raw) <= origin.time:
                self._raw[id(origin)] = raw
        with no_grad(), np.errstate(all="ignore"):
            for node in nodes:
                self._fill(node)

    def _fill(self, node: Node) -> None:
        """Find or compute the result of ``node``; those before it have been filled."""
        if node.value is not None:
            self._raw[id(node)] = node.value
        elif id(node) not in self._raw and self._missing != "not kept":
            inputs = [self._input(x, node) for x in node.inputs]
            if not any(x is _ABSENT for x in inputs):
                self._raw[id(node)] = node.op.forward(*inputs, **node.params)

    def _input(self, x: Any, node: Node) -> Any:
        """What ``node`` read when it was recorded; _ABSENT if that is gone."""
        if isinstance(x, Tensor):
            return _ABSENT if x.written > node.time else x.data
        return self._raw.get(id(x), _ABSENT) if isinstance(x, Node) else x

    def of(self, node: Node, index: int = 0) -> Quantity:
        """The value of output number ``index`` of ``node``."""
        if id(node) not in self._raw:
            return Quantity(self._missing)
        raw = self._raw[id(node)]
        return quantity(raw[index] if len(node.op.outputs) > 1 else raw)


_ABSENT: Any = object()


def leaf_value(x: Any, last_use: float) -> Quantity:
    """The value of a leaf or constant; "now" if it was written to after an operation used it."""
    found = quantity(x.data if isinstance(x, Tensor) else x)
    if isinstance(x, Tensor) and x.written > last_use > 0:
        return Quantity("now", found.text)
    return found


def leaf_gradient(x: Any) -> Quantity:
    """What `backward` has left in ``x.grad``."""
    if not isinstance(x, Tensor) or not x.tracked:
        return Quantity("needs no gradient")
    return Quantity("not computed") if x.grad is None else quantity(x.grad.data)


class Gradients:
    """The gradients of results in between, from one more sweep of a graph that had its backward.

    The engine keeps gradients of leaves alone. If `backward` has reached all leaves of this graph
    and its root is a scalar, the others are d root/d result, found again by the same rules.
    """

    def __init__(
        self, nodes: Sequence[Node], roots: Sequence[Tensor], leaves: Iterable[Any]
    ) -> None:
        self._found: dict[tuple[int, int], Quantity] = {}
        self._missing: State = "not computed"
        reached = all(x.grad is not None for x in leaves if isinstance(x, Tensor))
        if not reached or len(roots) != 1 or roots[0].numel() != 1 or roots[0].node is None:
            return
        if not affordable(nodes):
            self._missing = "not kept"
            return
        (root,) = roots
        seed = backend.namespace(root.data).ones_like(root.data)
        self._missing = "no path"
        try:
            with no_grad(), np.errstate(all="ignore"):
                for v, g in engine.sweep(roots, [seed]):
                    if isinstance(v, Node) and v.op is not output:
                        parts = g if isinstance(g, dict) else {0: g}
                        for index, part in parts.items():
                            self._found[id(v), index] = quantity(part)
        except RuntimeError as error:
            if "overwritten" not in str(error):
                raise
            self._missing = "overwritten"  # a rule needed the old value; what came before holds

    def of(self, node: Node, index: int = 0) -> Quantity:
        """The gradient of output number ``index`` of ``node``."""
        return self._found.get((id(node), index), Quantity(self._missing))
