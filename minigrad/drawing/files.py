"""Saving drawings: what the ending says, a whole file or none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def ending(path: str | os.PathLike[str], known: Sequence[str], what: str) -> str:
    """The ending of ``path``, one of ``known``, in lower case.

    Raises
    ------
    ValueError
        If the ending is another.
    FileNotFoundError
        If there is no folder to save in.
    """
    target = Path(path)
    format = target.suffix.lower().removeprefix(".")
    if format not in known:
        raise ValueError(
            f"save({str(path)!r}) asks for {what} of type {target.suffix or 'no ending'}; "
            f"known ones are {', '.join(f'.{name}' for name in known)}. Choose one of them."
        )
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"save({str(path)!r}) needs the folder {str(target.parent)!r}; there is none. "
            "Make it first, or save elsewhere."
        )
    return format


def write(path: str | os.PathLike[str], content: bytes) -> Path:
    """Put ``content`` where ``path`` says; a file that was there is replaced by a whole one."""
    target = Path(path)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return target
