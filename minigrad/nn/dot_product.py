"""Scaled dot-product attention and its masks: what every kind of attention is made of."""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.nn.dropout import dropout
from minigrad.tensor import Tensor

# ── masks ────────────────────────────────────────────────────────────────────────────────────────
# Two kinds reach the scores: where attention is allowed (raw arrays of truth values, which join by
# "and"), and what is added (Tensors, which may learn). −∞ in the second is moved to the first, so
# that a query that may attend to nothing gets zeros; −∞ − (−∞) would give it NaN.


def lift(x: Any) -> Tensor:
    """``x`` as a Tensor."""
    return x if isinstance(x, Tensor) else Tensor(x)


def is_bool(mask: Tensor) -> bool:
    """Whether a mask holds truth values, not numbers to add."""
    return "bool" in str(mask.dtype)


def both(x: Any, y: Any) -> Any:
    """The one of two conditions that is given, or their "and"."""
    return y if x is None else x if y is None else x & y


def split(mask: Tensor) -> tuple[Any, Tensor]:
    """An added mask as (where it is not −∞, the same with 0 in place of −∞)."""
    allowed = mask.data > -math.inf
    return allowed, ops.where(allowed, mask, 0.0)


def _causal(length: int, sources: int, like: Any) -> Any:
    """(L, S): query i may attend to the keys 0 … i."""
    xp = namespace(like)
    queries = xp.reshape(backend.arange(length, like=like), (-1, 1))
    return queries >= xp.reshape(backend.arange(sources, like=like), (1, -1))


def attend(
    query: Any, key: Any, value: Any, allowed: Any, added: Any, dropout_p: float, scale: float
) -> tuple[Any, Any]:
    """softmax(scale·q·kᵀ + added)·v over what is allowed, and the weights that v met."""
    scores = ops.matmul(query * scale, ops.transpose(key, -2, -1))  # (…, L, S)
    if added is not None:
        scores = scores + added
    some = None
    if allowed is not None:
        xp = namespace(allowed)
        some = xp.any(allowed, axis=-1, keepdims=True)
        scores = ops.where(allowed | ~some, scores, -math.inf)
    weights = ops.softmax(scores, -1)
    if some is not None:
        weights = ops.where(some, weights, 0.0)
    if dropout_p:
        weights = dropout(weights, dropout_p, True)
    return ops.matmul(weights, value), weights


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
) -> Any:
    """softmax(q·kᵀ/√E + mask)·v: each query's mean of the values, weighted by how keys match it.

    Parameters
    ----------
    query, key, value
        (…, L, E), (…, S, E) and (…, S, V); the answer is (…, L, V).
    attn_mask
        Broadcastable to (…, L, S): truth values, True where attention is allowed (the opposite of
        `MultiheadAttention`); or numbers to add to the scores. A query that may attend to nothing
        gets zeros.
    dropout_p
        The probability of dropping a weight; always applied, so pass 0 in evaluation.
    is_causal
        Let query i attend to the keys 0 … i only.
    scale
        In place of 1/√E, which keeps the scores' variance at 1 for entries of variance 1.

    Raises
    ------
    ValueError
        If the shapes do not fit, or both a mask and ``is_causal`` are given.

    Source: Vaswani et al. 2017, equation 1.
    """
    query, key, value = lift(query), lift(key), lift(value)
    shapes = f"query {query.shape}, key {key.shape} and value {value.shape}"
    if min(query.ndim, key.ndim, value.ndim) < 2:  # noqa: PLR2004 - positions, features
        raise ValueError(
            f"scaled_dot_product_attention needs (…, positions, features); got {shapes}. "
            "Add the missing axes: x.unsqueeze(0)."
        )
    if query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ValueError(
            "scaled_dot_product_attention needs query and key of one number of features, and key "
            f"and value of one length; got {shapes}. Project or cut them to match."
        )
    length, sources = query.shape[-2], key.shape[-2]
    allowed = added = None
    if attn_mask is not None:
        if is_causal:
            raise ValueError(
                "scaled_dot_product_attention takes attn_mask or is_causal=True; got both. "
                "Build the causal part into the mask: mask & mg.ones(L, S).tril().to(bool)."
            )
        mask = lift(attn_mask)
        fits = all(m in (1, n) for m, n in zip(mask.shape[-2:], (length, sources), strict=False))
        if not fits:
            raise ValueError(
                "scaled_dot_product_attention needs an attn_mask that broadcasts to (…, "
                f"{length}, {sources}); got {mask.shape}. Give its last axes the lengths of query "
                "and key."
            )
        allowed, added = (mask.data, None) if is_bool(mask) else split(mask)
    elif is_causal:
        allowed = _causal(length, sources, query.data)
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return attend(query, key, value, allowed, added, dropout_p, factor)[0]
