"""The backward pass on a drawing: every operation of every rule, beside the forward."""

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.drawing import draw, quantities
from minigrad.drawing.backward import WORDS, words
from minigrad.operation import Primitive
from minigrad.recording import thread


def number(x):
    """A scalar that requires grad."""
    return mg.tensor(float(x), requires_grad=True)


def named(graph, name):
    """The vertex of this name."""
    (found,) = [v for v in graph.picture.vertices if v.name == name]
    return found


def network():
    """Linear → BatchNorm → ReLU, and a scalar on top."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU())
    return model, (model(mg.randn(5, 4)) ** 2).sum()


def test_the_backward_pass_is_drawn_beside_the_forward():
    """One box for each operation of a rule, in a cluster that says what the rule does."""
    a, b = number(2), number(-3)
    y = (a * b).tanh()
    graph = draw(y, names={"a": a, "b": b, "y": y}, backward=True)
    forward = [v.id for v in graph.picture.vertices if not v.backward]
    assert forward == [v.id for v in draw(y).picture.vertices]
    (backward,) = graph.picture.top.children
    assert [c.title for c in backward.children] == [
        "∂(tanh)/∂x · g times 1 − result²",
        "∂(×)/∂x · g times the other factor",
        "∂(×)/∂y · g times the other factor",
    ]
    assert {v.kind for v in graph.picture.vertices if v.backward} == {"gradient"}


def test_its_results_are_the_gradients_of_the_engine():
    """∂y/∂a has the value that backward() gives, and no .grad is touched."""
    model, y = network()
    graph = draw(y, names={"L": y}, backward=True)
    assert model[0].weight.grad is None
    assert thread.state.scope == ()
    y.backward()
    for sign, x in (("W", model[0].weight), ("γ", model[1].weight), ("β", model[1].bias)):
        found = named(graph, f"∂L/∂{sign}")
        assert found.root
        assert found.value.text == quantities.quantity(x.grad.data).text


def test_rules_stand_in_the_modules_of_their_operations():
    """The backward of a network has the network's clusters."""
    _, y = network()
    graph = draw(y, backward=True)
    paths = {v.path.rpartition(".")[0] for v in graph.picture.vertices if v.backward}
    assert {"0", "1", "2"} <= paths
    folded = draw(y, backward=True, depth=0)
    boxes = [(v.kind, v.sign) for v in folded.picture.vertices if v.kind == "module"]
    assert ("module", "Sequential") in boxes
    assert len(folded.picture.vertices) < len(graph.picture.vertices)


def test_double_backward_is_drawn_too():
    """The gradient of a gradient has a backward pass of its own; 3x² gives 6x."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    (g,) = mg.grad((x**3).sum(), [x], create_graph=True)
    graph = draw(g.sum(), names={"x": x}, backward=True)
    assert named(graph, "∂y/∂x").value.text == "[6, 12]"


def test_the_same_gradient_of_two_leaves_is_one_box():
    """A sum passes g on to both: one box with both names."""
    a, b = number(1), number(2)
    graph = draw(a + b, names={"a": a, "b": b}, backward=True)
    assert named(graph, "∂y/∂y = ∂y/∂a = ∂y/∂b").value.text == "1"


def test_gradients_of_like_parameters_are_told_apart_by_their_module():
    """∂y/∂0.W and ∂y/∂1.W."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1, bias=False))
    names = {v.name for v in draw(model(mg.ones(4, 2)).sum(), backward=True).picture.vertices}
    assert {"∂y/∂0.W", "∂y/∂1.W", "∂y/∂b"} <= names


def test_sums_over_paths_stand_outside_the_rules():
    """x is read twice: what comes back along both is added, by no rule; the order holds."""

    class Twice(nn.Module):
        def __init__(self):
            self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)

        def forward(self, x):
            h = x.tanh()
            return h + self.a(h).relu() * self.b(h)

    x = mg.ones(2, 3).requires_grad_()
    y = Twice()(x).sum()
    graph = draw(y, names={"x": x}, backward=True)
    added = [v for v in graph.picture.vertices if v.backward and v.operation == "add"]
    assert [v.note for v in added] == ["of all paths"] * 2
    assert not any(v.scope[-1][0].startswith("∂") for v in added)
    for depth in (0, 1, 2):
        folded = draw(y, backward=True, depth=depth)
        boxes = [v for v in folded.picture.vertices if v.backward and v.sign == "Twice"]
        assert len(boxes) == (depth == 0)
        read = {e.source for e in folded.picture.edges} | {e.target for e in folded.picture.edges}
        assert read == {v.id for v in folded.picture.vertices}
    y.backward()
    assert named(graph, "∂y/∂x").value.text == quantities.quantity(x.grad.data).text


def test_arrows_of_the_backward_pass_run_back():
    """They are written the other way round, and what rules read is dotted and moves nothing."""
    a = number(2)
    dot = draw(a * a, backward=True).dot
    assert re.search(r"n\d -> n\d \[.*dir=back\]", dot)
    assert "style=dotted, constraint=false" in dot


def test_a_result_without_gradients_is_refused():
    """The message says what to set."""
    with pytest.raises(ValueError, match=r"backward=True.*shape \(2,\).*requires_grad=True"):
        draw(mg.tensor([1.0, 2.0]), backward=True)


def test_words_are_of_rules_that_there_are():
    """Each entry is of an operation that exists and of an input that has a rule."""
    import gc  # noqa: PLC0415 - the operations have no other register

    known = {op.name.lstrip("_"): op for op in gc.get_objects() if type(op) is Primitive}
    for name, rules in WORDS.items():
        inputs = {rule.input for rule in known[name].rules}
        assert set(rules) - {""} <= inputs, name
        assert all(words(name, i) for i in inputs), name


def test_values_that_the_backward_pass_needs_are_told_if_overwritten():
    """The engine's own message comes through."""
    x = mg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = (x * x).sum()
    with mg.no_grad():
        x[0] = 3.0
    with pytest.raises(RuntimeError, match="overwritten in place"):
        draw(y, backward=True)
    assert thread.state.scope == ()
