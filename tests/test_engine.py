"""The engine: declarations checked at import, sweeps right at every order, graphs that go."""

from __future__ import annotations

import copy
import gc
import re
import subprocess
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest
from conftest import near

import minigrad as mg
from minigrad import engine, memory, nn, ops, recording
from minigrad.node import Node
from minigrad.ops.normalization import standardize_composite
from minigrad.ops.recurrent import lstm_cell, lstm_cell_composite


def scalar(x: float, **kwargs: Any) -> mg.Tensor:
    """A float64 leaf."""
    return mg.tensor(x, dtype=mg.float64, requires_grad=True, **kwargs)


# ── declarations ─────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ({"w": lambda g: g}, "no input 'w'"),
        ({"x": lambda up: up}, "must take the upstream gradient g first"),
        ({"x": lambda dy: dy}, "must take the upstream gradient g first"),
        ({"x": lambda: 1.0}, "must take the upstream gradient g first"),
        ({"x": lambda g, y: g * y}, "names 'y', which is none of: x, out, k"),
        ({"x": {"other": lambda g: g}}, "no output 'other'"),
        ({"k": lambda g: g}, "no input 'k'"),
    ],
)
def test_a_wrong_rule_does_not_ship(rules: Any, said: str) -> None:
    """A rule for no input, or that names nothing of its operation, fails where it is declared."""

    @mg.primitive
    def scale(x: Any, *, k: float) -> Any:
        return k * x

    with pytest.raises(TypeError, match=said):
        scale.vjp(**rules)


def test_a_rule_reads_only_inputs_that_every_call_has() -> None:
    """Inputs that may be left out, or come in any number, are no names for a rule; shapes are."""

    @mg.primitive
    def scale(x: Any, by: Any = None) -> Any:
        return x if by is None else by * x

    with pytest.raises(TypeError, match="names 'by', of which a call may have none or more"):
        scale.vjp(x=lambda g, by: g * by)

    @mg.primitive
    def total(*xs: Any) -> Any:
        return sum(xs)

    with pytest.raises(TypeError, match="names 'xs', of which a call may have none or more"):
        total.vjp(xs=lambda g, xs: [g for _ in xs])
    total.vjp(xs=lambda g, xs_shape: [g for _ in xs_shape])
    x, y = scalar(1.0), scalar(2.0)
    total(x, y).backward()
    assert (x.grad.item(), y.grad.item()) == (1.0, 1.0)


def test_a_further_rule_reads_only_what_is_kept() -> None:
    """Rules in place of an operation's own find what those have saved, and nothing else."""
    (rule,) = ops.exp.compile({"x": lambda g, out: g * out})
    assert rule.input == "x"
    with pytest.raises(TypeError, match="names 'x', which no rule of its own has kept"):
        ops.exp.compile({"x": lambda g, x: g * x})


def test_a_rule_may_answer_for_all_inputs() -> None:
    """A joint rule is asked once for the gradients by all inputs that want one."""
    asked = []

    @mg.primitive
    def product(x: Any, y: Any) -> Any:
        return x * y

    def both(g: Any, x: Any, y: Any) -> tuple[Any, Any]:
        asked.append(g)
        return g * y, g * x

    product.vjp(lambda g, x, y: both(g, x, y))
    x, y = scalar(3.0), scalar(5.0)
    product(x, y).backward()
    assert len(asked) == 1
    assert (x.grad.item(), y.grad.item()) == (5.0, 3.0)
    assert mg.gradcheck(product, [scalar(3.0), scalar(5.0)], order=2)
    z = scalar(2.0)
    product(mg.tensor(4.0, dtype=mg.float64), z).backward()
    assert z.grad.item() == 4.0


def test_an_output_has_one_place_in_the_graph() -> None:
    """One of several outputs gets a node when first asked for one, in its operation's module."""
    norm = nn.LayerNorm(3)
    x = mg.randn(2, 3).requires_grad_()
    outer = recording.thread.state.scope
    recording.thread.state.scope = (("outer", "Net"),)
    try:
        z, mu, sigma = ops.standardize(x, axis=(1,))
    finally:
        recording.thread.state.scope = outer
    assert z.node is z.node
    assert z.node.scope == (("outer", "Net"),)
    assert sigma.node.scope == (("outer", "Net"),)
    sigma.retain_grad()
    norm(z * sigma + mu).sum().backward()
    assert sigma.grad is not None
    with pytest.raises(AttributeError, match="no attribute 'nodes'"):
        sigma.nodes  # noqa: B018 - what a slip of the pen does


def test_only_what_a_rule_names_is_kept() -> None:
    """The graph lets go of values that no rule reads: here those between two additions."""
    x = mg.tensor(np.ones(1000), requires_grad=True)
    y = x + 1
    value = weakref.ref(y.data)
    z = (y + 1).sum()
    del y
    assert value() is None
    z.backward()
    near(x.grad, np.ones(1000))


