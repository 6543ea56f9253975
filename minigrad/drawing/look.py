"""How things look: colours, outlines, the marks of missing numbers, heat, and the legend.

Every text of a user's goes through `shown` and then `html.escape`: Graphviz replaces backslash
sequences even inside HTML-like labels, and a name may hold anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from html import escape

from minigrad.drawing.graph import MEANINGS, Kind, Picture, State, Vertex
from minigrad.drawing.quantities import number

# Okabe and Ito's colours, which the colour-blind tell apart: border, fill.
COLOURS: dict[Kind, tuple[str, str]] = {
    "parameter": ("#C77C00", "#FEF3DC"),
    "input": ("#0072B2", "#E4F1FA"),
    "constant": ("#8A919C", "#F1F2F4"),
    "operation": ("#55606E", "#FFFFFF"),
    "output": ("#00855F", "#E1F4ED"),
    "module": ("#55606E", "#E3E7ED"),
    "gradient": ("#A9527F", "#FBEFF5"),
}
GRADIENT = COLOURS["gradient"][0]
# Data have corners, what is computed is round, and a parameter has a bar at its side: no kind is
# told by its colour alone.
OUTLINES: dict[Kind, str] = {
    "constant": "DASHED",
    "operation": "ROUNDED",
    "output": "ROUNDED",
    "module": "ROUNDED",
    "gradient": "ROUNDED",
}
KINDS: dict[Kind, str] = {
    "parameter": "parameter",
    "input": "input",
    "constant": "constant",
    "operation": "operation and its result",
    "output": "further result",
    "module": "folded module",
    "gradient": "operation of the backward pass",
}
INK, GREY, PALE, ALARM = "#1B2430", "#5A6472", "#7A838F", "#B03A00"
MODULES = ("#F5F6F8", "#ECEEF2")  # fills of modules by depth, in turn
MARKS: dict[State, str] = {
    "not computed": "○",
    "stale": "↻",
    "needs no gradient": "–",
    "detached": "⊣",
    "no path": "∅",
    "not kept": "…",
    "overwritten": "≠",
    "now": "≠",
}
ALARMING = frozenset({"stale", "overwritten", "now"})
WARM = ("#FFFBF2", "#FEE8C8", "#FDCF94", "#FBAE6C", "#EE8048")  # heat, under ink that can be read
ZERO, WILD = "#D6E6F2", "#CC79A7"  # heat of what is 0 throughout, and of what is not finite
REACH = 4  # decades of heat on both sides of the middle one
GAP = "&#160;"  # keeps text off the border: cells have one padding for all sides
LONGEST = 40  # characters of a name
LONGEST_TITLE = 72  # and of what stands over a module
LONGEST_LINE = 240  # and of what stands under a drawing, or in a tooltip


def shown(text: str, longest: int = LONGEST) -> str:
    r"""A user's text made fit for a drawing: short, on one line, and without ``\``."""
    plain = text
    if not text.isprintable():
        plain = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    plain = plain.replace("\\", "\N{SET MINUS}")
    return plain if len(plain) <= longest else plain[: longest - 1] + "…"


def label_text(text: str, longest: int = LONGEST) -> str:
    """A user's text as Graphviz reads it in labels and in quotes: both know entities."""
    return escape(shown(text, longest))


def font(text: str, colour: str = GREY, size: int = 10) -> str:
    """``text``, which is markup already, in a colour and a size."""
    return f'<FONT COLOR="{colour}" POINT-SIZE="{size}">{text}</FONT>'


