"""Folded drawings: smaller, still honest, and without circles."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.drawing import draw


class Block(nn.Module):
    """x + Linear(ReLU(LayerNorm(x)))."""

    def __init__(self, width):
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)

    def forward(self, x):
        """Map (N, width) to itself."""
        return x + self.linear(mg.relu(self.norm(x)))


def deep(blocks):
    """A network of blocks alike, and its loss after backward."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), *[Block(4) for _ in range(blocks)], nn.Linear(4, 2))
    loss = model(mg.randn(5, 3)).square().sum()
    loss.backward()
    return loss


def chain(length):
    """A result of ``length`` operations of two kinds."""
    x = y = mg.tensor(0.5, requires_grad=True)
    for i in range(length):
        y = y.tanh() if i % 7 else y * x
    return y + 1


def signs(graph):
    """What the boxes are called."""
    return [" ".join(filter(None, (v.sign, v.name))) for v in graph.picture.vertices]


def check_order(graph):
    """Every arrow runs forwards, between boxes that are there."""
    at = {v.id: i for i, v in enumerate(graph.picture.vertices)}
    assert all(at[edge.source] < at[edge.target] for edge in graph.picture.edges)
    drawn = {(e.source, e.target, e.argument) for e in graph.picture.edges}
    assert len(drawn) == len(graph.picture.edges)


def test_depth_folds_modules_to_boxes():
    """At depth 1 the children of the model are boxes, at 0 the model is one."""
    loss = deep(2)
    graph = draw(loss, depth=1)
    assert signs(graph) == ["", "Linear 0", "Block 1", "Block 2", "Linear 3", "x²", "Σ"]
    assert [c.title for c in graph.picture.top.children] == ["Sequential"]
    assert signs(draw(loss, depth=0)) == ["", "Sequential", "x²", "Σ"]
    assert signs(draw(loss, depth=9)) == signs(draw(loss))
    check_order(graph)


def test_a_folded_box_shows_the_modules_result():
    """Its shape, value and gradient are those of what leaves the module."""
    loss = deep(1)
    whole = {v.id: v for v in draw(loss).picture.vertices}
    box = next(v for v in draw(loss, depth=1).picture.vertices if v.sign == "Block")
    result = whole[box.id]
    assert (result.sign, result.path) == ("+", "1")
    assert (box.shape, box.value, box.grad) == (result.shape, result.value, result.grad)
    assert box.note == "5 operations, 28 parameters"


def test_blocks_alike_become_one_with_their_number():
    """200 blocks of four operations are drawn once, as × 200, with the sizes of first and last."""
    graph = draw(deep(200))
    assert len(graph.picture.vertices) < 30
    (model,) = graph.picture.top.children
    titles = [c.title for c in model.children]
    assert titles == ["0 · Linear", "1 … 200 · Block × 200", "201 · Linear"]
    inside = [v for v in graph.picture.vertices if v.path.startswith("1 … 200")]
    assert inside[0].grad.text.startswith("size ")
    assert "blocks that are alike are one (× N)" in graph.picture.caption
    assert graph.picture.caption in graph.dot.replace("&#160;", " ")
    assert graph.text().endswith(graph.picture.caption)
    assert "max_nodes=2209" in graph.picture.caption
    check_order(graph)


def test_what_repeats_in_turns_is_one_group():
    """Linear, ReLU, Linear, ReLU … is (Linear, ReLU) × N; a block that differs is not in it."""
    layers = [layer for _ in range(4) for layer in (nn.Linear(3, 3), nn.ReLU())]
    model = nn.Sequential(nn.Linear(2, 3), *layers, nn.Linear(3, 3), nn.Tanh())
    graph = draw(model(mg.randn(4, 2)).sum(), repeats=True)
    (top,) = graph.picture.top.children
    first, group, *last = [c.title for c in top.children]
    assert (first, group, last) == ("0 · Linear", "1 … 8 · × 4", ["9 · Linear", "10 · Tanh"])
    assert graph.picture.caption == ""  # as asked
    check_order(graph)