def test_outputs_are_kept_all_or_none() -> None:
    """Where a rule reads one output all are kept, in their order; inputs, those that are read."""
    x = mg.randn(2, 3).requires_grad_()
    z, mu, sigma = ops.standardize(x, axis=(1,))
    assert [*map(id, z.node.saved_outputs())] == [id(y.data) for y in (z, mu, sigma)]
    (origin, raw), *others = ops.normalize(x, mu, sigma).node.saved_inputs()
    assert (origin, id(raw), others) == (sigma.node, id(sigma.data), [])
    assert x.unbind()[0].node.saved_outputs() == (x + 1).node.saved_outputs() == []


def test_rules_find_what_they_name_however_it_was_called() -> None:
    """Parameters may be given in any order or left out, and so may the last inputs."""

    @mg.primitive
    def powers(x: Any, y: Any, z: Any = None, *, a: float, b: float = 5.0) -> Any:
        return x**a * y**b

    powers.vjp(
        x=lambda g, a, b, x, y, z_shape: g * a * x ** (a - 1) * y**b + len(z_shape),
        y=lambda g, x, y, x_shape, b, a: g * x**a * b * y ** (b - 1) + len(x_shape),
    )
    for extra, known in [((), {"b": 3.0, "a": 2.0}), ((np.ones(3),), {"a": 2.0, "b": 3.0})]:
        x, y = scalar(3.0), scalar(5.0)
        gx, gy = mg.grad(powers(x, y, *extra, **known), [x, y])
        assert (gx.item(), gy.item()) == (750.0 + len(extra), 675.0)
    gx, gy = mg.grad(powers(x, y, a=2.0), [x, y])
    assert (gx.item(), gy.item()) == (6.0 * 5**5, 9.0 * 5**5)


# ── derivatives ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
def test_every_order_of_derivative(order: int) -> None:
    """The n-th derivative of x⁵·eˣ-like towers equals the closed form."""
    x = scalar(1.3)
    y = x**5
    for _ in range(order):
        (y,) = mg.grad(y, x, create_graph=True)
    coefficient = np.prod([5 - i for i in range(order)])
    assert y.item() == pytest.approx(coefficient * 1.3 ** (5 - order), rel=1e-12)


def test_paths_are_summed() -> None:
    """A value used twice takes the sum over both paths, and so does a leaf used thrice."""
    x = scalar(3.0)
    y = x * x
    z = y * y + y * x
    z.backward()
    assert x.grad.item() == pytest.approx(4 * 27 + 3 * 9)


def test_gradients_add_up_until_cleared() -> None:
    """A second backward adds to .grad, as in PyTorch; intermediate gradients do not pile up."""
    c = scalar(2.0)
    y = (3 * c) ** 2
    y.backward()
    y.backward()
    assert c.grad.item() == pytest.approx(72.0)


def test_leaves_do_not_share_their_gradients() -> None:
    """Two leaves handed the same upstream array get gradients of their own memory."""
    a, b = mg.tensor(np.ones(3), requires_grad=True), mg.tensor(np.ones(3), requires_grad=True)
    seed = np.ones(3)
    (a + b).backward(seed)
    a.grad.data[0] = 7.0
    assert b.grad.data[0] == 1.0
    assert seed[0] == 1.0
    c = mg.tensor(np.ones((2, 3)), requires_grad=True)
    (c.reshape(6) + (d := mg.tensor(np.ones(6), requires_grad=True))).backward(np.ones(6))
    c.grad.data[0, 0] = 7.0
    assert d.grad.data[0] == 1.0
    seed = np.ones(6)
    c.reshape(6).backward(seed)
    c.grad = None
    c.reshape(6).backward(seed)
    c.grad.data[0, 0] = 7.0
    assert seed[0] == 1.0
    a.grad = b.grad = None
    ((a + b) * 2.0).backward(np.ones(3))
    a.grad.data[0] = 7.0
    assert b.grad.data[0] == 2.0


def test_gradients_are_constants_unless_asked() -> None:
    """Without create_graph a gradient has no graph, and a sweep answers raw arrays."""
    x = scalar(2.0)
    y = x**3
    engine.backward(y)
    assert not x.grad.requires_grad
    assert not engine.grad(y, x)[0].requires_grad
    assert not isinstance(engine.sweep([y], [np.ones(())])[x], mg.Tensor)


def test_each_result_has_one_upstream_gradient() -> None:
    """As many upstream gradients as results, or an error."""
    x = scalar(2.0)
    with pytest.raises(ValueError, match="shorter"):
        mg.grad([x * 2, x * 3], x, [np.ones(())])
    with pytest.raises(ValueError, match="longer"):
        mg.grad([x * 2], x, [np.ones(()), np.ones(())])
    with pytest.raises(ValueError, match="shorter"):
        engine.sweep([x * 2, x * 3], [np.ones(())])


def test_only_wanted_paths_are_followed() -> None:
    """Grad by one input does not run rules that lead to others."""
    ran = []

    @mg.primitive
    def watched(x: Any) -> Any:
        return x * 1.0

    watched.vjp(x=lambda g: (ran.append(1), g)[1])
    x, w = scalar(1.0), scalar(2.0)
    y = watched(w) * x
    mg.grad(y, x)
    assert ran == []
    mg.grad(y, w)
    assert ran == [1]
    one = np.ones(())
    for y in (w * x, ops.stack([w, x]).sum(), ops.stack([w, watched(x), w]).sum()):
        assert list(engine.sweep([y], [one], wanted=[x])) == [x]


