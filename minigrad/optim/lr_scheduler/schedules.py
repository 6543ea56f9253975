"""The schedules that training most often uses."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import FunctionType
from typing import Any

from minigrad.optim.lr_scheduler.scheduler import LRScheduler, for_groups, optimizer_of
from minigrad.optim.optimizer import Optimizer


class LambdaLR(LRScheduler):
    """lr = base_lr·λ(epoch), with λ a function of the epoch, or one for each group.

    ``state_dict`` leaves functions out, as they cannot be saved; callable objects are kept by
    their attributes.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        self.lr_lambdas = for_groups(self, optimizer_of(self, optimizer), "lr_lambda", lr_lambda)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The base rates times λ(last_epoch)."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * factor(self.last_epoch) for base, factor in pairs]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and functions; objects by their attributes."""
        kept = [
            None if isinstance(f, FunctionType) or not hasattr(f, "__dict__") else dict(vars(f))
            for f in self.lr_lambdas
        ]
        return {**super().state_dict(), "lr_lambdas": kept}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over where `state_dict` was made; functions stay those given here."""
        rest = dict(state_dict)
        for f, attributes in zip(self.lr_lambdas, rest.pop("lr_lambdas"), strict=True):
            if attributes is not None:
                vars(f).update(attributes)
        super().load_state_dict(rest)


class StepLR(LRScheduler):
    """lr = base_lr·γ^⌊epoch / step_size⌋: times γ every ``step_size`` epochs."""

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        if step_size < 1:
            raise ValueError(
                f"StepLR needs step_size ≥ 1; got {step_size}. Give the number of epochs between "
                "two drops."
            )
        self.step_size, self.gamma = step_size, gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else 1.0


class MultiStepLR(LRScheduler):
    """lr = base_lr·γ^(how many of the ``milestones`` are behind): times γ at each of them."""

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones, self.gamma = Counter(milestones), gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma ** self.milestones[self.last_epoch]


class ExponentialLR(LRScheduler):
    """lr = base_lr·γ^epoch: times γ every epoch."""

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        return self.gamma if self._step_count > 1 else 1.0


class LinearLR(LRScheduler):
    """lr = base_lr·f, with f going from ``start_factor`` to ``end_factor`` in a straight line.

    It arrives after ``total_iters`` steps and stays: a warm-up, with the defaults.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(
                "LinearLR needs 0 < start_factor ≤ 1 and 0 ≤ end_factor ≤ 1; got "
                f"{start_factor} and {end_factor}. Set the optimizer's lr to the largest rate."
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def _factor(self) -> float:
        if self.last_epoch == 0:
            return self.start_factor
        if self._step_count == 1 or self.last_epoch > self.total_iters:
            return 1.0
        rise = self.end_factor - self.start_factor
        return 1 + rise / (self.total_iters * self.start_factor + (self.last_epoch - 1) * rise)


class CosineAnnealingLR(LRScheduler):
    """lr = η + (base_lr − η)·(1 + cos(π·epoch / T_max)) / 2, with η = ``eta_min``.

    Half a cosine down in ``T_max`` steps (Loshchilov and Hutter 2017, eq. 5, without restarts);
    after that it climbs again, as in PyTorch.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_max < 1:
            raise ValueError(
                f"CosineAnnealingLR needs T_max ≥ 1; got {T_max}. Give the number of steps down."
            )
        self.T_max, self.eta_min = T_max, eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """From the present rates, by the ratio of two cosines."""
        groups, low, turn = self.optimizer.param_groups, self.eta_min, math.pi / self.T_max
        if self._step_count == 1:
            return [group["lr"] for group in groups]
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:  # at the bottom: 0/0
            return [
                group["lr"] + (base - low) * (1 - math.cos(turn)) / 2
                for base, group in zip(self.base_lrs, groups, strict=True)
            ]
        ratio = (1 + math.cos(turn * self.last_epoch)) / (
            1 + math.cos(turn * (self.last_epoch - 1))
        )
        return [low + (group["lr"] - low) * ratio for group in groups]


class OneCycleLR(LRScheduler):
    """Up to ``max_lr`` and down to nearly nothing, while momentum goes down and up (Smith 2018).

    The rate starts at max_lr/div_factor, is at max_lr after the fraction ``pct_start`` of the
    steps, and ends at max_lr/(div_factor·final_div_factor). Call `step` after every *batch*.

    Parameters
    ----------
    max_lr
        The largest rate, or one for each group.
    total_steps
        The number of batches in all; or give ``epochs`` and ``steps_per_epoch``.
    pct_start
        The part of the steps that climb.
    anneal_strategy
        "cos" for half a cosine in each phase, "linear" for a straight line.
    cycle_momentum
        Move momentum (β₁ in Adam) from ``max_momentum`` to ``base_momentum`` and back.
    div_factor, final_div_factor
        How many times smaller than max_lr the first rate is, and the last than the first.
    three_phase
        Come down to the first rate as slowly as it climbed, and only then go on to the last.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - PyTorch's arguments
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | Sequence[float] = 0.85,
        max_momentum: float | Sequence[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        groups = optimizer_of(self, optimizer).param_groups
        if total_steps is None and epochs is not None and steps_per_epoch is not None:
            total_steps = epochs * steps_per_epoch if min(epochs, steps_per_epoch) > 0 else 0
        if not isinstance(total_steps, int) or total_steps <= 0:
            raise ValueError(
                "OneCycleLR needs total_steps, or epochs and steps_per_epoch, positive integers; "
                f"got {total_steps}, {epochs} and {steps_per_epoch}. Pass epochs=… and "
                "steps_per_epoch=len(loader)."
            )
        if not 0 <= pct_start <= 1:
            raise ValueError(
                f"OneCycleLR needs pct_start, a part of 1; got {pct_start}. 0.3 is usual."
            )
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR knows the anneal_strategy 'cos' and 'linear'; got "
                f"{anneal_strategy!r}. Choose one of them."
            )
        self.total_steps, self.pct_start, self.three_phase = total_steps, pct_start, three_phase
        self.anneal_strategy, self.cycle_momentum = anneal_strategy, cycle_momentum
        self.use_beta1 = "betas" in optimizer.defaults
        if cycle_momentum and not self.use_beta1 and "momentum" not in optimizer.defaults:
            raise ValueError(
                f"OneCycleLR(cycle_momentum=True) needs an optimizer with momentum or betas; "
                f"{type(optimizer).__name__} has {', '.join(optimizer.defaults)}. Pass "
                "cycle_momentum=False."
            )
        peaks = for_groups(self, optimizer, "max_lr", max_lr)
        lows = for_groups(self, optimizer, "base_momentum", base_momentum)
        highs = for_groups(self, optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            for group, peak, low, high in zip(groups, peaks, lows, highs, strict=True):
                first = peak / div_factor
                group.update(initial_lr=first, max_lr=peak, min_lr=first / final_div_factor)
                if cycle_momentum:
                    group.update(base_momentum=low, max_momentum=high)
        super().__init__(optimizer, last_epoch)

    def _phase(self) -> tuple[list[str], float]:
        """What rate and momentum go from and to at this step, and what share of the way is done."""
        climb, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
        up = "initial_lr max_lr max_momentum base_momentum"
        if self.three_phase:
            down = "max_lr initial_lr base_momentum max_momentum"
            rest = "initial_lr min_lr max_momentum max_momentum"
            phases = [(climb, up), (2 * climb, down), (last, rest)]
        else:
            phases = [(climb, up), (last, "max_lr min_lr base_momentum max_momentum")]
        start = 0.0
        while self.last_epoch > phases[0][0] and len(phases) > 1:
            start = phases.pop(0)[0]
        end, path = phases[0]
        return path.split(), (self.last_epoch - start) / (end - start) if end != start else 1.0

    def get_lr(self) -> list[float]:
        """The rates at `last_epoch`; momentum is set on the way."""
        if self.last_epoch > self.total_steps:
            raise ValueError(
                f"OneCycleLR was built for total_steps={self.total_steps}; this is step "
                f"{self.last_epoch}. Count the batches of all epochs: epochs=…, "
                "steps_per_epoch=len(loader)."
            )
        (lr0, lr1, m0, m1), share = self._phase()
        if self.anneal_strategy == "cos":
            share = (1 - math.cos(math.pi * share)) / 2
        if self.cycle_momentum:
            for group in self.optimizer.param_groups:
                momentum = group[m0] + (group[m1] - group[m0]) * share
                if self.use_beta1:
                    group["betas"] = (momentum, *group["betas"][1:])
                else:
                    group["momentum"] = momentum
        groups = self.optimizer.param_groups
        return [group[lr0] + (group[lr1] - group[lr0]) * share for group in groups]
