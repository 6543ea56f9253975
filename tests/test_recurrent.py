"""Recurrent layers and cells: PyTorch's numbers at every order, and messages that help."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import engine, nn
from minigrad.nn import recurrent
from minigrad.ops.recurrent import lstm_cell, lstm_cell_composite

T, N, IN, H = 4, 2, 3, 4

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "RNN": ("RNN", {}),
    "RNN relu": ("RNN", {"nonlinearity": "relu"}),
    "LSTM": ("LSTM", {}),
    "LSTM projected": ("LSTM", {"proj_size": 2}),
    "GRU": ("GRU", {}),
}
LAYOUTS: dict[str, dict[str, Any]] = {
    "one layer": {},
    "no bias": {"bias": False},
    "batch first": {"batch_first": True},
    "two layers": {"num_layers": 2},
    "both ways": {"bidirectional": True},
    "all": {"num_layers": 2, "bidirectional": True, "batch_first": True},
}
CELLS: dict[str, tuple[str, dict[str, Any]]] = {
    "RNNCell": ("RNNCell", {}),
    "RNNCell relu": ("RNNCell", {"nonlinearity": "relu"}),
    "LSTMCell": ("LSTMCell", {}),
    "LSTMCell no bias": ("LSTMCell", {"bias": False}),
    "GRUCell": ("GRUCell", {}),
    "GRUCell no bias": ("GRUCell", {"bias": False}),
}

kinds = pytest.mark.parametrize("kind", KINDS)
layouts = pytest.mark.parametrize("layout", LAYOUTS)
cells = pytest.mark.parametrize("cell", CELLS)


def flat(results: Any) -> list[Any]:
    """Nested tuples of tensors as a list."""
    return [x for part in results for x in flat(part)] if isinstance(results, tuple) else [results]


def derivatives(m: Any, grad: Any, function: Callable[..., Any], variables: list[Any]) -> list[Any]:
    """Results, their gradients, and the gradients of the gradients' square."""
    results = flat(function())
    total = m.zeros((), dtype=m.float64)
    for k, y in enumerate(results):
        weights = m.reshape(m.arange(1.0, y.numel() + 1, dtype=m.float64), y.shape)
        total = total + (m.sin(y + k) * weights).sum()
    gs = grad(total, variables, create_graph=True)
    square = m.zeros((), dtype=m.float64)
    for g in gs:
        square = square + (g * g).sum()
    return [*results, *gs, *grad(square, variables)]


def run(
    m: Any,
    grad: Any,
    model: Any,
    x: np.ndarray,
    states: list[np.ndarray],
    order: list[str] | None = None,
) -> list[Any]:
    """`derivatives` of a recurrent model by its input, its initial states and its parameters."""
    leaf = [m.tensor(a, requires_grad=True) for a in (x, *states)]
    hx = tuple(leaf[1:]) if len(states) == 2 else leaf[1] if states else None
    held = dict(model.named_parameters())
    variables = [*leaf, *[held[name] for name in order or held]]
    return derivatives(m, grad, lambda: model(leaf[0], hx), variables)


def twins(torch: ModuleType, name: str, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
    """The same float64 module of ours and of PyTorch's."""
    theirs = getattr(torch.nn, name)(*args, **kwargs).double()
    ours = getattr(recurrent, name)(*args, **kwargs).double()
    ours.load_state_dict({key: value.numpy() for key, value in theirs.state_dict().items()})
    return ours, theirs


@pytest.mark.torch
@pytest.mark.parametrize("given", [False, True], ids=["from zeros", "from a state"])
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@layouts
@kinds
def test_layers_equal_pytorch(
    torch: ModuleType,
    random: np.random.Generator,
    kind: str,
    layout: str,
    batched: bool,
    given: bool,
) -> None:
    """Outputs, last states, all gradients and second gradients equal PyTorch's to 1e-10."""
    name, settings = KINDS[kind]
    settings = {**settings, **LAYOUTS[layout]}
    ours, theirs = twins(torch, name, IN, H, **settings)
    n = T if batched and settings.get("batch_first") else N
    x = random.standard_normal((T, N, IN) if batched else (T, IN))
    rows = settings.get("num_layers", 1) * (2 if settings.get("bidirectional") else 1)
    sizes = [settings.get("proj_size", H), H][: 2 if name == "LSTM" else 1]
    shapes = [(rows, n, size) if batched else (rows, size) for size in sizes]
    states = [random.standard_normal(shape) for shape in shapes] if given else []
    found = run(mg, mg.grad, ours, x, states)
    wanted = run(torch, torch.autograd.grad, theirs, x, states)
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other)


