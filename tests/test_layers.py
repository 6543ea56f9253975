"""Activations, norms, dropout, embedding, containers, hooks and utilities: PyTorch's numbers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - as PyTorch's users import it
from minigrad import nn, ops

POINTS = [-1000.0, -30.0, -2.5, -1.0, -0.5, -1e-3, 1e-3, 0.5, 1.0, 2.5, 19.0, 21.0, 30.0, 1000.0]


@dataclass(frozen=True)
class Case:
    """A layer, built alike from ``minigrad.nn`` and ``torch.nn``, and the shape it takes."""

    build: Callable[[Any], Any]
    shape: tuple[int, ...]

    def __str__(self) -> str:
        """For the name of the test."""
        return f"{self.build(nn)!r} {self.shape}"


ACTIVATIONS: list[Callable[[Any], Any]] = [
    lambda nn: nn.ReLU(),
    lambda nn: nn.LeakyReLU(),
    lambda nn: nn.LeakyReLU(0.3),
    lambda nn: nn.ELU(),
    lambda nn: nn.ELU(0.4),
    lambda nn: nn.GELU(),
    lambda nn: nn.GELU("tanh"),
    lambda nn: nn.SiLU(),
    lambda nn: nn.Sigmoid(),
    lambda nn: nn.LogSigmoid(),
    lambda nn: nn.Tanh(),
    lambda nn: nn.Softplus(),
    lambda nn: nn.Softplus(3.0, 4.0),
    lambda nn: nn.Hardtanh(),
    lambda nn: nn.Hardtanh(-0.7, 2.0),
    lambda nn: nn.Softmax(dim=-1),
    lambda nn: nn.LogSoftmax(dim=0),
]
activations = pytest.mark.parametrize("build", ACTIVATIONS, ids=lambda build: repr(build(nn)))

NORMS = [
    Case(lambda nn: nn.BatchNorm3d(3), (2, 3, 2, 2, 2)),
    Case(lambda nn: nn.BatchNorm3d(3, 0.2, None), (2, 3, 2, 2, 2)),
    Case(lambda nn: nn.GroupNorm(2, 4), (3, 4)),
    Case(lambda nn: nn.GroupNorm(2, 4, 0.1), (3, 4, 5)),
    Case(lambda nn: nn.GroupNorm(4, 4, affine=False), (2, 4, 3, 2)),
    Case(lambda nn: nn.GroupNorm(1, 4), (2, 4, 3, 2)),
    Case(lambda nn: nn.InstanceNorm1d(3), (2, 3, 5)),
    Case(lambda nn: nn.InstanceNorm1d(3, affine=True), (3, 5)),
    Case(lambda nn: nn.InstanceNorm1d(3, 0.1, 0.3, True, True), (2, 3, 5)),
    Case(lambda nn: nn.InstanceNorm2d(3, affine=True), (2, 3, 4, 2)),
    Case(lambda nn: nn.InstanceNorm2d(3, track_running_stats=True), (2, 3, 4, 2)),
    Case(lambda nn: nn.InstanceNorm2d(3, affine=True, track_running_stats=True), (3, 4, 2)),
    Case(lambda nn: nn.RMSNorm(4), (3, 4)),
    Case(lambda nn: nn.RMSNorm((3, 4), 0.1), (2, 3, 4)),
    Case(lambda nn: nn.RMSNorm([4], elementwise_affine=False), (2, 3, 4)),
]
norms = pytest.mark.parametrize("case", NORMS, ids=str)


def derivatives(m: Any, grad: Any, model: Any, x: Any) -> list[Any]:
    """Output, gradients by input and parameters, and the gradients of the gradients' square."""
    y = model(x)
    weights = m.reshape(m.arange(1.0, y.numel() + 1, dtype=m.float64), y.shape)
    variables = [x, *model.parameters()]
    gs = grad((m.sin(y) * weights).sum(), variables, create_graph=True)
    norm = (gs[0] * gs[0]).sum()
    for g in gs[1:]:
        norm = norm + (g * g).sum()
    second = grad(norm, variables, allow_unused=True) if norm.requires_grad else [None]
    zeros = [np.zeros(tuple(v.shape)) for v in variables]
    return [y, *gs, *[z if g is None else g for z, g in zip(zeros, second, strict=True)]]


def randomise(module: Any, random: np.random.Generator) -> None:
    """Give every number in PyTorch's module another value, variances positive ones."""
    import torch  # noqa: PLC0415 - its caller has it

    for name, tensor in module.state_dict().items():
        if tensor.dtype.is_floating_point:
            signs = 1 if name.endswith("running_var") else random.choice([-1, 1], tensor.shape)
            numbers = random.uniform(0.5, 2.0, tuple(tensor.shape)) * signs
            tensor.copy_(torch.tensor(numbers))


# ── activations ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.torch
@activations
def test_activations_equal_pytorch(
    place: str, torch: ModuleType, build: Callable[[Any], Any]
) -> None:
    """From −1000 to 1000: values, first and second derivatives are PyTorch's, without warnings."""
    found = derivatives(mg, mg.grad, build(nn), mg.tensor(np.array(POINTS), requires_grad=True))
    x = torch.tensor(POINTS, dtype=torch.float64, requires_grad=True)
    wanted = derivatives(torch, torch.autograd.grad, build(torch.nn), x)
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other)


