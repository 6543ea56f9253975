"""Datasets and the batches made of them, as in ``torch.utils.data``; one process, no workers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.tensor import Tensor, as_array, wrap


class Dataset:
    """Base class: a subclass writes ``__getitem__`` (sample i) and ``__len__``.

    A sample is a tensor, an array or a number, or a tuple or dict of such. Anything else that has
    the two methods, a list for one, serves as well.
    """

    def __getitem__(self, index: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} has no __getitem__(); write one that answers sample i."
        )

    def __len__(self) -> int:
        raise NotImplementedError(
            f"{type(self).__name__} has no __len__(); write one that answers how many samples "
            "there are."
        )


class TensorDataset(Dataset):
    """Tensors side by side: sample i is row i of each.

    Parameters
    ----------
    tensors
        Tensors or arrays with first axes of one length, such as x (N, …) and t (N,). They are not
        copied, and stay where they are; lists and NumPy arrays go to the default backend.
    """

    def __init__(self, *tensors: Any) -> None:
        self.tensors = tuple([x if isinstance(x, Tensor) else Tensor(as_array(x)) for x in tensors])
        shapes = [x.shape for x in self.tensors]
        if not shapes or any(not shape or shape[0] != shapes[0][0] for shape in shapes):
            raise ValueError(
                "TensorDataset needs tensors whose first axes are of one length; got shapes "
                f"{', '.join(map(str, shapes)) or 'none'}. Pass x (N, …) and t (N,)."
            )

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """Row ``index`` of each tensor."""
        return tuple([x[index] for x in self.tensors])

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.tensors[0])

    def rows(self, indices: np.ndarray) -> list[Tensor]:
        """The rows at ``indices`` (n,) of each tensor, copied together in one go."""
        return [_rows(x, indices) for x in self.tensors]


def _rows(x: Tensor, indices: np.ndarray) -> Tensor:
    raw = x.data
    return wrap(namespace(raw).take(raw, backend.of(raw).from_numpy(indices), axis=0))


class Subset(Dataset):
    """Those samples of ``dataset`` that stand at ``indices``, in that order."""

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, index: Any) -> Any:
        """Sample ``indices[index]`` of the dataset."""
        return self.dataset[self.indices[index]]

    def __len__(self) -> int:
        """How many samples were picked."""
        return len(self.indices)


def random_split(
    dataset: Any, lengths: Sequence[float], generator: np.random.Generator | int | None = None
) -> list[Subset]:
    """Deal the samples out at random, without overlap.

    Parameters
    ----------
    dataset
        Whatever has a length and samples.
    lengths
        How many samples each part gets, all together; or fractions of 1, where what rounding
        leaves over goes to the first parts, one each.
    generator
        A seed or a NumPy generator; by default what `minigrad.manual_seed` seeds.
    """
    n = len(dataset)
    if math.isclose(sum(lengths), 1.0) and all(0 <= part <= 1 for part in lengths):
        sizes = [math.floor(n * part) for part in lengths]
        for i in range(n - sum(sizes)):
            sizes[i % len(sizes)] += 1
    else:
        sizes = [int(part) for part in lengths]
    if sum(sizes) != n or min(sizes) < 0:
        raise ValueError(
            f"random_split needs lengths that sum to {n}, or fractions that sum to 1; got "
            f"{list(lengths)}. For a fifth held out: random_split(dataset, [0.8, 0.2])."
        )
    places = _generator(generator).permutation(n)
    ends = np.cumsum(sizes)
    parts = zip(ends - sizes, ends, strict=True)
    return [Subset(dataset, places[start:end].tolist()) for start, end in parts]


def _generator(given: np.random.Generator | int | None) -> np.random.Generator:
    """The generator that is given, that a seed makes, or that `manual_seed` seeds."""
    if given is None:
        return backend.generator()
    return given if isinstance(given, np.random.Generator) else np.random.default_rng(given)


class DataLoader:
    """Batches of a dataset, anew each time it is iterated over.

    Parameters
    ----------
    dataset
        A `Dataset`, or anything with a length and samples. Batches of a `TensorDataset` are taken
        from its tensors at once, which is fast; others sample by sample.
    batch_size
        Samples a batch.
    shuffle
        Take the samples in a new random order in each epoch.
    sampler
        Indices to take in place of 0 … n − 1; not together with shuffle.
    num_workers, pin_memory
        Taken so that PyTorch's scripts run; there is one process, and nothing is pinned.
    collate_fn
        Makes a batch of a list of samples; `default_collate` if None.
    drop_last
        Leave out a last batch that is not full.
    generator
        A seed or a NumPy generator for the order; by default what `minigrad.manual_seed` seeds.

    Examples
    --------
    >>> loader = DataLoader(TensorDataset(x, t), batch_size=32, shuffle=True)
    >>> for x, t in loader:
    ...     loss = F.cross_entropy(model(x), t)
    """

    def __init__(  # noqa: PLR0913 - PyTorch's arguments
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        *,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        generator: np.random.Generator | int | None = None,
    ) -> None:
        if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
            raise TypeError(
                "DataLoader needs a dataset with a length and samples; got a "
                f"{type(dataset).__name__}. Pass TensorDataset(x, t), a list, or a class with "
                "__len__ and __getitem__."
            )
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise ValueError(
                f"DataLoader needs batch_size, a positive integer; got {batch_size!r}. For one "
                "batch of everything, pass len(dataset)."
            )
        if shuffle and sampler is not None:
            raise ValueError(
                "DataLoader was given shuffle=True and a sampler, which both set the order. "
                "Drop one of them."
            )
        self.dataset, self.batch_size, self.sampler = dataset, batch_size, sampler
        self.shuffle, self.drop_last, self.collate_fn = bool(shuffle), drop_last, collate_fn
        self.generator = None if generator is None else _generator(generator)

    def __len__(self) -> int:
        """How many batches an epoch has."""
        n = len(self.dataset if self.sampler is None else self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        """One epoch of batches."""
        if self.sampler is not None:
            order = np.asarray([int(i) for i in self.sampler], dtype=np.int64)
        elif self.shuffle:
            order = _generator(self.generator).permutation(len(self.dataset))
        else:
            order = np.arange(len(self.dataset))
        dataset = self.dataset
        while type(dataset).__getitem__ is Subset.__getitem__:
            order, dataset = np.asarray(dataset.indices, dtype=np.int64)[order], dataset.dataset
        for start in range(0, len(order), self.batch_size):
            indices = order[start : start + self.batch_size]
            if len(indices) == self.batch_size or not self.drop_last:
                yield self._batch(dataset, indices)

    def _batch(self, dataset: Any, indices: np.ndarray) -> Any:
        if self.collate_fn is None and type(dataset).__getitem__ is TensorDataset.__getitem__:
            return dataset.rows(indices)
        return (self.collate_fn or default_collate)([dataset[int(i)] for i in indices])


def default_collate(samples: Sequence[Any]) -> Any:
    """A batch of samples: arrays stacked, numbers as a tensor, tuples and dicts by their parts.

    As in PyTorch, tuples and lists become lists, Python floats float64, and strings stay as they
    are. Arrays go to the default backend, tensors stay where they are.

    Raises
    ------
    ValueError
        If samples differ in shape or in length.
    """
    first = samples[0]
    if isinstance(first, Tensor) or backend.is_array(first):
        shapes = sorted({tuple(x.shape) for x in samples})
        if len(shapes) > 1:
            raise ValueError(
                f"a batch needs samples of one shape; found {', '.join(map(str, shapes))}. Pad "
                "or crop them, or pass collate_fn=… to DataLoader."
            )
        if isinstance(first, Tensor):
            return ops.stack(list(samples))
        return Tensor(as_array(np.stack([backend.to_numpy(x) for x in samples])))
    if isinstance(first, bool | int | float):
        return Tensor(as_array(np.asarray(samples)))
    if isinstance(first, str | bytes):
        return list(samples)
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in samples]) for key in first}
    if isinstance(first, tuple | list):
        lengths = sorted({len(sample) for sample in samples})
        if len(lengths) > 1:
            raise ValueError(
                f"a batch needs samples with as many parts each; found {lengths}. Make them "
                "alike, or pass collate_fn=… to DataLoader."
            )
        parts = [default_collate(list(part)) for part in zip(*samples, strict=True)]
        return type(first)(*parts) if hasattr(first, "_fields") else parts
    raise TypeError(
        "a batch is made of tensors, arrays, numbers, strings, and tuples or dicts of them; got "
        f"a {type(first).__name__}. Convert the samples, or pass collate_fn=… to DataLoader."
    )
