"""Sums of products over named indices: einsum and tensordot, by way of one matrix product."""

from __future__ import annotations

import math
from typing import Any

from minigrad.ops.indexing import getitem
from minigrad.ops.linear_algebra import matmul
from minigrad.ops.reductions import sum_over
from minigrad.ops.shape import axis_of, broadcast_to, permute, reshape


def einsum(equation: str, *operands: Any) -> Any:
    """The sum of products that ``equation`` names, such as "bij,bjk->bik".

    Indices that are in several operands are multiplied, those that are not in the result are
    summed; ``...`` stands for leading axes that broadcast. Without ``->`` the result has the
    indices that appear once, in alphabetical order.
    """
    xs = list(operands[0]) if len(operands) == 1 and isinstance(operands[0], list) else operands
    terms, result = _parse(equation, [x.ndim for x in xs], [tuple(x.shape) for x in xs])
    sizes: dict[str, int] = {}
    for term, x in zip(terms, xs, strict=True):
        for index, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(index, n) not in (n, 1) and n != 1:
                raise ValueError(
                    f"einsum {equation!r} gives index {index!r} two sizes: {sizes[index]} and {n}. "
                    "Give the axes different letters, or mend the shapes."
                )
            sizes[index] = sizes[index] if n == 1 else n
    pairs = [_diagonal(term, x) for term, x in zip(terms, xs, strict=True)]
    term, x = pairs[0]
    for i, (other, y) in enumerate(pairs[1:], start=1):
        later = set(result).union(*(t for t, _ in pairs[i + 1 :]))
        term, x = _contract(term, x, other, y, later, sizes)
    return _arrange(term, x, result, sizes)


def _parse(equation: str, ndims: list[int], shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """The indices of each operand and of the result, with Greek letters for the axes of ``...``."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    letters = left.replace(",", "").replace("...", "")
    if len(terms) != len(ndims) or not (letters + right.replace("...", "") + "a").isalpha():
        raise ValueError(
            f"einsum {equation!r} names {len(terms)} operands by letters; got {len(ndims)} of "
            f"shapes {shapes}. Give each one group of letters."
        )
    free = [chr(c) for c in range(0x3B1, 0x3C9)]  # Greek letters, which no equation uses
    widest = max(
        (n - len(t) + 3 for t, n in zip(terms, ndims, strict=True) if "..." in t), default=0
    )
    dots = "".join(free[:widest])
    full: list[str] = []
    for term, n in zip(terms, ndims, strict=True):
        k = n - len(term) + 3
        named = term.replace("...", dots[widest - k :] if "..." in term else "")
        if len(named) != n:
            raise ValueError(
                f"einsum {equation!r} gives {len(term)} indices to an operand of shape "
                f"{shapes[len(full)]}. Name every axis, or write ... for the leading ones."
            )
        full.append(named)
    if arrow:
        return full, right.replace("...", dots)
    once = sorted(c for c in set(letters) if letters.count(c) == 1)
    return full, dots + "".join(once)


def _diagonal(term: str, x: Any) -> tuple[str, Any]:
    """An index named twice in one operand walks its diagonal."""
    for index in dict.fromkeys(term):
        while term.count(index) > 1:
            i, j = term.index(index), term.rindex(index)
            n = x.shape[i]
            axes = [a for a in range(x.ndim) if a not in (i, j)]
            rows = reshape(permute(x, (*axes, i, j)), (*(x.shape[a] for a in axes), n * n))
            x = getitem(rows, (..., slice(None, None, n + 1)))
            term = "".join(term[a] for a in axes) + index
    return term, x


def _contract(
    left: str, x: Any, right: str, y: Any, later: set[str], sizes: dict[str, int]
) -> tuple[str, Any]:
    """The product of two operands, summed over what nothing later needs: one batched matmul."""
    left, x = _sum_out(left, x, later | set(right))
    right, y = _sum_out(right, y, later | set(left))
    both = [c for c in left if c in right]
    batch = "".join(c for c in both if c in later)
    summed = "".join(c for c in both if c not in later)
    rows = "".join(c for c in left if c not in right)
    columns = "".join(c for c in right if c not in left)

    def sides(term: str, t: Any, *groups: str) -> Any:
        t = _arrange(term, t, "".join(groups), sizes)
        shape = [sizes[c] for c in groups[0]]
        return reshape(t, (*shape, *(math.prod(sizes[c] for c in g) for g in groups[1:])))

    product = matmul(sides(left, x, batch, rows, summed), sides(right, y, batch, summed, columns))
    term = batch + rows + columns
    return term, reshape(product, tuple(sizes[c] for c in term))


def _sum_out(term: str, x: Any, needed: set[str]) -> tuple[str, Any]:
    axes = tuple(a for a, c in enumerate(term) if c not in needed)
    if axes:
        x = sum_over(x, axis=axes, keepdims=False)
    return "".join(c for c in term if c in needed), x


def _arrange(term: str, x: Any, wanted: str, sizes: dict[str, int]) -> Any:
    """``x`` with its axes in the wanted order, summed over the others, stretched to full size."""
    term, x = _sum_out(term, x, set(wanted))
    x = permute(x, tuple(term.index(c) for c in wanted))
    shape = tuple(sizes[c] for c in wanted)
    return x if tuple(x.shape) == shape else broadcast_to(x, shape)


def tensordot(x: Any, y: Any, dims: Any = 2) -> Any:
    """Σ over the last ``dims`` axes of x and the first of y, or over two lists of axes."""
    if isinstance(dims, int):
        dims = (list(range(x.ndim - dims, x.ndim)), list(range(dims)))
    left = [axis_of(a, x.ndim) for a in dims[0]]
    right = [axis_of(a, y.ndim) for a in dims[1]]
    rows = [a for a in range(x.ndim) if a not in left]
    columns = [a for a in range(y.ndim) if a not in right]
    for a, b in zip(left, right, strict=False):  # a single entry broadcasts against any number
        if x.shape[a] != y.shape[b] and 1 in (x.shape[a], y.shape[b]):
            x, y = (sum_over(v, axis=i, keepdims=True) for v, i in ((x, a), (y, b)))
    if [x.shape[a] for a in left] != [y.shape[a] for a in right]:
        raise ValueError(
            f"tensordot over axes {left} and {right} needs equal sizes there; got shapes "
            f"{tuple(x.shape)} and {tuple(y.shape)}. Name matching axes."
        )
    n = math.prod(x.shape[a] for a in left)
    a = reshape(permute(x, (*rows, *left)), (math.prod(x.shape[i] for i in rows), n))
    b = reshape(permute(y, (*right, *columns)), (n, math.prod(y.shape[i] for i in columns)))
    shape = (*(x.shape[i] for i in rows), *(y.shape[i] for i in columns))
    return reshape(matmul(a, b), shape)