@pytest.mark.torch
@pytest.mark.parametrize("point", [0.0, 1.0, -1.0, 2.0, -0.7])
@activations
def test_kinks_are_pytorchs(torch: ModuleType, build: Callable[[Any], Any], point: float) -> None:
    """Where an activation has a corner, the slope taken is PyTorch's."""
    slopes = []
    for m in (mg, torch):
        x = m.tensor([point, 0.3], dtype=m.float64, requires_grad=True)
        build(m.nn)(x)[0].backward()
        slopes.append(x.grad)
    near(*slopes)


@activations
def test_activations_pass_the_gradient_check(place: str, build: Callable[[Any], Any]) -> None:
    """First and second derivatives equal central differences."""
    x = mg.tensor(np.array([[-2.2, -0.6, -0.1], [0.2, 0.8, 1.7]]))
    verdict = mg.gradcheck(build(nn), x)
    assert verdict, verdict


NEAR_CORNERS = np.array(
    [-6.0, -2.0, -1.0, -0.7, -0.1, 0.0, 0.2, 1.0, 1.3, 1.4, 2.0, 3.0, 19.5, 20.0, 20.5]
)
FORMULAS: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [
    (lambda: nn.LeakyReLU(), lambda x: np.where(x > 0, x, 0.01 * x)),
    (lambda: nn.LeakyReLU(0.3), lambda x: np.where(x > 0, x, 0.3 * x)),
    (lambda: nn.ELU(), lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0)))),
    (lambda: nn.ELU(0.4), lambda x: np.where(x > 0, x, 0.4 * np.expm1(np.minimum(x, 0)))),
    (lambda: nn.GELU(), lambda x: [t * math.erfc(-t / math.sqrt(2)) / 2 for t in x]),
    (
        lambda: nn.GELU("tanh"),
        lambda x: x / (1 + np.exp(-2 * (2 / np.pi) ** 0.5 * (x + 0.044715 * x**3))),
    ),
    (lambda: nn.SiLU(), lambda x: x / (1 + np.exp(-x))),
    (lambda: nn.LogSigmoid(), lambda x: -np.logaddexp(0, -x)),
    (lambda: nn.Softplus(), lambda x: np.where(x > 20, x, np.logaddexp(0, x))),
    (lambda: nn.Softplus(3.0, 4.0), lambda x: np.where(x > 4 / 3, x, np.logaddexp(0, 3 * x) / 3)),
    (lambda: nn.Hardtanh(), lambda x: np.clip(x, -1, 1)),
    (lambda: nn.Hardtanh(-0.7, 2.0), lambda x: np.clip(x, -0.7, 2)),
]


@pytest.mark.parametrize(("build", "formula"), FORMULAS, ids=[repr(f[0]()) for f in FORMULAS])
def test_activations_are_their_formulas(
    place: str, build: Callable[[], Any], formula: Callable[[Any], Any]
) -> None:
    """Values and default settings are those of the papers' formulas, written out in NumPy."""
    near(build()(mg.tensor(NEAR_CORNERS)), np.asarray(formula(NEAR_CORNERS)), 1e-12)


@pytest.mark.parametrize("name", ["LeakyReLU", "ELU", "GELU", "Softplus", "Hardtanh"])
def test_functions_have_the_settings_of_their_layers(name: str) -> None:
    """What a layer takes for its defaults, the function of the same name does."""
    function = {"LeakyReLU": F.leaky_relu}.get(name) or getattr(F, name.lower())
    x = mg.tensor(NEAR_CORNERS)
    near(function(x), getattr(nn, name)()(x), 0)


@pytest.mark.parametrize(
    ("build", "wanted"),
    [
        (lambda: nn.LeakyReLU(0.3), [0.3, 0.3, 1.0, 1.0]),
        (lambda: nn.ELU(0.4), [0.4 * math.exp(-1), 0.4, 1.0, 1.0]),
        (lambda: nn.Hardtanh(), [0.0, 1.0, 1.0, 0.0]),
    ],
)
def test_corners_belong_to_the_lower_or_flat_side(build: Callable[[], Any], wanted: Any) -> None:
    """At 0 the slope is that below it; at the bounds of Hardtanh it is 0."""
    x = mg.tensor(np.array([-1.0, 0.0, 0.5, 1.0]), requires_grad=True)
    build()(x).sum().backward()
    near(x.grad, np.array(wanted))


@activations
def test_activations_keep_float32(place: str, build: Callable[[Any], Any]) -> None:
    """Values, gradients and second gradients of float32 inputs are float32, extremes included."""
    x = mg.tensor(np.array(POINTS, "float32"), requires_grad=True)
    y = build(nn)(x)
    (g,) = mg.grad((y * y).sum(), x, create_graph=True)
    (second,) = mg.grad((g * g).sum(), x)
    for tensor in (y, g, second):
        assert "float32" in str(tensor.dtype)
        assert np.isfinite(host(tensor)).all()


def test_inplace_is_understood_and_harmless(place: str) -> None:
    """Scripts that say inplace=True run, and their inputs stay as they were."""
    x = mg.tensor([-1.0, 2.0], requires_grad=True)
    for layer in (nn.ReLU(inplace=True), nn.ELU(1.0, True), nn.SiLU(True), nn.Dropout(0.5, True)):
        layer(x)
    near(F.relu(x, inplace=True), [0.0, 2.0])
    near(x, [-1.0, 2.0], 0)


