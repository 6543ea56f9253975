"""Recurrent layers: one cell, applied along a sequence, that hands its state on.

The products with the input are taken for all time steps at once; what remains in the loop is the
product with the state and the cell. Each step is part of the graph, so backpropagation through
time needs no rule of its own.
"""

from __future__ import annotations

import warnings
from typing import Any

from minigrad import backend, ops
from minigrad.nn import functional
from minigrad.nn.cells import (
    GRUCell,
    GRUStep,
    LSTMCell,
    LSTMStep,
    Recurrent,
    RNNCell,
    RNNStep,
    pair,
)
from minigrad.tensor import Tensor

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell"]


class _Layers(Recurrent):
    """Layers of one cell, one or both ways through the sequence; see `RNN` for the shapes."""

    states: tuple[str, ...] = ("h_0",)
    proj_size = 0

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, dropout
        self.bidirectional = bidirectional
        self.check_sizes()
        name = type(self).__name__
        if num_layers < 1:
            raise ValueError(f"{name} needs num_layers of at least 1; got {num_layers}. Use 1.")
        if not 0 <= dropout <= 1:
            raise ValueError(
                f"{name} needs dropout from 0 to 1; got {dropout}. It is the probability of "
                "setting an output to zero."
            )
        if dropout and num_layers == 1:
            warnings.warn(
                f"{name} drops out between its layers; with num_layers=1 dropout={dropout} does "
                "nothing. Put a nn.Dropout behind it, or add layers.",
                stacklevel=2,
            )
        out = self.proj_size or hidden_size
        for layer in range(num_layers):
            for way in self._ways():
                inputs = input_size if layer == 0 else out * len(self._ways())
                self._add(f"_l{layer}{way}", inputs, out)

    def _ways(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _run(self, x: Any, hx: tuple[Any, ...] | None) -> tuple[Any, tuple[Any, ...]]:
        """The last layer's outputs, and each layer's last state."""
        x = x if isinstance(x, Tensor) else Tensor(x)
        self._check_input(x)
        batched = x.ndim == 3  # noqa: PLR2004 - steps, batch, features
        if batched and self.batch_first:
            x = ops.transpose(x, 0, 1)  # (T, N, in)
        elif not batched:
            x = ops.unsqueeze(x, 1)  # (T, 1, in)
        starts = self._starts(x, hx, batched)
        ends: list[tuple[Any, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout:
                x = functional.dropout(x, self.dropout, self.training)
            ways = []
            for way in self._ways():
                y, end = self._along(x, starts[len(ends)], f"_l{layer}{way}")
                ways.append(y)
                ends.append(end)
            x = ways[0] if len(ways) == 1 else ops.cat(ways, -1)  # (T, N, ways·H)
        last = tuple(ops.stack(part) for part in zip(*ends, strict=True))  # (layers·ways, N, H)
        if not batched:
            return ops.squeeze(x, 1), tuple(ops.squeeze(part, 1) for part in last)
        return (ops.transpose(x, 0, 1) if self.batch_first else x), last

    def _along(self, x: Any, state: tuple[Any, ...], suffix: str) -> tuple[Any, tuple[Any, ...]]:
        """One layer, one way: its outputs in the order of x, and its last state."""
        backwards = suffix.endswith("_reverse")
        w = self._weights(suffix)
        steps = ops.unbind(self._enter(x, w))
        outputs = []
        for z in reversed(steps) if backwards else steps:
            state = self._step(z, state, w)
            outputs.append(state[0])
        return ops.stack(outputs[::-1] if backwards else outputs), state

    def _starts(self, x: Tensor, hx: tuple[Any, ...] | None, batched: bool) -> list[Any]:
        """For each layer and way the state to start from: ``hx``, or zeros."""
        n, rows = x.shape[1], self.num_layers * len(self._ways())
        sizes = {"h_0": self.proj_size or self.hidden_size, "c_0": self.hidden_size}
        shapes = [(rows, n, sizes[name]) for name in self.states]
        if hx is None:
            zeros = tuple(Tensor(backend.zeros(shape[1:], like=x.data)) for shape in shapes)
            return [zeros] * rows
        given = []
        for name, state, shape in zip(self.states, hx, shapes, strict=True):
            axes = "(layers·ways, batch, size)" if batched else "(layers·ways, size)"
            wanted = shape if batched else (rows, shape[2])
            checked = self.check_state(name, state, wanted, axes)
            given.append(ops.unbind(ops.reshape(checked, shape)))
        return list(zip(*given, strict=True))

    def _check_input(self, x: Tensor) -> None:
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            axes = "(N, T, {0})" if self.batch_first else "(T, N, {0})"
            wanted = f"{axes} or, without a batch, (T, {{0}})".format(self.input_size)
            size = f"Set input_size={x.shape[-1]}, or reshape" if x.ndim in (2, 3) else "Reshape"
            raise ValueError(
                f"{self._place()} needs inputs of shape {wanted}; got {x.shape}. {size} before it."
            )
        if not x.shape[1 if self.batch_first and x.ndim == 3 else 0]:  # noqa: PLR2004
            raise ValueError(
                f"{self._place()} needs a sequence of at least one step; got shape {x.shape}. "
                "Leave empty sequences out."
            )

    def flatten_parameters(self) -> None:
        """Nothing: PyTorch's request to cuDNN for weights in one piece of memory."""

    def extra_repr(self) -> str:
        """Its settings, where they are not the default."""
        settings = {
            "num_layers": (self.num_layers, 1),
            "bias": (self.bias, True),
            "batch_first": (self.batch_first, False),
            "dropout": (self.dropout, 0.0),
            "bidirectional": (self.bidirectional, False),
            "proj_size": (self.proj_size, 0),
            "nonlinearity": (self.nonlinearity, "tanh"),
        }
        told = [f"{name}={value!r}" for name, (value, usual) in settings.items() if value != usual]
        return ", ".join([str(self.input_size), str(self.hidden_size), *told])


class RNN(RNNStep, _Layers):
    """hₜ = tanh(xₜ·W_ihᵀ + b_ih + hₜ₋₁·W_hhᵀ + b_hh), or with relu for tanh.

    Input (T, N, in), with ``batch_first`` (N, T, in), or (T, in) without a batch; h_0
    (layers·ways, N, H), zeros if it is left out. Output (T, N, ways·H) from the last layer, and
    h_n (layers·ways, N, H). The second of two ways (``bidirectional``) reads from the end, and
    outputs stand side by side. Between layers, in training, ``dropout`` sets outputs to zero.

    Parameters weight_ih_l0 (H, in), weight_hh_l0 (H, H), bias_ih_l0 and bias_hh_l0 (H,), and so
    on for l1 …; ``_reverse`` is appended for the second way. All start uniform in ±1/√H.

    Source: Elman 1990; both ways: Schuster and Paliwal 1997.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        self.nonlinearity = nonlinearity
        self.check_nonlinearity()
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """(output, h_n) of a sequence, from the state ``hx``."""
        output, (h_n,) = self._run(input, None if hx is None else (hx,))
        return output, h_n


class LSTM(LSTMStep, _Layers):
    """cₜ = f·cₜ₋₁ + i·k and hₜ = o·tanh cₜ, with i, f, o = σ(z), k = tanh z.

    Each z is xₜ·W_ihᵀ + b_ih + hₜ₋₁·W_hhᵀ + b_hh with a quarter of the rows, in the order i, f,
    k, o: weight_ih_l0 is (4H, in). The memory c is passed on by a product with f alone, so its
    gradient does not shrink where f stays near 1. Shapes are those of `RNN`; the state is a pair
    (h_0, c_0). With ``proj_size`` P > 0 h is projected to (…, P) by weight_hr_l0 (P, H).

    Source: Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 (the forget gate);
    Sak, Senior and Beaufays 2014 (the projection).
    """

    states = ("h_0", "c_0")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
    ) -> None:
        if not 0 <= proj_size < max(hidden_size, 1):
            raise ValueError(
                f"LSTM needs proj_size from 0 (none) to less than hidden_size={hidden_size}; got "
                f"{proj_size}. A projection makes h smaller."
            )
        self.proj_size = proj_size
        super().__init__(
            input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional
        )

    def _add(self, suffix: str, inputs: int, state: int) -> None:
        super()._add(suffix, inputs, state)
        if self.proj_size:
            self._parameter(f"weight_hr{suffix}", self.proj_size, self.hidden_size)

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, tuple[Any, Any]]:
        """(output, (h_n, c_n)) of a sequence, from the state ``hx`` = (h_0, c_0)."""
        output, (h_n, c_n) = self._run(input, None if hx is None else pair(self, hx))
        return output, (h_n, c_n)


class GRU(GRUStep, _Layers):
    """hₜ = (1 − u)·k + u·hₜ₋₁, with r, u = σ(z) and k = tanh(xₜ·Wᵀ + b + r·(hₜ₋₁·Uᵀ + c)).

    Each z is xₜ·W_ihᵀ + b_ih + hₜ₋₁·W_hhᵀ + b_hh with a third of the rows, in the order r, u, k:
    weight_ih_l0 is (3H, in). The reset gate r acts after the product with the state, as in
    PyTorch and cuDNN (in the paper, before it). Shapes are those of `RNN`.

    Source: Cho et al. 2014.
    """

    def forward(self, input: Any, hx: Any = None) -> tuple[Any, Any]:
        """(output, h_n) of a sequence, from the state ``hx``."""
        output, (h_n,) = self._run(input, None if hx is None else (hx,))
        return output, h_n
