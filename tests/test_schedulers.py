"""RMSprop and the optimizers' further options, and schedules: PyTorch's numbers, step by step."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import optim
from minigrad.optim import lr_scheduler

# ── optimizers: what test_optim.py leaves out ────────────────────────────────────────────────────

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"maximize": True, "weight_decay": 0.1}),
    ("SGD", {"maximize": True, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.1}),
    ("SGD", {"maximize": True, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("Adam", {"amsgrad": True, "maximize": True, "weight_decay": 0.2, "betas": (0.5, 0.6)}),
    ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.2}),
    ("AdamW", {"amsgrad": True, "betas": (0.6, 0.7), "eps": 1e-3}),
    ("AdamW", {"maximize": True, "weight_decay": 0.2}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.7, "eps": 1e-2, "weight_decay": 0.2}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr_decay": 0.1, "weight_decay": 0.2, "initial_accumulator_value": 0.5}),
    ("Adadelta", {}),
    ("Adadelta", {"rho": 0.7, "eps": 1e-3, "weight_decay": 0.2, "maximize": True}),
    ("Adamax", {}),
    ("Adamax", {"betas": (0.5, 0.6), "eps": 1e-2, "weight_decay": 0.2}),
    ("NAdam", {}),
    ("NAdam", {"betas": (0.5, 0.6), "weight_decay": 0.2, "momentum_decay": 0.1}),
    ("NAdam", {"weight_decay": 0.2, "decoupled_weight_decay": True, "maximize": True}),
    ("RAdam", {}),
    ("RAdam", {"betas": (0.5, 0.9), "eps": 1e-3, "weight_decay": 0.2}),
    ("RAdam", {"weight_decay": 0.2, "decoupled_weight_decay": True}),
]

settings = pytest.mark.parametrize(("name", "options"), SETTINGS, ids=str)


def start(m: Any) -> list[Any]:
    """Two parameters in float64."""
    values = [np.array([[0.3, 0.7, -1.1], [0.2, -0.4, 0.9]]), np.array(0.4)]
    return [m.tensor(value, requires_grad=True) for value in values]


def walk(m: Any, optimizer: Any, params: list[Any], steps: int = 10) -> list[np.ndarray]:
    """The parameters after each of some steps down (or up) a loss that is not quadratic."""
    path = []
    for _ in range(steps):
        optimizer.zero_grad()
        w, b = params
        (m.sin(w * 3 + b) * w + m.sqrt(w * w + 1)).sum().backward()
        optimizer.step()
        path += [host(p).copy() for p in params]
    return path


@pytest.mark.torch
@settings
def test_ten_steps_equal_pytorch(
    place: str, torch: ModuleType, name: str, options: dict[str, Any]
) -> None:
    """Each of ten steps lands where PyTorch's does, to 1e-12 in float64.

    PyTorch keeps NAdam's product of momenta in float32, which costs it four digits.
    """
    mine, theirs = start(mg), start(torch)
    found = walk(mg, getattr(optim, name)(mine, lr=0.03, **options), mine)
    wanted = walk(torch, getattr(torch.optim, name)(theirs, lr=0.03, **options), theirs)
    for a, b in zip(found, wanted, strict=True):
        near(a, b, 1e-8 if name == "NAdam" else 1e-12)


@settings
def test_a_saved_optimizer_goes_on_the_same(place: str, name: str, options: dict[str, Any]) -> None:
    """Five steps, save, load, five more: exactly ten in one go; a 0-d parameter's state too."""
    params = start(mg)
    wanted = walk(mg, getattr(optim, name)(params, lr=0.03, **options), params)
    params = start(mg)
    first = getattr(optim, name)(params, lr=0.03, **options)
    walk(mg, first, params, 5)
    again = [mg.tensor(p.data, requires_grad=True) for p in params]
    second = getattr(optim, name)(again, lr=9.0)
    second.load_state_dict(first.state_dict())
    for a, b in zip(walk(mg, second, again, 5), wanted[10:], strict=True):
        near(a, b, 0)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop"])
