"""Attention and the transformer's encoder: PyTorch's numbers at every order, masks, messages."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import nn
from minigrad.nn import attention, transformer
from minigrad.nn.dot_product import scaled_dot_product_attention

L, S, N, E, HEADS = 3, 4, 2, 6, 2
INF = float("inf")

Results = list[Any]


def derivatives(m: Any, grad: Any, function: Callable[..., Any], variables: list[Any]) -> Results:
    """Results, their gradients, and the gradients of the gradients' square; 0 for no path."""
    answer = function(*variables)
    results = [y for y in (answer if isinstance(answer, tuple) else (answer,)) if y is not None]
    total = m.zeros((), dtype=m.float64)
    for y in results:
        weights = m.reshape(m.arange(1.0, y.numel() + 1, dtype=m.float64), y.shape)
        total = total + (m.sin(y) * weights).sum()
    gs = grad(total, variables, create_graph=True, allow_unused=True)
    square = m.zeros((), dtype=m.float64)
    for g in gs:
        square = square if g is None else square + (m.sin(g) * m.sin(g)).sum()
    second = grad(square, variables, allow_unused=True)
    zeros = [np.zeros(tuple(v.shape)) for v in variables] * 2
    return [*results, *[z if g is None else g for z, g in zip(zeros, [*gs, *second], strict=True)]]


def twins(torch: ModuleType, random: np.random.Generator, build: Any) -> tuple[Any, Any]:
    """The same float64 module of ours and of PyTorch's, with random numbers in it."""
    theirs, ours = build(torch.nn).double(), build(nn).double()
    for parameter in theirs.parameters():
        parameter.data = torch.tensor(random.standard_normal(tuple(parameter.shape)) * 0.4)
    assert set(ours.state_dict()) == set(theirs.state_dict())
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


def compare(
    torch: ModuleType,
    models: tuple[Any, Any],
    inputs: list[np.ndarray],
    call: Callable[..., Any],
) -> None:
    """Assert equal ``call(module, convert, *inputs)``, gradients and second gradients, to 1e-10."""
    ours, theirs = models
    names = [name for name, _ in theirs.named_parameters()]
    held = dict(ours.named_parameters())
    k = len(inputs)
    found = derivatives(
        mg,
        mg.grad,
        lambda *xs: call(ours, mg.tensor, *xs[:k]),
        [*[mg.tensor(x, requires_grad=True) for x in inputs], *[held[name] for name in names]],
    )
    with _math(torch):
        wanted = derivatives(
            torch,
            torch.autograd.grad,
            lambda *xs: call(theirs, torch.tensor, *xs[:k]),
            [*[torch.tensor(x, requires_grad=True) for x in inputs], *theirs.parameters()],
        )
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other)


def _math(torch: ModuleType) -> contextlib.AbstractContextManager[Any]:
    """PyTorch's attention in its plain form, the one with second derivatives."""
    from torch.nn.attention import SDPBackend, sdpa_kernel  # noqa: PLC0415 - where it is installed

    return sdpa_kernel(SDPBackend.MATH)


# ── scaled dot-product attention ─────────────────────────────────────────────────────────────────


def _bool_mask() -> np.ndarray:
    mask = np.array([[1, 0, 1, 1], [0, 0, 0, 0], [1, 1, 0, 0]], dtype=bool)
    assert not mask[1].any()
    return mask  # the second query may attend to nothing


def _float_mask() -> np.ndarray:
    return np.array([[0.5, -INF, 1, 0], [-INF] * 4, [0, 0, -2, -INF]])


SDPA: dict[str, dict[str, Any]] = {
    "plain": {},
    "allowed": {"attn_mask": _bool_mask()},
    "allowed per sample": {"attn_mask": np.arange(8).reshape(2, 1, 1, 4) % 3 > 0},
    "added": {"attn_mask": _float_mask()},
    "causal": {"is_causal": True},
    "scale": {"scale": 0.3},
}


