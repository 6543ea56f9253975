"""The engine: the graph that operations leave, and the sweep that reads it backwards.

`sweep` walks the nodes from a result to its inputs and applies their rules. Handed raw arrays the
rules compute a gradient fast; handed the graph's own Tensors the same rules record themselves, so
that gradients of gradients need nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from heapq import heappop
from operator import attrgetter
from typing import Any

from minigrad import backend, memory
from minigrad.backend import lift, namespace
from minigrad.gradients import Gradients, Vertex
from minigrad.node import Node, keepers
from minigrad.operation import Primitive, output
from minigrad.recording import WATCHED, enable_grad, thread
from minigrad.rule import Rule, laid_out
from minigrad.tensor import Tensor, wrap

# ── reading the graph ────────────────────────────────────────────────────────────────────────────

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
    heard: Callable[[Node, Any], None] | None = None,
) -> dict[Tensor, Any]:
    """Go from ``roots`` down to the leaves, and answer the gradient by each.

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
    heard
        Is told of each Node on the way and of the gradient by its result, once that is final.
    """
    live = None if wanted is None else _leading_to(wanted, order(roots))
    gradients = Gradients(create_graph)
    found, waiting, add = gradients.found, gradients.waiting, gradients.add
    quick = not create_graph and rules is None and thread.state.recording != WATCHED
    others = {op: laid_out(told, len(op.inputs)) for op, told in rules.items()} if rules else {}
    rule: Any = None
    for root, seed in zip(roots, seeds, strict=True):
        add(root.node or root, seed)
    while waiting:
        _, v = heappop(waiting)
        g = found.pop(v)
        if heard is not None:
            heard(v, g)
        op, inputs, saved = v.op, v.inputs, v.saved
        if op is output:
            gradients.add_output(inputs[0], v.params["index"], g)
            continue
        edges = others.get(op, op.edges) if others else op.edges
        plain = quick and (memory.latest < v.time or memory.intact(saved, v.time))
        upstream = part = None  # let go of the last ones
        try:
            if op.joint:
                ((_, rule),) = edges[-1]
                for u, part in _joint(rule, v, g, live, plain, create_graph):
                    add(u, part)
                continue
            for i, rule in edges[len(inputs)]:
                u = inputs[i]
                if not getattr(u, "tracked", False) or (live is not None and u not in live):
                    continue
                upstream = g if rule.output is None else g.get(rule.output)
                if upstream is not None:
                    part = (
                        rule.pull(upstream, saved)
                        if plain
                        else _carefully(rule, v, upstream, create_graph)
                    )
                    add(u, part)
        except Exception as error:
            error.add_note(f"in the backward rule of {op.name} for input {rule.input!r}")
            raise
    return found  # what is left are leaves


def _joint(
    rule: Rule,
    v: Node,
    g: Any,
    live: Container[Vertex] | None,
    plain: bool,
    create_graph: bool,
) -> list[tuple[Vertex, Any]]:
    """The parts that one rule answers for all inputs of ``v``, with the vertices they belong to."""
    found, parts = [], None
    for i, u in enumerate(v.inputs):
        if getattr(u, "tracked", False) and (live is None or u in live):
            if parts is None:  # so that it runs only if it is needed
                parts = rule.pull(g, v.saved) if plain else _carefully(rule, v, g, create_graph)
            found.append((u, parts[i]))
    return found


def _carefully(rule: Rule, v: Node, upstream: Any, create_graph: bool) -> Any:
    """What a rule answers to what it reads, if that may have been overwritten, or is watched."""
    args = rule.read(v, create_graph)
    answer = rule.rule(upstream, *args)
    if thread.state.recording == WATCHED:
        parts = answer if v.op.joint else [answer]
        thread.state.check(v, parts, {"g": upstream}, "the gradient that comes out of")
    return answer


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
    if not y.tracked:
        raise RuntimeError(
            f"{asked} needs a result that depends on a tensor with requires_grad=True; this one "
            f"of shape {y.shape} does not. Set requires_grad=True on an input before computing, "
            "and compute outside no_grad()."
        )
    like = y.data
    if gradient is None:
        if like.ndim and y.numel() != 1:
            raise RuntimeError(
                f"{asked} starts from a scalar; this tensor has shape {y.shape}. Reduce it first "
                "(.sum(), .mean()), or pass the upstream gradient."
            )
        ones = backend.ones(like.shape, like)
        return wrap(ones) if create_graph else ones
    g = gradient if isinstance(gradient, Tensor) else Tensor(lift(gradient, like))
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
    if create_graph and not thread.state.recording:
        with enable_grad():
            backward(y, gradient, create_graph)
        return
    seed = _seed(y, gradient, create_graph, "backward()")
    kept: dict[Tensor, Any] = {}
    gradients = sweep([y], [seed], create_graph=create_graph, heard=_keeping(kept))
    gradients.update(kept)
    given = {id(seed)}
    for x, g in gradients.items():
        if x.grad is not None:
            x.grad = x.grad + g if create_graph else wrap(x.grad.data + g)
        elif create_graph:
            x.grad = g
        else:
            # A rule may pass on its gradient, or a view of it: each gets a copy of its own.
            shared = id(g) in given or getattr(g, "base", None) is not None
            given.add(id(g))
            x.grad = wrap(namespace(g).positive(g) if shared else g)


def _keeping(kept: dict[Tensor, Any]) -> Callable[[Node, Any], None] | None:
    """What puts into ``kept`` the gradients of results that asked for theirs; None if none did."""
    if not keepers:
        return None

    def heard(v: Node, g: Any) -> None:
        if v in keepers and (x := keepers[v]()) is not None and (own := _own(g)) is not None:
            kept[x] = own

    return heard


def _own(g: Any) -> Any:
    """A vertex's gradient, as its Tensor sees it: that by the first of several outputs."""
    return g.get(0) if isinstance(g, dict) else g


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
    if create_graph and not thread.state.recording:
        with enable_grad():
            return grad(outputs, inputs, grad_outputs, create_graph, allow_unused)
    ys = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    several = isinstance(grad_outputs, list | tuple)
    seeds = list(grad_outputs) if several else [grad_outputs] * len(ys)
    seeds = [_seed(y, g, create_graph, "grad()") for y, g in zip(ys, seeds, strict=True)]
    places = [vertex(x) for x in xs]
    asked = set(places)
    found: dict[Vertex, Any] = {}

    def heard(v: Node, g: Any) -> None:
        if v in asked and (own := _own(g)) is not None:
            found[v] = own

    found |= sweep(ys, seeds, wanted=xs, create_graph=create_graph, heard=heard)
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
