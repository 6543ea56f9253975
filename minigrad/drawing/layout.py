"""A process of its own that draws with pygraphviz: DOT comes in, the picture goes out.

It imports nothing of minigrad, so it starts fast; and it can be stopped. Run as
``python -P layout.py svg``; `minigrad.drawing.render` does.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Draw standard input as the format that is asked for, onto standard output."""
    import pygraphviz  # noqa: PLC0415 - an extra

    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))


if __name__ == "__main__":
    main()