def test_activations_ask_for_what_they_need() -> None:
    """Softmax needs its axis; unknown forms and empty ranges are refused."""
    with pytest.raises(TypeError, match=r"Softmax needs the axis.*Write Softmax\(dim=-1\)"):
        nn.Softmax()
    for form in ("fast", "wide"):
        with pytest.raises(ValueError, match=rf"approximate='{form}'; it is 'none' or 'tanh'"):
            nn.GELU(form)(mg.zeros(1))
    with pytest.raises(ValueError, match=r"min_val up to max_val; got 1\.0 and -1\.0"):
        nn.Hardtanh(1.0, -1.0)(mg.zeros(1))
    assert nn.Hardtanh(1.0, 1.0)(mg.zeros(1)).item() == 1


# ── norms ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.torch
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@norms
def test_norms_equal_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator, case: Case, training: bool
) -> None:
    """After three batches: outputs, first and second gradients and statistics are PyTorch's."""
    theirs, ours = case.build(torch.nn).double(), case.build(nn).double()
    randomise(theirs, random)
    ours.load_state_dict(theirs.state_dict())
    for _ in range(3):
        batch = random.standard_normal(case.shape) * 2 + 1
        ours(mg.tensor(batch))
        theirs(torch.tensor(batch))
    ours.train(training)
    theirs.train(training)
    data = random.standard_normal(case.shape)
    x = torch.tensor(data, requires_grad=True)
    found = derivatives(mg, mg.grad, ours, mg.tensor(data, requires_grad=True))
    wanted = derivatives(torch, torch.autograd.grad, theirs, x)
    assert found[0].backend == place
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for key, value in theirs.state_dict().items():
        near(ours.state_dict()[key], value)


@norms
def test_norms_pass_the_gradient_check(place: str, random: np.random.Generator, case: Case) -> None:
    """In training and in evaluation first and second derivatives equal central differences."""
    model = case.build(nn).double()
    x = mg.tensor(random.standard_normal(case.shape) + 0.5)
    model(x)
    for mode in (True, False):
        verdict = mg.gradcheck(model.train(mode), x)
        assert verdict, verdict


def test_standardising_without_centring_equals_its_composite(
    place: str, random: np.random.Generator
) -> None:
    """The closed rule without μ equals the primitives, at two orders and for all outputs."""
    data, v = random.standard_normal((2, 5, 4))
    results = []
    for standardize in (ops.standardize, ops.standardize_composite):
        x = mg.tensor(data, requires_grad=True)
        z, mu, sigma = standardize(x, axis=(1,), eps=1e-3, center=False)
        (g,) = mg.grad((z * z * z * mg.tensor(v) + mu * sigma).sum(), x, create_graph=True)
        results.append([z, mu, sigma, g, *mg.grad((g * mg.tensor(v)).sum(), x)])
    near(results[0][1], np.zeros((5, 1)))
    for closed, built in zip(*results, strict=True):
        near(closed, built, 1e-12)


def test_every_norm_is_the_one_operation() -> None:
    """Each normalization layer records exactly one `standardize`."""
    layers: list[Any] = [(nn.BatchNorm1d(4), (3, 4)), (nn.LayerNorm(4), (3, 4))]
    for layer, shape in layers + [(case.build(nn), case.shape) for case in NORMS]:
        y = layer(mg.randn(*shape, requires_grad=True))
        nodes = [v.op.name for v in mg.engine.order([y]) if hasattr(v, "op")]
        assert nodes.count("standardize") == 1, layer


@pytest.mark.parametrize(
    ("build", "line", "parameters"),
    [
        (
            lambda: nn.BatchNorm1d(3, axis=-1),
            "3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, axis=-1",
            ["weight", "bias"],
        ),
        (
            lambda: nn.InstanceNorm1d(3),
            "3, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False",
            [],
        ),
        (
            lambda: nn.InstanceNorm1d(3, affine=True),
            "3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=False",
            ["weight", "bias"],
        ),
        (lambda: nn.GroupNorm(2, 4), "2, 4, eps=1e-05, affine=True", ["weight", "bias"]),
        (lambda: nn.GroupNorm(2, 4, affine=False), "2, 4, eps=1e-05, affine=False", []),
        (
            lambda: nn.LayerNorm(4, elementwise_affine=False),
            "(4,), eps=1e-05, elementwise_affine=False",
            [],
        ),
        (lambda: nn.RMSNorm(4), "(4,), eps=None, elementwise_affine=True", ["weight"]),
        (
            lambda: nn.RMSNorm(4, elementwise_affine=False),
            "(4,), eps=None, elementwise_affine=False",
            [],
        ),
    ],
)
def test_norms_start_with_pytorchs_settings(
    build: Callable[[], Any], line: str, parameters: list[str]
) -> None:
    """A norm prints its settings, the defaults are PyTorch's, and γ and β are there if affine."""
    layer = build()
    assert repr(layer) == f"{type(layer).__name__}({line})"
    assert [name for name, _ in layer.named_parameters()] == parameters


@pytest.mark.parametrize("momentum", [0.0, 0.1])
def test_instance_norm_follows_the_mean_over_samples(
    place: str, random: np.random.Generator, momentum: float
) -> None:
    """running ← (1 − momentum)·running + momentum·mean over samples; with momentum 0 it stays."""
    layer = nn.InstanceNorm1d(3, momentum=momentum, track_running_stats=True).double()
    x = random.standard_normal((2, 3, 5)) + 1
    layer(mg.tensor(x))
    near(layer.running_mean, momentum * x.mean((0, 2)))
    near(layer.running_var, 1 - momentum + momentum * x.var(2, ddof=1).mean(0))


def test_one_sample_is_a_batch_of_one(place: str, random: np.random.Generator) -> None:
    """Instance norm keeps the shape it is given, with the axis of the samples or without."""
    x = mg.tensor(random.standard_normal((1, 3, 4)))
    y = nn.InstanceNorm1d(3)(x)
    assert y.shape == (1, 3, 4)
    near(nn.InstanceNorm1d(3)(x[0]), y[0])


