"""The LSTM and multi-head self-attention by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from minigrad.bench.peers import Step
from minigrad.bench.peers.by_hand.perceptron import UPDATES
from minigrad.bench.workloads import Problem


def lstm_step(xp: Any, problem: Problem) -> Step:
    """All steps of the sequence, then backpropagation through time.

    Shapes: x (T, N, in), gates (T, N, 4H) in the order i, f, k, o; h and c (T + 1, N, H).
    """
    w_in, w_state, b_in, b_state = problem.weights
    x, t = problem.data["x"], problem.data["t"]
    (steps, n, inputs), size = x.shape, w_state.shape[1]
    flat = x.reshape(-1, inputs)
    update = UPDATES[problem.settings["optimizer"]](xp, problem.weights, problem.settings["lr"])

    def step() -> Sequence[Any]:
        z = flat @ w_in.T
        z += b_in + b_state
        gates = z.reshape(steps, n, 4 * size)
        h, c = xp.zeros((steps + 1, n, size), x.dtype), xp.zeros((steps + 1, n, size), x.dtype)
        tanh_c = xp.empty((steps, n, size), x.dtype)
        for s in range(steps):
            a = gates[s]
            a += h[s] @ w_state.T
            _cell(xp, a, c[s], c[s + 1], tanh_c[s], h[s + 1])

        error = h[1:] - t
        loss = (error * error).mean()
        error *= 2 / error.size  # ∂L/∂h, from outside

        d_gates = xp.empty_like(gates)
        d_h, d_c = error[-1], xp.zeros((n, size), x.dtype)
        for s in reversed(range(steps)):
            d = d_gates[s]
            _cell_back(xp, gates[s], c[s], tanh_c[s], d_h, d_c, d)
            if s:
                d_h = d @ w_state
                d_h += error[s - 1]

        flat_d = d_gates.reshape(-1, 4 * size)
        d_b = flat_d.sum(0)
        update([flat_d.T @ flat, flat_d.T @ h[:-1].reshape(-1, size), d_b, d_b.copy()])
        return (loss,)

    return step


def _cell(xp: Any, a: Any, c: Any, c_next: Any, tanh_c: Any, h_next: Any) -> None:
    """Turn pre-activations ``a`` into gates in place, and fill the last three arguments."""
    size = c.shape[1]
    i, f, o = a[:, :size], a[:, size : 2 * size], a[:, 3 * size :]
    k = xp.tanh(a[:, 2 * size : 3 * size])
    a *= 0.5  # σ(a) = tanh(a/2)/2 + 1/2
    xp.tanh(a, out=a)
    a *= 0.5
    a += 0.5
    a[:, 2 * size : 3 * size] = k
    xp.multiply(f, c, out=c_next)
    k *= i
    c_next += k
    xp.tanh(c_next, out=tanh_c)
    xp.multiply(o, tanh_c, out=h_next)


def _cell_back(xp: Any, a: Any, c: Any, tanh_c: Any, d_h: Any, d_c: Any, d: Any) -> None:
    """Fill ``d``, the gradient by the pre-activations; d_c becomes that by c."""
    size = c.shape[1]
    i, f, k, o = (a[:, j * size : (j + 1) * size] for j in range(4))
    slope = tanh_c * tanh_c
    xp.subtract(1, slope, out=slope)
    slope *= o
    slope *= d_h
    d_c += slope
    xp.multiply(d_c, k, out=d[:, :size])
    xp.multiply(d_c, c, out=d[:, size : 2 * size])
    xp.multiply(d_c, i, out=d[:, 2 * size : 3 * size])
    xp.multiply(d_h, tanh_c, out=d[:, 3 * size :])
    slopes = a * a  # of σ: a − a²; of tanh: 1 − a²
    xp.subtract(a, slopes, out=slopes)
    slopes[:, 2 * size : 3 * size] += 1
    slopes[:, 2 * size : 3 * size] -= k
    d *= slopes
    d_c *= f


def attention_step(xp: Any, problem: Problem) -> Step:
    """Projection to q, k, v; softmax(q·kᵀ/√d)·v in each head; projection back.

    Shapes: x (N, L, E); q, k, v (N, heads, L, d) with d = E/heads; weights p (N, heads, L, L).
    """
    w_in, b_in, w_out, b_out = problem.weights
    x, t, heads = problem.data["x"], problem.data["t"], problem.settings["heads"]
    n, length, width = x.shape
    d = width // heads
    flat, scale = x.reshape(-1, width), 1 / math.sqrt(d)
    target = t.reshape(-1, width)
    update = UPDATES[problem.settings["optimizer"]](xp, problem.weights, problem.settings["lr"])

    def step() -> Sequence[Any]:
        z = flat @ w_in.T
        z += b_in
        q, k, v = z.reshape(n, length, 3, heads, d).transpose(2, 0, 3, 1, 4)
        q *= scale
        p = q @ k.swapaxes(-1, -2)
        p -= p.max(-1, keepdims=True)
        xp.exp(p, out=p)
        p /= p.sum(-1, keepdims=True)
        mixed = (p @ v).swapaxes(1, 2).reshape(-1, width)  # heads side by side
        y = mixed @ w_out.T
        y += b_out

        y -= target
        loss = (y * y).mean()
        y *= 2 / y.size  # ∂L/∂y
        d_w_out, d_b_out = y.T @ mixed, y.sum(0)
        d_mixed = (y @ w_out).reshape(n, length, heads, d).swapaxes(1, 2)
        d_z = xp.empty((n, length, 3, heads, d), x.dtype)
        d_q, d_k, d_v = d_z.transpose(2, 0, 3, 1, 4)
        xp.matmul(p.swapaxes(-1, -2), d_mixed, out=d_v)
        d_p = d_mixed @ v.swapaxes(-1, -2)
        d_p -= (d_p * p).sum(-1, keepdims=True)
        d_p *= p  # ∂L/∂scores
        xp.matmul(d_p, k, out=d_q)
        d_q *= scale
        xp.matmul(d_p.swapaxes(-1, -2), q, out=d_k)
        d_flat = d_z.reshape(-1, 3 * width)
        update([d_flat.T @ flat, d_flat.sum(0), d_w_out, d_b_out])
        return (loss,)

    return step
