"""The fused half of the classification loss; the losses are in `minigrad.nn.functional`."""

from __future__ import annotations

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.elementwise import log
from minigrad.ops.reductions import sum_over


@primitive(outputs=("loss", "p"))
def softmax_cross_entropy(z: Array, t: Array, *, axis: int) -> tuple[Array, Array]:
    """loss = −Σ t·ln p with p = softmax z along ``axis``, t the target distribution.

    The backward rule is the difference p − t (where Σ t = 1).
    """
    xp = namespace(z)
    z = z - xp.max(z, axis=axis, keepdims=True)
    e = xp.exp(z)
    total = xp.sum(e, axis=axis, keepdims=True)
    loss = xp.sum(t * (xp.log(total) - z), axis=axis, keepdims=True)
    return loss, e / total


softmax_cross_entropy.vjp(
    z={
        "loss": lambda g, t, p, axis: g * (p * sum_over(t, axis=axis, keepdims=True) - t),
        "p": lambda g, p, axis: p * (g - sum_over(g * p, axis=axis, keepdims=True)),
    },
    t=lambda g, p: -g * log(p),
)
