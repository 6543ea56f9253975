"""The fused halves of the classification losses, which are in `minigrad.nn.functional`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.choosing import clamp
from minigrad.ops.elementwise import log
from minigrad.ops.reductions import sum_over
from minigrad.ops.softmax import log_softmax


@primitive(outputs=("loss", "p"))
def softmax_cross_entropy(
    z: Array, t: Array, *, axis: int, total: bool = False
) -> tuple[Array, Array]:
    """loss = −Σ t·ln p along ``axis``, or over all, with p = softmax z along ``axis``.

    t is the target distribution, or a multiple of it. The backward rule is the difference p − t
    (where Σ t = 1).
    """
    xp = namespace(z)
    z = z - backend.largest(z, axis)
    e = xp.exp(z)
    sums = backend.total(e, axis, keepdims=True)
    if not _is_finite(z):
        z = xp.where(t != 0, z, backend.zeros(z.shape, like=z))  # where t = 0 it may be −∞
    parts = t * (xp.log(sums) - z)
    loss = backend.total(parts, None) if total else backend.total(parts, axis, keepdims=True)
    e /= sums
    return loss, e


def _is_finite(z: Array) -> bool:
    """Whether z is known to hold no −∞: on the host its sum tells, for which a GPU would wait."""
    single = type(z) is np.ndarray and z.dtype.char in "fd"  # a sum of float16 could overflow
    return single and bool(backend.total(z, None) > -math.inf)


softmax_cross_entropy.vjp(
    z={
        "loss": lambda g, t, p, axis: g * (p * sum_over(t, axis=axis, keepdims=True) - t),
        "p": lambda g, p, axis: p * (g - sum_over(g * p, axis=axis, keepdims=True)),
    },
    t=lambda g, z, axis: -g * log_softmax(z, axis),  # finite where p has sunk to 0
)


_TINY = math.exp(-101)


@primitive
def bernoulli_cross_entropy(p: Array, t: Array) -> Array:
    """out = −t·ln p − (1 − t)·ln(1 − p), with logarithms of at least −100.

    So a sure mistake costs much and not everything; its slope is bounded alike.
    """
    xp = namespace(p)
    log_p, log_q = (xp.maximum(xp.log(xp.maximum(q, _TINY)), -100.0) for q in (p, 1 - p))
    return -t * log_p - (1 - t) * log_q


bernoulli_cross_entropy.vjp(
    p=lambda g, p, t: g * (p - t) / clamp(p * (1 - p), min=1e-12),
    t=lambda g, p: g * (_bounded_log(1 - p) - _bounded_log(p)),
)


def _bounded_log(q: Any) -> Any:
    return clamp(log(clamp(q, min=_TINY)), min=-100.0)
