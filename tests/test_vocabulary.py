"""What a learner reaches for, under the name they know from PyTorch: places, streams, doors."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import nn

F = nn.functional

# ── places ───────────────────────────────────────────────────────────────────────────────────────

CREATED: list[Any] = [
    lambda **how: mg.tensor([1.0, 2.0], **how),
    lambda **how: mg.as_tensor(np.ones(2), **how),
    lambda **how: mg.zeros(2, 3, **how),
    lambda **how: mg.ones(size=(2, 3), **how),
    lambda **how: mg.empty((2, 3), **how),
    lambda **how: mg.full((2,), fill_value=3.0, **how),
    lambda **how: mg.arange(0.0, 3.0, **how),
    lambda **how: mg.linspace(0, 1, steps=3, **how),
    lambda **how: mg.logspace(0, 2, 3, **how),
    lambda **how: mg.eye(2, **how),
    lambda **how: mg.rand(2, **how),
    lambda **how: mg.randn(2, **how),
    lambda **how: mg.normal(0.0, 1.0, (2,), **how),
    lambda **how: mg.normal(mg.zeros(2), mg.ones(2), **how),
    lambda **how: mg.randint(0, 5, (3,), **how),
    lambda **how: mg.randperm(5, **how),
    lambda **how: mg.zeros_like(mg.ones(2), **how),
    lambda **how: mg.ones_like(mg.ones(2), **how),
    lambda **how: mg.empty_like(mg.ones(2), **how),
    lambda **how: mg.full_like(mg.ones(2), 2.0, **how),
    lambda **how: mg.rand_like(mg.ones(2), **how),
    lambda **how: mg.randn_like(mg.ones(2), **how),
    lambda **how: mg.randint_like(mg.ones(2), 0, 9, **how),
    lambda **how: mg.ones(2).new_zeros(3, **how),
    lambda **how: mg.ones(2).new_ones(3, **how),
    lambda **how: mg.ones(2).new_full((3,), 2.0, **how),
    lambda **how: mg.ones(2).new_tensor([1.0], **how),
]


@pytest.mark.parametrize("create", CREATED)
def test_created_where_and_as_asked(place: str, create: Any) -> None:
    """device and dtype decide of a new tensor wherever others are born; a device may be None."""
    made = create(device="cpu", dtype=mg.float64)
    assert (made.backend, made.dtype) == ("numpy", mg.float64)
    assert made.device == mg.device("cpu") == "cpu"
    assert create(device=None).backend == place
    assert create(device="strict").backend == "strict"


def test_devices_are_their_names() -> None:
    """A device is text with a type and an index, and unknown ones are refused."""
    assert (mg.device("cpu").type, mg.device("cpu").index) == ("cpu", None)
    gpu = mg.device("cuda", 1)
    assert (gpu, gpu.type, gpu.index, str(gpu)) == ("cuda:1", "cuda", 1, "cuda:1")
    assert repr(gpu) == "device(type='cuda', index=1)"
    assert repr(mg.zeros(1).device) == "device(type='cpu')"
    with pytest.raises(ValueError, match=r"device\('tpu'\) .* Known ones: 'cpu', 'cuda', 'numpy'"):
        mg.zeros(2, device="tpu")


def test_to_takes_a_place_a_dtype_or_both(place: str) -> None:
    """x.to(device, dtype), x.to(device=…, dtype=…) and x.to(other) end in the same, recorded."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    other = mg.zeros(1, dtype=mg.float64, device="cpu")
    for y in (x.to("cpu", mg.float64), x.to(device="cpu", dtype=mg.float64), x.to(other)):
        assert (y.backend, y.dtype) == ("numpy", mg.float64)
        (g,) = mg.grad((y * y).sum(), x)
        assert g.backend == place
        near(g, np.array([2.0, 4.0]))


LAYERS: list[Any] = [
    lambda **how: nn.Linear(3, 2, **how),
    lambda **how: nn.Conv2d(1, 2, 3, **how),
    lambda **how: nn.BatchNorm1d(3, **how),
    lambda **how: nn.LayerNorm(3, **how),
    lambda **how: nn.Embedding(5, 3, **how),
    lambda **how: nn.LSTM(3, 4, **how),
    lambda **how: nn.MultiheadAttention(4, 2, **how),
    lambda **how: nn.TransformerEncoderLayer(4, 2, **how),
    lambda **how: nn.Bilinear(2, 3, 2, **how),
    lambda **how: nn.PReLU(3, **how),
]


