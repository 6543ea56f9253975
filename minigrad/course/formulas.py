"""TeX formulas as SVG, drawn while the page is built, so a page needs no network and no script.

ziamath does the typesetting, with the STIX Two Math font it carries. A page shows the same few
glyphs again and again, so each is kept once (`Formulas.glyphs`) and the formulas refer to it.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from ziamath.config import config
from ziamath.tex import tex2mml
from ziamath.zmath import Math

config.svg2 = True  # glyphs as <symbol>, which a page can share
config.precision = 2

SIZE = 16  # one em in the drawing's units
UNKNOWN = re.compile(r"\\(?:(?:new|renew|provide)command|def|(?:eq)?ref|label|not)(?![A-Za-z])")
ACCENTS = {
    "\u0302": "\u02c6",
    "~": "\u02dc",
}  # stretchy as they stand: \hat and \tilde have one width
DIGITS = {"bold": 0x1D7CE, "double-struck": 0x1D7D8}  # the zero of each alphabet
REWRITES = (
    (r"\\(begin|end)\{(align|gather|equation)\}", r"\\\1{\2*}"),  # equations go unnumbered...
    (r"\\tag\{([^{}]*)\}", r"\\qquad\\text{(\1)}"),  # ...unless the author numbers them
    (r"\\operatorname\*?\{(\w+)\\,(\w+)\}", r"\\operatorname{\1\2}"),
    (r"\\operatorname\*", r"\\operatorname"),
    (r"\\(math[a-z]{2})(?:\s+([A-Za-z0-9])|([0-9]))", r"\\\1{\2\3}"),
)
BARS = {"|", "‖", "∥", "\u2223"}


class FormulaError(ValueError):
    """A formula that cannot be drawn as it is written."""


class Formulas:
    """The formulas of one page.

    Attributes
    ----------
    glyphs : dict of str to str
        The ``<symbol>`` elements that the formulas drawn so far refer to.
    """

    def __init__(self) -> None:
        self.glyphs: dict[str, str] = {}

    def svg(self, tex: str, *, display: bool) -> str:
        """Draw ``tex`` in the colour and size of the text around it, labelled with its source.

        Raises
        ------
        FormulaError
            If any part of it would be missing from the drawing.
        """
        tex = tex.strip()
        try:
            drawing = _draw(tex, display=display)
            svg = drawing.svgxml()
        except FormulaError:
            raise
        except Exception as error:  # a parser's own errors are of many kinds
            raise FormulaError(f"{type(error).__name__} {error}".strip()) from error
        for parent in list(svg.iter()):
            for symbol in parent.findall("symbol"):
                parent.remove(symbol)
                name = symbol.attrib["id"]
                if name.endswith("_0"):
                    raise FormulaError("a character is not in the font")
                self.glyphs.setdefault(name, ET.tostring(symbol, encoding="unicode"))
        width, height = (float(svg.attrib.pop(side)) / SIZE for side in ("width", "height"))
        depth = (drawing.getyofst() - drawing.margin) / SIZE
        svg.attrib |= {
            "class": "tex",
            "role": "img",
            "aria-label": tex,
            "style": f"width:{width:.3f}em;height:{height:.3f}em;vertical-align:{depth:.3f}em",
        }
        del svg.attrib["xmlns"]
        return ET.tostring(svg, encoding="unicode")


def _draw(tex: str, *, display: bool) -> Math:
    if found := UNKNOWN.search(tex):
        raise FormulaError(f"{found[0]} is not known here; write it out")
    bare = re.sub(r"\\.", "", tex, flags=re.DOTALL)
    if bare.count("{") != bare.count("}"):
        raise FormulaError("the braces do not match")
    for pattern, plain in REWRITES:
        tex = re.sub(pattern, plain, tex)
    root = ET.fromstring(tex2mml(tex, inline=not display))  # noqa: S314
    for element in root.iter():
        _mend(element)
    root.set("mathcolor", "currentColor")
    return Math(root, size=SIZE)


def _mend(element: ET.Element) -> None:
    """Say in MathML what ziamath would misread, and refuse what it would leave out."""
    text = element.text or ""
    if "\\" in text or "$" in text:
        raise FormulaError(f"{text} is not known here")
    if "solid" in element.get("columnlines", "") + element.get("rowlines", ""):
        raise FormulaError("lines between the cells of an array are not drawn here")
    zero = DIGITS.get(element.get("mathvariant", ""))
    if zero and text.isdecimal():
        element.text = "".join(chr(zero + int(digit)) for digit in text)
    if text in BARS and element.get("stretchy") is None:
        element.set("stretchy", "false")  # bars grow only where \left and \right ask
    if element.tag.endswith("mtable"):
        aligned = element.get("columnspacing")  # absent for matrices and cases
        element.set("columnspacing", aligned or "0.8em")
        element.set("rowspacing", "0.6em" if aligned else "0.35em")
    if element.tag.endswith("mover"):
        accent = element[1]
        narrow = element.get("accent") or accent.get("stretchy") == "false"
        if narrow and accent.text in ACCENTS:
            accent.text = ACCENTS[accent.text]
            accent.set("stretchy", "false")
