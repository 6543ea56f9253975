"""Products of Jacobians on the drawing of their model, and drawings beside each other."""

import re

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.drawing import compare, draw
from minigrad.products import backprop_product


def network():
    """A chain with normalization, its input and its result."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2), nn.Tanh())
    x = mg.randn(5, 4)
    return model, x, model(x)


def factors(graph):
    """What stands on the arrows, from the input on."""
    return [edge.factor for edge in graph.picture.edges if edge.factor]


@pytest.mark.parametrize(
    ("scaling", "norm"), [("none", "I"), ("frozen", "diag(γ/σ)"), ("exact", "P·diag(γ/σ)")]
)
def test_each_factor_stands_on_the_arrow_into_its_module(scaling, norm):
    """With and without γ/σ is one arrow's label; each has the norm of its factor."""
    model, x, y = network()
    product = backprop_product(model, x, scaling=scaling)
    graph = draw(y, product=product)
    assert factors(graph) == ["Wᵀ", norm, "diag(z > 0)", "Wᵀ", "diag(φ′)"]
    norms = [edge.norm for edge in graph.picture.edges if edge.factor]
    np.testing.assert_allclose(norms, [np.linalg.norm(f, 2) for _, f in product.factors])
    assert f"scaling {scaling}" in graph.picture.caption
    assert ("P takes out the mean" in graph.picture.caption) == (scaling == "exact")


def test_factors_stay_when_modules_fold():
    """Boxes of modules have the same factors on their arrows."""
    model, x, y = network()
    product = backprop_product(model, x)
    assert factors(draw(y, product=product, depth=1)) == factors(draw(y, product=product))
    assert "by Wᵀ of norm" in draw(y, product=product, depth=1).text()


def test_a_model_inside_another_is_found():
    """The product's paths are those of the inner model."""

    class Outer(nn.Module):
        def __init__(self, inner):
            self.inner = inner

        def forward(self, x):
            return self.inner(x).square()

    model, x, _ = network()
    product = backprop_product(model, x)
    assert factors(draw(Outer(model)(x), product=product))[0] == "Wᵀ"
    layer = nn.Linear(4, 2)
    assert factors(draw(layer(x), product=backprop_product(layer, x))) == ["Wᵀ"]


def test_a_product_of_another_model_is_refused():
    """The message says what to draw."""
    model, x, _ = network()
    w = mg.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"'0', '1'.*found none.*draw\(model\(x\)"):
        draw(w * 2, product=backprop_product(model, x))


def test_graphs_stand_beside_each_other():
    """Each under its title, with ids of its own and its caption; the same text twice."""
    model, x, y = network()
    pictures = [
        draw(y, product=backprop_product(model, x, scaling=s), show="shape")
        for s in ("none", "exact")
    ]
    both = mg.draw.compare(*pictures, titles=("without", "with"))
    assert [c.title for c in both.picture.top.children] == ["without", "with"]
    assert len({v.id for v in both.picture.vertices}) == 2 * len(pictures[0].picture.vertices)
    assert both.picture.caption.splitlines()[1].startswith("with: Jacobians, scaling exact")
    assert both.svg.count('class="node"') == len(both.picture.vertices)
    assert both.dot == compare(*pictures, titles=("without", "with")).dot


def test_compared_graphs_share_their_scale_of_heat():
    """The same size has the same colour in both."""
    small, large = (mg.tensor(np.full(8, v), requires_grad=True) for v in (1.0, 100.0))
    a, b = (draw(x * 2, heat="value", show=()) for x in (small, large))
    assert "#EE8048" in a.dot
    both = compare(a, b).dot
    scale = both.split("  node [")[0]
    assert ">1<" in scale
    assert ">200<" in scale
    assert re.search(r'an0 \[.*BGCOLOR="#FFFBF2"', both)
    assert re.search(r'bn1 \[.*BGCOLOR="#EE8048"', both)


@pytest.mark.parametrize("wrong", [{}, {"titles": ("one",)}])
def test_compare_needs_two_graphs_and_their_titles(wrong):
    """The message says how to call it."""
    graph = draw(mg.tensor(1.0))
    with pytest.raises(ValueError, match="two graphs or more"):
        compare(*[graph] * (1 + bool(wrong)), **wrong)


def test_a_backward_pass_can_be_compared():
    """Its arrows still run back inside the comparison."""
    x = mg.tensor(2.0, requires_grad=True)
    graph = draw(x * x, backward=True)
    assert compare(graph, graph).dot.count("dir=back") == 2 * graph.dot.count("dir=back")
