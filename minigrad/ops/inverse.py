"""Inverses and determinants of square matrices, and distances between points."""

from __future__ import annotations

from typing import Any, NamedTuple

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.contraction import tensordot
from minigrad.ops.linear_algebra import matmul
from minigrad.ops.reductions import norm
from minigrad.ops.shape import matrix_transpose, reshape, roll, tril, triu, unsqueeze


@primitive
def inverse(x: Array) -> Array:
    """out = x⁻¹ of each matrix (…, n, n)."""
    return namespace(x).linalg.inv(x)


inverse.vjp(x=lambda g, out: -matmul(matmul(out.mT, g), out.mT))


@primitive
def det(x: Array) -> Array:
    """out = det x of each matrix (…, n, n); its slope is computed where x has an inverse."""
    return namespace(x).linalg.det(x)


det.vjp(x=lambda g, x, out: _per_matrix(g * out) * matrix_transpose(inverse(x)))


@primitive(outputs=("sign", "log"))
def _slogdet(x: Array) -> tuple[Array, Array]:
    sign, log = namespace(x).linalg.slogdet(x)
    return sign, log


_slogdet.vjp(x={"log": lambda g, x: _per_matrix(g) * matrix_transpose(inverse(x))})


def _per_matrix(g: Any) -> Any:
    """One number for each matrix, against its entries."""
    return reshape(g, (*g.shape, 1, 1))


class SignAndLog(NamedTuple):
    """A determinant in two parts, which cannot overflow."""

    sign: Any
    logabsdet: Any


def slogdet(x: Any) -> SignAndLog:
    """(sign, ln |det x|) of each matrix."""
    return SignAndLog(*_slogdet(x))


def logdet(x: Any) -> Any:
    """ln det x of each matrix, whose determinant must be positive."""
    return slogdet(x).logabsdet


@primitive
def _solve(a: Array, b: Array) -> Array:
    return namespace(a).linalg.solve(a, b)


_solve.vjp(
    a=lambda g, a, out: -matmul(_solve(matrix_transpose(a), g), matrix_transpose(out)),
    b=lambda g, a: _solve(matrix_transpose(a), g),
)


def solve(a: Any, b: Any) -> Any:
    """The x of a x = b, for a (…, n, n) and b (n,) or (…, n, k)."""
    if b.ndim > 1:
        return _solve(a, b)
    return reshape(_solve(a, reshape(b, (-1, 1))), tuple(a.shape[:-1]))


def matrix_power(x: Any, n: int) -> Any:
    """x multiplied ``n`` times with itself, by squaring; negative powers are those of x⁻¹."""
    if n < 0:
        return matrix_power(inverse(x), -n)
    if n == 0:
        return tril(triu(0 * x + 1))
    half = matrix_power(x, n // 2) if n > 1 else None
    square = x if half is None else matmul(half, half)
    return matmul(square, x) if n > 1 and n % 2 else square


# ── products and distances in space ──────────────────────────────────────────────────────────────


def inner(x: Any, y: Any) -> Any:
    """Σ x y over the last axis of both, for all pairs of the others."""
    if x.ndim == 0 or y.ndim == 0:
        return x * y
    return tensordot(x, y, ([x.ndim - 1], [y.ndim - 1]))


def cross(x: Any, y: Any, dim: int = -1) -> Any:
    """The vector product x × y along an axis of 3."""
    if x.shape[dim] != 3 or y.shape[dim] != 3:  # noqa: PLR2004 - space
        raise ValueError(
            f"cross needs axes of 3 along dim {dim}; got shapes {tuple(x.shape)} and "
            f"{tuple(y.shape)}. Name the axis of the coordinates."
        )
    (x1, x2), (y1, y2) = ((roll(v, -1, dim), roll(v, -2, dim)) for v in (x, y))
    return x1 * y2 - x2 * y1


def dist(x: Any, y: Any, p: float = 2) -> Any:
    """‖x − y‖ₚ over all entries."""
    return norm(x - y, p)


def cdist(x1: Any, x2: Any, p: float = 2) -> Any:
    """out[…, i, j] = ‖x₁[…, i] − x₂[…, j]‖ₚ, for points (…, P, D) and (…, R, D): (…, P, R)."""
    return norm(unsqueeze(x1, -2) - unsqueeze(x2, -3), p, -1)