@pytest.mark.parametrize("build", LAYERS)
def test_layers_are_built_where_and_as_asked(build: Any) -> None:
    """device and dtype in a layer's constructor decide of all its parameters and buffers."""
    layer = build(device="strict", dtype=mg.float64)
    assert {t.backend for t in layer.parameters()} == {"strict"}
    floats = [t for t in (*layer.parameters(), *layer.buffers()) if "float" in str(t.dtype)]
    assert all("float64" in str(t.dtype) for t in floats)
    assert build().half().to("cpu", mg.float64).type(mg.float32) is not None


def test_ones_own_module_may_take_a_device() -> None:
    """A constructor that names device itself is left alone; one that does not gains it."""

    class Own(nn.Module):
        def __init__(self, device: str) -> None:
            self.said = device

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

    assert Own(device="here").said == "here"
    assert Plain(dtype=mg.float64).layer.weight.dtype == mg.float64
    with pytest.raises(TypeError, match="unexpected keyword argument 'devise'"):
        nn.Linear(2, 2, devise="cpu")


# ── streams ──────────────────────────────────────────────────────────────────────────────────────

DRAWN: list[Any] = [
    lambda g: mg.rand(3, generator=g),
    lambda g: mg.randn(3, generator=g),
    lambda g: mg.randint(0, 100, (3,), generator=g),
    lambda g: mg.normal(0.0, 1.0, (3,), generator=g),
    lambda g: mg.randperm(9, generator=g),
    lambda g: mg.rand_like(mg.ones(3), generator=g),
    lambda g: mg.randn_like(mg.ones(3), generator=g),
    lambda g: mg.randint_like(mg.ones(3), 100, generator=g),
    lambda g: mg.bernoulli(mg.full((9,), 0.5), generator=g),
    lambda g: mg.multinomial(mg.ones(9), 4, generator=g),
    lambda g: mg.zeros(3).normal_(generator=g),
    lambda g: mg.zeros(3).uniform_(generator=g),
    lambda g: mg.zeros(9).bernoulli_(generator=g),
    lambda g: mg.zeros(3).exponential_(generator=g),
    lambda g: mg.zeros(3).random_(100, generator=g),
]


@pytest.mark.parametrize("draw", DRAWN)
def test_a_generator_is_a_stream_of_its_own(draw: Any) -> None:
    """The same seed gives the same numbers as manual_seed does, and leaves its stream alone."""
    mg.manual_seed(7)
    wanted = draw(None)
    after = mg.rand(2)
    stream = mg.Generator("cpu").manual_seed(7)
    mg.manual_seed(7)
    near(draw(stream), wanted, 0)
    draw(None)
    near(mg.rand(2), after, 0)
    assert stream.initial_seed() == 7
    assert mg.Generator().initial_seed() != mg.Generator().initial_seed()


def test_generators_shuffle_and_split() -> None:
    """A Generator is what DataLoader and random_split take, and the same seed shuffles the same."""
    numbers = mg.data.TensorDataset(mg.arange(9))

    def order() -> list[Any]:
        stream = mg.Generator().manual_seed(3)
        part, _ = mg.data.random_split(numbers, [6, 3], generator=stream)
        loader = mg.data.DataLoader(part, batch_size=6, shuffle=True, generator=stream)
        return next(iter(loader))[0].tolist()

    assert order() == order()
    assert sorted(order()) != order()


def test_the_gpus_seed_is_the_only_seed() -> None:
    """cuda.manual_seed and manual_seed_all seed what manual_seed does; waiting needs no GPU."""
    drawn = []
    for seed in (mg.manual_seed, mg.cuda.manual_seed, mg.cuda.manual_seed_all):
        seed(5)
        drawn.append(mg.rand(3).tolist())
    assert drawn[0] == drawn[1] == drawn[2]
    assert mg.cuda.current_device() == 0
    mg.cuda.synchronize()


def test_chances_are_kept(place: str) -> None:
    """Sure events happen, impossible ones do not, and classes without chance are not drawn."""
    near(mg.bernoulli(mg.tensor([0.0, 1.0])), np.array([0.0, 1.0]))
    drawn = mg.multinomial(mg.tensor([[0.0, 2.0, 0.0], [1.0, 0.0, 1.0]]), 50, replacement=True)
    assert (drawn.shape, drawn.backend) == ((2, 50), place)
    assert set(host(drawn)[0]) == {1}
    assert set(host(drawn)[1]) == {0, 2}
    assert sorted(host(mg.multinomial(mg.ones(4), 4))) == [0, 1, 2, 3]


