"""Entrywise rules: parameters that move together move as each would by itself."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near
from test_optim import OPTIMIZERS
from test_schedulers import SETTINGS

import minigrad as mg
from minigrad import backend, optim
from minigrad.optim import entrywise

rules = pytest.mark.parametrize(("name", "options"), [*OPTIMIZERS, *SETTINGS], ids=str)
few = pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.3}),
        ("AdamW", {"lr": 0.1, "amsgrad": True, "weight_decay": 0.3}),
        ("NAdam", {"lr": 0.1, "weight_decay": 0.3}),
        ("Adadelta", {"lr": 0.1}),
    ],
    ids=str,
)

SHAPES = [(2, 3), (), (4,), (0, 2), (3, 5), (1,)]
# Which of the parameters above have a gradient, step by step.
TURNS = ["all", "all", (0, 2, 4), (0, 2, 4), (1, 3), (), "all", (5, 1), "all", "all"]

Optimizers = Callable[[list[Any]], list[Any]]


def parameters(m: Any = mg, dtype: Any = np.float64) -> list[Any]:
    """Parameters of many shapes, the same each time; a matrix among them is a transposed one."""
    rng = np.random.default_rng(0)
    params = [m.tensor(np.asarray(rng.standard_normal(s), dtype)) for s in SHAPES]
    params[4] = m.tensor(np.asarray(rng.standard_normal((5, 3)), dtype)).T.detach()
    return [p.requires_grad_() for p in params]


def walk(m: Any, params: list[Any], optimizers: list[Any], turns: Any = TURNS) -> Iterator[Any]:
    """Steps with gradients made up; the parameters after each."""
    rng = np.random.default_rng(1)
    for turn in turns:
        for i, p in enumerate(params):
            g = np.asarray(rng.standard_normal(tuple(p.shape)))
            moves = turn == "all" or i in turn
            p.grad = m.tensor(g.astype(str(p.dtype).rpartition(".")[2])) if moves else None
        for optimizer in optimizers:
            optimizer.step()
        yield [host(p).copy() for p in params]


def same(found: Any, wanted: Any) -> None:
    """Assert that all parameters are equal, bit by bit, after every step."""
    for a, b in zip(found, wanted, strict=True):
        assert [x.tobytes() for x in a] == [x.tobytes() for x in b]


def together(name: str, options: dict[str, Any]) -> Optimizers:
    """One optimizer for all parameters."""
    return lambda params: [getattr(optim, name)(params, **options)]


def apart(name: str, options: dict[str, Any]) -> Optimizers:
    """An optimizer for each parameter."""
    return lambda params: [getattr(optim, name)([p], **options) for p in params]


@rules
def test_together_is_each_by_itself(place: str, name: str, options: dict[str, Any]) -> None:
    """One optimizer moves all as one optimizer for each would, whichever have a gradient."""
    paths = []
    for make in (together(name, options), apart(name, options)):
        params = parameters()
        paths.append(walk(mg, params, make(params)))
    same(*paths)


@pytest.mark.torch
@rules
def test_steps_with_some_gradients_missing_equal_pytorchs(
    place: str, torch: ModuleType, name: str, options: dict[str, Any]
) -> None:
    """Where some parameters sit out some steps, each counts its own steps, as in PyTorch."""
    options = {"lr": 0.03, **options}
    mine, theirs = parameters(), parameters(torch)
    found = walk(mg, mine, together(name, options)(mine))
    wanted = walk(torch, theirs, [getattr(torch.optim, name)(theirs, **options)])
    for a, b in zip(found, wanted, strict=True):
        for x, y in zip(a, b, strict=True):
            near(x, y, 1e-7 if name == "NAdam" else 1e-11)


@rules
def test_dtypes_do_not_mix(place: str, name: str, options: dict[str, Any]) -> None:
    """float32 beside float64: each is computed in its own dtype, and keeps it."""
    paths = []
    for make in (together(name, options), apart(name, options)):
        params = [*parameters(dtype=np.float32), *parameters()]
        params = params[::2] + params[1::2]
        turns = ["all", "all", range(0, 12, 3), "all", range(5), "all"]
        dtypes = [p.dtype for p in params]
        paths.append([*walk(mg, params, make(params), turns)])
        assert [p.dtype for p in params] == dtypes
    same(*paths)


@rules
@pytest.mark.parametrize(
    ("size", "rows"),
    [
        (4, [slice(0, 1), slice(1, 2), slice(0, 1), slice(1, 2), slice(2, 3)]),
        (10, [slice(0, 2), slice(2, 4)]),
    ],
    ids=str,
)
def test_large_parameters_move_by_rows(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    options: dict[str, Any],
    size: int,
    rows: list[Any],
) -> None:
    """Rows of large parameters, and small ones in several packs, move as whole ones do."""
    params = parameters()
    whole = [*walk(mg, params, together(name, options)(params))]
    monkeypatch.setattr(entrywise, "SMALL", 4)
    monkeypatch.setattr(entrywise, "BLOCK", size)
    params = parameters()
    (optimizer,) = together(name, options)(params)
    same(walk(mg, params, [optimizer]), whole)
    (blocks,) = optimizer._blocks
    joined = [block for block in blocks if isinstance(block, entrywise.Joined)]
    cut = [block.rows for block in blocks if block not in joined and block.rows is not ...]
    assert cut == rows
    assert len(joined) > 1 or not optimizer._joins(optimizer.param_groups[0])
    for p, shape in zip(params, SHAPES, strict=True):
        for key, value in optimizer.state[p].items():
            assert key in ("step", "mu_product") or value.shape == shape


def test_small_parameters_are_one_block_and_stay_so(place: str) -> None:
    """Small ones alike move as one; nothing is laid out anew while nothing changes."""
    params = [mg.zeros(n, n, requires_grad=True) for n in range(1, 6)]
    optimizer = optim.Adam(params)
    seen = []
    for _ in walk(mg, params, [optimizer], ["all"] * 3):
        ((block,),) = optimizer._blocks
        seen.append(block)
    assert seen[0] is seen[1] is seen[2]
    assert seen[0].params == params
    held = optimizer.state
    assert len(held) == len(params)
    optimizer.step()
    assert not held  # what is in blocks is not kept a second time


@few
def test_a_state_goes_over_in_the_middle(place: str, name: str, options: dict[str, Any]) -> None:
    """Saved and loaded, or only read, after any step: the path is the same."""
    params = parameters()
    wanted = [*walk(mg, params, together(name, options)(params))]

    class Handed:
        """Steps by a new optimizer each time, which has loaded the state of the last."""

        def __init__(self, params: list[Any]) -> None:
            self.params, self.last = params, getattr(optim, name)(params, **options)

        def step(self) -> None:
            saved, last = self.last.state_dict(), self.last
            self.last = getattr(optim, name)(self.params, lr=9.0)
            self.last.load_state_dict(saved)
            self.last.step()
            assert str(last.state_dict()) == str(saved)

    params = parameters()
    same(walk(mg, params, [Handed(params)]), wanted)


@few
@pytest.mark.parametrize("small", [1, 100])
def test_a_saved_state_does_not_move_on(
    monkeypatch: pytest.MonkeyPatch, small: int, name: str, options: dict[str, Any]
) -> None:
    """Running averages are updated in place, but not those that were given away or loaded."""
    monkeypatch.setattr(entrywise, "SMALL", small)
    params = parameters()
    (optimizer,) = together(name, options)(params)
    [*walk(mg, params, [optimizer])]
    saved = optimizer.state_dict()
    before = copy.deepcopy(saved["state"])
    [*walk(mg, params, [optimizer])]
    optimizer.load_state_dict(saved)
    [*walk(mg, params, [optimizer])]
    assert str(saved["state"]) == str(before)


@pytest.mark.torch
@few
def test_the_state_has_pytorchs_names_and_shapes(
    torch: ModuleType, name: str, options: dict[str, Any]
) -> None:
    """What is kept of each parameter has its shape and PyTorch's name; the number, its value."""
    mine, theirs = parameters(), parameters(torch)
    (optimizer,) = together(name, options)(mine)
    other = getattr(torch.optim, name)(theirs, **options)
    [*walk(mg, mine, [optimizer])], [*walk(torch, theirs, [other])]
    for p, q in zip(mine, theirs, strict=True):
        kept = optimizer.state[p]
        assert set(kept) == set(other.state[q]) - ({"step"} if "step" not in kept else set())
        for key, value in kept.items():
            near(value, other.state[q][key], 1e-7)


