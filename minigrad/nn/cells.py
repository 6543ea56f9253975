"""Recurrent cells: what happens at one time step, and the weights it happens with."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from minigrad import backend, ops
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter
from minigrad.ops.recurrent import lstm_cell
from minigrad.tensor import Tensor

_NONLINEARITIES = {"tanh": ops.tanh, "relu": ops.relu}


class Weights(NamedTuple):
    """The parameters of one layer and way; None for those it does without."""

    ih: Any
    hh: Any
    b_ih: Any
    b_hh: Any
    hr: Any


class Recurrent(Module):
    """What a layer of many steps and a cell of one share: sizes, weights and how they start."""

    blocks = 1  # how many hidden_size's of rows the weights have: one per gate
    nonlinearity = "tanh"
    input_size: int
    hidden_size: int
    bias: bool

    def _add(self, suffix: str, inputs: int, state: int) -> None:
        """Weights (blocks·H, inputs) and (blocks·H, state), biases (blocks·H,): U(±1/√H)."""
        rows = self.blocks * self.hidden_size
        self._parameter(f"weight_ih{suffix}", rows, inputs)
        self._parameter(f"weight_hh{suffix}", rows, state)
        if self.bias:
            self._parameter(f"bias_ih{suffix}", rows)
            self._parameter(f"bias_hh{suffix}", rows)

    def _parameter(self, name: str, *shape: int) -> None:
        bound = 1 / math.sqrt(self.hidden_size)
        setattr(self, name, init.uniform_(Parameter(ops.zeros(*shape)), -bound, bound))

    def _weights(self, suffix: str) -> Weights:
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")
        return Weights(*[getattr(self, name + suffix, None) for name in names])

    def _enter(self, x: Any, w: Weights) -> Any:
        """x·W_ihᵀ + b_ih + b_hh, of all time steps at once."""
        return ops.linear(x, w.ih) if w.b_ih is None else ops.linear(x, w.ih, w.b_ih + w.b_hh)

    def _step(self, z: Any, state: tuple[Any, ...], w: Weights) -> tuple[Any, ...]:
        """One time step: from what entered and the state before, the state after."""
        raise NotImplementedError

    def check_sizes(self) -> None:
        """Refuse sizes that no weight can have."""
        for name in ("input_size", "hidden_size"):
            size = getattr(self, name)
            if not isinstance(size, int) or size < 1:
                raise ValueError(
                    f"{type(self).__name__} needs {name} of at least 1; got {size!r}. "
                    "Give the size of the last axis."
                )

    def check_nonlinearity(self) -> None:
        """Refuse a nonlinearity that is not known."""
        if self.nonlinearity not in _NONLINEARITIES:
            raise ValueError(
                f"{type(self).__name__} knows the nonlinearities 'tanh' and 'relu'; got "
                f"{self.nonlinearity!r}. Use one of them."
            )

    def check_state(self, name: str, state: Any, shape: tuple[int, ...], axes: str) -> Any:
        """``state`` as a Tensor, if it has the right shape."""
        state = state if isinstance(state, Tensor) else Tensor(state)
        if state.shape != shape:
            raise ValueError(
                f"{self._place()} needs {name} of shape {shape}, which is {axes}; got "
                f"{state.shape}. Pass such a state, or none to start from zeros."
            )
        return state


class RNNStep(Recurrent):
    """The step of Elman's network."""

    def _step(self, z: Any, state: tuple[Any, ...], w: Weights) -> tuple[Any, ...]:
        """h′ = tanh(z + h·W_hhᵀ)."""
        return (_NONLINEARITIES[self.nonlinearity](ops.linear(state[0], w.hh, z)),)


class LSTMStep(Recurrent):
    """The step of the long short-term memory."""

    blocks = 4

    def _step(self, z: Any, state: tuple[Any, ...], w: Weights) -> tuple[Any, ...]:
        """h′ and c′ of `ops.recurrent.lstm_cell`; h′ projected where there is a weight_hr."""
        h, c = lstm_cell(ops.linear(state[0], w.hh, z), state[1])
        return (h if w.hr is None else ops.linear(h, w.hr)), c


