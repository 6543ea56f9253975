"""Drawings of computations: values, gradients, shapes and modules on one picture.

>>> mg.draw(loss)                      # shows itself in a notebook
>>> mg.draw(loss).save("loss.svg")     # or .png, .pdf, .dot, .txt
>>> print(mg.draw(loss))               # a text for terminals

The graph becomes records (`reading`, `graph`), the records DOT or text (`dot`, `text`), the DOT a
picture (`render`). Importing this needs no Graphviz.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from minigrad.drawing import files, render
from minigrad.drawing.dot import dot
from minigrad.drawing.graph import Picture
from minigrad.drawing.reading import read
from minigrad.drawing.render import drawing_path
from minigrad.drawing.text import text
from minigrad.tensor import Tensor

if TYPE_CHECKING:
    from minigrad.drawing.steps import Steps

__all__ = ["Graph", "draw", "drawing_path"]

SHOWS = ("shape", "value", "grad")
DIRECTIONS = ("LR", "TB")


def draw(
    y: Tensor | Sequence[Tensor],
    *,
    show: Iterable[str] = SHOWS,
    direction: str = "LR",
    names: Mapping[str, Tensor] | None = None,
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

    Returns
    -------
    Graph
        The drawing as the graph is now; what is computed later does not change it.

    Raises
    ------
    TypeError
        If ``y`` holds something else than Tensors.
    ValueError
        If ``show`` or ``direction`` is none of the known ones.
    """
    roots: list[Any] = list(y) if isinstance(y, list | tuple) else [y]
    if not roots or not all(isinstance(root, Tensor) for root in roots):
        found = ", ".join(type(root).__name__ for root in roots) or "none"
        raise TypeError(
            f"draw() needs a Tensor or several; got {found}. Pass a result, as draw(loss)."
        )
    shown = (show,) if isinstance(show, str) else tuple(show)
    if unknown := [word for word in shown if word not in SHOWS]:
        raise ValueError(
            f"draw(show=…) knows {', '.join(SHOWS)}; got {unknown[0]!r}. Choose of these."
        )
    if direction not in DIRECTIONS:
        raise ValueError(f"draw(direction=…) knows {' and '.join(DIRECTIONS)}; got {direction!r}.")
    return Graph(read(roots, shown, names or {}), direction, roots, names or {})


class Graph:
    """A drawing: shows itself in notebooks, prints as text, saves to files.

    Attributes
    ----------
    picture
        The records it is made from.
    direction
        "LR" or "TB".
    roots, names
        What was drawn: the results, which the drawing keeps, and the names that were given.
    """

    def __init__(
        self, picture: Picture, direction: str, roots: Sequence[Tensor], names: Mapping[str, Tensor]
    ) -> None:
        self.picture = picture
        self.direction = direction
        self.roots = roots
        self.names = names

    @functools.cached_property
    def dot(self) -> str:
        """The DOT text; the same graph gives the same bytes."""
        return dot(self.picture, self.direction)

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
        """The SVG for notebooks, beside the text; without Graphviz the text and what to install."""
        if render.can_render():
            return {"image/svg+xml": self.svg, "text/plain": self.text()}
        return {"text/plain": f"{self.text()}\n\n(To see a picture: {render.INSTALL})"}

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
        """
        from minigrad.drawing.steps import Steps  # noqa: PLC0415 - read when steps are asked for
        from minigrad.drawing.tape import record  # noqa: PLC0415

        return Steps(record(self.roots, self.names, gradient), self.direction)

    def save(self, path: str | os.PathLike[str], *, dpi: int = 150) -> Path:
        """Save as what the ending says: .svg, .png, .pdf, .dot or .txt; a whole file or none.

        Parameters
        ----------
        path
            Where to; a file that is there is replaced.
        dpi
            Pixels an inch, for .png.
        """
        format = files.ending(path, (*render.FORMATS, "dot", "txt"), "a drawing")
        if format in render.FORMATS:
            content = render.render(self.dot, format, dpi)
        else:
            content = (self.dot if format == "dot" else self.text() + "\n").encode()
        return files.write(path, content)
