"""The engine: the graph that operations leave, and the sweep that reads it backwards.

`sweep` walks the nodes from a result to its inputs and applies their rules. Handed raw arrays the
rules compute a gradient fast; handed the graph's own Tensors the same rules record themselves, so
that gradients of gradients need nothing more.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

from minigrad import backend, memory
from minigrad.backend import Array, lift, namespace, total
from minigrad.node import Node
from minigrad.operation import Primitive, output, primitive
from minigrad.recording import WATCHED, enable_grad, state
from minigrad.rule import Rule
from minigrad.tensor import Tensor, wrap

# ── undoing what a forward did implicitly ────────────────────────────────────────────────────────


@primitive
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """Repeat ``x`` along new or single axes until it has ``shape``."""
    return namespace(x).broadcast_to(x, shape)


broadcast_to.vjp(x=lambda g: g)  # the sum over what was stretched is the engine's: see fit


@primitive
def fit(x: Array, *, shape: tuple[int, ...], dtype: Any) -> Array:
    """Undo broadcasting and promotion: sum ``x`` over what was stretched, cast it to ``dtype``."""
    if x.shape != shape:
        x = total(x, _stretched(tuple(x.shape), shape))
        if x.shape != shape:
            x = namespace(x).reshape(x, shape)
    return x if x.dtype == dtype else namespace(x).astype(x, dtype)


@lru_cache(maxsize=1024)
def _stretched(wide: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """The axes of ``wide`` along which ``shape`` has a single entry or, in front, none at all."""
    new = len(wide) - len(shape)
    if new < 0 or any(n not in (1, m) for n, m in zip(shape, wide[new:], strict=True)):
        raise ValueError(
            f"a gradient of shape {wide} cannot belong to an input of shape {shape}: it must have "
            "that shape, or sum to it over broadcast axes. Mend the rule."
        )
    kept = [i for i, n in enumerate(shape, new) if n == 1 and wide[i] != 1]
    return (*range(new), *kept)


fit.vjp(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))


# ── reading the graph ────────────────────────────────────────────────────────────────────────────

Vertex = Any  # a Node, or a Tensor where the graph begins
_time = attrgetter("time")


def vertex(x: Any) -> Vertex | None:
    """The place of ``x`` in the graph: its Node, itself if it is a leaf, None for a constant."""
    if isinstance(x, Node):
        return x
    if isinstance(x, Tensor) and x.tracked:
        return x if x.node is None else x.node
    return None


def order(roots: Iterable[Any]) -> list[Vertex]:
    """All vertices under ``roots``, each before those it was computed from; leaves come last."""
    found: dict[Vertex, None] = {}
    waiting = [v for root in roots if (v := vertex(root)) is not None]
    while waiting:
        v = waiting.pop()
        if v not in found:
            found[v] = None
            if isinstance(v, Node):
                waiting.extend([u for x in v.inputs if (u := vertex(x)) is not None])
    nodes = sorted((v for v in found if isinstance(v, Node)), key=_time, reverse=True)
    return nodes + [v for v in found if isinstance(v, Tensor)]


def sweep(
    roots: Sequence[Tensor],
    seeds: Sequence[Any],
    *,
    wanted: Iterable[Tensor] | None = None,
    create_graph: bool = False,
    rules: Mapping[Primitive, tuple[Rule, ...]] | None = None,
) -> Iterator[tuple[Vertex, Any]]:
    """Yield (vertex, gradient) from ``roots`` down; a gradient is final when it is yielded.

    Parameters
    ----------
    roots, seeds
        Results, and the gradient that each starts from.
    wanted
        Follow only the paths that lead to these Tensors; all paths if None.
    create_graph
        Hand the rules the graph's own Tensors (seeds must be Tensors), so that the gradients can
        be differentiated; else raw arrays, which is faster.
    rules
        Rules to use instead of an operation's own, from `Primitive.compile`.
    """
    live = None if wanted is None else _leading_to(wanted, order(roots))
    gradients: dict[Vertex, Any] = {}
    summed: set[Vertex] = set()  # those whose gradient is a sum that nobody else has seen
    # A heap of nodes, the latest first. A node is later than its inputs, so when it is the latest
    # left all its uses have been heard, and its gradient is final.
    waiting: list[tuple[int, Node]] = []

    def add(v: Vertex, part: Any) -> None:
        if v not in gradients:
            gradients[v] = part
            if isinstance(v, Node):
                heappush(waiting, (-v.time, v))
        elif isinstance(part, dict):  # of several outputs: output by output
            for i, g in part.items():
                known = gradients[v].get(i)
                gradients[v][i] = g if known is None else known + g
        elif v in summed and not create_graph:
            gradients[v] += part
        else:
            gradients[v] = gradients[v] + part
            summed.add(v)

    for root, seed in zip(roots, seeds, strict=True):
        add(vertex(root), seed)
    while waiting:
        _, v = heappop(waiting)
        g = gradients.pop(v)
        yield v, g
        if v.op is output:  # a tuple's gradient: index -> gradient, for those outputs that have one
            add(v.inputs[0], {v.params["index"]: g})
        else:
            for u, part in _pull(v, g, live, create_graph, rules):
                add(u, part)
    yield from gradients.items()  # the leaves


def _pull(
    v: Node,
    g: Any,
    live: Container[Vertex] | None,
    create_graph: bool,
    rules: Mapping[Primitive, tuple[Rule, ...]] | None,
) -> Iterator[tuple[Vertex, Any]]:
    """(input, gradient by it) for each input of ``v`` that has a place in the graph."""
    op = v.op
    pulls = op.pulls if rules is None or op not in rules else op.by_input(rules[op])
    stale = memory.latest > v.time and not memory.intact(v.saved, v.time)
    careful = create_graph or stale or rules is not None
    answer = None
    for i, u in enumerate(v.inputs):
        if isinstance(u, Node):
            like = u
        elif isinstance(u, Tensor) and u.tracked:
            like = u.data
        else:
            continue
        if live is not None and u not in live:
            continue
        for rule in pulls[0 if op.joint else i]:
            upstream = g if rule.output is None else g.get(rule.output)
            if upstream is None:
                continue
            try:
                if answer is None or not op.joint:
                    args = rule.read(v, create_graph) if careful else rule.take(v.saved)
                    answer = rule.rule(upstream, *args)
                    if state.recording == WATCHED:
                        parts = answer if op.joint else [answer]
                        state.check(v, parts, {"g": upstream}, "the gradient that comes out of")
                part = answer[i] if op.joint else answer
                if part.shape != like.shape or part.dtype != like.dtype:
                    undo = fit if create_graph else fit.forward
                    part = undo(part, shape=like.shape, dtype=like.dtype)
            except Exception as error:
                error.add_note(f"in the backward rule of {op.name} for input {rule.input!r}")
                raise
            yield u, part


def _leading_to(wanted: Iterable[Tensor], vertices: list[Vertex]) -> set[Vertex]:
    """Those of ``vertices`` from which a wanted one can be reached."""
    live = {v for x in wanted if (v := vertex(x)) is not None}
    for v in reversed(vertices):
        if isinstance(v, Node) and any(vertex(x) in live for x in v.inputs):
            live.add(v)
    return live


# ── gradients ────────────────────────────────────────────────────────────────────────────────────


def _seed(y: Tensor, gradient: Any, create_graph: bool, asked: str) -> Any:
    """The gradient that a sweep from ``y`` starts with."""
    if vertex(y) is None:
        raise RuntimeError(
            f"{asked} needs a result that depends on a tensor with requires_grad=True; this one "
            f"of shape {y.shape} does not. Set requires_grad=True on an input before computing, "
            "and compute outside no_grad()."
        )
    if gradient is None:
        if y.numel() != 1:
            raise RuntimeError(
                f"{asked} starts from a scalar; this tensor has shape {y.shape}. Reduce it first "
                "(.sum(), .mean()), or pass the upstream gradient."
            )
        g = wrap(backend.ones(y.shape, like=y.data))
    else:
        g = gradient if isinstance(gradient, Tensor) else Tensor(lift(gradient, y.data))
    if g.shape != y.shape:
        raise ValueError(
            f"{asked} was given an upstream gradient of shape {g.shape} for a result of shape "
            f"{y.shape}. Pass one of the result's shape."
        )
    return g if create_graph else g.data


def backward(y: Tensor, gradient: Any = None, create_graph: bool = False) -> None:
    """Add d``y``/d``x`` to ``x.grad`` of every leaf ``x`` that ``y`` was computed from.

    So it does for results in between whose `Tensor.retain_grad` was called.
    """
    if create_graph and not state.recording:
        with enable_grad():
            backward(y, gradient, create_graph)
        return
    seed = _seed(y, gradient, create_graph, "backward()")
    given = {id(seed)}
    for v, g in sweep([y], [seed], create_graph=create_graph):
        if isinstance(v, Tensor):
            x = v
        elif v.keeper is None or (x := v.keeper()) is None:
            continue
        if x.grad is not None:
            x.grad = x.grad + g if create_graph else wrap(x.grad.data + g)
        elif create_graph:
            x.grad = g
        else:
            # A rule may pass on its gradient, or a view of it: each gets a copy of its own.
            shared = x is not v or id(g) in given or getattr(g, "base", None) is not None
            given.add(id(g))
            x.grad = wrap(namespace(g).positive(g) if shared else g)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of ``outputs`` with respect to ``inputs``, as a tuple; no ``.grad`` is touched.

    Parameters
    ----------
    outputs
        A scalar Tensor, or Tensors with their ``grad_outputs``; several are summed.
    inputs
        The Tensors to differentiate by: leaves or results in between.
    grad_outputs
        The upstream gradient of each output; needed where it is not a scalar.
    create_graph
        Record the gradients' own computation, so that they can be differentiated in turn.
    allow_unused
        Answer None, not an error, for an input that no output depends on.
    """
    if create_graph and not state.recording:
        with enable_grad():
            return grad(outputs, inputs, grad_outputs, create_graph, allow_unused)
    ys = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    several = isinstance(grad_outputs, list | tuple)
    seeds = list(grad_outputs) if several else [grad_outputs] * len(ys)
    seeds = [_seed(y, g, create_graph, "grad()") for y, g in zip(ys, seeds, strict=True)]
    places = [vertex(x) for x in xs]
    asked = set(places)
    walk = sweep(ys, seeds, wanted=xs, create_graph=create_graph)
    found = {v: g for v, g in walk if v in asked}
    for i, v in enumerate(places):
        if v not in found and not allow_unused:
            why = "does not require grad" if v is None else "was not used to compute the outputs"
            raise RuntimeError(
                f"grad() was asked for the gradient by input {i} of shape {xs[i].shape}, which "
                f"{why}. Set requires_grad=True before computing, or pass allow_unused=True "
                "to get None for it."
            )
    return tuple(
        [None if v not in found else found[v] if create_graph else wrap(found[v]) for v in places]
    )