@pytest.mark.torch
@pytest.mark.parametrize("case", SDPA)
def test_scaled_dot_product_attention_equals_pytorch(
    torch: ModuleType, random: np.random.Generator, case: str
) -> None:
    """Values and derivatives are PyTorch's; a query that may attend to nothing gets zeros."""
    inputs = [random.standard_normal(shape) for shape in ((2, 2, L, 5), (2, 2, S, 5), (2, 2, S, 3))]
    functions = scaled_dot_product_attention, torch.nn.functional.scaled_dot_product_attention
    results = []
    for m, grad, function in zip(
        (mg, torch), (mg.grad, torch.autograd.grad), functions, strict=True
    ):
        settings = {
            key: m.tensor(value) if isinstance(value, np.ndarray) else value
            for key, value in SDPA[case].items()
        }
        leaves = [m.tensor(x, requires_grad=True) for x in inputs]
        with _math(torch):
            results.append(
                derivatives(m, grad, lambda *x, f=function, s=settings: f(*x, **s), leaves)
            )
    for mine, other in zip(*results, strict=True):
        near(mine, other)


@pytest.mark.parametrize("case", SDPA)
def test_attention_rules_equal_differences(
    place: str, random: np.random.Generator, case: str
) -> None:
    """First and second derivatives equal differences, on every backend."""
    shapes = ((2, 1, L, 2), (2, 1, S, 2), (2, 1, S, 2))
    qkv = tuple(mg.tensor(random.standard_normal(s), requires_grad=True) for s in shapes)
    settings = {
        key: mg.tensor(value) if isinstance(value, np.ndarray) else value
        for key, value in SDPA[case].items()
    }
    verdict = mg.gradcheck(lambda *x: scaled_dot_product_attention(*x, **settings), qkv, order=2)
    assert verdict, verdict


def test_an_added_mask_learns(random: np.random.Generator) -> None:
    """A float mask is an input like others: its gradient is that of the scores."""
    q, k = (
        mg.tensor(random.standard_normal((2, L, 2))),
        mg.tensor(random.standard_normal((2, S, 2))),
    )
    bias = mg.tensor(random.standard_normal((L, S)), requires_grad=True)
    verdict = mg.gradcheck(
        lambda b: scaled_dot_product_attention(q, k, k, attn_mask=b), (bias,), order=2
    )
    assert verdict, verdict


def test_attention_dropout(random: np.random.Generator) -> None:
    """dropout_p drops weights and scales up the others, so that the mean stays."""
    q = mg.zeros(1, 1, 2)
    v = mg.ones(1, 4000, 1)
    k = mg.zeros(1, 4000, 2)
    y = scaled_dot_product_attention(q, k, v, dropout_p=0.25).item()
    assert y != 1.0
    assert y == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(
    ("shapes", "settings", "message"),
    [
        (((L, 2), (S, 3), (S, 2)), {}, r"one number of features, and key and value of one length"),
        (((L, 2), (S, 2), (L, 2)), {}, r"got query \(3, 2\), key \(4, 2\) and value \(3, 2\)"),
        (((2,), (S, 2), (S, 2)), {}, r"needs \(…, positions, features\); got query \(2,\)"),
        (
            ((L, 2), (S, 2), (S, 2)),
            {"attn_mask": np.ones((S, L), dtype=bool)},
            r"attn_mask that broadcasts to \(…, 3, 4\); got \(4, 3\)",
        ),
        (
            ((L, 2), (S, 2), (S, 2)),
            {"attn_mask": np.ones((L, S), dtype=bool), "is_causal": True},
            r"takes attn_mask or is_causal=True; got both",
        ),
    ],
)
def test_wrong_attention(shapes: Any, settings: dict[str, Any], message: str) -> None:
    """Shapes that do not fit, and two masks at once, are refused."""
    with pytest.raises(ValueError, match=message):
        scaled_dot_product_attention(*[mg.zeros(shape) for shape in shapes], **settings)


# ── multi-head attention ─────────────────────────────────────────────────────────────────────────

BUILDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch first": {"batch_first": True},
    "no bias": {"bias": False},
    "learned and zero keys": {"add_bias_kv": True, "add_zero_attn": True},
    "kdim and vdim": {"kdim": 5, "vdim": 4},
    "kdim, no bias": {"kdim": 5, "bias": False, "batch_first": True},
}


