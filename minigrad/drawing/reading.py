"""From the engine's graph to the records of a drawing: the only file here that sees tensors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import backend, engine
from minigrad.drawing import symbols
from minigrad.drawing.backward import record, sums
from minigrad.drawing.graph import BACKWARD, Edge, Picture, Quantity, Vertex, clusters
from minigrad.drawing.lines import line_of
from minigrad.drawing.quantities import Gradients, Values, leaf_value, number
from minigrad.drawing.uses import Calls, Spot, Use, argument_name, held, spot_of, uses
from minigrad.nn.module import Module, Parameter
from minigrad.node import Node
from minigrad.operation import Primitive, output
from minigrad.tensor import Tensor


def read(
    roots: Sequence[Tensor],
    show: Iterable[str],
    names: Mapping[str, Tensor],
    model: Module | None = None,
    backward: bool = False,
) -> Reading:
    """The graph under ``roots`` as records; see `minigrad.drawing.draw` for the arguments."""
    with np.errstate(all="ignore"):  # numbers that are not finite are drawn, not warned of
        return Reading(roots, frozenset(show), names, model, backward)


class Reading:
    """One walk over a graph, inputs first, so that ids follow the order of the computation.

    Attributes
    ----------
    picture
        The records.
    vertices
        The vertex of each spot.
    operations
        By the id of its vertex, the declaration of each operation.
    """

    def __init__(
        self,
        roots: Sequence[Tensor],
        show: frozenset[str],
        names: Mapping[str, Tensor],
        model: Module | None,
        backward: bool,
    ) -> None:
        self.pass_ = record(roots) if backward else []
        results = [*roots, *(g for _, g in self.pass_)]
        nodes = [v for v in reversed(engine.order(results)) if isinstance(v, Node)]
        forward = [node for node in nodes if not _is_backward(node)]
        later = [node for node in nodes if _is_backward(node)]
        self.show = show
        self.modules = any(node.scope for node in forward)
        self.calls = Calls(nodes)
        self.uses = uses(nodes, self.calls) | (uses(forward, self.calls) if backward else {})
        self.ends = {spot_of(x) for x in results}
        known = [x for node in nodes for x in node.inputs if isinstance(x, Tensor)]
        self.names = {spot_of(x): x.name for x in (*known, *results) if x.name}
        self.names |= {spot_of(x): name for name, x in names.items()}
        self.read_outputs = {spot_of(n): n for n in nodes if n.op is output}
        self.values = Values(nodes, results) if "value" in show else None
        self.gradients = Gradients(forward, roots) if "grad" in show else None
        self.arrays = _arrays(nodes, (*results, *names.values()))

        self.vertices: dict[Spot, Vertex] = {}
        self.edges: list[Edge] = []
        self.sums: set[Node] = set()
        self.operations: dict[str, Primitive] = {}
        self.constants: dict[int, Spot] = {}
        for node in forward:
            self._operation(node)
        for root in roots:
            self._find(root)  # a root that no operation made and none reads
        self._unused(model)
        self.sums = sums(later)
        self.constants = _constants(forward)  # a rule reads a constant as a tensor of its own
        self._name_gradients(roots)
        for node in later:
            self._operation(node)
        vertices = tuple(self.vertices.values())
        self.picture = Picture(vertices, tuple(self.edges), clusters(vertices), show)

    def _name_gradients(self, roots: Sequence[Tensor]) -> None:
        """∂y/∂W for each gradient of the backward pass, and boxes for those it starts with."""
        called = {spot_of(y): self.names.get(spot_of(y), "y") for y in roots}
        whole = " + ".join(called.values())
        whole = f"({whole})" if len(called) > 1 else whole
        found = [(spot_of(x), self._find(x)) for x, _ in self.pass_]
        signs = Counter(vertex.heading[0] for _, vertex in found)
        for (spot, vertex), (_, g) in zip(found, self.pass_, strict=True):
            by = called.get(spot) or vertex.heading[0] or vertex.id
            if signs[by] > 1 and vertex.path:  # ∂L/∂0.W and ∂L/∂2.W
                by = f"{vertex.path}.{by}"
            before = self.names.get(spot_of(g), "")
            self.names[spot_of(g)] = f"{before}{' = ' if before else ''}∂{whole}/∂{by}"
        for _, g in self.pass_:
            if g.node is None:
                self._find(g)

    def _add(self, spot: Spot, **facts: Any) -> Vertex:
        """A further vertex, with the next id."""
        facts = {"name": self.names.get(spot, ""), "sign": "", "note": "", "operation": ""} | facts
        id_ = f"n{len(self.vertices)}"
        vertex = self.vertices[spot] = Vertex(id=id_, root=spot in self.ends, **facts)
        return vertex

    def _find(self, x: Any) -> Vertex:
        """The vertex of ``x``; leaves and constants get theirs when they are first read."""
        spot = spot_of(x)
        if spot not in self.vertices and isinstance(x, Tensor):
            spot = self.constants.get(id(x.data), spot)
        return self.vertices[spot] if spot in self.vertices else self._leaf(x)

    def _operation(self, node: Node) -> None:
        """One vertex for ``node`` and its first result, its edges, and its other outputs."""
        if node.op is output:  # those outputs have their vertices from the node itself
            return
        scalars = {i: _scalar(x) for i, x in enumerate(node.inputs) if is_number(x)}
        sources = [
            (self._find(x).id, symbols.argument(argument_name(node, index)))
            for index, x in enumerate(node.inputs)
            if x is not None and index not in scalars
        ]
        name = node.op.name.lstrip("_")
        given = sum(x is not None for x in node.inputs)
        ndim = len(getattr(node.inputs[0], "shape", ()))
        vertex = self._add(
            spot_of(node),
            kind="gradient" if _is_backward(node) else "operation",
            sign=symbols.operation(name, scalars, given),
            line=line_of(node),
            note="of all paths" if node in self.sums else symbols.note(name, node.params, ndim),
            operation=name,
            **self._result(node, 0, node),
        )
        self.operations[vertex.id] = node.op
        self.edges += [Edge(source, vertex.id, argument) for source, argument in sources]
        saved = node.saved_outputs() or [None] * len(node.op.outputs)
        for index in range(1, len(node.op.outputs)):
            spot = (id(node), index)
            like = self.read_outputs.get(spot) or saved[index]
            if like is not None:
                sign = symbols.argument(node.op.outputs[index])
                facts = self._result(node, index, like)
                further = self._add(spot, kind="output", sign=sign, **facts)
                self.edges.append(Edge(vertex.id, further.id, ""))

    def _result(self, node: Node, index: int, like: Any) -> dict[str, Any]:
        """What a drawing says of output ``index`` of ``node``, which is shaped ``like``."""
        unread = index and (id(node), index) not in self.read_outputs
        scope = node.scope[:-1] if node in self.sums else node.scope
        return {
            "scope": scope,
            "calls": self.calls.of(scope),
            "shape": tuple(like.shape),
            "dtype": _dtype(like),
            "value": self.values and self.values.of(node, index),
            "grad": None if unread else self.gradients and self.gradients.of(node, index),
        } | ({"grad": None} if _is_backward(node) else {})

    def _leaf(self, x: Any) -> Vertex:
        """A vertex for what no recorded operation made: parameter, input or constant.

        In a graph with modules, parameters are what modules hold, and stand in them; in one
        without, all tensors that require grad. Inputs stand outside, where the data come from.
        """
        spot = spot_of(x)
        use = self.uses.get(spot, Use((), (), "", False, 0))
        tracked = isinstance(x, Tensor) and x.tracked
        cut = isinstance(x, Tensor) and not tracked and id(x.data) in self.arrays
        if use.scope[:1] == (BACKWARD,) and tracked:
            kind, use.scope, use.calls = "gradient", (BACKWARD,), (0,)
        elif isinstance(x, Parameter) or (tracked and not self.modules):
            kind = "parameter"
        else:
            kind = "constant" if use.held or use.scope[:1] == (BACKWARD,) else "input"
        vertex = self._add(
            spot,
            kind=kind,
            sign=use.sign,
            note=symbols.UNRECORDED if use.sign == symbols.STANDARDIZED else "",
            scope=() if kind == "input" else use.scope,
            calls=() if kind == "input" else use.calls,
            shape=tuple(getattr(x, "shape", ())),
            dtype=_dtype(x),
            value=leaf_value(x, use.time) if "value" in self.show else None,
            grad=self._leaf_gradient(x, kind, cut),
        )
        source = self.vertices.get(self.arrays[id(x.data)]) if cut else None
        if source:
            self.edges.append(Edge(source.id, vertex.id, "detach", cut=True))
        return vertex

    def _leaf_gradient(self, x: Any, kind: str, cut: bool) -> Quantity | None:
        if self.gradients is None or kind == "gradient":
            return None
        return Quantity("detached") if cut else self.gradients.of_leaf(x)

    def _unused(self, model: Module | None) -> None:
        """The parameters of ``model`` that the roots do not depend on."""
        for name, x, scope in held(model) if model else ():
            if spot_of(x) not in self.vertices:
                self._add(
                    spot_of(x),
                    kind="parameter",
                    name=name,
                    scope=scope,
                    calls=(0,) * len(scope),
                    shape=x.shape,
                    dtype=_dtype(x),
                    value=leaf_value(x, 0) if "value" in self.show else None,
                    grad=self.gradients and self.gradients.of_unused(x),
                )


def _is_backward(node: Node) -> bool:
    """Whether a drawn backward pass recorded ``node``."""
    return node.scope[:1] == (BACKWARD,)


def _arrays(nodes: Sequence[Node], more: Iterable[Tensor]) -> dict[int, Spot]:
    """Where the arrays of what requires grad are: detach() shares them."""
    found = {id(x.data): spot_of(x) for x in more if x.tracked}
    for node in nodes:
        for origin, raw in node.saved_inputs():
            if engine.vertex(origin) is not None:
                found[id(raw)] = spot_of(origin)
        found |= {id(raw): (id(node), index) for index, raw in enumerate(node.saved_outputs())}
    return found


def _constants(nodes: Iterable[Node]) -> dict[int, Spot]:
    """Where the arrays of what needs no gradient are."""
    given = (x for node in nodes for x in node.inputs if engine.vertex(x) is None)
    return {id(x.data if isinstance(x, Tensor) else x): spot_of(x) for x in given}


def is_number(x: Any) -> bool:
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
