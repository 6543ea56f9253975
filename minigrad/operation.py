"""What an operation is: its declaration, with its backward rules, and what a use of it leaves.

A `Primitive` is one declaration: a forward on raw arrays and, beside it, one backward rule per
input. Calling it on arrays just computes; calling it on Tensors also leaves a `Node`. How nodes
are read backwards is the matter of `minigrad.engine`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, overload
from weakref import ref

import numpy as np

from minigrad.backend import SCALAR
from minigrad.node import Node
from minigrad.recording import WATCHED, thread
from minigrad.rule import (
    Edges,
    Rule,
    arguments,
    laid_out,
    read_input,
    read_output,
    read_plain,
    taker,
)
from minigrad.tensor import Tensor, wrap

INPUTS, RESULT, NOTHING = "inputs", "result", "nothing"  # what rules most often read


class Primitive:
    """An operation on arrays with its backward rules; made with `primitive`.

    Positional parameters of the forward are its inputs (arrays), keyword-only ones its parameters.
    """

    __slots__ = (
        *("forward", "name", "inputs", "defaults", "outputs", "several", "variadic", "joint"),
        *("rules", "edges", "kept", "_keep", "_plain", "_sized", "__dict__", "__weakref__"),
    )

    def __init__(self, forward: Callable[..., Any], outputs: tuple[str, ...] = ("out",)) -> None:
        functools.update_wrapper(self, forward)
        self.forward = forward
        self.name: str = forward.__name__
        code = forward.__code__  # read directly: inspect.signature would double the import time
        names = code.co_varnames
        first = code.co_argcount + code.co_kwonlyargcount
        self.variadic = bool(code.co_flags & inspect.CO_VARARGS)
        self.joint = self.variadic  # whether one rule answers for all inputs
        self.inputs = [*names[: code.co_argcount], *names[first : first + self.variadic]]
        self.defaults = dict.fromkeys(names[code.co_argcount : first])
        self.defaults.update(forward.__kwdefaults__ or {})
        self.outputs = outputs
        self.several = len(outputs) > 1
        self.rules: tuple[Rule, ...] = ()
        self.edges: Edges = []
        self.kept: list[str] = []  # what is saved for the rules, of what `_names` has
        self._keep: Any = NOTHING  # one of these; else takes what is kept out of all at hand
        self._plain = True  # whether they are among the inputs and a single output
        self._sized = False  # whether shapes are among them

    def __repr__(self) -> str:
        """Name the operation."""
        return f"<operation {self.name}>"

    def __deepcopy__(self, memo: Any) -> Primitive:
        """Itself: the copy of a graph has the same operations."""
        return self

    def source(self, name: str, asker: str) -> tuple[Callable[..., Any], int, int]:
        """How a rule reads ``name`` off a node, its place in ``saved``, and among its like."""
        names = [*self.inputs, *self.outputs, *self.defaults]
        if name not in names and name.removesuffix("_shape") not in self.inputs:
            known = ", ".join(names)
            raise TypeError(f"{self}: {asker} names {name!r}, which is none of: {known}")
        if name not in self.kept:
            raise TypeError(f"{self}: {asker} names {name!r}, which no rule of its own has kept")
        always = self.inputs[: len(self.inputs) - len(self.forward.__defaults__ or ())]
        if name in self.inputs and (self.variadic or name not in always):
            raise TypeError(
                f"{self}: {asker} names {name!r}, of which a call may have none or more"
            )
        place = self.kept.index(name)
        if name in self.outputs:
            return read_output, place, self.outputs.index(name)
        if name in self.inputs:
            return read_input, place, self.inputs.index(name)
        return read_plain, place, 0

    def _names(self) -> list[str]:
        """All that a rule may read, in the order in which `__call__` has it at hand."""
        params = [] if self._plain else self.defaults
        shapes = [f"{name}_shape" for name in self.inputs if self._sized]
        return [*self.outputs, *params, *shapes, *self.inputs]

    def compile(self, rules: Mapping[str, Any]) -> tuple[Rule, ...]:
        """Check rules given as ``input=rule`` or ``input={output: rule}``, and bind their names."""
        compiled = []
        for input, output, rule in self._each(rules):
            if input not in self.inputs and not self.joint:
                known = ", ".join(self.inputs)
                raise TypeError(f"{self} has no input {input!r} to differentiate; it has: {known}")
            if output is not ... and output not in self.outputs:
                known = ", ".join(self.outputs)
                raise TypeError(f"{self} has no output {output!r}; it has: {known}")
            compiled.append(Rule(rule, self, input, output))
        if self.joint and len(compiled) != 1:
            raise TypeError(f"{self} needs one rule for all inputs; got {len(compiled)}")
        return tuple(compiled)

    def _each(self, rules: Mapping[str, Any]) -> Iterator[tuple[str, Any, Callable[..., Any]]]:
        """(input, output, rule) of rules as they are declared."""
        for input, given in rules.items():
            by_output = given if isinstance(given, dict) else {self.outputs[0]: given}
            for output, rule in by_output.items():
                yield input, output, rule

    def vjp(self, joint: Callable[..., Any] | None = None, /, **rules: Any) -> None:
        """Declare the backward rules, one per differentiable input, as textbook lines.

        A rule takes ``g``, the gradient of the loss by the output, and names what else it needs:
        inputs, outputs (``out`` unless the operation names several), parameters, or ``x_shape``
        for the shape of input ``x``. Only what is named is kept from forward to backward.
        With several outputs an input has a rule for each, ``x={"z": rule, "sigma": rule}``, or
        one for all, ``x={...: rule}``, whose g is a dict: place of the output → gradient.
        Where the gradients by all inputs share much, a ``joint`` rule answers a sequence of them;
        so does the rule of a forward that takes any number of inputs, ``*xs``.
        """
        if joint:
            self.joint, rules = True, {", ".join(self.inputs): {...: joint}}
        read = {name for _, _, rule in self._each(rules) for name in arguments(rule)[1:]}
        if read & {*self.outputs}:
            read |= {*self.outputs}
        self._plain = not self.several and read <= {*self.outputs, *self.inputs}
        self._sized = any(name.endswith("_shape") for name in read)
        names = self._names()
        self.kept = [name for name in names if name in read]
        if self.kept == self.inputs and not self.variadic:
            self._keep = INPUTS
        elif self._plain and self.kept in ([], [*self.outputs]):
            self._keep = RESULT if self.kept else NOTHING
        else:
            self._keep = taker([names.index(name) for name in self.kept])
        self.rules = self.compile(rules)
        self.edges = laid_out(self.rules, len(self.inputs))

    def __call__(self, *inputs: Any, **params: Any) -> Any:
        """Compute; and if any input is a Tensor, answer Tensors and record what was done."""
        arrays, origins = [], []
        tracked = None  # as long as there is no Tensor
        for x in inputs:
            if isinstance(x, Tensor):
                arrays.append(x.data)
                origins.append(x.node or x)
                tracked = tracked or x.tracked
            else:
                arrays.append(x)
                origins.append(x)
        try:
            value = self.forward(*arrays, **params) if params else self.forward(*arrays)
        except Exception as error:
            error.add_note(self._context(arrays))
            raise
        if tracked is None:
            return value
        state = thread.state
        recording = state.recording
        if not (tracked and self.rules and recording):
            return tuple([wrap(v) for v in value]) if self.several else wrap(value)
        params = {**self.defaults, **params} if self.defaults else self.defaults
        several, keep = self.several, self._keep
        saved: Sequence[Any] = ()
        if keep is INPUTS:
            saved = arrays
        elif keep is not NOTHING:
            saved = (value,) if keep is RESULT else keep(self._at_hand(value, arrays, params))
        node = Node(self, origins, saved, params, value[0] if several else value, state.scope)
        if recording == WATCHED:
            given = dict(zip(self.inputs, arrays, strict=False))
            state.check(node, value if several else [value], given, "the result of")
        if several:
            return _outputs(node, value)
        return wrap(value, node)

    def _at_hand(self, value: Any, arrays: Sequence[Any], params: dict[str, Any]) -> Sequence[Any]:
        """All that a rule may read, in the order of `_names`."""
        if self._plain:
            return (value, *arrays)
        outputs = value if self.several else (value,)
        shapes = self._shapes(arrays) if self._sized else ()
        return (*outputs, *params.values(), *shapes, *arrays)

    def _shapes(self, arrays: Sequence[Any]) -> list[Any]:
        """The shape of each input; all of them as one, where there may be any number."""
        shapes = [getattr(x, "shape", ()) for x in arrays]
        if self.variadic:
            return [tuple(shapes)]
        return shapes + [()] * (len(self.inputs) - len(shapes))

    def part(self, node: Node, index: int, value: Any) -> Node:
        """The record that an output but the first has of its own: one, whoever asks for it."""
        parts = getattr(node, "parts", None)
        if parts is None:
            parts = node.parts = {}
        own = parts[index]() if index in parts else None
        if own is None or own.inputs[0] is not node:  # it has gone; or is that of a copied graph
            own = Node(output, (node,), (), {"index": index}, value, node.scope)
            parts[index] = ref(own)
        return own

    def _context(self, arrays: Iterable[Any]) -> str:
        """Where and on what the operation failed, for the note on a kernel's own exception."""
        path = ".".join(name for name, _ in thread.state.scope if name)
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


