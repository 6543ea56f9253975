"""`minigrad draw script.py:loss`: run a script and draw a tensor that it left behind."""

from __future__ import annotations

import argparse
import contextlib
import runpy
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from minigrad.drawing import DIRECTIONS, HEATS, MAX_NODES, SHOWS, Graph, draw
from minigrad.nn.module import Module
from minigrad.tensor import Tensor


class DrawError(Exception):
    """What was asked to be drawn cannot be; the message says what to do."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options, those of `draw` under its names."""
    parser.add_argument(
        "what", metavar="SCRIPT:NAME", help="a script, which is run, and a tensor of its top level"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help=".svg, .png, .pdf, .dot, .txt, or .html to explore it in (default: print)",
    )
    parser.add_argument("--show", default=",".join(SHOWS), metavar="A,B", help="(default: all)")
    parser.add_argument("--direction", default="LR", choices=DIRECTIONS, help="(default: LR)")
    parser.add_argument("--model", metavar="NAME", help="a module of the script, to show all of it")
    parser.add_argument("--depth", type=int, metavar="N", help="levels of modules that stand open")
    parser.add_argument("--repeats", action="store_true", help="draw blocks that are alike as one")
    parser.add_argument("--max-nodes", type=int, default=MAX_NODES, metavar="N")
    parser.add_argument("--heat", choices=HEATS, help="colour by the size of gradients or values")
    parser.add_argument("--backward", action="store_true", help="draw the backward pass as well")
    parser.add_argument("--legend", action="store_true", help="say what the signs mean")
    parser.add_argument("--dpi", type=int, default=150, help="of a .png (default: 150)")


def main(asked: argparse.Namespace) -> int:
    """Do what was asked for: 0, or 2 with three sentences on what is wrong."""
    try:
        graph = _drawing(asked)
        if asked.out is None:
            print(graph)
        else:
            print(f"Drawn: {graph.save(asked.out, dpi=asked.dpi)}")
    except (DrawError, ValueError, RuntimeError, FileNotFoundError) as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return 2
    return 0


def _drawing(asked: argparse.Namespace) -> Graph:
    script, _, name = asked.what.rpartition(":")
    if not script or not name.isidentifier():
        raise DrawError(
            f"draw needs SCRIPT:NAME; got {asked.what!r}. Give a script and the name of a tensor "
            "in it, as in train.py:loss."
        )
    found = _run(Path(script))
    tensors = {key: x for key, x in found.items() if isinstance(x, Tensor)}
    model = _named(found, asked.model, Module, script) if asked.model else None
    return draw(
        _named(found, name, Tensor, script),
        show=[word for word in asked.show.split(",") if word],
        direction=asked.direction,
        names={key: x for key, x in tensors.items() if not key.startswith("_")},
        model=model,
        depth=asked.depth,
        repeats=asked.repeats,
        max_nodes=asked.max_nodes,
        heat=asked.heat,
        backward=asked.backward,
        legend=asked.legend,
    )


def _run(script: Path) -> dict[str, Any]:
    """What is at the top level of ``script`` after it has run as ``python script`` runs it."""
    if not script.is_file():
        raise DrawError(
            f"draw was asked to run {str(script)!r}; there is no such file. Check the path, "
            "relative to the folder you are in."
        )
    try:
        with _as_main(script):
            return runpy.run_path(str(script), run_name="__main__")
    except (Exception, SystemExit) as error:
        lines = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(script)]
        line = f" in line {lines[-1].lineno}" if lines else ""
        if isinstance(error, SyntaxError) and error.lineno:
            line = f" in line {error.lineno}"
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise DrawError(
            f"draw ran {str(script)!r} to find what to draw; the script stopped{line} with {what}. "
            f"Mend it first: python {script}"
        ) from error


@contextlib.contextmanager
def _as_main(script: Path) -> Iterator[None]:
    """Give a script the sys.argv and the first entry of sys.path that it expects."""
    argv, paths = sys.argv, sys.path[:]
    sys.argv = [str(script)]
    sys.path.insert(0, str(script.parent.resolve()))
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, paths


def _named(found: dict[str, Any], name: str, kind: type[Any], script: str) -> Any:
    """The thing of this name and kind at the top level of the script."""
    if isinstance(found.get(name), kind):
        return found[name]
    there = f"{name!r} of type {type(found[name]).__name__}" if name in found else f"no {name!r}"
    others = [key for key, x in found.items() if isinstance(x, kind) and not key.startswith("_")]
    word = kind.__name__.lower()
    advice = (
        f"Name one of its {word}s: {', '.join(others[:8])}"
        if others
        else f"Assign the {word} to a name outside all functions"
    )
    raise DrawError(
        f"draw was asked for the {word} {name!r} of {script!r}; after the script has run there is "
        f"{there}. {advice}."
    )
