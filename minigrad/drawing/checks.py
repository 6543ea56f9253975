"""What `draw` refuses, in words: what was asked, what was given, what to do."""

from __future__ import annotations

from typing import Any


def kind(argument: str, given: Any, wanted: type) -> None:
    """Refuse what is not a ``wanted``."""
    if not isinstance(given, wanted):
        raise TypeError(
            f"draw({argument}) needs a {wanted.__name__}; got {type(given).__name__}. "
            f"Pass the {wanted.__name__} itself, or leave it out."
        )


def choice(argument: str, given: Any, known: tuple[Any, ...]) -> None:
    """Refuse what is not among the known."""
    if given not in known:
        words = ", ".join(str(word) for word in known)
        raise ValueError(f"draw({argument}=…) knows {words}; got {given!r}. Choose one of them.")


def number(argument: str, given: Any, least: int) -> None:
    """Refuse what is neither None nor a whole number of at least ``least``."""
    if given is not None and (not isinstance(given, int) or given < least):
        raise ValueError(
            f"draw({argument}=…) needs a number of at least {least}; got {given!r}. "
            "Leave it out, or give None for no limit."
        )
