"""Optimizer: from gradients to steps; what every rule for a step shares."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from minigrad import backend
from minigrad.memory import wrote
from minigrad.recording import enable_grad
from minigrad.tensor import Tensor, wrap

NUMBERS = ("step", "mu_product")  # of a state; all else are arrays like the parameter


class Optimizer:
    """Base class: parameters in groups, each with its settings; a subclass writes ``_update``.

    Rules that treat each entry by itself, as all here do, are `Entrywise`, which is faster.

    Parameters
    ----------
    params
        Leaf tensors, as ``model.parameters()`` gives them; or ``(name, tensor)`` pairs; or dicts
        with ``"params"`` and the settings of a group of its own.
    defaults, more
        The settings of every group that does not give them.

    Attributes
    ----------
    param_groups
        One dict a group: ``"params"``, ``"lr"`` and the other settings, to be read and changed.
    state
        What is kept from step to step, by parameter.
    """

    def __init__(
        self, params: Iterable[Any], defaults: dict[str, Any] | None = None, **more: Any
    ) -> None:
        name = type(self).__name__
        if isinstance(params, Tensor | set):
            raise TypeError(
                f"{name} needs parameters in an order; got a {type(params).__name__}. Pass "
                "model.parameters(), or a list."
            )
        given = list(params)
        if not given:
            raise ValueError(
                f"{name} needs parameters; got none. Pass model.parameters() of a "
                "module that has some (a generator can be used only once)."
            )
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        self.defaults = {**(defaults or {}), **more}
        self.param_groups: list[dict[str, Any]] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.stepped = False  # a schedule that runs ahead of the optimizer says so
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Take on further parameters, with settings of their own."""
        given = group["params"]
        given = [given] if isinstance(given, Tensor) else list(given)
        params = [item[1] if isinstance(item, tuple) else item for item in given]
        held = {id(p) for other in self.param_groups for p in other["params"]}
        for p in params:
            if not isinstance(p, Tensor) or not p.is_leaf:
                raise TypeError(
                    f"{type(self).__name__} optimises leaf tensors; got {p!r}. "
                    "Pass parameters, not results computed from them."
                )
            if id(p) in held:
                raise ValueError(
                    f"{type(self).__name__} was given {_called(p)} twice, which would take two "
                    "steps at once. Pass each parameter once, in one group."
                )
            held.add(id(p))
        settings = {**self.defaults, **group, "params": params}
        if given and isinstance(given[0], tuple):
            settings["param_names"] = [path for path, _ in given]
        self._check(settings)
        self.param_groups.append(settings)

    def _check(self, group: dict[str, Any]) -> None:
        """Refuse settings that cannot be meant."""
        for key in ("lr", "momentum", "weight_decay", "eps", "alpha"):
            if not float(group.get(key, 0.0)) >= 0:  # nan is refused, too
                hint = " To climb, set maximize=True." if key == "lr" else ""
                raise ValueError(
                    f"{type(self).__name__} needs {key} ≥ 0; got {group[key]}. "
                    f"Choose one that is not negative.{hint}"
                )
        for i, beta in enumerate(group.get("betas", ())):
            if not 0 <= float(beta) < 1:
                raise ValueError(
                    f"{type(self).__name__} needs betas in [0, 1); got betas[{i}] = {beta}. "
                    "They are the weights of the past in running means; (0.9, 0.999) is usual."
                )

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients (or set them to zeros); without this they add up over steps."""
        for group in self.param_groups:
            for p in group["params"]:
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = wrap(backend.zeros(p.grad.shape, p.grad.data))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        Parameters
        ----------
        closure
            Computes the gradients and answers the loss; it is called first, and its answer
            returned.

        Raises
        ------
        ValueError
            If a gradient has not its parameter's shape and dtype.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        self._move()
        self.stepped = True
        return loss

    def _move(self) -> None:
        """Move every parameter that has a gradient, and note that their arrays were written."""
        written: list[Any] = []
        try:
            for group in self.param_groups:
                climb = group.get("maximize")
                for p in group["params"]:
                    if p.grad is not None:
                        self._check_gradient(p)
                        written.append(p.data)
                        g = p.grad.data
                        self._update(p, -g if climb else g, self.state.setdefault(p, {}), group)
        finally:
            wrote(*written)

    def _check_gradient(self, p: Tensor) -> None:
        """Refuse a gradient of another shape or dtype than its parameter."""
        g: Any = p.grad
        if g.shape != p.shape or g.dtype != p.dtype:
            raise ValueError(
                f"{type(self).__name__}.step() needs a gradient like its parameter; "
                f"{_called(p)} has shape {p.shape} and dtype {p.dtype}, its .grad "
                f"{g.shape} and {g.dtype}. Clear it with zero_grad() and call backward() "
                "again, or assign one of the parameter's shape and dtype."
            )

    def _update(self, p: Tensor, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """Move one parameter by its gradient ``g``."""
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
        """Take over settings and running averages from `state_dict`; they are copied.

        Raises
        ------
        ValueError
            If the groups, or the shapes of what was kept, are others; nothing is changed then.
        """
        found = [len(group["params"]) for group in state_dict["param_groups"]]
        wanted = [len(group["params"]) for group in self.param_groups]
        if found != wanted:
            raise ValueError(
                f"load_state_dict of {type(self).__name__} needs groups of {wanted} parameters; "
                f"found {found}. Build the optimizer as it was saved."
            )
        params = [p for group in self.param_groups for p in group["params"]]
        state: dict[Tensor, dict[str, Any]] = {}
        for i, kept in state_dict["state"].items():
            p = params[int(i)]
            state[p] = {}
            for key, value in kept.items():
                raw = value.data if isinstance(value, Tensor) else value
                if backend.is_array(raw) and key in NUMBERS:  # PyTorch keeps these as tensors
                    raw = float(raw)
                elif backend.is_array(raw):
                    if tuple(raw.shape) != p.shape:
                        raise ValueError(
                            f"load_state_dict of {type(self).__name__} needs {key} of shape "
                            f"{p.shape} for {_called(p)}, number {i}; found {tuple(raw.shape)}. "
                            "Build the optimizer as it was saved, with its parameters in the "
                            "same order."
                        )
                    raw = backend.copy_as(raw, p.data)
                state[p][key] = raw
        for group, saved in zip(self.param_groups, state_dict["param_groups"], strict=True):
            group.update({key: value for key, value in saved.items() if key != "params"})
        self.state = state

    def __repr__(self) -> str:
        """The settings, one line a group."""
        lines = []
        for group in self.param_groups:
            settings = ", ".join(f"{k}={v}" for k, v in group.items() if not k.startswith("param"))
            lines.append(f"  {len(group['params'])} tensors: {settings}")
        return "\n".join([f"{type(self).__name__}(", *lines, ")"])


def _called(p: Tensor) -> str:
    """What messages call a parameter."""
    return f"parameter {p.name!r}" if p.name else f"a parameter of shape {p.shape}"
