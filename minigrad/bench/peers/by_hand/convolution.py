"""Convolution by hand: the patches side by side, and one matrix product an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from minigrad.bench.peers import Step
from minigrad.bench.workloads import Problem


def conv_step(xp: Any, problem: Problem) -> Step:
    """y (N, F, H, W) from x (N, C, H, W) and filters (F, C, k, k); gradients of Σ g·y."""
    w, b = problem.weights
    x, g = problem.data["x"], problem.data["g"]
    pad = problem.settings["padding"]
    (n, c, height, width), (f, _, k, _) = x.shape, w.shape
    padded = (n, c, height + 2 * pad, width + 2 * pad)
    out_h, out_w = height + 2 * pad - k + 1, width + 2 * pad - k + 1
    inside = (..., slice(pad, pad + height), slice(pad, pad + width))
    shifts = [
        (i, j, (..., slice(i, i + out_h), slice(j, j + out_w))) for i in range(k) for j in range(k)
    ]

    def step() -> Sequence[Any]:
        wide = xp.zeros(padded, x.dtype)
        wide[inside] = x
        patches = xp.empty((n, c, k, k, out_h, out_w), x.dtype)
        for i, j, shift in shifts:
            patches[:, :, i, j] = wide[shift]
        columns = patches.reshape(n, c * k * k, out_h * out_w)
        rows = w.reshape(f, -1)
        y = rows @ columns  # (N, F, H·W)
        y += b[:, None]

        upstream = g.reshape(n, f, -1)
        d_w = (upstream @ columns.transpose(0, 2, 1)).sum(0).reshape(w.shape)
        d_b = upstream.sum(2).sum(0)
        xp.matmul(rows.T, upstream, out=columns)  # the patches have been used
        wide[...] = 0
        for i, j, shift in shifts:
            wide[shift] += patches[:, :, i, j]
        return y.reshape(n, f, out_h, out_w), wide[inside], d_w, d_b

    return step