@pytest.mark.parametrize("shape", [(5, 3), (4, 5, 3)])
def test_batch_norm_channels_last(
    place: str, random: np.random.Generator, shape: tuple[int, ...]
) -> None:
    """axis=−1 normalises the last axis as axis 1 does when it is moved there."""
    data = random.standard_normal(shape)
    last, first = nn.BatchNorm1d(3, axis=-1).double(), nn.BatchNorm1d(3).double()
    weights = {"weight": random.standard_normal(3), "bias": random.standard_normal(3)}
    for layer in (last, first):
        layer.load_state_dict(weights, strict=False)
    for _ in range(2):
        y = last(mg.tensor(data))
        near(y, np.moveaxis(host(first(mg.tensor(np.moveaxis(data, -1, 1)))), 1, -1))
        near(last.running_var, first.running_var)
        for layer in (last, first):
            layer.eval()
    with pytest.raises(ValueError, match=r"\(N, 3\) or \(N, L, 3\); got \(3, 4\).* axis -1"):
        last(mg.zeros(3, 4))


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "sizes", "shape"),
    [
        ("BatchNorm1d", (3,), (4, 3)),
        ("GroupNorm", (1, 3), (4, 3)),
        ("InstanceNorm1d", (3,), (4, 3, 5)),
        ("LayerNorm", (3,), (4, 3)),
    ],
)
def test_norms_without_bias(name: str, sizes: tuple[int, ...], shape: Any, torch: Any) -> None:
    """bias=False leaves β out and γ in, in PyTorch's words, and with its numbers."""
    options = {"bias": False} | ({"affine": True} if name == "InstanceNorm1d" else {})
    mine, theirs = getattr(nn, name)(*sizes, **options), getattr(torch.nn, name)(*sizes, **options)
    assert [n for n, _ in mine.named_parameters()] == ["weight"]
    x = np.random.default_rng(0).standard_normal(shape)
    near(mine.double()(mg.tensor(x)), theirs.double()(torch.tensor(x)).detach().numpy())


@pytest.mark.parametrize(("center", "scale"), [(True, False), (False, True), (False, False)])
def test_batch_norm_without_beta_or_gamma(
    place: str, random: np.random.Generator, center: bool, scale: bool
) -> None:
    """center and scale leave β and γ out of the layer: the same as β = 0, γ = 1."""
    layer = nn.BatchNorm1d(3, center=center, scale=scale).double()
    plain = nn.BatchNorm1d(3, affine=False).double()
    names = [name for name, _ in layer.named_parameters()]
    assert names == ["weight"] * scale + ["bias"] * center
    for p in layer.parameters():
        nn.init.constant_(p, 2.0)
    x = mg.tensor(random.standard_normal((5, 3)))
    wanted = plain(x) * (2.0 if scale else 1.0) + (2.0 if center else 0.0)
    near(layer(x), wanted)
    assert ("center=False" in repr(layer)) is not center
    assert mg.gradcheck(layer, x)


@pytest.mark.parametrize("case", [NORMS[0], NORMS[8]], ids=str)
def test_statistics_keep_their_dtype(place: str, random: np.random.Generator, case: Case) -> None:
    """float64 batches leave the running statistics of a float32 layer in float32."""
    layer = case.build(nn)
    layer(mg.tensor(random.standard_normal(case.shape)))
    for buffer in (layer.running_mean, layer.running_var):
        assert "float32" in str(buffer.dtype)


@pytest.mark.torch
def test_functional_norms_equal_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator
) -> None:
    """The functions, with weights and running statistics given, are PyTorch's."""
    x, w, b, mean = (random.standard_normal(s) for s in ((4, 6, 5), 6, 6, 6))
    var, last = random.uniform(0.5, 2, 6), random.standard_normal(5)
    results = []
    for m, functions in ((mg, F), (torch, torch.nn.functional)):
        t = m.tensor
        stats = [t(mean), t(var)]
        results.append([
            functions.batch_norm(t(x), *stats, t(w), t(b)),
            functions.batch_norm(t(x), *stats, t(w), t(b), True, 0.3, 0.1),
            functions.batch_norm(t(x), None, None, training=True),
            functions.instance_norm(t(x), weight=t(w), bias=t(b)),
            functions.instance_norm(t(x), *stats, use_input_stats=False),
            functions.instance_norm(t(x), *stats, momentum=0.4),
            functions.layer_norm(t(x), (5,), t(last), t(last), 0.1),
            functions.layer_norm(t(x), (6, 5)),
            functions.group_norm(t(x), 3, t(w), t(b)),
            functions.group_norm(t(x), 2),
            functions.rms_norm(t(x), (5,), t(last)),
            functions.rms_norm(t(x), (5,), eps=0.5),
            *stats,
        ])  # fmt: skip
    for mine, other in zip(*results, strict=True):
        near(mine, other)


# ── dropout ──────────────────────────────────────────────────────────────────────────────────────


def test_dropout_keeps_the_mean(place: str) -> None:
    """A share p of the entries is 0, the others are x/(1 − p); the gradient sees the same mask."""
    mg.manual_seed(0)
    x = mg.ones(100, 100, requires_grad=True)
    y = nn.Dropout(0.2)(x)
    numbers = host(y)
    near(np.unique(numbers), np.array([0.0, 1.25], "float32"))
    assert abs((numbers == 0).mean() - 0.2) < 0.02
    y.sum().backward()
    near(x.grad, numbers, 0)
    assert "float32" in str(y.dtype)


