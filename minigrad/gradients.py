"""Gradients: how the parts that rules answer are made to fit, and add up.

What a forward did implicitly, broadcasting and promotion of dtypes, is undone here and nowhere
else: no rule speaks of it.
"""

from __future__ import annotations

from heapq import heappush
from typing import Any

from minigrad.backend import Array, cast, namespace, sum_to
from minigrad.node import Node
from minigrad.operation import primitive

Vertex = Any  # of a graph: a Node, or a Tensor where it begins


@primitive
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """Repeat ``x`` along new or single axes until it has ``shape``."""
    return namespace(x).broadcast_to(x, shape)


broadcast_to.vjp(x=lambda g: g)  # the sum over what was stretched is for fit


@primitive
def fit(x: Array, *, shape: tuple[int, ...], dtype: Any) -> Array:
    """Undo broadcasting and promotion: sum ``x`` over what was stretched, cast it to ``dtype``."""
    if x.shape != shape:
        x = sum_to(x, shape)
    return x if x.dtype == dtype else cast(x, dtype)


fit.vjp(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))


class Gradients(dict[Vertex, Any]):
    """What a sweep has found so far, by vertex; and the nodes whose turn is to come."""

    def __init__(self, create_graph: bool) -> None:
        self.create_graph = create_graph
        # A heap of nodes, the latest first. A node is later than its inputs, so when it is the
        # latest left all its uses have been heard, and its gradient is final.
        self.waiting: list[tuple[int, Node]] = []
        self.summed: set[Vertex] = set()  # those whose gradient is a sum that nobody else has seen

    def add(self, v: Vertex, part: Any) -> None:
        """Hear of a part of the gradient by ``v``."""
        inner = isinstance(v, Node)
        like = v if inner or self.create_graph else v.data
        if part.shape != like.shape or part.dtype != like.dtype:
            undo = fit if self.create_graph else fit.forward
            part = undo(part, shape=like.shape, dtype=like.dtype)
        if v not in self:
            if inner:
                heappush(self.waiting, (-v.time, v))
                if v.op.several:
                    part = {0: part}
            self[v] = part
        elif inner and v.op.several:
            self.add_output(v, 0, part)
        elif v in self.summed and not self.create_graph:
            known = self[v]
            known += part
            self[v] = known
        else:
            self[v] = self[v] + part
            self.summed.add(v)

    def add_output(self, v: Node, index: int, part: Any) -> None:
        """The same for one of several outputs, whose gradients are kept as {index: gradient}."""
        if v not in self:
            heappush(self.waiting, (-v.time, v))
        known = self.setdefault(v, {})
        known[index] = known[index] + part if index in known else part
