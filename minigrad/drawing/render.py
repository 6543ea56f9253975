"""DOT to SVG, PNG and PDF: by ``dot`` on PATH, else by the Graphviz inside pygraphviz's wheels.

Both are optional and imported when something is rendered. Nothing is ever printed: Graphviz
writes its font warnings to file descriptor 2, which would land in notebooks.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from importlib import metadata

FORMATS = ("svg", "png", "pdf")
INSTALL = 'pip install "minigrad[draw]"'

_lock = threading.Lock()  # Graphviz keeps global state, and file descriptor 2 is everyone's


def can_render() -> bool:
    """Whether there is a Graphviz to draw with."""
    return _has_dot() or _pygraphviz() is not None


def drawing_path() -> str:
    """How drawings are made here, in one sentence, for `minigrad doctor`."""
    if _has_dot():
        import graphviz  # noqa: PLC0415 - an extra, imported when used

        try:
            version = ".".join(map(str, graphviz.version()))
        except (OSError, RuntimeError, subprocess.CalledProcessError):
            version = "of unknown version"
        return f"dot {version} on PATH ({shutil.which('dot')})"
    if (carried := _pygraphviz()) is not None:
        return f"the Graphviz inside pygraphviz {carried}"
    return f"text only: no dot on PATH with the graphviz package, no pygraphviz 2; {INSTALL}"


def render(dot: str, format: str, dpi: int = 96) -> bytes:
    """``dot`` drawn as ``format``, one of `FORMATS`.

    Raises
    ------
    ValueError
        If the format is another (Graphviz must never see one it does not know), or dpi below 1.
    RuntimeError
        If there is no Graphviz, or it could not draw this.
    """
    if format not in FORMATS:
        raise ValueError(f"render needs one of the formats {', '.join(FORMATS)}; got {format!r}.")
    if dpi < 1:
        raise ValueError(f"render needs a dpi of at least 1; got {dpi}. 150 is good for screens.")
    if format == "png":
        dot = dot.replace("{", f"{{\n  graph [dpi={dpi}]", 1)
    if _has_dot():
        drawn = _by_dot(dot, format)
    elif _pygraphviz() is not None:
        drawn = _by_pygraphviz(dot, format)
    else:
        raise RuntimeError(
            f"Drawing as {format} needs Graphviz; found neither dot on PATH (with the graphviz "
            f"package) nor pygraphviz 2. Install it: {INSTALL}; .dot and .txt need nothing."
        )
    return _page(drawn) if format == "svg" else drawn


def _has_dot() -> bool:
    return shutil.which("dot") is not None and importlib.util.find_spec("graphviz") is not None


def _pygraphviz() -> str | None:
    """The version of pygraphviz, if it is one that carries Graphviz itself."""
    if importlib.util.find_spec("pygraphviz") is None:
        return None
    version = metadata.version("pygraphviz")
    return version if int(version.partition(".")[0]) >= 2 else None  # noqa: PLR2004


def _by_dot(dot: str, format: str) -> bytes:
    import graphviz  # noqa: PLC0415

    try:
        drawn: bytes = graphviz.Source(dot).pipe(format=format, quiet=True)
    except graphviz.CalledProcessError as error:
        raise RuntimeError(_failed("dot", format, str(error))) from error
    return drawn


def _by_pygraphviz(dot: str, format: str) -> bytes:
    import pygraphviz  # noqa: PLC0415

    with _lock, _quiet() as said, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            drawn: bytes = pygraphviz.AGraph(string=dot).draw(format=format, prog="dot")
        except (OSError, RuntimeError, ValueError) as error:
            raise RuntimeError(_failed("pygraphviz", format, f"{error} {said()}")) from error
    if not drawn:
        raise RuntimeError(_failed("pygraphviz", format, "it drew nothing"))
    return drawn


def _failed(tool: str, format: str, why: str) -> str:
    return (
        f"Drawing as {format} with {tool} failed: {why.strip()}. Save as .dot to see what was "
        "drawn, or as .txt, which needs no Graphviz."
    )


@contextlib.contextmanager
def _quiet() -> Iterator[Callable[[], str]]:
    """Catch what native code writes to file descriptor 2; yields a function that tells it."""
    try:
        kept = os.dup(2)
    except OSError:  # no standard error at all, as under pythonw
        yield lambda: ""
        return
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield lambda: (caught.seek(0), caught.read().decode(errors="replace"))[1]
        finally:
            os.dup2(kept, 2)
            os.close(kept)


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
