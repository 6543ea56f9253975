"""`mg.replay`: the numbers of the step itself, bit by bit, and a clear refusal of all else."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - its usual name
from minigrad import nn, optim
from minigrad.replaying import ReplayError
from minigrad.replaying.tracing import Traced


class Recurrent(nn.Module):
    """The last state of an LSTM, classified."""

    def __init__(self) -> None:
        self.lstm, self.out = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 3)

    def forward(self, x: Any) -> Any:
        """(N, T, 4) to (N, 3)."""
        return self.out(self.lstm(x)[0][:, -1])


class Attentive(nn.Module):
    """The mean of what a transformer layer makes of a sequence, classified."""

    def __init__(self) -> None:
        self.layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True)
        self.out = nn.Linear(4, 3)

    def forward(self, x: Any) -> Any:
        """(N, T, 4) to (N, 3)."""
        return self.out(self.layer(x).mean(1))


def perceptron(norm: type[nn.Module] = nn.BatchNorm1d, *more: nn.Module) -> nn.Sequential:
    """Linear, normalization and an activation, then the scores."""
    return nn.Sequential(nn.Linear(4, 6), norm(6), nn.ReLU(), *more, nn.Linear(6, 3))


def convolutional() -> nn.Sequential:
    """Convolution, normalization and pooling, then the scores."""
    return nn.Sequential(
        *(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.GELU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(2, 2, 2), nn.AvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)),
    )


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "batch norm": (perceptron, (8, 4)),
    "layer norm": (lambda: perceptron(nn.LayerNorm), (8, 4)),
    "convolution": (convolutional, (8, 1, 4, 4)),
    "lstm": (Recurrent, (8, 3, 4)),
    "attention": (Attentive, (8, 3, 4)),
}


def batches(shape: tuple[int, ...], count: int) -> list[tuple[mg.Tensor, mg.Tensor]]:
    """Inputs and class numbers."""
    rng = np.random.default_rng(0)
    return [
        (mg.tensor(rng.standard_normal(shape, np.float32)), mg.tensor(rng.integers(0, 3, shape[0])))
        for _ in range(count)
    ]


def training(model: nn.Module, **settings: Any) -> Callable[[Any, Any], Any]:
    """A training step of ``model``."""
    optimizer = optim.SGD(model.parameters(), **{"lr": 0.1, **settings})

    def step(x: Any, t: Any) -> Any:
        loss = F.cross_entropy(model(x), t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def state_of(model: nn.Module) -> list[bytes]:
    """The bits of all parameters, gradients and buffers."""
    params = list(model.parameters())
    found = [*params, *[p.grad for p in params if p.grad is not None], *model.buffers()]
    return [x.data.tobytes() for x in found]


@pytest.mark.parametrize("name", NETWORKS)
def test_a_replay_is_the_step_bit_by_bit(name: str) -> None:
    """Losses, parameters, gradients and buffers are those of the step, batch after batch."""
    make, shape = NETWORKS[name]
    first, *rest = batches(shape, 4)
    seen = []
    for replayed in (False, True):
        mg.manual_seed(0)
        model = make()
        step = training(model)
        step = mg.replay(step, *first, state=model) if replayed else step
        losses = [step(x, t).item() for x, t in rest]
        seen.append((losses, state_of(model)))
    assert len({*seen[0][0]}) == 3
    assert seen[0] == seen[1]


def test_recording_leaves_things_as_they_were() -> None:
    """Parameters, buffers and the given inputs are what they were before `replay`."""
    model = perceptron()
    x, t = batches((8, 4), 1)[0]
    before, given = state_of(model), x.data.copy()
    mg.replay(training(model), x, t, state=model)
    after = [p.data for p in model.parameters()] + [b.data for b in model.buffers()]
    assert [a.tobytes() for a in after] == before
    assert (x.data == given).all()
    assert not any(isinstance(a, Traced) for a in after)


def test_a_replay_takes_further_inputs_or_none() -> None:
    """Without arguments the last inputs serve again; results are arrays of their own."""
    w = mg.tensor([2.0, 3.0])
    fast = mg.replay(lambda x: (x * w, (x * x).sum()), mg.tensor([1.0, 1.0]), state=[w])
    first, again = fast(mg.tensor([1.0, 2.0])), fast()
    fast(mg.tensor([0.0, 0.0]))
    for product, total in (first, again):
        assert product.tolist() == [2.0, 6.0]
        assert total.item() == 5.0


def test_a_write_by_a_replay_is_noticed() -> None:
    """A backward that needs a parameter from before the replay says that it was overwritten."""
    model = perceptron()
    x, t = batches((8, 4), 1)[0]
    fast = mg.replay(training(model), x, t, state=model)
    loss = F.cross_entropy(model(x), t)
    fast(x, t)
    with pytest.raises(
        RuntimeError, match=rf"overwritten in place since, at {re.escape(__file__)}:\d+"
    ):
        loss.backward()


@pytest.mark.parametrize(
    ("model", "settings", "whole"),
    [
        (lambda: perceptron(nn.LayerNorm, nn.Dropout(0.5)), {}, True),
        (perceptron, {"momentum": 0.9}, True),
        (perceptron, {}, False),
    ],
    ids=["dropout", "momentum", "state left out"],
)
def test_a_step_that_changes_is_refused(
    model: Callable[[], nn.Module], settings: dict[str, Any], whole: bool
) -> None:
    """What the recording cannot know is found out by one more step, and nothing is changed."""
    net = model()
    x, t = batches((8, 4), 1)[0]
    before = state_of(net)
    with pytest.raises(ReplayError, match="the same computation each time; done again"):
        mg.replay(training(net, **settings), x, t, state=net if whole else net[0])
    if whole:
        held = [*net.parameters(), *net.buffers()]
        assert [p.data.tobytes() for p in held] == before


def test_gradients_that_add_up_are_refused() -> None:
    """A step without zero_grad is another computation each time."""
    w = mg.tensor([1.0, 2.0], requires_grad=True)

    def step(x: Any) -> Any:
        loss = (w * x).sum()
        loss.backward()
        with mg.no_grad():
            w.sub_(w.grad)
        return loss

    with pytest.raises(ReplayError, match="zero_grad"):
        mg.replay(step, mg.tensor([1.0, 1.0]), state=[w])


def test_a_decision_that_changes_is_refused() -> None:
    """A number that Python read is checked each time; the error names the line and both."""
    fast = mg.replay(lambda x: x * 2 if x.sum() > 0 else x, mg.tensor([1.0, 1.0]))
    assert fast(mg.tensor([3.0, -1.0])).tolist() == [6.0, -2.0]
    with pytest.raises(ReplayError, match=r"test_replay\.py:\d+ it read True .* now gives False"):
        fast(mg.tensor([-3.0, 1.0]))


def test_an_ignored_class_is_a_decision() -> None:
    """A batch with targets to leave out is not the batch that was recorded."""
    model = perceptron()
    x, t = batches((8, 4), 1)[0]
    fast = mg.replay(training(model), x, t, state=model)
    with pytest.raises(ReplayError, match="it read 8 from an array, which now gives 7"):
        fast(x, mg.tensor([-100, *t.tolist()[1:]]))


@pytest.mark.parametrize(
    "x", [np.ones((4, 4), np.float32), np.ones((8, 4))], ids=["shape", "dtype"]
)
def test_other_inputs_are_refused(x: np.ndarray) -> None:
    """An input of another shape or dtype is refused; both are named."""
    model = perceptron()
    first, t = batches((8, 4), 1)[0]
    fast = mg.replay(training(model), first, t, state=model)
    with pytest.raises(ReplayError, match=r"recorded for inputs \(8, 4\) of float32, .* got "):
        fast(mg.tensor(x), t)


def test_arrays_read_no_more_lend_their_memory() -> None:
    """A chain of operations needs two arrays, not one for each; constants stay apart."""
    x = mg.tensor(np.linspace(-1, 1, 5000, dtype=np.float32))

    def chain(x: Any) -> Any:
        y = x
        for _ in range(50):
            y = mg.tanh(y * 1.5 + x)
        return y

    fast = mg.replay(chain, x)
    cells = dict(zip(fast.__code__.co_freevars, fast.__closure__, strict=True))
    memory = set()
    for call in cells["calls"].cell_contents:
        memory |= {a.__array_interface__["data"][0] for a in call.args if a.size == 5000}
    assert len(memory) <= 4
    assert fast().tolist() == chain(x).tolist()


def test_arrays_left_in_the_open_are_ordinary_again() -> None:
    """What a step stores elsewhere computes as any array once the recording is over."""
    kept = []

    def step(x: Any) -> Any:
        kept.append((x * 2).data)
        return x + 1

    mg.replay(step, mg.tensor([1.0, 2.0]))
    assert type(kept[0] + 1) is np.ndarray
    assert (kept[0][kept[0] > 2] == 4).all()


def test_another_backend_is_refused(place: Any) -> None:
    """Only NumPy's calls can be written down."""
    x = mg.tensor([1.0])
    if isinstance(x.data, np.ndarray):
        assert mg.replay(lambda x: x * 2, x)().item() == 2
    else:
        with pytest.raises(ReplayError, match="found tensors on another backend"):
            mg.replay(lambda x: x * 2, x)
