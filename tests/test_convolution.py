"""Convolution and pooling: PyTorch's numbers at every order, transposes, messages that help."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import loops
import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - as PyTorch's users import it
from minigrad import nn
from minigrad.ops import convolution, patches, pooling


@dataclass(frozen=True)
class Case:
    """A function of a module (ours or PyTorch's F) and tensors, and the shapes to try it on."""

    name: str
    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    ties: bool = False


def _conv2d(shapes: Any, **how: Any) -> Case:
    return Case(f"conv2d {shapes} {how}", lambda f, *xs: f.conv2d(*xs, **how), shapes)


def _pool(name: str, shape: tuple[int, ...], **how: Any) -> list[Case]:
    def function(f: Any, x: Any) -> Any:
        return getattr(f, name)(x, **how)

    return [
        Case(f"{name} {shape} {how}{' with ties' if ties else ''}", function, (shape,), ties)
        for ties in ((False, True) if name.startswith("max") else (False,))
    ]


X, W, B = (2, 3, 5, 6), (4, 3, 3, 2), (4,)
CASES = [
    _conv2d((X, W, B)),
    _conv2d((X, W)),
    _conv2d((X[1:], W, B)),
    _conv2d((X, W, B), padding=1),
    _conv2d((X, W, B), padding=(2, 1), stride=2),
    _conv2d((X, W, B), stride=(1, 3)),
    _conv2d((X, W, B), dilation=2),
    _conv2d((X, W, B), dilation=(1, 3), padding=(0, 2), stride=(2, 1)),
    _conv2d((X, W, B), padding="valid"),
    _conv2d((X, (4, 3, 3, 3), B), padding="same"),
    _conv2d((X, (4, 3, 3, 1), B), padding="same", dilation=2),
    _conv2d(((2, 4, 5, 4), (6, 2, 2, 2), (6,)), groups=2),
    _conv2d(((2, 4, 5, 4), (8, 1, 2, 2), (8,)), groups=4, padding=1),
    _conv2d((X, (2, 3, 1, 1), (2,))),
    _conv2d((X, W, B), padding=(5, 4), stride=(1, 2)),
    _conv2d(((2, 3, 1, 2), (4, 3, 3, 3), (4,)), padding=1),
    _conv2d(((3, 2, 4, 5), (2, 2, 4, 4), (2,))),
    Case("conv1d", lambda f, *xs: f.conv1d(*xs), ((2, 3, 7), (4, 3, 3), (4,))),
    Case(
        "conv1d strided",
        lambda f, *xs: f.conv1d(*xs, stride=2, padding=2, dilation=2, groups=3),
        ((2, 3, 7), (6, 1, 3), (6,)),
    ),
    Case("conv1d of one sample", lambda f, *xs: f.conv1d(*xs), ((3, 7), (4, 3, 3))),
    Case("conv1d same", lambda f, *xs: f.conv1d(*xs, padding="same"), ((2, 3, 7), (4, 3, 3))),
    Case("unfold", lambda f, x: f.unfold(x, (3, 2)), (X,)),
    Case("unfold strided", lambda f, x: f.unfold(x, 2, 2, (1, 0), (1, 2)), (X,)),
    Case("unfold of one sample", lambda f, x: f.unfold(x, 2), (X[1:],)),
    Case("fold", lambda f, x: f.fold(x, (5, 6), (3, 2), padding=1, stride=2), ((2, 12, 12),)),
    Case("fold to one sample", lambda f, x: f.fold(x, (3, 4), 2, dilation=2), ((8, 2),)),
    *_pool("max_pool2d", X, kernel_size=2),
    *_pool("max_pool2d", X, kernel_size=3, stride=2, padding=1),
    *_pool("max_pool2d", X, kernel_size=(3, 2), stride=1),
    *_pool("max_pool2d", X, kernel_size=2, stride=1, dilation=2),
    *_pool("max_pool2d", X, kernel_size=2, stride=3, padding=1, ceil_mode=True),
    *_pool("max_pool2d", X[1:], kernel_size=2),
    *_pool("max_pool1d", (2, 3, 7), kernel_size=3, stride=2, padding=1),
    *_pool("max_pool1d", (3, 7), kernel_size=2, ceil_mode=True),
    *_pool("max_pool1d", (2, 3, 7), kernel_size=2, stride=3, ceil_mode=True),
    *_pool("max_pool1d", (2, 3, 7), kernel_size=2),
    *_pool("avg_pool1d", (2, 3, 7), kernel_size=2),
    *_pool("avg_pool2d", X, kernel_size=2),
    *_pool("avg_pool2d", X, kernel_size=3, stride=2, padding=1),
    *_pool("avg_pool2d", X, kernel_size=3, stride=2, padding=1, count_include_pad=False),
    *_pool("avg_pool2d", X, kernel_size=(2, 3), stride=3, padding=1, ceil_mode=True),
    *_pool("avg_pool2d", X, kernel_size=2, ceil_mode=True, stride=4, count_include_pad=False),
    *_pool("avg_pool2d", X, kernel_size=2, divisor_override=3),
    *_pool("avg_pool2d", X[1:], kernel_size=2),
    *_pool("avg_pool1d", (2, 3, 7), kernel_size=3, stride=2, padding=1),
    *_pool("avg_pool1d", (2, 3, 1), kernel_size=3, padding=1, count_include_pad=False),
    *_pool("avg_pool1d", (3, 7), kernel_size=2, ceil_mode=True, count_include_pad=False),
    *[
        Case(f"adaptive_avg_pool2d {o}", lambda f, x, o=o: f.adaptive_avg_pool2d(x, o), (X,))
        for o in (1, (2, 3), (None, 4), 4, (7, 9))
    ],
    Case("adaptive_avg_pool2d sample", lambda f, x: f.adaptive_avg_pool2d(x, 2), (X[1:],)),
    Case("adaptive_avg_pool1d", lambda f, x: f.adaptive_avg_pool1d(x, 4), ((2, 3, 7),)),
]

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def inputs(case: Case) -> list[np.ndarray]:
    """Float64 arrays of the case's shapes; far apart, or with many equal entries."""
    random = np.random.default_rng(0)
    if case.ties:
        return [random.integers(0, 3, shape).astype(float) for shape in case.shapes]
    return [
        (random.permutation(np.prod(shape)) * (4 / np.prod(shape)) - 2).reshape(shape)
        + random.uniform(0, 1e-3, shape)
        for shape in case.shapes
    ]


def derivatives(m: Any, grad: Any, function: Any, arrays: list[np.ndarray]) -> list[Any]:
    """Value, gradients by all inputs, and the gradients of the gradients' square."""
    xs = [m.tensor(a, requires_grad=True) for a in arrays]
    y = function(*xs)
    weights = m.reshape(m.arange(1.0, y.numel() + 1, dtype=m.float64), y.shape)
    gs = grad((m.sin(y) * weights).sum(), xs, create_graph=True)
    norm = (gs[0] * gs[0]).sum()
    for g in gs[1:]:
        norm = norm + (g * g).sum()
    return [y, *gs, *grad(norm, xs)]


@pytest.mark.torch
@cases
def test_equals_pytorch(place: str, torch: ModuleType, case: Case) -> None:
    """Values, first and second gradients are PyTorch's, ties included."""
    found = derivatives(mg, mg.grad, lambda *xs: case.function(F, *xs), inputs(case))
    theirs = torch.nn.functional
    wanted = derivatives(
        torch, torch.autograd.grad, lambda *xs: case.function(theirs, *xs), inputs(case)
    )
    assert found[0].backend == place
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other)