def test_dropout_at_the_ends_and_in_evaluation(place: str) -> None:
    """p = 0 and evaluation hand on the input itself; p = 1 leaves nothing, and no nan."""
    x = mg.ones(3)
    assert nn.Dropout(0.0)(x) is x
    assert nn.Dropout(0.9).eval()(x) is x
    assert F.dropout(x, 0.9, training=False) is x
    near(nn.Dropout(1.0)(x), np.zeros(3))


def test_dropout_is_the_same_everywhere(place: str) -> None:
    """One seed gives one mask on every backend; the next call gives another."""
    masks = []
    for name in (place, "numpy"):
        with mg.use(name):
            mg.manual_seed(3)
            masks.append([host(nn.Dropout()(mg.ones(40))) for _ in range(2)])
    near(masks[0][0], masks[1][0], 0)
    assert (masks[0][0] != masks[0][1]).any()


@pytest.mark.parametrize("p", [-0.1, 1.1])
def test_dropout_refuses_what_is_no_probability(p: float) -> None:
    """p lies between 0 and 1, in the layer and in the function."""
    with pytest.raises(ValueError, match=rf"Dropout needs a probability p from 0 to 1; got {p}"):
        nn.Dropout(p)
    with pytest.raises(ValueError, match="dropout needs a probability"):
        F.dropout(mg.ones(1), p)


# ── embedding ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.torch
@pytest.mark.parametrize("padding", [None, 1, -1])
@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
def test_embedding_equals_pytorch(
    place: str,
    torch: ModuleType,
    random: np.random.Generator,
    shape: tuple[int, ...],
    padding: int | None,
) -> None:
    """Rows, first and second gradients are PyTorch's, rows asked for twice and padding included."""
    theirs = torch.nn.Embedding(4, 3, padding_idx=padding).double()
    ours = nn.Embedding(4, 3, padding_idx=padding).double()
    ours.load_state_dict(theirs.state_dict())
    index = random.integers(0, 4, shape)
    results = []
    for m, model, grad in ((mg, ours, mg.grad), (torch, theirs, torch.autograd.grad)):
        y = model(m.tensor(index))
        (g,) = grad((y**3).sum(), model.weight, create_graph=True)
        results.append([y, g, *grad((g * g).sum(), model.weight)])
    for mine, other in zip(*results, strict=True):
        near(mine, other)


def test_embedding_starts_normal_with_a_zero_for_padding(place: str) -> None:
    """Rows are standard normal; the padding row is 0."""
    mg.manual_seed(0)
    table = host(nn.Embedding(1000, 20, padding_idx=-3).weight)
    near(table[997], np.zeros(20))
    assert abs(table.std() - 1) < 0.02
    assert table.dtype == np.float32


def test_embedding_of_a_given_table(place: str) -> None:
    """from_pretrained looks up in the table it is given, frozen unless asked."""
    table = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    layer = nn.Embedding.from_pretrained(table)
    near(layer(mg.tensor([1])), np.array([[3.0, 4.0]]))
    assert not layer.weight.requires_grad
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad


def test_embedding_refuses_what_it_has_no_row_for(place: str) -> None:
    """Integers outside the table, floats and impossible paddings are explained."""
    layer = nn.Embedding(3, 2)
    with pytest.raises(IndexError, match=r"3 rows needs integers from 0 to 2; found .* 0 to 3"):
        layer(mg.tensor([0, 3]))
    with pytest.raises(IndexError, match="from -1 to 0"):
        layer(mg.tensor([0, -1]))
    with pytest.raises(TypeError, match=r"got float32|got .*float32.*x\.long\(\)"):
        layer(mg.tensor([0.0]))
    with pytest.raises(ValueError, match="padding_idx from -3 to 2; got 3"):
        nn.Embedding(3, 2, padding_idx=3)


@pytest.mark.torch
def test_one_hot_equals_pytorch(place: str, torch: ModuleType) -> None:
    """Rows of int64 with a single 1, as many as asked for or as there are classes."""
    labels = np.array([[0, 2], [1, 0]])
    for classes in (-1, 5):
        found = F.one_hot(mg.tensor(labels), classes)
        wanted = torch.nn.functional.one_hot(torch.tensor(labels), classes)
        near(found, wanted, 0)
        assert "int64" in str(found.dtype)
    for bad, classes in (([0, 3], 3), ([0, -1], -1), ([-2], -1), ([[0, 3]], 3)):
        with pytest.raises(ValueError, match="one_hot needs class numbers from 0"):
            F.one_hot(mg.tensor(bad), classes)


