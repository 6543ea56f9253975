"""Layers and losses as functions, under PyTorch's names."""

from __future__ import annotations

from typing import Any

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.ops import (
    linear,
    log_softmax,
    relu,
    sigmoid,
    softmax,
    tanh,
)
from minigrad.tensor import Tensor

__all__ = [
    "cross_entropy",
    "linear",
    "log_softmax",
    "mse_loss",
    "one_hot",
    "relu",
    "sigmoid",
    "softmax",
    "tanh",
]


def _reduce(loss: Any, reduction: str) -> Any:
    """The mean or the sum of a loss, or the loss as it is."""
    if reduction == "mean":
        return ops.mean(loss)
    if reduction == "sum":
        return ops.sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"reduction={reduction!r} is unknown; use 'mean', 'sum' or 'none'.")


def _same_shape(name: str, x: Any, target: Any) -> None:
    """Refuse shapes that would broadcast: (n, 1) against (n,) makes n² differences, silently."""
    if tuple(x.shape) != tuple(target.shape):
        raise ValueError(
            f"{name} needs input and target of one shape; got {tuple(x.shape)} and "
            f"{tuple(target.shape)}, which could broadcast. Reshape one: "
            "target.reshape(input.shape), or input.squeeze(-1)."
        )


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean of (input − target)²; shapes must be equal."""
    _same_shape("mse_loss", input, target)
    return _reduce(ops.square(input - target), reduction)


def one_hot(labels: Any, num_classes: int) -> Tensor:
    """Integers (…) as rows (…, num_classes) with a single 1; zeros for those out of range."""
    raw = labels.data if isinstance(labels, Tensor) else labels
    xp = namespace(raw)
    hot = xp.expand_dims(raw, axis=-1) == backend.arange(num_classes, like=raw)
    return Tensor(xp.astype(hot, backend.dtype_on(xp, backend.get_default_dtype())))


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """−ln softmax(input)[target], the classification loss, from logits.

    Parameters
    ----------
    input
        Logits, (N, C), (N, C, …) or (C,).
    target
        Class numbers without the class axis, (N,), (N, …) or (); or probabilities of input's shape.
    weight
        A factor per class, (C,); the mean is then weighted by those of the targets.
    ignore_index
        A class number whose samples count for nothing.
    label_smoothing
        ε: mix the target with the uniform distribution, (1 − ε)·target + ε/C.

    Raises
    ------
    ValueError
        If the shapes do not match, or a class number is outside 0 … C − 1.
    """
    axis = 1 if input.ndim > 1 else 0
    classes = input.shape[axis]
    labels = target.data if isinstance(target, Tensor) else target
    per_class = (-1,) + (1,) * (input.ndim - axis - 1)
    w = 1.0 if weight is None else ops.reshape(weight, per_class)
    if "int" in str(labels.dtype):
        hot, counted = _hot_targets(input, labels, axis, classes, ignore_index)
        total = ops.sum(hot * w) if weight is not None else counted
    else:
        _same_shape("cross_entropy with probabilities as target", input, target)
        hot, total = target, input.numel() // classes
    if label_smoothing:
        any_class = ops.sum(hot, axis=axis, keepdims=True)
        hot = (1 - label_smoothing) * hot + label_smoothing / classes * any_class
    t = hot if weight is None else hot * w
    loss, _ = ops.softmax_cross_entropy(input, t, axis=axis)
    if reduction == "mean":
        return ops.sum(loss) / total
    return _reduce(ops.squeeze(loss, axis), reduction)


def _hot_targets(
    input: Any, labels: Any, axis: int, classes: int, ignore_index: int
) -> tuple[Any, int]:
    """Class numbers as a distribution along ``axis``, and how many of them count."""
    shape = (*input.shape[:axis], *input.shape[axis + 1 :])
    if tuple(labels.shape) != tuple(shape):
        raise ValueError(
            f"cross_entropy of logits {tuple(input.shape)} needs class numbers of shape {shape}; "
            f"got {tuple(labels.shape)}. Drop the extra axis: target.reshape({shape})."
        )
    xp = namespace(labels)
    inside = (labels >= 0) & (labels < classes)
    ignored = labels == ignore_index
    if not bool(xp.all(inside | ignored)):
        raise ValueError(
            f"cross_entropy of {classes} classes needs class numbers from 0 to {classes - 1}; "
            f"found some from {int(xp.min(labels))} to {int(xp.max(labels))}. Renumber the "
            "classes, or widen the last layer."
        )
    raw = input.data if isinstance(input, Tensor) else input
    hot = xp.expand_dims(labels, axis=axis) == xp.reshape(
        backend.arange(classes, like=labels), (-1,) + (1,) * (input.ndim - axis - 1)
    )
    counted = int(xp.sum(xp.astype(inside & ~ignored, labels.dtype)))
    return xp.astype(hot & xp.expand_dims(~ignored, axis=axis), raw.dtype), counted
