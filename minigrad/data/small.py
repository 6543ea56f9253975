"""The small tables that come with scikit-learn: digits, iris, wine, breast cancer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.data.loading import TensorDataset, _generator
from minigrad.tensor import Tensor, as_array


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Features and classes; ``x, t = data.iris()`` takes the two.

    Attributes
    ----------
    x
        Features, float32, (N, features).
    t
        Class numbers, int64, (N,).
    name
        What the table is called.
    feature_names, target_names
        What the columns and the classes are called.
    """

    x: Tensor
    t: Tensor
    name: str
    feature_names: tuple[str, ...]
    target_names: tuple[str, ...]

    def __iter__(self) -> Iterator[Tensor]:
        """Give x, then t."""
        return iter((self.x, self.t))

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.t)

    def dataset(self) -> TensorDataset:
        """The two as a dataset, for a `DataLoader`."""
        return TensorDataset(self.x, self.t)

    def split(
        self,
        test: float = 0.2,
        generator: np.random.Generator | int | None = None,
        standardize: bool = False,
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Deal the samples out to train and test: ((x, t), (x, t)), each class in proportion.

        Parameters
        ----------
        test
            The part of each class that is held out.
        generator
            A seed or a NumPy generator; by default what `minigrad.manual_seed` seeds.
        standardize
            Shift and scale each feature to mean 0 and variance 1 over the *training* samples, so
            that nothing of the test samples leaks into training.
        """
        if not 0 < test < 1:
            raise ValueError(
                f"split needs test, the part held out, between 0 and 1; got {test}. A fifth, "
                "0.2, is usual."
            )
        random, labels = _generator(generator), self.t.numpy()
        held = np.zeros(len(labels), dtype=bool)
        for label in np.unique(labels):
            places = random.permutation(np.flatnonzero(labels == label))
            held[places[: max(1, round(test * len(places)))]] = True
        x = self.x.numpy()
        if standardize:
            x = _standardized(x, x[~held])
        parts = [random.permutation(np.flatnonzero(part)) for part in (~held, held)]
        train, rest = [(_born(x[part]), _born(labels[part])) for part in parts]
        return train, rest

    def __repr__(self) -> str:
        """Its name and sizes."""
        return f"Table({self.name}: x {self.x.shape}, t {self.t.shape}, {self._classes()})"

    def _classes(self) -> str:
        return f"{len(self.target_names)} classes: {', '.join(self.target_names)}"


def _standardized(x: np.ndarray, over: np.ndarray) -> np.ndarray:
    """(x − mean)/std by column, with both taken over ``over``; a constant column becomes 0."""
    mean, std = over.mean(0, dtype=np.float64), over.std(0, dtype=np.float64)
    return ((x - mean) / np.where(std > 0, std, 1.0)).astype(np.float32)


def _born(x: np.ndarray) -> Tensor:
    """A host array as a tensor of the default backend."""
    return Tensor(as_array(x))


def _table(name: str, standardize: bool) -> Table:
    try:
        sets = import_module("sklearn.datasets")
    except ImportError as error:
        raise ImportError(
            f"data.{name}() reads scikit-learn's copy; found no scikit-learn ({error}). Install "
            'it: pip install scikit-learn, or "minigrad[lessons]".'
        ) from error
    found: Any = getattr(sets, f"load_{name}")()
    x = np.asarray(found.data, dtype=np.float32)
    if standardize:
        x = _standardized(x, x)
    t = np.asarray(found.target, dtype=backend.int64)
    names = [tuple(str(n) for n in found[key]) for key in ("feature_names", "target_names")]
    return Table(_born(x), _born(t), name, *names)


def digits(standardize: bool = False) -> Table:
    """1797 handwritten digits of 8 × 8 pixels from 0 to 16: x (1797, 64), t (1797,), 10 classes.

    The test set of Alpaydin and Kaynak (1998); ``x.reshape(-1, 1, 8, 8)`` makes images of it.
    """
    return _table("digits", standardize)


def iris(standardize: bool = False) -> Table:
    """150 irises of three kinds: x (150, 4), lengths and widths in cm (Fisher 1936)."""
    return _table("iris", standardize)


def wine(standardize: bool = False) -> Table:
    """178 wines of three growers: x (178, 13), chemical analyses (Forina 1988)."""
    return _table("wine", standardize)


def breast_cancer(standardize: bool = False) -> Table:
    """569 tumours, malignant (0) or benign (1): x (569, 30) (Wolberg, Street, Mangasarian 1993)."""
    return _table("breast_cancer", standardize)
