"""Layers, losses and modules: PyTorch's numbers at every order, and messages that help."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import hypothesis as hp
import hypothesis.strategies as st
import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - as PyTorch's users import it
from minigrad import nn, optim

# ── layers ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Case:
    """A network, built alike from ``minigrad.nn`` and ``torch.nn``, and the shape it takes."""

    name: str
    build: Callable[[Any], Any]
    shape: tuple[int, ...]


LAYERS = [
    Case("Linear", lambda nn: nn.Linear(3, 4), (5, 3)),
    Case("Linear without bias", lambda nn: nn.Linear(3, 4, bias=False), (5, 3)),
    Case("Linear on three axes", lambda nn: nn.Linear(3, 4), (2, 5, 3)),
    Case("Linear on one axis", lambda nn: nn.Linear(3, 4), (3,)),
    Case("ReLU", lambda nn: nn.ReLU(), (4, 3)),
    Case("Sigmoid", lambda nn: nn.Sigmoid(), (4, 3)),
    Case("Tanh", lambda nn: nn.Tanh(), (4, 3)),
    Case("Identity", lambda nn: nn.Identity(), (4, 3)),
    Case("Flatten", lambda nn: nn.Flatten(), (2, 3, 4)),
    Case("BatchNorm1d", lambda nn: nn.BatchNorm1d(3), (6, 3)),
    Case("BatchNorm1d (N, C, L)", lambda nn: nn.BatchNorm1d(3), (4, 3, 5)),
    Case("BatchNorm1d one sample (1, C, L)", lambda nn: nn.BatchNorm1d(3), (1, 3, 5)),
    Case("BatchNorm1d eps", lambda nn: nn.BatchNorm1d(3, eps=0.3, momentum=0.4), (6, 3)),
    Case("BatchNorm1d momentum None", lambda nn: nn.BatchNorm1d(3, momentum=None), (6, 3)),
    Case("BatchNorm1d not affine", lambda nn: nn.BatchNorm1d(3, affine=False), (6, 3)),
    Case(
        "BatchNorm1d without running statistics",
        lambda nn: nn.BatchNorm1d(3, track_running_stats=False),
        (6, 3),
    ),
    Case("BatchNorm2d", lambda nn: nn.BatchNorm2d(3), (2, 3, 2, 4)),
    Case("BatchNorm2d not affine", lambda nn: nn.BatchNorm2d(3, affine=False), (2, 3, 2, 4)),
    Case("LayerNorm", lambda nn: nn.LayerNorm(4), (3, 4)),
    Case("LayerNorm over two axes", lambda nn: nn.LayerNorm((3, 4)), (2, 3, 4)),
    Case("LayerNorm on three axes", lambda nn: nn.LayerNorm(4, eps=0.2), (2, 3, 4)),
    Case("LayerNorm without affine", lambda nn: nn.LayerNorm(4, elementwise_affine=False), (3, 4)),
    Case("LayerNorm without bias", lambda nn: nn.LayerNorm(4, bias=False), (3, 4)),
    Case(
        "nested Sequential",
        lambda nn: nn.Sequential(
            nn.Linear(4, 5),
            nn.BatchNorm1d(5),
            nn.ReLU(),
            nn.Sequential(nn.Linear(5, 4), nn.LayerNorm(4), nn.Tanh()),
            nn.Linear(4, 2),
        ),
        (6, 4),
    ),
]

layers = pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.name)


def twins(case: Case, torch: ModuleType, random: np.random.Generator) -> tuple[Any, Any]:
    """The same float64 network twice, ours and PyTorch's, with every number in it random."""
    theirs = case.build(torch.nn).double()
    for name, tensor in theirs.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        positive = random.uniform(0.5, 2.0, tuple(tensor.shape))
        signs = 1 if name.endswith("running_var") else random.choice([-1, 1], tensor.shape)
        tensor.copy_(torch.tensor(positive * signs))
    ours = case.build(nn).double()
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def derivatives(m: Any, grad: Any, model: Any, x: Any) -> list[Any]:
    """Output, gradients by input and parameters, and the gradients of the gradients' square."""
    y = model(x)
    weights = m.reshape(m.arange(1.0, y.numel() + 1, dtype=m.float64), y.shape)
    variables = [x, *model.parameters()]
    gs = grad((m.sin(y) * weights).sum(), variables, create_graph=True)
    norm = (gs[0] * gs[0]).sum()
    for g in gs[1:]:
        norm = norm + (g * g).sum()
    second = grad(norm, variables, allow_unused=True)
    zeros = [np.zeros(tuple(v.shape)) for v in variables]  # None: no path
    return [y, *gs, *[z if g is None else g for z, g in zip(zeros, second, strict=True)]]


def all_near(found: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    """Assert that two lists hold near arrays."""
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other, tolerance)


def same_state(ours: Any, theirs: Any, tolerance: float = 1e-10) -> None:
    """Assert equal keys and near numbers in two state dicts."""
    mine, other = ours.state_dict(), theirs.state_dict()
    assert set(mine) == set(other)
    all_near([mine[key] for key in other], other.values(), tolerance)


@pytest.mark.torch
@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@layers
def test_layers_equal_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator, case: Case, training: bool
) -> None:
    """After three batches: outputs, first and second gradients and statistics are PyTorch's."""
    ours, theirs = twins(case, torch, random)
    for _ in range(3):
        batch = random.standard_normal(case.shape) * 2 + 1
        ours(mg.tensor(batch))
        theirs(torch.tensor(batch))
    ours.train(training)
    theirs.train(training)
    data = random.standard_normal(case.shape)
    x = mg.tensor(data, requires_grad=True)
    found = derivatives(mg, mg.grad, ours, x)
    wanted = derivatives(torch, torch.autograd.grad, theirs, torch.tensor(data, requires_grad=True))
    assert found[0].backend == place
    all_near(found, wanted)
    same_state(ours, theirs)