def test_a_single_entry_is_a_scalar() -> None:
    """Backward starts from one entry with any number of axes, and from no more without a g."""
    for shape in ((), (1,), (1, 1)):
        x = mg.ones(shape).requires_grad_()
        (x * 3.0).backward()
        assert (x.grad.shape, x.grad.item()) == (shape, 3.0)
    with pytest.raises(RuntimeError, match=r"starts from a scalar; this tensor has shape \(2,\)"):
        (mg.ones(2).requires_grad_() * 3.0).backward()


def test_what_fits_is_not_fitted(place: str) -> None:
    """A part with the shape and dtype of its input passes as it is: no operation is recorded."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    (g,) = mg.grad((x * x * x).sum(), x, create_graph=True)
    assert "fit" not in {v.op.name for v in engine.order([g]) if isinstance(v, Node)}
    b = mg.tensor(3.0, requires_grad=True)
    (g,) = mg.grad((x * b).sum(), b, create_graph=True)
    assert "fit" in {v.op.name for v in engine.order([g]) if isinstance(v, Node)}


def test_a_joint_rule_runs_once_if_at_all() -> None:
    """One rule for all inputs answers for those that need it, and not where none does."""
    ran = []

    @mg.primitive
    def pair(x: Any, y: Any) -> Any:
        return x * y

    pair.vjp(lambda g, x, y: (ran.append(1), (g * y, g * x))[1])
    x, w = scalar(2.0), scalar(3.0)
    y = pair(x, w)
    assert mg.grad(y * 5.0, y)[0].item() == 5.0
    assert ran == []
    assert [g.item() for g in mg.grad(y, (w, x))] == [2.0, 3.0]
    assert ran == [1]
    assert mg.grad(pair(x, 7.0), x)[0].item() == 7.0
    assert mg.grad(pair(7.0, x), x)[0].item() == 7.0


def test_gradients_of_results_in_between() -> None:
    """Grad reaches any tensor of the graph, not leaves alone, and answers a tuple."""
    x = scalar(2.0)
    h = x * x
    y = h * h
    dh, dx = mg.grad(y, [h, x])
    assert (dh.item(), dx.item()) == (8.0, 32.0)
    assert x.grad is None


def test_several_outputs_with_their_gradients() -> None:
    """Grad of several outputs sums them, each weighted by its upstream gradient."""
    x = mg.tensor(np.arange(3.0), requires_grad=True)
    (g,) = mg.grad([x * x, 3 * x], x, [np.ones(3), np.full(3, 2.0)])
    near(g, 2 * np.arange(3.0) + 6)


def test_backward_with_create_graph_leaves_a_differentiable_gradient() -> None:
    """After backward(create_graph=True) .grad itself can be differentiated."""
    x = scalar(2.0)
    (x**3).backward(create_graph=True)
    assert mg.grad(x.grad, x)[0].item() == pytest.approx(12.0)
    (x**3).backward(create_graph=True)
    assert x.grad.item() == pytest.approx(24.0)
    assert mg.grad(x.grad, x)[0].item() == pytest.approx(24.0)


def test_create_graph_inside_no_grad() -> None:
    """create_graph records the gradients even where recording was switched off."""
    x = scalar(2.0)
    y = x**3
    with mg.no_grad():
        (g,) = mg.grad(y, x, create_graph=True)
        y.backward(create_graph=True)
    assert mg.grad(g, x)[0].item() == pytest.approx(12.0)
    assert mg.grad(x.grad, x)[0].item() == pytest.approx(12.0)


def test_create_graph_keeps_watch() -> None:
    """Where anomalies are watched for, gradients that record themselves are watched too."""
    x = scalar(0.0)
    with mg.detect_anomaly():
        y = mg.sqrt(x)
        with pytest.raises(FloatingPointError, match="inf"), np.errstate(divide="ignore"):
            mg.grad(y, x, create_graph=True)
        with pytest.raises(FloatingPointError, match="inf"), np.errstate(divide="ignore"):
            y.backward(create_graph=True)


@pytest.mark.parametrize("create_graph", [False, True])
def test_every_part_of_an_answer_is_watched(create_graph: bool) -> None:
    """Of a rule for all inputs, too, the first gradient that is not finite is found."""
    x, w = scalar(1.0), scalar(2.0)
    y = ops.stack([x, w])
    said = r"the gradient that comes out of \w+: of shape \(\), from inf .*computed from g of shape"
    with mg.detect_anomaly(), pytest.raises(FloatingPointError, match=said):
        mg.grad(y, x, np.array([1.0, np.inf]), create_graph)
    with mg.detect_anomaly():
        assert mg.grad(y, w, np.array([1.0, 3.0]), create_graph)[0].item() == 3.0


def test_any_number_of_inputs() -> None:
    """A forward that takes *xs gives each its own gradient, also where one comes twice."""
    x, y = mg.tensor(np.ones(2), requires_grad=True), mg.tensor(np.ones(3), requires_grad=True)
    (mg.cat([x, y, x]) * np.arange(7.0)).sum().backward()
    near(x.grad, np.array([0.0 + 5, 1.0 + 6]))
    near(y.grad, np.array([2.0, 3.0, 4.0]))


# ── fitting ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("shape", [(2, 3), (3, 3), (4,), (2, 3, 3)])
def test_a_rule_of_the_wrong_shape_is_named(shape: tuple[int, ...]) -> None:
    """A gradient that cannot be summed to its input names operation, input and both shapes."""

    @mg.primitive
    def wrong(x: Any) -> Any:
        return np.ones(3)

    wrong.vjp(x=lambda g: g)  # forgets to spread
    x = mg.tensor(np.ones(shape), requires_grad=True)
    said = rf"shape \(3,\).*input of shape {re.escape(str(shape))}"
    with pytest.raises(ValueError, match=said) as caught:
        wrong(x).backward(np.ones(3))
    assert "in the backward rule of wrong for input 'x'" in caught.value.__notes__


# ── graphs ───────────────────────────────────────────────────────────────────────────────────────


def test_a_long_chain_needs_no_recursion() -> None:
    """A chain of 200,000 operations is differentiated and freed."""
    x = mg.tensor(1.0, dtype=mg.float64, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y + 1e-6 * x
    y.backward()
    assert x.grad.item() == pytest.approx(1.2)
    del y


def test_graphs_go_without_the_garbage_collector() -> None:
    """No cycles: the arrays of a graph, also one of second order, go with its result."""
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    x = mg.randn(5, 3).requires_grad_()
    gc.collect()
    gc.disable()
    try:
        loss = nn.functional.cross_entropy(model(x), np.zeros(5, int))
        (g,) = mg.grad(loss, x, create_graph=True)
        second = (g * g).sum()
        second.backward()
        nodes = [v for v in engine.order([second]) if isinstance(v, Node)]
        saved = [raw for v in nodes for raw in v.saved_outputs() if raw.ndim]
        outputs = [weakref.ref(raw) for raw in saved]
        assert outputs
        del loss, g, second, nodes, saved
        assert [raw for raw in outputs if raw() is not None] == []
    finally:
        gc.enable()


def test_order_puts_results_before_their_inputs() -> None:
    """Every vertex comes before what it was computed from; leaves come last."""
    a, b = scalar(1.0), scalar(2.0)
    y = ((a * b) + a.exp()) * b
    vertices = engine.order([y])
    place = {v: i for i, v in enumerate(vertices)}
    for v in vertices:
        if isinstance(v, Node):
            assert all(place[v] < place[engine.vertex(x)] for x in v.inputs if engine.vertex(x))
    assert [isinstance(v, mg.Tensor) for v in vertices][-2:] == [True, True]


def test_sweep_tells_every_gradient_once_and_final() -> None:
    """Of nodes as it goes, the later first; of leaves in its answer."""
    x = scalar(3.0)
    h = x * x
    y = h + h * x
    seen: list[tuple[Any, Any]] = []
    leaves = engine.sweep([y], [np.ones(())], heard=lambda v, g: seen.append((v, g)))
    nodes = [v for v, _ in seen]
    assert [v.op.name for v in nodes] == ["add", "mul", "mul"]
    assert nodes[0] is y.node
    assert nodes[-1] is h.node
    assert float(seen[-1][1]) == 4.0
    assert list(leaves) == [x]
    assert float(leaves[x]) == pytest.approx(2 * 3 + 3 * 9)


def test_an_output_keeps_what_is_said_of_it() -> None:
    """A name given before an output is used, and a gradient, are there after."""
    x = mg.tensor([[1.0, 3.0]], requires_grad=True)
    _, mu, sigma = ops.standardize(x, axis=(1,))
    assert (mu.name, mu.grad, mu.requires_grad, mu.is_leaf) == (None, None, True, False)
    sigma.name = "sigma"
    assert (sigma.grad, sigma.name) == (None, "sigma")
    sigma.grad = mg.ones(1, 1)
    (sigma * 2.0).sum().backward()
    assert (sigma.name, sigma.grad.item()) == ("sigma", 1.0)
    near(x.grad, [[-1.0, 1.0]], 1e-4)


def test_the_first_of_several_outputs_is_the_operation_itself(random: np.random.Generator) -> None:
    """Only the others have nodes of their own; each keeps, and can be asked for, its gradient."""
    x = mg.tensor(random.standard_normal((5, 3)), requires_grad=True)
    z, mu, sigma = ops.standardize(x, axis=(0,))
    w = random.standard_normal((5, 3))
    for y in (z, mu, sigma):
        y.retain_grad()
    assert z.node.op is ops.standardize
    assert [y.node.inputs for y in (mu, sigma)] == [(z.node,)] * 2
    ((z * w).sum() + (mu * mu).sum() * 2.0).backward()
    np.testing.assert_allclose(z.grad.data, w)
    np.testing.assert_allclose(mu.grad.data, 4.0 * mu.data)
    assert sigma.grad is None
    found = mg.grad((mu * sigma).sum(), (z, mu, sigma), allow_unused=True)
    assert found[0] is None
    np.testing.assert_array_equal(found[1].data, sigma.data)
    np.testing.assert_array_equal(found[2].data, mu.data)
    z.grad = None
    (mu * sigma).sum().backward()
    assert z.grad is None


def cell(x: Any) -> Any:
    """An LSTM's cell whose memory is a constant."""
    return lstm_cell(x, mg.tensor(np.linspace(-1, 1, 5)[:, None]))


