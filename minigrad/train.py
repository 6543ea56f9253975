"""A small training loop, and the history it leaves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from minigrad import backend
from minigrad.data.loading import DataLoader, TensorDataset, random_split
from minigrad.data.small import Table
from minigrad.history import History
from minigrad.nn import Module
from minigrad.nn.functional import cross_entropy
from minigrad.optim import Adam, Optimizer
from minigrad.progress import Silent, bar, quiet
from minigrad.recording import no_grad
from minigrad.tensor import Tensor


def fit(  # noqa: PLR0913 - a loop has this many knobs
    model: Module,
    data: Any,
    *,
    loss: Callable[[Any, Any], Any] = cross_entropy,
    optimizer: Optimizer | None = None,
    epochs: int = 10,
    batch_size: int = 32,
    validation: Any = None,
    patience: int | None = None,
    clip: float | None = None,
    scheduler: Any = None,
    progress: bool = True,
    seed: int | None = None,
) -> History:
    """Train ``model``: for each batch, forward, backward and a step of the optimizer.

    Parameters
    ----------
    model
        What is trained, in place. Its modules come back in the mode (training, evaluation) in
        which they were given.
    data
        ``(x, t)``, tensors or arrays; or a `minigrad.data.Dataset`; or a `DataLoader`, or any
        other iterable of batches ``(x, t)`` that can be gone through once an epoch.
    loss
        ``loss(model(x), t)`` answers the mean loss of a batch.
    optimizer
        `optim.Adam` with its defaults if None.
    epochs
        How many times to go through the data.
    batch_size
        Samples a batch, shuffled; not used where ``data`` comes in batches.
    validation
        Like ``data``; or the part of it to hold out at random, such as 0.2.
    patience
        Stop when the loss (in validation, if there is one) has not fallen for so many epochs; the
        weights of the best epoch are put back at the end.
    clip
        Largest norm of all gradients together; see `nn.utils.clip_grad_norm_`.
    scheduler
        A schedule from `optim.lr_scheduler`, stepped after each epoch; after each batch if it
        counts them (``total_steps``, as `OneCycleLR`).
    progress
        Show a bar (tqdm, where it is installed; else a line an epoch). MINIGRAD_QUIET=1 silences
        all of them.
    seed
        Seeds all of minigrad's random numbers first, with `minigrad.manual_seed`.

    Returns
    -------
    History
        By epoch; `KeyboardInterrupt` (■ in notebooks) ends training with what there is so far.

    Raises
    ------
    FloatingPointError
        If a loss is not finite, before it reaches the weights.
    """
    if seed is not None:
        backend.manual_seed(seed)
    if epochs < 0 or (patience is not None and patience < 1):
        raise ValueError(
            f"fit needs epochs ≥ 0 and patience ≥ 1 (or None); got {epochs} and {patience}. "
            "patience=3 waits three epochs for a smaller loss."
        )
    if isinstance(validation, float):
        data, validation = _held_out(data, validation)
    batches = _batches(data, batch_size, shuffle=True)
    checks = None if validation is None else _batches(validation, batch_size, shuffle=False)
    loop = _Loop(model, loss, optimizer or Adam(model.parameters()), clip, scheduler)
    history = History()
    modes = [(module, module.training) for module in model.modules()]
    best: dict[str, Tensor] | None = None
    steps = len(batches) if hasattr(batches, "__len__") else None
    shown = bar(None if steps is None else steps * epochs, "fit", " batches", progress)
    lines = progress and not quiet() and isinstance(shown, Silent)
    try:
        for epoch in range(epochs):
            started = time.perf_counter()
            shown.set_description(f"epoch {epoch + 1}/{epochs}")
            means = loop.train(batches, epoch, shown)
            checked = (None, None) if checks is None else loop.check(checks)
            _note(history, means, checked)
            history.lr.append(float(loop.optimizer.param_groups[0]["lr"]))
            history.seconds.append(time.perf_counter() - started)
            shown.set_postfix_str(history.line(epoch).partition(": ")[2])
            if lines:
                print(history.line(epoch))
            if patience is not None and history.best_epoch == epoch:
                best = {k: _copied(v) for k, v in model.state_dict().items()}
            if patience is not None and epoch - (history.best_epoch or 0) >= patience:
                history.ended = f"stopped early: no smaller loss for {patience} epochs"
                break
    except KeyboardInterrupt:
        history.ended = f"interrupted in epoch {len(history) + 1} of {epochs}"
        print(f"fit was {history.ended}; the history has the epochs before it.")
    finally:
        shown.close()
        for module, mode in modes:
            module.training = mode
        if best is not None:
            model.load_state_dict(best)
    return history


def _note(
    history: History,
    means: tuple[float, float | None],
    checked: tuple[float | None, float | None],
) -> None:
    """Append an epoch's numbers, those there are."""
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    for name, value in zip(names, (*means, *checked), strict=True):
        if value is not None:
            getattr(history, name).append(value)


def _copied(x: Tensor) -> Tensor:
    return Tensor(backend.copy_as(x.data, x.data))