# ── containers ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.torch
def test_containers_have_pytorchs_paths(torch: ModuleType) -> None:
    """Lists and dicts of modules give PyTorch's paths, after every change to them."""

    def build(nn: Any) -> Any:
        class Net(nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.layers = nn.ModuleList([nn.Linear(1, 1), nn.ReLU()])
                self.heads = nn.ModuleDict({"a": nn.Linear(1, 2)})
                self.body = nn.Sequential(nn.Linear(1, 1))

        net = Net()
        net.layers.append(nn.Linear(1, 3)).extend([nn.Linear(1, 4)])
        net.layers.insert(0, nn.Linear(1, 5))
        net.layers[1] = nn.Linear(1, 6)
        del net.layers[2]
        net.heads["b"] = nn.Linear(1, 7)
        net.heads.update({"c": nn.Linear(1, 8)})
        net.heads.pop("a")
        net.body.append(nn.Linear(1, 9))
        net.body.insert(1, nn.Tanh())
        return net

    def paths(net: Any) -> list[Any]:
        return [(name, tuple(p.shape)) for name, p in net.named_parameters()]

    ours, theirs = build(nn), build(torch.nn)
    assert paths(ours) == paths(theirs)
    assert [name for name, _ in ours.named_modules()] == [
        name for name, _ in theirs.named_modules()
    ]
    assert list(ours.heads) == list(theirs.heads.keys()) == list(ours.heads.keys())
    assert len(ours.layers) == len(theirs.layers)


def test_module_list_has_the_manners_of_a_list() -> None:
    """Items, slices, membership, sum, pop; slices share the modules."""
    first, second, third = nn.Linear(1, 1), nn.ReLU(), nn.Tanh()
    held = nn.ModuleList([first, second])
    assert held[0] is first
    assert held[-1] is second
    assert list(held[1:]) == [second]
    assert isinstance(held[1:], nn.ModuleList)
    assert second in held
    assert third not in held
    assert list(held + nn.ModuleList([third])) == [first, second, third]
    assert held.pop(0) is first
    assert list(held) == [second]
    with pytest.raises(TypeError, match="Wrap functions"):
        held.append(mg.relu)


def test_module_dict_has_the_manners_of_a_dict() -> None:
    """Names, modules, items, membership, pop, clear, in the order of insertion."""
    first, second = nn.Linear(1, 1), nn.ReLU()
    held = nn.ModuleDict({"one": first, "two": second})
    assert list(held.items()) == [("one", first), ("two", second)]
    assert list(held.values()) == [first, second]
    assert "one" in held
    assert held["two"] is second
    assert len(held) == 2
    assert held.pop("one") is first
    held.clear()
    assert len(held) == 0
    with pytest.raises(ValueError, match=r"named 'keys', which is a name of its own"):
        held["keys"] = first
    with pytest.raises(ValueError, match="a name without dots"):
        held["a.b"] = first


def test_errors_name_modules_in_lists_by_their_whole_path() -> None:
    """What is held in a list, or a list of lists, is named as `named_modules` names it."""

    class Net(nn.Module):
        def __init__(self) -> None:
            inner = nn.ModuleList([nn.Linear(2, 2)])
            self.blocks = nn.ModuleList([inner])
            self.blocks.append(nn.ModuleDict({"head": nn.Linear(3, 3)}))

        def forward(self, x: Any) -> Any:
            return self.blocks[1]["head"](self.blocks[0][0](x))

    net = Net()
    with pytest.raises(ValueError, match=r"^Linear 'blocks\.1\.head' needs"):
        net(mg.zeros(1, 2))
    with pytest.raises(ValueError, match=r"^Linear 'blocks\.0\.0' needs"):
        net(mg.zeros(1, 3))


def test_modules_are_found_and_added_by_name() -> None:
    """get_submodule, get_parameter, get_buffer follow paths; add_module, register_parameter add."""
    net = nn.Sequential(nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1)))
    assert net.get_submodule("0.1") is net[0][1]
    assert net.get_submodule("") is net
    assert net.get_parameter("0.0.bias") is net[0][0].bias
    assert net.get_buffer("0.1.running_var") is net[0][1].running_var
    net.add_module("extra", nn.ReLU())
    net.register_parameter("scale", nn.Parameter(mg.ones(1)))
    net.register_parameter("later", None)
    assert next(net.named_parameters())[0] == "scale"
    assert isinstance(net.extra, nn.ReLU)
    for find, path in (("submodule", "0.7"), ("parameter", "0.0.w"), ("buffer", "0.1.weight")):
        with pytest.raises(AttributeError, match=rf"get_{find}\('{path}'\) found no"):
            getattr(net, f"get_{find}")(path)
    with pytest.raises(TypeError, match=r"needs a Parameter; got Tensor.*nn\.Parameter"):
        net.register_parameter("wrong", mg.ones(1))
    with pytest.raises(ValueError, match="a parameter named 'forward'"):
        net.register_parameter("forward", nn.Parameter(mg.ones(1)))


def test_apply_reaches_every_module_children_first() -> None:
    """apply calls a function on all modules inside and answers the module."""
    net = nn.Sequential(nn.Sequential(nn.Linear(1, 1)), nn.ReLU())
    seen: list[str] = []
    assert net.apply(lambda module: seen.append(type(module).__name__)) is net
    assert seen == ["Linear", "Sequential", "ReLU", "Sequential"]


def test_zero_grad_can_leave_zeros(place: str) -> None:
    """set_to_none=False leaves zeros where there were gradients, and None where there were none."""
    layer = nn.Linear(2, 1)
    layer(mg.ones(1, 2)).sum().backward()
    layer.bias.grad = None
    layer.zero_grad(set_to_none=False)
    near(layer.weight.grad, np.zeros((1, 2)))
    assert layer.bias.grad is None


# ── hooks ────────────────────────────────────────────────────────────────────────────────────────


def test_hooks_see_and_change_what_passes(place: str) -> None:
    """Hooks run before and after the forward, in order, and may replace arguments and output."""
    layer, seen = nn.Identity(), []
    first = layer.register_forward_pre_hook(lambda m, args: seen.append(("before", len(args))))
    layer.register_forward_pre_hook(lambda m, args: args[0] + 1)
    layer.register_forward_hook(lambda m, args, y: seen.append(("after", y.item())))
    last = layer.register_forward_hook(lambda m, args, y: y * 10)
    near(layer(mg.tensor(1.0)), 20.0)
    assert seen == [("before", 1), ("after", 2.0)]
    last.remove()
    last.remove()
    first.remove()
    near(layer(mg.tensor(2.0)), 3.0)
    assert seen[2:] == [("after", 3.0)]