def cell_of_both(x: Any) -> Any:
    """An LSTM's cell, both inputs of which depend on x."""
    return lstm_cell(x, ops.sin(x[:, :1]))


SEVERAL = {  # operations with several outputs, and the same by other operations
    "standardize": (
        lambda x: ops.standardize(x, axis=(0,)),
        lambda x: standardize_composite(x, (0,)),
    ),
    "unbind": (lambda x: x.unbind(), lambda x: [x[i] for i in range(5)]),
    "split": (lambda x: x.split([1, 0, 3], 1), lambda x: (x[:, :1], x[:, :0], x[:, 1:])),
    "cell": (cell, lambda x: lstm_cell_composite(x, np.linspace(-1, 1, 5)[:, None])),
    "cell of both": (cell_of_both, lambda x: lstm_cell_composite(x, ops.sin(x[:, :1]))),
}
several = pytest.mark.parametrize(("f", "twin"), SEVERAL.values(), ids=SEVERAL)


@several
@pytest.mark.parametrize("used", [(0,), (1,), (-1,), (0, 1), (-1, 1), (-1, 1, 0), (0, 0, 1, 1)])
def test_any_of_several_outputs(
    random: np.random.Generator, f: Any, twin: Any, used: tuple[int, ...]
) -> None:
    """Whichever are used, their gradients and the inputs' are right, at first and second order."""
    values = random.standard_normal((5, 4))

    def loss(h: Any, outs: Any) -> Any:
        return sum((place * outs[i] ** 3).sum() for place, i in enumerate(used, 2)) + (h**2).sum()

    x = mg.tensor(values, requires_grad=True)
    h = ops.sinh(x)
    wanted = mg.grad(loss(h, twin(h)), [x, h], create_graph=True)
    outs = f(h)
    used = tuple(i % len(outs) for i in used)
    own = [sum(3 * n * y.data**2 for n, i in enumerate(used, 2) if outs[i] is y) for y in outs]
    for y in (h, *outs):
        y.retain_grad()

    def check(found: Any) -> None:
        for part, g in zip(found, wanted, strict=False):
            near(part, g)
        for i, part in enumerate(found[2:]):
            if i in used:
                near(part, own[i])
            else:
                assert part is None

    y = loss(h, outs)
    for create_graph in (False, True):
        found = mg.grad(y, [x, h, *outs], None, create_graph, allow_unused=True)
        check(found)
        y.backward(create_graph=create_graph)
        kept = [v.grad for v in (x, h, *outs)]
        check(kept)
        assert {g.requires_grad for g in kept if g is not None} == {create_graph}
        for v in (x, h, *outs):
            v.grad = None
    near(*(mg.grad((gs[0] ** 2).sum() + gs[1].sum(), x)[0] for gs in (found, wanted)))


