"""Matrix products."""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend
from minigrad.backend import Array, added, namespace, product
from minigrad.operation import primitive
from minigrad.ops.indexing import getitem
from minigrad.ops.padding import pad
from minigrad.ops.reductions import sum_over
from minigrad.ops.shape import reshape


@primitive
def _matmul(x: Array, y: Array) -> Array:
    return namespace(x).matmul(x, y)


_matmul.vjp(
    x=lambda g, y: g @ y.mT,
    y=lambda g, x: x.mT @ g,
)


def matmul(x: Any, y: Any) -> Any:
    """out[…, i, k] = Σⱼ x[…, i, j] y[…, j, k]; a vector is a row left, a column right."""
    if x.ndim > 1 < y.ndim:
        return _matmul(x, y)
    if x.ndim == 0 or y.ndim == 0:
        raise ValueError(
            f"matmul needs at least one axis on both sides; got shapes {x.shape} and {y.shape}. "
            "Use * to scale."
        )
    row = reshape(x, (1, -1)) if x.ndim == 1 else x
    column = reshape(y, (-1, 1)) if y.ndim == 1 else y
    out = _matmul(row, column)
    shape = out.shape if x.ndim > 1 else (*out.shape[:-2], *out.shape[-1:])
    return reshape(out, shape if y.ndim > 1 else shape[:-1])


@primitive
def linear(x: Array, w: Array, b: Array | None = None) -> Array:
    """out = x wᵀ + b, for x of shape (…, in), w (out, in) and b (out,)."""
    out = product(_rows(x), w.mT)  # one, not one for each entry of the leading axes
    if x.ndim != 2:  # noqa: PLR2004
        out = backend.reshape(out, (*x.shape[:-1], w.shape[-2]))
    return out if b is None else added(out, b)


linear.vjp(
    x=lambda g, w: g @ w,
    w=lambda g, x: _rows(g).mT @ _rows(x),
    b=lambda g: g,
)


def _rows(x: Any) -> Any:
    """All leading axes as one: (…, D) as (N, D)."""
    if x.ndim == 2:  # noqa: PLR2004 - a matrix
        return x
    *leading, n = x.shape
    return reshape(x, (math.prod(leading), n))


def _needs_ndim(name: str, *wanted: tuple[Any, int]) -> None:
    """Refuse operands of another number of axes than the name promises."""
    if any(x.ndim != ndim for x, ndim in wanted):
        asked = " and ".join(f"{ndim}-d" for _, ndim in wanted)
        found = " and ".join(str(x.shape) for x, _ in wanted)
        raise ValueError(
            f"{name} needs {asked} operands; got shapes {found}. Use matmul for others."
        )


def mm(x: Any, y: Any) -> Any:
    """The product of two matrices."""
    _needs_ndim("mm", (x, 2), (y, 2))
    return _matmul(x, y)


def bmm(x: Any, y: Any) -> Any:
    """The products of two stacks of matrices."""
    _needs_ndim("bmm", (x, 3), (y, 3))
    if x.shape[0] != y.shape[0]:
        raise ValueError(
            f"bmm needs two stacks of as many matrices; got shapes {x.shape} and {y.shape}. "
            "Use matmul to broadcast."
        )
    return _matmul(x, y)


def mv(x: Any, y: Any) -> Any:
    """A matrix times a vector."""
    _needs_ndim("mv", (x, 2), (y, 1))
    return matmul(x, y)


def dot(x: Any, y: Any) -> Any:
    """Σ x y of two vectors."""
    _needs_ndim("dot", (x, 1), (y, 1))
    return matmul(x, y)


def addmm(x: Any, a: Any, b: Any, beta: float = 1, alpha: float = 1) -> Any:
    """out = beta·x + alpha·a b."""
    _needs_ndim("addmm", (a, 2), (b, 2))
    product = alpha * _matmul(a, b)
    out = beta * x + product
    if out.shape != product.shape:
        raise ValueError(
            f"addmm needs a first operand that broadcasts to the product's shape {product.shape}; "
            f"got {x.shape}. Reshape it, or add and broadcast with +."
        )
    return out


def diag(x: Any, diagonal: int = 0) -> Any:
    """A vector as a diagonal of a matrix, or a diagonal of a matrix as a vector.

    Diagonal k > 0 is the k-th above the main one, k < 0 the one so far below it.
    """
    right, down = max(diagonal, 0), max(-diagonal, 0)
    if x.ndim == 1:
        n = x.shape[0]
        main = reshape(pad(reshape(x, (n, 1)), (0, n)), (-1,))[: n * n].reshape((n, n))
        return pad(main, (right, down, down, right)) if diagonal else main
    _needs_ndim("diag", (x, 2))
    x = getitem(x, (slice(down, None), slice(right, None))) if diagonal else x
    n = min(x.shape)
    return getitem(reshape(x, (-1,)), slice(None, n * x.shape[1], x.shape[1] + 1))


def trace(x: Any) -> Any:
    """The sum of the diagonal of a matrix."""
    _needs_ndim("trace", (x, 2))
    return sum_over(diag(x), axis=None, keepdims=False)


def outer(x: Any, y: Any) -> Any:
    """out[i, j] = x[i] y[j] of two vectors."""
    _needs_ndim("outer", (x, 1), (y, 1))
    return reshape(x, (-1, 1)) * reshape(y, (1, -1))
