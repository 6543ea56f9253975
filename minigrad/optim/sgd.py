"""Gradient descent, with momentum and without."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigrad.backend import namespace
from minigrad.optim.entrywise import Entrywise, State


class SGD(Entrywise):
    """p ← p − lr·v, with v ← momentum·v + (1 − dampening)·(g + weight_decay·p).

    With ``nesterov`` the step is g + momentum·v (Sutskever et al. 2013; PyTorch's form). The
    first v is g + weight_decay·p whole. ``maximize`` climbs: −g in place of g.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        if nesterov and (momentum <= 0 or dampening):
            raise ValueError(
                f"SGD(nesterov=True) needs momentum > 0 and dampening = 0; got {momentum} and "
                f"{dampening}. Set them so, or drop nesterov."
            )
        super().__init__(
            params,
            lr=lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=nesterov,
            maximize=maximize,
        )

    def _joins(self, group: dict[str, Any]) -> bool:
        return bool(group["momentum"])

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        if momentum := group["momentum"]:
            v = state.get("momentum_buffer")
            if v is None:
                v = state["momentum_buffer"] = namespace(g).asarray(g, copy=True)
            else:
                v *= momentum
                v += (1 - group["dampening"]) * g
            g = g + momentum * v if group["nesterov"] else v
        return group["lr"] * g
