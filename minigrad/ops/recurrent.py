"""What a recurrence needs beyond matrix products: the LSTM's cell.

A recurrent layer is a graph of its time steps, so its gradient is backpropagation through time
(Werbos 1990) by the engine's own sweep. The cell has several outputs and one rule for the
gradients of all: a dict, place of the output → gradient, of those that were used.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import Array, namespace
from minigrad.operation import primitive
from minigrad.ops.elementwise import sigmoid, tanh
from minigrad.ops.joining import cat
from minigrad.tensor import Tensor

# ── the cell of the LSTM ─────────────────────────────────────────────────────────────────────────

_H, _C, _S, _T = range(4)  # the places of the cell's outputs


@primitive(outputs=("h_next", "c_next", "s", "t"))
def _lstm_cell(z: Array, c: Array) -> tuple[Array, ...]:
    xp, half = namespace(z), _gates(c.shape[-1], z, 0.5, 1.0)
    # All four gates at once: σ(z) = tanh(z/2)/2 + 1/2, in a form that cannot overflow.
    s = xp.tanh(z * half) * half + (1 - half)
    i, f, k, o = _parts(s)
    c_next = f * c + i * k
    t = xp.tanh(c_next)
    return o * t, c_next, s, t


def _gates(n: int, like: Any, sigma: float, tanh: float) -> Any:
    """One number for the entries of i, f and o, another for those of k, as a row (4H,)."""
    raw = like.data if isinstance(like, Tensor) else like
    return _row(n, sigma, tanh, backend.of(raw), raw.dtype)


@functools.lru_cache(maxsize=64)
def _row(n: int, sigma: float, tanh: float, place: backend.Backend, dtype: Any) -> Array:
    row = np.full(4 * n, sigma, str(dtype).rpartition(".")[2])
    row[2 * n : 3 * n] = tanh
    return place.from_numpy(row)


def _parts(s: Any) -> list[Any]:
    """i, f, k and o, which stand side by side."""
    n = s.shape[-1] // 4
    return [s[..., j * n : (j + 1) * n] for j in range(4)]


def _plus(x: Any, y: Any) -> Any:
    """x + y, where either may be None: not there."""
    return y if x is None else x if y is None else x + y


def _to_memory(g: dict[int, Any], s: Any, t: Any) -> Any:
    """δ = ∂L/∂c′: what came to c′ itself, and through t = tanh c′ from h′ = o·t."""
    through = _plus(g[_H] * _parts(s)[3] if _H in g else None, g.get(_T))
    reached = _plus(g.get(_C), None if through is None else through * (1 - t * t))
    return 0.0 * t if reached is None else reached


def _to_gates(g: dict[int, Any], c: Any, s: Any, t: Any) -> Any:
    """∂L/∂z: what reached each gate, times the slope s·(1 − s) of σ or (1 + s)·(1 − s) of tanh."""
    i, _, k, _ = _parts(s)
    d = _to_memory(g, s, t)
    reached = cat([d * k, d * c, d * i, g[_H] * t if _H in g else 0.0 * t], -1)
    return _plus(reached, g.get(_S)) * ((s + _gates(c.shape[-1], c, 0.0, 1.0)) * (1 - s))


_lstm_cell.vjp(
    z={...: lambda g, c, s, t: _to_gates(g, c, s, t)},
    c={...: lambda g, s, t: _to_memory(g, s, t) * _parts(s)[1]},  # where a gradient lives long
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
