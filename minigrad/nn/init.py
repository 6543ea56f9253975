"""Initialisers: fill a tensor in place with random or constant numbers, on the host's generator."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import backend, memory
from minigrad.tensor import Tensor


def _fill(tensor: Tensor, values: np.ndarray) -> Tensor:
    tensor.data = backend.copy_as(values, tensor.data)
    memory.wrote(tensor.data)
    return tensor


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform numbers in [a, b)."""
    return _fill(tensor, backend.generator().uniform(a, b, tensor.shape))


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal numbers with this mean and standard deviation."""
    return _fill(tensor, backend.generator().normal(mean, std, tensor.shape))


def constant_(tensor: Tensor, val: float) -> Tensor:
    """One value everywhere."""
    return _fill(tensor, np.full(tensor.shape, val))


def zeros_(tensor: Tensor) -> Tensor:
    """Zeros."""
    return constant_(tensor, 0.0)


def ones_(tensor: Tensor) -> Tensor:
    """Ones."""
    return constant_(tensor, 1.0)


def eye_(tensor: Tensor) -> Tensor:
    """The identity matrix."""
    if tensor.ndim != 2:  # noqa: PLR2004 - a matrix
        raise ValueError(f"eye_ fills a matrix; got shape {tensor.shape}. For kernels use dirac_.")
    return _fill(tensor, np.eye(tensor.shape[0], tensor.shape[1]))


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """A convolution's kernels (O, C/groups, …) that pass channel i on to output i of each group."""
    if tensor.ndim < 3 or tensor.shape[0] % groups:  # noqa: PLR2004 - channels and a kernel
        raise ValueError(
            f"dirac_ needs kernels (O, C/groups, …) with O divisible by groups={groups}; got shape "
            f"{tensor.shape}. For matrices use eye_."
        )
    values = np.zeros(tensor.shape)
    per_group = tensor.shape[0] // groups
    middle = [n // 2 for n in tensor.shape[2:]]
    for group in range(groups):
        for i in range(min(per_group, tensor.shape[1])):
            values[(group * per_group + i, i, *middle)] = 1
    return _fill(tensor, values)


def trunc_normal_(
    tensor: Tensor, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0
) -> Tensor:
    """Normal numbers, those outside [a, b] drawn again."""
    root = std * math.sqrt(2)
    inside = (math.erf((b - mean) / root) - math.erf((a - mean) / root)) / 2
    if inside < 1e-3:  # noqa: PLR2004 - it would be drawn again a thousand times
        raise ValueError(
            f"trunc_normal_ needs an interval that normal numbers fall into; of those with mean "
            f"{mean} and std {std} a share of {max(inside, 0):.1g} falls into [{a}, {b}]. Move the "
            "mean into it, or use uniform_."
        )
    values = np.asarray(backend.generator().normal(mean, std, tensor.shape))
    while (again := (values < a) | (values > b)).any():
        values[again] = backend.generator().normal(mean, std, int(again.sum()))
    return _fill(tensor, values)


def sparse_(tensor: Tensor, sparsity: float, std: float = 0.01) -> Tensor:
    """Normal numbers in a matrix, with a share ``sparsity`` of each column 0 (Martens 2010)."""
    if tensor.ndim != 2:  # noqa: PLR2004 - a matrix
        raise ValueError(f"sparse_ fills a matrix; got shape {tensor.shape}. Reshape it first.")
    rows, columns = tensor.shape
    values = backend.generator().normal(0.0, std, (rows, columns))
    for column in range(columns):
        chosen = backend.generator().permutation(rows)[: math.ceil(sparsity * rows)]
        values[chosen, column] = 0
    return _fill(tensor, values)


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan in, fan out) of a weight (out, in, …): how many numbers meet in, and leave, one unit."""
    if tensor.ndim < 2:  # noqa: PLR2004 - a weight
        raise ValueError(
            f"fan in and fan out need a weight with at least 2 axes; got shape {tensor.shape}. "
            "Initialise vectors with uniform_, normal_ or constant_."
        )
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """The factor by which weights must grow to make up for what a nonlinearity takes away."""
    slope = 0.01 if param is None else param
    gains = {
        **dict.fromkeys(("linear", "conv1d", "conv2d", "conv3d"), 1.0),
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + slope**2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(
            f"calculate_gain({nonlinearity!r}) asks for an unknown nonlinearity. "
            f"Known ones: {', '.join(gains)}."
        )
    return gains[nonlinearity]


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform with variance gain²·2/(fan in + fan out) (Glorot and Bengio 2010)."""
    bound = gain * math.sqrt(6 / sum(fans(tensor)))
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normal with variance gain²·2/(fan in + fan out) (Glorot and Bengio 2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(fans(tensor))))


def kaiming_uniform_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Uniform with variance gain²/fan (He et al. 2015); ``a`` is the leaky ReLU's slope."""
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(
    tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu"
) -> Tensor:
    """Normal with variance gain²/fan (He et al. 2015); ``a`` is the leaky ReLU's slope."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    fan_in, fan_out = fans(tensor)
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode={mode!r} is unknown; use 'fan_in' or 'fan_out'.")
    fan = fan_in if mode == "fan_in" else fan_out
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Orthonormal rows or columns, times ``gain`` (Saxe et al. 2014)."""
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    normal = backend.generator().standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(normal)
    q = q * np.sign(np.diag(r))  # else QR's own choice of signs would not be uniform
    return _fill(tensor, gain * (q.T if rows < columns else q).reshape(tensor.shape))
