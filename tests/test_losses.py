"""Losses: PyTorch's numbers at every order, the corners where they differ, and bad input."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - as PyTorch's users import it
from minigrad import nn
from minigrad.nn.losses.classification import class_targets

Settings = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A loss by its class name, its settings, and how its two arguments are drawn."""

    name: str
    settings: Settings = field(default_factory=dict)
    input: str = "any"  # or "probabilities", "log"
    target: str = "any"  # or "probabilities", "classes", "distribution", "log"
    shape: tuple[int, ...] = (4, 3)
    tensors: tuple[tuple[str, tuple[int, ...]], ...] = ()  # settings that are tensors

    def __str__(self) -> str:
        """For the name of the test."""
        more = [name for name, _ in self.tensors]
        return f"{self.name}{self.shape}{self.settings or ''}{more or ''}"

    def draw(self) -> tuple[np.ndarray, np.ndarray, Settings]:
        """Input, target, and the settings that are arrays."""
        random = np.random.default_rng(0)

        def of(kind: str) -> np.ndarray:
            shape, axis = self.shape, 1 if len(self.shape) > 1 else 0
            positive = random.uniform(0.05, 0.95, shape)
            if kind == "classes":
                return np.asarray(
                    random.integers(0, shape[axis], (*shape[:axis], *shape[axis + 1 :]))
                )
            return {
                "any": random.standard_normal(shape) * 2,
                "probabilities": positive,
                "distribution": positive / positive.sum(axis, keepdims=True),
                "log": np.log(positive / positive.sum(axis, keepdims=True)),
            }[kind]

        arrays = {name: random.uniform(0.5, 2.0, shape) for name, shape in self.tensors}
        return of(self.input), of(self.target), arrays


