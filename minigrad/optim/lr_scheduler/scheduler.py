"""LRScheduler: what every schedule shares."""

from __future__ import annotations

import warnings
from typing import Any

from minigrad.optim.optimizer import Optimizer


class LRScheduler:
    """Base class: a subclass writes `get_lr`, or a ``_factor`` for the present rate.

    Attributes
    ----------
    last_epoch
        How many times `step` has been called, from 0.
    base_lrs
        The rate that each group started with; kept in the group as ``"initial_lr"``.
    """

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        self.optimizer = optimizer_of(self, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"])
            elif "initial_lr" not in group:
                raise KeyError(
                    f"{type(self).__name__} with last_epoch={last_epoch} resumes, and needs "
                    f"'initial_lr' in param_groups[{i}]; found {sorted(group)}. Load the "
                    "optimizer's state_dict first, or start anew with last_epoch=-1."
                )
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._step_count = 0
        self.step()

    def step(self) -> None:
        """Move on by one, and set the learning rate of every group."""
        if self._step_count == 1 and not self.optimizer.stepped:
            warnings.warn(
                f"{type(self).__name__}.step() came before the first optimizer.step(), so the "
                "first learning rate of the schedule is never used. Call optimizer.step() first.",
                UserWarning,
                stacklevel=2,
            )
        self._step_count += 1
        self.last_epoch += 1
        for group, lr in zip(self.optimizer.param_groups, self.get_lr(), strict=True):
            group["lr"] = lr
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def get_lr(self) -> list[float]:
        """Compute the rate of each group at `last_epoch`; `step` calls it, `get_last_lr` tells."""
        factor = self._factor()
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _factor(self) -> float:
        """The rate at `last_epoch` over the one before."""
        raise NotImplementedError(
            f"{type(self).__name__} has no get_lr(); write one that answers a rate for each group."
        )

    def get_last_lr(self) -> list[float]:
        """The rate of each group that `step` set last."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, which has a state_dict of its own."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over where `state_dict` was made; the optimizer's state holds the rates."""
        vars(self).update(state_dict)


def optimizer_of(scheduler: LRScheduler, optimizer: Any) -> Optimizer:
    """The optimizer, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(
            f"{type(scheduler).__name__} schedules an optimizer; got a {type(optimizer).__name__}. "
            "Pass the optimizer itself."
        )
    return optimizer


def for_groups(scheduler: LRScheduler, optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """One value for each group: the ones given, or the one given for all."""
    if not isinstance(value, list | tuple):
        return [value] * len(optimizer.param_groups)
    if len(value) != len(optimizer.param_groups):
        raise ValueError(
            f"{type(scheduler).__name__} needs one {name}, or one for each of the "
            f"{len(optimizer.param_groups)} groups; got {len(value)}. Give as many as groups."
        )
    return list(value)