def sequences(
    random: np.random.Generator, settings: dict[str, Any], kind: str, batched: bool
) -> list[np.ndarray]:
    """A query alone (self-attention), with a key that is also the value, or with both."""

    def shape(length: int, features: int) -> tuple[int, ...]:
        if not batched:
            return (length, features)
        return (N, length, features) if settings.get("batch_first") else (length, N, features)

    key, value = settings.get("kdim", E), settings.get("vdim", E)
    shapes = [shape(L, E), shape(S, key), shape(S, value)]
    return [random.standard_normal(s) for s in shapes[: {"self": 1, "memory": 2, "three": 3}[kind]]]


def spread(*xs: Any) -> tuple[Any, ...]:
    """One, two or three sequences as query, key and value."""
    return {1: lambda x: (x, x, x), 2: lambda x, y: (x, y, y), 3: lambda *xs: xs}[len(xs)](*xs)


@pytest.mark.torch
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@pytest.mark.parametrize("kind", ["self", "memory", "three"])
@pytest.mark.parametrize("build", BUILDS)
def test_multihead_attention_equals_pytorch(
    torch: ModuleType, random: np.random.Generator, build: str, kind: str, batched: bool
) -> None:
    """Outputs, mean weights, all gradients and second gradients equal PyTorch's to 1e-10."""
    settings = BUILDS[build]
    if "vdim" in settings and kind != "three":
        pytest.skip("key and value differ")
    if "kdim" in settings and kind == "self":
        pytest.skip("query and key differ")
    settings = {"vdim": 5, **settings} if "kdim" in settings else settings
    models = twins(torch, random, lambda nn: _attention(nn)(E, HEADS, **settings))
    inputs = sequences(random, settings, kind, batched)
    compare(torch, models, inputs, lambda model, _, *xs: model(*spread(*xs)))


def _attention(nn: Any) -> Any:
    return attention.MultiheadAttention if nn.__name__ == "minigrad.nn" else nn.MultiheadAttention


def _masks(kind: str, batched: bool) -> dict[str, np.ndarray]:
    """Masks in PyTorch's sense: True forbids."""
    n = N if batched else 1
    forbidden = np.array([[0, 1, 0, 1], [0, 0, 0, 1], [1, 0, 0, 0]], dtype=bool)
    padding = np.array([[0, 0, 1, 0], [0, 0, 0, 1]], dtype=bool)
    padding = padding if batched else padding[0]
    added = np.linspace(-1, 1, L * S).reshape(L, S)
    per_head = np.stack([np.roll(forbidden, i, axis=1) for i in range(n * HEADS)])
    low = np.where(padding, -INF, 0.1)
    return {
        "forbidden": {"attn_mask": forbidden},
        "added": {"attn_mask": added},
        "per head": {"attn_mask": per_head},
        "padding": {"key_padding_mask": padding},
        "both": {"attn_mask": forbidden, "key_padding_mask": padding},
        "both added": {"attn_mask": added, "key_padding_mask": low},
        "per head and padding": {"attn_mask": per_head[:, ::-1], "key_padding_mask": padding},
    }[kind]


@pytest.mark.torch
@pytest.mark.parametrize("average", [True, False], ids=["mean weights", "weights per head"])
@pytest.mark.parametrize("build", ["plain", "learned and zero keys"])
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@pytest.mark.parametrize(
    "kind",
    ["forbidden", "added", "per head", "padding", "both", "both added", "per head and padding"],
)
def test_masks_equal_pytorch(
    torch: ModuleType,
    random: np.random.Generator,
    kind: str,
    batched: bool,
    build: str,
    average: bool,
) -> None:
    """Boolean and added masks, over queries, heads and padding, act as PyTorch's."""
    models = twins(torch, random, lambda nn: _attention(nn)(E, HEADS, **BUILDS[build]))
    inputs = sequences(random, {}, "memory", batched)
    given = {key: np.ascontiguousarray(value) for key, value in _masks(kind, batched).items()}

    def call(model: Any, convert: Any, *xs: Any) -> Any:
        masks = {key: convert(value) for key, value in given.items()}
        return model(*spread(*xs), **masks, average_attn_weights=average)

    compare(torch, models, inputs, call)


