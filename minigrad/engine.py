"""The engine: operations that record what they did, and the sweep that reads it backwards.

A `Primitive` is one declaration: a forward on raw arrays and, beside it, one backward rule per
input. Calling it on arrays just computes; calling it on Tensors also leaves a `Node`. `sweep`
walks the nodes from a result to its inputs and applies the rules. Handed raw arrays the rules
compute a gradient fast; handed the graph's own Tensors the same rules record themselves, so that
gradients of gradients need nothing more.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload

from minigrad.backend import Array, lift, namespace
from minigrad.tensor import Tensor, wrap

Scope = tuple[tuple[str, str], ...]  # (name, class) of each module around an operation


class _State(threading.local):
    """What a thread is doing: whether it records, and inside which modules."""

    recording: bool = True
    scope: Scope = ()


state = _State()
clock = itertools.count(1).__next__  # one logical time for recordings and in-place writes


class no_grad:  # noqa: N801 - reads as in PyTorch
    """Record nothing inside the ``with`` block, or the decorated function, on this thread."""

    recording = False

    def __enter__(self) -> None:
        """Remember what was set, and set ours."""
        self._before = state.recording
        state.recording = self.recording

    def __exit__(self, *error: object) -> None:
        """Set back what was."""
        state.recording = self._before

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate ``function``."""

        @functools.wraps(function)
        def quiet(*args: Any, **kwargs: Any) -> Any:
            with type(self)():
                return function(*args, **kwargs)

        return quiet


class enable_grad(no_grad):  # noqa: N801
    """Record again, inside a `no_grad` block."""

    recording = True


