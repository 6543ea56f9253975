"""The line of the user's code that each operation came from: kept only where it is asked for.

Finding it walks the stack at every operation, which would double the time of recording one.
"""

from __future__ import annotations

import weakref
from typing import Any

from minigrad import memory, recording
from minigrad.node import Node

_known: weakref.WeakKeyDictionary[Node, str] = weakref.WeakKeyDictionary()


class lines(recording.no_grad):  # noqa: N801 - a context manager, as in `with mg.draw.lines():`
    """Remember, inside the ``with`` block, the line that each operation came from.

    >>> with mg.draw.lines():
    ...     loss = F.cross_entropy(model(x), t)
    >>> mg.draw(loss).save("loss.html")  # a box tells its line

    It takes the place of `detect_anomaly` around it.
    """

    recording = recording.WATCHED

    def __enter__(self) -> None:
        """Have every recorded operation noted."""
        super().__enter__()
        self._check = getattr(recording.thread.state, "check", None)
        recording.thread.state.check = _note

    def __exit__(self, *error: object) -> None:
        """Have done what was done before."""
        super().__exit__(*error)
        if self._check is not None:
            recording.thread.state.check = self._check


def _note(node: Node, found: Any, inputs: Any, what: str) -> None:
    if what == "the result of":
        _known[node] = memory.line_of(memory.caller())


def line_of(node: Node) -> str:
    """The file and line that ``node`` came from; "" if nobody asked for lines then."""
    return _known.get(node, "")
