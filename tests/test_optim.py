"""Optimizers: PyTorch's steps, their state, and what they refuse."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import optim

OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.3}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.3}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.7, 0.8), "eps": 0.01}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.3}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.1, "betas": (0.7, 0.8), "weight_decay": 0.3}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.0}),
]

optimizers = pytest.mark.parametrize(("name", "settings"), OPTIMIZERS, ids=lambda value: str(value))

TARGETS = [np.array([[1.0, -2.0, 0.5]]), np.array([3.0, -1.0])]


def loss(m: Any, params: list[Any]) -> Any:
    """A loss that is not quadratic, so that every step has a gradient of its own."""
    w, b = params
    return (m.sin(w - m.tensor(TARGETS[0])) * w).sum() + m.sqrt(
        (b - m.tensor(TARGETS[1])) ** 2 + 1
    ).sum()


def start(m: Any) -> list[Any]:
    """Two parameters in float64."""
    values = [np.array([[0.3, 0.7, -1.1]]), np.array([0.2, 0.4])]
    return [m.tensor(value, requires_grad=True) for value in values]


def advance(m: Any, optimizer: Any, params: list[Any], steps: int) -> list[np.ndarray]:
    """Take steps; the parameters after each."""
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss(m, params).backward()
        optimizer.step()
        path += [host(p).copy() for p in params]
    return path


@pytest.mark.torch
@optimizers
def test_steps_equal_pytorch(
    place: str, torch: ModuleType, name: str, settings: dict[str, Any]
) -> None:
    """Each of five steps lands where PyTorch's lands, to 1e-10."""
    mine, theirs = start(mg), start(torch)
    found = advance(mg, getattr(optim, name)(mine, **{"lr": 1e-3, **settings}), mine, 5)
    wanted = advance(
        torch, getattr(torch.optim, name)(theirs, **{"lr": 1e-3, **settings}), theirs, 5
    )
    for a, b in zip(found, wanted, strict=True):
        near(a, b)
    assert mine[0].backend == place


@pytest.mark.torch
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_defaults_are_pytorchs(torch: ModuleType, name: str) -> None:
    """Settings that are not given are PyTorch's, under the same names."""
    ours = getattr(optim, name)(start(mg)).defaults
    theirs = getattr(torch.optim, name)(start(torch)).defaults
    assert ours == {key: theirs[key] for key in ours}


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("SGD", {"lr": 1e-3, "momentum": 0, "dampening": 0, "weight_decay": 0}),
        ("SGD", {"nesterov": False, "maximize": False}),
        ("Adam", {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0}),
        ("AdamW", {"lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 1e-2}),
    ],
)
def test_defaults(name: str, wanted: dict[str, Any]) -> None:
    """What is not said is as in PyTorch, in number."""
    (group,) = getattr(optim, name)(start(mg)).param_groups
    assert {key: group[key] for key in wanted} == wanted


def test_sgd_is_its_formula(place: str) -> None:
    """v ← ρv + (1 − τ)(g + λp), p ← p − ηv, where the first v is g + λp whole."""
    p = mg.tensor(np.array([1.0, -2.0]), requires_grad=True)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.9, dampening=0.5, weight_decay=0.2)
    x, v = np.array([1.0, -2.0]), None
    for g in (np.array([1.0, 2.0]), np.array([-3.0, 0.5]), np.array([0.1, 0.1])):
        p.grad = mg.tensor(g)
        optimizer.step()
        d = g + 0.2 * x
        v = d if v is None else 0.9 * v + 0.5 * d
        x = x - 0.1 * v
        near(p, x, 1e-14)


def test_adams_first_step_is_the_learning_rate(place: str) -> None:
    """Whatever the size of the gradient, Adam's first step is lr against its sign."""
    p = mg.tensor(np.zeros(3), requires_grad=True)
    p.grad = mg.tensor(np.array([1e-3, -5.0, 1e4]))
    optim.Adam([p], lr=0.01).step()
    near(p, np.array([-0.01, 0.01, -0.01]), 1e-6)


@pytest.mark.torch
def test_groups_have_settings_of_their_own(place: str, torch: ModuleType) -> None:
    """Each group steps with its own settings, and the defaults for what it does not give."""

    def run(m: Any, optim: Any) -> list[np.ndarray]:
        w, b = start(m)
        groups = [{"params": [w], "lr": 0.01, "weight_decay": 0.5}, {"params": [b]}]
        optimizer = optim.SGD(groups, lr=0.1, momentum=0.9)
        path = advance(m, optimizer, [w, b], 2)
        optimizer.param_groups[1]["lr"] = 0.001
        return path + advance(m, optimizer, [w, b], 2)

    for a, b in zip(run(mg, optim), run(torch, torch.optim), strict=True):
        near(a, b)


