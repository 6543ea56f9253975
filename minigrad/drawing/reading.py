"""From the engine's graph to the records of a drawing: the only file here that sees tensors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from minigrad import backend, engine
from minigrad.drawing import symbols
from minigrad.drawing.graph import Edge, Picture, Vertex, clusters
from minigrad.drawing.quantities import Gradients, Values, leaf_gradient, leaf_value, number
from minigrad.nn.module import Parameter
from minigrad.operation import Node, output
from minigrad.recording import Scope
from minigrad.tensor import Tensor

Spot = tuple[int, int]  # the identity of an operation or leaf, and which of its outputs


@dataclass
class _Use:
    """How a tensor is read: by modules inside ``scope``, under ``sign``, last at ``time``."""

    scope: Scope
    sign: str  # "γ" where all its readers give it that sign
    held: bool  # whether it comes with the layer that reads it, as weights do
    time: float


def read(roots: Sequence[Tensor], show: Iterable[str], names: Mapping[str, Tensor]) -> Picture:
    """The graph under ``roots`` as records; see `minigrad.drawing.draw` for the arguments."""
    return _Reading(roots, frozenset(show), names).picture


class Places:
    """Where the nodes and tensors of a graph are in its picture.

    Attributes
    ----------
    picture
        The graph as records, no module folded.
    """

    def __init__(
        self, roots: Sequence[Tensor], show: Iterable[str], names: Mapping[str, Tensor]
    ) -> None:
        reading = _Reading(roots, frozenset(show), names)
        self.picture = reading.picture
        self._vertices = reading.vertices
        self._edges = {(e.target, e.argument): i for i, e in enumerate(self.picture.edges)}

    def box(self, x: Any) -> Vertex:
        """The vertex of a Node or tensor."""
        return self._vertices[_spot(x)]

    def output(self, node: Node, index: int) -> Vertex:
        """The vertex of one of the results of ``node``."""
        return self._vertices[id(node), index]

    def outputs(self, node: Node) -> list[Vertex]:
        """The vertices of the results of ``node``, those that are drawn."""
        spots = [(id(node), index) for index in range(len(node.op.outputs))]
        return [self._vertices[spot] for spot in spots if spot in self._vertices]

    def read(self, node: Node) -> list[tuple[int, Any]]:
        """(place, input) of what ``node`` reads, but for the numbers written into it."""
        return [(i, x) for i, x in enumerate(node.inputs) if x is not None and not _is_number(x)]

    def argument(self, node: Node, index: int) -> str:
        """What the picture calls input ``index`` of ``node``."""
        return "" if node.op is output else symbols.argument(_argument(node, index))

    def edge(self, node: Node, index: int) -> int:
        """The place, in the picture's edges, of that into ``node`` as input ``index``."""
        return self._edges[self.box(node).id, self.argument(node, index)]


