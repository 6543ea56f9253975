"""A smaller rate when a number stops improving."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.optim.lr_scheduler.scheduler import LRScheduler, for_groups, optimizer_of
from minigrad.optim.optimizer import Optimizer


class ReduceLROnPlateau(LRScheduler):
    """lr ← lr·``factor`` when a metric has not improved for more than ``patience`` epochs.

    Call ``scheduler.step(validation_loss)`` once an epoch.

    Parameters
    ----------
    mode
        "min" if smaller is better, "max" if larger.
    threshold, threshold_mode
        What counts as better: by this share of the best ("rel"), or by this much ("abs").
    cooldown
        Epochs to wait after a reduction before counting again.
    min_lr, eps
        The smallest rate, or one for each group; and changes too small to make.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - PyTorch's arguments
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if factor >= 1 or mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                "ReduceLROnPlateau needs factor < 1, mode 'min' or 'max' and threshold_mode 'rel' "
                f"or 'abs'; got {factor}, {mode!r} and {threshold_mode!r}. Change what differs."
            )
        self.optimizer = optimizer_of(self, optimizer)
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.threshold_mode = threshold, threshold_mode
        self.cooldown, self.eps = cooldown, eps
        self.min_lrs: list[float] = for_groups(self, optimizer, "min_lr", min_lr)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self, metrics: Any = None) -> None:
        """Hear the metric of this epoch, and reduce the rates if it is time."""
        if metrics is None:
            raise TypeError(
                "ReduceLROnPlateau.step() needs the metric that it watches; got none. Pass "
                "scheduler.step(validation_loss)."
            )
        now = float(metrics)
        self.last_epoch += 1
        if self._better(now):
            self.best, self.num_bad_epochs = now, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for group, low in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
                lr = max(group["lr"] * self.factor, low)
                if group["lr"] - lr > self.eps:
                    group["lr"] = lr
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def _better(self, now: float) -> bool:
        sign = 1 if self.mode == "min" else -1
        relative = self.threshold_mode == "rel" and math.isfinite(self.best)
        margin = self.threshold * (self.best if relative else 1)
        return sign * now < sign * self.best - margin