@pytest.mark.torch
def test_pytorchs_nadam_can_be_loaded(torch: ModuleType) -> None:
    """Its product of momenta is a tensor without axes there, and a number here."""
    theirs = parameters(torch)
    other = torch.optim.NAdam(theirs, lr=0.1)
    [*walk(torch, theirs, [other])]
    mine = [mg.tensor(host(p).copy(), requires_grad=True) for p in theirs]
    optimizer = optim.NAdam(mine)
    optimizer.load_state_dict(other.state_dict())
    for a, b in zip(walk(mg, mine, [optimizer]), walk(torch, theirs, [other]), strict=True):
        for x, y in zip(a, b, strict=True):
            near(x, y, 1e-7)


@few
def test_a_state_can_be_changed_between_steps(
    place: str, name: str, options: dict[str, Any]
) -> None:
    """Forgetting one parameter's state, or writing to an array of it, counts at the next step."""
    paths = []
    for make in (together(name, options), apart(name, options)):
        params = parameters()
        optimizers = make(params)
        path = [*walk(mg, params, optimizers, ["all"] * 2)]
        del optimizers[0].state[params[0]]
        assert params[0] not in optimizers[0].state
        kept = optimizers[min(2, len(optimizers) - 1)].state[params[2]]
        for key in kept:
            if backend.is_array(kept[key]):
                kept[key] *= 0.5
        paths.append([*path, *walk(mg, params, optimizers, ["all"] * 2)])
    same(*paths)


