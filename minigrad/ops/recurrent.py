"""What a recurrence needs beyond matrix products: the LSTM's cell.

A recurrent layer is a graph of its time steps, so its gradient is backpropagation through time
(Werbos 1990) by the engine's own sweep. The cell has several outputs and one rule for the
gradients of all: a dict, place of the output → gradient, of those that were used.
"""

from __future__ import annotations

from typing import Any

from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.elementwise import sigmoid, tanh
from minigrad.ops.joining import cat

# ── the cell of the LSTM ─────────────────────────────────────────────────────────────────────────

_H, _C, _I, _F, _K, _O = range(6)  # the places of the cell's outputs


@primitive(outputs=("h_next", "c_next", "i", "f", "k", "o"))
def _lstm_cell(z: Array, c: Array) -> tuple[Array, ...]:
    xp = namespace(z)
    n = c.shape[-1]
    s = 0.5 * xp.tanh(0.5 * z) + 0.5  # σ(z), in a form that cannot overflow
    i, f, o = s[..., :n], s[..., n : 2 * n], s[..., 3 * n :]
    k = xp.tanh(z[..., 2 * n : 3 * n])
    c_next = f * c + i * k
    return o * xp.tanh(c_next), c_next, i, f, k, o


def _to_memory(g: dict[int, Any], c_next: Any, o: Any) -> Any:
    """δ = ∂L/∂c′, with what came through h′ = o·tanh c′."""
    t = tanh(c_next)
    return g.get(_C, 0.0) + g.get(_H, 0.0) * o * (1 - t * t)


def _to_gates(g: dict[int, Any], c: Any, c_next: Any, i: Any, f: Any, k: Any, o: Any) -> Any:
    """∂L/∂z: what reached each gate, times the slope of its σ or tanh."""
    d = _to_memory(g, c_next, o)
    return cat(
        [
            (d * k + g.get(_I, 0.0)) * (i * (1 - i)),
            (d * c + g.get(_F, 0.0)) * (f * (1 - f)),
            (d * i + g.get(_K, 0.0)) * (1 - k * k),
            (g.get(_H, 0.0) * tanh(c_next) + g.get(_O, 0.0)) * (o * (1 - o)),
        ],
        -1,
    )


_lstm_cell.vjp(
    z={...: lambda g, c, c_next, i, f, k, o: _to_gates(g, c, c_next, i, f, k, o)},
    c={...: lambda g, c_next, f, o: _to_memory(g, c_next, o) * f},  # where a gradient lives long
)


def lstm_cell(z: Any, c: Any) -> tuple[Any, Any]:
    """(h′, c′) with c′ = f·c + i·k, h′ = o·tanh c′ and i, f, k, o = σ(z₁), σ(z₂), tanh z₃, σ(z₄).

    z (…, 4H) holds the pre-activations of the input gate, the forget gate, the candidate and the
    output gate side by side; c (…, H) is the memory before.
    Source: Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000 (the forget gate).
    """
    h_next, c_next, *_ = _lstm_cell(z, c)
    return h_next, c_next


def lstm_cell_composite(z: Any, c: Any) -> tuple[Any, Any]:
    """`lstm_cell` built from primitives: the same numbers at every order."""
    n = c.shape[-1]
    i, f = sigmoid(z[..., :n]), sigmoid(z[..., n : 2 * n])
    k, o = tanh(z[..., 2 * n : 3 * n]), sigmoid(z[..., 3 * n :])
    c_next = f * c + i * k
    return o * tanh(c_next), c_next