@pytest.mark.torch
@pytest.mark.parametrize("given", [False, True], ids=["from zeros", "from a state"])
@pytest.mark.parametrize("batched", [True, False], ids=["batched", "unbatched"])
@cells
def test_cells_equal_pytorch(
    torch: ModuleType, random: np.random.Generator, cell: str, batched: bool, given: bool
) -> None:
    """A cell's next state, its gradients and second gradients equal PyTorch's to 1e-10."""
    name, settings = CELLS[cell]
    ours, theirs = twins(torch, name, IN, H, **settings)
    leading = (N,) if batched else ()
    x = random.standard_normal((*leading, IN))
    count = (2 if name == "LSTMCell" else 1) if given else 0
    # Without a state PyTorch leaves weight_hh out of the graph: then compare what is in both.
    states = [random.standard_normal((*leading, H)) for _ in range(count)]
    found = run(mg, mg.grad, ours, x, states)
    wanted = run(torch, torch.autograd.grad, theirs, x, states)
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other)


@pytest.mark.torch
@kinds
def test_state_dicts_go_both_ways(torch: ModuleType, kind: str) -> None:
    """Names, their order and shapes are PyTorch's; numbers written here load there."""
    name, settings = KINDS[kind]
    settings = {**settings, "num_layers": 2, "bidirectional": True}
    ours = getattr(recurrent, name)(IN, H, **settings).double()
    theirs = getattr(torch.nn, name)(IN, H, **settings).double()
    assert list(ours.state_dict()) == list(theirs.state_dict())
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    x = np.ones((T, N, IN))
    near(ours(mg.tensor(x))[0], theirs(torch.tensor(x))[0])


@pytest.mark.parametrize("name", ["RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell"])
def test_weights_start_uniform(random: np.random.Generator, name: str) -> None:
    """Every parameter starts uniform in ±1/√hidden, biases too."""
    layer = getattr(recurrent, name)(30, 25)
    for parameter in layer.parameters():
        numbers = host(parameter)
        assert np.abs(numbers).max() <= 0.2
        assert np.abs(numbers).max() > 0.18
        assert numbers.std() == pytest.approx(0.2 / np.sqrt(3), rel=0.15)


@layouts
@kinds
def test_rules_equal_differences(
    place: str, random: np.random.Generator, kind: str, layout: str
) -> None:
    """First and second derivatives by input and weights equal differences, on every backend."""
    if layout == "all" and place != "numpy":
        pytest.skip("each part of it runs there alone")
    name, settings = KINDS[kind]
    layer = getattr(recurrent, name)(2, 3, **settings, **LAYOUTS[layout]).double()
    x = mg.tensor(random.standard_normal((2, 2, 2)), requires_grad=True)
    w = layer.weight_hh_l0
    assert layer(x)[0].backend == place

    def function(x: mg.Tensor, v: mg.Tensor) -> mg.Tensor:
        layer.weight_hh_l0 = v
        return sum((mg.sin(y).sum() for y in flat(layer(x))), start=mg.zeros(()))

    w = mg.tensor(w.data, requires_grad=True)
    verdict = mg.gradcheck(function, (x, w), order=2)
    assert verdict, verdict


