"""Records as DOT, the text that Graphviz draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape
from itertools import count

from minigrad.drawing import arrows
from minigrad.drawing.arrows import Columns
from minigrad.drawing.graph import MEANINGS, Cluster, Picture, Quantity, Vertex
from minigrad.drawing.look import (
    ALARM,
    ALARMING,
    COLOURS,
    GAP,
    GREY,
    INK,
    LONGEST,
    LONGEST_LINE,
    LONGEST_TITLE,
    MARKS,
    MODULES,
    OUTLINES,
    PALE,
    Heat,
    font,
    foot,
    label_text,
    shown,
)  # fmt: skip

__all__ = ["COLOURS", "LONGEST", "dot", "shown", "statement"]

LARGE = 300  # boxes from which arrows are straight and crossings stay: the layout takes seconds
QUICK = ", splines=line, nslimit=2, nslimit1=2, mclimit=0.5"
FONT = "Helvetica,Arial,sans-serif"


def dot(picture: Picture, direction: str, legend: bool = False) -> str:
    """The DOT text of ``picture``; the same picture gives the same text."""
    columns = arrows.columns(picture, first=direction == "TB")
    heat = Heat(picture) if picture.heat else None
    under = foot(picture, heat, legend)
    quick = QUICK if len(picture.vertices) >= LARGE else ""
    lines = [
        "digraph minigrad {",
        f'  graph [rankdir={direction}, bgcolor="#FFFFFF", pad=0.2, nodesep=0.24, ranksep=0.42'
        f'{quick}, fontname="{FONT}", fontsize=11, fontcolor="{GREY}", tooltip=" "'
        f"{f', labelloc=b, labeljust=l, label={under}' if under else ''}]",
        f'  node [shape=plain, fontname="{FONT}", fontsize=12, fontcolor="{INK}"]',
        f'  edge [color="{PALE}", arrowsize=0.6, fontname="{FONT}", fontsize=9,'
        f' fontcolor="{GREY}"]',
        *_cluster(picture, _upright(picture.top, direction), columns, heat, count()),
        *arrows.edges(picture, columns),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _upright(top: Cluster, direction: str) -> Cluster:
    """``top`` so that the first of its clusters is drawn first; from left to right, rows rise."""
    apart = direction == "LR" and not top.vertices
    return replace(top, children=top.children[::-1]) if apart else top


def statement(picture: Picture, vertex: Vertex, heat: Heat | None) -> str:
    """The DOT statement of one box, on one line."""
    label, tip = _label(picture, vertex, heat), _tooltip(picture, vertex)
    return f'{vertex.id} [label={label}, tooltip="{tip}"]'


def _label(picture: Picture, vertex: Vertex, heat: Heat | None) -> str:
    """A small table: what it is called, its shape, and a line for each number."""
    border, fill = COLOURS["gradient" if vertex.backward else vertex.kind]
    fill = heat.fill(vertex) if heat else fill
    name, beside = vertex.heading
    longest = LONGEST_TITLE if vertex.backward else LONGEST  # a rule in words
    title = [f"<B>{label_text(name, longest)}</B>"] if name else []
    apart = vertex.kind == "module"  # what is inside has a line of its own
    told = (beside, "" if apart else vertex.note, picture.shape(vertex))
    title += [font(label_text(text)) for text in told if text]
    rows = [f'<TD COLSPAN="2">{GAP}{f" {GAP}".join(title)}{GAP}</TD>']
    if apart and vertex.note:
        rows.append(f'<TD COLSPAN="2">{GAP}{font(label_text(vertex.note), GREY, 9)}{GAP}</TD>')
    rows += [_row(key, quantity) for key, quantity in numbers(picture, vertex)]
    if vertex.kind == "parameter":
        rows[0] = f'<TD ROWSPAN="{len(rows)}" BGCOLOR="{border}" WIDTH="5"></TD>{rows[0]}'
    style = f' STYLE="{OUTLINES[vertex.kind]}"' if vertex.kind in OUTLINES else ""
    return (
        f'<<TABLE{style} BORDER="{2 if vertex.root else 1}" CELLBORDER="0" CELLSPACING="0"'
        f' CELLPADDING="2" COLOR="{INK if vertex.root else border}" BGCOLOR="{fill}">'
        f"<TR>{'</TR><TR>'.join(rows)}</TR></TABLE>>"
    )


def numbers(picture: Picture, vertex: Vertex) -> Iterator[tuple[str, Quantity]]:
    """The quantities that are asked for and that ``vertex`` has, under their names."""
    for key, quantity in (("value", vertex.value), ("grad", vertex.grad)):
        if quantity and key in picture.show:
            yield key, quantity


def _row(key: str, quantity: Quantity) -> str:
    """A number under its key; a matrix has a line for each of its rows."""
    text = escape(str(quantity))
    if "], [" in text:
        end = '<BR ALIGN="RIGHT"/>'
        text = text.replace("], [", f"],{GAP}{end}[") + GAP + end
    else:
        text += GAP
    if quantity.state == "computed":
        text = font(text, INK)
    else:
        colour = ALARM if quantity.state in ALARMING else GREY
        text = font(f"{MARKS[quantity.state]}{GAP}<I>{text}</I>", colour)
    key = font(f"{GAP}{key}{GAP}", GREY, 9)
    return f'<TD ALIGN="LEFT">{key}</TD><TD ALIGN="RIGHT">{text}</TD>'


def _tooltip(picture: Picture, vertex: Vertex) -> str:
    """More than stands on the box, a line each: where it is, and how its numbers lie."""
    lines = [" · ".join(part for part in (vertex.operation, vertex.path, vertex.dtype) if part)]
    for key, quantity in numbers(picture, vertex):
        more = quantity.details or MEANINGS.get(quantity.state, "")
        lines += [f"{key}: {more}"] if more else []
    return "&#10;".join([label_text(line, LONGEST_LINE) for line in lines])


def _cluster(
    picture: Picture, cluster: Cluster, columns: Columns, heat: Heat | None, ids: Iterator[int]
) -> Iterator[str]:
    """The vertices of a module and the modules inside it; recursion is as deep as the modules."""
    depth = len(cluster.scope)
    pad = "  " * (depth + 1)
    if depth:
        fill = MODULES[(depth - 1) % len(MODULES)]
        title = label_text(cluster.title, LONGEST_TITLE)
        yield f"{pad[2:]}subgraph cluster_{next(ids)} {{"
        yield (
            f'{pad}graph [label=<{title}>, style="rounded,filled",'
            f' labelloc=t, labeljust=l, margin=10, fillcolor="{fill}", color="#C9CED6",'
            f' tooltip="{label_text(cluster.path, LONGEST_LINE)}"]'
        )
    for vertex in cluster.vertices:
        yield pad + statement(picture, vertex, heat)
        if vertex.id in columns:  # inside the cluster: named outside, they would leave it
            yield f"{pad}{{ rank=same; {'; '.join([vertex.id, *columns[vertex.id]])} }}"
    for child in cluster.children:
        yield from _cluster(picture, child, columns, heat, ids)
    if depth:
        yield f"{pad[2:]}}}"
