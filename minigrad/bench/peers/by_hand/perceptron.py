"""The multi-layer perceptron by hand: normalization, cross-entropy, SGD and Adam."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.bench.peers import Step
from minigrad.bench.workloads import Problem

EPS = 1e-5
Update = Callable[[list[Any]], None]


def mlp_step(xp: Any, problem: Problem) -> Step:
    """Linear, normalization and ReLU twice, Linear, cross-entropy; then the optimizer.

    Shapes: x (N, in), z (N, hidden), scores (N, classes); weights (out, in).
    """
    *hidden_weights, w3, b3 = problem.weights
    x, t = problem.data["x"], problem.data["t"]
    layer = BatchNormLayer if problem.settings["norm"] == "batch" else LayerNormLayer
    layers = [layer(xp, *hidden_weights[:4]), layer(xp, *hidden_weights[4:])]
    rows = xp.arange(x.shape[0])
    update = UPDATES[problem.settings["optimizer"]](xp, problem.weights, problem.settings["lr"])

    def step() -> Sequence[Any]:
        h = x
        for one in layers:
            h = one.forward(h)
        z = h @ w3.T
        z += b3
        loss, g = cross_entropy(xp, z, t, rows)
        gradients = [g.T @ h, g.sum(0)]
        g = g @ w3
        for one in reversed(layers):
            gradients = [*one.backward(g), *gradients]
            if one is not layers[0]:
                g = g @ one.w
        update(gradients)
        return (loss,)

    return step


class LayerNormLayer:
    """h′ = max(γ·(z − μ)/σ + β, 0) of z = h·Wᵀ + b, with μ and σ of each row."""

    axis = 1

    def __init__(self, xp: Any, w: Any, b: Any, gamma: Any, beta: Any) -> None:
        self.xp, self.w, self.b, self.gamma, self.beta = xp, w, b, gamma, beta

    def forward(self, h: Any) -> Any:
        """h′ from h, and what backward needs."""
        z = h @ self.w.T
        z += self.b
        mu = z.mean(self.axis, keepdims=True)
        z -= mu
        s = (z * z).mean(self.axis, keepdims=True)
        self.follow(mu, s, len(z))
        s += EPS
        self.xp.sqrt(s, out=s)
        z /= s
        y = z * self.gamma
        y += self.beta
        self.xp.maximum(y, 0, out=y)
        self.kept = (h, z, s, y)
        return y

    def backward(self, g: Any) -> list[Any]:
        """Gradients by W, b, γ and β; g, that by h′, becomes that by h·Wᵀ + b."""
        h, z, s, y = self.kept
        g *= y > 0
        gz = g * z
        d_gamma, d_beta = gz.sum(0), g.sum(0)
        g *= self.gamma
        self.back(g, gz, z, d_gamma, d_beta)
        g /= s
        return [g.T @ h, g.sum(0), d_gamma, d_beta]

    def follow(self, mu: Any, var: Any, n: int) -> None:
        """Nothing to remember from step to step."""

    def back(self, g: Any, gz: Any, z: Any, d_gamma: Any, d_beta: Any) -> None:
        """g − mean g − z·mean(g·z), in place of g; z and gz are used up."""
        gz *= self.gamma
        g -= g.mean(1, keepdims=True)
        z *= gz.mean(1, keepdims=True)
        g -= z


class BatchNormLayer(LayerNormLayer):
    """The same with μ and σ of each column, and running statistics."""

    axis = 0

    def __init__(self, xp: Any, w: Any, b: Any, gamma: Any, beta: Any) -> None:
        super().__init__(xp, w, b, gamma, beta)
        self.mean, self.var = xp.zeros_like(b), xp.ones_like(b)

    def follow(self, mu: Any, var: Any, n: int) -> None:
        """running ← 0.9·running + 0.1·batch, the variance divided by n − 1."""
        self.mean *= 0.9
        self.mean += 0.1 * mu[0]
        self.var *= 0.9
        self.var += (0.1 * n / (n - 1)) * var[0]

    def back(self, g: Any, gz: Any, z: Any, d_gamma: Any, d_beta: Any) -> None:
        """Both means are at hand already: γ·∂L/∂β and γ·∂L/∂γ over n."""
        g -= self.gamma * d_beta / len(z)
        z *= self.gamma * d_gamma / len(z)
        g -= z


def cross_entropy(xp: Any, z: Any, t: Any, rows: Any) -> tuple[Any, Any]:
    """The mean of log Σ exp z − z[t], and its gradient; z is used up."""
    z -= z.max(1, keepdims=True)
    g = xp.exp(z)
    total = g.sum(1, keepdims=True)
    loss = (xp.log(total[:, 0]) - z[rows, t]).mean()
    g /= total
    g[rows, t] -= 1
    g /= len(z)
    return loss, g


def sgd(xp: Any, weights: list[Any], lr: float) -> Update:
    """w ← w − lr·g."""

    def update(gradients: list[Any]) -> None:
        for w, g in zip(weights, gradients, strict=True):
            move(w, g)

    def move(w: Any, g: Any) -> None:
        g *= lr
        w -= g

    return update


def adam(xp: Any, weights: list[Any], lr: float) -> Update:
    """w ← w − lr·m̂/(√v̂ + ε) with β = (0.9, 0.999), in place over one spare array a weight."""
    means: list[tuple[Any, Any]] = []
    steps = 0

    def update(gradients: list[Any]) -> None:
        nonlocal steps
        steps += 1
        if not means:
            means.extend([(xp.zeros_like(w), xp.zeros_like(w)) for w in weights])
        rate, root = lr / (1 - 0.9**steps), (1 - 0.999**steps) ** 0.5
        for w, g, (m, v) in zip(weights, gradients, means, strict=True):
            move(w, g, m, v, rate, root)

    def move(w: Any, g: Any, m: Any, v: Any, rate: float, root: float) -> None:
        m *= 0.9
        m += 0.1 * g
        g *= g
        g *= 0.001
        v *= 0.999
        v += g
        xp.sqrt(v, out=g)
        g /= root
        g += 1e-8
        xp.divide(m, g, out=g)
        g *= rate
        w -= g

    return update


UPDATES: dict[str, Callable[[Any, list[Any], float], Update]] = {"sgd": sgd, "adam": adam}
