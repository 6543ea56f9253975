"""One theorem for every normalization layer.

Batch, layer, group, instance and RMS normalization standardise the same way over different axes.
`standardize` is that operation; μ and σ are outputs of it, so they are part of the graph. The
learned γ and β live outside, in `scale_shift`, so that a product of Jacobians with and without
γ/σ differs by the rules of two operations and by nothing else.
"""

from __future__ import annotations

from typing import Any

from minigrad.backend import Array, namespace
from minigrad.engine import broadcast_to
from minigrad.operation import primitive
from minigrad.ops.elementwise import sqrt, square
from minigrad.ops.reductions import Shape, count, mean_over


def _mean(x: Any, axis: Shape) -> Any:
    return mean_over(x, axis=axis, keepdims=True)


@primitive(outputs=("z", "mu", "sigma"))
def standardize(x: Array, *, axis: Shape, eps: float = 1e-5) -> tuple[Array, Array, Array]:
    """z = (x − μ)/σ with μ = mean x and σ² = mean (x − μ)² + ε over ``axis``.

    The backward rule of z removes from the upstream gradient its mean and its component along z:
    ∂L/∂x = (g − mean g − z·mean(g·z))/σ (Ioffe and Szegedy 2015; Ba, Kiros and Hinton 2016).
    """
    xp = namespace(x)
    mu = xp.mean(x, axis=axis, keepdims=True)
    centred = x - mu
    sigma = xp.sqrt(xp.mean(centred * centred, axis=axis, keepdims=True) + eps)
    return centred / sigma, mu, sigma


standardize.vjp(
    x={
        "z": lambda g, z, sigma, axis: (g - _mean(g, axis) - z * _mean(g * z, axis)) / sigma,
        "mu": lambda g, axis, x_shape: broadcast_to(g / count(x_shape, axis), shape=x_shape),
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
def scale_shift(z: Array, gamma: Array, beta: Array) -> Array:
    """out = γ·z + β, the learned half of a normalization layer."""
    return gamma * z + beta


scale_shift.vjp(
    z=lambda g, gamma: g * gamma,
    gamma=lambda g, z: g * z,
    beta=lambda g: g,
)


def standardize_composite(x: Any, axis: Shape, eps: float = 1e-5) -> tuple[Any, Any, Any]:
    """`standardize` built from primitives: ten nodes, the same numbers at every order."""
    mu = _mean(x, axis)
    sigma = sqrt(_mean(square(x - mu), axis) + eps)
    return (x - mu) / sigma, mu, sigma