@pytest.mark.torch
@layers
def test_backward_equals_grad(
    place: str, torch: ModuleType, random: np.random.Generator, case: Case
) -> None:
    """`backward` on raw arrays leaves in .grad what PyTorch leaves there."""
    ours, theirs = twins(case, torch, random)
    data = random.standard_normal(case.shape)
    leaves = []
    for m, model in ((mg, ours), (torch, theirs)):
        x = m.tensor(data, requires_grad=True)
        (model(x) ** 3).sum().backward()
        leaves.append([x.grad, *[p.grad for p in model.parameters()]])
    all_near(*leaves)


OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ("Adam", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "weight_decay": 0.1}),
]


@pytest.mark.torch
@pytest.mark.parametrize(("name", "settings"), OPTIMIZERS, ids=lambda value: str(value))
def test_a_training_step_equals_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator, name: str, settings: dict[str, Any]
) -> None:
    """One and three training steps of a normalised network give PyTorch's whole state.

    The bias before the normalization has gradient 0, that is, rounding noise of some 1e-16; Adam
    divides it by ε = 1e-8 and makes steps of some 1e-8·lr of it, on either side.
    """
    ours, theirs = twins(LAYERS[-1], torch, random)
    mine = getattr(optim, name)(ours.parameters(), **settings)
    other = getattr(torch.optim, name)(theirs.parameters(), **settings)
    loss, reference = nn.CrossEntropyLoss(), torch.nn.CrossEntropyLoss()
    for _ in range(3):
        x, labels = random.standard_normal((6, 4)), random.integers(0, 2, 6)
        for m, model, criterion, optimizer in (
            (mg, ours, loss, mine),
            (torch, theirs, reference, other),
        ):
            optimizer.zero_grad()
            criterion(model(m.tensor(x)), m.tensor(labels)).backward()
            optimizer.step()
        same_state(ours, theirs, 1e-9 if name.startswith("Adam") else 1e-10)


@layers
def test_gradients_equal_differences(place: str, random: np.random.Generator, case: Case) -> None:
    """In training and in evaluation every layer passes the gradient check at two orders."""
    model = case.build(nn).double()
    x = mg.tensor(random.standard_normal(case.shape) + 0.5)
    model(x)
    for mode in (True, False):
        model.train(mode)
        verdict = mg.gradcheck(model, x)
        assert verdict, verdict


def test_linear_is_x_times_w_transposed_plus_b(place: str, random: np.random.Generator) -> None:
    """Linear answers x Wᵀ + b, computed by NumPy."""
    layer = nn.Linear(3, 2)
    x = random.standard_normal((4, 3)).astype("float32")
    near(layer(mg.tensor(x)), x @ host(layer.weight).T + host(layer.bias), 1e-6)


def test_running_statistics_follow_pytorchs_convention(
    place: str, random: np.random.Generator
) -> None:
    """running ← 0.9·running + 0.1·batch, with the variance that divides by n − 1."""
    layer = nn.BatchNorm1d(3).double()
    mean, var = np.zeros(3), np.ones(3)
    for _ in range(3):
        x = random.standard_normal((5, 3, 2)) * 3 + 1
        layer(mg.tensor(x))
        rows = x.transpose(0, 2, 1).reshape(-1, 3)
        mean = 0.9 * mean + 0.1 * rows.mean(0)
        var = 0.9 * var + 0.1 * rows.var(0, ddof=1)
    near(layer.running_mean, mean, 1e-12)
    near(layer.running_var, var, 1e-12)
    assert int(layer.num_batches_tracked) == 3


def test_momentum_none_averages_all_batches(place: str, random: np.random.Generator) -> None:
    """With momentum None the running statistics are plain averages over the batches."""
    layer = nn.BatchNorm1d(2, momentum=None).double()
    batches = random.standard_normal((4, 5, 2))
    for x in batches:
        layer(mg.tensor(x))
    near(layer.running_mean, batches.mean((0, 1)), 1e-12)
    near(layer.running_var, batches.var(1, ddof=1).mean(0), 1e-12)


def test_evaluation_leaves_statistics_alone(place: str, random: np.random.Generator) -> None:
    """In evaluation, and under no_grad too, nothing in the state moves; in training it does."""
    layer = nn.BatchNorm1d(2)
    x = mg.tensor(random.standard_normal((5, 2)).astype("float32"))
    before = {key: host(value).copy() for key, value in layer.state_dict().items()}
    layer.eval()(x)
    all_near(layer.state_dict().values(), before.values(), 0)
    with mg.no_grad():
        layer.train()(x)
    assert not np.allclose(host(layer.running_mean), before["running_mean"])


@pytest.mark.parametrize("samples", [1, 2])
@pytest.mark.parametrize("function", [F.batch_norm, F.instance_norm])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_running_statistics_follow_whatever_is_averaged(
    place: str, random: np.random.Generator, function: Any, samples: int, dtype: str
) -> None:
    """Of one sample or more, channel by channel, in the dtype of the statistics."""
    x = random.standard_normal((samples, 3, 4, 2))
    mean, var = (mg.zeros(3, dtype=getattr(mg, dtype)) for _ in range(2))
    arrays = mean.data, var.data
    function(mg.tensor(x), mean, var, None, None, True, 0.25)
    if function is F.batch_norm:
        over = np.var(x, (0, 2, 3), ddof=1)
    else:
        over = np.var(x, (2, 3), ddof=1).mean(0)
    near(mean, x.mean((0, 2, 3)) / 4, 1e-6 if dtype == "float32" else 1e-12)
    near(var, over / 4, 1e-6 if dtype == "float32" else 1e-12)
    assert (mean.data is arrays[0], var.data is arrays[1]) == (True, True)
    assert str(mean.dtype).endswith(dtype)