def test_a_group_can_be_added_later(place: str) -> None:
    """add_param_group takes further parameters, a lone tensor too."""
    w, b = start(mg)
    optimizer = optim.SGD([w], lr=0.1)
    optimizer.add_param_group({"params": b, "lr": 1.0})
    before = host(b).copy()
    b.grad = mg.ones_like(b)
    optimizer.step()
    near(b, before - 1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 1.0]


@optimizers
def test_a_loaded_state_continues_identically(
    place: str, name: str, settings: dict[str, Any]
) -> None:
    """Three steps, save, load into a new optimizer, three more: exactly six steps in one go."""
    params = start(mg)
    wanted = advance(mg, getattr(optim, name)(params, **settings), params, 6)[-2:]
    params = start(mg)
    first = getattr(optim, name)(params, **settings)
    advance(mg, first, params, 3)
    saved = first.state_dict()
    again = [mg.tensor(host(p).copy(), requires_grad=True) for p in params]
    second = getattr(optim, name)(again, lr=123.0)
    second.load_state_dict(saved)
    advance(mg, first, params, 2)  # must not move what was saved
    for a, b in zip(advance(mg, second, again, 3)[-2:], wanted, strict=True):
        near(a, b, 0)


def test_a_state_of_other_groups_is_refused(place: str) -> None:
    """Loading the state of an optimizer with other groups shows both."""
    w, b = start(mg)
    state = optim.SGD([w, b]).state_dict()
    with pytest.raises(ValueError, match=r"SGD needs groups of \[1\] parameters; found \[2\]"):
        optim.SGD([w]).load_state_dict(state)


@optimizers
def test_parameters_without_gradient_stay(place: str, name: str, settings: dict[str, Any]) -> None:
    """A parameter whose .grad is None is skipped: no decay, no momentum, no state."""
    w, b = start(mg)
    optimizer = getattr(optim, name)([w, b], **settings)
    before = host(w).copy()
    b.grad = mg.ones_like(b)
    optimizer.step()
    near(w, before, 0)
    assert w not in optimizer.state
    assert not np.array_equal(host(b), host(start(mg)[1]))


def test_zero_grad_makes_gradients_none(place: str) -> None:
    """zero_grad forgets, so that not computed and 0 stay different things."""
    params = start(mg)
    optimizer = optim.SGD(params)
    loss(mg, params).backward()
    assert all(p.grad is not None for p in params)
    optimizer.zero_grad()
    assert all(p.grad is None for p in params)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_a_step_keeps_dtype_and_tensor(place: str, name: str) -> None:
    """A step moves the tensor it was given, as a leaf in its own dtype, and records nothing."""
    p = mg.tensor([1.0, 2.0], requires_grad=True)
    assert "float32" in str(p.dtype)
    optimizer = getattr(optim, name)([p], lr=0.1)
    for _ in range(2):
        p.grad = mg.ones_like(p)
        optimizer.step()
    assert "float32" in str(p.dtype)
    assert p.is_leaf
    assert p.requires_grad
    assert np.all(host(p) < np.array([1.0, 2.0]))


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"momentum": 0.9},
        {"momentum": 0.9, "weight_decay": 0.1},
    ],
    ids=str,
)
def test_writing_to_a_gradient_after_the_step_changes_no_history(
    place: str, settings: dict[str, Any]
) -> None:
    """The momentum buffer is the optimizer's own: .grad may be written to between steps."""
    found = []
    for wipe in (False, True):
        p = mg.tensor(np.array([1.0]), requires_grad=True)
        optimizer = optim.SGD([p], lr=0.1, **settings)
        p.grad = mg.tensor(np.array([1.0]))
        optimizer.step()
        if wipe:
            p.grad *= 0
        p.grad = mg.tensor(np.array([2.0]))
        optimizer.step()
        found.append(host(p))
    near(*found)


# ── steps between forward and backward ───────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_a_step_between_forward_and_backward_is_caught(place: str, name: str) -> None:
    """Backward through a value that a step overwrote names the operation and the tensor."""
    w = mg.nn.Parameter(mg.tensor(np.array([1.0, 2.0])))
    w.name = "weight"
    optimizer = getattr(optim, name)([w], lr=0.1)
    w.grad = mg.ones_like(w)
    y = (w * w).sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match=r"through mul .* \(weight\).* overwritten in place"):
        y.backward()


def test_a_step_that_no_rule_minds_is_allowed(place: str) -> None:
    """A rule that never reads the value does not care that it moved."""
    w = mg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    w.grad = mg.ones_like(w)
    y = (w + 1).sum()
    optimizer.step()
    optimizer.zero_grad()
    y.backward()
    near(w.grad, np.ones(2))
    assert w.grad is not None