# ── the operation by which several outputs become Tensors of their own ───────────────────────────


@primitive
def output(values: Any, *, index: int) -> Any:
    """One of the several outputs of an operation; its backward is the engine's."""
    return values[index]


class Output(Tensor):
    """An output but the first, of which little is asked: the rest is filled in when it is.

    So it has a place in the graph of its own, a node, only if it is used.
    """

    __slots__ = ("index", "source")
    index: int
    source: Node

    def __getattr__(self, name: str) -> Any:
        """Fill in what any Tensor has."""
        if name not in Tensor.__slots__:
            raise AttributeError(f"Tensor has no attribute {name!r}", name=name, obj=self)
        if name in ("node", "tracked"):  # whoever asks for one asks for the other
            self.node = self.source.op.part(self.source, self.index, self.data)
            self.tracked = True
        else:
            setattr(self, name, None)
        return getattr(self, name)


_new, _ndarray = Output.__new__, np.ndarray


def _outputs(node: Node, values: Sequence[Any]) -> tuple[Tensor, ...]:
    """The several outputs of an operation, as Tensors."""
    tensors = [wrap(values[0], node)]
    for index in range(1, len(values)):
        value = values[index]
        x = _new(Output)
        x.data = value if type(value) is _ndarray else _array(value)
        x.source = node
        x.index = index
        tensors.append(x)
    return tuple(tensors)


def _array(value: Any) -> Any:
    return np.asarray(value) if isinstance(value, SCALAR) else value