def test_running_statistics_of_one_value_are_refused(place: str) -> None:
    """A variance that divides by n − 1 = 0 is an error; without such statistics all is well."""
    x, stats = mg.ones(1, 3), [mg.zeros(3), mg.ones(3)]
    with pytest.raises(ValueError, match=r"more than one value per channel .* \(1, 3\)"):
        F.batch_norm(x, *stats, training=True)
    near(stats[0], np.zeros(3), 0)
    near(F.batch_norm(x, training=True), np.zeros((1, 3)), 0)


@pytest.mark.parametrize("which", range(4), ids=["mean", "var", "weight", "bias"])
@pytest.mark.parametrize("shape", [(1,), (3, 1), (), (4,)], ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_parameters_by_channel_have_an_entry_each(
    place: str, which: int, shape: tuple[int, ...], training: bool
) -> None:
    """One that would broadcast is refused, and the running statistics stay as they were."""
    tensors = [mg.zeros(3), mg.ones(3), mg.ones(3), mg.zeros(3)]
    tensors[which] = mg.ones(*shape)
    before = host(tensors[0]).copy()
    with pytest.raises(ValueError, match=rf"by channel .* \(3,\); got {re.escape(str(shape))}"):
        F.batch_norm(mg.ones(2, 3), *tensors, training)
    near(tensors[0], before, 0)


@pytest.mark.parametrize("used", ["running_mean", "running_var", "a view"])
def test_a_graph_with_running_statistics_hears_of_their_change(place: str, used: str) -> None:
    """Backward through statistics that training has moved on since is refused."""
    if (place, used) == ("strict", "a view"):
        pytest.skip("its arrays do not say whose memory they show")
    layer = nn.BatchNorm1d(2)
    w, x = mg.ones(2, requires_grad=True), mg.tensor([[1.0, 2.0], [3.0, 5.0]])
    for _ in range(2):
        y = (layer.running_mean[1:] if used == "a view" else getattr(layer, used)) * w
        layer(x)
        with pytest.raises(RuntimeError, match=r"overwritten in place.*normalization in training"):
            y.sum().backward()


def test_buffers_keep_their_dtype(place: str, random: np.random.Generator) -> None:
    """float64 batches leave the running statistics of a float32 layer in float32."""
    layer = nn.BatchNorm1d(2)
    layer(mg.tensor(random.standard_normal((5, 2))))
    for buffer in (layer.running_mean, layer.running_var):
        assert "float32" in str(buffer.dtype)


shapes = st.tuples(st.integers(2, 9), st.integers(1, 5))
seeds = st.integers(0, 2**31)
scales = st.sampled_from([1e-3, 0.1, 1.0, 10.0, 1e3])


@hp.settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hp.HealthCheck.function_scoped_fixture],
)
@hp.given(shapes, st.none() | st.integers(1, 4), seeds, scales, st.floats(-10, 10))
def test_batch_norm_standardises_each_channel(
    place: str, shape: tuple[int, int], length: int | None, seed: int, scale: float, shift: float
) -> None:
    """Over the batch each channel has mean 0 and variance var/(var + ε), whatever the shape."""
    shape_ = shape if length is None else (*shape, length)
    x = np.random.default_rng(seed).standard_normal(shape_) * scale + shift
    axis = (0, *range(2, x.ndim))
    y = host(nn.BatchNorm1d(shape[1], affine=False).double()(mg.tensor(x)))
    var = x.var(axis)
    np.testing.assert_allclose(y.mean(axis), 0, atol=1e-9)
    np.testing.assert_allclose(y.var(axis), var / (var + 1e-5), rtol=1e-7, atol=1e-12)


@hp.settings(
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hp.HealthCheck.function_scoped_fixture],
)
@hp.given(shapes, st.lists(st.integers(1, 3), max_size=2), seeds, scales, st.floats(-10, 10))
def test_layer_norm_standardises_each_sample(
    place: str, shape: tuple[int, int], leading: list[int], seed: int, scale: float, shift: float
) -> None:
    """Over its last axes each sample has mean 0 and variance var/(var + ε); others don't matter."""
    x = np.random.default_rng(seed).standard_normal((*leading, *shape)) * scale + shift
    y = host(nn.LayerNorm(shape).double()(mg.tensor(x)))
    var = x.var((-2, -1))
    np.testing.assert_allclose(y.mean((-2, -1)), 0, atol=1e-9)
    np.testing.assert_allclose(y.var((-2, -1)), var / (var + 1e-5), rtol=1e-7, atol=1e-12)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.Linear(3, 4), (0, 3)),
        (lambda: nn.LayerNorm(3), (0, 3)),
        (lambda: nn.BatchNorm1d(3).eval(), (0, 3)),
        (lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Flatten()), (0, 3)),
    ],
)
def test_empty_batches_pass(place: str, layer: Callable[[], Any], shape: tuple[int, ...]) -> None:
    """No samples in, no samples out, and zero gradients for the parameters."""
    model = layer()
    y = model(mg.tensor(np.zeros(shape, "float32")))
    assert y.shape[0] == 0
    y.sum().backward()
    for p in model.parameters():
        near(p.grad, np.zeros(p.shape))