@pytest.mark.parametrize("case", [c for c in CASES if not c.ties], ids=lambda case: case.name)
def test_rules_equal_differences(place: str, case: Case) -> None:
    """First and second derivatives equal central differences."""
    if place != "numpy" and "conv2d" in case.name and case is not CASES[4]:
        pytest.skip("one of them shows it")
    xs = tuple(mg.tensor(a) for a in inputs(case))
    verdict = mg.gradcheck(lambda *xs: case.function(F, *xs), xs)
    assert verdict, verdict


@cases
def test_float32_stays_float32(place: str, case: Case) -> None:
    """Values, gradients and second gradients of float32 inputs are float32."""
    xs = [mg.tensor(a.astype("float32"), requires_grad=True) for a in inputs(case)]
    y = case.function(F, *xs)
    gs = mg.grad((y * y).sum(), xs, create_graph=True)
    second = mg.grad((gs[0] * gs[0]).sum(), xs)
    for tensor in (y, *gs, *second):
        assert "float32" in str(tensor.dtype)


@cases
def test_raw_arrays_give_raw_arrays(case: Case) -> None:
    """On plain arrays the functions compute the same, and record nothing."""
    arrays = inputs(case)
    found = case.function(F, *arrays)
    assert isinstance(found, np.ndarray)
    near(found, case.function(F, *[mg.tensor(a) for a in arrays]), 0)


