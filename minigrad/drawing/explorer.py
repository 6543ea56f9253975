"""A page to explore a drawing: zoom, pan, search, fold modules, ask a box what it is.

The page has the DOT text of the whole drawing and Graphviz itself, so it can lay out what is
left when modules are folded. A folded module is one statement in place of many: the statements
of all foldable modules are made here, so a page's boxes look as every drawing's do.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from minigrad.drawing import pages, render, rules
from minigrad.drawing.dot import FONT, dot, statement
from minigrad.drawing.folding import box
from minigrad.drawing.graph import MEANINGS, Picture, Quantity, Vertex, call
from minigrad.drawing.look import LONGEST_TITLE, Heat, shown
from minigrad.operation import Primitive

TITLE = "Computation graph"
MANY = 150  # boxes; above, modules start folded
NO_LINE = "not kept: compute inside `with mg.draw.lines():` to have it"


@dataclass(frozen=True)
class _Module:
    """A module's call in the DOT text: its name there, how deep it is, the boxes in it."""

    name: str
    depth: int
    members: tuple[Vertex, ...]

    @property
    def title(self) -> str:
        """Its path, or its class where it has none."""
        scope = self.members[0].scope[: self.depth]
        names = ".".join(name for name, _ in scope if name)
        return shown(" · ".join(filter(None, (names, scope[-1][1]))), LONGEST_TITLE)


def explorer(
    picture: Picture, operations: Mapping[str, Primitive], direction: str, depth: int | None
) -> str:
    """The page, as HTML.

    Parameters
    ----------
    picture
        The records, nothing folded.
    operations
        The declarations of its operations, by the id of their box.
    direction
        "LR" or "TB".
    depth
        How many levels of modules stand open at first; as many as `MANY` boxes allow if None.
    """
    picture = replace(picture, caption="")
    text = dot(picture, direction)
    modules = _modules(text, {vertex.id: vertex for vertex in picture.vertices})
    closed = _closed(picture, modules, depth)
    heat = Heat(picture) if picture.heat else None
    boxes = {module.name: _folded(picture, module) for module in modules}
    data = {
        "lines": text.replace(FONT, FONT.partition(",")[0]).splitlines(),  # one it can measure
        "closed": closed,
        "modules": {
            module.name: {
                "title": module.title,
                "id": boxes[module.name].id,
                "statement": statement(picture, boxes[module.name], heat),
                "rows": _size(module) + _quantities(boxes[module.name]),
            }
            for module in modules
        },
        "boxes": {
            vertex.id: _told(vertex, operations.get(vertex.id)) for vertex in picture.vertices
        },
        "edges": [(e.source, e.target, shown(e.argument)) for e in picture.edges],
    }
    return pages.page(
        "explorer",
        title=TITLE,
        data=data,
        scripts=["view", "folding", "explorer"],
        policy=" 'wasm-unsafe-eval'",
        svg="" if closed else _drawn(text),
        graphviz=pages.graphviz(),
    )


def _drawn(text: str) -> str:
    """The first picture; "" where there is no Graphviz: the page has its own."""
    try:
        return render.render(text, "svg").decode()
    except render.DrawingError:
        return ""


def _modules(text: str, vertices: Mapping[str, Vertex]) -> list[_Module]:
    """The modules of a DOT text, each before those inside it."""
    members: dict[str, list[Vertex]] = {}
    depths: dict[str, int] = {}
    around: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if opened := re.fullmatch(r"subgraph (\w+) \{", line):
            around.append(opened[1])
            members[opened[1]], depths[opened[1]] = [], len(around)
        elif line == "}":
            del around[-1:]
        elif (made := re.match(r"(\w+) \[label=", line)) and made[1] in vertices:
            for name in around:
                members[name].append(vertices[made[1]])
    return [_Module(name, depths[name], tuple(inside)) for name, inside in members.items()]


def _closed(picture: Picture, modules: Sequence[_Module], depth: int | None) -> list[str]:
    """The modules that are folded at first."""
    if depth is None:
        deepest = max((module.depth for module in modules), default=0)
        depth = next((d for d in range(deepest, 0, -1) if _boxes(picture, d) <= MANY), 0)
    return [module.name for module in modules if module.depth > depth]


def _boxes(picture: Picture, depth: int) -> int:
    """How many boxes there are when modules inside ``depth`` others are folded."""
    deep = [vertex for vertex in picture.vertices if len(vertex.scope) > depth]
    return len(picture.vertices) - len(deep) + len({call(vertex, depth + 1) for vertex in deep})


def _folded(picture: Picture, module: _Module) -> Vertex:
    """The box of a folded module."""
    inside = {vertex.id for vertex in module.members}
    read = {e.source for e in picture.edges if e.source in inside and e.target not in inside}
    return box(call(module.members[0], module.depth), module.members, read)


Rows = list[tuple[str, list[str]]]  # a word, and the lines that belong to it


def _told(vertex: Vertex, op: Primitive | None) -> dict[str, Any]:
    """What the page says of a box."""
    name, beside = vertex.heading
    rows: Rows = []
    if op is not None:
        rows += [("Formula", [rules.formula(op) or vertex.sign])]
        rows += [("Backward", rules.rules(op) or ["no rule: no gradient passes"])]
    rows += [("With", [shown(vertex.note)])] if vertex.note else []
    rows += [("Shape", [f"{vertex.shape}, {vertex.dtype}"])]
    rows += _quantities(vertex)
    rows += [("Module", [shown(vertex.path, LONGEST_TITLE)])] if vertex.path else []
    if op is not None:
        rows += [("Declared in", [rules.declared(op)])]
        rows += [("Line of your code", [vertex.line or NO_LINE])]
    kind = "result" if vertex.root else vertex.kind
    return {
        "title": shown(" ".join(filter(None, (name, beside)))),
        "kind": kind,
        "operation": vertex.operation,
        "modules": shown(" ".join(word for pair in vertex.scope for word in pair), LONGEST_TITLE),
        "rows": rows,
    }


def _quantities(vertex: Vertex) -> Rows:
    """The value and the gradient of a box, with what is known of how their numbers lie."""
    found = (("Value", vertex.value), ("Gradient", vertex.grad))
    return [(word, [*_lines(quantity)]) for word, quantity in found if quantity]


def _lines(quantity: Quantity) -> Iterator[str]:
    yield str(quantity)
    if quantity.state in MEANINGS:
        yield MEANINGS[quantity.state]
    if quantity.details:
        yield quantity.details
    if quantity.rms is not None:
        yield f"root mean square {quantity.rms:.4g}"


def _size(module: _Module) -> Rows:
    """How much is inside a module."""
    weights = sum(math.prod(v.shape) for v in module.members if v.kind == "parameter")
    return [("Inside", [f"{len(module.members)} boxes", f"{weights:,} parameters"])]