def test_stepping_between_forward_and_backward_never_lies(
    place: str, random: np.random.Generator
) -> None:
    """A norm reads γ reshaped: moved before backward, it raises or the gradient is right."""
    if place == "strict":
        pytest.skip("the stand-in does not tell whose memory a view is")
    layer = nn.BatchNorm1d(2).double()
    x = mg.tensor(random.standard_normal((4, 2, 3)), requires_grad=True)
    y = (layer(x) ** 3).sum()
    (wanted,) = mg.grad(y, x)
    for p in layer.parameters():
        p.grad = mg.ones_like(p)
    optim.SGD(layer.parameters(), lr=1.0).step()
    try:
        y.backward()
    except RuntimeError as error:
        assert "in place" in str(error)  # noqa: PT017 - either answer will do
    else:
        near(x.grad, wanted)


# ── losses ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Loss:
    """One setting of cross-entropy: the shape of the logits, the targets, the arguments."""

    name: str
    shape: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    soft: bool = False
    weighted: bool = False
    ignored: int | None = None  # so many targets become ignore_index

    def target(self, random: np.random.Generator) -> np.ndarray:
        """Class numbers, or probabilities for a soft one."""
        axis = 1 if len(self.shape) > 1 else 0
        if self.soft:
            p = random.uniform(0.1, 1.0, self.shape)
            return p / p.sum(axis, keepdims=True)
        shape = (*self.shape[:axis], *self.shape[axis + 1 :])
        labels = np.asarray(random.integers(0, self.shape[axis], shape))
        if self.ignored is not None:
            labels.reshape(-1)[: self.ignored] = self.settings.get("ignore_index", -100)
        return labels


LOSSES = [
    Loss("classes", (5, 4)),
    Loss("one sample", (4,)),
    Loss("(N, C, d)", (3, 4, 2)),
    Loss("(N, C, d, e)", (2, 3, 2, 2)),
    Loss("weights", (5, 4), weighted=True),
    Loss("weights (N, C, d)", (3, 4, 2), weighted=True),
    Loss("ignored", (5, 4), ignored=2),
    Loss("ignored class 1", (5, 4), {"ignore_index": 1}, ignored=2),
    Loss("ignored with weights", (3, 4, 2), weighted=True, ignored=3),
    Loss("smoothing", (5, 4), {"label_smoothing": 0.2}),
    Loss("smoothing with weights", (5, 4), {"label_smoothing": 0.2}, weighted=True),
    Loss("smoothing, ignored", (5, 4), {"label_smoothing": 0.2}, weighted=True, ignored=2),
    Loss("probabilities", (5, 4), soft=True),
    Loss("probabilities (N, C, d)", (3, 4, 2), soft=True),
    Loss("probabilities, weights", (5, 4), soft=True, weighted=True),
    Loss("probabilities, smoothing", (5, 4), {"label_smoothing": 0.2}, soft=True),
    Loss("all at once", (3, 4, 2), {"label_smoothing": 0.3}, soft=True, weighted=True),
]


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_cross_entropy_equals_pytorch(
    place: str,
    torch: ModuleType,
    random: np.random.Generator,
    loss: Loss,
    reduction: str,
) -> None:
    """Value, first and second gradient by the logits (and soft targets) are PyTorch's."""
    logits, target = random.standard_normal(loss.shape) * 3, loss.target(random)
    classes = loss.shape[1 if len(loss.shape) > 1 else 0]
    weight = random.uniform(0.5, 2.0, classes)

    def run(m: Any, nn: Any, grad: Any) -> list[Any]:
        settings = {**loss.settings, "reduction": reduction}
        if loss.weighted:
            settings["weight"] = m.tensor(weight)
        z = m.tensor(logits, requires_grad=True)
        t = m.tensor(target, requires_grad=loss.soft)
        y = nn.CrossEntropyLoss(**settings)(z, t)
        variables = [z, t] if loss.soft else [z]
        gs = grad((y * y).sum(), variables, create_graph=True)
        return [y, *gs, *grad((gs[0] * gs[0]).sum(), variables)]

    all_near(run(mg, nn, mg.grad), run(torch, torch.nn, torch.autograd.grad))


def test_cross_entropy_is_minus_log_softmax(place: str, random: np.random.Generator) -> None:
    """The mean of −ln softmax(z)[label], and its gradient (p − onehot)/N, by NumPy."""
    z, labels = random.standard_normal((5, 3)), random.integers(0, 3, 5)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    x = mg.tensor(z, requires_grad=True)
    loss = F.cross_entropy(x, mg.tensor(labels))
    near(loss, -np.log(p[range(5), labels]).mean(), 1e-12)
    loss.backward()
    near(x.grad, (p - np.eye(3)[labels]) / 5, 1e-12)


def test_cross_entropy_of_huge_logits_is_finite(place: str) -> None:
    """Logits of ±10⁴ overflow nothing."""
    x = mg.tensor(np.array([[1e4, -1e4, 0.0]]), requires_grad=True)
    loss = F.cross_entropy(x, mg.tensor(np.array([1])))
    near(loss, 2e4)
    loss.backward()
    near(x.grad, np.array([[1.0, -1.0, 0.0]]))