class Node:
    """One recorded application of an operation.

    ``inputs`` holds a Tensor where a rule will read its value or where the graph begins, and else
    only the Node it came from, so that no array outlives its use. Links point to inputs alone:
    there are no cycles, and a graph goes as soon as its result does.
    """

    __slots__ = ("dtype", "inputs", "op", "params", "scope", "shape", "time", "value")

    def __init__(
        self, op: Primitive, inputs: tuple[Any, ...], params: dict[str, Any], value: Any, like: Any
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.params = params
        self.value = value  # the raw output, where a rule reads it
        self.shape = like.shape
        self.dtype = like.dtype
        self.scope = state.scope
        self.time = clock()


class Rule:
    """A backward rule: the upstream gradient ``g`` and whatever else it names in, a gradient out."""

    __slots__ = ("input", "output", "reads", "rule")

    def __init__(self, rule: Callable[..., Any], op: Primitive, input: str, output: str) -> None:
        names = list(inspect.signature(rule).parameters)
        if names[:1] != ["g"]:
            raise TypeError(f"{op}: the rule for {input!r} must take the upstream gradient g first")
        self.rule = rule
        self.input = op.inputs.index(input)
        self.output = op.outputs.index(output)
        self.reads = [op.source(name, f"the rule for {input!r}") for name in names[1:]]

    def __call__(self, g: Any, node: Node, create_graph: bool) -> Any:
        """The gradient with respect to this rule's input."""
        args = [read(node, key, create_graph) for read, key in self.reads]
        return self.rule(g, *args)


class Primitive:
    """An operation on arrays with its backward rules; made with `primitive`.

    Positional parameters of the forward are its inputs (arrays), keyword-only ones its parameters.
    """

    def __init__(self, forward: Callable[..., Any], outputs: tuple[str, ...] = ("out",)) -> None:
        functools.update_wrapper(self, forward)
        self.forward = forward
        self.name: str = forward.__name__
        signature = inspect.signature(forward).parameters.values()
        self.inputs = [p.name for p in signature if p.kind is not p.KEYWORD_ONLY]
        self.variadic = any(p.kind is p.VAR_POSITIONAL for p in signature)
        self.defaults = {p.name: p.default for p in signature if p.kind is p.KEYWORD_ONLY}
        self.outputs = outputs
        self.rules: tuple[Rule, ...] = ()
        self._keeps_input = (False,) * len(self.inputs)
        self._keeps_output = False

    def __repr__(self) -> str:
        """Name the operation."""
        return f"<operation {self.name}>"

    def source(self, name: str, asker: str) -> tuple[Callable[[Node, Any, bool], Any], Any]:
        """How a rule reads ``name`` off a node; refuses a name that is nothing of this operation."""
        if name in self.inputs:
            return _read_input, self.inputs.index(name)
        if name in self.outputs:
            return _read_output, self.outputs.index(name)
        if name in self.defaults:
            return _read_param, name
        if name.endswith("_shape") and name.removesuffix("_shape") in self.inputs:
            return _read_shape, self.inputs.index(name.removesuffix("_shape"))
        known = ", ".join([*self.inputs, *self.outputs, *self.defaults])
        raise TypeError(f"{self}: {asker} names {name!r}, which is none of: {known}")

    def compile(self, rules: Mapping[str, Any]) -> tuple[Rule, ...]:
        """Check rules given as ``input=rule`` or ``input={output: rule}``, and bind their names."""
        compiled = []
        for input, given in rules.items():
            if input not in self.inputs:
                known = ", ".join(self.inputs)
                raise TypeError(f"{self} has no input {input!r} to differentiate; it has: {known}")
            by_output = given if isinstance(given, dict) else {self.outputs[0]: given}
            for output, rule in by_output.items():
                if output not in self.outputs:
                    known = ", ".join(self.outputs)
                    raise TypeError(f"{self} has no output {output!r}; it has: {known}")
                compiled.append(Rule(rule, self, input, output))
        return tuple(compiled)

    def vjp(self, **rules: Any) -> None:
        """Declare the backward rules, one per differentiable input, as textbook lines.

        A rule takes ``g``, the gradient of the loss by the output, and names what else it needs:
        inputs, outputs (``out`` unless the operation names several), parameters, or ``x_shape``
        for the shape of input ``x``. Only what is named is kept from forward to backward.
        With several outputs an input has a rule for each: ``x={"z": rule, "sigma": rule}``. The
        rule of a forward that takes any number of inputs, ``*xs``, answers a gradient for each.
        """
        self.rules = self.compile(rules)
        reads = [read for rule in self.rules for read in rule.reads]
        self._keeps_input = tuple(
            (_read_input, index) in reads for index in range(len(self.inputs))
        )
        self._keeps_output = any(read is _read_output for read, _ in reads)

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        """Compute; and if any input is a Tensor, answer Tensors and record what was done."""
        arrays = []
        lifted = tracked = False
        for x in inputs:
            if isinstance(x, Tensor):
                lifted = True
                tracked = tracked or x.tracked
                arrays.append(x.data)
            else:
                arrays.append(x)
        try:
            value = self.forward(*arrays, **params)
        except Exception as error:
            error.add_note(self._context(arrays))
            raise
        if not lifted:
            return value
        if not (tracked and self.rules and state.recording):
            return wrap(value) if len(self.outputs) == 1 else tuple([wrap(v) for v in value])
        if False in self._keeps_input:
            keeps = self._keeps_input * len(inputs) if self.variadic else self._keeps_input
            inputs = tuple(
                [
                    x.node if not keep and isinstance(x, Tensor) and x.node is not None else x
                    for x, keep in zip(inputs, keeps, strict=False)
                ]
            )
        if self.defaults:
            params = {**self.defaults, **params}
        kept = value if self._keeps_output else None
        if len(self.outputs) == 1:
            return wrap(value, Node(self, inputs, params, kept, value))
        node = Node(self, inputs, params, kept, value[0])
        return tuple(
            [wrap(v, Node(output, (node,), {"index": i}, None, v)) for i, v in enumerate(value)]
        )

    def _context(self, arrays: Iterable[Any]) -> str:
        """Where and on what the operation failed, for the note on a kernel's own exception."""
        path = ".".join(name for name, _ in state.scope if name)
        place = f" in module {path!r}" if path else ""
        shapes = ", ".join(str(getattr(x, "shape", x)) for x in arrays)
        return f"in operation {self.name}({', '.join(self.inputs)}){place}, on shapes {shapes}"


@overload
def primitive(forward: Callable[..., Any]) -> Primitive: ...
@overload
def primitive(*, outputs: tuple[str, ...]) -> Callable[[Callable[..., Any]], Primitive]: ...
def primitive(forward: Any = None, *, outputs: tuple[str, ...] = ("out",)) -> Any:
    """Turn a function on arrays into an operation; give its backward rules with ``.vjp(...)``."""
    return Primitive(forward) if forward else lambda f: Primitive(f, outputs)


# ── what a rule may read off a node: raw arrays, or the graph's own Tensors ──────────────────────


def _read_input(node: Node, index: int, create_graph: bool) -> Any:
    x = node.inputs[index]
    if not isinstance(x, Tensor):
        return Tensor(x) if create_graph and hasattr(x, "dtype") else x
    if x.written > node.time:
        raise RuntimeError(
            f"backward through {node.op.name} needs the value that input "
            f"{node.op.inputs[index]!r}{f' ({x.name})' if x.name else ''} had when it was computed; "
            "found it overwritten in place since. Call backward before you write, or write to a "
            "copy."
        )
    return x if create_graph else x.data


def _read_output(node: Node, index: int, create_graph: bool) -> Any:
    if len(node.op.outputs) == 1:
        return wrap(node.value, node) if create_graph else node.value
    value = node.value[index]
    return (
        wrap(value, Node(output, (node,), {"index": index}, None, value)) if create_graph else value
    )


def _read_param(node: Node, name: str, _: bool) -> Any:
    return node.params[name]


def _read_shape(node: Node, index: int, _: bool) -> tuple[Any, ...]:
    if node.op.variadic:
        return tuple([x.shape for x in node.inputs])
    shape: tuple[int, ...] = node.inputs[index].shape
    return shape


# ── the three operations that the engine itself needs ────────────────────────────────────────────


@primitive
def output(values: Any, *, index: int) -> Any:
    """One of the several outputs of an operation."""
    return values[index]


# The gradient of a tuple is a dict: index -> gradient, for those outputs that have one.
output.vjp(values=lambda g, index: {index: g})


@primitive
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """Repeat ``x`` along new or single axes until it has ``shape``."""
    return namespace(x).broadcast_to(x, shape)


broadcast_to.vjp(x=lambda g: g)  # the sum over what was stretched is the engine's: see fit


@primitive
def fit(x: Array, *, shape: tuple[int, ...], dtype: Any) -> Array:
    """Undo broadcasting and promotion: sum ``x`` over what was stretched, cast it to ``dtype``."""
    xp = namespace(x)
    if x.shape != shape:
        new = x.ndim - len(shape)
        axes = tuple(range(new)) + tuple(
            i for i, n in enumerate(shape, new) if i >= 0 and n == 1 and x.shape[i] != 1
        )
        if new < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[new:], strict=True)):
            raise ValueError(
                f"a gradient of shape {x.shape} cannot belong to an input of shape {shape}: "
                "it must have that shape, or sum to it over broadcast axes. Mend the rule."
            )
        x = xp.reshape(xp.sum(x, axis=axes, dtype=x.dtype), shape)
    return x if x.dtype == dtype else xp.astype(x, dtype)