WEIGHTED = (("weight", (3,)),)
CASES = [
    *[Case(name) for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")],
    *[Case(name, shape=()) for name in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss")],
    Case("SmoothL1Loss", {"beta": 0.4}),
    Case("SmoothL1Loss", {"beta": 0.0}),
    Case("HuberLoss", {"delta": 0.4}),
    *[
        Case(name, input=given, target=target, shape=shape, tensors=tensors)
        for name, given in (("NLLLoss", "log"), ("CrossEntropyLoss", "any"))
        for target in ("classes",)
        for shape, tensors in (
            ((4, 3), ()),
            ((4, 3), WEIGHTED),
            ((3,), WEIGHTED),
            ((2, 3, 4), ()),
            ((2, 3, 2, 2), WEIGHTED),
        )
    ],
    Case("NLLLoss", {"ignore_index": 1}, "log", "classes", tensors=WEIGHTED),
    Case("CrossEntropyLoss", {"ignore_index": 1, "label_smoothing": 0.2}, "any", "classes",
         (2, 3, 4), WEIGHTED),
    Case("CrossEntropyLoss", {"label_smoothing": 0.2}, "any", "distribution", tensors=WEIGHTED),
    Case("CrossEntropyLoss", {"label_smoothing": 0.2}, "any", "probabilities"),
    Case("CrossEntropyLoss", {"label_smoothing": 0.2}, "any", "distribution", (3,)),
    Case("BCELoss", {}, "probabilities", "probabilities"),
    Case("BCELoss", {}, "probabilities", "probabilities", (), ()),
    Case("BCELoss", {}, "probabilities", "probabilities", tensors=(("weight", (4, 1)),)),
    Case("BCEWithLogitsLoss", {}, "any", "probabilities"),
    Case("BCEWithLogitsLoss", {}, "any", "probabilities", tensors=(("weight", (4, 3)),)),
    Case("BCEWithLogitsLoss", {}, "any", "probabilities", tensors=(("pos_weight", (3,)),)),
    Case("BCEWithLogitsLoss", {}, "any", "probabilities", (4, 3),
         (("weight", (3,)), ("pos_weight", (3,)))),
    Case("KLDivLoss", {}, "log", "distribution"),
    Case("KLDivLoss", {"log_target": True}, "log", "log"),
    Case("KLDivLoss", {"reduction": "batchmean"}, "log", "distribution", (2, 3, 2)),
    Case("KLDivLoss", {"reduction": "batchmean", "log_target": True}, "log", "log"),
]  # fmt: skip

cases = pytest.mark.parametrize("case", CASES, ids=str)
REDUCTIONS = ["mean", "sum", "none"]


def build(m: Any, case: Case, arrays: Settings, reduction: str) -> Any:
    """The loss as a module, in float64."""
    tensors = {name: m.tensor(value) for name, value in arrays.items()}
    return getattr(m.nn, case.name)(**{"reduction": reduction, **case.settings, **tensors})


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides the total loss")
@pytest.mark.parametrize("reduction", REDUCTIONS)
@cases
def test_equals_pytorch(place: str, torch: ModuleType, case: Case, reduction: str) -> None:
    """Value, first and second gradients by input and target are PyTorch's."""
    data, goal, arrays = case.draw()
    smooth = case.target != "classes"

    def run(m: Any, grad: Any) -> list[Any]:
        xs = [m.tensor(data, requires_grad=True), m.tensor(goal, requires_grad=smooth)]
        y = build(m, case, arrays, reduction)(*xs)
        variables = xs if smooth else xs[:1]
        gs = grad((y * y).sum(), variables, create_graph=True)
        norm = (gs[0] * gs[0]).sum() + (gs[-1] * gs[-1]).sum()
        second = grad(norm, variables, allow_unused=True)
        zeros = [np.zeros(tuple(x.shape)) for x in variables]
        return [y, *gs, *[z if g is None else g for z, g in zip(zeros, second, strict=True)]]

    for mine, other in zip(run(mg, mg.grad), run(torch, torch.autograd.grad), strict=True):
        near(mine, other)


@cases
def test_rules_equal_differences(place: str, case: Case) -> None:
    """First and second derivatives equal central differences."""
    data, goal, arrays = case.draw()
    loss, target = build(mg, case, arrays, "sum"), mg.tensor(goal)
    if case.target == "classes":
        verdict = mg.gradcheck(lambda x: loss(x, target), mg.tensor(data))
    else:
        verdict = mg.gradcheck(loss, (mg.tensor(data), target))
    assert verdict, verdict


@cases
def test_float32_stays_float32(place: str, case: Case) -> None:
    """Loss, gradient and second gradient of float32 inputs are float32."""
    data, goal, arrays = case.draw()
    loss = build(mg, case, {k: v.astype("float32") for k, v in arrays.items()}, "mean")
    target = mg.tensor(goal if case.target == "classes" else goal.astype("float32"))
    x = mg.tensor(data.astype("float32"), requires_grad=True)
    y = loss(x, target)
    (g,) = mg.grad(y, x, create_graph=True)
    assert "float32" in str(y.dtype)
    assert "float32" in str(g.dtype)
    if g.requires_grad:
        assert "float32" in str(mg.grad((g * g).sum(), x)[0].dtype)


# ── corners ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.torch
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss"])
def test_where_all_is_ignored(
    place: str, torch: ModuleType, name: str, reduction: str, weighted: bool, smoothing: float
) -> None:
    """The mean over nothing is nan and has gradient 0, as in PyTorch; a sum is 0."""
    results = []
    for m in (mg, torch):
        settings: Settings = {"reduction": reduction}
        if weighted:
            settings["weight"] = m.tensor(np.ones(4))
        if name == "CrossEntropyLoss":
            settings["label_smoothing"] = smoothing
        x = m.tensor(np.arange(12.0).reshape(3, 4), requires_grad=True)
        y = getattr(m.nn, name)(**settings)(x, m.tensor(np.full(3, -100)))
        y.sum().backward()
        results.append([host(y), host(x.grad)])
    for mine, other in zip(*results, strict=True):
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("name", ["CrossEntropyLoss", "NLLLoss", "MSELoss", "BCELoss"])
def test_the_mean_over_an_empty_batch_is_nan(place: str, name: str) -> None:
    """No samples have no mean: nan, as in PyTorch, and no warning."""
    classes = name in ("CrossEntropyLoss", "NLLLoss")
    x = mg.zeros(0, 3)
    y = getattr(nn, name)()(x, mg.zeros(0, dtype=mg.int64) if classes else x)
    assert math.isnan(y.item())


@pytest.mark.torch
def test_sure_mistakes_cost_a_hundred(place: str, torch: ModuleType) -> None:
    """At p = 0 and 1 the logarithm stops at −100 and the slope at 10¹², as in PyTorch."""
    results = []
    for m, functions in ((mg, F), (torch, torch.nn.functional)):
        p = m.tensor(np.array([0.0, 1.0, 0.0, 1.0, 0.3]), requires_grad=True)
        t = m.tensor(np.array([0.0, 1.0, 1.0, 0.0, 0.5]))
        y = functions.binary_cross_entropy(p, t, reduction="none")
        y.sum().backward()
        results.append([host(y), host(p.grad)])
    near(results[0][0], results[1][0])
    # PyTorch's own bound is 1e-12 in float32
    np.testing.assert_allclose(results[0][1], results[1][1], rtol=1e-8)


@pytest.mark.torch
def test_huge_logits_overflow_nothing(place: str, torch: ModuleType) -> None:
    """Logits of ±1000 give PyTorch's losses and slopes."""
    results = []
    for m, functions in ((mg, F), (torch, torch.nn.functional)):
        x = m.tensor(np.array([1000.0, -1000.0, 0.0, 40.0]), requires_grad=True)
        t = m.tensor(np.array([0.0, 1.0, 0.5, 1.0]))
        y = functions.binary_cross_entropy_with_logits(x, t, reduction="none")
        y.sum().backward()
        results.append([y, x.grad])
    for mine, other in zip(*results, strict=True):
        near(mine, other)


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
def test_a_sure_mistake_costs_a_hundred(place: str, dtype: Any) -> None:
    """Logarithms are cut at −100 and slopes at 10¹², in float32 too."""
    p, t = (mg.tensor(x, dtype, requires_grad=True) for x in ([0.0, 1.0], [1.0, 0.0]))
    y = F.binary_cross_entropy(p, t, reduction="none")
    near(y, np.array([100.0, 100.0]), 0)
    y.sum().backward()
    near(t.grad, np.array([100.0, -100.0]), 0)
    near(p.grad, np.array([-1e12, 1e12]), 1e-6)


@pytest.mark.parametrize("name", ["nll_loss", "cross_entropy"])
def test_impossible_classes_cost_nothing(place: str, name: str) -> None:
    """A class with log-probability −∞ that is not the target leaves the loss finite."""
    x = mg.tensor(np.array([[0.0, -np.inf]]), requires_grad=True)
    y = getattr(F, name)(x, mg.tensor(np.array([0])))
    near(y, 0.0)
    y.backward()
    near(x.grad, np.array([[-1.0 if name == "nll_loss" else 0.0, 0.0]]))


@pytest.mark.torch
def test_divergence_from_a_target_with_zeros(place: str, torch: ModuleType) -> None:
    """0·ln 0 counts 0."""
    x, t = np.log([[0.2, 0.8], [0.5, 0.5]]), np.array([[0.0, 1.0], [0.5, 0.5]])
    found = F.kl_div(mg.tensor(x), mg.tensor(t), reduction="batchmean")
    theirs = torch.nn.functional.kl_div
    near(found, theirs(torch.tensor(x), torch.tensor(t), reduction="batchmean"))


@pytest.mark.torch
@pytest.mark.parametrize("d", [0.0, 1.0, -1.0])
def test_kinks_are_pytorchs(torch: ModuleType, d: float) -> None:
    """Where |d| is 0 or at the bound, the slope taken is PyTorch's."""
    for name in ("l1_loss", "smooth_l1_loss", "huber_loss"):
        slopes = []
        for m, functions in ((mg, F), (torch, torch.nn.functional)):
            x = m.tensor([d], requires_grad=True)
            getattr(functions, name)(x, m.tensor([0.0])).backward()
            slopes.append(x.grad)
        near(*slopes)


def test_weights_are_buffers(place: str) -> None:
    """A loss's weights move and convert with it, and are part of its state, as in PyTorch."""
    loss = nn.CrossEntropyLoss(weight=mg.tensor([1.0, 2.0]))
    assert list(loss.state_dict()) == ["weight"]
    assert "float64" in str(loss.double().weight.dtype)
    assert not list(nn.BCEWithLogitsLoss().state_dict())


# ── class numbers ────────────────────────────────────────────────────────────────────────────────

INTEGERS = ["int8", "int32", "int64", "uint8", "uint64"]


@pytest.mark.parametrize("ignored", [-100, -1, 1, 3, 255])
@pytest.mark.parametrize("shape", [(3,), (4, 3), (0, 3), (2, 3, 4), (2, 3, 2, 5), (1, 1)])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_class_numbers_become_distributions(
    place: str, dtype: str, shape: tuple[int, ...], ignored: int, random: np.random.Generator
) -> None:
    """A 1 at each sample's class, nothing for those ignored, whichever the integers and axes."""
    axis = 1 if len(shape) > 1 else 0
    labels = np.asarray(random.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :]))
    if np.iinfo(dtype).min <= ignored <= np.iinfo(dtype).max and labels.size > 1:
        labels.flat[::3] = ignored
    wanted = np.moveaxis(np.zeros(shape), axis, -1)
    for at in np.ndindex(labels.shape):
        if labels[at] != ignored:
            wanted[(*at, labels[at])] = 1
    target = mg.tensor(labels.astype(dtype))
    x = mg.tensor(random.standard_normal(shape).astype("f4"), requires_grad=True)
    for given in (target, target.data):
        t, counted = class_targets("a loss", x, given, axis, ignored)
        assert t.dtype == x.dtype
        assert counted == np.sum(wanted)
        near(t, np.moveaxis(wanted, -1, axis), 0)
    logs = host(F.log_softmax(x, axis))
    for name, entries in (("cross_entropy", x), ("nll_loss", mg.tensor(logs))):
        loss = getattr(F, name)(entries, target, ignore_index=ignored, reduction="sum")
        near(loss, -np.sum(host(logs) * np.moveaxis(wanted, -1, axis), dtype="f4"), 1e-5)