def test_masked_logits_cost_nothing(place: str) -> None:
    """A class masked by −∞ that is not the target has probability 0 and leaves the loss finite."""
    x = mg.tensor(np.array([[0.0, -np.inf, 0.0]]), requires_grad=True)
    loss = F.cross_entropy(x, mg.tensor(np.array([0])))
    near(loss, np.log(2.0))
    loss.backward()
    near(x.grad, np.array([[-0.5, 0.0, 0.5]]))


def test_a_group_of_one_value_has_no_variance(place: str) -> None:
    """One value to a group of one sample is refused; two samples have one each, as in PyTorch."""
    with pytest.raises(ValueError, match="group_norm needs more than one value in a group"):
        F.group_norm(mg.ones(1, 3), 3)
    near(F.group_norm(mg.ones(2, 3), 3), np.zeros((2, 3)))


def test_logits_of_float16_sum_to_more_than_it_holds() -> None:
    """Whether a logit is −∞ is not asked of a sum that float16 could not hold."""
    x = mg.tensor(np.tile(np.float16([0, -1000]), (100, 1)), requires_grad=True)
    loss = F.cross_entropy(x, mg.tensor(np.zeros(100, int)))  # a warning would be an error
    assert (loss.item(), loss.dtype) == (0.0, np.float16)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
def test_labels_of_any_integer_type(place: str, dtype: str) -> None:
    """Class numbers may have any integer dtype."""
    x = mg.tensor(np.array([[1.0, 2.0], [3.0, 5.0]]))
    wanted = np.array([np.log1p(np.exp(1.0)), np.log1p(np.exp(-2.0))])
    found = F.cross_entropy(x, mg.tensor(np.array([0, 1], dtype=dtype)), reduction="none")
    near(found, wanted)


@pytest.mark.torch
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_mse_equals_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator, reduction: str
) -> None:
    """Value, first and second gradient by both arguments are PyTorch's."""
    a, b = random.standard_normal((2, 4, 3))

    def run(m: Any, nn: Any, grad: Any) -> list[Any]:
        xs = [m.tensor(a, requires_grad=True), m.tensor(b, requires_grad=True)]
        y = nn.MSELoss(reduction=reduction)(*xs)
        gs = grad((y * y).sum(), xs, create_graph=True)
        return [y, *gs, *grad((gs[0] * gs[0]).sum(), xs)]

    all_near(run(mg, nn, mg.grad), run(torch, torch.nn, torch.autograd.grad))


def test_losses_refuse_a_column_against_a_row(place: str) -> None:
    """(n, 1) against (n,) would make n² differences; it is refused, either way round."""
    column, row = mg.zeros(4, 1), mg.zeros(4)
    for pair in ((column, row), (row, column)):
        with pytest.raises(
            ValueError, match=r"mse_loss .* got \(4,( 1)?\) and \(4,( 1)?\).* Reshape one"
        ):
            nn.MSELoss()(*pair)
    logits = mg.zeros(4, 3)
    with pytest.raises(ValueError, match=r"class numbers of shape \(4,\); got \(4, 1\)"):
        nn.CrossEntropyLoss()(logits, mg.zeros(4, 1, dtype=mg.int64))
    with pytest.raises(ValueError, match=r"\(4, 3\) and \(4, 2\)"):
        nn.CrossEntropyLoss()(logits, mg.zeros(4, 2))


@pytest.mark.parametrize(("label", "said"), [(3, "to 3"), (-1, "from -1"), (-100, None)])
def test_class_numbers_out_of_range_are_refused(place: str, label: int, said: str | None) -> None:
    """A class number outside 0 … C − 1 is an error that shows it; ignore_index is none."""
    labels = mg.tensor(np.array([0, label]))
    logits = mg.zeros(2, 3)
    if said is None:
        near(nn.CrossEntropyLoss()(logits, labels), np.float32(np.log(3)), 1e-6)
        return
    with pytest.raises(ValueError, match=rf"from 0 to 2; found some .*{said}"):
        nn.CrossEntropyLoss()(logits, labels)


def test_unknown_reductions_are_refused(place: str) -> None:
    """An unknown reduction names the known ones."""
    with pytest.raises(ValueError, match=r"'avg' is unknown; use 'mean', 'sum' or 'none'"):
        nn.MSELoss(reduction="avg")(mg.zeros(2), mg.zeros(2))


# ── modules: state ───────────────────────────────────────────────────────────────────────────────


def network(nn: Any = nn) -> Any:
    """A network with every kind of state in it, at two depths."""
    return nn.Sequential(
        nn.Linear(4, 3),
        nn.BatchNorm1d(3),
        nn.ReLU(),
        nn.Sequential(nn.Linear(3, 3, bias=False), nn.LayerNorm(3), nn.ReLU()),
        nn.Linear(3, 2),
    )


@pytest.mark.torch
@layers
def test_state_dict_has_pytorchs_keys_and_shapes(torch: ModuleType, case: Case) -> None:
    """The same architecture has the same paths with the same shapes."""
    ours, theirs = case.build(nn), case.build(torch.nn)
    wanted = {key: tuple(value.shape) for key, value in theirs.state_dict().items()}
    assert {key: value.shape for key, value in ours.state_dict().items()} == wanted
    named = [name for name, _ in theirs.named_parameters()]
    assert [name for name, _ in ours.named_parameters()] == named


@pytest.mark.torch
def test_weights_go_to_pytorch_and_back(
    place: str, torch: ModuleType, random: np.random.Generator
) -> None:
    """PyTorch's state loads here, ours there, and both then compute the same."""
    theirs, ours = network(torch.nn).double(), network().double()
    x = random.standard_normal((5, 4))
    theirs(torch.tensor(x))
    ours.load_state_dict(theirs.state_dict())
    same_state(ours, theirs, 0)
    near(ours.eval()(mg.tensor(x)), theirs.eval()(torch.tensor(x)))
    again = network(torch.nn).double()
    again.load_state_dict(
        {key: torch.tensor(host(value)) for key, value in ours.state_dict().items()}
    )
    near(again.eval()(torch.tensor(x)), theirs(torch.tensor(x)), 0)