@few
def test_a_parameter_may_get_another_array(place: str, name: str, options: dict[str, Any]) -> None:
    """After ``p.data = other`` it is the new array that moves, with the averages of before."""
    paths = []
    for make in (together(name, options), apart(name, options)):
        params = parameters()
        optimizers = make(params)
        path = [*walk(mg, params, optimizers, ["all"] * 2)]
        old = params[2].data
        before = host(old).copy()
        params[2].data = mg.tensor(np.arange(4.0)).data
        path += walk(mg, params, optimizers, ["all"] * 2)
        near(old, before, 0)
        assert not np.array_equal(path[-1][2], np.arange(4.0))
        paths.append(path)
    same(*paths)


@few
def test_shared_memory_moves_step_by_step(name: str, options: dict[str, Any]) -> None:
    """Of two parameters on the same memory the later one sees what the earlier one's step did."""
    paths = []
    for make in (together(name, options), apart(name, options)):
        memory = np.arange(12.0).reshape(3, 4) / 7
        arrays = [memory, memory.T, memory[1], np.ones(3)]
        params = [mg.tensor(a, requires_grad=True) for a in arrays]
        for p, a in zip(params, arrays, strict=True):
            p.data = a
        paths.append([*walk(mg, params, make(params), ["all", (0, 2, 3), "all"])])
    same(*paths)