@pytest.mark.torch
def test_a_boolean_and_an_added_mask_together(
    torch: ModuleType, random: np.random.Generator
) -> None:
    """A mask of each kind joins as if both were added (PyTorch says so, with a warning)."""
    ours, theirs = twins(torch, random, lambda nn: _attention(nn)(E, HEADS))
    inputs = sequences(random, {}, "memory", True)
    padding, added = _masks("padding", True)["key_padding_mask"], _masks("added", True)["attn_mask"]
    low = np.where(padding, -INF, 0.0)
    found, _ = ours(
        *spread(*map(mg.tensor, inputs)),
        key_padding_mask=mg.tensor(padding),
        attn_mask=mg.tensor(added),
    )
    wanted, _ = theirs(
        *spread(*map(torch.tensor, inputs)),
        key_padding_mask=torch.tensor(low),
        attn_mask=torch.tensor(added),
    )
    near(found, wanted)


@pytest.mark.parametrize("build", BUILDS)
def test_multihead_attention_rules_equal_differences(
    place: str, random: np.random.Generator, build: str
) -> None:
    """First and second derivatives by all inputs equal differences, on every backend."""
    settings = BUILDS[build]
    settings = {"vdim": 5, **settings} if "kdim" in settings else settings
    layer = attention.MultiheadAttention(E, HEADS, **settings).double()
    inputs = [x[:2] for x in sequences(random, settings, "three", False)]
    xs = tuple(mg.tensor(x, requires_grad=True) for x in inputs)
    mask = mg.tensor(np.array([[False, True], [False, False]]))
    verdict = mg.gradcheck(lambda *xs: layer(*xs, attn_mask=mask)[0], xs, order=2)
    assert verdict, verdict
    assert layer(*xs)[0].backend == place


def test_self_attention_is_attention_to_three_equal_inputs(random: np.random.Generator) -> None:
    """The one product for query, key and value gives what three products give."""
    layer = attention.MultiheadAttention(E, HEADS).double()
    x = mg.tensor(random.standard_normal((L, N, E)))
    near(layer(x, x, x)[0], layer(x, x.clone(), x.clone())[0])


def test_a_query_without_keys_gets_no_nan(random: np.random.Generator) -> None:
    """Where all keys are padding the weights are 0 and the output is the bias alone."""
    layer = attention.MultiheadAttention(E, HEADS, batch_first=True)
    x = mg.tensor(random.standard_normal((N, L, E)), requires_grad=True)
    padding = mg.tensor([[True] * L, [False] * L])
    y, weights = layer(x, x, x, key_padding_mask=padding)
    near(weights[0], np.zeros((L, L)))
    near(y[0], np.broadcast_to(host(layer.out_proj.bias), (L, E)))
    (g,) = mg.grad(y.sum(), x)
    near(g[0], np.zeros((L, E)))


def test_weights_only_where_wanted() -> None:
    """need_weights=False answers None in their place, and the same output."""
    layer = attention.MultiheadAttention(E, HEADS)
    x = mg.ones(L, N, E)
    y, weights = layer(x, x, x, need_weights=False)
    assert weights is None
    near(y, layer(x, x, x)[0])
    assert layer(x, x, x)[1].shape == (N, L, L)
    assert layer(x, x, x, average_attn_weights=False)[1].shape == (N, HEADS, L, L)


def test_attention_starts_as_in_pytorch(random: np.random.Generator) -> None:
    """Projections start Xavier-uniform, biases at zero, and the output's weight as a Linear's."""
    layer = attention.MultiheadAttention(60, 2)
    assert layer.in_proj_weight is not None
    assert np.abs(host(layer.in_proj_weight)).max() == pytest.approx((6 / 240) ** 0.5, rel=0.01)
    assert np.abs(host(layer.out_proj.weight)).max() == pytest.approx(60**-0.5, rel=0.01)
    assert not host(layer.in_proj_bias).any()
    assert not host(layer.out_proj.bias).any()


def test_dropout_of_attention_weights() -> None:
    """Weights are dropped in training, not in evaluation."""
    mg.manual_seed(0)
    layer = attention.MultiheadAttention(E, HEADS, dropout=0.5)
    x = mg.ones(8, N, E)
    assert (host(layer(x, x, x)[1]) != 1 / 8).any()
    layer.eval()
    near(layer(x, x, x)[1], np.full((N, 8, 8), 1 / 8), 1e-6)


