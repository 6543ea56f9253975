"""Pages that stand alone: one HTML file that asks no host for anything.

What a user named is text in them: markup is escaped, and data travel as JSON in which no ``<``
is left, so that nothing can end the script element they are in. The policy of each page forbids
the browser every request.
"""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

_FOLDER = files("minigrad.drawing").joinpath("page")


def part(name: str) -> str:
    """One of the files that pages are made of."""
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


@functools.cache
def graphviz() -> str:
    """Graphviz for pages, as WebAssembly: gzip in base64; vendor/LICENSES.txt says what it is."""
    return base64.b64encode(_FOLDER.joinpath("vendor", "viz-global.js.gz").read_bytes()).decode()


def page(
    name: str,
    *,
    title: str,
    data: Any,
    scripts: Sequence[str],
    policy: str = "",
    **markup: str,
) -> str:
    """A page from ``name``.html and .css and from scripts.

    Parameters
    ----------
    name
        "steps" or "explorer".
    title
        Text; escaped here.
    data
        What the script reads, as JSON.
    scripts
        The names of the scripts, in the order in which they run.
    policy
        What the page allows its scripts beside running.
    markup
        Markup for the places that ``name``.html names; escaped by who made it.
    """
    return Template(part("page.html")).substitute(
        title=escape(title),
        policy=f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'unsafe-inline'{policy}",
        style=part("page.css") + part(f"{name}.css"),
        body=Template(part(f"{name}.html")).substitute(markup, title=escape(title)),
        data=json_in_script(data),
        script="".join(part(f"{script}.js") for script in scripts),
    )


def json_in_script(data: Any) -> str:
    """``data`` as JSON in plain ASCII and without ``<``: no tag, no comment can begin in it."""
    return json.dumps(data, separators=(",", ":")).replace("<", r"\u003c")