def test_a_parameter_may_go_to_another_group(place: str) -> None:
    """Its averages go with it; the settings are those of its group now."""
    paths = []
    for regroup in (True, False):
        w, b = parameters()[0::2][:2]
        groups = [[w, b]] if regroup else [[w], [b]]
        optimizer = optim.Adam([{"params": params} for params in groups], lr=0.1)
        path = [*walk(mg, [w, b], [optimizer], ["all"] * 3)]
        if regroup:
            optimizer.param_groups[0]["params"] = [w]
            optimizer.param_groups.append({**optimizer.param_groups[0], "params": [b]})
        optimizer.param_groups[1]["lr"] = 0.5
        paths.append([*path, *walk(mg, [w, b], [optimizer], ["all"] * 3)])
    same(*paths)


def test_a_model_may_move_between_steps() -> None:
    """Averages follow their parameters to another backend."""
    paths = []
    for home in ("numpy", "strict"):
        params = parameters()
        optimizer = optim.Adam(params, lr=0.1)
        path = [*walk(mg, params, [optimizer], ["all"] * 2)]
        for p in params:
            p.data = backend.to(p.data, home)
        with mg.use(home):
            path += walk(mg, params, [optimizer], ["all"] * 2)
        assert params[0].backend == home
        paths.append(path)
    same(*paths)


@few
def test_a_copy_goes_its_own_way(name: str, options: dict[str, Any]) -> None:
    """Parameters and optimizer copied together go on as the originals do, and do not move them."""
    params = parameters()
    (optimizer,) = together(name, options)(params)
    before = [*walk(mg, params, [optimizer], ["all"] * 2)][-1]
    twins, twin = copy.deepcopy((params, optimizer))
    found = [*walk(mg, twins, [twin])]
    same([[host(p) for p in params]], [before])
    same(found, walk(mg, params, [optimizer]))


def test_rows_and_packs_can_be_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A recorded step moves large and small parameters as the step itself does, bit by bit."""
    monkeypatch.setattr(entrywise, "SMALL", 4)
    monkeypatch.setattr(entrywise, "BLOCK", 8)
    paths = []
    for replayed in (False, True):
        w, b = (mg.ones(*shape, requires_grad=True) for shape in ((5, 3), (3,)))
        optimizer = optim.SGD([w, b], lr=0.1, weight_decay=0.5)

        def step(x: Any, w: Any = w, b: Any = b, optimizer: Any = optimizer) -> Any:
            loss = mg.tanh(x @ w + b).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss

        x = mg.tensor([[0.3, -0.2, 0.5, 0.1, 0.9]])
        again = mg.replay(step, x, state=[w, b]) if replayed else step
        paths.append([[host(again(x)).copy(), host(w).copy(), host(b).copy()] for _ in range(3)])
    same(*paths)


@pytest.mark.parametrize("wrong", [np.ones((1, 1)), np.ones(1, np.float32)], ids=["shape", "dtype"])
def test_one_wrong_gradient_moves_nothing(place: str, wrong: np.ndarray) -> None:
    """All gradients are looked at before the first parameter moves; the state is not lost."""
    params = parameters()
    optimizer = optim.Adam(params, lr=0.1)
    (before,) = walk(mg, params, [optimizer], ["all"])
    for p in params:
        p.grad = mg.ones_like(p)
    params[-1].grad = mg.tensor(wrong)
    with pytest.raises(ValueError, match="gradient like its parameter"):
        optimizer.step()
    same([[host(p) for p in params]], [before])
    assert {kept["step"] for kept in optimizer.state.values()} == {1}


@rules
@pytest.mark.parametrize("small", [1, 100])
def test_gradients_are_left_alone(
    monkeypatch: pytest.MonkeyPatch, small: int, name: str, options: dict[str, Any]
) -> None:
    """No rule writes to .grad, or keeps it as its own, whether it is joined to others or not."""
    monkeypatch.setattr(entrywise, "SMALL", small)
    found = []
    for wipe in (False, True):
        p = parameters()[0]
        optimizer = getattr(optim, name)([p], **options)
        first = p.grad = mg.ones_like(p)
        optimizer.step()
        near(first, np.ones((2, 3)), 0)
        if wipe:
            first.zero_()
        p.grad = mg.ones_like(p) * 2
        optimizer.step()
        near(first, np.full((2, 3), 0.0 if wipe else 1.0), 0)
        found.append(host(p))
    near(*found, 0)


def test_a_rule_of_ones_own() -> None:
    """A subclass of Entrywise writes _change alone, and has groups and weight decay."""

    class Signs(entrywise.Entrywise):
        def _change(self, g: Any, state: Any, group: dict[str, Any]) -> Any:
            return group["lr"] * np.sign(g)

    params = parameters()[:3]
    before = [host(p).copy() for p in params]
    optimizer = Signs(params, {"lr": 0.1}, weight_decay=0.5)
    for p in params:
        p.grad = mg.zeros_like(p)
    optimizer.step()
    for p, x in zip(params, before, strict=True):
        near(p, x - 0.1 * np.sign(0.5 * x))
    with pytest.raises(NotImplementedError):
        entrywise.Entrywise(params, lr=0.1).step()


# ── what changes between steps ───────────────────────────────────────────────────────────────────


class Formula:
    """SGD as its formula says it, parameter by parameter, with new arrays at each step."""

    def __init__(self, params: list[Any], **options: Any) -> None:
        settings = {"momentum": 0.0, "weight_decay": 0.0, "dampening": 0.0, "nesterov": False}
        self.defaults: dict[str, Any] = {**settings, "maximize": False, **options}
        self.param_groups: list[dict[str, Any]] = []
        self.add_param_group({"params": params})
        self.past: dict[int, Any] = {}

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Take on further parameters."""
        self.param_groups.append({**self.defaults, **group})

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            rho = group["momentum"]
            for p in [p for p in group["params"] if p.grad is not None]:
                x = host(p)
                g = host(p.grad) * (-1 if group["maximize"] else 1) + group["weight_decay"] * x
                if rho:
                    v = self.past.get(id(p))
                    v = g if v is None else rho * v + (1 - group["dampening"]) * g
                    self.past[id(p)] = v
                    g = g + rho * v if group["nesterov"] else v
                p.data = backend.copy_as(np.asarray(x - group["lr"] * g), p.data)


