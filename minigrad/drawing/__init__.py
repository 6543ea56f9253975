"""Drawings of computations: values, gradients, shapes and modules on one picture.

>>> mg.draw(loss)                      # shows itself in a notebook
>>> mg.draw(loss).save("loss.svg")     # or .png, .pdf, .dot, .txt
>>> mg.draw(loss).save("loss.html")    # a page to explore it in
>>> mg.draw(loss).steps()              # its forward and backward, to play
>>> print(mg.draw(loss))               # a text for terminals

The graph becomes records (`reading`, `graph`), the records DOT or text (`dot`, `text`), the DOT a
picture (`render`). Importing this needs no Graphviz.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigrad.drawing import checks, files, render
from minigrad.drawing.comparing import beside
from minigrad.drawing.dot import dot
from minigrad.drawing.factors import lay
from minigrad.drawing.folding import fold
from minigrad.drawing.graph import Picture
from minigrad.drawing.reading import read
from minigrad.drawing.render import drawing_path
from minigrad.drawing.text import text
from minigrad.nn.module import Module
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.drawing.steps import Steps
    from minigrad.operation import Primitive
    from minigrad.products import BackpropProduct

__all__ = ["Graph", "compare", "draw", "drawing_path"]

SHOWS = ("shape", "value", "grad")
DIRECTIONS = ("LR", "TB")
HEATS = ("grad", "value")
FORMATS = ("svg", "text")
MAX_NODES = 150  # boxes that a reader, and a layout of a second or two, can take in
FEWEST_NODES = 3


def draw(  # noqa: PLR0913 - the one door to all that a drawing can show
    y: Tensor | Sequence[Tensor],
    *,
    show: Iterable[str] = SHOWS,
    direction: str = "LR",
    names: Mapping[str, Tensor] | None = None,
    model: Module | None = None,
    depth: int | None = None,
    repeats: bool = False,
    max_nodes: int | None = MAX_NODES,
    heat: str | None = None,
    backward: bool = False,
    product: BackpropProduct | None = None,
    legend: bool = False,
    format: str = "svg",
) -> Graph:
    """Draw the graph that ``y`` was computed by.

    Parameters
    ----------
    y
        A result, or several.
    show
        What stands on each box: any of "shape", "value", "grad".
    direction
        "LR" to draw from left to right, "TB" from top to bottom.
    names
        Names of tensors, such as ``{"a": a, "b": b}``; parameters of modules bring theirs.
    model
        A module whose parameters are all to be on the drawing: those that ``y`` does not depend
        on stand there with "no path".
    depth
        How many levels of modules stand open; those inside are one box each. None opens all.
    repeats
        Draw three and more blocks that are alike as one, × N.
    max_nodes
        Above this number of boxes the drawing folds itself, and says so. None draws all.
    heat
        Colour the boxes by the root mean square of their "grad" or "value".
    backward
        Draw the backward pass as well, as `grad(create_graph=True)` records it: every operation
        of every rule, in a box that says what the rule does. Leaves every ``.grad`` alone.
    product
        A product of Jacobians, `products.backprop_product(model, x)`: its factors are laid on the
        arrows into their modules, each with its spectral norm. Blue ones shrink, red ones stretch.
    legend
        Say under the drawing what its shapes, colours and marks mean.
    format
        What a notebook shows: "svg" or "text".

    Returns
    -------
    Graph
        The drawing as the graph is now; what is computed later does not change it.

    Raises
    ------
    TypeError
        If ``y`` holds something else than Tensors.
    ValueError
        If another argument is none of the known ones.
    """
    roots: list[Any] = list(y) if isinstance(y, list | tuple) else [y]
    if not roots or not all(isinstance(root, Tensor) for root in roots):
        found = ", ".join(type(root).__name__ for root in roots) or "none"
        raise TypeError(
            f"draw() needs a Tensor or several; got {found}. Pass a result, as draw(loss)."
        )
    for name, x in (names or {}).items():
        checks.kind(f"names={{{name!r}: …}}", x, Tensor)
    if model is not None:
        checks.kind("model=…", model, Module)
    shown = (show,) if isinstance(show, str) else tuple(show)
    for word in shown:
        checks.choice("show", word, SHOWS)
    checks.choice("direction", direction, DIRECTIONS)
    checks.choice("heat", heat, (*HEATS, None))
    checks.choice("format", format, FORMATS)
    checks.number("depth", depth, 0)
    checks.number("max_nodes", max_nodes, FEWEST_NODES)
    reading = read(roots, {*shown, *([heat] if heat else [])}, names or {}, model, backward)
    whole = reading.picture if product is None else lay(reading.picture, product)
    whole = replace(whole, show=frozenset(shown), heat=heat or "")
    picture = fold(whole, depth, repeats, max_nodes)
    source = Source(whole, depth, reading.operations, roots, names or {})
    return Graph(picture, source, direction, legend, format)


def compare(*graphs: Graph, titles: Sequence[str] | None = None) -> Graph:
    """Draw graphs beside each other, on one scale of heat; also as ``draw.compare``.

    Parameters
    ----------
    graphs
        What `draw` answered, two or more.
    titles
        What stands over each; A, B … if left out.

    Raises
    ------
    ValueError
        If there are fewer than two graphs, or not a title for each.
    """
    titles = [chr(ord("A") + i) for i in range(len(graphs))] if titles is None else titles
    if len(graphs) < 2 or len(titles) != len(graphs):  # noqa: PLR2004 - fewer compare nothing
        raise ValueError(
            f"compare() needs two graphs or more and a title for each; got {len(graphs)} and "
            f"{len(titles)}. Call it as compare(draw(a), draw(b), titles=('a', 'b'))."
        )
    picture = beside([graph.picture for graph in graphs], titles)
    legend = any(graph.legend for graph in graphs)
    return Graph(picture, Source(picture), graphs[0].direction, legend, graphs[0].format)


draw.compare = compare  # type: ignore[attr-defined]  # where those who have found draw() look


@dataclass(frozen=True)
class Source:
    """What a drawing was made of: the picture before it was folded, and what it was read from.

    ``operations`` has the declaration of each operation by the id of its box; ``depth`` is that of
    `draw`. A comparison has no ``roots``.
    """

    whole: Picture
    depth: int | None = None
    operations: Mapping[str, Primitive] = field(default_factory=dict)
    roots: Sequence[Tensor] = ()
    names: Mapping[str, Tensor] = field(default_factory=dict)


class Graph:
    """A drawing: shows itself in notebooks, prints as text, saves to files.

    Attributes
    ----------
    picture
        The records it is made from.
    source
        What it was made of; it keeps the results that were drawn, and so their graph.
    direction
        "LR" or "TB".
    legend
        Whether a legend stands under it.
    format
        What a notebook shows: "svg" or "text".
    """

    def __init__(
        self, picture: Picture, source: Source, direction: str, legend: bool, format: str
    ) -> None:
        self.picture = picture
        self.source = source
        self.direction = direction
        self.legend = legend
        self.format = format

    @functools.cached_property
    def dot(self) -> str:
        """The DOT text; the same graph gives the same bytes."""
        return dot(self.picture, self.direction, self.legend)

    @functools.cached_property
    def svg(self) -> str:
        """The SVG text; needs Graphviz."""
        return render.render(self.dot, "svg").decode()

    def text(self) -> str:
        """The graph as lines of text, for terminals."""
        return text(self.picture)

    def __repr__(self) -> str:
        """The text, so that ``print`` and terminals show the graph."""
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The SVG for notebooks, beside the text; the text and why, where it cannot be drawn."""
        if self.format == "text":
            return {"text/plain": self.text()}
        try:
            return {"image/svg+xml": self.svg, "text/plain": self.text()}
        except render.DrawingError as error:
            return {"text/plain": f"{self.text()}\n\n({error})"}

    def steps(self, gradient: Any = None) -> Steps:
        """The forward and a backward of this graph, one step after the other, to play.

        Values fill in in the order in which they were recorded; then gradients flow back in the
        order in which the engine takes them, on each edge upstream × local = product. No ``.grad``
        is touched.

        Parameters
        ----------
        gradient
            The upstream gradient, of the result's shape; needed where the result is no scalar.

        Raises
        ------
        RuntimeError
            If there is nothing to differentiate, the result is no scalar and ``gradient`` is not
            given, or a value that a rule needs was overwritten.
        ValueError
            If this is a comparison of graphs.
        """
        from minigrad.drawing.steps import Steps  # noqa: PLC0415 - read when steps are asked for
        from minigrad.drawing.telling import record  # noqa: PLC0415

        if not self.source.roots:
            raise ValueError(
                "steps() are those of one graph; this drawing compares several. Call it on one of "
                "them, draw(loss).steps()."
            )
        return Steps(record(self.source.roots, self.source.names, gradient), self.direction)

    def _explorer(self) -> str:
        from minigrad.drawing.explorer import explorer  # noqa: PLC0415 - read when asked for

        source = self.source
        return explorer(source.whole, source.operations, self.direction, source.depth)

    def save(self, path: str | os.PathLike[str], *, dpi: int = 150) -> Path:
        """Save as the ending says: .svg, .png, .pdf, .dot, .txt or .html; a whole file or none.

        The .html is a page to explore the drawing in: zoom, pan, search, fold and unfold modules,
        and ask each box for its formula, its numbers and where it was declared. It needs neither a
        server nor a network, nor Graphviz to be made.

        Parameters
        ----------
        path
            Where to; a file that is there is replaced.
        dpi
            Pixels an inch, for .png.
        """
        format = files.ending(path, (*render.FORMATS, "dot", "txt", "html"), "a drawing")
        if format in render.FORMATS:
            content = render.render(self.dot, format, dpi)
        elif format == "html":
            content = self._explorer().encode()
        else:
            content = (self.dot if format == "dot" else self.text() + "\n").encode()
        return files.write(path, content)
