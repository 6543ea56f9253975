"""The graph of a backward pass: what `grad(create_graph=True)` records, with its rules in words.

Nothing is drawn here. One more sweep records the gradients' own computation; what a rule records
is put in a scope that names the rule, inside the modules of the operation that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from minigrad import backend, engine
from minigrad.drawing import symbols
from minigrad.drawing.graph import BACKWARD, RULE
from minigrad.node import Node
from minigrad.recording import enable_grad, thread
from minigrad.rule import Rule
from minigrad.tensor import Tensor

# What the rules say, by operation and input ("" for all inputs), where g is the upstream gradient.
WORDS: dict[str, dict[str, str]] = {
    "add": {"": "g as it is"},
    "sub": {"x": "g as it is", "y": "g with the other sign"},
    "neg": {"": "g with the other sign"},
    "mul": {"": "g times the other factor"},
    "div": {"x": "g over the divisor", "y": "−g times the quotient over the divisor"},
    "pow": {"x": "g times y·xʸ⁻¹", "y": "g times xʸ·ln x"},
    "square": {"": "g times 2x"},
    "sqrt": {"": "g over twice the root"},
    "exp": {"": "g times the result"},
    "log": {"": "g over x"},
    "rsqrt": {"": "g times −½·x^−3/2"},
    "reciprocal": {"": "−g over x²"},
    "sin": {"": "g times cos x"},
    "cos": {"": "−g times sin x"},
    "erf": {"": "g times 2/√π·e^−x²"},
    "log1pexp": {"": "g times sigmoid"},
    "tanh": {"": "g times 1 − result²"},
    "sigmoid": {"": "g times result·(1 − result)"},
    "relu": {"": "g where x > 0, else 0"},
    "abs": {"": "g times the sign of x"},
    "maximum": {"": "g where this one is larger"},
    "minimum": {"": "g where this one is smaller"},
    "where": {"": "g where this one was chosen"},
    "clamp": {"": "g where x is inside the limits"},
    "sum_over": {"": "g repeated along what was summed"},
    "mean_over": {"": "g repeated, over the number of entries"},
    "max_over": {"": "g to the largest"},
    "min_over": {"": "g to the smallest"},
    "broadcast_to": {"": "g summed along what was stretched"},
    "fit": {"": "g stretched again"},
    "reshape": {"": "g in the shape of x"},
    "permute": {"": "g with the axes put back"},
    "matrix_transpose": {"": "g transposed"},
    "getitem": {"": "g put where it was taken, 0 elsewhere"},
    "concat": {"": "the part of g that belongs to each"},
    "stack": {"": "the part of g that belongs to each"},
    "take_rows": {"": "g added to the rows that were taken"},
    "unfold": {"": "patches of g added where they overlap"},
    "convolve": {
        "x": "Wᵀ times g, added where patches overlap",
        "w": "g times the patches of x",
        "b": "g summed over the batch and all places",
    },
    "max_over_patches": {"": "g to the largest of each patch"},
    "matmul": {"x": "g times yᵀ", "y": "xᵀ times g"},
    "linear": {"x": "g times W", "w": "gᵀ times x", "b": "g summed over the batch"},
    "scale_shift": {"z": "g times γ", "gamma": "g times ẑ, summed", "beta": "g, summed"},
    "standardize": {"": "g without its mean and its part along ẑ, over σ"},
    "normalize": {"x": "g over σ", "mu": "−g over σ", "sigma": "−g times ẑ over σ"},
    "softmax": {"": "p times (g − the mean of g under p)"},
    "log_softmax": {"": "g − p times the sum of g"},
    "logsumexp": {"": "g times softmax"},
    "softmax_cross_entropy": {"z": "g times (p − t)", "t": "g times −ln p"},
}


def words(operation: str, argument: str) -> str:
    """What the rule of ``operation`` for the input ``argument`` does, or "" if that is not told."""
    rules = WORDS.get(operation.lstrip("_"), {})
    return rules.get(argument, rules.get("", ""))


class _Named(Rule):
    """A rule that records under its own name, in the modules of the operation it belongs to."""

    __slots__ = ()

    def __init__(self, rule: Rule) -> None:
        for slot in Rule.__slots__:
            setattr(self, slot, getattr(rule, slot))

    def read(self, node: Node, create_graph: bool) -> Sequence[Any]:
        name = node.op.name.lstrip("_")
        sign = symbols.OPERATIONS.get(name, name).partition(" = ")[0]
        title = (f"{RULE}{sign})/∂{symbols.argument(self.input)}", words(name, self.input))
        # It stays: what the sweep does with the answer, fitting and adding it, comes next.
        thread.state.scope = (BACKWARD, *node.scope, title)
        return super().read(node, create_graph)


def sums(nodes: Iterable[Node]) -> set[Node]:
    """Those of a backward pass that add what came along several paths; they belong to no rule.

    Such a sum is the last thing recorded after a rule, and reads what another rule has left.
    """
    last = {id(node.scope[-1]): node for node in nodes}
    return {
        node
        for node in last.values()
        if node.op.name == "add"
        and any(isinstance(x, Node) and _elsewhere(x, node) for x in node.inputs)
    }


def _elsewhere(x: Node, node: Node) -> bool:
    return x.scope[:1] == (BACKWARD,) and x.scope[-1] is not node.scope[-1]


def record(roots: Sequence[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """(tensor, gradient) of each root, where a backward pass starts, and of each leaf it reaches.

    The first require grad themselves, so that every step is recorded, not only those that a
    second derivative would need. No ``.grad`` is touched.
    """
    if untracked := [y for y in roots if not y.tracked]:
        raise ValueError(
            "draw(backward=True) needs results that depend on a tensor with requires_grad=True; "
            f"one of shape {untracked[0].shape} does not. Leave backward out, or set "
            "requires_grad=True before computing."
        )
    seeds = [Tensor(backend.namespace(y.data).ones_like(y.data), True) for y in roots]
    operations = {v.op for v in engine.order(roots) if isinstance(v, Node)}
    rules = {op: tuple(map(_Named, op.rules)) for op in operations}
    known = set(map(id, roots))
    outer = thread.state.scope
    try:
        with enable_grad():
            leaves = engine.sweep(roots, seeds, create_graph=True, rules=rules)
    finally:
        thread.state.scope = outer
    return [
        *zip(roots, seeds, strict=True),
        *((x, g) for x, g in leaves.items() if id(x) not in known),
    ]