def _set(**settings: Any) -> Callable[[list[Any], Any], None]:
    return lambda params, optimizer: optimizer.param_groups[0].update(settings)


def _other_array(params: list[Any], optimizer: Any) -> None:
    params[2].data = mg.tensor(np.arange(4.0)).data


def _other_dtype(params: list[Any], optimizer: Any) -> None:
    for p in params[1:]:
        p.data = mg.tensor(host(p).astype(np.float32)).data


def _more(params: list[Any], optimizer: Any) -> None:
    params.append(mg.tensor(np.arange(3.0) - 1, requires_grad=True))
    optimizer.add_param_group({"params": [params[-1]], "lr": 0.7})


def _edited(params: list[Any], optimizer: Any) -> None:
    held = optimizer.param_groups[0]["params"]
    held.remove(params[0])
    held.append(mg.tensor(np.arange(3.0) - 1, requires_grad=True))
    params.append(held[-1])


def _turned(params: list[Any], optimizer: Any) -> None:
    optimizer.param_groups[0]["params"].reverse()


def _apart(params: list[Any], optimizer: Any) -> None:
    first = optimizer.param_groups[0]
    optimizer.param_groups.append({**first, "params": first["params"][3:], "lr": 0.03})
    first["params"] = first["params"][:3]


EVENTS: dict[str, Callable[[list[Any], Any], None]] = {
    "momentum starts": _set(momentum=0.8),
    "momentum ends": _set(momentum=0.0, nesterov=False),
    "weight decay": _set(weight_decay=0.4),
    "no weight decay": _set(weight_decay=0.0),
    "climbs": _set(maximize=True),
    "descends": _set(maximize=False),
    "learning rate": _set(lr=0.01),
    **{"another array": _other_array, "another dtype": _other_dtype},
    **{"added": _more, "edited": _edited, "turned": _turned, "apart": _apart},
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("sizes", [(2**12, 2**18), (4, 10)], ids=str)
@pytest.mark.parametrize(
    "options",
    [
        {"lr": 0.1},
        {"lr": 0.1, "momentum": 0.9},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "maximize": True, "weight_decay": 0.3},
        {"lr": 0.1, "momentum": 0.9, "dampening": 0.4},
        {"lr": 0.1, "weight_decay": 0.3},
    ],
    ids=str,
)
def test_sgd_is_its_formula_whatever_changes(
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    options: dict[str, Any],
    sizes: tuple[int, int],
    event: str,
) -> None:
    """Settings, parameters, their arrays and their gradients may change between any two steps."""
    monkeypatch.setattr(entrywise, "SMALL", sizes[0])
    monkeypatch.setattr(entrywise, "BLOCK", sizes[1])
    paths = []
    for make in (optim.SGD, Formula):
        params = parameters()
        optimizer: Any = make(list(params), **options)
        path = [*walk(mg, params, [optimizer], ["all", "all", (0, 2, 4), "all"])]
        EVENTS[event](params, optimizer)
        path += walk(mg, params, [optimizer], TURNS)
        assert {str(p.grad.dtype) for p in params} == {str(p.dtype) for p in params}
        paths.append(path)
    for found, wanted in zip(*paths, strict=True):
        for a, b in zip(found, wanted, strict=True):
            assert a.dtype == b.dtype
            near(a, b, 1e-5 if event == "another dtype" else 1e-12)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("shape", [(2**18 + 7,), (3, 100_003), (2**18, 1)], ids=str)
