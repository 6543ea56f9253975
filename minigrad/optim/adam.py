"""Adam and its relatives: steps from the running means of the gradient and of its square."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from minigrad.backend import namespace
from minigrad.optim.entrywise import Entrywise, State, mean, past


class Adam(Entrywise):
    """p ← p − lr·m̂/(√v̂ + ε), with m and v the running means of g and g² (Kingma and Ba 2015).

    The hats divide by 1 − βᵗ, which makes up for starting at zero. With ``amsgrad`` v̂ is the
    largest so far (Reddi, Kale and Kumar 2018). ``weight_decay`` adds weight_decay·p to g; with
    ``decoupled_weight_decay`` it shrinks p itself instead, which is `AdamW`. ``maximize`` climbs.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=amsgrad,
            maximize=maximize,
            decoupled_weight_decay=decoupled_weight_decay,
        )

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        step, m, v = _moments(g, state, group["betas"])
        xp = namespace(g)
        if group["amsgrad"]:
            v = state["max_exp_avg_sq"] = xp.maximum(past(state, "max_exp_avg_sq", v), v)
        root = (1 - beta2**step) ** 0.5  # of what v̂ is v over; taken out of the fraction
        return (lr * root / (1 - beta1**step)) * (m / (xp.sqrt(v) + root * group["eps"]))


class AdamW(Adam):
    """`Adam` with weight decay taken from the parameter itself (Loshchilov and Hutter 2019)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )


class Adamax(Entrywise):
    """p ← p − lr·m̂/u, with u ← max(β₂·u, |g| + ε): Adam by the largest gradient (Kingma and Ba)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, maximize=maximize
        )

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        (beta1, beta2), xp = group["betas"], namespace(g)
        step = state["step"] = int(state.get("step", 0)) + 1
        m = mean(state, "exp_avg", g, beta1)
        u = xp.maximum(beta2 * past(state, "exp_inf", g), xp.abs(g) + group["eps"])
        state["exp_inf"] = u
        return group["lr"] / (1 - beta1**step) * (m / u)


class NAdam(Entrywise):
    """Adam with Nesterov's step: this gradient and the next momentum together (Dozat 2016).

    p ← p − lr·((1 − μ)/(1 − Πμ)·g + μ′/(1 − Πμ·μ′)·m)/(√v̂ + ε), with the momentum
    μ = β₁·(1 − 0.96^(t·momentum_decay)/2) of this step and μ′ of the next.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            momentum_decay=momentum_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        step, m, v = _moments(g, state, group["betas"])
        mu, after = (
            beta1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"])) for t in (step, step + 1)
        )
        product = state["mu_product"] = float(state.get("mu_product", 1.0)) * mu
        root = namespace(g).sqrt(v / (1 - beta2**step)) + group["eps"]
        now, ahead = lr * (1 - mu) / (1 - product), lr * after / (1 - product * after)
        return now * (g / root) + ahead * (m / root)


class RAdam(Entrywise):
    """Adam that waits with √v̂ until its variance is known: a warm-up by itself (Liu et al. 2020).

    p ← p − lr·m̂·r·√(1 − β₂ᵗ)/(√v + ε), with r = √((ρ−4)(ρ−2)ρ∞/((ρ∞−4)(ρ∞−2)ρ)) where ρ > 5,
    else p ← p − lr·m̂; ρ∞ = 2/(1 − β₂) − 1 and ρ = ρ∞ − 2tβ₂ᵗ/(1 − β₂ᵗ).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            decoupled_weight_decay=decoupled_weight_decay,
            maximize=maximize,
        )

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        lr, (beta1, beta2) = group["lr"], group["betas"]
        step, m, v = _moments(g, state, group["betas"])
        change = m / (1 - beta1**step)
        left = 1 - beta2**step
        limit = 2 / (1 - beta2) - 1
        rho = limit - 2 * step * beta2**step / left
        if rho > 5:  # noqa: PLR2004 - below, the variance is not known
            ratio = (rho - 4) * (rho - 2) * limit / ((limit - 4) * (limit - 2) * rho)
            change = change * (math.sqrt(ratio * left) / (namespace(g).sqrt(v) + group["eps"]))
        return lr * change


def _moments(g: Any, state: State, betas: tuple[float, float]) -> tuple[int, Any, Any]:
    """The number of this step, and the running means of g and g²."""
    step = state["step"] = int(state.get("step", 0)) + 1
    return step, mean(state, "exp_avg", g, betas[0]), mean(state, "exp_avg_sq", g * g, betas[1])
