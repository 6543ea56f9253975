"""Optimizers: from gradients to steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from minigrad import backend
from minigrad.backend import namespace
from minigrad.operation import clock
from minigrad.tensor import Tensor


class Optimizer:
    """Base class: parameters in groups, each with its settings; a subclass writes ``_update``."""

    def __init__(self, params: Iterable[Any], **defaults: Any) -> None:
        given = list(params)
        if not given:
            raise ValueError(
                f"{type(self).__name__} needs parameters; got none. Pass model.parameters() of a "
                "module that has some (a generator can be used only once)."
            )
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Take on further parameters, with settings of their own."""
        params = group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        for p in params:
            if not isinstance(p, Tensor) or not p.is_leaf:
                raise TypeError(
                    f"{type(self).__name__} optimises leaf tensors; got {p!r}. "
                    "Pass parameters, not results computed from them."
                )
        self.param_groups.append({**self.defaults, **group, "params": params})

    def zero_grad(self) -> None:
        """Forget the gradients; without this they add up from step to step."""
        for group in self.param_groups:
            for p in group["params"]:
                p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    self._update(p, p.grad.data, self.state.setdefault(p, {}), group)
                    p.written = clock()

    def _update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Settings and running averages, with parameters numbered in order."""
        params = [p for group in self.param_groups for p in group["params"]]
        number = {p: i for i, p in enumerate(params)}
        groups = [
            {**group, "params": [number[p] for p in group["params"]]} for group in self.param_groups
        ]
        return {
            "state": {number[p]: dict(kept) for p, kept in self.state.items()},
            "param_groups": groups,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over settings and running averages from `state_dict`."""
        found = [len(group["params"]) for group in state_dict["param_groups"]]
        wanted = [len(group["params"]) for group in self.param_groups]
        if found != wanted:
            raise ValueError(
                f"load_state_dict of {type(self).__name__} needs groups of {wanted} parameters; "
                f"found {found}. Build the optimizer as it was saved."
            )
        params = [p for group in self.param_groups for p in group["params"]]
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({key: value for key, value in saved.items() if key != "params"})
        self.state = {
            params[int(i)]: {
                key: backend.copy_as(value, params[int(i)].data)
                if backend.is_array(value) and value.shape
                else value
                for key, value in kept.items()
            }
            for i, kept in state_dict["state"].items()
        }


class SGD(Optimizer):
    """p ← p − lr·v, with v ← momentum·v + (1 − dampening)·(g + weight_decay·p).

    With ``nesterov`` the step is g + momentum·v (Sutskever et al. 2013; PyTorch's form).
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
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
        )

    def _update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if group["weight_decay"]:
            g = g + group["weight_decay"] * p.data
        if momentum := group["momentum"]:
            v = state.get("momentum_buffer")
            v = g if v is None else momentum * v + (1 - group["dampening"]) * g
            state["momentum_buffer"] = v
            g = g + momentum * v if group["nesterov"] else v
        p.data -= group["lr"] * g


class Adam(Optimizer):
    """p ← p − lr·m̂/(√v̂ + ε), with m and v the running means of g and g² (Kingma and Ba 2015).

    The hats divide by 1 − βᵗ, which makes up for starting at zero.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def _update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        self._adam(
            p, g + group["weight_decay"] * p.data if group["weight_decay"] else g, state, group
        )

    def _adam(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        beta1, beta2 = group["betas"]
        step = state["step"] = int(state.get("step", 0)) + 1
        state["exp_avg"] = beta1 * state.get("exp_avg", 0.0) + (1 - beta1) * g
        state["exp_avg_sq"] = beta2 * state.get("exp_avg_sq", 0.0) + (1 - beta2) * (g * g)
        root = namespace(g).sqrt(state["exp_avg_sq"]) / (1 - beta2**step) ** 0.5
        p.data -= group["lr"] / (1 - beta1**step) * (state["exp_avg"] / (root + group["eps"]))


class AdamW(Adam):
    """`Adam` with weight decay taken from the parameter itself (Loshchilov and Hutter 2019)."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def _update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        p.data *= 1 - group["lr"] * group["weight_decay"]
        self._adam(p, g, state, group)