def test_pytorchs_state_can_be_loaded(torch: ModuleType, name: str) -> None:
    """A state_dict of PyTorch's optimizer continues here as it would there."""
    extra = {} if name == "Adam" else {"momentum": 0.9}
    theirs = start(torch)
    optimizer = getattr(torch.optim, name)(theirs, lr=0.03, **extra)
    walk(torch, optimizer, theirs, 3)
    mine = [mg.tensor(host(p), requires_grad=True) for p in theirs]
    ours = getattr(optim, name)(mine, lr=1.0)
    ours.load_state_dict(optimizer.state_dict())
    found, wanted = walk(mg, ours, mine, 3), walk(torch, optimizer, theirs, 3)
    for a, b in zip(found, wanted, strict=True):
        near(a, b, 1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_settings_and_their_order_are_pytorchs(torch: ModuleType, name: str) -> None:
    """Defaults agree, and so does what a positional argument means."""
    ours = getattr(optim, name)(start(mg)).defaults
    theirs = getattr(torch.optim, name)(start(torch)).defaults
    assert ours == {key: theirs[key] for key in ours}
    values = {"SGD": (0.1, 0.2, 0.0, 0.3, True), "RMSprop": (0.1, 0.2, 0.3, 0.4, 0.5, True)}
    given = values.get(name, (0.1, (0.2, 0.3), 0.4, 0.5, True))
    ours = getattr(optim, name)(start(mg), *given).param_groups[0]
    theirs = getattr(torch.optim, name)(start(torch), *given).param_groups[0]
    assert {k: v for k, v in ours.items() if k != "params"} == {
        k: theirs[k] for k in ours if k != "params"
    }


def test_rmsprop_is_its_formula(place: str) -> None:
    """v ← αv + (1 − α)g², b ← ρb + g/(√(v − m²) + ε), p ← p − ηb."""
    p = mg.tensor(np.array([1.0, -2.0]), requires_grad=True)
    optimizer = optim.RMSprop([p], 0.1, 0.8, 1e-3, momentum=0.5, centered=True)
    x, v, m, b = np.array([1.0, -2.0]), 0.0, 0.0, 0.0
    for g in (np.array([1.0, 2.0]), np.array([-3.0, 0.5]), np.array([0.1, 0.1])):
        p.grad = mg.tensor(g)
        optimizer.step()
        v, m = 0.8 * v + 0.2 * g**2, 0.8 * m + 0.2 * g
        b = 0.5 * b + g / (np.sqrt(v - m**2) + 1e-3)
        x = x - 0.1 * b
        near(p, x, 1e-14)


def test_a_gradient_must_be_like_its_parameter(place: str) -> None:
    """A .grad of another shape or dtype is refused, whichever broadcasts or promotes."""
    p = mg.tensor(np.ones(3), requires_grad=True)
    p.name = "weight"
    optimizer = optim.SGD([p], lr=0.1)
    for wrong in (np.ones(1), np.ones(3, np.float32)):
        p.grad = mg.tensor(wrong)
        with pytest.raises(ValueError, match=r"gradient like its parameter; parameter 'weight'"):
            optimizer.step()
    near(p, np.ones(3), 0)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("RMSprop", {"lr": -1e-3}, r"needs lr ≥ 0; got -0.001"),
        ("SGD", {"lr": math.nan}, r"needs lr ≥ 0; got nan"),
        ("SGD", {"momentum": -0.5}, r"needs momentum ≥ 0"),
        ("AdamW", {"weight_decay": -0.1}, r"needs weight_decay ≥ 0"),
        ("Adam", {"eps": -1.0}, r"needs eps ≥ 0"),
        ("Adam", {"betas": (0.9, 1.0)}, r"betas in \[0, 1\); got betas\[1\] = 1.0"),
        ("RMSprop", {"alpha": -0.1}, r"needs alpha ≥ 0"),
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(name: str, options: dict[str, Any], said: str) -> None:
    """A setting that cannot be meant is refused, for all parameters or for one group."""
    with pytest.raises(ValueError, match=said):
        getattr(optim, name)(start(mg), **options)
    with pytest.raises(ValueError, match=said):
        getattr(optim, name)([{"params": start(mg), **options}])


def test_parameters_come_in_an_order() -> None:
    """A lone tensor or a set in place of a list is refused; names beside tensors are kept."""
    w, b = start(mg)
    for wrong in (w, {w, b}):
        with pytest.raises(TypeError, match="needs parameters in an order"):
            optim.SGD(wrong)
    model = mg.nn.Linear(2, 3)
    group = optim.SGD(model.named_parameters()).param_groups[0]
    assert group["param_names"] == ["weight", "bias"]
    assert group["params"] == [model.weight, model.bias]


def test_a_state_of_other_shapes_is_refused() -> None:
    """Running averages of another shape are refused, and nothing is taken over."""
    w, b = start(mg)
    first = optim.SGD([w, b], lr=0.1, momentum=0.9)
    walk(mg, first, [w, b], 1)
    second = optim.SGD([b, w], lr=0.5)
    with pytest.raises(ValueError, match=r"momentum_buffer of shape \(\) .* found \(2, 3\)"):
        second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["lr"] == 0.5
    assert not second.state


def test_step_calls_a_closure_and_zero_grad_can_zero(place: str) -> None:
    """step(closure) computes, moves and answers the loss; set_to_none=False leaves zeros."""
    w = mg.tensor(np.array([2.0]), requires_grad=True)
    optimizer = optim.SGD([w], lr=0.25)

    def closure() -> mg.Tensor:
        optimizer.zero_grad(set_to_none=False)
        loss = (w * w).sum()
        loss.backward()
        return loss

    with mg.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.item() == 1.0
    optimizer.zero_grad(set_to_none=False)
    near(w.grad, np.zeros(1))


def test_an_optimizer_of_ones_own() -> None:
    """A subclass hands over its defaults and writes _update; settings of a group override."""

    class Signs(optim.Optimizer):
        def __init__(self, params: Any, lr: float) -> None:
            super().__init__(params, {"lr": lr})

        def _update(self, p: Any, g: Any, state: Any, group: Any) -> None:
            p.data -= group["lr"] * np.sign(g)

    w, b = start(mg)
    before = host(w).copy()
    optimizer = Signs([{"params": [w], "lr": 0.5}, {"params": [b]}], lr=0.1)
    assert [group["lr"] for group in optimizer.param_groups] == [0.5, 0.1]
    w.grad = mg.ones_like(w) * 7
    optimizer.step()
    near(w, before - 0.5)
    b.grad = mg.ones_like(b)
    with pytest.raises(NotImplementedError):
        optim.Optimizer([b], lr=0.1).step()


def test_an_optimizer_shows_its_settings() -> None:
    """The repr says how many tensors each group has and with what settings."""
    assert "2 tensors: lr=0.1, momentum=0.9" in repr(optim.SGD(start(mg), 0.1, 0.9))


# ── schedules ────────────────────────────────────────────────────────────────────────────────────

SCHEDULES: list[tuple[str, dict[str, Any]]] = [
    ("StepLR", {"step_size": 7}),
    ("StepLR", {"step_size": 1, "gamma": 0.9}),
    ("MultiStepLR", {"milestones": [3, 10, 10, 33], "gamma": 0.5}),
    ("ExponentialLR", {"gamma": 0.93}),
    ("CosineAnnealingLR", {"T_max": 50}),
    ("CosineAnnealingLR", {"T_max": 12, "eta_min": 1e-3}),
    ("CosineAnnealingLR", {"T_max": 1, "eta_min": 1e-3}),
    ("LinearLR", {}),
    ("LinearLR", {"start_factor": 1.0, "end_factor": 0.1, "total_iters": 30}),
    ("ConstantLR", {}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 12}),
    ("PolynomialLR", {}),
    ("PolynomialLR", {"total_iters": 40, "power": 1.7}),
    ("MultiplicativeLR", {"lr_lambda": lambda epoch: 0.9 + 0.01 * (epoch % 3)}),
    ("CosineAnnealingWarmRestarts", {"T_0": 7}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2, "eta_min": 0.01}),
    ("LambdaLR", {"lr_lambda": lambda epoch: 0.95**epoch}),
    ("LambdaLR", {"lr_lambda": [lambda epoch: 1 / (1 + epoch), lambda epoch: 0.5]}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 50}),
    ("OneCycleLR", {"max_lr": 0.1, "epochs": 5, "steps_per_epoch": 10, "pct_start": 0.45}),
    ("OneCycleLR", {"max_lr": [0.1, 0.2], "total_steps": 51, "anneal_strategy": "linear"}),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 60, "three_phase": True}),
    (
        "OneCycleLR",
        {
            "max_lr": 0.1,
            "total_steps": 50,
            "three_phase": True,
            "anneal_strategy": "linear",
            "div_factor": 10.0,
            "final_div_factor": 100.0,
        },
    ),
    ("OneCycleLR", {"max_lr": 0.1, "total_steps": 55, "cycle_momentum": False}),
    (
        "OneCycleLR",
        {"max_lr": 0.1, "total_steps": 50, "base_momentum": [0.7, 0.8], "max_momentum": 0.9},
    ),
]

