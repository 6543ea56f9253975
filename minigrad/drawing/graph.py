"""The records that every drawing is made from: text only, no tensor, node or array in them.

An operation and its result are one vertex; further outputs of an operation (μ and σ beside ẑ)
are vertices of their own; modules are nested clusters. `minigrad.drawing.reading` makes them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from minigrad.recording import Scope

Kind = Literal["parameter", "input", "constant", "operation", "output", "module", "gradient"]

LEAVES: tuple[Kind, ...] = ("parameter", "input", "constant")  # what no drawn operation made

RULE = "∂("  # how the scope of what a backward rule recorded begins
BACKWARD = ("", "backward")  # the outermost scope of what a drawn backward pass recorded

State = Literal[
    "computed", "not computed", "stale", "needs no gradient", "detached", "no path", "not kept",
    "overwritten", "now",
]  # fmt: skip

MEANINGS: dict[State, str] = {
    "not computed": "backward has not run",
    "stale": ".grad is not the gradient of this result alone: zero it before backward",
    "needs no gradient": "nothing asked for one",
    "detached": "cut off from the graph by detach()",
    "no path": "the result does not depend on it",
    "not kept": "too long to compute again for a drawing",
    "overwritten": "written to in place since it was used",
    "now": "written to since it was used: the number of now",
}


@dataclass(frozen=True)
class Quantity:
    """A value or a gradient as a drawing shows it.

    ``state`` says whether there is one, and if not, why; it is never shown as 0. "now" is the
    value of a leaf that was written to since it was used, "stale" the gradient of a leaf that
    holds more than this result's, "no path" that of a result which the root does not depend on,
    "not kept" a number that would take too long to compute again. ``details`` has more lines of
    text, for a tooltip; ``rms`` is √(mean of squares), for heat.
    """

    state: State
    text: str = ""
    details: str = ""
    rms: float | None = None

    def __str__(self) -> str:
        """The number, or why there is none."""
        if self.state in ("now", "stale"):
            return f"{self.state} {self.text}"
        return self.text if self.state == "computed" else self.state


@dataclass(frozen=True)
class Vertex:
    """One box of a drawing.

    ``name`` is the tensor's own, ``sign`` what a textbook writes for it ("γ", "x Wᵀ + b"), and
    ``note`` a parameter worth reading ("axis 0"). ``value`` and ``grad`` are None where they were
    not asked for, and ``grad`` also where there can be none: an output that nothing reads.
    ``calls`` counts, for each module of ``scope``, which of its calls this was. A folded module
    is a vertex of kind "module", and a node that a backward rule recorded one of kind "gradient".
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
    calls: tuple[int, ...] = ()

    @property
    def path(self) -> str:
        """The path of the module around it, as in `named_modules`."""
        return path(self.scope)

    @property
    def backward(self) -> bool:
        """Whether it belongs to the backward pass of a drawing with both."""
        return BACKWARD in self.scope[:2]  # the first may be that of a comparison

    @property
    def heading(self) -> tuple[str, str]:
        """What it is called, and what to add in a lower voice."""
        if self.kind in ("operation", "gradient") and self.sign:
            return (self.name, f"= {self.sign}") if self.name else (self.sign, "")
        return (self.sign, self.name) if self.sign else (self.name, "" if self.name else self.kind)


@dataclass(frozen=True)
class Edge:
    """From a result to where it is read, as which argument; "" from an operation to its outputs.

    ``cut`` says that a value passes here and no gradient (by ``detach()``); ``factor`` what this
    step multiplies a gradient by, where a product of Jacobians is drawn, and ``norm`` its
    spectral norm; ``products`` has lines on the gradients that flow back along it.
    """

    source: str
    target: str
    argument: str
    cut: bool = False
    factor: str = ""
    norm: float | None = None
    products: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cluster:
    """A call of a module: the vertices directly in it and the modules inside it, each in order."""

    scope: Scope
    vertices: tuple[Vertex, ...]
    children: tuple[Cluster, ...]
    calls: tuple[int, ...] = ()

    @property
    def path(self) -> str:
        """Its path, as in `named_modules`."""
        return path(self.scope)

    @property
    def title(self) -> str:
        """Its name and class, such as ``0 · Linear``, and which call it is if not the first."""
        name, kind = self.scope[-1]
        counted = kind and BACKWARD not in self.scope[:2] and not kind.startswith("×")
        call = self.calls[-1] if self.calls and counted else 0
        return " · ".join(part for part in (name, kind, f"call {call + 1}" * bool(call)) if part)


@dataclass(frozen=True)
class Picture:
    """All there is to draw; vertices come after those they were computed from.

    ``caption`` is a sentence under the drawing, ``heat`` what its colours measure.
    """

    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]
    top: Cluster  # of scope (): what is in no module
    show: frozenset[str]
    caption: str = ""
    heat: str = ""

    def shape(self, vertex: Vertex) -> str:
        """The shape as drawings write it; that of a number goes without saying."""
        wanted = "shape" in self.show and (vertex.shape or "value" not in self.show)
        return str(vertex.shape) if wanted else ""


def path(scope: Scope) -> str:
    """The names of the modules around something, joined by dots."""
    return ".".join(name for name, _ in scope if name)


Call = tuple[Scope, tuple[int, ...]]  # one call of a module


def call(vertex: Vertex, depth: int) -> Call:
    """The outermost ``depth`` modules around ``vertex``, in the calls that it was made by."""
    return vertex.scope[:depth], vertex.calls[:depth]


def clusters(vertices: Iterable[Vertex]) -> Cluster:
    """The tree of modules around ``vertices``, in the order in which they first appear."""
    inside: dict[Call, list[Vertex]] = {((), ()): []}
    for vertex in vertices:
        for depth in range(1, len(vertex.scope) + 1):
            inside.setdefault(call(vertex, depth), [])
        inside[call(vertex, len(vertex.scope))].append(vertex)
    children: dict[Call, list[Cluster]] = {key: [] for key in inside}
    for key in reversed(inside):  # a module comes after the one around it: innermost first here
        scope, calls = key
        cluster = Cluster(scope, tuple(inside[key]), tuple(reversed(children[key])), calls)
        if not scope:
            return cluster
        children[scope[:-1], calls[:-1]].append(cluster)
    raise AssertionError("the top cluster is always there")
