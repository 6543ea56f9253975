"""A number that is not there is told with its reason, and never drawn as 0."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.drawing import draw
from minigrad.drawing.graph import MEANINGS
from minigrad.drawing.look import MARKS


def vertex(graph, **facts):
    """The one vertex of which all ``facts`` hold."""
    (found,) = [
        v for v in graph.picture.vertices if all(getattr(v, k) == f for k, f in facts.items())
    ]
    return found


def test_a_second_backward_without_zero_is_stale():
    """.grad of a leaf holds twice the gradient: it is shown as stale, with the reason."""
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(2):
        y = (w * w).sum()
        y.backward()
    found = vertex(draw(y), kind="parameter").grad
    assert (found.state, found.text) == ("stale", "[4, 8]")
    assert str(found) == "stale [4, 8]"
    assert found.details.startswith("2 × the gradient of this result")
    w.grad = None
    y.backward()
    assert vertex(draw(y), kind="parameter").grad.state == "computed"


def test_a_gradient_of_another_result_is_stale():
    """What another loss added to .grad is told, though the number is no multiple."""
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    (w**3).sum().backward()
    y = (w * w).sum()
    y.backward()
    found = vertex(draw(y), kind="parameter").grad
    assert found.state == "stale"
    assert "another backward" in found.details


def test_gradients_that_are_nan_are_not_stale():
    """NaN is the gradient of this result, and is shown as such."""
    w = mg.tensor([-1.0, 4.0], requires_grad=True)
    with np.errstate(all="ignore"):
        y = w.sqrt().sum()
        y.backward()
    assert vertex(draw(y), kind="parameter").grad.state == "computed"


def test_a_detached_tensor_says_so_and_from_where():
    """detach() is an arrow that passes a value and no gradient."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    h = x.exp()
    y = (h * h.detach()).sum()
    y.backward()
    graph = draw(y)
    (cut,) = [e for e in graph.picture.edges if e.cut]
    assert cut.source == vertex(graph, sign="exp").id
    assert vertex(graph, id=cut.target).grad.state == "detached"
    assert "style=dashed" in graph.dot
    plain = draw((h * mg.tensor([1.0, 2.0])).sum())
    assert vertex(plain, kind="input").grad.state == "needs no gradient"


def test_a_parameter_that_the_result_does_not_depend_on_has_no_path():
    """model= puts it on the drawing, in its module; a frozen one needs no gradient."""

    class Half(nn.Module):
        def __init__(self):
            self.used = nn.Linear(2, 2)
            self.spare = nn.ModuleList([nn.Linear(2, 3)])

        def forward(self, x):
            return self.used(x)

    model = Half()
    model.used.bias.requires_grad = False
    y = model(mg.randn(3, 2)).sum()
    y.backward()
    assert len(draw(y).picture.vertices) == 5
    graph = draw(y, model=model)
    spare = vertex(graph, name="weight", shape=(3, 2))
    assert (spare.path, spare.grad.state) == ("spare.0", "no path")
    assert vertex(graph, sign="b").grad.state == "needs no gradient"
    titles = [c.title for c in graph.picture.top.children[0].children]
    assert titles == ["used · Linear", "spare.0 · Linear"]
    model.spare[0].weight.grad = mg.ones(3, 2)
    assert vertex(draw(y, model=model), name="weight", shape=(3, 2)).grad.state == "stale"


def test_standardized_data_say_that_the_standardizing_is_not_recorded():
    """A normalization on data that need no gradient leaves no μ and σ; its ẑ says why."""
    y = nn.LayerNorm(3)(mg.randn(4, 3)).sum()
    z = vertex(draw(y), sign="ẑ")
    assert z.kind == "input"
    assert z.note == "(x − μ)/σ of data: not recorded"
    x = mg.randn(4, 3).requires_grad_()
    assert not [v for v in draw(nn.LayerNorm(3)(x)).picture.vertices if v.note.startswith("(x")]


def test_every_state_has_a_mark_and_a_meaning_of_its_own():
    """No two are drawn alike but those that say the number is of another time."""
    assert MARKS.keys() == MEANINGS.keys()
    marks = [mark for state, mark in MARKS.items() if state != "now"]
    assert len(set(marks)) == len(marks)


@pytest.mark.parametrize("legend", [True, False])
def test_the_legend_explains_what_is_on_the_drawing(legend):
    """Kinds and marks that are there are in it, others not."""
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    dot = draw((w * w).sum(), legend=legend).dot
    assert ("operation and its result" in dot) == legend
    foot = dot.split("  node [")[0]
    assert ("not computed</I>: backward has not run" in foot) == legend
    assert "further result" not in dot


def test_zero_and_nothing_look_different_in_heat():
    """A gradient of 0 has a colour of its own; a missing one is white."""
    w, v = mg.tensor([1.0, -2.0], requires_grad=True), mg.tensor([3.0, 4.0])
    y = (w.relu() * 0 + w.detach() * w * v).sum()
    y.backward()
    graph = draw(y, heat="grad", show=("shape",))
    assert "#D6E6F2" in graph.dot
    assert "0 throughout" in graph.dot
    assert ">grad" not in graph.dot
