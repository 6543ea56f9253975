"""One theorem for every normalization layer.

Batch, layer, group, instance and RMS normalization standardise the same way over different axes.
`standardize` is that operation; μ and σ are outputs of it, so they are part of the graph. The
learned γ and β live outside, in `scale_shift`, so that a product of Jacobians with and without
γ/σ differs by the rules of two operations and by nothing else.
"""

from __future__ import annotations

from typing import Any

from minigrad.backend import Array, added, mean, namespace
from minigrad.backend.sums import count
from minigrad.gradients import broadcast_to
from minigrad.operation import primitive
from minigrad.ops.elementwise import sqrt, square
from minigrad.ops.reductions import Shape, mean_over
from minigrad.tensor import Tensor


def _mean(x: Any, axis: Shape) -> Any:
    # Arrays need no record, and the operation would take longer to find that out.
    return mean_over(x, axis=axis, keepdims=True) if isinstance(x, Tensor) else mean(x, axis, True)


def _centred(x: Any, axis: Shape, center: bool) -> Any:
    return x - _mean(x, axis) if center else x


@primitive(outputs=("z", "mu", "sigma"))
def standardize(
    x: Array, *, axis: Shape, eps: float = 1e-5, center: bool = True
) -> tuple[Array, Array, Array]:
    """z = (x − μ)/σ with μ = mean x and σ² = mean (x − μ)² + ε over ``axis``.

    The backward rule of z removes from the upstream gradient its mean and its component along z:
    ∂L/∂x = (g − mean g − z·mean(g·z))/σ (Ioffe and Szegedy 2015; Ba, Kiros and Hinton 2016).
    Without ``center`` μ is 0, and so is mean g in the rule (Zhang and Sennrich 2019).
    """
    mu = mean(x, axis, True) if center else None
    centred = x - mu if center else x
    var = mean(centred * centred, axis, True)
    var += eps
    sigma = namespace(x).sqrt(var)
    if mu is None:
        return x / sigma, namespace(x).zeros_like(sigma), sigma
    centred /= sigma
    return centred, mu, sigma


standardize.vjp(
    x={
        "z": lambda g, z, sigma, axis, center: (
            (_centred(g, axis, center) - z * _mean(g * z, axis)) / sigma
        ),
        "mu": lambda g, z, axis, center: broadcast_to(
            int(center) * g / count(z.shape, axis), shape=z.shape
        ),
        "sigma": lambda g, z, axis: g * z / count(z.shape, axis),
    }
)


@primitive
def normalize(x: Array, mu: Array, sigma: Array) -> Array:
    """out = (x − μ)/σ with μ and σ given: what standardising is when the statistics are frozen."""
    return (x - mu) / sigma


normalize.vjp(
    x=lambda g, sigma: g / sigma,
    mu=lambda g, sigma: -g / sigma,
    sigma=lambda g, sigma, out: -g * out / sigma,
)


@primitive
def scale_shift(z: Array, gamma: Array, beta: Array | None = None) -> Array:
    """out = γ·z + β, the learned half of a normalization layer."""
    out = gamma * z
    return out if beta is None else added(out, beta)


scale_shift.vjp(
    z=lambda g, gamma: g * gamma,
    gamma=lambda g, z: g * z,
    beta=lambda g: g,
)


def standardize_composite(
    x: Any, axis: Shape, eps: float = 1e-5, center: bool = True
) -> tuple[Any, Any, Any]:
    """`standardize` built from primitives: ten nodes, the same numbers at every order."""
    centred = _centred(x, axis, center)
    sigma = sqrt(_mean(square(centred), axis) + eps)
    return centred / sigma, int(center) * _mean(x, axis), sigma