# ── tensors ──────────────────────────────────────────────────────────────────────────────────────


def test_a_step_down_the_gradient_as_in_pytorch() -> None:
    """Under no_grad w.add_(w.grad, alpha=-lr) moves w in place, as do the other in-place words."""
    w = mg.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    memory = w.data
    with mg.no_grad():
        w.add_(w.grad, alpha=-0.25).sub_(w.grad, alpha=0.125)
        near(w, np.array([0.25, 0.5]))
        w.addcmul_(w, mg.ones(2), value=3.0).lerp_(mg.zeros(2), 0.5).pow_(2)
        near(w, np.array([0.25, 1.0]))
        w.scatter_add_(0, mg.tensor([1]), mg.tensor([1.0])).index_fill_(0, mg.tensor([0]), 5.0)
        near(w, np.array([5.0, 2.0]))
    assert w.data is memory
    with pytest.raises(RuntimeError, match=r"Write inside `with mg\.no_grad"):
        w.normal_()


def test_grad_fn_is_the_operation() -> None:
    """A result names what made it; a leaf, and what is cut off, has nothing to name."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    z, _, _ = mg.standardize(x, axis=(0,))
    assert x.grad_fn is None
    assert ((x * 2).grad_fn.name, z.grad_fn.name) == ("mul", "standardize")
    h = x * 2
    assert h.detach_() is h
    assert (h.is_leaf, h.requires_grad) == (True, False)


def test_dtypes_by_their_names() -> None:
    """byte and short convert; finfo, iinfo, Size and element_size say what NumPy and tuples do."""
    x = mg.tensor([1.0, 2.0])
    assert (x.byte().dtype, x.short().dtype) == (mg.uint8, mg.int16)
    assert (x.element_size(), x.double().nbytes) == (4, 16)
    assert mg.finfo(mg.float32).eps == np.finfo(np.float32).eps
    assert mg.Size([2]) == x.shape
    assert (mg.is_floating_point(x), mg.is_floating_point(x.long())) == (True, False)


# ── recording, and the path to derivatives ───────────────────────────────────────────────────────


def test_recording_is_switched_and_asked() -> None:
    """set_grad_enabled is a call, a block and a decorator; inference_mode records nothing."""
    x = mg.tensor(2.0, requires_grad=True)
    assert mg.is_grad_enabled()
    with mg.set_grad_enabled(False):
        assert not mg.is_grad_enabled()
        assert not (x * x).requires_grad
        with mg.set_grad_enabled(True):
            assert (x * x).requires_grad
    assert mg.is_grad_enabled()
    mg.set_grad_enabled(False)
    assert not mg.is_grad_enabled()
    mg.set_grad_enabled(True)
    with mg.inference_mode():
        assert not (x * x).requires_grad
    with mg.inference_mode(False):
        assert (x * x).requires_grad
    assert not mg.inference_mode()(lambda: x * x)().requires_grad
    assert mg.inference_mode(mode=False)(lambda: x * x)().requires_grad
    assert not mg.set_grad_enabled(False)(lambda: x * x)().requires_grad
    assert (x * x).requires_grad


def test_autograd_is_the_way_to_what_there_is() -> None:
    """autograd.grad takes retain_graph in PyTorch's place, backward several results."""
    x = mg.tensor(3.0, requires_grad=True)
    (g,) = mg.autograd.grad(x * x, [x], None, True, True)
    (second,) = mg.autograd.grad(g, x)
    assert (g.item(), second.item()) == (6.0, 2.0)
    mg.autograd.backward([x * x, x * 2], [mg.tensor(2.0), None])
    assert x.grad.item() == 14.0
    mg.autograd.backward(x * x)
    assert x.grad.item() == 20.0
    assert mg.autograd.functional.jacobian(lambda t: t * t, x).item() == 6.0
    value, product = mg.autograd.functional.vhp(lambda t: t**3, x, mg.tensor(2.0))
    assert (value.item(), product.item()) == (27.0, 36.0)


def test_what_is_elsewhere_is_pointed_to() -> None:
    """PyTorch's paths that are not here say where to look; other names are just missing."""
    with pytest.raises(AttributeError, match=r"has no 'utils'; .* in minigrad\.data"):
        _ = mg.utils.data.DataLoader
    with pytest.raises(AttributeError, match=r"has no 'nonsense'$"):
        _ = mg.nonsense


