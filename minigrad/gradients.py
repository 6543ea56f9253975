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


class Gradients:
    """What a sweep has found so far, by vertex; and the nodes whose turn is to come."""

    def __init__(self, create_graph: bool) -> None:
        self.create_graph = create_graph
        # A dict of its own: of a subclass every look-up would go through a method.
        self.found: dict[Vertex, Any] = {}
        # A heap of nodes, the latest first. A node is later than its inputs, so when it is the
        # latest left all its uses have been heard, and its gradient is final.
        self.waiting: list[tuple[int, Node]] = []
        self.summed: set[Vertex] = set()  # those whose gradient is a sum that nobody else has seen

    def add(self, v: Vertex, part: Any) -> None:
        """Hear of a part of the gradient by ``v``."""
        found = self.found
        if type(v) is Node:
            if part.shape != v.shape or part.dtype is not v.dtype:
                part = self._fitted(part, v)
            if v in found:
                self._add_more(v, part)
            else:
                heappush(self.waiting, (-v.time, v))
                found[v] = {0: part} if v.op.several else part
        else:
            like = v if self.create_graph else v.data
            if part.shape != like.shape or part.dtype is not like.dtype:
                part = self._fitted(part, like)
            if v in found:
                self._add_more(v, part)
            else:
                found[v] = part

    def _fitted(self, part: Any, like: Any) -> Any:
        """A part with the shape and dtype of what it is the gradient by."""
        if part.shape == like.shape and part.dtype == like.dtype:  # of two names, one dtype
            return part
        undo = fit if self.create_graph else fit.forward
        return undo(part, shape=like.shape, dtype=like.dtype)

    def _add_more(self, v: Vertex, part: Any) -> None:
        """Add a part to those there are."""
        known = self.found[v]
        if isinstance(known, dict):
            self.add_output(v, 0, part)
        elif v in self.summed and not self.create_graph:
            known += part
            self.found[v] = known
        else:
            self.found[v] = known + part
            self.summed.add(v)

    def add_output(self, v: Node, index: int, part: Any) -> None:
        """The same for one of several outputs, whose gradients are kept as {index: gradient}."""
        if v not in self.found:
            heappush(self.waiting, (-v.time, v))
        known = self.found.setdefault(v, {})
        known[index] = known[index] + part if index in known else part