def test_parameters_of_more_than_a_block_move_whole(name: str, shape: tuple[int, ...]) -> None:
    """The last rows move as the first ones do, step after step, beside a small parameter."""
    large = mg.ones(*shape, requires_grad=True)
    small, still = mg.ones(5, requires_grad=True), mg.ones(7, requires_grad=True)
    optimizer = getattr(optim, name)([small, large, still], lr=0.25)
    for _ in range(3):
        for p in (small, large):
            p.grad = mg.ones_like(p)
        optimizer.step()
    near(large, np.full(shape, 0.25), 1e-5)
    near(small, np.full(5, 0.25), 1e-5)
    near(still, np.ones(7), 0)


@pytest.mark.parametrize("steps", [0, 1, 3])
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize(
    ("name", "options"), [("SGD", {}), ("SGD", {"momentum": 0.9}), ("Adam", {})]
)
@pytest.mark.parametrize("wrong", [np.ones((1, 3)), np.ones((2, 3), np.float32), np.ones((3, 2))])
def test_a_gradient_that_does_not_fit_is_refused_at_any_step(
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    wrong: np.ndarray,
    name: str,
    options: dict[str, Any],
    large: bool,
    steps: int,
) -> None:
    """One that would broadcast is an error, after steps that went well too; then all goes on."""
    monkeypatch.setattr(entrywise, "BLOCK", 4 if large else 2**18)
    p, q = (mg.tensor(np.ones((2, 3)), requires_grad=True) for _ in range(2))
    optimizer = getattr(optim, name)([p, q], lr=0.1, **options)
    for _ in range(steps):
        p.grad, q.grad = mg.ones_like(p), mg.ones_like(q)
        optimizer.step()
    before = [host(x).copy() for x in (p, q)]
    p.grad, q.grad = mg.ones_like(p), mg.tensor(wrong)
    for _ in range(2):
        with pytest.raises(ValueError, match="gradient like its parameter"):
            optimizer.step()
    same([[host(x) for x in (p, q)]], [before])
    p.grad, q.grad = mg.ones_like(p), mg.ones_like(q)
    optimizer.step()
    assert np.all(host(q) < before[1])
    near(p, host(q), 0)


