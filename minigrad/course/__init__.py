"""The course: the lessons as notebooks, run in a fresh kernel and built into a static site."""

from __future__ import annotations

from importlib import metadata


class CourseError(ValueError):
    """A request that cannot be met; the message says what was asked, what was found, what to do."""


def version() -> str:
    """Return the version of the minigrad that is installed."""
    try:
        return metadata.version("minigrad")
    except metadata.PackageNotFoundError:
        return "(not installed)"