def test_blocks_that_differ_are_not_folded():
    """Another width, another activation or another wiring is another block."""
    model = nn.Sequential(*[nn.Linear(n, n + 1) for n in range(2, 8)])
    graph = draw(model(mg.randn(4, 2)).sum(), repeats=True)
    assert signs(graph).count("x Wᵀ + b") == 6


def test_two_are_no_repetition():
    """Folding two blocks would hide numbers and save nothing."""
    loss = deep(2)
    assert signs(draw(loss, repeats=True)) == signs(draw(loss))


def test_data_that_one_of_the_blocks_reads_stay_on_the_drawing():
    """Each step's own input keeps its arrow into the cell that stands for all steps."""
    cell = nn.RNNCell(2, 3)
    h = mg.zeros(4, 3)
    steps = [mg.randn(4, 2) for _ in range(5)]
    for x in steps:
        h = cell(x, h)
    names = {f"x{i}": x for i, x in enumerate(steps)}
    graph = draw(h.sum(), repeats=True, names=names)
    read = {e.source for e in graph.picture.edges}
    for v in graph.picture.vertices:
        assert not v.name.startswith("x") or v.id in read
    check_order(graph)


def test_calls_of_one_module_are_told_apart():
    """An activation used twice is two clusters, not one that spans the network."""

    class Twice(nn.Module):
        def __init__(self):
            self.linear = nn.Linear(2, 2)
            self.act = nn.ReLU()

        def forward(self, x):
            return self.act(self.linear(self.act(self.linear(x))))

    y = Twice()(mg.randn(3, 2))
    (top,) = draw(y).picture.top.children
    titles = [c.title for c in top.children]
    assert titles == [
        *("linear · Linear", "act · ReLU"),
        *("linear · Linear · call 2", "act · ReLU · call 2"),
    ]
    graph = draw(y, depth=1)
    assert signs(graph) == ["", "Linear linear", "ReLU act", "Linear linear", "ReLU act"]
    check_order(graph)


@pytest.mark.parametrize("most", [3, 4, 10, 150])
def test_no_drawing_is_larger_than_max_nodes(most):
    """Whatever the graph, it is folded until it fits; the numbers of boxes are told."""
    for y in (deep(20), chain(500)):
        graph = draw(y, max_nodes=most)
        assert len(graph.picture.vertices) <= most
        assert graph.picture.caption
        check_order(graph)
    assert draw(chain(3), max_nodes=most + 10).picture.caption == ""


def test_what_has_no_other_way_to_fold_keeps_its_ends():
    """Modules that all differ: those at both ends stay, those between are one box that says so."""
    model = nn.Sequential(*[nn.Linear(n, n + 1) for n in range(2, 182)])
    graph = draw(model(mg.ones(4, 2)).sum())
    (middle,) = [v for v in graph.picture.vertices if v.sign == "…"]
    assert middle.note.endswith(" modules")
    assert middle.scope == (("", "Sequential"),)
    assert len(graph.picture.vertices) == 25
    assert "between the ends" in graph.picture.caption
    check_order(graph)


def test_a_large_graph_is_drawn_whole_when_asked():
    """max_nodes=None opens everything."""
    assert len(draw(chain(1000), max_nodes=None).picture.vertices) == 1002


def test_heat_of_blocks_alike_is_their_geometric_mean():
    """What stands for N is coloured by all N."""
    x = mg.tensor(np.full(8, 2.0), requires_grad=True)
    y = x
    for _ in range(4):
        y = y * 2.0
    (v,) = [v for v in draw(y.sum(), repeats=True).picture.vertices if v.note == "3 times"]
    assert v.value.rms == pytest.approx(2 * 2**3)


@pytest.mark.parametrize("wrong", [{"depth": -1}, {"max_nodes": 2}, {"depth": "all"}])
def test_wrong_numbers_are_refused(wrong):
    """The message names the argument and the least."""
    with pytest.raises(ValueError, match=f"{next(iter(wrong))}=…. needs a number of at least"):
        draw(chain(2), **wrong)