@cells
def test_cells_run_everywhere(place: str, random: np.random.Generator, cell: str) -> None:
    """A cell's first and second derivatives equal differences, on every backend."""
    name, settings = CELLS[cell]
    layer = getattr(recurrent, name)(2, 2, **settings).double()
    x = mg.tensor(random.standard_normal((2, 2)), requires_grad=True)
    h = mg.tensor(random.standard_normal((2, 2)), requires_grad=True)
    hx: Any = (lambda h: (h, h * 2)) if name == "LSTMCell" else lambda h: h
    verdict = mg.gradcheck(
        lambda x, h: sum((y.sum() for y in flat(layer(x, hx(h)))), start=mg.zeros(())),
        (x, h),
        order=2,
    )
    assert verdict, verdict


@pytest.mark.parametrize("pair", [("RNN", "RNNCell"), ("LSTM", "LSTMCell"), ("GRU", "GRUCell")])
def test_a_layer_is_its_cell_in_a_loop(random: np.random.Generator, pair: tuple[str, str]) -> None:
    """A layer's outputs are those of the cell with its weights, step by step."""
    layer, cell = getattr(recurrent, pair[0])(IN, H), getattr(recurrent, pair[1])(IN, H)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = mg.tensor(random.standard_normal((T, N, IN)).astype("float32"))
    outputs, state = [], None
    for step in x:
        state = cell(step, state)
        outputs.append(state[0] if isinstance(state, tuple) else state)
    near(layer(x)[0], mg.stack(outputs), 1e-6)


def test_reading_on_from_a_state(random: np.random.Generator) -> None:
    """A sequence read in two parts, the state handed on, gives what it gives in one."""
    layer = recurrent.LSTM(IN, H, num_layers=2)
    x = mg.tensor(random.standard_normal((6, N, IN)).astype("float32"))
    whole, (h, c) = layer(x)
    first, state = layer(x[:2])
    second, (h2, c2) = layer(x[2:], state)
    near(whole, mg.cat([first, second]), 1e-6)
    near(h, h2, 1e-6)
    near(c, c2, 1e-6)


@kinds
def test_float32_stays_float32(place: str, kind: str) -> None:
    """Outputs, states and gradients of float32 inputs are float32."""
    name, settings = KINDS[kind]
    layer = getattr(recurrent, name)(IN, H, num_layers=2, **settings)
    x = mg.ones(T, N, IN, requires_grad=True)
    results = flat(layer(x))
    gs = mg.grad(results[0].sum(), [x, *layer.parameters()])
    assert all("float32" in str(t.dtype) for t in (*results, *gs))


def test_dropout_between_layers(random: np.random.Generator) -> None:
    """Dropout acts in training, between layers only, and not in evaluation."""
    layer = recurrent.GRU(IN, H, num_layers=2, dropout=0.5)
    x = mg.ones(T, N, IN)
    assert np.any(host(layer(x)[0]) != host(layer(x)[0]))
    layer.eval()
    near(layer(x)[0], layer(x)[0])
    gone = recurrent.GRU(IN, H, num_layers=2, dropout=1.0)
    y, h = gone(x)
    first, _ = gone(2 * x)
    near(y, first)  # nothing of the input reaches the second layer
    assert np.any(host(h)[0] != host(gone(2 * x)[1])[0])


def test_dropout_of_one_layer_warns() -> None:
    """With a single layer there is no between: a warning says so."""
    with pytest.warns(UserWarning, match=r"LSTM drops out between its layers; with num_layers=1"):
        recurrent.LSTM(IN, H, dropout=0.5)


# ── the operations underneath ────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("leading", [(), (2,), (2, 2)])
def test_lstm_cell_equals_its_composite(
    random: np.random.Generator, leading: tuple[int, ...]
) -> None:
    """The fused cell and the one built from primitives agree at every order, for (…, 4H)."""
    shapes = (*leading, 12), (*leading, 3)
    leaf = [mg.tensor(random.standard_normal(s), requires_grad=True) for s in shapes]

    def both(cell: Callable[..., Any]) -> list[Any]:
        return derivatives(mg, mg.grad, lambda: cell(*leaf), leaf)

    for found, wanted in zip(both(lstm_cell), both(lstm_cell_composite), strict=True):
        near(found, wanted)