@several
@pytest.mark.parametrize("roots", [(0, 1), (1, 0), (0, 0), (1, 1), (0, 1, 0, 1)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_several_outputs_as_roots(
    random: np.random.Generator, f: Any, twin: Any, roots: tuple[int, ...], create_graph: bool
) -> None:
    """A sweep may start from several outputs of one operation, and from one of them twice."""
    x = mg.tensor(random.standard_normal((5, 4)), requires_grad=True)
    outs = f(x)
    seeds = [mg.tensor(random.standard_normal(outs[i].shape)) for i in roots]
    asked = [outs[i] for i in (0, 1)]
    found = mg.grad([outs[i] for i in roots], [x, *asked], seeds, create_graph, allow_unused=True)
    weighted = ops.stack([(twin(x)[i] * g).sum() for i, g in zip(roots, seeds, strict=True)])
    near(found[0], mg.grad(weighted.sum(), x)[0])
    for place in (0, 1):
        own = [g.data for i, g in zip(roots, seeds, strict=True) if i == place]
        assert (found[1 + place] is None) == (not own)
        if own:
            near(found[1 + place], sum(own))


def test_every_output_is_an_array() -> None:
    """Where a forward answers NumPy's scalars, its outputs are arrays without axes all the same."""

    @mg.primitive(outputs=("total", "largest"))
    def extremes(x: Any) -> Any:
        return x.sum(), x.max()

    extremes.vjp(x={"total": lambda g: g, "largest": lambda g, x, largest: g * (x == largest)})
    x = mg.tensor(np.array([1.0, 3.0]), requires_grad=True)
    parts = extremes(x)
    assert [type(y.data) for y in parts] == [np.ndarray] * 2
    parts[1].backward()
    near(x.grad, [0.0, 1.0])
    with mg.no_grad():
        for y in parts:
            y[...] = 2 * y
    assert [y.item() for y in parts] == [8.0, 6.0]


def test_what_rules_read_of_an_output_is_that_output(random: np.random.Generator) -> None:
    """A gradient that depends on σ is differentiated by σ, be σ asked for before or not."""
    w = random.standard_normal((5, 3))
    for early in (False, True):
        x = mg.tensor(random.standard_normal((5, 3)), requires_grad=True)
        z, _, sigma = ops.standardize(x, axis=(0,))
        if early:
            sigma.retain_grad()
        (g,) = mg.grad((z * w).sum(), x, create_graph=True)
        y = (g * g).sum() + (sigma * sigma).sum()
        wanted = 2 * sigma.data - 2 * (g.data**2).sum(0, keepdims=True) / sigma.data
        near(mg.grad(y, sigma)[0], wanted)
        assert engine.vertex(sigma) in engine.order([g])


@pytest.mark.parametrize("join", [ops.stack, ops.cat, lambda xs: xs[0] * xs[1] * xs[2]])
@pytest.mark.parametrize("tracked", [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_inputs_that_want_no_gradient_get_none(
    random: np.random.Generator, join: Any, tracked: tuple[int, ...], create_graph: bool
) -> None:
    """Of all inputs some may be constants, and of the others only some asked for."""
    values = random.standard_normal((3, 2, 3))
    every = [mg.tensor(v, requires_grad=True) for v in values]
    wanted = mg.grad((join(every) ** 3).sum(), every)
    for asked in (tracked, tracked[:1], tracked[-1:]):
        xs = [mg.tensor(v, requires_grad=i in tracked) for i, v in enumerate(values)]
        y = (join(xs) ** 3).sum()
        for i, g in zip(asked, mg.grad(y, [xs[i] for i in asked], None, create_graph), strict=True):
            near(g, wanted[i])
            assert g.requires_grad == create_graph
        y.backward(create_graph=create_graph)
        for i in tracked:
            near(xs[i].grad, wanted[i])
        assert [i for i in range(3) if getattr(xs[i], "grad", None) is not None] == [*tracked]


@pytest.mark.parametrize("asked", ["z", "c"])
def test_a_cell_is_differentiated_by_either_input(random: np.random.Generator, asked: str) -> None:
    """Where only one input is wanted, or tracked at all, it gets its own part of the answer."""
    z, c = random.standard_normal((5, 8)), random.standard_normal((5, 2))
    found = []
    for f in (lstm_cell, lstm_cell_composite):
        for only in (False, True):
            xs = {
                "z": mg.tensor(z, requires_grad=not only or asked == "z"),
                "c": mg.tensor(c, requires_grad=not only or asked == "c"),
            }
            h, c_next = f(*xs.values())
            (g,) = mg.grad((h * h + c_next).sum(), xs[asked], create_graph=True)
            found.append([g, mg.grad((g * g).sum(), xs[asked])[0]])
    for first, second in found:
        near(first, found[-1][0])
        near(second, found[-1][1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("create_graph", [False, True])
def test_an_upstream_gradient_of_another_dtype(dtype: Any, create_graph: bool) -> None:
    """Gradients have the dtype of their tensors, whatever that of the gradient from above."""
    x = mg.tensor(np.ones(3), requires_grad=True)
    w = mg.tensor(np.ones(3, np.float32), requires_grad=True)
    h = x * w
    h.retain_grad()
    seed = np.arange(3).astype(dtype)
    for y in (h, h * 1.0, x + 0 * h):
        gx, gh = mg.grad(y, [x, h], seed, create_graph)
        assert gx.dtype == gh.dtype == mg.float64
        near(gx, np.arange(3.0))
    h.backward(mg.tensor(seed), create_graph)
    assert [v.grad.dtype for v in (x, w, h)] == [mg.float64, mg.float32, mg.float64]
    near(w.grad, np.arange(3, dtype=np.float32))


def test_a_gradient_depends_on_the_gradient_from_above() -> None:
    """With create_graph the upstream gradient is part of the graph, though its dtype be another."""
    x = scalar(3.0)
    up = mg.tensor(np.float32(2.0), requires_grad=True)
    (g,) = mg.grad(x * x, x, up, create_graph=True)
    by_up, by_x = mg.grad(g, [up, x])
    assert (by_up.item(), by_x.item()) == (6.0, 4.0)
    assert by_up.dtype == mg.float32


@several
def test_a_copied_graph_is_differentiated_as_the_first(
    random: np.random.Generator, f: Any, twin: Any
) -> None:
    """A deep copy of leaf and result is a graph of its own, with the same operations."""
    x = mg.tensor(random.standard_normal((5, 4)), requires_grad=True)
    outs = f(x)
    for y in (outs[0] * outs[0], outs[1] * outs[1], outs[1]):
        own_x, own_y = copy.deepcopy((x, y))
        assert own_y.grad_fn is y.grad_fn
        (g,) = mg.grad(own_y.sum(), own_x, create_graph=True)
        (wanted,) = mg.grad(y.sum(), x, create_graph=True)
        near(g, wanted)
        again, twice = ((g + own_x) ** 3).sum(), ((wanted + x) ** 3).sum()
        near(mg.grad(again, own_x)[0], mg.grad(twice, x)[0])
        with pytest.raises(RuntimeError, match="was not used"):
            mg.grad(own_y.sum(), x)


# ── recording ────────────────────────────────────────────────────────────────────────────────────


def test_no_grad_is_of_its_thread() -> None:
    """Switching recording off in one thread leaves it on in another."""
    x = scalar(1.0)
    found = []

    def record() -> None:
        found.append((x * 2).requires_grad)

    with mg.no_grad():
        thread = threading.Thread(target=record)
        thread.start()
        thread.join()
        found.append((x * 2).requires_grad)
        with mg.enable_grad():
            found.append((x * 2).requires_grad)
    assert found == [True, False, True]


def test_no_grad_decorates() -> None:
    """As a decorator no_grad covers the function's calls and comes back after an error."""

    @mg.no_grad()
    def f(x: mg.Tensor) -> mg.Tensor:
        return 1 / 0 if x.item() == 0 else x * 2

    assert not f(scalar(1.0)).requires_grad
    with pytest.raises(ZeroDivisionError):
        f(scalar(0.0))
    assert (scalar(1.0) * 2).requires_grad


def test_arrays_in_array_out() -> None:
    """Operations on arrays answer arrays and record nothing."""
    assert type(mg.exp(np.ones(2))) is np.ndarray
    assert type(mg.softmax(np.ones((2, 2)), 1)) is np.ndarray


def test_a_kernels_own_exception_gains_a_note() -> None:
    """NumPy's error keeps its type and says in which operation and module, on what shapes."""

    class Net(nn.Module):
        def __init__(self) -> None:
            self.head = nn.Sequential(Add())

        def forward(self, x: Any) -> Any:
            return self.head(x)

    class Add(nn.Module):
        def forward(self, x: Any) -> Any:
            return x + np.ones(4)

    with pytest.raises(ValueError, match="broadcast") as caught:
        Net()(mg.tensor(np.ones(3)))
    assert caught.value.__notes__ == [
        "in operation add(x, y) in module 'head.0', on shapes (3,), (4,)"
    ]


# ── errors ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: (x * 2).backward(), r"starts from a scalar; this tensor has shape \(3,\)"),
        (lambda x: x.detach().sum().backward(), "requires_grad=True; this one"),
        (lambda x: (x[:0] * 2).backward(), r"starts from a scalar; this tensor has shape \(0,\)"),
        (lambda x: (x * 2).backward(np.ones(4)), r"shape \(4,\) for a result of shape \(3,\)"),
        (lambda x: (x * 2).backward(np.ones(2)), r"shape \(2,\) for a result of shape \(3,\)"),
        (lambda x: mg.grad((x * 2).sum(), scalar(1.0)), "input 0 .* was not used to compute"),
        (lambda x: mg.grad(x.sum(), mg.tensor(1.0)), "input 0 .* does not require grad"),
    ],
)
def test_wrong_requests_are_explained(call: Any, said: str) -> None:
    """backward() and grad() say what was asked, what was found and what to do."""
    with pytest.raises((RuntimeError, ValueError), match=said):
        call(mg.tensor(np.ones(3), requires_grad=True))


def test_allow_unused_answers_none() -> None:
    """With allow_unused an input without a path answers None, which is not 0."""
    x, other = scalar(1.0), scalar(1.0)
    assert mg.grad(x * 2, [x, other], allow_unused=True)[1] is None


def test_a_write_that_backward_would_miss_is_caught() -> None:
    """Overwriting a value that a rule will read names operation, input and the line that wrote."""
    w = nn.Parameter(mg.tensor(np.ones(3)))
    w.name = "w"
    y = (w * w).sum()
    with mg.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match=r"through mul needs .* 'y' \(w\).*test_engine.py:\d+"):
        y.backward()
    z = (w + 1).sum()  # no rule of an addition reads its inputs
    with mg.no_grad():
        w -= 0.1
    z.backward()
    near(w.grad, np.ones(3))


def test_writes_are_forgotten_with_the_memory() -> None:
    """An array that was written to leaves nothing behind when it goes."""
    x = mg.tensor([1.0, 2.0])
    before = len(memory._writes)
    x[0] = 3.0
    assert len(memory._writes) == before + 1
    del x
    assert len(memory._writes) == before


def _line() -> int:
    """The line that calls."""
    return sys._getframe(1).f_lineno


def test_arrays_written_together_are_noted_together() -> None:
    """What is written together again is one note; not if one was written alone, or has gone."""
    a, b, c = np.ones(2), np.ones(2), np.ones(2)
    together = memory.wrote(a, b, a[:1], c.T, line="first")
    assert {memory.writer(x) for x in (a, b, c)} == {"first"}
    assert together.again()
    second = f"{__file__}:{_line() - 1}"
    assert together.line == second
    assert {memory.last_write(x) for x in (a, b, c[:1])} == {memory.latest}
    assert {memory.writer(x) for x in (a, b, c)} == {second}
    memory.wrote(b, line="alone")
    assert [memory.writer(x) for x in (a, b, c)] == [second, "alone", second]
    before = memory.latest
    assert not together.again()
    assert (memory.latest, memory.writer(b)) == (before, "alone")
    anew = memory.wrote(a, b, c, line="third")
    del c
    assert not anew.again()
    last = memory.wrote(a, b)
    assert (memory.last_write(a), memory.writer(b)) == (memory.latest, f"{__file__}:{_line() - 1}")
    assert last.again()
    d = np.ones(2)
    assert (memory.last_write(d), memory.writer(d)) == (0, "unknown")
    assert memory.intact([a, d, None, (2, 3)], memory.latest)
    assert memory.intact([d], 0)
    assert memory.intact([a], memory.latest + 1)
    assert not memory.intact([d, b[:1]], memory.latest - 1)


@pytest.mark.parametrize("view", [lambda w: w.T, lambda w: w.reshape(4), lambda w: w[0]])
def test_a_write_is_seen_through_views(view: Any) -> None:
    """Memory written through one tensor is overwritten for all that share it."""
    w = mg.tensor(np.arange(1.0, 5).reshape(2, 2), requires_grad=True)
    seen = view(w)
    y = (seen * seen).sum()
    with mg.no_grad():
        w -= 0.1
    with pytest.raises(RuntimeError, match="overwritten in place"):
        y.backward()
    z = (w * w).sum()
    w.detach()[0] = 5.0
    with pytest.raises(RuntimeError, match="overwritten in place"):
        z.backward()


def test_a_constant_given_another_array_counts_as_it_was() -> None:
    """Second derivatives, too, see the numbers that a constant had when it was used."""
    x = scalar(3.0)
    c = mg.tensor(2.0, dtype=mg.float64)
    y = c * x * x
    c.data = np.asarray(7.0)
    (g,) = mg.grad(y, x, create_graph=True)
    (h,) = mg.grad(g, x)
    assert (g.item(), h.item()) == (12.0, 4.0)


@pytest.mark.parametrize(
    ("give", "said"),
    [
        (lambda w: setattr(w, "data", w.data + 1.0), "found another array now"),
        (lambda w: nn.init.zeros_(w), r"found it overwritten in place since, at {here}"),
        (lambda w: w.detach().zero_(), r"found it overwritten in place since, at {here}"),
    ],
)
def test_a_leaf_given_another_array_has_no_second_derivative(give: Any, said: str) -> None:
    """Not even if it was written before: the error names what was done since, and its line."""
    w = nn.Parameter(mg.tensor(np.ones(3)))
    memory.wrote(w.data, line="before")
    y = (w * w).sum()
    give(w)
    here = f"{re.escape(__file__)}:{give.__code__.co_firstlineno}"
    with pytest.raises(RuntimeError, match=said.format(here=here)):
        mg.grad(y, w, create_graph=True)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_stay_numbers(dtype: Any) -> None:
    """A rule that records itself reads a number as a number, not as a tensor of some dtype."""
    x = mg.tensor(np.ones(1, dtype), requires_grad=True)
    (g,) = mg.grad(x * 0.1, x, np.ones(1, dtype), create_graph=True)
    assert g.data[0] == dtype(0.1)
    (rule,) = [rule for _, rule in ops.mul.edges[2] if rule.input == "x"]
    assert rule.read((x * 0.1).node, True) == [0.1]


def test_running_statistics_in_a_graph_are_not_moved_unnoticed() -> None:
    """A training step that moves statistics which a later backward needs is an error there."""
    norm = nn.BatchNorm1d(3)
    before = memory.latest
    norm(mg.randn(4, 3))
    assert memory.latest == before  # nobody else held them: there was nothing to tell
    w = mg.randn(3).requires_grad_()
    y = (w * norm.running_var).sum()
    norm(mg.randn(4, 3))
    with pytest.raises(RuntimeError, match="overwritten in place since, at a normalization"):
        y.backward()


def test_a_write_to_an_output_is_caught() -> None:
    """A result that its own rule reads cannot be overwritten unnoticed either."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = mg.exp(x)
    with mg.no_grad():
        y[0] = 7.0
    with pytest.raises(RuntimeError, match="through exp needs the value that its output 'out'"):
        y.sum().backward()


def test_import_loads_numpy_and_nothing_else() -> None:
    """Import minigrad brings in no other package than NumPy, and nothing for drawing or lessons."""
    code = (
        "import sys; import numpy; before = set(sys.modules); import minigrad; "
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    extra = set(out.stdout.split()) - set(sys.stdlib_module_names)
    assert extra == {"minigrad"}


def test_results_that_retain_their_gradient(place: str) -> None:
    """backward keeps the gradient of such results, adds up, and shares it with nobody."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    h, other = x * 3, x * 5
    z, mu, _ = mg.standardize(mg.stack([h, other]), axis=(0,))
    for kept in (x, h, mu):
        kept.retain_grad()
    loss = (h + 1).sum() + 2 * mu.sum() + 0 * z.sum()
    loss.backward()
    near(h.grad, [2.0, 2.0])
    near(mu.grad, [[2.0, 2.0]])
    near(x.grad, [11.0, 11.0])
    assert other.grad is None
    loss.backward()
    near(h.grad, [4.0, 4.0])
    h.grad[...] = 0.0
    near(x.grad, [22.0, 22.0])


def test_a_result_that_is_gone_retains_nothing() -> None:
    """Asking for a gradient does not keep the result; one without gradient cannot ask."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    (h := x * 3).retain_grad()
    loss = (h * h).sum()
    gone = weakref.ref(h)
    del h
    assert gone() is None
    loss.backward()
    assert x.grad is not None
    with pytest.raises(RuntimeError, match=r"retain_grad\(\) .* does not require grad"):
        mg.tensor([1.0]).retain_grad()
