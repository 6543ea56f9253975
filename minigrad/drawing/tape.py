"""What happens, one step after the other: the records that steps are made of, text only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from minigrad.drawing.graph import Picture, Vertex
from minigrad.drawing.look import shown
from minigrad.drawing.quantities import SMALL

Phase = Literal["start", "forward", "seed", "backward"]
Row = Literal["value", "grad"]

WORDS: dict[Phase, str] = {
    "start": "Given",
    "forward": "Forward",
    "seed": "Backward",
    "backward": "Backward",
}


@dataclass(frozen=True)
class Entry:
    """A number that appears in a row of a box."""

    box: str
    row: Row
    text: str


@dataclass(frozen=True)
class Step:
    """One step: what is computed where, and what it leaves.

    ``title`` says where it is, ``line`` the sum that is done, ``note`` the formula or rule behind
    it; ``edge`` is the place in the picture's edges of the one that a gradient flows along, and
    ``product`` the short text on it.
    """

    phase: Phase
    title: str
    line: str
    note: str
    box: str
    entries: tuple[Entry, ...]
    edge: int | None = None
    product: tuple[str, ...] = ()


@dataclass(frozen=True)
class Tape:
    """A picture and the steps by which its numbers came about."""

    picture: Picture
    steps: tuple[Step, ...]


def name(vertex: Vertex) -> str:
    """What a step calls a box: by its name or sign, and the module that it is in."""
    short = vertex.name if vertex.kind == "operation" and vertex.name else ""
    short = short or vertex.sign or vertex.name or vertex.kind
    return f"{shown(short)} in {shown(vertex.path)}" if vertex.path else shown(short)


def numbers(vertex: Vertex) -> str:
    """The value of a box if it is small, else its shape."""
    return str(vertex.value if math.prod(vertex.shape) <= SMALL else vertex.shape)
