"""Records as DOT, the text that Graphviz draws.

Every text of a user's goes through `shown` and then `html.escape`: Graphviz replaces backslash
sequences even inside HTML-like labels, and a name may hold anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import count

from minigrad.drawing import symbols
from minigrad.drawing.graph import Cluster, Picture, Quantity, Vertex

# Okabe and Ito's colours, which the colour-blind tell apart: border, fill.
COLOURS = {
    "parameter": ("#C77C00", "#FEF3DC"),
    "input": ("#0072B2", "#E4F1FA"),
    "constant": ("#8A919C", "#F1F2F4"),
    "operation": ("#55606E", "#FFFFFF"),
    "output": ("#00855F", "#E1F4ED"),
}
GRADIENT = "#B84300"  # of gradients on their way
STYLES = {"operation": "ROUNDED", "output": "ROUNDED", "constant": "DASHED"}  # data have corners
INK, GREY, PALE = "#1B2430", "#5A6472", "#7A838F"
MODULES = ("#F5F6F8", "#ECEEF2")  # fills of modules by depth, in turn
FONT = "Helvetica,Arial,sans-serif"
FLOW = 8  # how much straighter the way of the data is drawn than that of the parameters
GAP = "&#160;"  # keeps text off the border: cells have one padding for all sides
LONGEST = 40  # characters of a name

Columns = dict[str, list[str]]  # by operation, the boxes that stand beside it
Products = Mapping[int, Sequence[str]]


def dot(picture: Picture, direction: str, products: Products | None = None) -> str:
    """The DOT text of ``picture``; the same picture gives the same text.

    ``products`` has lines to write on edges, by their place in the picture.
    """
    columns = _columns(picture, first=direction == "TB")
    lines = [
        "digraph minigrad {",
        f'  graph [rankdir={direction}, bgcolor="#FFFFFF", pad=0.2, nodesep=0.24, ranksep=0.42,'
        f' fontname="{FONT}", fontsize=11, fontcolor="{GREY}"]',
        f'  node [shape=plain, fontname="{FONT}", fontsize=12, fontcolor="{INK}"]',
        f'  edge [color="{PALE}", arrowsize=0.6, fontname="{FONT}", fontsize=9,'
        f' fontcolor="{GREY}"]',
        *_cluster(picture, picture.top, columns, count()),
        *_edges(picture, columns, products or {}),
        "}",
    ]
    return "\n".join(lines) + "\n"


def shown(text: str) -> str:
    r"""A user's text made fit for a drawing: short, on one line, and without ``\``."""
    plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    plain = plain.replace("\\", "\N{SET MINUS}")
    return plain if len(plain) <= LONGEST else plain[: LONGEST - 1] + "…"


def _text(text: str) -> str:
    """A user's text as Graphviz reads it in labels and in quotes: both know entities."""
    return escape(shown(text))


def _font(text: str, colour: str = GREY, size: int = 10) -> str:
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{text}</FONT>'


def _label(picture: Picture, vertex: Vertex) -> str:
    """A small table: what it is called, its shape, and a line for each number."""
    border, fill = COLOURS[vertex.kind]
    name, beside = vertex.heading
    title = [f"<B>{_text(name)}</B>"] if name else []
    title += [_font(_text(text)) for text in (beside, vertex.note, picture.shape(vertex)) if text]
    rows = [f'<TR><TD COLSPAN="2">{GAP}{f" {GAP}".join(title)}{GAP}</TD></TR>']
    rows += [_row("value", vertex.value)] if vertex.value else []
    rows += [_row("grad", vertex.grad)] if vertex.grad else []
    style = f' STYLE="{STYLES[vertex.kind]}"' if vertex.kind in STYLES else ""
    return (
        f'<<TABLE{style} BORDER="{2 if vertex.root else 1}" CELLBORDER="0" CELLSPACING="0"'
        f' CELLPADDING="2" COLOR="{INK if vertex.root else border}" BGCOLOR="{fill}">'
        f"{''.join(rows)}</TABLE>>"
    )


def _row(key: str, quantity: Quantity) -> str:
    """A number under its key; a matrix has a line for each of its rows."""
    text = escape(str(quantity))
    if "], [" in text:
        end = '<BR ALIGN="RIGHT"/>'
        text = text.replace("], [", f"],{GAP}{end}[") + GAP + end
    else:
        text += GAP
    there = quantity.state in ("computed", "now")
    text = _font(text, INK) if there else f"<I>{_font(text, PALE)}</I>"
    key = _font(f"{GAP}{key}{GAP}", GREY, 9)
    return f'<TR><TD ALIGN="LEFT">{key}</TD><TD ALIGN="RIGHT">{text}</TD></TR>'