def test_loading_copies_and_keeps_dtype_and_place(place: str) -> None:
    """Arrays of another dtype and backend load into what is there, and share no memory with it."""
    model = nn.Linear(2, 2)
    weight = np.arange(4.0).reshape(2, 2)
    model.load_state_dict({"weight": weight, "bias": mg.tensor([1.0, 2.0])})
    weight[:] = -1
    assert "float32" in str(model.weight.dtype)
    assert model.weight.backend == place
    near(model.weight, np.array([[0.0, 1.0], [2.0, 3.0]]))


def test_loading_keeps_the_parameters_themselves(place: str) -> None:
    """An optimizer made before load_state_dict still moves the model."""
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    model.load_state_dict({"weight": np.ones((1, 2)), "bias": np.ones(1)})
    model(mg.tensor([[1.0, 2.0]])).sum().backward()
    optimizer.step()
    near(model.weight, np.array([[0.0, -1.0]]))


def test_a_wrong_state_dict_lists_every_difference(place: str) -> None:
    """Missing, unexpected and misshapen entries are all named, and nothing at all is changed."""
    model = network()
    before = {key: host(value).copy() for key, value in model.state_dict().items()}
    wrong: dict[str, Any] = {key: value + 1 for key, value in before.items()}
    del wrong["0.bias"], wrong["1.running_var"]
    wrong["head.weight"] = np.zeros(3)
    wrong["3.0.weight"] = np.zeros((3, 4))
    with pytest.raises(ValueError, match="load_state_dict of Sequential") as caught:
        model.load_state_dict(wrong)
    message = str(caught.value)
    lines = {tuple(line.split()) for line in message.splitlines()}
    assert {("missing", "0.bias"), ("missing", "1.running_var")} <= lines
    assert ("unexpected", "head.weight") in lines
    assert "3.0.weight: the module has (3, 3), the state_dict (3, 4)" in message
    assert len([line for line in message.splitlines() if line.startswith("  ")]) == 4
    all_near(model.state_dict().values(), before.values(), 0)


def test_loading_with_strict_false_takes_what_fits(place: str) -> None:
    """strict=False skips paths on one side only; a wrong shape is still an error."""
    model = nn.Linear(2, 1)
    bias = host(model.bias).copy()
    model.load_state_dict({"weight": np.ones((1, 2)), "other": np.ones(3)}, strict=False)
    near(model.weight, np.ones((1, 2)))
    near(model.bias, bias, 0)
    with pytest.raises(ValueError, match=r"weight: the module has \(1, 2\)"):
        model.load_state_dict({"weight": np.ones((1, 3))}, strict=False)


def test_state_dict_is_detached(place: str) -> None:
    """What state_dict answers requires no grad and has the names as keys, buffers included."""
    state = network().state_dict()
    assert not any(value.requires_grad for value in state.values())
    assert set(state) == {
        "0.weight",
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
        "3.0.weight",
        "3.1.weight",
        "3.1.bias",
        "4.weight",
        "4.bias",
    }


def test_a_copied_module_is_independent(place: str) -> None:
    """copy.deepcopy gives a network with the same numbers and none of the same tensors."""
    model = network()
    twin = copy.deepcopy(model)
    optimizer = optim.SGD(twin.parameters(), lr=1.0)
    before = {key: host(value).copy() for key, value in model.state_dict().items()}
    all_near(twin.state_dict().values(), before.values(), 0)
    twin(mg.ones(3, 4) * mg.tensor([[1.0], [2.0], [4.0]])).sum().backward()
    optimizer.step()
    all_near(model.state_dict().values(), before.values(), 0)
    assert all(p.grad is None for p in model.parameters())
    assert not np.allclose(host(twin[4].bias), before["4.bias"])


# ── modules: what is inside ──────────────────────────────────────────────────────────────────────


class Tied(nn.Module):
    """One layer held twice, and one parameter under two names."""

    def __init__(self) -> None:
        self.first = nn.Linear(2, 2)
        self.again = self.first
        self.scale = nn.Parameter(mg.ones(2))
        self.same = self.scale
        self.absent = None

    def forward(self, x: Any) -> Any:
        """Apply the one layer twice."""
        return self.again(self.first(x) * self.scale) * self.same


def test_shared_modules_come_once(place: str) -> None:
    """A module or parameter held twice is listed once, and its gradient sums over both uses."""
    model = Tied()
    assert [name for name, _ in model.named_parameters()] == [
        "scale",
        "first.weight",
        "first.bias",
    ]
    assert [name for name, _ in model.named_modules()] == ["", "first"]
    model.double()
    x = mg.tensor(np.array([[1.0, -2.0]]))
    model(x).sum().backward()
    w, b = host(model.first.weight), host(model.first.bias)
    near(model.first.bias.grad, w.sum(0) + 1)
    assert b.shape == (2,)


