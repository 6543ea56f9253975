"""The numbers on a drawing: values that the graph kept or that can be had again, and gradients.

The engine keeps only what backward rules read. The other values are recomputed here, from the
leaves, by the operations' own forwards on raw arrays: nothing is recorded, nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from minigrad import backend, engine
from minigrad.drawing.graph import Quantity, State
from minigrad.drawing.uses import Spot, spot_of
from minigrad.memory import last_write
from minigrad.node import Node
from minigrad.operation import output
from minigrad.recording import no_grad
from minigrad.tensor import Tensor

SMALL = 6  # tensors up to this size show every number
BARS = 12  # of a histogram
LIMIT = 10_000_000  # graphs with more numbers than this show what was kept and no more


def quantity(array: Any) -> Quantity:
    """``array`` in words: the numbers of a small one (axes of size 1 left out), else mean ± std."""
    host = backend.to_numpy(array) if backend.is_array(array) else np.asarray(array)
    flat = host.ravel() if host.dtype.kind == "c" else host.ravel().astype(np.float64)
    size = _rms(flat)
    if host.size <= SMALL:
        text = _nested(host.squeeze().tolist()) if host.size else "empty"
        return Quantity("computed", text, rms=size)
    if not math.isfinite(size) and (wild := host.size - int(np.isfinite(flat).sum())):
        return Quantity("computed", f"{wild} of {host.size} not finite", rms=size)
    mean = flat.sum() / flat.size
    std = _rms(flat - mean)
    if 0 < std < math.inf:  # digits of the mean below the third of ± are noise
        mean = round(mean, 2 - math.floor(math.log10(std))) + 0.0
    details = "" if host.dtype.kind == "c" else _histogram(flat)
    return Quantity("computed", f"{number(mean, 3)} ± {number(std, 3)}", details, size)


def _rms(flat: Any) -> float:
    """√(mean |x|²); 0 of no numbers."""
    return math.sqrt(np.vdot(flat, flat).real / flat.size) if flat.size else 0.0


def _histogram(flat: Any) -> str:
    """How the numbers lie between the least and the largest, in twelve bars."""
    low, high = float(flat.min()), float(flat.max())
    if not 0 < high - low < math.inf:
        return f"all {number(low, 3)}" if low == high else ""
    places = ((flat - low) / (high - low) * (BARS - 0.001)).astype(np.int64)
    counts = np.bincount(places, minlength=BARS)
    heights = -(-counts * 8 // counts.max())  # rounded up: only an empty bar has none
    bars = "".join([" ▁▂▃▄▅▆▇█"[height] for height in heights.tolist()])
    return f"{bars}  {number(low, 3)} … {number(high, 3)}"


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
        self._raw: dict[Spot, Any] = {}  # of those that are there
        self._missing: State = "overwritten" if affordable(nodes) else "not kept"
        read = [pair for node in nodes for pair in node.saved_inputs()]
        for origin, raw in (*[(x.node, x.data) for x in roots], *read):
            if isinstance(origin, Node) and last_write(raw) <= origin.time:
                self._raw[spot_of(origin)] = raw
        with no_grad():
            for node in nodes:
                self._fill(node)

    def _fill(self, node: Node) -> None:
        """Find or compute the result of ``node``; those before it have been filled."""
        op, outputs = node.op, node.saved_outputs()
        wanted = [(id(node), index) for index in range(len(op.outputs))]
        known = op is output or all(spot in self._raw for spot in wanted)
        if not outputs and not known and self._missing != "not kept":
            inputs = [self._input(x, node) for x in node.inputs]
            if not any(x is _ABSENT for x in inputs):
                result = op.forward(*inputs, **node.params)
                outputs = [*result] if op.several else [result]
        self._raw.update(zip(wanted, outputs, strict=False))

    def _input(self, x: Any, node: Node) -> Any:
        """What ``node`` read when it was recorded; _ABSENT if that is gone."""
        if isinstance(x, Tensor):
            return _ABSENT if x.written > node.time else x.data
        return self._raw.get(spot_of(x), _ABSENT) if isinstance(x, Node) else x

    def of(self, node: Node, index: int = 0) -> Quantity:
        """The value of output number ``index`` of ``node``."""
        raw = self._raw.get((id(node), index), _ABSENT)
        return Quantity(self._missing) if raw is _ABSENT else quantity(raw)


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
    """The gradients of a graph that had its backward, and whether what leaves hold is theirs.

    The engine keeps gradients of leaves alone. If `backward` has reached all leaves of this graph
    and its root is a scalar, the others are d root/d result, found again by the same rules. What
    a leaf holds is then held against what one backward from this root gives.
    """

    def __init__(self, nodes: Sequence[Node], roots: Sequence[Tensor]) -> None:
        self._found: dict[tuple[int, int], Quantity] = {}
        self._fresh: dict[int, Any] | None = None  # by leaf; None where that is not known
        self._missing: State = "not computed"
        leaves = [x for x in engine.order(roots) if isinstance(x, Tensor)]
        begun = any(x.grad is not None for x in leaves)
        if not begun or len(roots) != 1 or roots[0].numel() != 1 or roots[0].node is None:
            return
        if not affordable(nodes):
            self._missing = "not kept"
            return
        fresh: dict[Tensor, Any] = {}
        self._missing = "no path"
        try:
            with no_grad():
                self._sweep(roots[0], fresh)
            self._fresh = {id(x): g for x, g in fresh.items()}
        except RuntimeError as error:
            if "overwritten" not in str(error):
                raise
            self._missing = "overwritten"  # a rule needed the old value; what came before holds
        if any(x.grad is None for x in fresh or leaves):
            self._found, self._missing = {}, "not computed"  # the backward was another graph's

    def _sweep(self, root: Tensor, fresh: dict[Tensor, Any]) -> None:
        def heard(v: Node, g: Any) -> None:
            if v.op is not output:
                for index, part in (g if isinstance(g, dict) else {0: g}).items():
                    self._found[id(v), index] = quantity(part)

        ones = backend.namespace(root.data).ones_like(root.data)
        fresh |= engine.sweep([root], [ones], heard=heard)

    def of(self, node: Node, index: int = 0) -> Quantity:
        """The gradient of output number ``index`` of ``node``."""
        return self._found.get((id(node), index), Quantity(self._missing))

    def of_unused(self, x: Any) -> Quantity:
        """What ``x.grad`` holds although the root does not depend on ``x``."""
        held = leaf_gradient(x)
        if held.state == "computed":
            return replace(held, state="stale", details="this result does not depend on it")
        return Quantity("no path") if held.state == "not computed" else held

    def of_leaf(self, x: Any) -> Quantity:
        """What ``x.grad`` holds; "stale" if that is not the gradient of this root alone."""
        held = leaf_gradient(x)
        if self._fresh is None or held.state == "needs no gradient":
            return held
        if id(x) not in self._fresh:
            return self.of_unused(x)
        if held.state == "not computed":
            return held
        old, new = (backend.to_numpy(g).astype(float) for g in (x.grad.data, self._fresh[id(x)]))
        if _close(old, new):
            return held
        square = float(np.vdot(new, new))
        times = float(np.vdot(old, new)) / square if 0 < square < math.inf else 0.0
        details = "not the gradient of this result: another backward left it, or added to it"
        if math.isfinite(times) and round(times) > 1 and _close(old, round(times) * new):
            details = f"{round(times)} × the gradient of this result: zero_grad() was not called"
        return replace(held, state="stale", details=details)


def _close(a: Any, b: Any) -> bool:
    """Whether two gradients differ by rounding alone."""
    largest = float(np.max(np.abs(b[np.isfinite(b)]), initial=0.0))
    return bool(np.allclose(a, b, rtol=0, atol=1e-3 * largest, equal_nan=True))
