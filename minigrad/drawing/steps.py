"""Steps to play: values fill in, then gradients flow back, in the engine's own order.

>>> mg.draw(loss).steps()                     # plays in a notebook
>>> mg.draw(loss).steps().save("steps.html")  # one file, no server, no network
>>> mg.draw(loss).steps().strip(frames=4)     # a strip of frames for print
"""

from __future__ import annotations

import functools
import os
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from minigrad.drawing import files, pages, render
from minigrad.drawing.stage import Stage, lines
from minigrad.drawing.strip import Strip
from minigrad.drawing.tape import WORDS, Step, Tape

TITLE = "Forward and backward, step by step"
TALLEST = 460  # pixels of the drawing inside a notebook; a taller one scrolls
CONTROLS = 190  # pixels of the words and buttons under it


class Steps:
    """The steps of a forward and a backward: they play in notebooks, and save to files.

    Attributes
    ----------
    tape
        The picture and the steps, as records.
    direction
        "LR" or "TB".
    """

    def __init__(self, tape: Tape, direction: str) -> None:
        self.tape = tape
        self.direction = direction

    def __len__(self) -> int:
        """How many steps there are."""
        return len(self.tape.steps)

    @functools.cached_property
    def _stage(self) -> Stage:
        return Stage(self.tape, self.direction)

    @functools.cached_property
    def html(self) -> str:
        """The player as one page, which needs no server and no network; needs Graphviz."""
        svg = self._stage.state(len(self) - 1)
        svg.set("style", f"--width: {self._stage.size[0]:.0f}pt")
        drawn = ET.tostring(svg, encoding="unicode")
        data = [_plain(step) for step in self.tape.steps]
        return pages.page("steps", title=TITLE, data=data, scripts=["steps"], svg=drawn)

    @property
    def svg(self) -> str:
        """The picture after the last step: all values, gradients and products; needs Graphviz."""
        return ET.tostring(self._stage.frame(len(self) - 1), encoding="unicode")

    def strip(self, frames: int | Iterable[int] = 6) -> Strip:
        """Frames one under the other, for print.

        Parameters
        ----------
        frames
            How many, spread evenly over the steps with the first and the last among them; or
            which, counted from 0 (negative ones from the end).

        Raises
        ------
        ValueError
            If that is no frame, or one that is not there.
        """
        last = len(self) - 1
        if isinstance(frames, int):
            count = min(frames, len(self))
            wanted = [round(i * last / max(count - 1, 1)) for i in range(count)]
        else:
            wanted = list(frames)
        if not wanted or any(not -len(self) <= number <= last for number in wanted):
            raise ValueError(
                f"strip(frames={frames!r}) asks for frames that are not there; there are "
                f"{len(self)}, from 0 to {last}. Choose of these, or a number of them."
            )
        return Strip(self._stage, [number % len(self) for number in wanted])

    def text(self) -> str:
        """The steps as lines of text, for terminals."""
        rows = [(str(i), s.phase, s.title, s.line, s.note) for i, s in enumerate(self.tape.steps)]
        widths = [max(map(len, column)) for column in list(zip(*rows, strict=True))[:3]]
        padded = ([*map(str.ljust, row[:3], widths), *row[3:]] for row in rows)
        return "\n".join("  ".join(row).rstrip() for row in padded)

    def __repr__(self) -> str:
        """The text, so that ``print`` and terminals show the steps."""
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        """The player for notebooks, a picture of the last step and the text for other places.

        The player is in a frame of its own, which may run its script and nothing else: it reaches
        neither the notebook nor a network, and it is all there in a notebook that was saved.
        """
        try:
            shown = {"text/html": self._frame(), "image/svg+xml": self.svg}
        except render.DrawingError as error:
            return {"text/plain": f"{self.text()}\n\n({error})"}
        return shown | {"text/plain": self.text()}

    def _frame(self) -> str:
        """The player in a frame, and the text, which is left where frames are cleaned away."""
        height = min(self._stage.size[1] * 4 / 3, TALLEST) + CONTROLS
        return (
            f'<iframe title="{TITLE}" sandbox="allow-scripts" srcdoc="{escape(self.html)}"'
            f' style="width: 100%; height: {height:.0f}px; border: 1px solid #C9CED6;'
            ' border-radius: 8px"></iframe>\n'
            "<details><summary>The steps as text</summary>"
            f"<pre>{escape(self.text())}</pre></details>"
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save the player (.html), a strip of frames (.svg) or the text (.txt)."""
        kind = files.ending(path, ("html", "svg", "txt"), "steps")
        contents = {"html": lambda: self.html, "svg": lambda: self.strip().svg, "txt": self.text}
        return files.write(path, f"{contents[kind]()}\n".encode())


def _plain(step: Step) -> dict[str, Any]:
    """A step as the page reads it."""
    return {
        "phase": step.phase,
        "word": WORDS[step.phase],
        "title": step.title,
        "line": step.line,
        "note": step.note,
        "box": step.box,
        "edge": step.edge,
        "entries": [(entry.box, entry.row, lines(entry.text)) for entry in step.entries],
    }