def test_paths_of_modules_parameters_and_buffers() -> None:
    """Paths join names by dots, parents before children, in the order of assignment."""
    model = nn.Sequential({"body": nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))})
    assert [name for name, _ in model.named_modules()] == ["", "body", "body.0", "body.1"]
    assert [name for name, _ in model.named_parameters()] == [
        "body.0.weight",
        "body.0.bias",
        "body.1.weight",
        "body.1.bias",
    ]
    assert [name for name, _ in model.named_buffers()] == [
        "body.1.running_mean",
        "body.1.running_var",
        "body.1.num_batches_tracked",
    ]
    assert [name for name, _ in model.named_children()] == ["body"]
    assert len(list(model.parameters())) == 4
    assert len(list(model.buffers())) == 3


def test_sequential_is_a_list_of_modules() -> None:
    """Sequential has a length, items, slices (which share modules) and append."""
    model = network()
    assert len(model) == 5
    assert model[-1] is list(model)[4]
    part = model[1:3]
    assert isinstance(part, nn.Sequential)
    assert list(part) == list(model)[1:3]
    assert len(model.append(nn.ReLU())) == 6
    with pytest.raises(TypeError, match="Wrap functions"):
        nn.Sequential(nn.Linear(2, 2), mg.relu)


@pytest.mark.parametrize("name", ["forward", "training", "children"])
def test_sequential_refuses_names_that_would_hide_its_own(name: str) -> None:
    """A module called like a method of Sequential would replace the method: an error."""
    with pytest.raises((ValueError, KeyError, TypeError), match=name):
        nn.Sequential({name: nn.ReLU()})


def test_append_refuses_what_is_no_module() -> None:
    """Sequential.append takes modules only, as its constructor does."""
    model = nn.Sequential(nn.ReLU())
    with pytest.raises(TypeError, match="module"):
        model.append(mg.relu)  # type: ignore[arg-type]


def test_train_and_eval_reach_every_module() -> None:
    """train() and eval() set the mode of all modules inside, and answer the module."""
    model = network()
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model
    assert all(module.training for module in model.modules())


def test_zero_grad_forgets(place: str) -> None:
    """Gradients add up over backward calls; zero_grad makes them None, which is not 0."""
    model = nn.Linear(2, 1)
    x = mg.tensor([[1.0, 2.0]])
    for _ in range(2):
        model(x).sum().backward()
    near(model.weight.grad, np.array([[2.0, 4.0]]))
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_frozen_parameters_get_no_gradient(place: str) -> None:
    """requires_grad_(False) freezes a module: the others learn on, it stays."""
    model = network()
    model[0].requires_grad_(False)
    model(mg.ones(3, 4) * mg.tensor([[1.0], [2.0], [4.0]])).sum().backward()
    assert model[0].weight.grad is None
    assert model[4].weight.grad is not None
    assert all(p.requires_grad for p in model.requires_grad_().parameters())


@pytest.fixture
def restored_dtype() -> Iterator[None]:
    """Set the default dtype back after the test."""
    before = mg.get_default_dtype()
    yield
    mg.set_default_dtype(before)


@pytest.mark.usefixtures("restored_dtype")
def test_parameters_have_the_default_dtype(place: str) -> None:
    """New parameters and buffers are float32, and float64 once that is the default."""

    def dtypes() -> set[str]:
        model = network()
        return {
            str(t.dtype).rpartition(".")[2]
            for name, t in model.state_dict().items()
            if not name.endswith("num_batches_tracked")
        }

    assert dtypes() == {"float32"}
    mg.set_default_dtype(mg.float64)
    assert dtypes() == {"float64"}
    with pytest.raises(TypeError, match="floating dtype; got int64"):
        mg.set_default_dtype(mg.int64)


def test_one_seed_gives_the_same_weights_everywhere(place: str) -> None:
    """The same manual_seed gives the weights on this backend that it gives on NumPy."""
    mg.manual_seed(7)
    here = [host(p) for p in network().parameters()]
    with mg.use("numpy"):
        mg.manual_seed(7)
        home = [host(p) for p in network().parameters()]
        mg.manual_seed(8)
        other = host(network()[0].weight)
    all_near(here, home, 0)
    assert not np.allclose(here[0], other)


def test_linear_starts_uniform_within_one_over_root_in(place: str) -> None:
    """Weights and biases fill ±1/√in, PyTorch's default."""
    mg.manual_seed(0)
    layer = nn.Linear(100, 200)
    for p in (layer.weight, layer.bias):
        assert 0.09 < np.abs(host(p)).max() <= 0.1
        assert abs(host(p).mean()) < 0.01
    near(host(layer.weight).std(), 0.1 / np.sqrt(3), 0.001)


def test_double_and_float_change_all_floating_state(place: str) -> None:
    """double() and float() change parameters and buffers in place, but not the batch counter."""
    model = network()
    held = list(model.parameters())
    for convert, wanted in ((model.double, "float64"), (model.float, "float32")):
        assert convert() is model
        for name, value in model.state_dict().items():
            expected = "int64" if name.endswith("num_batches_tracked") else wanted
            assert expected in str(value.dtype)
    assert all(a is b for a, b in zip(held, model.parameters(), strict=True))
    y = model.double()(mg.tensor(np.random.default_rng(0).standard_normal((3, 4))))
    assert "float64" in str(y.dtype)


def test_a_model_moves_to_a_backend(place: str, random: np.random.Generator) -> None:
    """model.to(name) moves parameters and buffers; the moved model computes the same there."""
    with mg.use("numpy"):
        model = network().double()
        x = mg.tensor(random.standard_normal((5, 4)))
        wanted = host(model(x))
    assert model.to(place) is model
    assert {t.backend for t in (*model.parameters(), *model.buffers())} == {place}
    there = x.to(place)
    near(model(there), wanted)
    model(there).sum().backward()
    assert {p.grad.backend for p in model.parameters()} == {place}
    assert {t.backend for t in model.to("numpy").buffers()} == {"numpy"}


