"""The engine: the graph that operations leave, and the sweep that reads it backwards.

`sweep` walks the nodes from a result to its inputs and applies their rules. Handed raw arrays the
rules compute a gradient fast; handed the graph's own Tensors the same rules record themselves, so
that gradients of gradients need nothing more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any

from minigrad import backend
from minigrad.backend import Array, lift, namespace, total
from minigrad.operation import Node, Primitive, Rule, output, primitive
from minigrad.recording import enable_grad, state
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
        new = x.ndim - len(shape)
        axes = tuple(range(new))
        if x.shape[new:] != shape:
            axes += _stretched(x.shape, shape, new)
        x = total(x, axes)
        if x.shape != shape:
            x = namespace(x).reshape(x, shape)
    return x if x.dtype == dtype else namespace(x).astype(x, dtype)


def _stretched(wide: tuple[int, ...], shape: tuple[int, ...], new: int) -> tuple[int, ...]:
    """The axes of ``wide``, after ``new`` new ones, along which ``shape`` has a single entry."""
    if new < 0 or any(n not in (1, m) for n, m in zip(shape, wide[new:], strict=True)):
        raise ValueError(
            f"a gradient of shape {wide} cannot belong to an input of shape {shape}: it must have "
            "that shape, or sum to it over broadcast axes. Mend the rule."
        )
    return tuple([i for i, n in enumerate(shape, new) if n == 1 and wide[i] != 1])


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
    # A heap of nodes, the latest first. A node is later than its inputs, so when it is the latest
    # left all its uses have been heard, and its gradient is final.
    waiting: list[tuple[int, Node]] = []

    summed: set[Vertex] = set()  # those whose gradient is a sum that nobody else has seen

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
        op = v.op
        if op is output:  # a tuple's gradient: index -> gradient, for those outputs that have one
            add(v.inputs[0], {v.params["index"]: g})
            continue
        for rule in op.rules if rules is None else rules.get(op, op.rules):
            upstream = g if rule.output is None else g.get(rule.output)
            answer = None
            for i, x in enumerate(v.inputs[rule.inputs]):  # one, or all of any number
                u = x if isinstance(x, Node) else vertex(x)
                if u is None or upstream is None or (live is not None and u not in live):
                    continue
                if answer is None:
                    answer = rule(upstream, v, create_graph)
                part = answer[i] if op.variadic else answer
                if part.shape != u.shape or part.dtype != u.dtype:
                    part = _fitted(part, u, v, rule)
                add(u, part)
    yield from gradients.items()  # the leaves


def _fitted(part: Any, x: Vertex, v: Node, rule: Rule) -> Any:
    """A rule's answer with the shape and dtype of its input."""
    try:
        kernel = fit if isinstance(part, Tensor) else fit.forward
        return kernel(part, shape=x.shape, dtype=x.dtype)
    except ValueError as error:
        error.add_note(f"in the backward rule of {v.op.name} for input {rule.input!r}")
        raise


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
        g = wrap(backend.zeros(y.shape, like=y.data) + 1)
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
    given: set[int] = set()
    seed = _seed(y, gradient, create_graph, "backward()")
    with enable_grad() if create_graph and not state.recording else nullcontext():
        for v, g in sweep([y], [seed], create_graph=create_graph):
            x = v if isinstance(v, Tensor) else v.keeper and v.keeper()
            if x is None:
                continue
            if x.grad is not None:
                x.grad = x.grad + g if create_graph else wrap(x.grad.data + g)
            elif create_graph:
                x.grad = g
            else:
                # A rule may pass on its gradient, or a view of it: each gets a copy of its own.
                shared = g is seed or id(g) in given or getattr(g, "base", None) is not None
                given.add(id(g))
                x.grad = wrap(namespace(g).positive(g) if shared or x is not v else g)


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
    ys = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    several = isinstance(grad_outputs, list | tuple)
    seeds = list(grad_outputs) if several else [grad_outputs] * len(ys)
    seeds = [_seed(y, g, create_graph, "grad()") for y, g in zip(ys, seeds, strict=True)]
    places = [vertex(x) for x in xs]
    asked = set(places)
    walk = sweep(ys, seeds, wanted=xs, create_graph=create_graph)
    with enable_grad() if create_graph and not state.recording else nullcontext():
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
