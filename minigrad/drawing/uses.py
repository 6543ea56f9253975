"""How a graph uses what it begins with: by which modules, in which calls, under which names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from minigrad.drawing import symbols
from minigrad.nn.module import Module, Parameter
from minigrad.node import Node
from minigrad.operation import output
from minigrad.recording import Scope
from minigrad.tensor import Tensor

Spot = tuple[int, int]  # the identity of an operation or leaf, and which of its outputs


@dataclass
class Use:
    """How a tensor is read: by modules inside ``scope``, under ``sign``, last at ``time``."""

    scope: Scope
    calls: tuple[int, ...]  # of those modules, the first that reads it
    sign: str  # "γ" where all its readers give it that sign
    held: bool  # whether it comes with the layer that reads it, as weights do
    time: float


def spot_of(x: Any) -> Spot:
    """Where ``x`` is in a drawing; an operation and its first output are in one place."""
    if isinstance(x, Tensor) and x.node is not None:
        x = x.node
    if isinstance(x, Node) and x.op is output:
        return id(x.inputs[0]), x.params["index"]
    return id(x), 0


class Calls:
    """Which call of each module an operation was made in.

    A module that is called adds a new pair (name, class) to the scope, so one and the same pair
    is one and the same call.
    """

    def __init__(self, nodes: Iterable[Node]) -> None:
        self._number: dict[int, int] = {}  # by the identity of a pair
        counted: dict[Any, int] = {}
        for node in nodes:
            for depth, entry in enumerate(node.scope):
                if id(entry) not in self._number:
                    around = node.scope[: depth + 1], self.of(node.scope[:depth])
                    self._number[id(entry)] = counted.get(around, 0)
                    counted[around] = counted.get(around, 0) + 1

    def of(self, scope: Scope) -> tuple[int, ...]:
        """The numbers of the calls of ``scope``, counted from 0 inside the call around each."""
        return tuple([self._number[id(entry)] for entry in scope])


def uses(nodes: Sequence[Node], calls: Calls) -> dict[Spot, Use]:
    """How each input is read; one that is reshaped first is read as the reshaped one is."""
    found: dict[Spot, Use] = {}
    for node in reversed(nodes):
        through = found.get(spot_of(node)) if node.op.name.lstrip("_") in symbols.VIEWS else None
        for index, x in enumerate(node.inputs):
            called = argument_name(node, index)
            sign = through.sign if through else symbols.SIGNS.get(called, "")
            if node.op.name == "scale_shift" and index == 0:
                sign = symbols.STANDARDIZED
            brought = called in symbols.HELD or (index > 0 and not isinstance(x, Tensor))
            held = through.held if through else brought
            use = found.get(spot_of(x))
            if use is None:
                found[spot_of(x)] = Use(node.scope, calls.of(node.scope), sign, held, node.time)
            else:
                use.scope = _common(use.scope, node.scope)
                use.calls = calls.of(node.scope)[: len(use.scope)]
                use.sign = use.sign if use.sign == sign else ""
                use.held = use.held and held
    return found


def _common(a: Scope, b: Scope) -> Scope:
    """The modules around both."""
    depth = 0
    while depth < min(len(a), len(b)) and a[depth] == b[depth]:
        depth += 1
    return a[:depth]


def argument_name(node: Node, index: int) -> str:
    """The name of input ``index``; those of ``*xs`` count from 1."""
    names = node.op.inputs
    return names[index] if not node.op.variadic else f"{names[0].removesuffix('s')}{index + 1}"


def held(model: Module) -> Iterator[tuple[str, Parameter, Scope]]:
    """Each parameter of ``model`` with its name, and the scope that its module runs in."""
    scopes: dict[str, Scope] = {}
    for path, module in model.named_modules():
        around = scopes.get(path.rpartition(".")[0], ()) if path else ()
        runs = type(module).forward is not Module.forward  # a list of modules is never called
        scopes[path] = (*around, (module._name, type(module).__name__)) if runs else around
        for name, x in vars(module).items():
            if isinstance(x, Parameter):
                yield name, x, scopes[path]
