"""The picture that steps are played on: one layout with room for every number that will come.

Graphviz lays it out once, with the widest text that each row will hold. The SVG is then marked,
so that numbers and products can be shown and hidden without moving anything: groups carry
``data-box`` or ``data-edge``, rows ``data-row``, and a product the ``data-step`` it comes with.
"""

from __future__ import annotations

import copy
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from minigrad.drawing.dot import dot
from minigrad.drawing.graph import Picture, Quantity, Vertex, clusters
from minigrad.drawing.look import GRADIENT
from minigrad.drawing.render import render
from minigrad.drawing.tape import Step, Tape

SVG = "http://www.w3.org/2000/svg"
VALUE = "#0072B2"  # what lights up forward; backward it is GRADIENT
_GAP = "\u00a0"
_INSET = 6.0  # from the border of a box to its numbers, in points

ET.register_namespace("", SVG)
ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")


def lines(text: str) -> list[str]:
    """A number as the rows of a box show it: a matrix has a line for each of its rows."""
    return text.replace("], [", "],\n[").split("\n")


class Stage:
    """The marked SVG of a tape, and its frames.

    Attributes
    ----------
    svg
        The root element, with every number and product in it.
    """

    def __init__(self, tape: Tape, direction: str) -> None:
        self.tape = tape
        products: dict[int, list[tuple[int, str]]] = {}
        for number, step in enumerate(tape.steps):
            if step.edge is not None:
                products.setdefault(step.edge, []).extend((number, p) for p in step.product)
        widest = _widest(tape, {edge: [text for _, text in on] for edge, on in products.items()})
        drawn = render(dot(widest, direction), "svg")
        self.svg = ET.fromstring(drawn)  # noqa: S314 - of our own making
        vertices = {vertex.id: vertex for vertex in widest.vertices}
        for group in _groups(self.svg):
            name = group.findtext(f"{{{SVG}}}title", "")
            if group.get("class") == "node":
                _mark_box(group, vertices[name])
            else:
                place = int((group.get("id") or "").removeprefix("edge")) - 1
                _mark_edge(group, place, products.get(place, []))
                if name.startswith(f"{widest.edges[place].target}-"):
                    group.set("data-turned", "")  # drawn from its head to its tail
        for element in self.svg.iter():
            element.attrib.pop("id", None)  # several may stand on one page

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points."""
        _, _, width, height = map(float, (self.svg.get("viewBox") or "").split())
        return width, height

    def state(self, number: int) -> ET.Element:
        """The picture with the numbers that are known after step ``number``."""
        svg = copy.deepcopy(self.svg)
        known: dict[tuple[str | None, str], list[str]] = {}
        for step in self.tape.steps[: number + 1]:
            known |= {(entry.box, entry.row): lines(entry.text) for entry in step.entries}
        for group in _groups(svg):
            for text in _texts(group):
                if row := text.get("data-row"):
                    given = dict(enumerate(known.get((group.get("data-box"), row), [])))
                    text.text = given.get(int(text.get("data-line", 0)), "")
                elif int(text.get("data-step", 0)) > number:
                    text.text = ""
        return svg

    def frame(self, number: int) -> ET.Element:
        """The same, with step ``number`` in colour, and the way that gradients came so far."""
        svg = self.state(number)
        step = self.tape.steps[number]
        flowed = {str(earlier.edge) for earlier in self.tape.steps[:number]}
        for group in _groups(svg):
            edge = group.get("data-edge")
            if group.get("data-box") == step.box or edge == str(step.edge):
                _paint(group, colour(step), "3")
            elif edge in flowed:
                _paint(group, GRADIENT, "1")
        return svg


def _groups(svg: ET.Element) -> Iterator[ET.Element]:
    """Boxes and edges."""
    return (g for g in svg.iter(f"{{{SVG}}}g") if g.get("class") in ("node", "edge"))


def _widest(tape: Tape, products: Mapping[int, Sequence[str]]) -> Picture:
    """The picture with all products and the longest text of each gradient, so that all will fit."""
    texts: dict[str, list[str]] = {}
    for step in tape.steps:
        for entry in step.entries:
            if entry.row == "grad":
                texts.setdefault(entry.box, []).append(entry.text)
    vertices = tuple(
        replace(v, grad=Quantity("computed", max(texts[v.id], key=len)) if v.id in texts else None)
        for v in tape.picture.vertices
    )
    edges = tuple(
        replace(edge, products=tuple(products.get(place, ())))
        for place, edge in enumerate(tape.picture.edges)
    )
    show = tape.picture.show | {"grad"}
    return replace(tape.picture, vertices=vertices, edges=edges, top=clusters(vertices), show=show)


def _texts(group: ET.Element) -> Iterator[ET.Element]:
    return group.iter(f"{{{SVG}}}text")


def _mark_box(group: ET.Element, vertex: Vertex) -> None:
    """Say which text is which row of a box. The rows come last, each after its key."""
    group.set("data-box", vertex.id)
    shape = next(e for e in group.iter() if e.get("points") or e.get("d"))
    corners = re.findall(r"(-?[\d.]+),-?[\d.]+", shape.get("points") or shape.get("d") or "")
    right = max(map(float, corners)) - _INSET
    texts = list(_texts(group))
    words = [(text.text or "").strip(f"{_GAP} ") for text in texts]
    for row in ("grad", "value"):
        if getattr(vertex, row) is None:
            continue
        key = max(i for i, word in enumerate(words) if word == row)
        for line, text in enumerate(texts[key + 1 :]):
            text.attrib |= {"data-row": row, "data-line": str(line)}
            text.attrib |= {"text-anchor": "end", "x": f"{right:g}"}
            text.text = (text.text or "").strip(f"{_GAP} ")
        del texts[key:], words[key:]


def _mark_edge(group: ET.Element, edge: int, products: list[tuple[int, str]]) -> None:
    """Say which text on an edge comes with which step."""
    group.set("data-edge", str(edge))
    written = [text for text in _texts(group) if text.get("fill", "").upper() == GRADIENT]
    for text, (step, _) in zip(written, products, strict=True):
        text.set("data-step", str(step))
        text.attrib |= {"stroke": "#fff", "stroke-width": "3", "paint-order": "stroke"}  # a halo


def _paint(group: ET.Element, colour: str, width: str) -> None:
    """Draw the lines of a group in a colour."""
    for element in group.iter():
        if element.get("stroke", "none") != "none" and element.tag != f"{{{SVG}}}text":
            element.attrib |= {"stroke": colour, "stroke-width": width}
            if element.get("fill", "none") != "none" and group.get("data-edge"):
                element.set("fill", colour)


def colour(step: Step) -> str:
    """The colour of a step: of values, or of gradients."""
    return GRADIENT if step.phase in ("seed", "backward") else VALUE
