"""fit: the loop one would write by hand, what it records, and how it ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - the name that everyone knows it by
from minigrad import data, nn, optim
from minigrad.train import History, fit


def problem(n: int = 64) -> tuple[mg.Tensor, mg.Tensor]:
    """Points of two classes that a line parts."""
    x = np.random.default_rng(0).standard_normal((n, 2))
    return mg.tensor(x.astype(np.float32)), mg.tensor((x.sum(1) > 0).astype(np.int64))


def network(seed: int = 0) -> nn.Sequential:
    """A small network with batch statistics, so that modes matter."""
    mg.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


def weights(model: nn.Module) -> list[np.ndarray]:
    """Copies of all parameters and buffers."""
    return [host(value).copy() for value in model.state_dict().values()]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    """Whether two sets of weights are equal to the last bit."""
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_fit_is_the_loop_by_hand(place: str) -> None:
    """Losses and weights are those of forward, zero_grad, backward, step, written out."""
    x, t = problem()
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    losses, right = [], []
    for _ in range(3):
        values = []
        for i in range(0, 64, 24):
            rows = slice(i, min(i + 24, 64))
            y = model(x[rows])
            loss = F.cross_entropy(y, t[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            hits = (y.detach().argmax(1) == t[rows]).long().sum().item()
            values.append((loss.item(), hits, y.shape[0]))
        losses.append(sum(a * n for a, _, n in values) / 64)
        right.append(sum(k for _, k, _ in values) / 64)
    wanted, model = weights(model), network()
    history = fit(
        model,
        data.DataLoader(data.TensorDataset(x, t), 24),
        optimizer=optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
        epochs=3,
        progress=False,
    )
    near(history.loss, losses, 1e-12)
    near(history.accuracy, right, 1e-12)
    assert same(weights(model), wanted)
    assert history.val_loss == history.val_accuracy == []
    assert (len(history), history.lr, history.ended) == (3, [0.1] * 3, "")


def test_fit_learns_and_validates() -> None:
    """With nothing but (x, t) and a part held out it learns, with Adam, and says how well."""
    model = network()
    history = fit(model, problem(200), epochs=60, validation=0.25, seed=0, progress=False)
    assert history.loss[-1] < history.loss[0] / 2
    assert history.val_accuracy[-1] > 0.9
    assert len(history.val_loss) == len(history.seconds) == 60


def test_validation_is_in_evaluation_mode_and_leaves_no_trace() -> None:
    """Validation takes running statistics, moves nothing, and is a mean over all samples."""
    x, t = problem()
    plain, checked = network(), network()
    settings = {"epochs": 2, "progress": False, "seed": 1, "batch_size": 24}
    fit(plain, (x, t), **settings)
    history = fit(checked, (x, t), validation=(x[:50], t[:50]), **settings)
    assert same(weights(plain), weights(checked))
    with mg.no_grad():
        wanted = F.cross_entropy(checked.eval()(x[:50]), t[:50]).item()
    assert history.val_loss[-1] == pytest.approx(wanted, rel=1e-5)


def test_modes_come_back_as_they_were() -> None:
    """Each module is afterwards in the mode it was given in, after an error too."""
    model = network().train()
    model[1].eval()
    fit(model, problem(), epochs=1, progress=False, validation=problem(20))
    assert [m.training for m in model.modules()] == [True, True, False, True, True]
    with pytest.raises(FloatingPointError):
        fit(model, (mg.full((4, 2), np.nan), mg.zeros(4).long()), epochs=1, progress=False)
    assert [m.training for m in model.modules()] == [True, True, False, True, True]


def test_a_seed_repeats_a_run() -> None:
    """The same seed gives the same order of samples, and so the same weights."""
    found = []
    for _ in range(2):
        model = network()
        fit(model, problem(), epochs=2, seed=7, progress=False, batch_size=10)
        found.append(weights(model))
    assert same(*found)
    model = network()
    fit(model, problem(), epochs=2, seed=8, progress=False, batch_size=10)
    assert not same(found[0], weights(model))


@pytest.mark.parametrize("kind", ["pair", "arrays", "dataset", "subset", "loader", "list", "table"])
def test_data_comes_in_many_forms(kind: str) -> None:
    """(x, t), arrays, datasets, loaders, lists of batches and tables are all gone through."""
    x, t = problem(32)
    dataset = data.TensorDataset(x, t)
    given = {
        "pair": (x, t),
        "arrays": [x.numpy(), t.numpy()],
        "dataset": dataset,
        "subset": data.Subset(dataset, range(20)),
        "loader": data.DataLoader(dataset, 8),
        "list": [(x[:16], t[:16]), [x[16:], t[16:]]],
        "table": data.Table(x, t, "points", ("a", "b"), ("no", "yes")),
    }[kind]
    history = fit(network(), given, validation=given, epochs=2, batch_size=16, progress=False)
    assert len(history.loss) == len(history.val_accuracy) == 2


def test_regression_has_no_accuracy() -> None:
    """Without class numbers there is a loss and nothing else; a plot has one panel then."""
    x, _ = problem()
    model = nn.Linear(2, 1)
    history = fit(
        model,
        (x, x.sum(1, keepdims=True)),
        loss=F.mse_loss,
        epochs=60,
        progress=False,
        optimizer=optim.SGD(model.parameters(), lr=0.1),
    )
    assert history.accuracy == []
    near(model.weight, np.ones((1, 2)), 1e-3)
    assert "accuracy" not in repr(history)


# ── how it ends ──────────────────────────────────────────────────────────────────────────────────


class Scripted:
    """Validation losses by script: a loss function that answers them in turn."""

    def __init__(self, losses: list[float]) -> None:
        self.losses = iter(losses)

    def __call__(self, y: Any, t: Any) -> Any:
        """The loss to train on; in validation the next number of the script."""
        if y.requires_grad:
            return F.cross_entropy(y, t)
        return mg.tensor(next(self.losses))


def test_patience_stops_and_restores_the_best_weights() -> None:
    """Training stops when nothing got better for so long, with the weights of the best epoch."""
    kept: list[list[np.ndarray]] = []
    script = Scripted([3.0, 2.0, 2.5, 2.0, 1.0, 4.0, 4.0, 4.0, 0.0])
    model = network()

    def watched(y: Any, t: Any) -> Any:
        if not y.requires_grad:
            kept.append(weights(model))
        return script(y, t)

    history = fit(
        model,
        problem(),
        loss=watched,
        epochs=50,
        validation=problem(10),
        patience=3,
        progress=False,
    )
    assert history.val_loss == [3.0, 2.0, 2.5, 2.0, 1.0, 4.0, 4.0, 4.0]
    assert history.best_epoch == 4
    assert history.ended == "stopped early: no smaller loss for 3 epochs"
    assert same(weights(model), kept[4])
    assert not same(weights(model), kept[7])


def test_patience_restores_at_the_last_epoch_too() -> None:
    """The best weights are put back as well where training went on to its end."""
    kept: list[list[np.ndarray]] = []
    script = Scripted([1.0, 2.0])
    model = network()

    def watched(y: Any, t: Any) -> Any:
        if not y.requires_grad:
            kept.append(weights(model))
        return script(y, t)

    history = fit(
        model,
        problem(),
        loss=watched,
        epochs=2,
        validation=problem(10),
        patience=5,
        progress=False,
    )
    assert history.ended == ""
    assert same(weights(model), kept[0])


def test_an_interrupt_keeps_the_history(capsys: pytest.CaptureFixture[str]) -> None:
    """Ctrl-C in the third epoch answers the two before it, and says so."""
    calls = []

    def loss(y: Any, t: Any) -> Any:
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return F.cross_entropy(y, t)

    history = fit(network(), problem(), loss=loss, epochs=9, batch_size=32, progress=False)
    assert len(history) == len(history.lr) == 2
    assert history.ended == "interrupted in epoch 3 of 9"
    assert "fit was interrupted in epoch 3 of 9" in capsys.readouterr().out
    assert "interrupted" in repr(history)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_loss_that_is_not_finite_stops(bad: float) -> None:
    """NaN and inf name epoch and batch and what to try, and the weights are not touched by them."""
    x, t = problem()
    x = x.numpy().copy()
    x[40, 0] = np.nan

    def loss(y: Any, t: Any) -> Any:
        found = F.cross_entropy(y, t)
        return found if np.isfinite(found.item()) else (y * 0 + 1).mean() * bad

    model = nn.Linear(2, 2)
    loader = data.DataLoader(data.TensorDataset(x, t), 16)
    with pytest.raises(FloatingPointError, match=r"in epoch 1, batch 3 \(lr=0.001\).*clip=1.0"):
        fit(model, loader, loss=loss, epochs=2, progress=False)
    assert all(np.isfinite(w).all() for w in weights(model))


def test_clipping_bounds_the_step() -> None:
    """clip=c steps along the gradient, scaled to norm c."""
    pytest.importorskip("minigrad.nn.utils")
    x, t = problem()
    model = nn.Linear(2, 2)
    before = weights(model)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    fit(model, [(x * 100, t)], optimizer=optimizer, epochs=1, clip=0.01, progress=False)
    moved = sum(((a - b) ** 2).sum() for a, b in zip(before, weights(model), strict=True)) ** 0.5
    assert moved == pytest.approx(0.01, rel=1e-3)


def test_schedules_step_by_epoch_or_by_batch() -> None:
    """A schedule moves after each epoch; one that counts batches after each batch."""
    for name, settings, wanted in [
        ("ExponentialLR", {"gamma": 0.5}, [0.5, 0.25]),
        ("OneCycleLR", {"max_lr": 1.0, "total_steps": 8}, None),
    ]:
        model = network()
        optimizer = optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
        scheduler = getattr(optim.lr_scheduler, name)(optimizer, **settings)
        history = fit(
            model,
            problem(),
            optimizer=optimizer,
            scheduler=scheduler,
            epochs=2,
            batch_size=16,
            progress=False,
        )
        assert scheduler.last_epoch == (2 if wanted else 8)
        assert wanted is None or history.lr == wanted


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


def once() -> Iterator[Any]:
    """Batches that can be gone through only once."""
    x, t = problem()
    yield x, t


@pytest.mark.parametrize(
    ("given", "options", "error", "said"),
    [
        (once(), {}, ValueError, "the second time: it can be gone through only once"),
        ([], {}, ValueError, "needs data with batches; found none"),
        (3, {}, TypeError, "needs .*a dataset or batches; got a int"),
        (mg.zeros(4, 2), {}, TypeError, r"needs batches \(x, t\); got Tensor"),
        ([(1, 2, 3)], {}, TypeError, r"needs batches \(x, t\); got 3 parts"),
        (problem(), {"validation": 2.0}, ValueError, "between 0 and 1; got 2.0"),
        ([problem()], {"validation": 0.2}, TypeError, r"holds a part of \(x, t\)"),
        (problem(), {"patience": 0}, ValueError, "patience ≥ 1"),
        (problem(), {"epochs": -1}, ValueError, "epochs ≥ 0"),
        (problem(), {"loss": lambda y, t: y}, ValueError, r"one number; got \(32, 2\)"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_fitted_is_refused(
    given: Any, options: dict[str, Any], error: type[Exception], said: str
) -> None:
    """No batches, other batches, other losses: said, with what to pass."""
    with pytest.raises(error, match=said):
        fit(network(), given, progress=False, **options)


# ── what it shows ────────────────────────────────────────────────────────────────────────────────


def test_progress_is_a_bar_or_lines_or_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """tqdm's bar where it is installed, lines without it, and silence where it is asked for."""
    pytest.importorskip("tqdm")
    monkeypatch.delenv("MINIGRAD_QUIET", raising=False)
    fit(network(), problem(), epochs=2, validation=0.5)
    out, err = capsys.readouterr()
    assert "epoch 2/2" in err
    assert "val_accuracy" in err
    assert out == ""
    fit(network(), problem(), epochs=2, progress=False)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    fit(network(), problem(), epochs=2)
    assert capsys.readouterr().out.startswith("epoch 1: loss ")
    monkeypatch.setenv("MINIGRAD_QUIET", "1")
    fit(network(), problem(), epochs=2)
    assert capsys.readouterr() == ("", "")


