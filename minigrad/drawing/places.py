"""Where the nodes and tensors of a graph are in its picture: what tools on top of a drawing ask."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from minigrad.drawing import symbols
from minigrad.drawing.graph import Vertex
from minigrad.drawing.reading import is_number, read
from minigrad.drawing.uses import argument_name, spot_of
from minigrad.node import Node
from minigrad.operation import output
from minigrad.tensor import Tensor


class Places:
    """The picture of a graph, no module folded, and where in it everything is.

    Attributes
    ----------
    picture
        The records.
    """

    def __init__(
        self, roots: Sequence[Tensor], show: Iterable[str], names: Mapping[str, Tensor]
    ) -> None:
        reading = read(roots, show, names)
        self.picture = reading.picture
        self._vertices = reading.vertices
        self._edges = {(e.target, e.argument): i for i, e in enumerate(self.picture.edges)}

    def box(self, x: Any) -> Vertex:
        """The vertex of a Node or tensor."""
        return self._vertices[spot_of(x)]

    def output(self, node: Node, index: int) -> Vertex:
        """The vertex of one of the results of ``node``."""
        return self._vertices[id(node), index]

    def outputs(self, node: Node) -> list[Vertex]:
        """The vertices of the results of ``node``, those that are drawn."""
        spots = [(id(node), index) for index in range(len(node.op.outputs))]
        return [self._vertices[spot] for spot in spots if spot in self._vertices]

    def read(self, node: Node) -> list[tuple[int, Any]]:
        """(place, input) of what ``node`` reads, but for the numbers written into it."""
        return [(i, x) for i, x in enumerate(node.inputs) if x is not None and not is_number(x)]

    def argument(self, node: Node, index: int) -> str:
        """What the picture calls input ``index`` of ``node``."""
        return "" if node.op is output else symbols.argument(argument_name(node, index))

    def edge(self, node: Node, index: int) -> int:
        """The place, in the picture's edges, of that into ``node`` as input ``index``."""
        return self._edges[self.box(node).id, self.argument(node, index)]