def test_hooks_with_keywords_in_front_and_for_a_while() -> None:
    """with_kwargs hands keywords over, prepend goes first, and `with` takes a hook away again."""

    class Scaled(nn.Module):
        def forward(self, x: Any, by: float = 1.0) -> Any:
            return x * by

    layer, order = Scaled(), []
    layer.register_forward_hook(lambda m, args, y: order.append("second"))
    layer.register_forward_hook(lambda m, args, y: order.append("first"), prepend=True)
    with (
        layer.register_forward_pre_hook(
            lambda m, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True
        ),
        layer.register_forward_hook(lambda m, args, kwargs, y: y + kwargs["by"], with_kwargs=True),
    ):
        near(layer(mg.tensor(3.0), by=1.0), 8.0)
    assert order == ["first", "second"]
    near(layer(mg.tensor(3.0), by=2.0), 6.0)


def test_hooks_run_inside_the_modules_scope() -> None:
    """What a hook computes carries the module's name; copies of the module keep its hooks."""
    net = nn.Sequential({"body": nn.Identity()})
    net[0].register_forward_hook(lambda m, args, y: y * 2)
    y = copy.deepcopy(net)(mg.ones(1, requires_grad=True))
    assert y.node.scope[-1] == ("body", "Identity")
    near(y, [2.0])


def test_a_module_without_hooks_is_called_plainly() -> None:
    """Once all hooks are gone, a call asks one question and runs the forward."""
    layer = nn.Identity()
    handle = layer.register_forward_hook(lambda m, args, y: None)
    assert layer._hooks is not None
    handle.remove()
    assert layer._hooks is None


# ── utilities ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.torch
@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, math.inf])
@pytest.mark.parametrize("max_norm", [0.5, 100.0])
def test_clip_grad_norm_equals_pytorch(
    place: str,
    torch: ModuleType,
    random: np.random.Generator,
    max_norm: float,
    norm_type: float,
) -> None:
    """The gradients after clipping, and the norm before, are PyTorch's; in place."""
    numbers = [random.standard_normal(shape) for shape in ((3, 2), (4,), ())]
    results = []
    for m in (mg, torch):
        held = [m.nn.Parameter(m.tensor(a)) for a in (*numbers, np.zeros(2))]
        for p, a in zip(held, numbers, strict=False):
            p.grad = m.tensor(a * 2)
        before = held[0].grad
        norm = m.nn.utils.clip_grad_norm_(held, max_norm, norm_type)
        assert held[0].grad is before
        assert held[3].grad is None
        results.append([norm, *[p.grad for p in held[:3]]])
    for mine, other in zip(*results, strict=True):
        near(mine, other)


@pytest.mark.torch
def test_clip_grad_value_equals_pytorch(place: str, torch: ModuleType) -> None:
    """Each entry is kept between the two values; one parameter need not be in a list."""
    results = []
    for m in (mg, torch):
        p = m.nn.Parameter(m.tensor([1.0, 2.0, 3.0]))
        p.grad = m.tensor([-5.0, 0.5, 7.0])
        m.nn.utils.clip_grad_value_(p, 2.0)
        results.append(p.grad)
    near(*results)


def test_clipping_keeps_dtypes_and_reports_what_is_not_finite(place: str) -> None:
    """float32 stays float32, nothing to clip has norm 0, nan raises if asked to."""
    p = nn.Parameter(mg.ones(2))
    near(nn.utils.clip_grad_norm_([p], 1.0), 0.0)
    p.grad = mg.ones(2) * 3
    norm = nn.utils.clip_grad_norm_([p], 1.0)
    assert "float32" in str(norm.dtype)
    assert "float32" in str(p.grad.dtype)
    p.grad = mg.tensor([math.nan, 1.0])
    with pytest.raises(RuntimeError, match=r"needs finite gradients; their norm .* is nan"):
        nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)


def test_parameters_go_to_a_vector_and_back(place: str) -> None:
    """All parameters as one vector, differentiable, and a vector written into them."""
    layer = nn.Linear(3, 2).double()
    vector = nn.utils.parameters_to_vector(layer.parameters())
    near(vector, np.concatenate([host(p).reshape(-1) for p in layer.parameters()]), 0)
    (vector * vector).sum().backward()
    near(layer.bias.grad, 2 * host(layer.bias))
    nn.utils.vector_to_parameters(mg.tensor(np.arange(8.0)), layer.parameters())
    near(layer.weight, np.arange(6.0).reshape(2, 3), 0)
    near(layer.bias, [6.0, 7.0], 0)
    with pytest.raises(ValueError, match=r"a vector of shape \(8,\).* got shape \(7,\)"):
        nn.utils.vector_to_parameters(mg.zeros(7), layer.parameters())


# ── initialisers ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Start every test of this file at the same random number."""
    mg.manual_seed(0)


def test_truncated_normal_numbers_stay_inside(place: str) -> None:
    """All lie in [a, b], with the mean and deviation of the normal cut there."""
    t = nn.init.trunc_normal_(mg.zeros(200, 200), mean=1.0, std=2.0, a=0.0, b=3.0)
    numbers = host(t)
    assert numbers.min() >= 0
    assert numbers.max() <= 3
    assert abs(numbers.mean() - 1.413) < 0.01  # 1 + 2·(φ(−½) − φ(1))/(Φ(1) − Φ(−½))
    with pytest.raises(ValueError, match=r"of those with mean 0\.0 .* falls into \[9\.0, 10\.0\]"):
        nn.init.trunc_normal_(mg.zeros(2), a=9.0, b=10.0)


