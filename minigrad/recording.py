"""What each thread is doing: whether it records operations, and inside which modules."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any

Scope = tuple[tuple[str, str], ...]  # (name, class) of each module around an operation


OFF, ON, WATCHED = 0, 1, 2  # whether operations are recorded, and checked as they are


class State:
    """What a thread is doing: whether it records, and inside which modules."""

    check: Callable[..., None]  # what WATCHED operations are checked by

    def __init__(self) -> None:
        self.recording: int = ON  # or OFF, or WATCHED
        self.scope: Scope = ()


class _Thread(threading.local):
    """Each thread's own state; to look it up takes longer than to read it."""

    def __init__(self) -> None:
        self.state = State()


thread = _Thread()


class no_grad:  # noqa: N801 - reads as in PyTorch
    """Record nothing inside the ``with`` block, or the decorated function, on this thread."""

    recording = OFF

    def __enter__(self) -> None:
        """Remember what was set, and set ours."""
        self._before = thread.state.recording
        thread.state.recording = self.recording

    def __exit__(self, *error: object) -> None:
        """Set back what was."""
        thread.state.recording = self._before

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


class inference_mode(no_grad):  # noqa: N801
    """`no_grad`, by the name PyTorch has for its faster kind; ``inference_mode(False)`` records."""

    def __init__(self, mode: bool = True) -> None:
        self.recording = OFF if mode else thread.state.recording

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate ``function``."""
        return no_grad()(function) if self.recording == OFF else function


class set_grad_enabled(no_grad):  # noqa: N801
    """Record or not: on this thread for good, or for a ``with`` block."""

    def __init__(self, mode: bool) -> None:
        self._before = thread.state.recording
        thread.state.recording = self.recording = ON if mode else OFF

    def __enter__(self) -> None:
        """Nothing left to do: the switch is made."""

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate ``function``; nothing is switched outside it."""
        thread.state.recording = self._before
        return (enable_grad() if self.recording == ON else no_grad())(function)


def is_grad_enabled() -> bool:
    """Whether operations are recorded on this thread."""
    return thread.state.recording != OFF
