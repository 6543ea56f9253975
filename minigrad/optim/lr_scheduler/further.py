"""Schedules by a constant, a power, a function of one's own, and with restarts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from minigrad.optim.lr_scheduler.scheduler import LRScheduler, for_groups, optimizer_of
from minigrad.optim.optimizer import Optimizer


class ConstantLR(LRScheduler):
    """lr = base_lr·``factor`` for ``total_iters`` epochs, then base_lr."""

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < factor <= 1:
            raise ValueError(
                f"ConstantLR needs 0 < factor ≤ 1; got {factor}. Set the optimizer's lr to the "
                "largest rate."
            )
        self.factor, self.total_iters = factor, total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.factor
        return 1 / self.factor if self.last_epoch == self.total_iters else 1.0


class PolynomialLR(LRScheduler):
    """lr = base_lr·(1 − epoch/total_iters)^power, and 0 after ``total_iters``."""

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters, self.power = total_iters, power
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self._step_count == 1 or self.last_epoch > self.total_iters:
            return 1.0
        left = self.total_iters - self.last_epoch
        return float((left / (left + 1)) ** self.power)


class MultiplicativeLR(LRScheduler):
    """lr ← lr·λ(epoch), with λ a function of the epoch, or one for each group."""

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = for_groups(self, optimizer_of(self, optimizer), "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The present rates times λ(last_epoch); the first are left as they are."""
        pairs = zip(self.optimizer.param_groups, self.lr_lambdas, strict=True)
        first = self._step_count == 1
        return [group["lr"] * (1 if first else factor(self.last_epoch)) for group, factor in pairs]

    def state_dict(self) -> dict[str, object]:
        """Everything but the optimizer and the functions, which are those given here."""
        return {k: v for k, v in super().state_dict().items() if k != "lr_lambdas"}


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr = η + (base_lr − η)·(1 + cos(π·t/T)) / 2, with t the epochs since the last restart.

    The first period T is ``T_0``, each further one ``T_mult`` times as long; η = ``eta_min``
    (Loshchilov and Hutter 2017, eq. 5).
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,  # noqa: N803 - PyTorch's name
        T_mult: int = 1,  # noqa: N803
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_0 < 1 or T_mult < 1:
            raise ValueError(
                f"CosineAnnealingWarmRestarts needs T_0 ≥ 1 and T_mult ≥ 1; got {T_0} and "
                f"{T_mult}. Give the first period in epochs, and how many times longer the next is."
            )
        self.T_0, self.T_mult, self.eta_min = T_0, T_mult, eta_min
        self._epoch: float | None = None
        super().__init__(optimizer, last_epoch)

    def step(self, epoch: float | None = None) -> None:
        """Move on by one; or to ``epoch``, which may lie between two: epoch + batch/batches."""
        self._epoch = epoch
        super().step()
        if epoch is not None:
            self.last_epoch = math.floor(epoch)

    def get_lr(self) -> list[float]:
        """The rates at this place in its period."""
        t: float = self.last_epoch if self._epoch is None else self._epoch
        period = self.T_0
        while t >= period:
            t -= period
            period *= self.T_mult
        part = (1 + math.cos(math.pi * t / period)) / 2
        return [self.eta_min + (base - self.eta_min) * part for base in self.base_lrs]