fit.vjp(x=lambda g, x_shape: broadcast_to(g, shape=x_shape))


# ── reading the graph ────────────────────────────────────────────────────────────────────────────

Vertex = Any  # a Node, or a Tensor where the graph begins


def vertex(x: Any) -> Vertex | None:
    """The place of ``x`` in the graph: its Node, itself if it is a leaf, None for a constant."""
    if isinstance(x, Tensor):
        return x.node if x.node is not None else x if x.tracked else None
    return x if isinstance(x, Node) else None


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
    nodes = [v for v in found if isinstance(v, Node)]
    nodes.sort(key=lambda node: -node.time)
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
    vertices = order(roots)
    live = set(vertices) if wanted is None else _leading_to(wanted, vertices)
    replaced = rules or {}
    gradients: dict[Vertex, Any] = {}
    for root, seed in zip(roots, seeds, strict=True):
        _accumulate(gradients, vertex(root), seed)
    for v in vertices:
        if v not in gradients or v not in live:
            continue
        g = gradients.pop(v)
        yield v, g
        if isinstance(v, Tensor):
            continue
        several = len(v.op.outputs) > 1
        for rule in replaced.get(v.op, v.op.rules):
            xs = v.inputs if v.op.variadic else v.inputs[rule.input : rule.input + 1]
            targets = [u if (u := vertex(x)) in live else None for x in xs]
            upstream = g.get(rule.output) if several else g
            if upstream is None or all(target is None for target in targets):
                continue
            try:
                answer = rule(upstream, v, create_graph)
                for x, target, part in zip(
                    xs, targets, answer if v.op.variadic else [answer], strict=True
                ):
                    if target is None:
                        continue
                    if v.op is not output and (part.shape != x.shape or part.dtype != x.dtype):
                        part = fit(part, shape=x.shape, dtype=x.dtype)
                    _accumulate(gradients, target, part)
            except Exception as error:
                name = v.op.inputs[rule.input]
                error.add_note(f"in the backward rule of {v.op.name} for input {name!r}")
                raise


