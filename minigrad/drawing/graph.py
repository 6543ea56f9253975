"""The records that every drawing is made from: text only, no tensor, node or array in them.

An operation and its result are one vertex; further outputs of an operation (μ and σ beside ẑ)
are vertices of their own; modules are nested clusters. `minigrad.drawing.reading` makes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from minigrad.recording import Scope

Kind = Literal["parameter", "input", "constant", "operation", "output"]

State = Literal[
    "computed", "not computed", "needs no gradient", "no path", "not kept", "overwritten", "now"
]


@dataclass(frozen=True)
class Quantity:
    """A value or a gradient as a drawing shows it.

    ``state`` says whether there is one, and if not, why; it is never shown as 0. "now" is the
    value of a leaf that was written to since it was used, "no path" the gradient of a result that
    the root does not depend on, "not kept" a number that would take too long to compute again.
    """

    state: State
    text: str = ""

    def __str__(self) -> str:
        """The number, or why there is none."""
        return {"computed": self.text, "now": f"now {self.text}"}.get(self.state, self.state)


@dataclass(frozen=True)
class Vertex:
    """One box of a drawing.

    ``name`` is the tensor's own, ``sign`` what a textbook writes for it ("γ", "x Wᵀ + b"), and
    ``note`` a parameter worth reading ("axis 0"). ``value`` and ``grad`` are None where they were
    not asked for, and ``grad`` also where there can be none: an output that nothing reads.
    """

    id: str
    kind: Kind
    name: str
    sign: str
    note: str
    operation: str
    scope: Scope
    shape: tuple[int, ...]
    dtype: str
    value: Quantity | None
    grad: Quantity | None
    root: bool

    @property
    def path(self) -> str:
        """The path of the module around it, as in `named_modules`."""
        return path(self.scope)

    @property
    def heading(self) -> tuple[str, str]:
        """What it is called, and what to add in a lower voice."""
        if self.kind != "operation":
            return (
                (self.sign, self.name) if self.sign else (self.name, "" if self.name else self.kind)
            )
        return (self.name, f"= {self.sign}") if self.name else (self.sign, "")


@dataclass(frozen=True)
class Edge:
    """From a result to where it is read, as which argument; "" from an operation to its outputs."""

    source: str
    target: str
    argument: str


@dataclass(frozen=True)
class Cluster:
    """A module: the vertices directly in it and the modules inside it, each in order."""

    scope: Scope
    vertices: tuple[Vertex, ...]
    children: tuple[Cluster, ...]

    @property
    def path(self) -> str:
        """Its path, as in `named_modules`."""
        return path(self.scope)

    @property
    def title(self) -> str:
        """Its name and class, such as ``0 · Linear``."""
        return " · ".join(part for part in self.scope[-1] if part)


@dataclass(frozen=True)
class Picture:
    """All there is to draw; vertices come after those they were computed from."""

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    top: Cluster  # of scope (): what is in no module
    show: frozenset[str]

    def shape(self, vertex: Vertex) -> str:
        """The shape as drawings write it; that of a number goes without saying."""
        wanted = "shape" in self.show and (vertex.shape or vertex.value is None)
        return str(vertex.shape) if wanted else ""


def path(scope: Scope) -> str:
    """The names of the modules around something, joined by dots."""
    return ".".join(name for name, _ in scope if name)


def clusters(vertices: Iterable[Vertex]) -> Cluster:
    """The tree of modules around ``vertices``, in the order in which they first appear."""
    inside: dict[Scope, list[Vertex]] = {(): []}
    for vertex in vertices:
        for depth in range(1, len(vertex.scope) + 1):
            inside.setdefault(vertex.scope[:depth], [])
        inside[vertex.scope].append(vertex)
    children: dict[Scope, list[Cluster]] = {scope: [] for scope in inside}
    for scope in reversed(inside):  # a module comes after the one around it: innermost first here
        cluster = Cluster(scope, tuple(inside[scope]), tuple(reversed(children[scope])))
        if not scope:
            return cluster
        children[scope[:-1]].append(cluster)
    raise AssertionError("the top cluster is always there")