def test_nan_stays_nan(place: str) -> None:
    """Functions in pieces choose no piece for NaN, and keep it."""
    x = mg.tensor([np.nan, 1.0])
    for f in (F.hardshrink, F.softshrink, F.relu6, F.hardswish, F.prelu, F.celu, F.softsign):
        y = host(f(x, mg.ones(1)) if f is F.prelu else f(x))
        assert list(np.isnan(y)) == [True, False], f
    assert list(np.isnan(host(F.threshold(x, 0.5, 3.0)))) == [True, False]


# ── counting, and other words without a slope ────────────────────────────────────────────────────


@pytest.mark.torch
@pytest.mark.parametrize(
    "call",
    [
        lambda m, x, k: m.unique(k),
        lambda m, x, k: m.unique(k, return_inverse=True, return_counts=True),
        lambda m, x, k: m.bincount(k, minlength=9),
        lambda m, x, k: m.bincount(k, weights=m.arange(1.0, 7.0)),
        lambda m, x, k: m.count_nonzero(k),
        lambda m, x, k: m.isin(k, m.tensor([1, 4])),
        lambda m, x, k: m.searchsorted(m.tensor([1, 3, 5]), k),
        lambda m, x, k: m.bucketize(k, m.tensor([1, 3, 5]), right=True),
        lambda m, x, k: m.kthvalue(x, 2, 0, True),
        lambda m, x, k: m.median(x, 0),
        lambda m, x, k: m.aminmax(x),
        lambda m, x, k: m.var_mean(x, 0, unbiased=False),
        lambda m, x, k: m.std_mean(x, 1),
        lambda m, x, k: m.nansum(m.where(x > 0, x, m.nan)),
        lambda m, x, k: m.nan_to_num(x / 0, posinf=1.0),
        lambda m, x, k: m.tril_indices(3, 4, 1),
        lambda m, x, k: m.triu_indices(3, 4),
        lambda m, x, k: m.meshgrid(k, k[:2], indexing="ij"),
        lambda m, x, k: m.block_diag(x, x[0], x),
        lambda m, x, k: m.broadcast_tensors(x, x[:, :1], x[0]),
        lambda m, x, k: m.tensor_split(x, (1, 9), dim=1),
        lambda m, x, k: m.inner(x, x),
        lambda m, x, k: m.linalg.norm(x, dim=1),
        lambda m, x, k: m.linalg.vector_norm(x, 1),
        lambda m, x, k: m.linalg.matrix_norm(x),
        lambda m, x, k: m.linalg.multi_dot([x, x.T, x]),
        lambda m, x, k: m.linalg.slogdet(x[:, :2]),
        lambda m, x, k: m.nn.functional.one_hot(k),
        lambda m, x, k: m.nn.utils.rnn.pad_sequence([x[0], x[1, :2]], padding_value=-1.0),
        lambda m, x, k: m.nn.utils.rnn.pad_sequence([x, x[:1]], True, 2.0, "left"),
        lambda m, x, k: m.nn.Softmin(dim=1)(x),
        lambda m, x, k: m.nn.ConstantPad2d((1, 2, 0, 1), 3.0)(x[None, None]),
        lambda m, x, k: m.nn.ZeroPad1d(2)(x),
        lambda m, x, k: m.nn.ReflectionPad1d((2, 0))(x),
        lambda m, x, k: m.nn.ReflectionPad2d(1)(x[None]),
        lambda m, x, k: m.nn.ReplicationPad1d(4)(x),
        lambda m, x, k: m.nn.ReplicationPad2d((0, 1, 2, 3))(x[None]),
        lambda m, x, k: m.nn.CircularPad1d(3)(x),
        lambda m, x, k: m.nn.CircularPad2d((1, 2, 2, 1))(x[None]),
        lambda m, x, k: m.nn.Dropout2d().eval()(x[None, None]),
        lambda m, x, k: m.nn.Upsample(scale_factor=2, mode="bilinear")(x[None, None]),
        lambda m, x, k: m.nn.Unfold((2, 3))(x[None, None]),
        lambda m, x, k: m.nn.CosineSimilarity()(x, x + 1),
        lambda m, x, k: m.nn.PairwiseDistance(1.0, keepdim=True)(x, x + 1),
    ],
)
def test_the_same_numbers_as_pytorch(torch: ModuleType, call: Any) -> None:
    """Values, dtypes and how many answers there are."""
    x = np.random.default_rng(0).standard_normal((2, 3)).astype("float32")
    k = np.array([1, 5, 1, 0, 3, 5])
    with np.errstate(all="ignore"):
        found = call(mg, mg.tensor(x), mg.tensor(k))
    wanted = call(torch, torch.tensor(x), torch.tensor(k))
    if not isinstance(wanted, tuple | list):
        found, wanted = [found], [wanted]
    assert len(found) == len(wanted)
    for mine, theirs in zip(found, wanted, strict=True):
        assert str(mine.dtype) == str(theirs.dtype).removeprefix("torch.")
        near(mine, theirs, 1e-6)


