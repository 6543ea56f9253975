"""What an operation is: its declaration, its backward rules, and the record of each use.

A `Primitive` is one declaration: a forward on raw arrays and, beside it, one backward rule per
input. Calling it on arrays just computes; calling it on Tensors also leaves a `Node`. How nodes
are read backwards is the matter of `minigrad.engine`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, overload

from minigrad import memory
from minigrad.memory import clock, last_write, writer
from minigrad.recording import WATCHED, state
from minigrad.tensor import Tensor, wrap


class Node:
    """One recorded application of an operation.

    ``inputs`` says where each input came from: the Node that made it, the Tensor where the graph
    begins, or the constant itself. ``saved`` holds the raw arrays of those inputs that a rule will
    read, and ``value`` the raw output if one will read that, so that no array outlives its use.
    Links point to inputs alone: there are no cycles, and a graph goes as soon as its result does.
    """

    __slots__ = (
        *("op", "inputs", "saved", "params", "value", "keeper"),
        *("shape", "dtype", "scope", "time"),
    )

    def __init__(
        self,
        op: Primitive,
        inputs: Sequence[Any],
        saved: Sequence[Any],
        params: dict[str, Any],
        value: Any,
        like: Any,
    ) -> None:
        self.op = op
        self.inputs = inputs
        self.saved = saved
        self.params = params
        self.value = value
        self.keeper: Callable[[], Tensor | None] | None = None  # who asked for the gradient: weakly
        self.shape = like.shape
        self.dtype = like.dtype
        self.scope = state.scope
        self.time = clock()


class Rule:
    """A backward rule: the upstream gradient ``g`` and what else it names in, a gradient out."""

    __slots__ = ("input", "inputs", "output", "reads", "rule", "take")

    def __init__(self, rule: Callable[..., Any], op: Primitive, input: str, output: Any) -> None:
        names = rule.__code__.co_varnames[: rule.__code__.co_argcount]
        if names[:1] != ("g",):
            raise TypeError(f"{op}: the rule for {input!r} must take the upstream gradient g first")
        self.rule = rule
        self.input = input
        i = op.inputs.index(input)
        self.inputs = slice(None) if op.variadic else slice(i, i + 1)
        self.output = op.outputs.index(output) if op.several and output is not ... else None
        self.reads = [op.source(name, f"the rule for {input!r}") for name in names[1:]]
        # Most rules read raw inputs alone: these are taken at once, if none has been overwritten.
        taken = [key for read, key in self.reads if read is _read_input]
        self.take = _taker(taken) if len(taken) == len(self.reads) and not op.variadic else None

    def __call__(self, g: Any, node: Node, create_graph: bool) -> Any:
        """The gradient by this rule's input; by each of them, where there may be any number."""
        try:
            if self.take is None or create_graph or memory.latest > node.time:
                args = [read(node, key, create_graph) for read, key in self.reads]
            else:
                args = self.take(node.saved)
            answer = self.rule(g, *args)
        except Exception as error:
            error.add_note(f"in the backward rule of {node.op.name} for input {self.input!r}")
            raise
        if state.recording == WATCHED:
            parts = answer if node.op.variadic else [answer]
            state.check(node, parts, {"g": g}, "the gradient that comes out of")
        return answer


def _taker(places: list[int]) -> Callable[[Sequence[Any]], Any]:
    """How to take the entries at ``places`` out of a sequence, as a sequence."""
    if len(places) > 1:
        return itemgetter(*places)
    return itemgetter(slice(places[0], places[0] + 1)) if places else itemgetter(slice(0))