@pytest.mark.parametrize("used", [0, 1], ids=["h", "c"])
def test_lstm_cell_with_one_result_used(random: np.random.Generator, used: int) -> None:
    """A result that nothing uses adds nothing, at first and second order."""
    leaf = [mg.tensor(random.standard_normal(s), requires_grad=True) for s in ((2, 12), (2, 3))]

    def both(cell: Callable[..., Any]) -> list[Any]:
        return derivatives(mg, mg.grad, lambda: cell(*leaf)[used], leaf)

    for found, wanted in zip(both(lstm_cell), both(lstm_cell_composite), strict=True):
        near(found, wanted)


def test_lstm_cell_of_large_numbers() -> None:
    """Saturated gates are 0 and 1, without overflow."""
    z = mg.tensor([[-1e4, 1e4, 1e4, 1e4]], requires_grad=True)
    h, c = lstm_cell(z, mg.tensor([[0.5]]))
    near(c, [[0.5]])
    near(h, [[np.tanh(0.5)]], 1e-6)


def test_lstm_cell_on_arrays() -> None:
    """Arrays in, arrays out, nothing recorded."""
    h, c = lstm_cell(np.zeros((2, 12)), np.ones((2, 3)))
    assert isinstance(h, np.ndarray)
    near(c, np.full((2, 3), 0.5))


def test_the_graph_grows_by_the_step() -> None:
    """Each time step adds the same number of nodes."""
    layer = recurrent.LSTM(IN, H)

    def nodes(steps: int) -> int:
        y, _ = layer(mg.ones(steps, N, IN))
        return len(engine.order([y]))

    assert nodes(40) - nodes(20) == 2 * (nodes(20) - nodes(10))


def test_detect_anomaly_looks_into_the_cell() -> None:
    """A NaN that a cell makes is found, and placed in its module."""
    layer = recurrent.LSTM(IN, H)
    x = mg.tensor(np.full((T, N, IN), np.nan))
    with mg.detect_anomaly(), pytest.raises(FloatingPointError, match=r"found it in the result of"):
        layer(x)
    with mg.detect_anomaly():
        layer(mg.ones(T, N, IN))[0].sum().backward()


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


class Reader(nn.Module):
    """A network with a recurrent layer, whose path errors should name."""

    def __init__(self, **settings: Any) -> None:
        self.body = recurrent.LSTM(IN, H, **settings)

    def forward(self, x: Any, hx: Any = None) -> Any:
        """The outputs."""
        return self.body(x, hx)[0]


@pytest.mark.parametrize(
    ("shape", "settings", "message"),
    [
        (
            (T, N, 5),
            {},
            r"LSTM 'body' needs inputs of shape \(T, N, 3\) or, without a batch, \(T, 3\); got "
            r"\(4, 2, 5\). Set input_size=5, or reshape before it.",
        ),
        ((T, N, 5), {"batch_first": True}, r"needs inputs of shape \(N, T, 3\) or"),
        ((3,), {}, r"got \(3,\). Reshape before it."),
        ((1, T, N, 3), {}, r"got \(1, 4, 2, 3\). Reshape before it."),
        ((0, N, 3), {}, r"needs a sequence of at least one step; got shape \(0, 2, 3\)"),
        ((N, 0, 3), {"batch_first": True}, r"at least one step; got shape \(2, 0, 3\)"),
    ],
)
def test_wrong_inputs(shape: tuple[int, ...], settings: dict[str, Any], message: str) -> None:
    """An input of the wrong shape is refused with the module's path and what would fit."""
    with pytest.raises(ValueError, match=message):
        Reader(**settings)(mg.zeros(shape))