@pytest.mark.parametrize("names", [("SGD", "SGD"), ("Adam", "SGD"), ("NAdam", "AdamW")])
@pytest.mark.parametrize("seed", range(6))
def test_writes_of_all_kinds_are_told_apart(seed: int, names: tuple[str, str]) -> None:
    """Whoever writes, in whatever order: a graph is refused if it should be, by the last line."""
    params = [mg.ones(n, n, dtype=mg.float64, requires_grad=True) for n in (2, 3)]
    w, b = params
    first, twin, other = (
        getattr(optim, name)(of, lr=0.01)
        for name, of in zip([*names, names[0]], [[w, b], [b, w], [b]], strict=True)
    )
    writes: list[tuple[Any, list[int]]] = [  # each on a line of its own; whom it writes to
        (lambda: first.step(), [0, 1]),
        (lambda: twin.step(), [0, 1]),
        (lambda: other.step(), [1]),
        (lambda: w.detach().zero_(), [0]),
        (lambda: b.detach()[0].fill_(2.0), [1]),
    ]
    random = np.random.default_rng(seed)
    graphs: list[tuple[mg.Tensor, int, list[int]]] = []  # loss, parameter, lines that wrote
    for _ in range(30):
        for i, p in enumerate(params):
            p.grad = mg.ones_like(p)
            graphs.append(((p * p).sum(), i, []))
        unread = (w + 1).sum() + (b + 1).sum()  # no rule of an addition reads its inputs
        if random.random() < 0.2:  # another array; the old one dies with its graphs
            i = int(random.integers(2))
            graphs = [graph for graph in graphs if graph[1] != i]
            params[i].data = params[i].data + 1.0
        else:
            write, to = writes[int(random.integers(len(writes)))]
            write()
            for _, i, since in graphs:
                since.extend([write.__code__.co_firstlineno] * (i in to))
        for y, i, since in graphs:
            if since:
                with pytest.raises(RuntimeError, match=rf"at \S*test_optim.py:{since[-1]}\. "):
                    mg.grad(y, params[i])
            else:
                near(mg.grad(y, params[i])[0], 2 * params[i].data)
        near(mg.grad(unread, w)[0], np.ones((2, 2)))


VIEWS: list[tuple[str, Any]] = [
    ("transposed", lambda w: w.T),
    ("reshaped", lambda w: w.reshape(-1)),
    ("indexed", lambda w: w[0]),
    ("detached", lambda w: w.detach()),
]


@pytest.mark.parametrize(("name", "view"), VIEWS, ids=[name for name, _ in VIEWS])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "AdamW"])
def test_a_step_never_falsifies_a_gradient_through_a_view(
    place: str, optimizer: str, name: str, view: Any
) -> None:
    """A rule that keeps a view of a parameter raises after a step, or answers what it should."""
    if place == "strict":
        pytest.skip("the stand-in does not tell whose memory a view is")
    w = mg.tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
    v = mg.tensor(np.array([[2.0, 3.0], [5.0, 7.0]]), requires_grad=True)
    y = (
        view(w) * (v.reshape(-1) if name == "reshaped" else v[0] if name == "indexed" else v)
    ).sum()
    wanted = host(mg.grad(y, v)[0]).copy()
    w.grad = mg.ones_like(w)
    getattr(optim, optimizer)([w], lr=0.1).step()
    try:
        (found,) = mg.grad(y, v)
    except RuntimeError as error:
        assert "in place" in str(error)  # noqa: PT017 - either answer will do
    else:
        near(found, wanted)


# ── bad input ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_no_parameters_are_refused(name: str) -> None:
    """An empty list is an error that names the optimizer and how it comes about."""
    with pytest.raises(ValueError, match=rf"{name} needs parameters; got none.*generator"):
        getattr(optim, name)([])
    used = iter(start(mg))
    list(used)
    with pytest.raises(ValueError, match="got none"):
        getattr(optim, name)(used)


def test_results_are_refused() -> None:
    """Optimising the result of an operation, or no tensor at all, is an error."""
    w, _ = start(mg)
    for wrong in (w * 2, "weight", w.numpy()):
        with pytest.raises(TypeError, match=r"SGD optimises leaf tensors; got .* Pass parameters"):
            optim.SGD([wrong])


def test_nesterov_needs_momentum() -> None:
    """Nesterov without momentum, or with dampening, is refused as PyTorch refuses it."""
    for settings in ({}, {"momentum": -0.5}, {"momentum": 0.9, "dampening": 0.1}):
        with pytest.raises(ValueError, match=r"nesterov=True\) needs momentum > 0"):
            optim.SGD(start(mg), nesterov=True, **settings)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_a_negative_learning_rate_is_refused(name: str) -> None:
    """A negative lr would climb; PyTorch refuses it, so do we."""
    with pytest.raises(ValueError, match="lr"):
        getattr(optim, name)(start(mg), lr=-0.1)


def test_a_parameter_given_twice_is_refused() -> None:
    """A parameter that is given twice would take two steps at once; PyTorch refuses it."""
    w, _ = start(mg)
    with pytest.raises(ValueError, match=r"twice|more than once|duplicate"):
        optim.SGD([{"params": [w]}, {"params": [w]}])
