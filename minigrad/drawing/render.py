"""DOT to SVG, PNG and PDF: by ``dot`` on PATH, else by the Graphviz inside pygraphviz's wheels.

Both are optional. Both run in a process of their own: a layout that takes too long can be
stopped, a crash of native code is an error like any other, and what Graphviz writes to standard
error does not land in a notebook.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

FORMATS = ("svg", "png", "pdf")
INSTALL = 'pip install "minigrad[draw]"'
SECONDS = 30.0  # a layout may take; what is folded to max_nodes takes one or two


class DrawingError(RuntimeError):
    """There is no Graphviz here, or it did not draw this."""


def drawing_path() -> str:
    """How drawings are made here, in one sentence, for `minigrad doctor`."""
    if (tool := _dot()) is not None:
        said = subprocess.run([tool, "-V"], capture_output=True, check=False).stderr  # noqa: S603
        version = re.search(rb"\d+(\.\d+)+", said)
        return f"dot {version[0].decode() if version else 'of unknown version'} on PATH ({tool})"
    if (carried := _pygraphviz()) is not None:
        return f"the Graphviz inside pygraphviz {carried}"
    return f"text only: no dot on PATH, no pygraphviz 2; {INSTALL}"


def render(dot: str, format: str, dpi: int = 96) -> bytes:
    """``dot`` drawn as ``format``, one of `FORMATS`.

    Raises
    ------
    ValueError
        If the format is another (Graphviz must never see one it does not know), or dpi below 1.
    DrawingError
        If there is no Graphviz, or it could not draw this, or not within `SECONDS`.
    """
    if format not in FORMATS:
        raise ValueError(f"render needs one of the formats {', '.join(FORMATS)}; got {format!r}.")
    if dpi < 1:
        raise ValueError(f"render needs a dpi of at least 1; got {dpi}. 150 is good for screens.")
    if format == "png":
        dot = dot.replace("{", f"{{\n  graph [dpi={dpi}]", 1)
    if (tool := _dot()) is not None:
        drawn = _drawn([tool, "-Kdot", f"-T{format}"], dot, format)
    elif _pygraphviz() is not None:
        script = str(Path(__file__).with_name("layout.py"))
        drawn = _drawn([sys.executable or "python", "-P", script, format], dot, format)
    else:
        raise DrawingError(
            f"Drawing as {format} needs Graphviz; found neither dot on PATH nor pygraphviz 2. "
            f"Install it: {INSTALL}; .dot and .txt need nothing."
        )
    return _page(drawn) if format == "svg" else drawn


def _dot() -> str | None:
    """Where ``dot`` is."""
    return shutil.which("dot")


def _pygraphviz() -> str | None:
    """The version of pygraphviz, if it is one that carries Graphviz itself."""
    if importlib.util.find_spec("pygraphviz") is None:
        return None
    version = metadata.version("pygraphviz")
    return version if int(version.partition(".")[0]) >= 2 else None  # noqa: PLR2004


def _drawn(command: list[str], dot: str, format: str) -> bytes:
    """What ``command`` makes of ``dot``, within the time that a layout may take."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command; the DOT text goes in as data
            command,
            input=dot.encode(),
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),  # no console on Windows
        )
    except subprocess.TimeoutExpired as error:
        raise DrawingError(
            f"Drawing as {format} was stopped: Graphviz took more than {SECONDS:g} s to lay this "
            "out. Fold it, draw(…, depth=1) or a smaller max_nodes; .dot and .txt need no layout."
        ) from error
    except OSError as error:
        raise DrawingError(_failed(format, str(error))) from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise DrawingError(_failed(format, said or f"exit code {done.returncode}"))
    return done.stdout


def _failed(format: str, why: str) -> str:
    return (
        f"Drawing as {format} failed; Graphviz says: {why}. Save as .dot to see what was drawn, "
        "or as .txt, which needs no Graphviz."
    )


def _page(svg: bytes) -> bytes:
    """The SVG alone, on a rounded page of its own, so that it can be read on dark ones too."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    page = re.compile(
        r'<polygon fill="(?:white|#ffffff)" stroke="[^"]*" points="'
        r'(-?[\d.]+),(-?[\d.]+) -?[\d.]+,(-?[\d.]+) (-?[\d.]+),[^"]*"/>'
    )

    def rounded(found: re.Match[str]) -> str:
        left, bottom, top, right = map(float, found.groups())
        return (
            f'<rect fill="#ffffff" x="{left:g}" y="{top:g}" width="{right - left:g}" '
            f'height="{bottom - top:g}" rx="8"/>'
        )

    return page.sub(rounded, text, count=1).encode()