@cases
def test_equals_loops(place: str, case: Case) -> None:
    """Values are those of plain loops over the places of the kernel."""
    found = case.function(F, *[mg.tensor(a) for a in inputs(case)])
    assert found.backend == place
    near(found, case.function(loops, *inputs(case)), 1e-12)


def test_a_bias_of_another_dtype_is_added(random: np.random.Generator) -> None:
    """A float64 bias of a float32 convolution makes the result float64."""
    x, w = random.standard_normal((1, 2, 4)).astype("float32"), np.ones((1, 2, 3), "float32")
    y = F.conv1d(mg.tensor(x), mg.tensor(w), mg.tensor(np.array([0.5])))
    assert y.dtype == mg.float64
    near(y, loops.conv1d(x, w, np.array([0.5])), 1e-6)


def test_of_ties_the_first_takes_the_gradient(place: str) -> None:
    """Where several entries of a patch are the largest, the slope goes to the first, row by row."""
    x = mg.tensor(np.array([[[[1.0, 2.0, 0.0], [2.0, 2.0, 2.0]]]]), requires_grad=True)
    F.max_pool2d(x, 2, stride=1).sum().backward()
    near(x.grad, np.array([[[[0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]]]))


@pytest.mark.parametrize("how", [{}, {"stride": 2}, {"dilation": 2}, {"padding": 1}])
def test_fold_is_the_transpose_of_unfold(
    place: str, random: np.random.Generator, how: dict[str, int]
) -> None:
    """⟨unfold x, y⟩ = ⟨x, fold y⟩ for all x and y."""
    x = mg.tensor(random.standard_normal((2, 3, 5, 6)))
    columns = F.unfold(x, (2, 3), **how)
    y = mg.tensor(random.standard_normal(columns.shape))
    back = F.fold(y, (5, 6), (2, 3), **how)
    near((columns * y).sum(), (x * back).sum(), 1e-12)


# More images than make one block: each a matrix of its own, each larger than a block is meant to
# be, and all images of a block in one matrix.
MANY = [
    ((5, 8, 66, 60), (6, 4, 3, 3), 2),
    ((2, 1, 300, 400), (1, 1, 2, 2), 1),
    ((9, 64, 120), (8, 64, 80), 1),
]


@pytest.mark.parametrize(("shape", "weight", "groups"), MANY)
def test_many_images_are_convolved_as_each_alone(
    place: str,
    random: np.random.Generator,
    shape: tuple[int, ...],
    weight: tuple[int, ...],
    groups: int,
) -> None:
    """A batch that is cut into blocks gives what its images give one by one, and the gradients."""
    function = F.conv1d if len(shape) == 3 else F.conv2d
    x, w, b = (mg.tensor(random.standard_normal(s)) for s in (shape, weight, weight[:1]))
    xs = [x.requires_grad_(), w.requires_grad_(), b.requires_grad_()]
    y = function(*xs, groups=groups)
    plan = convolution._plan(x.data, shape, weight, y.node.params["window"], groups)
    assert len(plan.blocks) > 1
    assert plan.together == (len(shape) == 3)
    g = mg.tensor(random.standard_normal(y.shape))
    alone = mg.stack([function(x[i], w, b, groups=groups) for i in range(len(x))])
    near(y, alone, 1e-10)
    for mine, wanted in zip(mg.grad(y, xs, g), mg.grad(alone, xs, g), strict=True):
        near(mine, wanted, 1e-10)


@pytest.mark.parametrize("groups", [1, 2])
def test_convolutions_are_transposes_of_each_other(
    place: str, random: np.random.Generator, groups: int
) -> None:
    """⟨y, w ∗ x⟩ = ⟨wᵀ ∗ y, x⟩ = ⟨y ∗ x, w⟩ for all x, w and y."""
    x = mg.tensor(random.standard_normal((3, 4, 7, 6)))
    w = mg.tensor(random.standard_normal((6, 4 // groups, 2, 3)))
    how = {
        "window": patches.Window((2, 3), (2, 1), (3, 2), ((1, 0), (2, 3))),
        "groups": groups,
    }
    wx = convolution.convolve(x, w, **how)
    y = mg.tensor(random.standard_normal(wx.shape))
    near((convolution.convolve_input(y, w, shape=x.shape, **how) * x).sum(), (y * wx).sum(), 1e-12)
    near((convolution.convolve_kernel(y, x, **how) * w).sum(), (y * wx).sum(), 1e-12)


def test_no_patches_are_kept() -> None:
    """What a convolution keeps is its input and kernel; a step takes less memory than patches."""
    x, w = mg.randn(64, 4, 32, 32).requires_grad_(), mg.randn(8, 4, 5, 5).requires_grad_()
    y = F.conv2d(x, w, mg.zeros(8))
    assert [raw is of.data for of, raw in y.node.saved_inputs()] == [True, True]
    assert y.node.saved_outputs() == []
    del y
    tracemalloc.start()
    try:
        mg.grad(F.conv2d(x, w).sum(), [x, w])
        assert tracemalloc.get_traced_memory()[1] < x.nbytes * 25 / 2
    finally:
        tracemalloc.stop()


def test_max_pooling_passes_nan_on(place: str) -> None:
    """A patch that holds NaN has NaN for its largest entry."""
    x = np.arange(16.0).reshape(1, 1, 4, 4)
    x[0, 0, 0, 1] = np.nan
    y = host(F.max_pool2d(mg.tensor(x), 2))
    assert np.isnan(y[0, 0, 0, 0])
    near(y[0, 0, 1], np.array([13.0, 15.0]))


def test_max_pooling_keeps_its_index_in_the_graph() -> None:
    """What the gradient needs beyond the input is an output of the operation."""
    assert pooling.max_over_patches.outputs == ("out", "index")


# ── modules ──────────────────────────────────────────────────────────────────────────────────────

LAYERS: list[tuple[Callable[[Any], Any], tuple[int, ...]]] = [
    (lambda nn: nn.Conv1d(3, 4, 3, padding=1), (2, 3, 6)),
    (lambda nn: nn.Conv2d(3, 4, 3), (2, 3, 5, 5)),
    (lambda nn: nn.Conv2d(3, 4, (3, 2), 2, (1, 0), 1, 1, False), (2, 3, 5, 5)),
    (lambda nn: nn.Conv2d(4, 6, 3, padding="same", groups=2, dilation=2), (2, 4, 5, 5)),
    (lambda nn: nn.Conv2d(4, 4, 3, groups=4, bias=False), (4, 5, 5)),
    *[
        (lambda nn, mode=mode: nn.Conv1d(2, 3, 3, padding=2, padding_mode=mode), (2, 2, 5))
        for mode in ("reflect", "replicate", "circular")
    ],
    (
        lambda nn: nn.Conv2d(2, 3, (4, 3), padding="same", padding_mode="circular"),
        (2, 2, 5, 4),
    ),
    (lambda nn: nn.Conv2d(2, 3, 3, 2, (2, 1), padding_mode="reflect"), (2, 2, 5, 5)),
    (lambda nn: nn.MaxPool1d(2), (2, 3, 6)),
    (lambda nn: nn.MaxPool2d(3, 2, 1), (2, 3, 5, 5)),
    (lambda nn: nn.MaxPool2d(2, stride=1, dilation=2, ceil_mode=True), (2, 3, 5, 5)),
    (lambda nn: nn.AvgPool1d(3, 2, 1, True, False), (2, 3, 6)),
    (lambda nn: nn.AvgPool2d(3, 2, 1), (2, 3, 5, 5)),
    (lambda nn: nn.AvgPool2d((2, 1), divisor_override=3), (2, 3, 5, 5)),
    (lambda nn: nn.AdaptiveAvgPool1d(4), (2, 3, 6)),
    (lambda nn: nn.AdaptiveAvgPool2d((2, None)), (2, 3, 5, 5)),
    (
        lambda nn: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3, groups=2),
            nn.Tanh(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 3),
        ),
        (3, 1, 8, 8),
    ),
]


@pytest.mark.torch
@pytest.mark.parametrize(("build", "shape"), LAYERS)
def test_layers_equal_pytorch(
    place: str,
    torch: ModuleType,
    random: np.random.Generator,
    build: Callable[[Any], Any],
    shape: tuple[int, ...],
) -> None:
    """With PyTorch's weights: its keys, its output, its gradients by input and parameters."""
    theirs, ours = build(torch.nn).double(), build(nn).double()
    ours.load_state_dict(theirs.state_dict())
    data = random.standard_normal(shape)
    results = []
    for m, model in ((mg, ours), (torch, theirs)):
        x = m.tensor(data, requires_grad=True)
        y = model(x)
        (y * y * y).sum().backward()
        results.append([y, x.grad, *[p.grad for p in model.parameters()]])
    for mine, other in zip(*results, strict=True):
        near(mine, other)


def test_convolutions_start_uniform_within_one_over_root_fan_in(place: str) -> None:
    """Weights and biases fill ±1/√(C/groups · kernel entries), PyTorch's default."""
    mg.manual_seed(0)
    layer = nn.Conv2d(8, 64, (5, 5), groups=2)
    for p in (layer.weight, layer.bias):
        assert 0.09 < np.abs(host(p)).max() <= 0.1
    near(host(layer.weight).std(), 0.1 / np.sqrt(3), 0.001)
    assert layer.weight.shape == (64, 4, 5, 5)


def test_convolutions_print_as_pytorchs_do() -> None:
    """Settings that are the default stay out of sight, as in PyTorch."""
    assert repr(nn.Conv2d(3, 8, 3)) == "Conv2d(3, 8, kernel_size=(3, 3), stride=(1, 1))"
    assert repr(nn.Conv1d(4, 8, 3, 2, 1, 2, 4, False)) == (
        "Conv1d(4, 8, kernel_size=(3,), stride=(2,), padding=(1,), dilation=(2,), groups=4, "
        "bias=False)"
    )
    assert repr(nn.MaxPool2d(2)) == (
        "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)"
    )
    assert repr(nn.AvgPool2d(2)) == "AvgPool2d(kernel_size=2, stride=2, padding=0)"
    assert repr(nn.AdaptiveAvgPool2d(1)) == "AdaptiveAvgPool2d(output_size=1)"


def test_empty_batches_pass(place: str) -> None:
    """No images in, no features out, and zero gradients for the parameters."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.AvgPool2d(1), nn.Conv2d(4, 5, 3))
    y = model(mg.zeros(0, 3, 8, 8))
    assert y.shape == (0, 5, 1, 1)
    y.sum().backward()
    for p in model.parameters():
        near(p.grad, np.zeros(p.shape))


@pytest.mark.torch
@pytest.mark.parametrize(
    ("name", "shape", "how"),
    [
        ("max_pool1d", (2, 3, 7), {"kernel_size": 3, "stride": 2, "padding": 1}),
        ("max_pool1d", (3, 7), {"kernel_size": 2, "dilation": 2, "ceil_mode": True}),
        ("max_pool2d", (2, 3, 5, 6), {"kernel_size": (3, 2), "padding": 1}),
        ("max_pool2d", (3, 5, 6), {"kernel_size": 2, "stride": (2, 3), "dilation": (2, 1)}),
    ],
)
def test_indices_of_max_pooling_are_pytorchs(
    place: str, torch: ModuleType, name: str, shape: tuple[int, ...], how: dict[str, Any]
) -> None:
    """return_indices tells where in the flattened input each largest entry stood."""
    data = np.random.default_rng(0).permutation(math.prod(shape)).reshape(shape).astype(float)
    x, t = mg.tensor(data), torch.tensor(data)
    found = getattr(F, name)(x, return_indices=True, **how)
    wanted = getattr(torch.nn.functional, name)(t, return_indices=True, **how)
    for mine, theirs in zip(found, wanted, strict=True):
        near(mine, theirs)
    layer = {"max_pool1d": nn.MaxPool1d, "max_pool2d": nn.MaxPool2d}[name]
    near(layer(return_indices=True, **how)(x)[1], wanted[1])


# ── bad input ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("layer", "shape", "said"),
    [
        (lambda: nn.Conv2d(3, 4, 3), (2, 5, 8, 8),
         r"conv2d in module 'head\.0' of inputs \(2, 5, 8, 8\) .* got \(4, 3, 3, 3\)\. "
         r"Set in_channels=5, or move the channels to axis 1\.$"),
        (lambda: nn.Conv2d(3, 4, 3), (2, 3), r"conv2d in module 'head\.0' needs inputs of shape "
         r"\(N, C, H, W\) or \(C, H, W\); got \(2, 3\)"),
        (lambda: nn.Conv1d(3, 4, 3), (2, 3, 4, 5), r"\(N, C, L\) or \(C, L\); got \(2, 3, 4, 5\)"),
        (lambda: nn.Conv2d(3, 4, 5, padding=1), (2, 3, 2, 8), r"at least the \(5, 5\) entries that "
         r"its kernel spans; got \(4, 10\), padding included\. Pad more"),
        (lambda: nn.MaxPool2d(3), (2, 3, 2, 2), r"max_pool2d in module 'head\.0' needs inputs of "
         r"at least the \(3, 3\)"),
        (lambda: nn.MaxPool2d(2, padding=2), (2, 3, 4, 4), r"padding from 0 to half the kernel "
         r"\(2, 2\).*got \(2, 2\)"),
        (lambda: nn.AvgPool2d(2, stride=0), (2, 3, 4, 4), r"stride and dilation of at least 1"),
        (lambda: nn.AdaptiveAvgPool2d((1, 2, 3)), (2, 3, 4, 4), r"each of 2 axes; got \(1, 2, 3\)"),
    ],
)  # fmt: skip
def test_wrong_shapes_name_the_module_by_its_path(
    place: str, layer: Callable[[], Any], shape: tuple[int, ...], said: str
) -> None:
    """A layer deep in a network says where it is, what it needs, what it got and what to do."""
    model = nn.Sequential({"head": nn.Sequential(layer())})
    with pytest.raises(ValueError, match=said):
        model(mg.zeros(shape))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "divisible by groups; got 3, 4 and groups=2"),
        (lambda: nn.Conv2d(3, 4, 3, padding_mode="mirror"), "padding_mode='mirror'; it is 'zeros'"),
        (lambda: nn.Conv2d(3, 4, (1, 2, 3)), r"each of 2 axes; got \(1, 2, 3\)"),
        (lambda: nn.Conv2d(3, 4, ()), r"each of 2 axes; got \(\)"),
        (lambda: nn.Conv2d(3, 4, 3, stride=2, padding="same"), "needs stride 1; got"),
        (lambda: F.max_pool2d(mg.zeros(2, 3, 0, 4), 1), "Only the batch axis may be empty"),
        (lambda: F.avg_pool2d(mg.zeros(1, 2, 2), 2, divisor_override=0), "cannot divide by"),
        (lambda: F.conv2d(mg.zeros(1, 1, 4, 4), mg.zeros(1, 1, 2, 2), padding="full"), "'same'"),
        (lambda: F.conv2d(mg.zeros(1, 1, 4, 4), mg.zeros(1, 1, 2, 2), stride=2, padding="same"),
         "needs stride 1, or no padding"),
        (lambda: F.conv2d(mg.zeros(1, 1, 4, 4), mg.zeros(3, 1, 2, 2), mg.zeros(2)),
         r"conv2d needs a bias of shape \(3,\), one number for each kernel; got \(2,\)\. Reshape"),
        (lambda: F.fold(mg.zeros(1, 5, 4), (3, 3), 2), r"columns of shape \(N, C·4, 4\); got"),
    ],
)  # fmt: skip
def test_wrong_settings_are_explained(make: Callable[[], Any], said: str) -> None:
    """Settings that cannot work say what was asked, what was found and what to do."""
    with pytest.raises(ValueError, match=said):
        make()
