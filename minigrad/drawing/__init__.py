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
from typing import Any

from minigrad.drawing import render
from minigrad.drawing.dot import dot
from minigrad.drawing.graph import Picture
from minigrad.drawing.reading import read
from minigrad.drawing.render import drawing_path
from minigrad.drawing.text import text
from minigrad.tensor import Tensor

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
    return Graph(read(roots, shown, names or {}), direction)


class Graph:
    """A drawing: shows itself in notebooks, prints as text, saves to files.

    Attributes
    ----------
    picture
        The records it is made from.
    direction
        "LR" or "TB".
    """

    def __init__(self, picture: Picture, direction: str) -> None:
        self.picture = picture
        self.direction = direction

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

    def save(self, path: str | os.PathLike[str], *, dpi: int = 150) -> Path:
        """Save as what the ending says: .svg, .png, .pdf, .dot or .txt; a whole file or none.

        Parameters
        ----------
        path
            Where to; a file that is there is replaced.
        dpi
            Pixels an inch, for .png.
        """
        target = Path(path)
        format = target.suffix.lower().removeprefix(".")
        known = (*render.FORMATS, "dot", "txt")
        if format not in known:
            raise ValueError(
                f"save({str(path)!r}) asks for a drawing of type {target.suffix or 'no ending'}; "
                f"known ones are {', '.join(f'.{name}' for name in known)}. Choose one of them."
            )
        if not target.parent.is_dir():
            raise FileNotFoundError(
                f"save({str(path)!r}) needs the folder {str(target.parent)!r}; there is none. "
                "Make it first, or save elsewhere."
            )
        if format in render.FORMATS:
            content = render.render(self.dot, format, dpi)
        else:
            content = (self.dot if format == "dot" else self.text() + "\n").encode()
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            part.write_bytes(content)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return target