def example() -> History:
    """A history with everything in it."""
    return History(
        loss=[3.0, 2.0, 1.0],
        accuracy=[0.1, 0.5, 0.9],
        val_loss=[3.0, 1.5, 2.0],
        val_accuracy=[0.2, 0.6, 0.5],
        lr=[0.1] * 3,
        seconds=[1.0] * 3,
    )


def test_a_history_shows_itself() -> None:
    """The repr has the last and the best epoch; the table for notebooks marks the best."""
    history = example()
    assert history.best_epoch == 1
    assert repr(history).splitlines() == [
        "History of 3 epochs, 3.0 s",
        "  last  epoch 3: loss 1, accuracy 0.9, val_loss 2, val_accuracy 0.5",
        "  best  epoch 2: loss 2, accuracy 0.5, val_loss 1.5, val_accuracy 0.6",
    ]
    table = history._repr_html_()
    assert "<td><b>1.5</b></td>" in table
    assert table.count("<tr>") == 4
    history.ended = "stopped early"
    assert "stopped early" in history._repr_html_()
    long = History(loss=[1.0 / (1 + i) for i in range(100)])
    assert long._repr_html_().count("<tr>") <= 15
    assert (History().best_epoch, repr(History())) == (None, "History of 0 epochs, 0.0 s")
    assert History()._repr_html_().startswith("<table>")


def test_a_history_plots_itself() -> None:
    """Loss, and accuracy where there is one, for training and validation; axes can be given."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("agg")
    from matplotlib import pyplot  # noqa: PLC0415 - an extra

    axes = example().plot()
    assert [ax.get_ylabel() for ax in axes] == ["loss", "accuracy"]
    assert [line.get_label() for line in axes[0].lines[:2]] == ["training", "validation"]
    near(axes[0].lines[1].get_ydata(), [3.0, 1.5, 2.0])
    near(axes[0].lines[1].get_xdata(), [1.0, 2.0, 3.0])
    (only,) = History(loss=[1.0, 0.5]).plot()
    assert len(only.lines) == 1
    _, given = pyplot.subplots()
    assert History(loss=[1.0, 0.5]).plot(given) is given
    assert len(given.lines) == 1
    pyplot.close("all")


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where matplotlib is missing, plot says what to install."""
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"needs matplotlib.*minigrad\[lessons\]"):
        example().plot()
