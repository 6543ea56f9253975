"""The arrows of a drawing: which way they run, what is written on them, what stands in a row."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from minigrad.drawing import symbols
from minigrad.drawing.graph import Edge, Picture, Vertex
from minigrad.drawing.look import ALARM, COLOURS, GAP, GRADIENT, GREY, INK, font, label_text
from minigrad.drawing.quantities import number

FLOW = 8  # how much straighter the way of the data is drawn than that of the parameters
SHRINKS, GROWS = "#0072B2", "#D55E00"  # factors of norm below and above 1
LOAN = "#A9A3B8"
Columns = dict[str, list[str]]  # by operation, the boxes that stand beside it


def columns(picture: Picture, first: bool) -> Columns:
    """By operation, up to two boxes that stand beside it, so that the data run in a straight row.

    They are what a layer brings to this operation alone (W and b, γ and β), and its further
    outputs (μ and σ): one on each side. Of two, the first comes ``first`` in the answer or second.
    """
    by_id = {vertex.id: vertex for vertex in picture.vertices}
    readers = Counter(e.source for e in picture.edges if not by_id[e.target].backward)
    carried = brought(picture)
    found: Columns = {}
    for edge in picture.edges:
        source, target = by_id[edge.source], by_id[edge.target]
        if not edge.argument:
            found.setdefault(source.id, []).append(target.id)
        elif (
            not target.backward
            and source.id in carried
            and source.sign
            and source.scope == target.scope
            and source.calls == target.calls
            and readers[source.id] == 1
        ):
            found.setdefault(target.id, []).append(source.id)
    return {id_: beside[:2][:: 1 if first else -1] for id_, beside in found.items()}


def brought(picture: Picture) -> set[str]:
    """The boxes of what layers bring along: parameters and constants, as they are or reshaped."""
    found = {v.id for v in picture.vertices if v.kind in ("parameter", "constant")}
    views = {v.id for v in picture.vertices if v.operation in symbols.VIEWS}
    for edge in picture.edges:  # in the order of the computation
        if edge.target in views and edge.source in found:
            found.add(edge.target)
    return found


def edges(picture: Picture, columns: Columns) -> Iterator[str]:
    """All arrows; those into an operation are labelled where its arguments could be confused."""
    by_id = {vertex.id: vertex for vertex in picture.vertices}
    told = [e for e in picture.edges if e.argument and by_id[e.source].sign != e.argument]
    unclear = Counter(edge.target for edge in told)
    carried = brought(picture)
    below = {id_ for beside in columns.values() for id_ in beside[1:]}
    for edge in picture.edges:
        tail, head = edge.source, edge.target
        facts = _facts(edge, by_id, unclear, 0 if tail in carried else FLOW)
        facts += [f'tooltip="{label_text(edge.argument)}"'] if edge.argument else []
        # Graphviz puts the tail of an edge inside a column before its head: on which side a box
        # stands is told by which way its edge is written.
        if by_id[tail].backward and by_id[head].backward:
            tail, head, facts = head, tail, [*facts, "dir=back"]  # the backward pass runs back
        elif tail in columns.get(head, ())[head not in below :]:
            tail, head, facts = head, tail, [*facts, "dir=back"]
        elif head in columns.get(tail, ())[:1] and len(columns[tail]) > 1:
            tail, head = head, tail
        yield f"  {tail} -> {head}" + (f" [{', '.join(facts)}]" if facts else "")


def _facts(
    edge: Edge, by_id: Mapping[str, Vertex], unclear: Mapping[str, int], weight: int
) -> list[str]:
    """The attributes of an arrow."""
    source, target = by_id[edge.source], by_id[edge.target]
    if edge.cut:
        return [f'color="{ALARM}"', "style=dashed", "arrowhead=tee", f"label={_chip('detach')}"]
    if not edge.argument:
        return [f'color="{COLOURS["output"][0]}"', "arrowhead=none"]
    if target.backward and not source.backward:  # a value that a rule reads
        return [f'color="{LOAN}"', "style=dotted", "constraint=false"]
    facts = [f"weight={weight}"] if weight else []
    if edge.factor:
        return facts + _factor(edge)
    if target.backward:
        facts.append(f'color="{COLOURS["gradient"][0]}"')
    swappable = target.operation in symbols.SWAPPABLE or target.kind == "module"
    argument = edge.argument if unclear[target.id] > 1 and not swappable else ""
    if argument or edge.products:
        facts.append(f"label={_chip(argument, edge.products)}")
    return facts


def _chip(argument: str, products: Sequence[str] = ()) -> str:
    """The label of an arrow, with room around it: the arrow then passes beside it."""
    lines = [label_text(argument)] if argument else []
    lines += [font(label_text(product), GRADIENT) for product in products]
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2">{rows}</TABLE>>'


def _factor(edge: Edge) -> list[str]:
    """An arrow that carries a factor of a product: its norm tells its colour and its width."""
    rows = [font(f"<B>{label_text(edge.factor)}</B>", INK, 11)]
    colour, width = GREY, 1.5
    if edge.norm is not None:
        rows.append(font(f"‖·‖ = {number(edge.norm, 3)}"))
        log = math.log2(edge.norm) if 0 < edge.norm < math.inf else math.copysign(9, edge.norm - 1)
        width = 1.2 + min(abs(log), 4)
        colour = GREY if abs(log) < 1e-3 else GROWS if log > 0 else SHRINKS  # noqa: PLR2004
    cells = "".join(f"<TR><TD>{GAP}{row}{GAP}</TD></TR>" for row in rows)
    label = f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="0">{cells}</TABLE>>'
    return [f"label={label}", f'color="{colour}"', f"penwidth={width:.2f}"]
