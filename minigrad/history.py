"""History: what a training loop wrote down, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any


@dataclass(repr=False)
class History:
    """What training did, epoch by epoch; lists that were not asked for stay empty.

    Attributes
    ----------
    loss, accuracy
        Means over the training samples, taken while the weights moved, in training mode.
    val_loss, val_accuracy
        Means over the validation samples after the epoch, in evaluation mode.
    lr
        The learning rate of the first group, at the end of the epoch.
    seconds
        How long the epoch took, in seconds.
    ended
        Why training ended before its last epoch; empty if it did not.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    val_loss: list[float] = field(default_factory=list)
    val_accuracy: list[float] = field(default_factory=list)
    lr: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    ended: str = ""

    def __len__(self) -> int:
        """How many epochs were finished."""
        return len(self.loss)

    @property
    def best_epoch(self) -> int | None:
        """The index of the epoch with the smallest loss, in validation if there is one.

        It counts from 0, as the lists do: ``history.loss[history.best_epoch]``.
        """
        watched = self.val_loss or self.loss
        return watched.index(min(watched)) if watched else None

    def line(self, epoch: int) -> str:
        """The numbers of one epoch (from 0) in a line."""
        numbers = [f"{name} {column[epoch]:.4g}" for name, column in self._columns()]
        return f"epoch {epoch + 1}: {', '.join(numbers)}"

    def _columns(self) -> Iterator[tuple[str, list[float]]]:
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            if column := getattr(self, name):
                yield name, column

    def __repr__(self) -> str:
        """How many epochs, the last and the best, and why it ended."""
        epochs = f"{len(self)} epoch{'s' * (len(self) != 1)}"
        lines = [f"History of {epochs}, {sum(self.seconds):.1f} s{'; ' * bool(self.ended)}"]
        lines[0] += self.ended
        if (best := self.best_epoch) is not None:
            lines += [f"  last  {self.line(len(self) - 1)}", f"  best  {self.line(best)}"]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """A table for notebooks: at most twelve epochs, the best one in bold."""
        columns = list(self._columns())
        step = max(1, math.ceil(len(self) / 12))
        shown = {*range(0, len(self), step), len(self) - 1, self.best_epoch} - {None, -1}
        head = "".join(f"<th>{name}</th>" for name in ("epoch", *[name for name, _ in columns]))
        rows = []
        for epoch in sorted(epoch for epoch in shown if epoch is not None):
            cells = [str(epoch + 1), *[f"{column[epoch]:.4g}" for _, column in columns]]
            mark = ("<b>", "</b>") if epoch == self.best_epoch else ("", "")
            rows.append("".join(f"<td>{mark[0]}{cell}{mark[1]}</td>" for cell in cells))
        body = "".join(f"<tr>{row}</tr>" for row in rows)
        note = f"<p>{self.ended}</p>" if self.ended else ""
        return f"<table><tr>{head}</tr>{body}</table>{note}"

    def plot(self, axes: Any = None) -> Any:
        """Draw the loss, and beside it the accuracy if there is one; answers the axes.

        Parameters
        ----------
        axes
            Two matplotlib axes to draw on (one where there is no accuracy); new ones if None.
        """
        panels = [("loss", "loss")] + [("accuracy", "accuracy")] * bool(self.accuracy)
        if axes is None:
            try:
                pyplot = import_module("matplotlib.pyplot")
            except ImportError as error:
                raise ImportError(
                    f"History.plot() needs matplotlib; found none ({error}). Install it: pip "
                    'install matplotlib, or "minigrad[lessons]".'
                ) from error
            size = (4.5 * len(panels), 3.4)
            _, axes = pyplot.subplots(
                1, len(panels), figsize=size, layout="constrained", squeeze=False
            )
            axes = axes[0]
        flat = [axes] if hasattr(axes, "plot") else list(axes)
        for ax, (name, label) in zip(flat, panels, strict=False):
            for key, style in ((name, "-"), (f"val_{name}", "--")):
                if column := getattr(self, key):
                    shown = "validation" if key != name else "training"
                    ax.plot(range(1, len(column) + 1), column, style, marker=".", label=shown)
            if self.best_epoch is not None and self.val_loss:
                ax.axvline(self.best_epoch + 1, color="0.7", lw=0.8, zorder=0)
            ax.set(xlabel="epoch", ylabel=label)
            ax.legend(frameon=False)
        return axes
