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
    xp, (half, rest, _) = namespace(z), _rows(c.shape[-1], z)
    # All four gates at once: σ(z) = tanh(z/2)/2 + 1/2, in a form that cannot overflow.
    s = xp.tanh(z * half)
    s *= half
    s += rest
    i, f, k, o = _gates(s)
    c_next = f * c
    c_next += i * k
    t = xp.tanh(c_next)
    return o * t, c_next, s, t


def _rows(n: int, like: Any) -> tuple[Array, Array, Array]:
    """Rows (4H,) for the gates side by side: ½, ½ and 0 where there is σ; 1, 0 and 1 for tanh."""
    raw = like.data if isinstance(like, Tensor) else like
    return _rows_of(n, backend.of(raw).name, raw.dtype)


@functools.lru_cache(maxsize=64)
def _rows_of(n: int, place: str, dtype: Any) -> tuple[Array, Array, Array]:
    is_tanh = np.zeros(4 * n, str(dtype).rpartition(".")[2])
    is_tanh[2 * n : 3 * n] = 1
    half = (1 + is_tanh) / 2
    half, rest, is_tanh = (backend.get(place).from_numpy(x) for x in (half, 1 - half, is_tanh))
    return half, rest, is_tanh


def _gates(s: Any) -> tuple[Any, Any, Any, Any]:
    """i, f, k and o, which stand side by side."""
    n = s.shape[-1] // 4
    return s[..., :n], s[..., n : 2 * n], s[..., 2 * n : 3 * n], s[..., 3 * n :]


def _plus(x: Any, y: Any) -> Any:
    """x + y, where either may be None: not there."""
    return y if x is None else x if y is None else x + y


def _to_both(g: dict[int, Any], c: Any, s: Any, t: Any) -> tuple[Any, Any]:
    """∂L/∂z and ∂L/∂c, both by way of δ = ∂L/∂c′.

    δ is what came to c′ itself, and through t = tanh c′ from h′ = o·t. The gates' slopes are
    s·(1 − s) of σ and (1 + s)·(1 − s) of tanh.
    """
    i, f, k, o = _gates(s)
    to_t = _plus(g[_H] * o if _H in g else None, g.get(_T))
    d = _plus(g.get(_C), None if to_t is None else to_t * (1 - t * t))
    if d is None:
        d = 0.0 * t
    to_gates = cat([d * k, d * c, d * i, g.get(_H, 0.0) * t], -1)
    is_tanh = _rows(c.shape[-1], c)[2]
    return _plus(to_gates, g.get(_S)) * ((s + is_tanh) * (1 - s)), d * f


_lstm_cell.vjp(lambda g, c, s, t: _to_both(g, c, s, t))


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