class Heat:
    """The fills of a drawing whose colours measure a quantity: warm is large, on a log scale."""

    def __init__(self, picture: Picture) -> None:
        self._what = picture.heat
        sizes = [size for v in picture.vertices if (size := self._size(v)) is not None]
        logs = [math.log10(size) for size in sizes if 0 < size < math.inf]
        middle = sorted(logs)[len(logs) // 2] if logs else 0.0
        # A gradient that is 0 but for rounding must not take up the scale of all others.
        self.low = max(min(logs, default=0.0), middle - REACH)
        self.high = min(max(logs, default=0.0), middle + REACH)
        self.beyond = (self.low > min(logs, default=0.0), self.high < max(logs, default=0.0))
        self.zeros = 0.0 in sizes
        self.wild = any(not math.isfinite(size) for size in sizes)

    def _size(self, vertex: Vertex) -> float | None:
        quantity = vertex.grad if self._what == "grad" else vertex.value
        return quantity.rms if quantity else None

    def fill(self, vertex: Vertex) -> str:
        """The fill of a box; white where there is nothing to measure."""
        if (size := self._size(vertex)) is None:
            return "#FFFFFF"
        if not math.isfinite(size):
            return WILD
        return ZERO if size == 0 else self.warmth(math.log10(size))

    def warmth(self, log: float) -> str:
        """The colour of a size of which this is the logarithm."""
        part = (log - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        part = min(max(part, 0.0), 1.0)
        below = min(int(part * (len(WARM) - 1)), len(WARM) - 2)
        share = part * (len(WARM) - 1) - below
        mixed = [
            round(a + (b - a) * share)
            for a, b in zip(*map(_rgb, WARM[below : below + 2]), strict=True)
        ]
        return "#{:02X}{:02X}{:02X}".format(*mixed)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def foot(picture: Picture, heat: Heat | None, legend: bool) -> str:
    """What stands under a drawing: its caption, the scale of its heat, and the legend if asked."""
    lines = picture.caption.splitlines()
    rows = [font(label_text(line, LONGEST_LINE), GREY, 11) for line in lines]
    if heat:
        rows.append(_scale(picture, heat))
    if legend:
        rows += _legend(picture, coloured=heat is None)
    cells = "".join(f'<TR><TD ALIGN="LEFT">{row}</TD></TR>' for row in rows)
    return cells and f'<<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="3">{cells}</TABLE>>'


def _swatches(entries: Iterable[tuple[str, str]]) -> str:
    """Small boxes, given as attributes, each with a word behind it."""
    cells = "".join(
        f'<TD><TABLE {style} BORDER="1" CELLBORDER="0" CELLSPACING="0">'
        f'<TR><TD WIDTH="18" HEIGHT="10" FIXEDSIZE="TRUE"></TD></TR></TABLE></TD>'
        f'<TD ALIGN="LEFT">{font(escape(word))}{GAP}{GAP}</TD>'
        for style, word in entries
    )
    return f'<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="2"><TR>{cells}</TR></TABLE>'


def _scale(picture: Picture, heat: Heat) -> str:
    """The colours of the heat, each with the size that it stands for."""
    steps = [heat.low + (heat.high - heat.low) * i / (len(WARM) - 1) for i in range(len(WARM))]
    steps = steps if heat.high > heat.low else steps[:1]
    words = [number(10**log, 3) for log in steps]
    words[0] = f"≤ {words[0]}" if heat.beyond[0] else words[0]
    words[-1] = f"≥ {words[-1]}" if heat.beyond[1] else words[-1]
    entries = list(zip(map(heat.warmth, steps), words, strict=True))
    entries += [(ZERO, "0 throughout")] * heat.zeros + [(WILD, "not finite")] * heat.wild
    what = {"grad": "gradients", "value": "values"}[picture.heat]
    boxes = _swatches((f'COLOR="{PALE}" BGCOLOR="{fill}"', word) for fill, word in entries)
    title = font(f"root mean square of the {what}:")
    return (
        '<TABLE BORDER="0" CELLSPACING="0" CELLPADDING="0"><TR>'
        f"<TD>{title}{GAP}</TD><TD>{boxes}</TD></TR></TABLE>"
    )


def _legend(picture: Picture, coloured: bool) -> Iterator[str]:
    """The kinds of boxes and the marks of missing numbers that are on this drawing."""
    kinds = {vertex.kind for vertex in picture.vertices}
    yield _swatches(
        (
            f'COLOR="{COLOURS[kind][0]}" BGCOLOR="{COLOURS[kind][1] if coloured else "#FFFFFF"}"'
            + (f' STYLE="{OUTLINES[kind]}"' if kind in OUTLINES else ""),
            word,
        )
        for kind, word in KINDS.items()
        if kind in kinds
    )
    states = {
        quantity.state
        for vertex in picture.vertices
        for what, quantity in (("value", vertex.value), ("grad", vertex.grad))
        if quantity and what in picture.show
    }
    for state, meaning in MEANINGS.items():
        if state in states:
            colour = ALARM if state in ALARMING else GREY
            yield font(f"{MARKS[state]}{GAP}<I>{state}</I>: {escape(meaning)}", colour)