class Primitive:
    """An operation on arrays with its backward rules; made with `primitive`.

    Positional parameters of the forward are its inputs (arrays), keyword-only ones its parameters.
    """

    def __init__(self, forward: Callable[..., Any], outputs: tuple[str, ...] = ("out",)) -> None:
        functools.update_wrapper(self, forward)
        self.forward = forward
        self.name: str = forward.__name__
        code = forward.__code__  # read directly: inspect.signature would double the import time
        names = code.co_varnames
        first = code.co_argcount + code.co_kwonlyargcount
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        self.inputs = [*names[: code.co_argcount], *names[first : first + self.variadic]]
        self.defaults = dict.fromkeys(names[code.co_argcount : first])
        self.defaults.update(forward.__kwdefaults__ or {})
        self.outputs = outputs
        self.several = len(outputs) > 1
        self.rules: tuple[Rule, ...] = ()
        self._reads: set[int] = set()  # the inputs whose values a rule reads
        self._reads_all = self._reads_output = False

    def __repr__(self) -> str:
        """Name the operation."""
        return f"<operation {self.name}>"

    def source(self, name: str, asker: str) -> tuple[Callable[[Node, Any, bool], Any], Any]:
        """How a rule reads ``name`` off a node; refuses what is no name of this operation."""
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
                if output is not ... and output not in self.outputs:
                    known = ", ".join(self.outputs)
                    raise TypeError(f"{self} has no output {output!r}; it has: {known}")
                compiled.append(Rule(rule, self, input, output))
        return tuple(compiled)

    def vjp(self, **rules: Any) -> None:
        """Declare the backward rules, one per differentiable input, as textbook lines.

        A rule takes ``g``, the gradient of the loss by the output, and names what else it needs:
        inputs, outputs (``out`` unless the operation names several), parameters, or ``x_shape``
        for the shape of input ``x``. Only what is named is kept from forward to backward.
        With several outputs an input has a rule for each, ``x={"z": rule, "sigma": rule}``, or
        one for all, ``x={...: rule}``, whose g is a dict: place of the output → gradient. The
        rule of a forward that takes any number of inputs, ``*xs``, answers a gradient for each.
        """
        self.rules = self.compile(rules)
        reads = [read for rule in self.rules for read in rule.reads]
        self._reads = {index for read, index in reads if read is _read_input}
        self._reads_all = len(self._reads) == len(self.inputs)
        self._reads_output = any(read is _read_output for read, _ in reads)

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        """Compute; and if any input is a Tensor, answer Tensors and record what was done."""
        arrays, origins = [], []
        tracked = None
        for x in inputs:
            if isinstance(x, Tensor):
                arrays.append(x.data)
                if x.tracked:
                    tracked = True
                    origins.append(x if x.node is None else x.node)
                    continue
                tracked = tracked or False
            else:
                arrays.append(x)
            origins.append(x)
        try:
            value = self.forward(*arrays, **params)
        except Exception as error:
            error.add_note(self._context(arrays))
            raise
        if tracked is None:  # no Tensor among them
            return value
        recording = state.recording
        if not (tracked and self.rules and recording):
            return tuple([wrap(v) for v in value]) if self.several else wrap(value)
        if self.defaults:
            params = {**self.defaults, **params}
        saved: Sequence[Any] = arrays
        if not self._reads_all:
            read = self._reads
            saved = [a if i in read else None for i, a in enumerate(arrays)] if read else ()
        kept = value if self._reads_output else None
        node = Node(self, origins, saved, params, kept, value[0] if self.several else value)
        if recording == WATCHED:
            given = dict(zip(self.inputs, arrays, strict=False))
            state.check(node, value if self.several else [value], given, "the result of")
        if not self.several:
            return wrap(value, node)
        return tuple([wrap(v, _part(node, i, v)) for i, v in enumerate(value)])

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
    raw, origin = node.saved[index], node.inputs[index]
    if memory.latest > node.time < last_write(raw):
        raise _overwritten(node, index, raw)
    if not create_graph or not hasattr(raw, "dtype"):
        return raw
    if isinstance(origin, Node):
        return wrap(raw, origin)
    if not isinstance(origin, Tensor) or (origin.data is not raw and not origin.tracked):
        return Tensor(raw)
    if origin.data is not raw:  # the leaf was given another array since
        raise _overwritten(node, index, raw)
    return origin


def _read_output(node: Node, index: int, create_graph: bool) -> Any:
    value = node.value[index] if node.op.several else node.value
    if memory.latest > node.time < last_write(value):
        raise _overwritten(node, f"output {node.op.outputs[index]!r}", value)
    if not create_graph:
        return value
    return wrap(value, _part(node, index, value) if node.op.several else node)


def _overwritten(node: Node, what: int | str, data: Any) -> RuntimeError:
    if isinstance(what, int):
        name = getattr(node.inputs[what], "name", None)
        what = f"input {node.op.inputs[what]!r}{f' ({name})' if name else ''}"
    return RuntimeError(
        f"backward through {node.op.name} needs the value that its {what} had when it ran; found "
        f"it overwritten in place since, at {writer(data)}. Call backward before you write, or "
        "write to a copy."
    )


def _read_param(node: Node, name: str, _: bool) -> Any:
    return node.params[name]


def _read_shape(node: Node, index: int, _: bool) -> tuple[Any, ...]:
    if node.op.variadic:
        return tuple([x.shape for x in node.inputs])
    shape: tuple[int, ...] = node.inputs[index].shape
    return shape


# ── the operation by which several outputs become Tensors of their own ───────────────────────────


@primitive
def output(values: Any, *, index: int) -> Any:
    """One of the several outputs of an operation; its backward is the engine's."""
    return values[index]


def _part(node: Node, index: int, value: Any) -> Node:
    """The record that one output has of its own."""
    return Node(output, (node,), (), {"index": index}, None, value)
