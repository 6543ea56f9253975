"""Losses of distributions: against class numbers, and against one another."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.nn.losses.reduction import reduce, same_shape, weighted_mean
from minigrad.ops.activations import log1pexp
from minigrad.ops.losses import bernoulli_cross_entropy
from minigrad.tensor import Tensor

# ── class numbers ────────────────────────────────────────────────────────────────────────────────


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
    shape = input.shape
    axis = _class_axis("cross_entropy", shape)
    w = None if weight is None else _class_weights("cross_entropy", weight, shape, axis)
    counted: Any
    uniform: Any = 1.0
    if backend.is_integer(target.dtype):
        t, counted = class_targets("cross_entropy", input, target, axis, ignore_index)
        if label_smoothing:
            uniform = ops.sum(t, axis=axis, keepdims=True)  # 0 where ignored
        counted = counted if w is None else ops.sum(ops.mul(t, w))
    else:
        same_shape("cross_entropy with probabilities as target", input, target)
        t, counted = target, math.prod(shape) // shape[axis]
    if label_smoothing:
        t = ops.add(
            ops.mul(1 - label_smoothing, t), ops.mul(label_smoothing / shape[axis], uniform)
        )
    if w is not None:
        t = ops.mul(t, w)
    if reduction not in ("mean", "sum"):
        loss, _ = ops.softmax_cross_entropy(input, t, axis=axis)
        return reduce(ops.squeeze(loss, axis), reduction)
    alike = reduction == "mean" and isinstance(counted, int) and counted > 0
    if alike:  # every sample counts the same: divide the constant, not what is recorded
        t = t / counted
    loss, _ = ops.softmax_cross_entropy(input, t, axis=axis, total=True)
    return loss if alike or reduction == "sum" else weighted_mean(loss, counted)


def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Any:
    """−input[target], from log-probabilities; arguments as in `cross_entropy`."""
    axis = _class_axis("nll_loss", input.shape)
    if not backend.is_integer(target.dtype):
        raise TypeError(
            f"nll_loss needs class numbers, which are integers; got {target.dtype}. "
            "Convert them: target.long()."
        )
    w = None if weight is None else _class_weights("nll_loss", weight, input.shape, axis)
    t, counted = class_targets("nll_loss", input, target, axis, ignore_index)
    picked = ops.where(t != 0, input, 0.0)  # not t·input: 0·(−∞) is no number
    loss = -ops.sum(picked if w is None else ops.mul(picked, w), axis=axis)
    if reduction == "mean":
        total = counted if w is None else ops.sum(ops.mul(t, w))
        return weighted_mean(ops.sum(loss), total)
    return reduce(loss, reduction)


def _class_axis(name: str, shape: tuple[int, ...]) -> int:
    """Where the classes are: axis 1 of a batch, the only one of a single sample."""
    if not shape:
        raise ValueError(
            f"{name} needs inputs of shape (N, C, …) or (C,); got (). Add the classes."
        )
    return 1 if len(shape) > 1 else 0


def _class_weights(name: str, weight: Any, shape: tuple[int, ...], axis: int) -> Any:
    """The factor per class, shaped to stand along ``axis``."""
    if tuple(weight.shape) != (shape[axis],):
        raise ValueError(
            f"{name} needs one weight for each of {shape[axis]} classes; got shape "
            f"{tuple(weight.shape)}. Give a tensor of shape ({shape[axis]},)."
        )
    return ops.reshape(weight, (-1,) + (1,) * (len(shape) - axis - 1))


def class_targets(
    name: str, input: Any, target: Any, axis: int, ignore_index: int
) -> tuple[Any, int]:
    """Class numbers as a distribution along ``axis``, and how many of them count."""
    labels = target.data if isinstance(target, Tensor) else target
    shape, dtype = input.shape, input.dtype
    wanted, classes = (*shape[:axis], *shape[axis + 1 :]), shape[axis]
    if labels.shape != wanted:
        raise ValueError(
            f"{name} of inputs {tuple(shape)} needs class numbers of shape {wanted}; "
            f"got {tuple(labels.shape)}. Drop the extra axis: target.reshape({wanted})."
        )
    xp = namespace(labels)
    if xp is not np and labels.dtype != xp.int64:  # only NumPy compares all integers with all
        labels = xp.astype(labels, xp.int64)
    hot = backend.one_hot(labels, classes, axis, dtype)
    if hot is not None and not 0 <= ignore_index < classes:
        return hot, labels.size
    ignored = labels == ignore_index
    found = xp.where(ignored, xp.zeros_like(labels), labels)
    hot = backend.one_hot(found, classes, axis, dtype)
    if hot is None:
        raise ValueError(
            f"{name} of {classes} classes needs class numbers from 0 to {classes - 1}; "
            f"found some from {int(xp.min(found))} to {int(xp.max(found))}. Renumber the "
            "classes, or widen the last layer."
        )
    counted = ~ignored
    hot = hot * xp.expand_dims(backend.cast(counted, dtype), axis=axis)
    return hot, int(xp.count_nonzero(counted))


# ── two classes ──────────────────────────────────────────────────────────────────────────────────


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean"
) -> Any:
    """−t·ln p − (1 − t)·ln(1 − p) for probabilities p = input; ``weight`` is a factor per entry."""
    same_shape("binary_cross_entropy", input, target)
    raw = input.data if isinstance(input, Tensor) else input
    if not bool(namespace(raw).all((raw >= 0) & (raw <= 1))):
        raise ValueError(
            "binary_cross_entropy needs probabilities, from 0 to 1; found others. Apply sigmoid "
            "first, or better use binary_cross_entropy_with_logits."
        )
    loss = bernoulli_cross_entropy(input, target)
    return reduce(loss if weight is None else ops.mul(loss, weight), reduction)


def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    reduction: str = "mean",
    pos_weight: Any = None,
) -> Any:
    """(1 − t)·x + (1 + (w − 1)·t)·ln(1 + e⁻ˣ): `binary_cross_entropy` of sigmoid x, exact.

    ``pos_weight``, w, is what an error on the positive class costs; it broadcasts to the inputs.
    """
    same_shape("binary_cross_entropy_with_logits", input, target)
    softplus = log1pexp(ops.neg(input))
    if pos_weight is not None:
        softplus = ops.mul(ops.add(1, ops.mul(ops.sub(pos_weight, 1), target)), softplus)
    loss = ops.add(ops.mul(ops.sub(1, target), input), softplus)
    return reduce(loss if weight is None else ops.mul(loss, weight), reduction)


# ── distributions ────────────────────────────────────────────────────────────────────────────────


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Any:
    """t·(ln t − input), the divergence of t = target from the distribution with log ``input``.

    ``reduction="batchmean"`` divides the sum by the size of the first axis: that is the divergence
    itself; "mean" divides by the number of entries. With ``log_target`` the target is ln t.
    """
    same_shape("kl_div", input, target)
    if log_target:
        loss = ops.mul(ops.exp(target), ops.sub(target, input))
    else:
        log_t = ops.log(ops.where(ops.eq(target, 0), 1.0, target))  # 0·ln 0 = 0
        loss = ops.sub(ops.mul(target, log_t), ops.mul(target, input))
    if reduction == "batchmean":
        return ops.sum(loss) / (input.shape[0] if input.ndim else 1)
    return reduce(loss, reduction)