def test_an_empty_batch_is_fine() -> None:
    """No samples give no outputs."""
    assert Reader()(mg.zeros(T, 0, IN)).shape == (T, 0, H)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (
            ((1, N, 5), (1, N, H)),
            r"LSTM 'body' needs h_0 of shape \(1, 2, 4\), which is \(layers·ways, batch, size\); "
            r"got \(1, 2, 5\). Pass such a state",
        ),
        (((1, N, H), (2, N, H)), r"needs c_0 of shape \(1, 2, 4\)"),
        (((1, H), (1, H)), r"got \(1, 4\)"),
    ],
)
def test_wrong_states(shapes: tuple[tuple[int, ...], ...], message: str) -> None:
    """A state of the wrong shape is refused by name."""
    with pytest.raises(ValueError, match=message):
        Reader()(mg.zeros(T, N, IN), tuple(mg.zeros(shape) for shape in shapes))


def test_a_state_that_is_no_pair() -> None:
    """An LSTM asks for h and c."""
    with pytest.raises(ValueError, match=r"LSTM 'body' needs its state as a pair \(h, c\); got"):
        Reader()(mg.zeros(T, N, IN), mg.zeros(1, N, H))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: recurrent.LSTM(3, 0), r"LSTM needs hidden_size of at least 1; got 0. Give"),
        (lambda: recurrent.GRUCell(0, 3), r"GRUCell needs input_size of at least 1; got 0"),
        (lambda: recurrent.GRU(3, 4, num_layers=0), r"GRU needs num_layers of at least 1; got 0"),
        (lambda: recurrent.RNN(3, 4, 2, dropout=2), r"RNN needs dropout from 0 to 1; got 2"),
        (lambda: recurrent.RNN(3, 4, nonlinearity="sin"), r"'tanh' and 'relu'; got 'sin'"),
        (lambda: recurrent.RNNCell(3, 4, nonlinearity="sin"), r"RNNCell knows the nonlinearities"),
        (lambda: recurrent.LSTM(3, 4, proj_size=4), r"less than hidden_size=4; got 4"),
    ],
)
def test_wrong_settings(build: Callable[[], Any], message: str) -> None:
    """Settings that cannot be are refused when the layer is made."""
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.parametrize(
    ("x", "h", "message"),
    [
        ((N, 5), None, r"GRUCell needs inputs of shape \(N, 3\) or, without a batch, \(3,\); got "),
        ((T, N, 3), None, r"got \(4, 2, 3\). Reshape before it."),
        ((N, 3), (N, 5), r"needs h of shape \(2, 4\), which is \(batch, size\); got \(2, 5\)"),
        ((3,), (1, 4), r"needs h of shape \(4,\), which is \(size,\); got \(1, 4\)"),
    ],
)
def test_wrong_inputs_of_cells(x: Any, h: Any, message: str) -> None:
    """A cell refuses inputs and states of the wrong shape."""
    with pytest.raises(ValueError, match=message):
        recurrent.GRUCell(IN, H)(mg.zeros(x), None if h is None else mg.zeros(h))


def test_layers_show_their_settings() -> None:
    """A layer's line names its sizes and what is not the default."""
    assert repr(recurrent.LSTM(3, 4)) == "LSTM(3, 4)"
    assert repr(recurrent.LSTM(3, 4, 2, bidirectional=True, proj_size=2)) == (
        "LSTM(3, 4, num_layers=2, bidirectional=True, proj_size=2)"
    )
    assert repr(recurrent.RNNCell(3, 4, bias=False, nonlinearity="relu")) == (
        "RNNCell(3, 4, bias=False, nonlinearity='relu')"
    )
    recurrent.LSTM(3, 4).flatten_parameters()


def test_the_unrolled_graph_can_be_drawn() -> None:
    """A drawing shows the cut into steps and one cell for each."""
    y, _ = recurrent.LSTM(2, 3)(mg.ones(2, 1, 2))
    operations = [v.operation for v in mg.draw(y).picture.vertices]
    assert operations.count("lstm_cell") == 2
    assert operations.count("unbind") == 1