class _Reading:
    """One walk over a graph, inputs first, so that ids follow the order of the computation."""

    def __init__(
        self, roots: Sequence[Tensor], show: frozenset[str], names: Mapping[str, Tensor]
    ) -> None:
        order = engine.order(roots)
        nodes = [v for v in reversed(order) if isinstance(v, Node)]
        self.show = show
        self.modules = any(node.scope for node in nodes)
        self.uses = _uses(nodes)
        self.ends = {_spot(x) for x in roots}
        known = [x for node in nodes for x in node.inputs if isinstance(x, Tensor)]
        self.names = {_spot(x): x.name for x in (*known, *roots) if x.name}
        self.names |= {_spot(x): name for name, x in names.items()}
        self.read_outputs = {_spot(n): n for n in nodes if n.op is output}
        self.values = Values(nodes, roots) if "value" in show else None
        self.gradients = Gradients(nodes, roots, order) if "grad" in show else None

        self.vertices: dict[Spot, Vertex] = {}
        self.edges: list[Edge] = []
        for node in nodes:
            if node.op is not output:
                self._operation(node)
        for root in roots:
            self._find(root)  # a root that no operation made and none reads
        vertices = tuple(self.vertices.values())
        self.picture = Picture(vertices, tuple(self.edges), clusters(vertices), show)

    def _add(self, spot: Spot, **facts: Any) -> Vertex:
        """A further vertex, with the next id."""
        facts = {"name": self.names.get(spot, ""), "sign": "", "note": "", "operation": ""} | facts
        id_ = f"n{len(self.vertices)}"
        vertex = self.vertices[spot] = Vertex(id=id_, root=spot in self.ends, **facts)
        return vertex

    def _find(self, x: Any) -> Vertex:
        """The vertex of ``x``; leaves and constants get theirs when they are first read."""
        spot = _spot(x)
        return self.vertices[spot] if spot in self.vertices else self._leaf(x)

    def _operation(self, node: Node) -> None:
        """One vertex for ``node`` and its first result, its edges, and its other outputs."""
        scalars = {i: _scalar(x) for i, x in enumerate(node.inputs) if _is_number(x)}
        sources = [
            (self._find(x).id, symbols.argument(_argument(node, index)))
            for index, x in enumerate(node.inputs)
            if x is not None and index not in scalars
        ]
        name = node.op.name.lstrip("_")
        given = sum(x is not None for x in node.inputs)
        ndim = len(getattr(node.inputs[0], "shape", ()))
        vertex = self._add(
            _spot(node),
            kind="operation",
            sign=symbols.operation(name, scalars, given),
            note=symbols.note(name, node.params, ndim),
            operation=name,
            **self._result(node, 0, node),
        )
        self.edges += [Edge(source, vertex.id, argument) for source, argument in sources]
        for index in range(1, len(node.op.outputs)):
            spot = (id(node), index)
            like = self.read_outputs.get(spot) or (node.value and node.value[index])
            if like is not None:
                sign = symbols.argument(node.op.outputs[index])
                facts = self._result(node, index, like)
                further = self._add(spot, kind="output", sign=sign, **facts)
                self.edges.append(Edge(vertex.id, further.id, ""))

    def _result(self, node: Node, index: int, like: Any) -> dict[str, Any]:
        """What a drawing says of output ``index`` of ``node``, which is shaped ``like``."""
        unread = index and (id(node), index) not in self.read_outputs
        return {
            "scope": node.scope,
            "shape": tuple(like.shape),
            "dtype": _dtype(like),
            "value": self.values and self.values.of(node, index),
            "grad": None if unread else self.gradients and self.gradients.of(node, index),
        }

    def _leaf(self, x: Any) -> Vertex:
        """A vertex for what no recorded operation made: parameter, input or constant.

        In a graph with modules, parameters are what modules hold, and stand in them; in one
        without, all tensors that require grad. Inputs stand outside, where the data come from.
        """
        spot = _spot(x)
        use = self.uses.get(spot, _Use((), "", False, 0))
        tracked = isinstance(x, Tensor) and x.tracked
        if isinstance(x, Parameter) or (tracked and not self.modules):
            kind = "parameter"
        else:
            kind = "constant" if use.held else "input"
        return self._add(
            spot,
            kind=kind,
            sign=use.sign,
            scope=() if kind == "input" else use.scope,
            shape=tuple(getattr(x, "shape", ())),
            dtype=_dtype(x),
            value=leaf_value(x, use.time) if "value" in self.show else None,
            grad=leaf_gradient(x) if "grad" in self.show else None,
        )


def _spot(x: Any) -> Spot:
    """Where ``x`` is in a drawing; an operation and its first output are in one place."""
    if isinstance(x, Tensor) and x.node is not None:
        x = x.node
    if isinstance(x, Node) and x.op is output:
        return id(x.inputs[0]), x.params["index"]
    return id(x), 0


def _uses(nodes: Sequence[Node]) -> dict[Spot, _Use]:
    """How each input is read; one that is reshaped first is read as the reshaped one is."""
    found: dict[Spot, _Use] = {}
    for node in reversed(nodes):
        through = found.get(_spot(node)) if node.op.name.lstrip("_") in symbols.VIEWS else None
        for index, x in enumerate(node.inputs):
            argument = _argument(node, index)
            sign = through.sign if through else symbols.SIGNS.get(argument, "")
            brought = argument in symbols.HELD or (index > 0 and not isinstance(x, Tensor))
            held = through.held if through else brought
            use = found.get(_spot(x))
            if use is None:
                found[_spot(x)] = _Use(node.scope, sign, held, node.time)
            else:
                use.scope = _common(use.scope, node.scope)
                use.sign = use.sign if use.sign == sign else ""
                use.held = use.held and held
    return found


def _common(a: Scope, b: Scope) -> Scope:
    """The modules around both."""
    depth = 0
    while depth < min(len(a), len(b)) and a[depth] == b[depth]:
        depth += 1
    return a[:depth]


def _argument(node: Node, index: int) -> str:
    """The name of input ``index``; those of ``*xs`` count from 1."""
    names = node.op.inputs
    return names[index] if not node.op.variadic else f"{names[0].removesuffix('s')}{index + 1}"


def _is_number(x: Any) -> bool:
    """Whether ``x`` is one plain number, which is written into the operation that reads it."""
    return isinstance(x, int | float) or (
        backend.is_array(x) and not isinstance(x, Tensor | Node) and not x.shape
    )


def _scalar(x: Any) -> str:
    """A plain number, or the one in a 0-d array, as text."""
    return number(backend.to_numpy(x).item() if backend.is_array(x) else x)


def _dtype(x: Any) -> str:
    """The name of a dtype, without that of its library."""
    return str(getattr(x, "dtype", type(x).__name__)).rpartition(".")[2]
