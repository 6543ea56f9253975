"""Two pictures as one, so that they are laid out, coloured and saved together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from minigrad.drawing.graph import Edge, Picture, Vertex, clusters
from minigrad.drawing.look import shown


def beside(pictures: Sequence[Picture], titles: Sequence[str]) -> Picture:
    """All ``pictures`` in one, each under its title; they share one scale of heat."""
    vertices: list[Vertex] = []
    edges: list[Edge] = []
    captions = []
    for number, (picture, title) in enumerate(zip(pictures, titles, strict=True)):
        mark = chr(ord("a") + number)  # ids of one picture must not be those of another
        vertices += [
            replace(
                v,
                id=mark + v.id,
                scope=((title, ""), *v.scope),
                calls=(number, *v.calls),
            )
            for v in picture.vertices
        ]
        edges += [replace(e, source=mark + e.source, target=mark + e.target) for e in picture.edges]
        captions += [f"{shown(title)}: {picture.caption}"] if picture.caption else []
    heats = {picture.heat for picture in pictures}
    return Picture(
        tuple(vertices),
        tuple(edges),
        clusters(vertices),
        frozenset().union(*(picture.show for picture in pictures)),
        caption="\n".join(captions),
        heat=heats.pop() if len(heats) == 1 else "",
    )
