"""Normalization as functions: one standardising operation over different axes, then γ and β."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.backend.sums import count
from minigrad.memory import shared, wrote
from minigrad.tensor import Tensor


def batch_norm(  # noqa: PLR0913 - PyTorch's arguments, and axis
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    axis: int = 1,
) -> Any:
    """γ·(x − μ)/σ + β with μ and σ² = var + ε per channel; see `nn.BatchNorm1d`.

    In training the running statistics, if given, follow those of the batch.
    """
    running, affine = (running_mean, running_var), (weight, bias)
    return by_channel(input, False, axis, running, affine, training, momentum, eps)


def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """γ·(x − μ)/σ + β with μ and σ² = var + ε per sample and channel of (N, C, …)."""
    if use_input_stats and math.prod(input.shape[2:]) == 1:
        raise ValueError(
            "instance_norm needs more than one value in a channel to have a variance; got shape "
            f"{tuple(input.shape)}. Normalise earlier, or over channels: layer_norm."
        )
    running, affine = (running_mean, running_var), (weight, bias)
    return by_channel(input, True, 1, running, affine, use_input_stats, momentum, eps)


def by_channel(
    x: Any,
    by_sample: bool,
    axis: int,
    running: tuple[Any, Any],
    affine: tuple[Any, Any],
    training: bool,
    momentum: float,
    eps: float,
) -> Any:
    """Standardise each channel, or each of each sample; by the running ones in evaluation."""
    (mean, var), (gamma, beta) = running, affine
    over, n, channels, off, along = _channels(x.shape, by_sample, axis)
    for v in (mean, var, gamma, beta):
        if v is not None and v.shape != channels:
            _refuse_parameters("a normalization by channel", channels, v)
    tracked = mean is not None and var is not None
    if tracked and not training:
        shape = along or (-1,)
        sigma = ops.sqrt(ops.reshape(var, shape) + eps)
        z = ops.normalize(x, ops.reshape(mean, shape), sigma)
    else:
        z, mu, sigma = ops.standardize(x, axis=over, eps=eps)
        if tracked:
            if n == 1:
                raise ValueError(
                    "running statistics need more than one value per channel to have a variance; "
                    f"got shape {tuple(x.shape)}. Use a larger batch, or evaluation."
                )
            if isinstance(x, Tensor):
                mu, sigma = mu.data, sigma.data
            told = shared(mean) or shared(var)
            _follow(mean.data, mu, off, momentum, momentum)
            _follow(var.data, sigma * sigma - eps, off, momentum, momentum * n / (n - 1))
            if told:
                wrote(mean.data, var.data, line="a normalization in training")
    if along:
        gamma, beta = (v if v is None else ops.reshape(v, along) for v in (gamma, beta))
    return scale_and_shift(z, gamma, beta)


@functools.lru_cache(maxsize=1024)
def _channels(shape: tuple[int, ...], by_sample: bool, axis: int) -> Any:
    """How inputs of ``shape`` are normalised by channel, which are along ``axis``.

    The axes to average over, and how many entries they have; the number of channels, as a shape;
    the index that takes a vector off their axis; the shape in which one stands along it, None if
    that is the last.
    """
    ndim = len(shape)
    axis %= ndim
    over = tuple(a for a in range(by_sample, ndim) if a != axis)
    off = tuple(slice(None) if a == axis else 0 for a in range(ndim))
    along = (-1,) + (1,) * (ndim - 1 - axis)
    return over, count(shape, over), (shape[axis],), off, along if len(along) > 1 else None


def _follow(running: Any, batch: Any, off: Any, momentum: float, rate: float) -> None:
    """running ← (1 − momentum)·running + rate·batch (its mean over samples, if by sample)."""
    if batch.size != running.size:
        batch = namespace(batch).mean(batch, axis=0, keepdims=True)
    if batch.dtype != running.dtype:
        batch = backend.cast(batch, running.dtype)
    running *= 1 - momentum
    running += rate * batch[off]


def layer_norm(
    input: Any,
    normalized_shape: Sequence[int],
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
) -> Any:
    """γ·(x − μ)/σ + β with μ and σ² = var + ε per sample over the last axes."""
    _check_shapes(
        "layer_norm", input.shape[-len(normalized_shape) :], normalized_shape, weight, bias
    )
    z, _, _ = ops.standardize(input, axis=tuple(range(-len(normalized_shape), 0)), eps=eps)
    return scale_and_shift(z, weight, bias)


def rms_norm(
    input: Any, normalized_shape: Sequence[int], weight: Any = None, eps: float | None = None
) -> Any:
    """γ·x/σ with σ² = mean x² + ε over the last axes; ε is that of the dtype unless given."""
    if eps is None:
        eps = float(namespace(getattr(input, "data", input)).finfo(input.dtype).eps)
    _check_shapes("rms_norm", input.shape[-len(normalized_shape) :], normalized_shape, weight)
    axis = tuple(range(-len(normalized_shape), 0))
    z, _, _ = ops.standardize(input, axis=axis, eps=eps, center=False)
    return scale_and_shift(z, weight, None)


def group_norm(
    input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """γ·(x − μ)/σ + β with μ and σ² = var + ε per sample and group of channels of (N, C, …)."""
    if input.ndim < 2 or input.shape[1] % num_groups:  # noqa: PLR2004 - samples and channels
        raise ValueError(
            f"group_norm needs inputs (N, C, …) whose channels divide into {num_groups} groups; "
            f"got shape {tuple(input.shape)}. Choose a num_groups that divides C."
        )
    entries = math.prod(input.shape[1:]) // num_groups
    if input.shape[0] * entries == 1:
        raise ValueError(
            "group_norm needs more than one value in a group to have a variance; got shape "
            f"{tuple(input.shape)} in {num_groups} groups. Use fewer groups."
        )
    groups = ops.reshape(input, (input.shape[0], num_groups, entries))
    z, _, _ = ops.standardize(groups, axis=(2,), eps=eps)
    per_channel = (-1,) + (1,) * (input.ndim - 2)
    gamma, beta = (v if v is None else ops.reshape(v, per_channel) for v in (weight, bias))
    return scale_and_shift(ops.reshape(z, tuple(input.shape)), gamma, beta)


def _check_shapes(name: str, found: Any, wanted: Any, *tensors: Any) -> None:
    """Refuse an input, or parameters, of another shape than is normalised: they could broadcast."""
    if tuple(found) != tuple(wanted):
        raise ValueError(
            f"{name} over {tuple(wanted)} needs inputs that end so; got {tuple(found)} at the end. "
            "Give the sizes of the axes to normalise over."
        )
    for tensor in tensors:
        if tensor is not None and tensor.shape != tuple(wanted):
            _refuse_parameters(name, tuple(wanted), tensor)


def _refuse_parameters(name: str, wanted: tuple[int, ...], tensor: Any) -> None:
    raise ValueError(
        f"{name} needs parameters and statistics of shape {wanted}; got {tuple(tensor.shape)}. "
        "Reshape them."
    )


def scale_and_shift(z: Any, gamma: Any, beta: Any) -> Any:
    """γ·z + β, where either may be None: left out."""
    if gamma is None:
        return z if beta is None else z + beta
    return ops.scale_shift(z, gamma) if beta is None else ops.scale_shift(z, gamma, beta)