@pytest.mark.parametrize(
    ("name", "options"), [("SGD", {}), ("SGD", {"momentum": 0.9}), ("Adam", {})]
)
@pytest.mark.parametrize("alone", [False, True])
def test_every_step_is_a_write_that_backward_knows_of(
    place: str, name: str, options: dict[str, Any], alone: bool
) -> None:
    """After many steps, and a write to one parameter alone, the next is caught as the first."""
    params = [mg.tensor(np.ones(3), requires_grad=True) for _ in range(2)]
    optimizer = getattr(optim, name)(params, lr=0.1, **options)
    for _ in range(3):
        ys = [(p * p).sum() for p in params]
        for p in params:
            p.grad = mg.ones_like(p)
        optimizer.step()
        for y in ys:
            with pytest.raises(RuntimeError, match="overwritten in place"):
                y.backward()
        if alone:
            y = (params[0] * params[0]).sum()
            with mg.no_grad():
                params[0].zero_()
            with pytest.raises(RuntimeError, match="overwritten in place"):
                y.backward()
    y = (params[0] * params[1]).sum()
    y.backward()  # nothing was written since


def test_gradients_set_to_zeros_are_new_ones(place: str) -> None:
    """zero_grad(set_to_none=False) writes to no gradient, and makes none where there was none."""
    params = parameters(dtype=np.float32)
    optimizer = optim.SGD(params, lr=0.1, momentum=0.5)
    before = [host(p).copy() for p in params]
    for p in params[1:]:
        p.grad = mg.ones_like(p)
    old = [p.grad for p in params]
    optimizer.zero_grad(set_to_none=False)
    assert params[0].grad is None
    for p, g in zip(params[1:], old[1:], strict=True):
        near(g, np.ones(p.shape), 0)
        assert p.grad is not g
        assert (p.grad.shape, p.grad.dtype, p.grad.backend) == (p.shape, p.dtype, place)
        near(p.grad, np.zeros(p.shape), 0)
    optimizer.step()
    same([[host(p) for p in params]], [before])


@pytest.mark.parametrize("small", [1, 2**12])
def test_decoupled_decay_shrinks_by_its_share(
    monkeypatch: pytest.MonkeyPatch, place: str, small: int
) -> None:
    """Where gradients are 0, AdamW's step is p ← p·(1 − lr·weight_decay), with the lr of now."""
    monkeypatch.setattr(entrywise, "SMALL", small)
    params = parameters()
    wanted = [host(p).copy() for p in params]
    optimizer = optim.AdamW(params, lr=0.1, weight_decay=0.5)
    for lr in (0.1, 0.1, 0.02):
        optimizer.param_groups[0]["lr"] = lr
        for p in params:
            p.grad = mg.zeros_like(p)
        optimizer.step()
        wanted = [x * (1 - lr * 0.5) for x in wanted]
        for p, x in zip(params, wanted, strict=True):
            near(p, x, 1e-14)


@few
@pytest.mark.parametrize("small", [1, 2**12])
def test_averages_follow_parameters_to_another_dtype(
    monkeypatch: pytest.MonkeyPatch, place: str, small: int, name: str, options: dict[str, Any]
) -> None:
    """float64 from the third step on: the path of float64 throughout, but for what was rounded."""
    monkeypatch.setattr(entrywise, "SMALL", small)
    paths = []
    for dtype in (np.float32, np.float64):
        params = parameters(dtype=dtype)
        (optimizer,) = together(name, options)(params)
        path = [*walk(mg, params, [optimizer], ["all"] * 2)]
        for p in params:
            p.data = mg.tensor(host(p).astype(np.float64)).data
        paths.append([*path, *walk(mg, params, [optimizer], ["all"] * 3)])
        arrays = [v for s in optimizer.state.values() for v in s.values() if backend.is_array(v)]
        assert {str(v.dtype).rpartition(".")[2] for v in arrays} == {"float64"}
    for found, wanted in zip(*paths, strict=True):
        for a, b in zip(found, wanted, strict=True):
            near(a, b, 1e-5)