class Wrapper(nn.Module):
    """A network with an attention layer, whose path errors should name."""

    def __init__(self, **settings: Any) -> None:
        self.attend = attention.MultiheadAttention(E, HEADS, **settings)

    def forward(self, *xs: Any, **masks: Any) -> Any:
        """The layer's answer."""
        return self.attend(*xs, **masks)


@pytest.mark.parametrize(
    ("shapes", "masks", "message"),
    [
        (
            ((L, N, 5),) * 3,
            {},
            r"MultiheadAttention 'attend' needs a query of shape \(positions, N, 6\) or, without a "
            r"batch, \(positions, 6\); got \(3, 2, 5\) .* Set embed_dim to its last axis",
        ),
        (((L, N, E), (S, N, 5), (S, N, E)), {}, r"needs a key of shape .* Set kdim"),
        (((L, N, E), (S, N, E), (S, N, 5)), {}, r"needs a value of shape .* Set vdim"),
        (((L, N, E), (S, E), (S, E)), {}, r"got \(4, 6\) beside a query of \(3, 2, 6\)"),
        (((1, L, N, E),) * 3, {}, r"needs a query of shape"),
        (((L, N, E), (S, 3, E), (S, 3, E)), {}, r"needs one batch throughout"),
        (((L, N, E), (S, N, E), (L, N, E)), {}, r"as many keys as values"),
        (
            ((L, N, E), (S, N, E), (S, N, E)),
            {"attn_mask": np.zeros((S, L), dtype=bool)},
            r"attn_mask of shape \(3, 4\), or \(4, 3, 4\) for each head; got \(4, 3\)",
        ),
        (
            ((L, N, E), (S, N, E), (S, N, E)),
            {"key_padding_mask": np.zeros((S, N), dtype=bool)},
            r"key_padding_mask of shape \(2, 4\), one entry per key; got \(4, 2\)",
        ),
        (
            ((L, E), (S, E), (S, E)),
            {"key_padding_mask": np.zeros((1, S), dtype=bool)},
            r"key_padding_mask of shape \(4,\)",
        ),
        (((L, N, E),) * 3, {"is_causal": True}, r"hint about attn_mask; got no mask. Pass the"),
    ],
)
def test_wrong_inputs(shapes: Any, masks: dict[str, Any], message: str) -> None:
    """Inputs and masks of the wrong shape are refused with the module's path."""
    with pytest.raises(ValueError, match=message):
        Wrapper()(*[mg.zeros(shape) for shape in shapes], **masks)


def test_heads_must_divide() -> None:
    """embed_dim is cut into num_heads equal parts."""
    with pytest.raises(ValueError, match=r"embed_dim=6 and num_heads=4. Use embed_dim=4, or"):
        attention.MultiheadAttention(6, 4)
    with pytest.raises(ValueError, match=r"got embed_dim=6 and num_heads=0"):
        attention.MultiheadAttention(6, 0)


# ── the encoder ──────────────────────────────────────────────────────────────────────────────────

LAYERS: dict[str, dict[str, Any]] = {
    "post-LN": {},
    "pre-LN": {"norm_first": True},
    "batch first": {"batch_first": True},
    "gelu": {"activation": "gelu", "norm_first": True},
    "no bias": {"bias": False, "layer_norm_eps": 0.1},
}


def _layer(nn: Any, **settings: Any) -> Any:
    owner = transformer if nn.__name__ == "minigrad.nn" else nn
    return owner.TransformerEncoderLayer(E, HEADS, dim_feedforward=5, dropout=0.0, **settings)


@pytest.mark.torch
@pytest.mark.parametrize("masked", [False, True], ids=["open", "masked"])
@pytest.mark.parametrize("case", LAYERS)
def test_encoder_layers_equal_pytorch(
    torch: ModuleType, random: np.random.Generator, case: str, masked: bool
) -> None:
    """Post- and pre-LN blocks have PyTorch's outputs, gradients and second gradients."""
    models = twins(torch, random, lambda nn: _layer(nn, **LAYERS[case]))
    shape = (N, L, E) if "batch_first" in LAYERS[case] else (L, N, E)
    masks = {
        "src_mask": np.triu(np.ones((L, L), dtype=bool), 1),
        "src_key_padding_mask": np.array([[False, False, True], [False] * 3]),
    }
    compare(
        torch,
        models,
        [random.standard_normal(shape)],
        lambda model, convert, x: model(
            x, **{k: convert(v) for k, v in masks.items()} if masked else {}
        ),
    )


