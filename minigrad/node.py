"""The record of one operation: what was done to what, and what its rules will read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from minigrad.memory import clock
from minigrad.recording import Scope

if TYPE_CHECKING:
    from minigrad.operation import Primitive
    from minigrad.tensor import Tensor


class Node:
    """One recorded application of an operation.

    ``inputs`` says where each input came from: the Node that made it, the Tensor where the graph
    begins, or the constant itself. ``saved`` holds what the rules will read, raw, in the order of
    the operation's ``kept``; so no array outlives its use. Links point to inputs alone: there are
    no cycles, and a graph goes as soon as its result does.
    """

    __slots__ = (
        *("op", "inputs", "saved", "params"),
        *("shape", "dtype", "scope", "time", "parts", "__weakref__"),
    )
    parts: dict[int, ref[Node]]  # by index, of further outputs that have a node of their own
    tracked = True  # as a Tensor says it

    def __init__(
        self,
        op: Primitive,
        inputs: Sequence[Any],
        saved: Sequence[Any],
        params: dict[str, Any],
        like: Any,
        scope: Scope,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.saved = saved
        self.params = params
        self.shape = like.shape
        self.dtype = like.dtype
        self.scope = scope
        self.time = clock()

    def saved_inputs(self) -> list[tuple[Any, Any]]:
        """(where it came from, raw array) of each input that was kept."""
        op = self.op
        return [
            (self.inputs[op.inputs.index(name)], raw)
            for name, raw in zip(op.kept, self.saved, strict=True)
            if name in op.inputs
        ]

    def saved_outputs(self) -> list[Any]:
        """The raw outputs, all if a rule reads one of them; else none."""
        pairs = zip(self.op.kept, self.saved, strict=True)
        return [raw for name, raw in pairs if name in self.op.outputs]


# The results that asked for their gradient, by the node that made them.
keepers: WeakKeyDictionary[Node, ref[Tensor]] = WeakKeyDictionary()
