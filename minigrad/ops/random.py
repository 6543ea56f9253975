"""New tensors at random.

Numbers are drawn on the host, from ``generator`` (`mg.Generator`, or NumPy's) or else from the
stream that `mg.manual_seed` begins, so that a seed means the same on every backend.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad import backend
from minigrad.ops.creation import born, like, shape_of
from minigrad.tensor import Tensor


def _stream(generator: Any) -> Any:
    return backend.generator() if generator is None else generator


def rand(
    *shape: Any,
    size: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: str | None = None,
    generator: Any = None,
) -> Tensor:
    """Uniform random numbers in [0, 1)."""
    numbers = _stream(generator).random(shape_of(shape, size))
    return born(np.asarray(numbers), dtype, requires_grad, device)


def randn(
    *shape: Any,
    size: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
    device: str | None = None,
    generator: Any = None,
) -> Tensor:
    """Standard normal random numbers."""
    numbers = _stream(generator).standard_normal(shape_of(shape, size))
    return born(np.asarray(numbers), dtype, requires_grad, device)


def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    dtype: Any = None,
    *,
    device: str | None = None,
    generator: Any = None,
) -> Tensor:
    """Random integers in [low, high); ``randint(high, size)`` starts at 0."""
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    return born(np.asarray(_stream(generator).integers(low, high, size)), dtype, False, device)


def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    dtype: Any = None,
    *,
    device: str | None = None,
    generator: Any = None,
) -> Tensor:
    """Normal random numbers with this mean and standard deviation, numbers or tensors."""
    if size is None:
        first = next((x for x in (mean, std) if isinstance(x, Tensor)), None)
        if first is None:
            raise TypeError(
                f"normal needs a shape for numbers mean={mean} and std={std}; got none. Pass size."
            )
        mean, std = (x.numpy() if isinstance(x, Tensor) else x for x in (mean, std))
        return like(first, _stream(generator).normal(mean, std), dtype, False, device)
    return born(np.asarray(_stream(generator).normal(mean, std, size)), dtype, False, device)


def randperm(
    n: int, dtype: Any = None, *, device: str | None = None, generator: Any = None
) -> Tensor:
    """The integers 0 … n − 1 in random order."""
    return born(_stream(generator).permutation(n), dtype, False, device)


def rand_like(
    x: Tensor,
    requires_grad: bool = False,
    *,
    dtype: Any = None,
    device: str | None = None,
    generator: Any = None,
) -> Tensor:
    """Uniform random numbers with the shape, dtype and place of ``x``."""
    return like(x, _stream(generator).random(x.shape), dtype, requires_grad, device)


def randn_like(
    x: Tensor,
    requires_grad: bool = False,
    *,
    dtype: Any = None,
    device: str | None = None,
    generator: Any = None,
) -> Tensor:
    """Standard normal random numbers with the shape, dtype and place of ``x``."""
    return like(x, _stream(generator).standard_normal(x.shape), dtype, requires_grad, device)


def randint_like(
    x: Tensor,
    low: int,
    high: int | None = None,
    *,
    dtype: Any = None,
    device: str | None = None,
    generator: Any = None,
) -> Tensor:
    """Random integers in [low, high), or [0, low), with the shape, dtype and place of ``x``."""
    numbers = _stream(generator).integers(*((low, high) if high is not None else (0, low)), x.shape)
    return like(x, numbers, dtype, False, device)


def bernoulli(x: Tensor, *, generator: Any = None) -> Tensor:
    """1 with the chance that each entry says, else 0."""
    chances = x.numpy()
    if not ((chances >= 0) & (chances <= 1)).all():
        raise ValueError(
            "bernoulli needs chances from 0 to 1; found others. Apply sigmoid or softmax first."
        )
    return like(x, _stream(generator).random(x.shape) < chances)


def multinomial(
    x: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None
) -> Tensor:
    """So many classes (…, num_samples) drawn with chances in the ratio of the entries (…, C)."""
    weights = np.asarray(x.numpy(), dtype=np.float64)
    rows = weights.reshape(-1, weights.shape[-1])
    enough = 1 if replacement else num_samples
    if not (np.isfinite(rows) & (rows >= 0)).all() or ((rows > 0).sum(1) < enough).any():
        raise ValueError(
            f"multinomial needs finite entries ≥ 0, at least {enough} of them above 0 in each row; "
            "found others. Pass probabilities, or set replacement=True."
        )
    chances = rows / rows.sum(1, keepdims=True)
    stream = _stream(generator)
    drawn = [stream.choice(len(p), num_samples, replace=replacement, p=p) for p in chances]
    numbers = np.reshape(drawn, (*weights.shape[:-1], num_samples))
    return like(x, numbers, dtype="int64")
