"""The random numbers of the package: drawn on the host, so a seed means the same everywhere."""

from __future__ import annotations

import numpy as np

_generator: np.random.Generator | None = None  # made when asked for: importing it takes time


def manual_seed(seed: int) -> None:
    """Seed all of minigrad's random numbers.

    They are drawn on the host, so the same seed gives the same weights on every backend.
    """
    set_generator(np.random.default_rng(seed))


def set_generator(chosen: np.random.Generator) -> None:
    """Draw from ``chosen`` from now on."""
    global _generator  # noqa: PLW0603
    _generator = chosen


def generator() -> np.random.Generator:
    """The generator that weights, masks and shuffles are drawn from."""
    global _generator  # noqa: PLW0603
    if _generator is None:
        _generator = np.random.default_rng()
    return _generator