schedules = pytest.mark.parametrize(("name", "options"), SCHEDULES, ids=str)


def build(m: Any, name: str = "SGD") -> Any:
    """An optimizer with two groups."""
    w, b = start(m)
    settings = {"momentum": 0.9} if name == "SGD" else {}
    return getattr(m.optim, name)([{"params": [w], "lr": 0.5}, {"params": [b]}], lr=0.2, **settings)


def moments(optimizer: Any) -> list[float]:
    """Momentum, or β₁, of each group."""
    return [g.get("momentum", g.get("betas", (0.0,))[0]) for g in optimizer.param_groups]


def follow(optimizer: Any, scheduler: Any, steps: int) -> list[list[float]]:
    """Rates and momenta at each of some steps."""
    found = []
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        rates = [group["lr"] for group in optimizer.param_groups]
        assert scheduler.get_last_lr() == rates
        found.append([*rates, *moments(optimizer)])
    return found


@pytest.mark.torch
@schedules
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
def test_fifty_rates_equal_pytorch(
    torch: ModuleType, optimizer: str, name: str, options: dict[str, Any]
) -> None:
    """The first rate and fifty more, and momentum on the way, are PyTorch's to 1e-13."""
    found = []
    for m, module in ((mg, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        o = build(m, optimizer)
        scheduler = getattr(module, name)(o, **options)
        first = [*scheduler.get_last_lr(), *moments(o)]
        found.append([first, *follow(o, scheduler, 50)])
        assert scheduler.last_epoch == 50
    np.testing.assert_allclose(*found, rtol=1e-13, atol=1e-16)


@pytest.mark.torch
@schedules
def test_a_saved_schedule_goes_on_the_same(
    torch: ModuleType, name: str, options: dict[str, Any]
) -> None:
    """Twenty steps, save, load into new ones, twenty more: exactly forty in one go."""
    optimizer = build(mg)
    wanted = follow(optimizer, getattr(lr_scheduler, name)(optimizer, **options), 40)[20:]
    optimizer = build(mg)
    scheduler = getattr(lr_scheduler, name)(optimizer, **options)
    follow(optimizer, scheduler, 20)
    saved = optimizer.state_dict(), scheduler.state_dict()
    optimizer = build(mg)
    scheduler = getattr(lr_scheduler, name)(optimizer, **options)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    assert follow(optimizer, scheduler, 20) == wanted


@pytest.mark.torch
@schedules
def test_resuming_by_last_epoch_equals_pytorch(
    torch: ModuleType, name: str, options: dict[str, Any]
) -> None:
    """last_epoch=k starts where an optimizer that was loaded stands, as PyTorch does it."""
    if "T_mult" in options:
        pytest.skip("PyTorch forgets which of its periods it is in")
    found = []
    for m, module in ((mg, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        optimizer = build(m)
        scheduler = getattr(module, name)(optimizer, **options)
        follow(optimizer, scheduler, 14)
        scheduler = getattr(module, name)(optimizer, **options, last_epoch=13)
        found.append([[*scheduler.get_last_lr()] * 2, *follow(optimizer, scheduler, 20)])
    np.testing.assert_allclose(*found, rtol=1e-13, atol=1e-16)


@pytest.mark.torch
def test_schedules_act_together(torch: ModuleType) -> None:
    """Two schedules on one optimizer multiply, and a rate changed by hand stays changed."""
    found = []
    for m, module in ((mg, lr_scheduler), (torch, torch.optim.lr_scheduler)):
        optimizer, path = build(m), []
        warm = module.LinearLR(optimizer, total_iters=4)
        cosine = module.CosineAnnealingLR(optimizer, 20)
        for epoch in range(25):
            optimizer.step()
            warm.step()
            cosine.step()
            if epoch == 10:
                optimizer.param_groups[0]["lr"] *= 2
            path.append([group["lr"] for group in optimizer.param_groups])
        found.append(path)
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-16)


@pytest.mark.torch
def test_a_subclass_is_written_as_in_pytorch(torch: ModuleType) -> None:
    """A schedule of one's own overrides get_lr."""
    found = []
    for m, module in ((mg, lr_scheduler), (torch, torch.optim.lr_scheduler)):

        class Harmonic(module.LRScheduler):  # type: ignore[name-defined,misc]
            def get_lr(self) -> list[float]:
                return [base / (1 + self.last_epoch) for base in self.base_lrs]

        optimizer = build(m)
        found.append(follow(optimizer, Harmonic(optimizer), 5))
    assert found[0] == found[1]
    with pytest.raises(NotImplementedError, match=r"LRScheduler has no get_lr\(\)"):
        lr_scheduler.LRScheduler(build(mg))


def test_a_callable_object_is_saved_by_its_attributes() -> None:
    """LambdaLR's state has what an object holds, and leaves functions out."""

    class Warm:
        def __init__(self, steps: int) -> None:
            self.steps = steps

        def __call__(self, epoch: int) -> float:
            return min(1.0, (epoch + 1) / self.steps)

    first = lr_scheduler.LambdaLR(build(mg), [Warm(10), lambda epoch: 1.0])
    state = first.state_dict()
    assert state["lr_lambdas"] == [{"steps": 10}, None]
    second = lr_scheduler.LambdaLR(build(mg), [Warm(3), lambda epoch: 1.0])
    second.load_state_dict(state)
    assert second.lr_lambdas[0].steps == 10


def test_a_short_cycle_has_no_climb() -> None:
    """A cycle whose climb has no length starts at its largest rate, and divides by nothing."""
    scheduler = lr_scheduler.OneCycleLR(build(mg), max_lr=1.0, total_steps=10, pct_start=0.1)
    assert scheduler.get_last_lr() == [1.0, 1.0]


def test_stepping_ahead_of_the_optimizer_warns() -> None:
    """scheduler.step() before any optimizer.step() wastes the first rate, and says so."""
    scheduler = lr_scheduler.StepLR(build(mg), 5)
    with pytest.warns(UserWarning, match=r"StepLR.step\(\) came before the first optimizer.step"):
        scheduler.step()


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("StepLR", {"step_size": 0}, "needs step_size ≥ 1; got 0"),
        ("CosineAnnealingLR", {"T_max": 0}, "needs T_max ≥ 1; got 0"),
        ("LinearLR", {"start_factor": 2.0}, "0 < start_factor ≤ 1"),
        ("LinearLR", {"end_factor": -1.0}, "0 ≤ end_factor ≤ 1"),
        ("LambdaLR", {"lr_lambda": [abs] * 3}, "one for each of the 2 groups; got 3"),
        ("OneCycleLR", {"max_lr": 0.1}, "needs total_steps, or epochs and steps_per_epoch"),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": -5}, "positive integers; got -5"),
        ("OneCycleLR", {"max_lr": 0.1, "epochs": -5, "steps_per_epoch": -1}, "positive integers"),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 5, "pct_start": 30}, "pct_start, a part"),
        ("OneCycleLR", {"max_lr": 0.1, "total_steps": 5, "anneal_strategy": "x"}, "got 'x'"),
        ("OneCycleLR", {"max_lr": [0.1], "total_steps": 5}, "groups; got 1"),
    ],
    ids=str,
)
def test_wrong_schedules_are_refused(name: str, options: dict[str, Any], said: str) -> None:
    """What cannot be meant is refused, with what to give instead."""
    with pytest.raises(ValueError, match=said):
        getattr(lr_scheduler, name)(build(mg), **options)


