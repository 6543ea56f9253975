"""The one look of the course's figures: colours that everyone can tell apart, and their text.

The colours are those of Okabe and Ito (2008, *Color Universal Design*); a curve is told apart by
its line as well, so that a grey print can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
from cycler import cycler
from IPython.display import display
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#777777",
)  # fmt: skip

# The three products of lesson 07 look the same wherever they are drawn.
SCALING: Mapping[str, Mapping[str, Any]] = {
    "none": {"color": GREY, "linestyle": ":"},
    "frozen": {"color": ORANGE, "linestyle": "--"},
    "exact": {"color": BLUE, "linestyle": "-"},
}
DIVERGING = "RdBu_r"  # for matrices with a sign: white is 0
SEQUENTIAL = "viridis"
WIDTH = 7.5  # inches: the width of a page, at which the text of a figure is as large as the page's

STYLE: dict[Any, Any] = {
    "figure.dpi": 130,
    "figure.figsize": (WIDTH, 3.0),
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": cycler(color=[BLUE, RED, GREEN, ORANGE, PURPLE, SKY, GREY]),
    "image.cmap": SEQUENTIAL,
    "image.interpolation": "nearest",
    "legend.frameon": False,
}


def use() -> None:
    """Give every figure from here on the look of the course."""
    plt.rcParams.update(STYLE)


def show(figure: Figure, alt: str) -> None:
    """Put a figure on the page, with words for those who cannot see it.

    Parameters
    ----------
    figure
        It is closed afterwards.
    alt
        What the figure says, in a sentence or two.
    """
    display(figure, metadata={"image/png": {"alt": alt}})  # type: ignore[no-untyped-call]
    plt.close(figure)