class GRUStep(Recurrent):
    """The step of the gated recurrent unit."""

    blocks = 3

    def _enter(self, x: Any, w: Weights) -> Any:
        """x·W_ihᵀ + b_ih alone: b_hh belongs inside the reset gate."""
        return ops.linear(x, w.ih) if w.b_ih is None else ops.linear(x, w.ih, w.b_ih)

    def _step(self, z: Any, state: tuple[Any, ...], w: Weights) -> tuple[Any, ...]:
        """h′ = (1 − u)·k + u·h with r, u = σ(z + zₕ) and k = tanh(z + r·zₕ), zₕ = h·Wᵀ + b."""
        (h,), n = state, self.hidden_size
        zh = ops.linear(h, w.hh) if w.b_hh is None else ops.linear(h, w.hh, w.b_hh)
        gates = ops.sigmoid(z[..., : 2 * n] + zh[..., : 2 * n])
        r, u = gates[..., :n], gates[..., n:]
        k = ops.tanh(z[..., 2 * n :] + r * zh[..., 2 * n :])
        return (k + u * (h - k),)


def pair(module: Recurrent, hx: Any) -> tuple[Any, Any]:
    """``hx`` as the pair (h, c) that an LSTM needs."""
    if not isinstance(hx, tuple | list) or len(hx) != 2:  # noqa: PLR2004 - h and c
        raise ValueError(
            f"{module._place()} needs its state as a pair (h, c); got {type(hx).__name__}. "
            "Pass both, or none to start from zeros."
        )
    return hx[0], hx[1]


# ── cells: a single step ─────────────────────────────────────────────────────────────────────────


class _Cell(Recurrent):
    """One step of the layer of the same name, for loops written by hand."""

    states: tuple[str, ...] = ("h",)

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        self.check_sizes()
        self._add("", input_size, hidden_size)

    def _run(self, x: Any, hx: tuple[Any, ...] | None) -> tuple[Any, ...]:
        x = x if isinstance(x, Tensor) else Tensor(x)
        if x.ndim not in (1, 2) or x.shape[-1] != self.input_size:
            size = f"Set input_size={x.shape[-1]}, or reshape" if x.ndim in (1, 2) else "Reshape"
            raise ValueError(
                f"{self._place()} needs inputs of shape (N, {self.input_size}) or, without a "
                f"batch, ({self.input_size},); got {x.shape}. {size} before it."
            )
        shape = (*x.shape[:-1], self.hidden_size)
        if hx is None:
            state = (Tensor(backend.zeros(shape, like=x.data)),) * len(self.states)
        else:
            pairs = zip(self.states, hx, strict=True)
            axes = "(batch, size)" if x.ndim > 1 else "(size,)"
            state = tuple(self.check_state(name, given, shape, axes) for name, given in pairs)
        w = self._weights("")
        return self._step(self._enter(x, w), state, w)

    def extra_repr(self) -> str:
        """Its sizes."""
        told = [] if self.bias else ["bias=False"]
        told += [] if self.nonlinearity == "tanh" else [f"nonlinearity={self.nonlinearity!r}"]
        return ", ".join([str(self.input_size), str(self.hidden_size), *told])


class RNNCell(RNNStep, _Cell):
    """One step of `RNN`: x (N, in) or (in,) and h (N, H) or (H,) give h′."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        self.nonlinearity = nonlinearity
        self.check_nonlinearity()
        super().__init__(input_size, hidden_size, bias)

    def forward(self, input: Any, hx: Any = None) -> Any:
        """h′ from x and h."""
        return self._run(input, None if hx is None else (hx,))[0]


class LSTMCell(LSTMStep, _Cell):
    """One step of `LSTM`: x (N, in) or (in,) and (h, c), each (N, H) or (H,), give (h′, c′)."""

    states = ("h", "c")

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """(h′, c′) from x and (h, c)."""
        h, c = self._run(input, None if hx is None else pair(self, hx))
        return h, c


class GRUCell(GRUStep, _Cell):
    """One step of `GRU`: x (N, in) or (in,) and h (N, H) or (H,) give h′."""

    def forward(self, input: Any, hx: Any = None) -> Any:
        """h′ from x and h."""
        return self._run(input, None if hx is None else (hx,))[0]