def test_modules_print_as_pytorchs_do() -> None:
    """A network prints as an indented tree of its settings."""
    model = nn.Sequential(
        nn.Linear(4, 3, bias=False), nn.Sequential(nn.BatchNorm1d(3), nn.LayerNorm(3)), nn.ReLU()
    )
    assert repr(model) == (
        "Sequential(\n"
        "  (0): Linear(in_features=4, out_features=3, bias=False)\n"
        "  (1): Sequential(\n"
        "    (0): BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)\n"
        "    (1): LayerNorm((3,), eps=1e-05, elementwise_affine=True)\n"
        "  )\n"
        "  (2): ReLU()\n"
        ")"
    )


# ── modules: bad input ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("layer", "shape", "said"),
    [
        (lambda: nn.Linear(3, 2), (5, 4), r"Linear 'head\.1' needs .* last axis is 3; got shape "
         r"\(5, 4\)\. Set in_features=4, or flatten before it"),
        (lambda: nn.Linear(3, 2), (), r"Linear 'head\.1' .* got shape \(\)"),
        (lambda: nn.BatchNorm1d(3), (5, 4), r"BatchNorm1d 'head\.1' needs inputs of shape "
         r"\(N, 3\) or \(N, 3, L\); got \(5, 4\)"),
        (lambda: nn.BatchNorm1d(3), (3,), r"BatchNorm1d 'head\.1' .* got \(3,\)"),
        (lambda: nn.BatchNorm1d(3), (2, 3, 2, 2), r"BatchNorm1d 'head\.1' .* got \(2, 3, 2, 2\)"),
        (lambda: nn.BatchNorm2d(3), (2, 3), r"BatchNorm2d 'head\.1' needs inputs of shape "
         r"\(N, 3, H, W\); got \(2, 3\)"),
        (lambda: nn.BatchNorm1d(3), (1, 3), r"BatchNorm1d 'head\.1' needs more than one value per "
         r"channel .* got shape \(1, 3\)\. Use a larger batch, or call eval\(\)"),
        (lambda: nn.BatchNorm2d(3), (1, 3, 1, 1), r"BatchNorm2d 'head\.1' needs more than one"),
        (lambda: nn.LayerNorm((3, 2)), (5, 3, 3), r"LayerNorm 'head\.1' needs inputs whose last "
         r"axes are \(3, 2\); got shape \(5, 3, 3\)"),
    ],
)  # fmt: skip
def test_wrong_shapes_name_the_module_by_its_path(
    place: str, layer: Callable[[], Any], shape: tuple[int, ...], said: str
) -> None:
    """A layer deep in a network says which it is, what it needs, what it got and what to do."""
    model = nn.Sequential({"body": nn.ReLU(), "head": nn.Sequential(nn.ReLU(), layer())})
    with pytest.raises(ValueError, match=said):
        model(mg.zeros(shape))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(lambda: nn.InstanceNorm1d(3), (3,)), (lambda: nn.InstanceNorm2d(3), (3, 4))],
)
def test_instance_norm_takes_one_sample_less_or_none(
    layer: Callable[[], Any], shape: tuple[int, ...]
) -> None:
    """One missing axis is that of the samples; two are refused, with the shape as it was given."""
    with pytest.raises(ValueError, match=rf"got {re.escape(str(shape))}"):
        layer()(mg.zeros(shape))


def test_instance_norm_of_no_values_is_empty() -> None:
    """What has no values needs no variance."""
    with np.errstate(invalid="ignore"):
        assert nn.InstanceNorm1d(3)(mg.zeros(2, 3, 0)).shape == (2, 3, 0)


@pytest.mark.parametrize("groups", [-1, 0, 2, 4])
def test_group_norm_needs_groups_of_one_size(groups: int) -> None:
    """Three channels do not make no groups, nor two or four."""
    with pytest.raises(ValueError, match=f"got 3 and {groups}"):
        nn.GroupNorm(groups, 3)


def test_one_value_per_channel_is_fine_in_evaluation(place: str) -> None:
    """What training refuses, evaluation computes from the running statistics."""
    layer = nn.BatchNorm1d(2, eps=0.0).eval()
    near(layer(mg.tensor([[3.0, 4.0]])), np.array([[3.0, 4.0]]))


def test_a_failed_forward_leaves_the_path_clean(place: str) -> None:
    """After an error inside a module, later messages do not carry its path."""
    model = nn.Sequential(nn.Linear(3, 2))
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^Linear '0' needs"):
            model(mg.zeros(2, 2))
    with pytest.raises(ValueError, match=r"^Linear needs"):
        nn.Linear(3, 2)(mg.zeros(2, 2))


def test_a_kernels_own_error_gains_operation_path_and_shapes(place: str) -> None:
    """An operation that fails inside a module notes its name, the module's path and the shapes."""

    class Wrong(nn.Module):
        def forward(self, x: Any) -> Any:
            return x + mg.zeros(7)

    model = nn.Sequential({"body": nn.Sequential(nn.ReLU(), Wrong())})
    with pytest.raises((ValueError, RuntimeError), match="broadcast") as caught:
        model(mg.zeros(2, 3))
    (note,) = caught.value.__notes__
    assert "add" in note
    assert "'body.1'" in note
    assert "(2, 3), (7,)" in note


def test_a_module_without_forward_says_so() -> None:
    """Calling a module that has no forward names its class."""

    class Empty(nn.Module):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty has no forward\(\)"):
        Empty()(mg.zeros(1))