def test_a_schedule_needs_its_optimizer() -> None:
    """Refused: no optimizer, no momentum to cycle, nothing to resume, and one step too many."""
    with pytest.raises(TypeError, match="StepLR schedules an optimizer; got a list"):
        lr_scheduler.StepLR([], 5)  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="'initial_lr' in param_groups"):
        lr_scheduler.ExponentialLR(build(mg), 0.9, last_epoch=3)
    plain = optim.Optimizer(start(mg), lr=0.1)
    with pytest.raises(ValueError, match="needs an optimizer with momentum or betas"):
        lr_scheduler.OneCycleLR(plain, 0.1, 10)
    optimizer = build(mg)
    scheduler = lr_scheduler.OneCycleLR(optimizer, 0.1, 2)
    follow(optimizer, scheduler, 2)
    with pytest.raises(ValueError, match="total_steps=2; this is step 3"):
        scheduler.step()


# ── schedules of schedules, and by a metric ──────────────────────────────────────────────────────


def composed(m: Any, optimizer: Any, kind: str) -> Any:
    """A warm-up, then a cosine, then steps; or a warm-up and an exponential at once."""
    s = m.optim.lr_scheduler
    warm = s.LinearLR(optimizer, start_factor=0.1, total_iters=5)
    if kind == "chained":
        return s.ChainedScheduler([warm, s.ExponentialLR(optimizer, 0.9)])
    rest = [s.CosineAnnealingLR(optimizer, 12), s.ExponentialLR(optimizer, 0.8)]
    return s.SequentialLR(optimizer, [warm, *rest], milestones=[5, 20])


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["sequential", "chained"])
def test_composed_schedules_equal_pytorch(torch: ModuleType, kind: str) -> None:
    """The first rate and thirty more are PyTorch's; a saved one goes on the same."""
    found = []
    for m in (mg, torch):
        optimizer = build(m)
        scheduler = composed(m, optimizer, kind)
        first = [*scheduler.get_last_lr(), *moments(optimizer)]
        found.append([first, *follow(optimizer, scheduler, 30)])
    np.testing.assert_allclose(*found, rtol=1e-13, atol=1e-16)

    optimizer = build(mg)
    scheduler = composed(mg, optimizer, kind)
    follow(optimizer, scheduler, 10)
    saved = optimizer.state_dict(), scheduler.state_dict()
    optimizer = build(mg)
    scheduler = composed(mg, optimizer, kind)
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    assert follow(optimizer, scheduler, 20) == found[0][11:]