@pytest.mark.torch
@pytest.mark.parametrize("norm", [False, True], ids=["without norm", "with norm"])
def test_encoders_equal_pytorch(torch: ModuleType, random: np.random.Generator, norm: bool) -> None:
    """A stack of layers has PyTorch's names, outputs, gradients and second gradients."""

    def build(nn: Any) -> Any:
        owner = transformer if nn.__name__ == "minigrad.nn" else nn
        layer = _layer(nn, batch_first=True, norm_first=True)
        last = nn.LayerNorm(E) if norm else None
        return owner.TransformerEncoder(layer, 2, norm=last, enable_nested_tensor=False)

    mask = np.triu(np.ones((L, L), dtype=bool), 1)
    compare(
        torch,
        twins(torch, random, build),
        [random.standard_normal((N, L, E))],
        lambda model, convert, x: model(x, mask=convert(mask), is_causal=True),
    )


def test_encoder_layers_run_everywhere(place: str, random: np.random.Generator) -> None:
    """First and second derivatives of pre- and post-LN blocks equal differences."""
    for norm_first in (False, True):
        layer = transformer.TransformerEncoderLayer(
            4, 2, dim_feedforward=3, dropout=0.0, norm_first=norm_first, activation=mg.tanh
        ).double()
        x = mg.tensor(random.standard_normal((2, 4)), requires_grad=True)
        verdict = mg.gradcheck(layer, (x,), order=2)
        assert verdict, verdict


def test_encoder_layers_are_independent_copies(random: np.random.Generator) -> None:
    """Layers start with equal numbers in parameters of their own; the pattern is not among them."""
    pattern = _layer(nn)
    encoder = transformer.TransformerEncoder(pattern, 3)
    parameters = list(encoder.parameters())
    assert len(parameters) == 3 * len(list(pattern.parameters()))
    assert not {id(p) for p in parameters} & {id(p) for p in pattern.parameters()}
    near(encoder.state_dict()["layers.2.linear1.weight"], pattern.linear1.weight)
    encoder(mg.ones(L, N, E)).sum().backward()
    assert pattern.linear1.weight.grad is None


def test_encoder_dropout() -> None:
    """Dropout acts in training and not in evaluation."""
    mg.manual_seed(0)
    layer = transformer.TransformerEncoderLayer(E, HEADS, 8, dropout=0.5)
    x = mg.ones(L, N, E)
    assert (host(layer(x)) != host(layer(x))).any()
    layer.eval()
    near(layer(x), layer(x))


def test_float32_stays_float32(place: str) -> None:
    """Outputs and gradients of float32 inputs are float32, with masks too."""
    layer = _layer(nn)
    x = mg.ones(L, N, E, requires_grad=True)
    mask = mg.tensor(np.triu(np.ones((L, L), dtype=bool), 1))
    added = mg.tensor(np.triu(np.full((L, L), -np.inf), 1).astype("float32"))
    for given in (None, mask, added):
        y = layer(x, src_mask=given)
        gs = mg.grad(y.sum(), [x, *layer.parameters()])
        assert all("float32" in str(t.dtype) for t in (y, *gs))


def test_unknown_activation() -> None:
    """An activation that is not known by name is refused."""
    with pytest.raises(ValueError, match=r"'relu' and 'gelu'; got 'silu'. Use one of them, or"):
        transformer.TransformerEncoderLayer(E, HEADS, activation="silu")


def test_encoder_layers_name_their_parts_in_errors() -> None:
    """A wrong input inside a stack is reported with its path."""
    encoder = transformer.TransformerEncoder(_layer(nn), 2)
    with pytest.raises(ValueError, match=r"MultiheadAttention 'layers.0.self_attn' needs a query"):
        encoder(mg.ones(L, N, 5))
