"""The steps of a graph, as they happen: values filling in, then gradients flowing back.

Forward the steps are in the order in which the operations were recorded. Backward they are those
of `engine.sweep` itself: its rules are wrapped in ones that tell what they were handed and what
they answered, so no step is told here that the engine did not take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import backend, engine, gradients
from minigrad.drawing import rules
from minigrad.drawing.graph import LEAVES, Picture, Vertex
from minigrad.drawing.look import shown
from minigrad.drawing.places import Places
from minigrad.drawing.quantities import SMALL, number, quantity
from minigrad.drawing.tape import Entry, Step, Tape, name, numbers
from minigrad.node import Node
from minigrad.operation import Primitive, output
from minigrad.recording import no_grad
from minigrad.rule import Rule
from minigrad.tensor import Tensor

ENTRYWISE = tuple(  # the pages of operations whose Jacobians are diagonal
    f"minigrad.ops.{page}" for page in ("elementwise", "choosing", "rounding")
)
FEW = 12  # inputs and parameters that are named one by one


def record(roots: Sequence[Tensor], names: Mapping[str, Tensor], upstream: Any = None) -> Tape:
    """The steps of the forward that made ``roots`` and of a backward from them.

    Parameters
    ----------
    roots, names
        As in `minigrad.drawing.draw`.
    upstream
        The gradient to start from, of the root's shape; 1 if None, which needs a scalar.
    """
    seeds = [engine._seed(root, upstream, False, "steps()") for root in roots]
    places = Places(roots, ("shape", "value"), names)
    nodes = [v for v in reversed(engine.order(roots)) if isinstance(v, Node)]
    forward = [_start(places.picture)]
    forward += [_computed(node, places) for node in nodes if node.op is not output]
    with no_grad(), np.errstate(all="ignore"):
        backward = _Backward(roots, seeds, nodes, places).steps
    return Tape(places.picture, (*forward, *backward))


# ── forward ──────────────────────────────────────────────────────────────────────────────────────


def _start(picture: Picture) -> Step:
    """What is given: parameters, inputs and constants."""
    given = [v for v in picture.vertices if v.kind in LEAVES]
    line = ", ".join(f"{name(v)} = {numbers(v)}" for v in given[:FEW])
    line += f", and {len(given) - FEW} more" if len(given) > FEW else ""
    entries = tuple(Entry(v.id, "value", str(v.value)) for v in given)
    return Step("start", "parameters and inputs", line, "", "", entries)


def _computed(node: Node, places: Places) -> Step:
    """An operation and the values that it leaves."""
    read = []
    for index, x in places.read(node):
        vertex = places.box(x)
        called = vertex.name if vertex.name and not vertex.sign else places.argument(node, index)
        read.append(f"{shown(called)} = {numbers(vertex)}")
    results = places.outputs(node)
    answer = ", ".join(numbers(v) for v in results)
    return Step(
        "forward",
        name(results[0]),
        f"{', '.join(read)} → {answer}",
        rules.formula(node.op),
        results[0].id,
        tuple(Entry(v.id, "value", str(v.value)) for v in results),
    )


# ── backward ─────────────────────────────────────────────────────────────────────────────────────


class _Told(Rule):
    """A rule that tells what it was handed and what it answered; else the same."""

    __slots__ = ("tell", "untold")

    def __init__(self, rule: Rule, op: Primitive, tell: Any) -> None:
        by = ... if rule.output is None else op.outputs[rule.output]
        super().__init__(rule.rule, op, rule.input, by)
        self.untold, self.tell = rule, tell

    def read(self, node: Node, create_graph: bool) -> Sequence[Any]:
        """What the rule reads; what it answers to it will be told."""
        args = super().read(node, create_graph)

        def telling(g: Any, *args: Any) -> Any:
            answer = self.untold.rule(g, *args)
            self.tell(_Pull(node, self.untold, args, g, answer))
            return answer

        self.rule = telling
        return args


@dataclass(frozen=True)
class _Pull:
    """One use of a rule in the sweep: the upstream gradient and what the rule made of it."""

    node: Node
    rule: Rule
    args: Sequence[Any]
    upstream: Any
    answer: Any


class _Backward:
    """One sweep, told: a step for each seed, and one for each edge that a gradient flows along."""

    def __init__(
        self, roots: Sequence[Tensor], seeds: Sequence[Any], nodes: Sequence[Node], places: Places
    ) -> None:
        self.places = places
        events: list[Any] = []
        told = {
            op: tuple(_Told(rule, op, events.append) for rule in op.rules)
            for op in dict.fromkeys(node.op for node in nodes)
            if op is not output
        }
        # The rules append what they did in between.
        engine.sweep(roots, seeds, rules=told, heard=lambda v, g: events.append((v, g)))
        self.sums: dict[str, Any] = {}  # what each box has heard so far
        self.heard: Counter[str] = Counter()
        self.paths = Counter(places.box(root).id for root in roots)
        pulls = [event for event in events if isinstance(event, _Pull)]
        self.paths.update(places.box(x).id for pull in pulls for _, x, _ in _targets(pull))

        self.steps = [self._seed(root, g) for root, g in zip(roots, seeds, strict=True)]
        for event in events:
            if isinstance(event, _Pull):
                self.steps += [self._flow(event, *target) for target in _targets(event)]
            elif event[0].op is output:
                self.steps.append(self._handed_on(*event))

    def _seed(self, root: Tensor, g: Any) -> Step:
        """The gradient that a sweep starts with."""
        box = self.places.box(root)
        entry, note = self._add(box, g)
        called = shown(box.name or "y")
        ratio = f"∂{called}/∂{called} = " if g.size == 1 else ""
        line = f"g = {ratio}{_described(g)}"
        return Step("seed", name(box), line, note, box.id, (entry,))

    def _flow(self, pull: _Pull, index: int, x: Any, part: Any) -> Step:
        """A gradient flows from an operation to one of its inputs."""
        node, target = pull.node, self.places.box(x)
        fitted, more = part, ""
        if part.shape != x.shape or part.dtype != x.dtype:
            fitted = gradients.fit(part, shape=x.shape, dtype=x.dtype)
        if part.shape != x.shape:
            more = f", summed over what was broadcast, {part.shape} → {x.shape}"
        line, product = _sum(pull, part, fitted, rules.rule_text(pull.rule, node.op))
        entry, path = self._add(target, fitted)
        return Step(
            "backward",
            f"{name(self.places.box(node))} → {name(target)}",
            line,
            "; ".join(filter(None, (rules.line(pull.rule, node.op, more), path))),
            target.id,
            (entry,),
            self.places.edge(node, index),
            product,
        )

    def _handed_on(self, node: Node, g: Any) -> Step:
        """A further output hands its gradient to the operation that made it."""
        further, maker = self.places.box(node), self.places.box(node.inputs[0])
        title = f"{name(further)} → {name(maker)}"
        line = f"{_described(g)} is handed on"
        return Step("backward", title, line, "", maker.id, (), self.places.edge(node, 0))

    def _add(self, box: Vertex, part: Any) -> tuple[Entry, str]:
        """What a box shows after one more path, and the sum behind it."""
        self.heard[box.id] += 1
        count, paths = self.heard[box.id], self.paths[box.id]
        before = self.sums.get(box.id)
        total = self.sums[box.id] = part if before is None else before + part
        note = "" if paths == 1 else f"path {count} of {paths} to {name(box)}"
        if before is not None and total.size <= SMALL:
            note += f": {_text(before)} + {_text(part)} = {_text(total)}"
        return Entry(box.id, "grad", _text(total)), note


def _targets(pull: _Pull) -> list[tuple[int, Any, Any]]:
    """(place, input, gradient) of the inputs that a rule answered for, as the sweep adds them."""
    op = pull.node.op
    return [
        (i, x, pull.answer[i] if op.joint else pull.answer)
        for i, x in enumerate(pull.node.inputs)
        if engine.vertex(x) is not None and (op.joint or op.inputs[i] == pull.rule.input)
    ]


def _sum(pull: _Pull, part: Any, fitted: Any, rule: str) -> tuple[str, tuple[str, ...]]:
    """The sum on an edge, in a line and in short: numbers if they are few, else the rule."""
    g, op = pull.upstream, pull.node.op
    if not isinstance(g, dict) and not op.joint:
        single = g.size == part.size == 1
        if single or (op.__dict__["__module__"] in ENTRYWISE and part.size <= SMALL):
            ones = backend.namespace(g).ones_like(g)
            local = pull.rule.rule(ones, *pull.args)
            sign = "×" if single else "⊙"
            line = f"{_text(g)} {sign} {_text(local)} = {_text(part)}"
            return line, (line,) if single else (rule, _norms(g, fitted))
    upstream = ", ".join(map(_described, g.values())) if isinstance(g, dict) else _described(g)
    how = rule if fitted.shape == part.shape else f"{rule}, summed"
    return f"{upstream} → {how} → {_described(fitted)}", (how, _norms(g, fitted))


def _text(g: Any) -> str:
    """The numbers of a gradient, without the sign of a zero."""
    return quantity(g + 0.0).text


def _described(g: Any) -> str:
    """A gradient in a line: its numbers if they are few, else its shape and norm."""
    return _text(g) if g.size <= SMALL else f"{g.shape} of norm {_norm(g)}"


def _norms(g: Any, part: Any) -> str:
    """How large a gradient was, and how large it became."""
    before = ", ".join(map(_norm, g.values())) if isinstance(g, dict) else _norm(g)
    return f"‖{before}‖ → ‖{_norm(part)}‖"


def _norm(g: Any) -> str:
    """‖g‖, the root of the sum of squares."""
    return number(float(np.linalg.norm(backend.to_numpy(g).astype(np.float64))), 3)
