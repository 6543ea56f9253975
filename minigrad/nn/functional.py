"""Layers and losses as functions, under PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.nn.dot_product import scaled_dot_product_attention
from minigrad.nn.dropout import dropout, dropout1d, dropout2d
from minigrad.nn.losses.classification import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    kl_div,
    nll_loss,
)
from minigrad.nn.losses.likelihoods import gaussian_nll_loss, poisson_nll_loss
from minigrad.nn.losses.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_soft_margin_loss,
    pairwise_distance,
    soft_margin_loss,
    triplet_margin_loss,
)
from minigrad.nn.losses.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from minigrad.nn.normalizing import batch_norm, group_norm, instance_norm, layer_norm, rms_norm
from minigrad.ops import activations, sigmoid, tanh
from minigrad.ops.activations import logsigmoid
from minigrad.ops.convolution import conv1d, conv2d
from minigrad.ops.embedding import take_rows
from minigrad.ops.padding import pad
from minigrad.ops.patches import fold, unfold
from minigrad.ops.pooling import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    avg_pool1d,
    avg_pool2d,
    max_pool1d,
    max_pool2d,
)
from minigrad.ops.rectifiers import (
    celu,
    glu,
    gumbel_softmax,
    hardshrink,
    hardsigmoid,
    hardswish,
    mish,
    prelu,
    relu6,
    rrelu,
    selu,
    softmin,
    softshrink,
    softsign,
    tanhshrink,
    threshold,
)
from minigrad.ops.resampling import interpolate, pixel_shuffle, pixel_unshuffle
from minigrad.tensor import Tensor

# fmt: off
__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "avg_pool1d", "avg_pool2d", "batch_norm",
    "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "conv1d",
    "conv2d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "dropout",
    "dropout1d", "dropout2d", "elu", "embedding", "fold", "gaussian_nll_loss", "gelu", "glu",
    "group_norm", "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh",
    "hinge_embedding_loss", "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss",
    "layer_norm", "leaky_relu", "linear", "log_softmax", "logsigmoid", "margin_ranking_loss",
    "max_pool1d", "max_pool2d", "mish", "mse_loss", "multi_margin_loss",
    "multilabel_soft_margin_loss", "nll_loss", "normalize", "one_hot", "pad",
    "pairwise_distance", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss", "prelu",
    "relu", "relu6", "rms_norm", "rrelu", "scaled_dot_product_attention", "selu", "sigmoid",
    "silu", "smooth_l1_loss", "soft_margin_loss", "softmax", "softmin", "softplus",
    "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "triplet_margin_loss",
    "unfold",
]
# fmt: on


# ── activations: the operations, with PyTorch's names for their arguments ────────────────────────
# ``inplace`` is understood for the sake of scripts written for PyTorch; the result is a new tensor.


def relu(input: Any, inplace: bool = False) -> Any:
    """max(x, 0)."""
    return ops.relu(input)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """x where x > 0, else slope·x."""
    return activations.leaky_relu(input, negative_slope)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """x where x > 0, else α(eˣ − 1)."""
    return activations.elu(input, alpha)


def gelu(input: Any, approximate: str = "none") -> Any:
    """x·Φ(x), exactly or with ``approximate="tanh"``."""
    return activations.gelu(input, approximate)


def silu(input: Any, inplace: bool = False) -> Any:
    """x·σ(x)."""
    return activations.silu(input)


def softplus(input: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    """ln(1 + e^βx)/β, and x itself where βx > threshold."""
    return activations.softplus(input, beta, threshold)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """x kept between two values, flat at both."""
    return activations.hardtanh(input, min_val, max_val)


def softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """eˣ / Σ eˣ along ``dim``, in ``dtype`` if it is given."""
    return ops.softmax(input, dim, dtype=dtype)


def log_softmax(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """x − ln Σ eˣ along ``dim``, in ``dtype`` if it is given."""
    return ops.log_softmax(input, dim, dtype=dtype)


# ── linear maps and tables ───────────────────────────────────────────────────────────────────────


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """x wᵀ + b, for x of shape (…, in), weight (out, in) and bias (out,); or weight (in,) alone."""
    if weight.ndim == 1 and bias is None:
        return ops.matmul(input, weight)
    if weight.ndim != 2:  # noqa: PLR2004 - outputs and inputs
        raise ValueError(
            f"linear needs a weight of shape (out, in); got {tuple(weight.shape)}. "
            "Use matmul for stacks of matrices."
        )
    return ops.linear(input, weight) if bias is None else ops.linear(input, weight, bias)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """out[…, o] = Σ x₁[…, i] W[o, i, j] x₂[…, j] + b[o]."""
    out = ops.einsum("...i,oij,...j->...o", input1, weight, input2)
    return out if bias is None else out + bias


def one_hot(tensor: Any, num_classes: int = -1) -> Tensor:
    """Integers (…) as rows (…, num_classes) with a single 1; −1 stands for the largest + 1."""
    raw = tensor.data if isinstance(tensor, Tensor) else tensor
    xp = namespace(raw)
    classes = num_classes
    if num_classes == -1:
        classes = max(int(xp.max(raw)) + 1, 0) if math.prod(raw.shape) else 0
    hot = backend.one_hot(raw, classes, raw.ndim, xp.int64)
    if hot is None:
        raise ValueError(
            f"one_hot needs class numbers from 0 to num_classes − 1 = {classes - 1}; found some "
            f"from {int(xp.min(raw))} to {int(xp.max(raw))}. Renumber them, or widen num_classes."
        )
    return Tensor(hot)


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of ``weight`` (V, D) at the integers ``input`` (…): (…, D).

    The row ``padding_idx`` is looked up like any other, but gets no gradient.
    """
    index = input.data if isinstance(input, Tensor) else input
    if weight.ndim != 2:  # noqa: PLR2004 - rows and their entries
        raise ValueError(
            f"embedding needs a table of shape (V, D); got {tuple(weight.shape)}. "
            "Look up rows of other shapes by indexing: weight[index]."
        )
    rows = weight.shape[0]
    if not backend.is_integer(index.dtype):
        raise TypeError(
            f"embedding needs integers to look up; got {index.dtype}. Convert them: x.long()."
        )
    xp = namespace(index)
    if math.prod(index.shape) and not 0 <= int(xp.min(index)) <= int(xp.max(index)) < rows:
        raise IndexError(
            f"embedding of {rows} rows needs integers from 0 to {rows - 1}; found some from "
            f"{int(xp.min(index))} to {int(xp.max(index))}. Set num_embeddings to their number."
        )
    out = take_rows(weight, index=index)
    if padding_idx is None:
        return out
    padded = xp.expand_dims(index == padding_idx % rows, axis=-1)
    return ops.where(padded, out.detach() if isinstance(out, Tensor) else out, out)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Any:
    """x / max(‖x‖ₚ, ε) along ``dim``."""
    return input / ops.clamp(ops.norm(input, p, dim, True), min=eps)


def cosine_similarity(x1: Any, x2: Any, dim: int = 1, eps: float = 1e-8) -> Any:
    """x₁·x₂ / (max(‖x₁‖, ε)·max(‖x₂‖, ε)) along ``dim``."""
    if tuple(x1.shape) != tuple(x2.shape):  # or an axis of one entry has the norm of that one
        shape = np.broadcast_shapes(x1.shape, x2.shape)
        x1, x2 = (ops.broadcast_to(x, shape) for x in (x1, x2))
    norms = [ops.clamp(ops.norm(x, 2, dim, True), min=eps) for x in (x1, x2)]
    return ops.sum((x1 / norms[0]) * (x2 / norms[1]), dim)