@pytest.mark.parametrize(
    ("dtype", "classes", "wrong", "ignored"),
    [
        *[(dtype, 3, wrong, -100) for dtype in INTEGERS for wrong in (3, 100)],
        *[(dtype, 3, -1, ignored) for dtype in ("int8", "int64") for ignored in (-100, 1)],
        *[("uint8", 3, 255, -1), ("uint64", 3, 2**64 - 1, -100), ("uint64", 3, 2**63, 1)],
        *[("int64", 3, 3, 0), ("int64", 300, 300, -100), ("int8", 300, -1, 255)],
    ],
)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_a_class_number_that_is_none_is_refused(
    place: str, name: str, dtype: str, classes: int, wrong: int, ignored: int
) -> None:
    """One label out of range is an error, be it negative or too large, ignored ones aside."""
    labels = np.array([0, 1, wrong, 2], dtype)
    with pytest.raises(ValueError, match=rf"needs class numbers from 0 to {classes - 1}; found"):
        getattr(F, name)(mg.zeros(4, classes), mg.tensor(labels), ignore_index=ignored)


def test_what_a_loss_ignores_and_smooths_by_itself(place: str) -> None:
    """Class −100 counts for nothing; smoothing mixes in the uniform distribution."""
    x = mg.tensor(np.arange(12.0).reshape(4, 3) ** 1.5)
    logs = host(F.log_softmax(x, 1))
    t = mg.tensor(np.array([0, -100, 2, 1]))
    wanted = -(logs[0, 0] + logs[2, 2] + logs[3, 1]) / 3
    near(F.nll_loss(mg.tensor(logs), t), wanted)
    near(F.cross_entropy(x, t), wanted)
    near(F.cross_entropy(x, t, label_smoothing=0.3), 0.7 * wanted - 0.1 * logs[[0, 2, 3]].sum() / 3)
    near(F.cross_entropy(x, mg.tensor(np.full((4, 3), 1 / 3))), -logs.mean())