@dataclass
class _Loop:
    """One model, one loss, one optimizer: what an epoch needs."""

    model: Module
    loss: Callable[[Any, Any], Any]
    optimizer: Optimizer
    clip: float | None
    scheduler: Any

    def train(self, batches: Iterable[Any], epoch: int, shown: Any) -> tuple[float, float | None]:
        """One epoch of steps: the mean loss and accuracy on the way."""
        self.model.train()
        counts = hasattr(self.scheduler, "total_steps")
        means = _Means()
        for number, batch in enumerate(batches):
            x, t = _pair(batch)
            y = self.model(x)
            value = self.loss(y, t)
            means.add(_finite(value, epoch, number, self.optimizer), y, t)
            self.optimizer.zero_grad()
            value.backward()
            if self.clip is not None:
                utils = import_module("minigrad.nn.utils")
                utils.clip_grad_norm_(self.model.parameters(), self.clip)
            self.optimizer.step()
            if counts:
                self.scheduler.step()
            shown.update()
        if self.scheduler is not None and not counts:
            self.scheduler.step()
        return means.done(again=epoch > 0)

    def check(self, batches: Iterable[Any]) -> tuple[float, float | None]:
        """The mean loss and accuracy in evaluation mode; nothing is recorded."""
        self.model.eval()
        means = _Means()
        with no_grad():
            for batch in batches:
                x, t = _pair(batch)
                y = self.model(x)
                means.add(float(self.loss(y, t)), y, t)
        return means.done(again=False)


class _Means:
    """Means over samples of what comes in batches."""

    def __init__(self) -> None:
        self.loss, self.right, self.samples, self.judged = 0.0, 0, 0, 0

    def add(self, loss: float, y: Any, t: Any) -> None:
        """Take on a batch: its mean loss, outputs and targets."""
        n = len(t)
        self.loss += n * loss
        self.samples += n
        # Class numbers (N, …) beside scores (N, C, …): count where the largest score is right.
        scores = y.ndim == t.ndim + 1 and y.shape[1] > 1 and y.shape[2:] == t.shape[1:]
        if scores and backend.is_integer(t.dtype):
            self.right += int((y.detach().argmax(1) == t).long().sum().item())
            self.judged += t.numel()

    def done(self, again: bool) -> tuple[float, float | None]:
        """The mean loss, and the accuracy where there were class numbers."""
        if not self.samples:
            why = " the second time: it can be gone through only once" * again
            raise ValueError(
                f"fit needs data with batches; found none{why}. Pass (x, t), a dataset, or a "
                "DataLoader, which starts anew in each epoch."
            )
        accuracy = self.right / self.judged if self.judged else None
        return self.loss / self.samples, accuracy


def _finite(value: Any, epoch: int, number: int, optimizer: Optimizer) -> float:
    """The loss as a number, if it is one."""
    if getattr(value, "shape", None) != ():
        raise ValueError(
            f"fit needs a loss that answers one number; got {getattr(value, 'shape', value)!r}. "
            "Set reduction='mean', or end it with .mean()."
        )
    found = float(value)
    if not math.isfinite(found):
        lr = optimizer.param_groups[0]["lr"]
        raise FloatingPointError(
            f"fit needs finite losses; found {found} in epoch {epoch + 1}, batch {number + 1} "
            f"(lr={lr:g}). Try a smaller lr or clip=1.0, look for NaN in the data with "
            "x.isnan().any(), and run the batch under mg.detect_anomaly() to see where it starts."
        )
    return found


def _pair(batch: Any) -> tuple[Any, Any]:
    """The inputs and targets of a batch."""
    if not isinstance(batch, tuple | list) or len(batch) != 2:  # noqa: PLR2004
        found = f"{len(batch)} parts" if isinstance(batch, tuple | list) else type(batch).__name__
        raise TypeError(
            f"fit needs batches (x, t); got {found}. Let the dataset answer (x, t), or write the "
            "loop yourself: it is forward, zero_grad, backward, step."
        )
    x, t = [part if isinstance(part, Tensor) else Tensor(part) for part in batch]
    return x, t


def _as_dataset(data: Any) -> Any:
    """(x, t) as a dataset; anything else as it is."""
    arrays = (
        isinstance(data, tuple | list)
        and data
        and all(isinstance(part, Tensor) or backend.is_array(part) for part in data)
    )
    if isinstance(data, Table):
        return data.dataset()
    return TensorDataset(*data) if arrays else data


def _batches(data: Any, batch_size: int, shuffle: bool) -> Any:
    """An iterable of batches."""
    given = _as_dataset(data)
    if isinstance(given, DataLoader) or not hasattr(given, "__getitem__"):
        if not hasattr(given, "__iter__"):
            raise TypeError(
                f"fit needs (x, t), a dataset or batches; got a {type(data).__name__}. Pass the "
                "inputs and targets as one tuple: fit(model, (x, t))."
            )
        return given
    if isinstance(given, list | tuple):  # of batches
        return given
    return DataLoader(given, batch_size, shuffle=shuffle)


def _held_out(data: Any, part: float) -> tuple[Any, Any]:
    """Data without a part of it, at random, and that part."""
    given = _as_dataset(data)
    if isinstance(given, DataLoader | list | tuple) or not hasattr(given, "__getitem__"):
        raise TypeError(
            f"fit(validation={part}) holds a part of (x, t) or of a dataset out; got a "
            f"{type(data).__name__}. Pass validation=(x, t), or a loader of its own."
        )
    if not 0 < part < 1:
        raise ValueError(
            f"fit needs validation, the part held out, between 0 and 1; got {part}. A fifth, "
            "0.2, is usual."
        )
    train, held = random_split(given, [1 - part, part])
    return train, held