def _cluster(
    picture: Picture, cluster: Cluster, columns: Columns, numbers: Iterator[int]
) -> Iterator[str]:
    """The vertices of a module and the modules inside it; recursion is as deep as the modules."""
    depth = len(cluster.scope)
    pad = "  " * (depth + 1)
    if depth:
        fill = MODULES[(depth - 1) % len(MODULES)]
        yield f"{pad[2:]}subgraph cluster_{next(numbers)} {{"
        yield (
            f'{pad}graph [label=<{_text(cluster.title)}>, style="rounded,filled", labeljust=l,'
            f' margin=10, fillcolor="{fill}", color="#C9CED6", tooltip="{_text(cluster.path)}"]'
        )
    for vertex in cluster.vertices:
        about = " · ".join(part for part in (vertex.operation, vertex.path, vertex.dtype) if part)
        yield f'{pad}{vertex.id} [label={_label(picture, vertex)}, tooltip="{_text(about)}"]'
        if vertex.id in columns:  # inside the cluster: named outside, they would leave it
            yield f"{pad}{{ rank=same; {'; '.join([vertex.id, *columns[vertex.id]])} }}"
    for child in cluster.children:
        yield from _cluster(picture, child, columns, numbers)
    if depth:
        yield f"{pad[2:]}}}"


def _chip(argument: str, products: Sequence[str] = ()) -> str:
    """The label of an arrow, with room around it: the arrow then passes beside it."""
    lines = [_text(argument)] if argument else []
    lines += [_font(_text(product), GRADIENT) for product in products]
    rows = "".join(f"<TR><TD>{line}</TD></TR>" for line in lines)
    return f'<<TABLE BORDER="0" CELLBORDER="0" CELLPADDING="1" CELLSPACING="2">{rows}</TABLE>>'


def _columns(picture: Picture, first: bool) -> Columns:
    """By operation, up to two boxes that stand beside it, so that the data run in a straight row.

    They are what a layer brings to this operation alone (W and b, γ and β), and its further
    outputs (μ and σ): one on each side. Of two, the first comes ``first`` in the answer or second.
    """
    by_id = {vertex.id: vertex for vertex in picture.vertices}
    readers = Counter(edge.source for edge in picture.edges)
    columns: Columns = {}
    for edge in picture.edges:
        source, target = by_id[edge.source], by_id[edge.target]
        if not edge.argument:
            columns.setdefault(source.id, []).append(target.id)
        elif (
            source.kind in ("parameter", "constant")
            and source.sign
            and source.scope == target.scope
            and readers[source.id] == 1
        ):
            columns.setdefault(target.id, []).append(source.id)
    return {id_: beside[:2][:: 1 if first else -1] for id_, beside in columns.items()}


def _edges(picture: Picture, columns: Columns, products: Products) -> Iterator[str]:
    """All arrows; those into an operation are labelled where its arguments could be confused."""
    by_id = {vertex.id: vertex for vertex in picture.vertices}
    told = [e for e in picture.edges if e.argument and by_id[e.source].sign != e.argument]
    unclear = Counter(edge.target for edge in told)
    for place, edge in enumerate(picture.edges):
        tail, head, facts = edge.source, edge.target, []
        if not edge.argument:
            facts = [f'color="{COLOURS["output"][0]}"', "arrowhead=none"]
        elif by_id[tail].kind not in ("parameter", "constant"):
            facts = [f"weight={FLOW}"]
        confused = unclear[head] > 1 and by_id[head].operation not in symbols.SWAPPABLE
        argument = edge.argument if confused else ""
        if argument or place in products:
            facts.append(f"label={_chip(argument, products.get(place, ()))}")
        # Graphviz puts the tail of an edge inside a column before its head: on which side a box
        # stands is told by which way its edge is written.
        if tail in columns.get(head, ())[1:]:
            tail, head, facts = head, tail, [*facts, "dir=back"]
        elif head in columns.get(tail, ())[:1] and len(columns[tail]) > 1:
            tail, head = head, tail
        yield f"  {tail} -> {head}" + (f" [{', '.join(facts)}]" if facts else "")
