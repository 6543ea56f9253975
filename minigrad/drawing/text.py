"""Records as text, for terminals and for where nothing can be rendered."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from minigrad.drawing.graph import Picture, Vertex
from minigrad.drawing.look import LONGEST_TITLE, shown
from minigrad.drawing.quantities import number
from minigrad.recording import Scope


def text(picture: Picture) -> str:
    """A line for each vertex in the order of the computation, indented under its modules.

    ``n2  x Wᵀ + b  ← n0, n1`` is read as: n2 was computed from n0 and n1.
    """
    read: dict[str, list[str]] = {}
    for edge in picture.edges:
        factor = f" by {edge.factor} of norm {number(edge.norm, 3)}" if edge.factor else ""
        read.setdefault(edge.target, []).append(f"{edge.source}{factor}")
    rows: list[tuple[str, ...]] = []
    scope: Scope = ()
    for vertex in picture.vertices:
        rows += [(title,) for title in _entered(scope, vertex.scope)]
        scope = vertex.scope
        rows.append(_row(picture, vertex, read.get(vertex.id, [])))
    full = [row for row in rows if len(row) > 1]
    widths = [max(map(_width, column)) for column in zip(*full, strict=True)]
    lines = [_line(row, widths) if len(row) > 1 else row[0] for row in rows]
    return "\n".join([*lines, *([picture.caption] if picture.caption else [])])


def _line(row: tuple[str, ...], widths: list[int]) -> str:
    """The cells of a row under those above; a column that is empty throughout is left out."""
    cells = [
        cell + " " * (width - _width(cell))
        for cell, width in zip(row, widths, strict=True)
        if width
    ]
    return "  ".join(cells).rstrip()


def _width(cell: str) -> int:
    """How many places a terminal gives it: the hat of ẑ stands over its letter."""
    return sum(not unicodedata.combining(c) for c in cell)


def _entered(before: Scope, scope: Scope) -> Iterator[str]:
    """Headings of the modules that ``scope`` is in and ``before`` was not."""
    same = True
    for depth, (name, kind) in enumerate(scope):
        same = same and before[depth : depth + 1] == scope[depth : depth + 1]
        if not same:
            title = " · ".join(part for part in (name, kind) if part)
            yield "  " * depth + shown(title, LONGEST_TITLE)


def _row(picture: Picture, vertex: Vertex, sources: list[str]) -> tuple[str, ...]:
    name, beside = vertex.heading
    called = " ".join(shown(part) for part in (name, beside, vertex.note) if part)
    origin = f"← {', '.join(sources)}" if sources else vertex.kind if name else ""
    numbers = [
        f"{key} {quantity}" if quantity else ""
        for key, quantity in (("value", vertex.value), ("grad", vertex.grad))
        if key in picture.show
    ]
    indent = "  " * len(vertex.scope)
    return (f"{indent}{vertex.id}", called, origin, picture.shape(vertex), *numbers)
