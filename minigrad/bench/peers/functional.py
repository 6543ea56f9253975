"""The models as functions of their weights, for frameworks that offer NumPy's names.

JAX, autograd and MyGrad compute gradients of functions written in a namespace ``xp`` of their own,
so the models are written once; each says how it turns a loss into a training step.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.bench.peers import Peer, Step
from minigrad.bench.workloads import Problem

EPS = 1e-5
# weights, data → the loss, and the batch's (mean, variance) of each BatchNorm
Loss = Callable[[Sequence[Any], dict[str, Any]], tuple[Any, list[tuple[Any, Any]]]]


class Functional(Peer):
    """A peer that differentiates functions of arrays."""

    xp: Any

    @abstractmethod
    def train(self, loss: Loss, problem: Problem, running: list[np.ndarray]) -> Step:
        """A step that moves the weights against the gradient of ``loss``.

        ``running`` holds the running mean and variance of each BatchNorm, one after the other.
        """

    @abstractmethod
    def cross_entropy(self, scores: Any, t: Any) -> Any:
        """The mean of −log softmax(scores)[t]."""

    @abstractmethod
    def softmax(self, x: Any) -> Any:
        """exp xᵢ/Σ exp xⱼ along the last axis."""

    def mlp_loss(self, norm: str) -> Loss:
        """Linear, normalization and ReLU twice, Linear, cross-entropy."""
        xp, axis = self.xp, 0 if norm == "batch" else 1

        def loss(weights: Sequence[Any], data: dict[str, Any]) -> Any:
            w1, b1, gamma1, beta1, w2, b2, gamma2, beta2, w3, b3 = weights
            h, seen = data["x"], []
            for w, b, gamma, beta in ((w1, b1, gamma1, beta1), (w2, b2, gamma2, beta2)):
                z = xp.matmul(h, w.T) + b
                mu = xp.mean(z, axis=axis, keepdims=True)
                centred = z - mu
                var = xp.mean(centred * centred, axis=axis, keepdims=True)
                if axis == 0:
                    seen.append((mu[0], var[0]))
                h = xp.maximum(centred / xp.sqrt(var + EPS) * gamma + beta, 0)
            return self.cross_entropy(xp.matmul(h, w3.T) + b3, data["t"]), seen

        return loss

    def lstm_loss(self, weights: Sequence[Any], data: dict[str, Any]) -> Any:
        """A loop over the steps of the sequence, and the mean squared error."""
        xp = self.xp
        w_in, w_state, b_in, b_state = weights
        x, t, size = data["x"], data["t"], w_state.shape[1]
        z = xp.matmul(x, w_in.T) + (b_in + b_state)
        h, c = np.zeros_like(t[0]), np.zeros_like(t[0])
        total: Any = 0.0
        for s in range(len(x)):
            h, c = self.lstm_cell(z[s] + xp.matmul(h, w_state.T), c, size)
            error = h - t[s]
            total = total + xp.sum(error * error)
        return total / t.size, []

    def lstm_cell(self, a: Any, c: Any, size: int) -> tuple[Any, Any]:
        """h′ and c′ from the gates' pre-activations a (N, 4H) and c (N, H)."""
        xp = self.xp
        sigma = 0.5 * xp.tanh(0.5 * a) + 0.5
        k = xp.tanh(a[:, 2 * size : 3 * size])
        c = sigma[:, size : 2 * size] * c + sigma[:, :size] * k
        return sigma[:, 3 * size :] * xp.tanh(c), c

    def attention_loss(self, heads: int) -> Loss:
        """Multi-head self-attention, and the mean squared error."""
        xp = self.xp

        def loss(weights: Sequence[Any], data: dict[str, Any]) -> Any:
            w_in, b_in, w_out, b_out = weights
            x = data["x"]
            n, length, width = x.shape
            d = width // heads
            z = xp.reshape(xp.matmul(x, w_in.T) + b_in, (n, length, 3, heads, d))
            z = xp.transpose(z, (2, 0, 3, 1, 4))
            q, k, v = z[0] * (1 / math.sqrt(d)), z[1], z[2]
            p = self.softmax(xp.matmul(q, xp.swapaxes(k, -1, -2)))
            mixed = xp.reshape(xp.swapaxes(xp.matmul(p, v), 1, 2), (n, length, width))
            error = xp.matmul(mixed, w_out.T) + b_out - data["t"]
            return xp.mean(error * error), []

        return loss

    def mlp(self, problem: Problem) -> Step:
        """A training step of the multi-layer perceptron."""
        norm, hidden = problem.settings["norm"], problem.weights[1].size
        start = [np.zeros(hidden, np.float32), np.ones(hidden, np.float32)]
        running = [x.copy() for x in 2 * start] if norm == "batch" else []
        return self.train(self.mlp_loss(norm), problem, running)

    def lstm(self, problem: Problem) -> Step:
        """A training step of the LSTM."""
        return self.train(self.lstm_loss, problem, [])

    def attention(self, problem: Problem) -> Step:
        """A training step of multi-head self-attention."""
        return self.train(self.attention_loss(problem.settings["heads"]), problem, [])


def follow(running: list[Any], seen: list[tuple[Any, Any]], n: int) -> list[Any]:
    """The running statistics after a batch of ``n``, of which ``seen`` are the statistics."""
    found = [part for mu, var in seen for part in (mu, var * (n / (n - 1)))]
    return [0.9 * old + 0.1 * new for old, new in zip(running, found, strict=True)]
