"""The factors of a product of Jacobians, laid on the arrows that the gradient passes backwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from minigrad.drawing.graph import Edge, Picture, Vertex, path
from minigrad.drawing.quantities import number

if TYPE_CHECKING:
    from minigrad.products import BackpropProduct, Scaling

ELEMENTWISE = frozenset({"tanh", "sigmoid", "exp", "erf", "clamp", "abs", "square", "sqrt"})
SIGNS = {"linear": "Wᵀ", "matmul": "Wᵀ", "relu": "diag(z > 0)"}
PROJECTION = "P takes out the mean and what lies along ẑ."


def lay(picture: Picture, product: BackpropProduct) -> Picture:
    """``picture`` with each factor on the arrow into its module, and the product's norm under it.

    Raises
    ------
    ValueError
        If none of the product's modules is on the picture.
    """
    inside = _modules(picture.vertices, [name for name, _ in product.factors])
    if not inside:
        paths = ", ".join(repr(name) for name, _ in product.factors[:3])
        raise ValueError(
            f"draw(product=…) lays factors on the modules {paths} …; found none of them under y. "
            "Draw the result of the model that the product is of: "
            "draw(model(x), product=backprop_product(model, x))."
        )
    edges = list(picture.edges)
    signs = []
    for name, factor in product.factors:
        if name in inside and (place := _entry(edges, inside[name], picture.vertices)) is not None:
            signs.append(_sign(inside[name], product.scaling))
            norm = float(np.linalg.norm(factor, 2))
            edges[place] = replace(edges[place], factor=signs[-1], norm=norm)
    total = f"log₂ of the norm of the product: {number(float(product.log_norms[-1]), 3)}."
    projected = PROJECTION if any("P" in sign for sign in signs) else ""
    parts = (picture.caption, f"Jacobians, scaling {product.scaling}; {total}", projected)
    return replace(picture, edges=tuple(edges), caption=" ".join(filter(None, parts)))


def _modules(vertices: Sequence[Vertex], paths: Sequence[str]) -> Mapping[str, list[Vertex]]:
    """The vertices of each module's first call, where the model may itself be inside another."""
    found: dict[str, list[Vertex]] = {}
    around = {path(v.scope[:depth]) for v in vertices for depth in range(len(v.scope))}
    for prefix in sorted(f"{outer}." if outer else "" for outer in {"", *around}):
        groups = {name: _of_module(vertices, prefix + name) for name in paths}
        here = {name: group for name, group in groups.items() if group}
        found = here if len(here) > len(found) else found
    if not found and len(paths) == 1:  # a model without children goes by its class
        group = [v for v in vertices if any(kind == paths[0] for _, kind in v.scope)]
        return {paths[0]: group} if group else {}
    return found


def _of_module(vertices: Sequence[Vertex], name: str) -> list[Vertex]:
    return [v for v in vertices if not v.backward and f"{v.path}.".startswith(f"{name}.")]


def _entry(
    edges: Sequence[Edge], group: Sequence[Vertex], vertices: Sequence[Vertex]
) -> int | None:
    """The first arrow by which data come into a module."""
    inside = {v.id for v in group}
    data = {v.id for v in vertices if v.kind not in ("parameter", "constant")}
    for place, edge in enumerate(edges):
        if edge.target in inside and edge.source in data - inside and not edge.cut:
            return place
    return None


def _sign(group: Sequence[Vertex], scaling: Scaling) -> str:
    """What a gradient is multiplied by on its way back through a module, as a textbook says it."""
    operations = {v.operation for v in group if v.kind == "operation"}
    if operations and operations <= {"standardize", "normalize", "scale_shift"}:
        over = "γ/σ" if "scale_shift" in operations else "1/σ"
        left = {"none": "I", "frozen": f"diag({over})"}
        exact = f"P·diag({over})" if "standardize" in operations else f"diag({over})"
        return left.get(scaling, exact if operations != {"scale_shift"} else "J")
    if len(operations) != 1:
        return "J"
    (operation,) = operations
    return "diag(φ′)" if operation in ELEMENTWISE else SIGNS.get(operation, "J")