LOSSES: list[tuple[str, dict[str, Any], str]] = [
    ("MarginRankingLoss", {"margin": 0.2}, "xyt"),
    ("HingeEmbeddingLoss", {"margin": 0.7, "reduction": "sum"}, "xt"),
    ("SoftMarginLoss", {}, "xt"),
    ("CosineEmbeddingLoss", {"margin": 0.1}, "xys"),
    ("TripletMarginLoss", {"p": 1.5, "margin": 0.5}, "xyz"),
    ("MultiMarginLoss", {}, "xc"),
    ("MultiMarginLoss", {"p": 2, "margin": 0.5, "weight": [0.5, 2.0, 1.0]}, "xc"),
    ("MultiLabelSoftMarginLoss", {"reduction": "none"}, "xb"),
    ("PoissonNLLLoss", {"full": True}, "xv"),
    ("GaussianNLLLoss", {"full": True, "reduction": "none"}, "xyv"),
    ("GaussianNLLLoss", {"eps": 1.0}, "xyv"),
]


@pytest.mark.torch
@pytest.mark.parametrize(("name", "options", "given"), LOSSES, ids=str)
def test_losses_equal_pytorch(
    torch: ModuleType, name: str, options: dict[str, Any], given: str
) -> None:
    """Each loss module gives PyTorch's loss and gradients, targets on both sides included."""
    random = np.random.default_rng(0)
    data = {key: random.standard_normal((4, 3)) for key in "xyz"}
    data["t"] = np.where(random.random((4, 3)) < 0.5, -1.0, 1.0)
    data["s"], data["c"] = np.array([1.0, -1.0, 1.0, -1.0]), np.array([0, 2, 1, 0])
    data["b"], data["v"] = (data["t"] + 1) / 2, np.abs(data["z"]) + 0.4
    found = []
    for m in (mg, torch):
        how = {k: m.tensor(np.array(v)) if k == "weight" else v for k, v in options.items()}
        xs = [m.tensor(data[key]) for key in given]
        floats = [x.requires_grad_() for x, key in zip(xs, given, strict=True) if key in "xyz"]
        loss = getattr(m.nn, name)(**how)(*xs)
        (loss * loss).sum().backward()
        found.append([loss, *(x.grad for x in floats)])
    for mine, theirs in zip(*found, strict=True):
        near(mine, theirs)


# ── modules that hold parameters ─────────────────────────────────────────────────────────────────


def test_parameters_in_lists_and_dicts() -> None:
    """They are found by parameters() and state_dict, grow, and can be replaced."""

    class Net(nn.Module):
        def __init__(self) -> None:
            self.scales = nn.ParameterList([mg.ones(2), nn.Parameter(mg.zeros(3))])
            self.named = nn.ParameterDict({"a": mg.ones(1)})

    net = Net()
    net.scales.append(mg.ones(4))
    net.scales[1] = mg.ones(5)
    net.named["b"] = mg.zeros(2)
    assert list(net.state_dict()) == ["scales.0", "scales.1", "scales.2", "named.a", "named.b"]
    assert [p.numel() for p in net.scales] == [2, 5, 4]
    assert [p.numel() for p in net.scales[1:]] == [5, 4]
    assert (len(net.scales), len(net.named), "a" in net.named) == (3, 2, True)
    assert all(isinstance(p, nn.Parameter) for p in net.parameters())
    del net.named["a"]
    assert list(net.named.keys()) == list(net.named) == ["b"]
    assert dict(net.named.items())["b"] is next(iter(net.named.values()))
    with pytest.raises(ValueError, match="a name of its own"):
        net.named["forward"] = mg.ones(1)


