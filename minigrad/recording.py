"""What each thread is doing: whether it records operations, and inside which modules."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

Scope = tuple[tuple[str, str], ...]  # (name, class) of each module around an operation


OFF, ON, WATCHED = 0, 1, 2  # whether operations are recorded, and checked as they are


class _State(threading.local):
    """What a thread is doing: whether it records, and inside which modules."""

    recording: int = 1  # OFF, ON or WATCHED
    scope: Scope = ()
    check: Callable[..., None]  # what WATCHED operations are checked by


state = _State()


class no_grad:  # noqa: N801 - reads as in PyTorch
    """Record nothing inside the ``with`` block, or the decorated function, on this thread."""

    recording = OFF

    def __enter__(self) -> None:
        """Remember what was set, and set ours."""
        self._before = state.recording
        state.recording = self.recording

    def __exit__(self, *error: object) -> None:
        """Set back what was."""
        state.recording = self._before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate ``function``."""

        @functools.wraps(function)
        def quiet(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return quiet


class enable_grad(no_grad):  # noqa: N801
    """Record again, inside a `no_grad` block."""

    recording = ON
