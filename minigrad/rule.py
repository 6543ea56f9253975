"""A backward rule, and how it reads off a node what it names.

Of what was saved it takes all at once, where nobody wants to differentiate again and nothing has
been overwritten. Else it reads one by one: the graph's own Tensors, or an error that says which
line wrote.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from minigrad import memory
from minigrad.memory import last_write, writer
from minigrad.node import Node
from minigrad.tensor import Tensor, wrap

if TYPE_CHECKING:
    from minigrad.operation import Primitive


class Rule:
    """A backward rule: the upstream gradient ``g`` and what else it names in, a gradient out."""

    __slots__ = ("input", "output", "place", "places", "pull", "reads", "rule")

    def __init__(self, rule: Callable[..., Any], op: Primitive, input: str, output: Any) -> None:
        names = arguments(rule)
        if names[:1] != ["g"]:
            raise TypeError(f"{op}: the rule for {input!r} must take the upstream gradient g first")
        self.input = input
        # The place of its input; a joint rule's is the first.
        self.place = 0 if op.joint else op.inputs.index(input)
        self.output = op.outputs.index(output) if op.several and output is not ... else None
        self.reads = [op.source(name, f"the rule for {input!r}") for name in names[1:]]
        self.places = [op.kept.index(name) for name in names[1:]]
        self.bind(rule)

    def bind(self, rule: Callable[..., Any]) -> None:
        """Let ``rule`` answer; `pull` calls it with g and what it names of a node's ``saved``."""
        self.rule = rule
        self.pull = _puller(rule, self.places)

    def read(self, node: Node, create_graph: bool) -> Sequence[Any]:
        """What it names besides ``g``, as `pull` takes it, but checked; and Tensors if wanted."""
        return [read(node, *key, create_graph) for read, *key in self.reads]


Edges = list[list[tuple[int, Rule]]]


def laid_out(rules: Iterable[Rule], n: int) -> Edges:
    """By number of inputs, up to ``n``: places of inputs, and the rules for their gradients."""
    return [[(r.place, r) for r in rules if r.place < given] for given in range(n + 1)]


def arguments(rule: Callable[..., Any]) -> list[str]:
    """The names that a rule asks for."""
    return list(rule.__code__.co_varnames[: rule.__code__.co_argcount])


def _puller(rule: Callable[..., Any], places: list[int]) -> Callable[[Any, Sequence[Any]], Any]:
    """``rule`` as a function of g and of all that was saved: written out, for it is called most."""
    match places:
        case []:
            return lambda g, saved: rule(g)
        case [i]:
            return lambda g, saved: rule(g, saved[i])
        case [i, j]:
            return lambda g, saved: rule(g, saved[i], saved[j])
    take = itemgetter(*places)
    return lambda g, saved: rule(g, *take(saved))


def taker(places: list[int]) -> Callable[[Sequence[Any]], Any]:
    """How to take the entries at ``places`` out of a sequence, as a sequence."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1)) if places else itemgetter(slice(0))


# ── what a rule may read off a node: raw arrays, or the graph's own Tensors ──────────────────────


def read_input(node: Node, place: int, index: int, create_graph: bool) -> Any:
    """The input number ``index``, which was saved at ``place``."""
    raw = node.saved[place]
    if memory.latest > node.time < last_write(raw):
        raise _overwritten(node, index, raw)
    if not create_graph or not hasattr(raw, "dtype"):
        return raw
    origin = node.inputs[index]
    if isinstance(origin, Node):
        return wrap(raw, origin)
    if not isinstance(origin, Tensor) or (origin.data is not raw and not origin.tracked):
        return Tensor(raw)
    if origin.data is not raw:  # the leaf was given another array since
        raise _overwritten(node, index, origin.data)
    return origin


def read_output(node: Node, place: int, index: int, create_graph: bool) -> Any:
    """The output number ``index``, which was saved at ``place``."""
    value = node.saved[place]
    if memory.latest > node.time < last_write(value):
        raise _overwritten(node, f"output {node.op.outputs[index]!r}", value)
    if not create_graph:
        return value
    return wrap(value, node.op.part(node, index, value) if index else node)


def _overwritten(node: Node, what: int | str, data: Any) -> RuntimeError:
    if isinstance(what, int):
        name = getattr(node.inputs[what], "name", None)
        what = f"input {node.op.inputs[what]!r}{f' ({name})' if name else ''}"
    written = last_write(data) > node.time
    found = f"it overwritten in place since, at {writer(data)}" if written else "another array now"
    return RuntimeError(
        f"backward through {node.op.name} needs the value that its {what} had when it ran; found "
        f"{found}. Call backward before you write, or write to a copy."
    )


def read_plain(node: Node, place: int, index: int, create_graph: bool) -> Any:
    """A parameter or a shape."""
    return node.saved[place]
