"""When memory was written in place, and by which line: what a later backward must know.

Views share memory, so a write through one tensor is a write to all that share its array. Writes
are therefore kept by the array that owns the memory, not by the tensor.
"""

from __future__ import annotations

import itertools
import os
import sys
import weakref
from collections.abc import Iterable
from contextlib import suppress
from types import CodeType
from typing import Any

# An instruction, whose line is looked up when it is told; or words to say instead.
Place = tuple[CodeType, int] | str

clock = itertools.count(1).__next__  # one logical time for recordings and for writes

latest = 0  # the time of the last write anywhere
_PACKAGE = os.path.dirname(__file__)  # noqa: PTH120 - pathlib would double the import time


class Write:
    """One write: when it was, by which code, and whether it is still the last to all it wrote."""

    __slots__ = ("last", "place", "time")

    def __init__(self, place: Place) -> None:
        self.last = True
        self._now(place)

    def _now(self, place: Place) -> None:
        global latest  # noqa: PLW0603 - spares most backward passes all look-ups
        latest = self.time = clock()
        self.place = place

    def again(self) -> bool:
        """Note that the same arrays were written anew; False if one was alone in between.

        Then they need to be noted one by one.
        """
        if self.last:
            self._now(caller(2))
        return self.last

    @property
    def line(self) -> str:
        """The line that wrote."""
        return line_of(self.place)


# By id of the owning array, for as long as that array lives. Should an id come back for another,
# whatever is recorded of that one is later than the write: it is no false alarm.
_writes: dict[int, Write] = {}


def wrote(*arrays: Any, line: str | None = None) -> Write:
    """Note that the memory of ``arrays`` was written just now, by ``line`` of the user's code."""
    write = Write(line or caller(2))
    for data in arrays:
        whole = owner(data)
        key = id(whole)
        known = _writes.get(key)
        if known is None:
            with suppress(TypeError):  # an array that cannot be watched leaves its entry behind
                weakref.finalize(whole, _forget, key).atexit = False
        elif known is not write:
            known.last = False
        _writes[key] = write
    return write


def _forget(key: int) -> None:
    _writes.pop(key).last = False


def shared(x: Any) -> bool:
    """Whether anybody but the tensor ``x`` holds its array: else no graph has it to be told of."""
    return sys.getrefcount(x.data) > 2  # noqa: PLR2004 - the tensor's own, and that of the call


def intact(arrays: Iterable[Any], since: int) -> bool:
    """Whether none of ``arrays`` (and whatever is among them) was written after ``since``."""
    for x in arrays:
        write = _writes.get(id(owner(x)))
        if write is not None and write.time > since:
            return False
    return True


def last_write(data: Any) -> int:
    """The time of the last write to the memory of ``data``; 0 if there was none."""
    write = _writes.get(id(owner(data)))
    return 0 if write is None else write.time


def writer(data: Any) -> str:
    """The line that last wrote to the memory of ``data``."""
    write = _writes.get(id(owner(data)))
    return "unknown" if write is None else write.line


def caller(depth: int = 1) -> Place:
    """The innermost place outside this package, from ``depth`` calls up; `line_of` reads it."""
    frame: Any = sys._getframe(depth)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame.f_code, frame.f_lasti


def line_of(place: Place) -> str:
    """The line at ``place``, as file:line."""
    if isinstance(place, str):
        return place
    code, last = place
    line = next(itertools.islice(code.co_positions(), last // 2, None))[0]
    return f"{code.co_filename}:{line}"


def owner(data: Any) -> Any:
    """The array whose memory ``data`` is a view of."""
    while (base := getattr(data, "base", None)) is not None and type(base) is type(data):
        data = base
    return data