def test_small_integers_number_few_of_many_classes(place: str) -> None:
    """uint8 labels of 300 classes: no class number is folded into eight bits."""
    x = mg.tensor(np.arange(600.0).reshape(2, 300))
    near(F.nll_loss(x, mg.tensor(np.array([0, 255], "u1")), reduction="none"), [-0.0, -555.0])


# ── bad input ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "name",
    ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy",
     "binary_cross_entropy_with_logits", "kl_div"],
)  # fmt: skip
def test_a_column_against_a_row_is_refused(place: str, name: str) -> None:
    """(n, 1) against (n,) would make n² differences; every loss refuses it."""
    with pytest.raises(ValueError, match=rf"{name} needs .* got \(4, 1\) and \(4,\).* Reshape one"):
        getattr(F, name)(mg.zeros(4, 1), mg.zeros(4))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: F.nll_loss(mg.zeros(4, 3), mg.zeros(4, 1, dtype=mg.int64)),
         r"nll_loss of inputs \(4, 3\) needs class numbers of shape \(4,\); got \(4, 1\)"),
        (lambda: F.nll_loss(mg.zeros(2, 3), mg.tensor([0, 3])), r"from 0 to 2; found some .* to 3"),
        (lambda: F.nll_loss(mg.zeros(2, 3), mg.tensor([0, -1])), r"found some from -1"),
        (lambda: F.nll_loss(mg.zeros(2, 3), mg.tensor([0, 1]), mg.ones(2)),
         r"one weight for each of 3 classes; got shape \(2,\)"),
        (lambda: F.cross_entropy(mg.zeros(2, 3), mg.tensor([0, 1]), mg.ones(4)),
         r"one weight for each of 3 classes; got shape \(4,\)"),
        (lambda: F.cross_entropy(mg.zeros(()), mg.tensor(0)), r"got \(\)"),
        (lambda: F.binary_cross_entropy(mg.tensor([1.5]), mg.tensor([1.0])),
         r"needs probabilities, from 0 to 1.* Apply sigmoid"),
        (lambda: F.huber_loss(mg.zeros(2), mg.zeros(2), delta=0.0), r"delta above 0; got 0"),
        (lambda: F.smooth_l1_loss(mg.zeros(2), mg.zeros(2), beta=-1.0), r"at least 0; got -1"),
        (lambda: F.l1_loss(mg.zeros(2), mg.zeros(2), reduction="avg"), r"'avg' is unknown; use"),
        (lambda: F.kl_div(mg.zeros(2), mg.zeros(2), reduction="batch"), r"'batch' is unknown"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_explained(place: str, call: Callable[[], Any], said: str) -> None:
    """Wrong shapes, classes and settings say what was asked, what was found and what to do."""
    with pytest.raises(ValueError, match=said):
        call()


def test_class_numbers_are_integers(place: str) -> None:
    """Floats of the right shape are no class numbers."""
    with pytest.raises(TypeError, match=r"nll_loss needs class numbers.*target\.long\(\)"):
        F.nll_loss(mg.zeros(2, 3), mg.zeros(2))