def _leading_to(wanted: Iterable[Tensor], vertices: list[Vertex]) -> set[Vertex]:
    """Those of ``vertices`` from which a wanted one can be reached."""
    live = {vertex(x) for x in wanted}
    for v in reversed(vertices):
        if isinstance(v, Node) and any(vertex(x) in live for x in v.inputs if x is not None):
            live.add(v)
    live.discard(None)
    return live


def _accumulate(gradients: dict[Vertex, Any], v: Vertex, part: Any) -> None:
    """Add ``part`` to what has come to ``v`` along other paths."""
    if v not in gradients:
        gradients[v] = part
    elif isinstance(part, dict):
        total = gradients[v] = dict(gradients[v])
        for index, g in part.items():
            total[index] = total[index] + g if index in total else g
    else:
        gradients[v] = gradients[v] + part


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
        gradient = namespace(y.data).ones_like(y.data)
    g = gradient if isinstance(gradient, Tensor) else Tensor(lift(gradient, y.data))
    if g.shape != y.shape:
        raise ValueError(
            f"{asked} was given an upstream gradient of shape {g.shape} for a result of shape "
            f"{y.shape}. Pass one of the result's shape."
        )
    return g if create_graph else g.data


def backward(y: Tensor, gradient: Any = None, create_graph: bool = False) -> None:
    """Add d``y``/d``x`` to ``x.grad`` of every leaf ``x`` that ``y`` was computed from."""
    given: set[int] = set()
    seed = _seed(y, gradient, create_graph, "backward()")
    with enable_grad() if create_graph else no_grad():
        for v, g in sweep([y], [seed], create_graph=create_graph):
            if not isinstance(v, Tensor):
                continue
            if v.grad is not None:
                v.grad = v.grad + g if create_graph else wrap(v.grad.data + g)
            elif create_graph:
                v.grad = g
            else:
                # A rule may pass on its gradient, or a view of it: a leaf gets a copy of its own.
                shared = g is seed or id(g) in given or getattr(g, "base", None) is not None
                given.add(id(g))
                v.grad = wrap(namespace(g).asarray(g, copy=True) if shared else g)


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
    seeds = (
        [grad_outputs] if isinstance(outputs, Tensor) else list(grad_outputs or [None] * len(ys))
    )
    if isinstance(outputs, Tensor) and isinstance(grad_outputs, list | tuple):
        seeds = list(grad_outputs)
    seeds = [_seed(y, g, create_graph, "grad()") for y, g in zip(ys, seeds, strict=True)]
    places = [vertex(x) for x in xs]
    asked = set(places)
    walk = sweep(ys, seeds, wanted=xs, create_graph=create_graph)
    with enable_grad() if create_graph else no_grad():
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
