"""A strip of frames for print: one SVG, the frames of steps in a row, each with its words."""

from __future__ import annotations

import functools
import os
import textwrap
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from minigrad.drawing import files
from minigrad.drawing.dot import FONT
from minigrad.drawing.look import GREY, INK
from minigrad.drawing.stage import SVG, Stage, colour
from minigrad.drawing.tape import WORDS

_GAP = 16.0  # points between frames
_LEADING = 15.0  # from one line of words to the next
_LETTER = 5.6  # how wide a letter of 11 points is, on average and rather too wide


class Strip:
    """Frames of steps, which show themselves in a notebook and save as .svg."""

    def __init__(self, stage: Stage, frames: Sequence[int]) -> None:
        self.stage = stage
        self.frames = frames

    @functools.cached_property
    def svg(self) -> str:
        """The SVG text: wide graphs stand one under the other, tall ones side by side."""
        drawn, height = self.stage.size
        width, across = max(drawn, 280.0), 1 if drawn > height else 3
        words = [self._words(number, width) for number in self.frames]
        deep = height + _LEADING * max(map(len, words)) + _GAP
        columns = min(across, len(self.frames))
        full = columns * (width + _GAP) + _GAP, -(-len(self.frames) // columns) * deep + _GAP
        size = {"width": f"{full[0]:g}pt", "height": f"{full[1]:g}pt"}
        view = {
            "viewBox": f"0 0 {full[0]:g} {full[1]:g}",
            "style": "max-width: 100%; height: auto",  # on a page that is narrower
        }
        page = ET.Element(f"{{{SVG}}}svg", size | view)
        ET.SubElement(page, f"{{{SVG}}}rect", {"width": "100%", "height": "100%", "fill": "#fff"})
        for place, (number, said) in enumerate(zip(self.frames, words, strict=True)):
            row, column = divmod(place, columns)
            left, top = _GAP + column * (width + _GAP), _GAP + row * deep
            for line, (text, fill, weight) in enumerate(said):
                at = {"x": f"{left:g}", "y": f"{top + _LEADING * (line + 0.7):g}"}
                look = {"font-size": "11", "font-family": FONT, "fill": fill}
                element = ET.SubElement(page, f"{{{SVG}}}text", at | look | {"font-weight": weight})
                element.text = text
            frame = self.stage.frame(number)
            below = top + _LEADING * len(said)
            frame.attrib |= {"x": f"{left:g}", "y": f"{below:g}"}
            frame.attrib |= {"width": f"{drawn:g}", "height": f"{height:g}"}
            page.append(frame)
        return ET.tostring(page, encoding="unicode")

    def _words(self, number: int, width: float) -> list[tuple[str, str, str]]:
        """(text, colour, weight) of the lines over a frame."""
        step = self.stage.tape.steps[number]
        letters = max(int(width / _LETTER), 20)
        head = f"{number + 1}. {WORDS[step.phase]}: {step.title}"
        said = [(line, colour(step), "bold") for line in textwrap.wrap(head, letters)]
        said += [(line, INK, "normal") for line in textwrap.wrap(step.line, letters)]
        return said + [(line, GREY, "normal") for line in textwrap.wrap(step.note, letters)]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """The SVG for notebooks."""
        return {"image/svg+xml": self.svg, "text/plain": repr(self)}

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Save as .svg."""
        files.ending(path, ("svg",), "a strip")
        return files.write(path, f"{self.svg}\n".encode())
