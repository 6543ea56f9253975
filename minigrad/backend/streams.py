"""Streams of random numbers of one's own, under PyTorch's name."""

from __future__ import annotations

import numpy as np


class Generator(np.random.Generator):
    """A stream of random numbers of its own, for the keyword ``generator``; NumPy's, seeded anew.

    >>> mg.randn(2, 3, generator=mg.Generator().manual_seed(0))

    The numbers are drawn on the host whatever the ``device``, so that a seed means the same
    everywhere. A ``numpy.random.Generator`` does as well.
    """

    def __init__(self, device: str | None = None) -> None:
        super().__init__(np.random.PCG64())
        self.seed()

    def manual_seed(self, seed: int) -> Generator:
        """Begin the stream of this seed, the one that `mg.manual_seed` begins; answer itself."""
        self._seed = seed
        self.bit_generator.state = np.random.PCG64(seed).state
        return self

    def seed(self) -> int:
        """Begin a stream that no one has chosen, and answer its seed."""
        return self.manual_seed(int(np.random.SeedSequence().generate_state(1)[0])).initial_seed()

    def initial_seed(self) -> int:
        """The seed that the stream began with."""
        return self._seed