@pytest.mark.torch
def test_fixed_initialisers_equal_pytorch(place: str, torch: ModuleType) -> None:
    """eye_, dirac_, ones_, zeros_ and the gains are PyTorch's."""
    for name, shape, settings in (
        ("eye_", (3, 4), {}),
        ("dirac_", (4, 3, 3), {}),
        ("dirac_", (6, 2, 3, 4), {"groups": 3}),
        ("ones_", (2,), {}),
        ("zeros_", (2,), {}),
    ):
        mine = getattr(nn.init, name)(mg.ones(shape), **settings)
        near(mine, getattr(torch.nn.init, name)(torch.ones(shape), **settings), 0)
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    gain = torch.nn.init.calculate_gain("leaky_relu", 0.3)
    assert nn.init.calculate_gain("leaky_relu", 0.3) == gain


def test_random_initialisers_have_the_spread_they_promise(place: str) -> None:
    """Standard deviations of Xavier and Kaiming in both forms, of kernels too; orthogonal rows."""
    init, root = nn.init, math.sqrt
    for fill, wanted in (
        (init.xavier_uniform_, root(2 / (100 * 9 + 300 * 9))),
        (init.xavier_normal_, root(2 / (100 * 9 + 300 * 9))),
        (init.kaiming_uniform_, root(2 / (100 * 9))),
        (init.kaiming_normal_, root(2 / (100 * 9))),
        (lambda t: init.kaiming_normal_(t, mode="fan_out", nonlinearity="relu"),
         root(2 / (300 * 9))),
        (lambda t: init.kaiming_uniform_(t, a=root(5)), root(1 / (3 * 100 * 9))),
    ):  # fmt: skip
        spread = host(fill(mg.zeros(300, 100, 3, 3))).std()
        assert abs(spread / wanted - 1) < 0.01
    q = host(init.orthogonal_(mg.zeros(3, 2, 4), gain=2.0)).reshape(3, 8)
    near(q @ q.T, 4 * np.eye(3), 1e-6)
    sparse = host(init.sparse_(mg.zeros(10, 4), sparsity=0.25))
    assert ((sparse == 0).sum(0) == 3).all()


def test_initialisers_explain_what_they_cannot_fill() -> None:
    """Wrong shapes and unknown names say what to use instead."""
    for call, said in (
        (lambda: nn.init.eye_(mg.zeros(2)), "eye_ fills a matrix; got shape"),
        (lambda: nn.init.dirac_(mg.zeros(2, 2)), "dirac_ needs kernels"),
        (lambda: nn.init.sparse_(mg.zeros(2), 0.1), "sparse_ fills a matrix"),
        (lambda: nn.init.xavier_normal_(mg.zeros(2)), "at least 2 axes"),
        (lambda: nn.init.calculate_gain("step"), "unknown nonlinearity"),
        (lambda: nn.init.kaiming_normal_(mg.zeros(2, 2), mode="fan"), "use 'fan_in' or 'fan_out'"),
    ):
        with pytest.raises(ValueError, match=said):
            call()


# ── bad input ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("layer", "shape", "said"),
    [
        (lambda: nn.BatchNorm3d(3), (2, 3, 4, 4),
         r"BatchNorm3d '0' needs inputs of shape \(N, 3, D, H, W\); got \(2, 3, 4, 4\)"),
        (lambda: nn.BatchNorm2d(3, axis=-1), (2, 3, 4, 4),
         r"needs inputs of shape \(N, H, W, 3\); got \(2, 3, 4, 4\).* size of axis -1"),
        (lambda: nn.BatchNorm1d(3), (4, 2), r"\(N, 3\) or \(N, 3, L\); got \(4, 2\)"),
        (lambda: nn.BatchNorm1d(3), (0, 3), r"more than one value .* got shape \(0, 3\)"),
        (lambda: nn.GroupNorm(2, 4), (2, 3), r"GroupNorm '0' .* \(N, 4, …\); got \(2, 3\)"),
        (lambda: nn.GroupNorm(2, 4), (2, 6), r"\(N, 4, …\); got \(2, 6\)"),
        (lambda: nn.GroupNorm(2, 4), (4,), r"\(N, 4, …\); got \(4,\)"),
        (lambda: nn.InstanceNorm1d(3), (2, 4, 5), r"InstanceNorm1d '0' .* \(N, 3, L\); got"),
        (lambda: nn.InstanceNorm2d(3), (2, 3, 1, 1), r"more than one value per sample and channel"),
        (lambda: nn.RMSNorm(3), (2, 4), r"RMSNorm '0' needs .* last axes are \(3,\); got"),
        (lambda: nn.RMSNorm(3), (2, 2), r"RMSNorm '0' needs .* last axes are \(3,\); got"),
        (lambda: nn.GroupNorm(3, 4), (2, 4), r"num_channels divisible by num_groups; got 4 and 3"),
    ],
)  # fmt: skip
def test_wrong_shapes_are_explained(
    place: str, layer: Callable[[], Any], shape: tuple[int, ...], said: str
) -> None:
    """A layer says which it is, what it needs, what it got and what to do."""
    with pytest.raises(ValueError, match=said):
        nn.Sequential(layer())(mg.zeros(shape))
