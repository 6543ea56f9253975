"""Progress bars: tqdm's where it is installed, and nothing where quiet is asked for."""

from __future__ import annotations

import os
import warnings
from importlib import import_module
from typing import Any


class Silent:
    """A bar that nobody sees."""

    def update(self, n: int = 1) -> None:
        """Move on by ``n``."""

    def set_description(self, text: str) -> None:
        """Say what is going on."""

    def set_postfix_str(self, text: str) -> None:
        """Say how it is going."""

    def close(self) -> None:
        """Be done."""


def quiet() -> bool:
    """Whether MINIGRAD_QUIET asks for no progress at all."""
    return os.environ.get("MINIGRAD_QUIET", "") not in ("", "0")


def bar(total: int | None, description: str, unit: str = "it", show: bool = True) -> Any:
    """A bar of ``total`` steps (unknown if None): tqdm's, or a `Silent` one without tqdm."""
    if not show or quiet():
        return Silent()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that ipywidgets is missing: it falls back to text
            tqdm = import_module("tqdm.auto").tqdm
    except ImportError:
        return Silent()
    bytes_ = {"unit_scale": True, "unit_divisor": 1024} if unit == "B" else {}
    return tqdm(total=total, desc=description, unit=unit, **bytes_)
