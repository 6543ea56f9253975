"""Linear algebra, under the names of ``torch.linalg``."""

from __future__ import annotations

from typing import Any

from minigrad.ops.inverse import cross, det, matrix_power, slogdet, solve
from minigrad.ops.inverse import inverse as inv
from minigrad.ops.linear_algebra import matmul
from minigrad.ops.reductions import norm as _norm
from minigrad.ops.scattering import diagonal

__all__ = [
    "cross",
    "det",
    "diagonal",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "multi_dot",
    "norm",
    "slogdet",
    "solve",
    "vector_norm",
]


def vector_norm(x: Any, ord: float = 2, dim: Any = None, keepdim: bool = False) -> Any:
    """(Σ |x|ᵖ)^(1/p) over ``dim``, with p = ``ord``."""
    return _norm(x, ord, dim, keepdim)


def norm(x: Any, ord: float | None = None, dim: Any = None, keepdim: bool = False) -> Any:
    """The 2-norm of all entries or over ``dim``; of another order, for vectors only."""
    if (
        ord is not None
        and (x.ndim if dim is None else len(dim) if isinstance(dim, tuple) else 1) > 1
    ):
        raise ValueError(
            f"norm of a matrix was asked for with ord={ord}, which needs singular values; they "
            "are not here. Use ord=None (Frobenius), or vector_norm for the entries."
        )
    return _norm(x, 2 if ord is None else ord, dim, keepdim)


def matrix_norm(x: Any, ord: str = "fro", dim: Any = (-2, -1), keepdim: bool = False) -> Any:
    """√Σ x² of each matrix, Frobenius's norm."""
    if ord != "fro":
        raise ValueError(f"matrix_norm knows ord='fro' only; got {ord!r}. Use that.")
    return _norm(x, 2, dim, keepdim)


def multi_dot(tensors: Any) -> Any:
    """The product of several matrices, from left to right."""
    product = tensors[0]
    for x in tensors[1:]:
        product = matmul(product, x)
    return product