@pytest.mark.torch
@pytest.mark.parametrize(
    "options",
    [
        {"patience": 1},
        {"patience": 0, "cooldown": 2, "min_lr": [0.3, 0.05]},
        {"patience": 2, "mode": "max", "threshold": 0.2, "threshold_mode": "abs"},
        {"patience": 1, "mode": "max", "factor": 0.5, "threshold": 0.1},
    ],
    ids=str,
)
def test_rates_on_a_plateau_equal_pytorch(torch: ModuleType, options: dict[str, Any]) -> None:
    """Thirty metrics, some better and some worse, lead to PyTorch's rates."""
    metrics = np.abs(np.random.default_rng(0).standard_normal(30)) + 1
    found = []
    for m in (mg, torch):
        optimizer = build(m)
        scheduler = m.optim.lr_scheduler.ReduceLROnPlateau(optimizer, **options)
        rates = []
        for metric in metrics:
            scheduler.step(metric)
            rates.append(scheduler.get_last_lr())
        found.append(rates)
    np.testing.assert_allclose(*found, rtol=1e-13)
    assert found[0][0] != found[0][-1]


@pytest.mark.torch
def test_restarts_between_epochs_equal_pytorch(torch: ModuleType) -> None:
    """step(epoch + batch/batches) sets the rate of a place between two epochs."""
    found = []
    for m in (mg, torch):
        optimizer = build(m)
        scheduler = m.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, 2, 2)
        rates = []
        optimizer.step()
        for step in range(40):
            scheduler.step(step / 4)
            rates.append(scheduler.get_last_lr())
        found.append(rates)
    np.testing.assert_allclose(*found, rtol=1e-12, atol=1e-16)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda s, o: s.ReduceLROnPlateau(o, factor=1.0), "needs factor < 1"),
        (lambda s, o: s.ReduceLROnPlateau(o).step(), r"step\(validation_loss\)"),
        (lambda s, o: s.SequentialLR(o, [s.ConstantLR(o)], [3]), "needs 0 milestones"),
        (
            lambda s, o: s.SequentialLR(o, [s.ConstantLR(o), s.ConstantLR(build(mg))], [3]),
            "of its own optimizer",
        ),
        (lambda s, o: s.ChainedScheduler([]), "needs schedules; got none"),
        (lambda s, o: s.ConstantLR(o, factor=2.0), "needs 0 < factor ≤ 1"),
        (lambda s, o: s.CosineAnnealingWarmRestarts(o, 0), "needs T_0 ≥ 1"),
        (lambda s, o: optim.Adadelta(start(mg), rho=2.0), "rho from 0 to 1; got 2.0"),
    ],
)
def test_schedules_that_cannot_be_meant_are_refused(make: Any, said: str) -> None:
    """Settings out of range, and schedules of another optimizer, are explained."""
    with pytest.raises((ValueError, TypeError), match=said):
        make(lr_scheduler, build(mg))