def test_gumbel_softmax_draws_classes_with_a_slope() -> None:
    """Hard samples are one-hot, drawn in the ratio of their chances, and differentiable."""
    mg.manual_seed(0)
    logits = mg.tensor(np.log([0.1, 0.6, 0.3]) * np.ones((4000, 1)), requires_grad=True)
    drawn = F.gumbel_softmax(logits, tau=0.5, hard=True)
    near(drawn.sum(-1), np.ones(4000))
    near(drawn.mean(0), np.array([0.1, 0.6, 0.3]), 0.03)
    (drawn * mg.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert bool((logits.grad != 0).any())
    near(F.gumbel_softmax(logits, dim=-1).sum(-1), np.ones(4000))


@pytest.mark.parametrize(("layer", "axes"), [(nn.Dropout1d(0.3), 1), (nn.Dropout2d(0.3), 2)])
def test_whole_channels_drop_out(place: str, layer: Any, axes: int) -> None:
    """A channel is kept, divided by 1 − p, or dropped as one, with and without samples."""
    mg.manual_seed(0)
    for shape in ((50, 8, 4, 3)[: axes + 2], (400, 4, 3)[: axes + 1]):
        y = host(layer(mg.ones(shape)))
        channels = y.reshape(-1, int(np.prod(shape[-axes:])))
        assert (channels == channels[:, :1]).all()
        assert set(np.round(channels[:, 0] * 0.7, 4)) == {0.0, 1.0}
        assert abs(channels.mean() - 1) < 0.15


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: mg.bernoulli(x * 9), "chances from 0 to 1"),
        (lambda x: mg.multinomial(-x, 1), "finite entries ≥ 0"),
        (lambda x: mg.multinomial(x, 9), "at least 9 of them above 0"),
        (lambda x: mg.normal(0.0, 1.0), "Pass size"),
        (lambda x: mg.meshgrid(x[0], indexing="ji"), "indexing='ji'; it is 'ij' or 'xy'"),
        (lambda x: mg.bincount(x), "vector of integers ≥ 0"),
        (lambda x: mg.kthvalue(x, 4), r"counts from 1 to the 3 entries along axis 1; got k=4"),
        (lambda x: mg.quantile(x, 50), "a share q from 0 to 1; got 50"),
        (lambda x: mg.cross(x[:, :2], x[:, :2]), "axes of 3"),
        (lambda x: mg.scatter(x, 0, mg.tensor([[0, 0, 0], [0, 1, 1]]), x), "two for one place"),
        (lambda x: mg.scatter_add(x, 0, mg.tensor([[0] * 4]), x), "no longer than the source"),
        (lambda x: mg.linalg.norm(x, 1), "vector_norm for the entries"),
        (lambda x: mg.linalg.matrix_norm(x, "nuc"), "ord='fro' only"),
        (lambda x: F.interpolate(x), "'bilinear' for"),
        (lambda x: F.interpolate(x[None]), "either size or scale_factor"),
        (lambda x: F.pixel_shuffle(x[None], 2), "channels divisible by 4"),
        (lambda x: F.pixel_unshuffle(x[None], 2), "sides divisible by 2"),
        (lambda x: F.glu(x), "needs an even size"),
        (lambda x: F.prelu(x, mg.ones(2)), r"needs inputs \(N, 2, …\)"),
        (lambda x: F.multi_margin_loss(x, mg.tensor([0])), "class numbers"),
        (lambda x: F.multi_margin_loss(x, mg.tensor([0, 1]), p=3), "p of 1 or 2"),
        (lambda x: F.gaussian_nll_loss(x, x, -x), "variances ≥ 0"),
        (lambda x: F.gaussian_nll_loss(x, x, x[:1]), "for each entry or sample"),
        (lambda x: F.soft_margin_loss(x, x[0]), "of one shape"),
        (lambda x: nn.ZeroPad2d((1, 2)), "one margin or 4"),
        (lambda x: F.pad(x, (3, 0), mode="reflect"), "has at most 2 to repeat"),
        (lambda x: F.pad(x, (0, 4), mode="circular"), "has at most 3 to repeat"),
        (lambda x: F.pad(x, (1,), mode="replicate"), "two margins an axis"),
        (lambda x: nn.Softmin(), r"Softmin\(dim=-1\)"),
        (lambda x: nn.utils.rnn.pad_sequence([x], padding_side="up"), "'left' or the 'right'"),
    ],
)
def test_bad_arguments_are_explained(call: Any, said: str) -> None:
    """What was asked, what was found, what to do."""
    with pytest.raises((ValueError, TypeError), match=said):
        call(mg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
