"""Adagrad, RMSprop, Adadelta: steps measured by the squares of the gradients so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigrad.backend import namespace
from minigrad.optim.entrywise import Entrywise, State, mean, past


class Adagrad(Entrywise):
    """p ← p − η·g/(√Σg² + ε), with η = lr/(1 + (t − 1)·lr_decay) (Duchi, Hazan and Singer 2011)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
            maximize=maximize,
        )

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        step = state["step"] = int(state.get("step", 0)) + 1
        total = state["sum"] = state.get("sum", group["initial_accumulator_value"]) + g * g
        lr = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        return lr * (g / (namespace(g).sqrt(total) + group["eps"]))


class RMSprop(Entrywise):
    """p ← p − lr·g/(√v + ε), with v ← α·v + (1 − α)·g² (Tieleman and Hinton 2012, lecture 6e).

    With ``centered`` v − m² takes the place of v, where m is the running mean of g: the variance
    of the gradient (Graves 2013, eq. 38–45, but ε outside the root). With ``momentum`` the steps
    g/(√v + ε) are added up as b ← momentum·b + g/(√v + ε), and p ← p − lr·b.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=centered,
            maximize=maximize,
        )

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        alpha = group["alpha"]
        state["step"] = int(state.get("step", 0)) + 1
        v = mean(state, "square_avg", g * g, alpha)
        if group["centered"]:
            m = mean(state, "grad_avg", g, alpha)
            v = v - m * m
        d = g / (namespace(g).sqrt(v) + group["eps"])
        if momentum := group["momentum"]:
            d = state["momentum_buffer"] = momentum * state.get("momentum_buffer", 0.0) + d
        return group["lr"] * d


class Adadelta(Entrywise):
    """p ← p − lr·Δ with Δ = √(d + ε)/√(v + ε)·g, v and d the running means of g² and Δ².

    So a step has the unit of the parameter, and needs no rate (Zeiler 2012).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        if not 0 <= rho <= 1:
            raise ValueError(
                f"Adadelta needs rho from 0 to 1; got {rho}. It is the weight of the past in "
                "running means; 0.9 is usual."
            )
        super().__init__(
            params, lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        rho, eps, xp = group["rho"], group["eps"], namespace(g)
        v = mean(state, "square_avg", g * g, rho)
        d = past(state, "acc_delta", g)
        delta = xp.sqrt(d + eps) / xp.sqrt(v + eps) * g
        mean(state, "acc_delta", delta * delta, rho)
        return group["lr"] * delta
