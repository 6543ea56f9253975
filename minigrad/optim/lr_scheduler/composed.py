"""Several schedules on one optimizer: one after the other, or all at once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from minigrad.optim.lr_scheduler.scheduler import LRScheduler, optimizer_of
from minigrad.optim.optimizer import Optimizer


class _Composed(LRScheduler):
    """What schedules made of schedules share: their states are saved inside its own."""

    schedulers: Sequence[LRScheduler]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, with the states of the schedules."""
        return {**super().state_dict(), "schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over where `state_dict` was made."""
        rest = dict(state_dict)
        for scheduler, kept in zip(self.schedulers, rest.pop("schedulers"), strict=True):
            scheduler.load_state_dict(kept)
        super().load_state_dict(rest)


class SequentialLR(_Composed):
    """One schedule after the other: the next takes over at each of the ``milestones``.

    Each starts from the optimizer's first rate, as if it were alone.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        self.optimizer = optimizer_of(self, optimizer)
        if len(milestones) != len(schedulers) - 1 or sorted(milestones) != list(milestones):
            raise ValueError(
                f"SequentialLR of {len(schedulers)} schedules needs {len(schedulers) - 1} "
                f"milestones in ascending order; got {list(milestones)}. Give the epoch at which "
                "each but the first begins."
            )
        if any(scheduler.optimizer is not optimizer for scheduler in schedulers):
            raise ValueError(
                "SequentialLR needs schedules of its own optimizer; found one of another. Build "
                "them all around the same."
            )
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0
        self._begin(self.schedulers[0])

    def _begin(self, scheduler: LRScheduler) -> None:
        """Start a schedule anew, from the optimizer's first rates."""
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["lr"] = lr
        scheduler.last_epoch, scheduler._step_count = -1, 0
        scheduler.step()
        self._last_lr = scheduler.get_last_lr()

    def step(self) -> None:
        """Move on by one, in the schedule whose turn it is."""
        self.last_epoch += 1
        turn = bisect_right(self.milestones, self.last_epoch)
        if turn and self.milestones[turn - 1] == self.last_epoch:
            self._begin(self.schedulers[turn])
        else:
            self.schedulers[turn].step()
            self._last_lr = self.schedulers[turn].get_last_lr()


class ChainedScheduler(_Composed):
    """All schedules at once, each changing the rate that the one before has left."""

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        self.schedulers = list(schedulers)
        if not self.schedulers:
            raise ValueError("ChainedScheduler needs schedules; got none. Pass at least one.")
        self.optimizer = self.schedulers[-1].optimizer if optimizer is None else optimizer
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def step(self) -> None:
        """Move all of them on by one."""
        for scheduler in self.schedulers:
            scheduler.step()
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]
