"""The Jacobians that backpropagation multiplies, with and without what normalization puts there.

One mechanism: the same sweep as `backward`, with the rules of the normalization operations
replaced and nothing else changed. All factors are taken at the activations of the real forward.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from minigrad import backend, ops
from minigrad.engine import sweep, vertex
from minigrad.nn import Module, Sequential
from minigrad.operation import Primitive
from minigrad.recording import enable_grad, no_grad
from minigrad.rule import Rule
from minigrad.tensor import Tensor
from minigrad.transforms import basis

Scaling = Literal["none", "frozen", "exact"]

SCALINGS: Mapping[str, Mapping[Primitive, tuple[Rule, ...]]] = {
    # Eq. 1.8: normalization left out. Its factor is the identity.
    "none": {
        ops.standardize: ops.standardize.compile({"x": {"z": lambda g: g}}),
        ops.normalize: ops.normalize.compile({"x": lambda g: g}),
        ops.scale_shift: ops.scale_shift.compile({"z": lambda g: g}),
    },
    # Eq. 1.11: μ and σ held constant. The factor is diag(γ/σ); γ is scale_shift's own rule.
    "frozen": {
        ops.standardize: ops.standardize.compile({"x": {"z": lambda g, sigma: g / sigma}}),
        ops.normalize: ops.normalize.compile({"x": lambda g, sigma: g / sigma}),
    },
    # The true Jacobian: every operation's own rule.
    "exact": {},
}


@dataclass(frozen=True)
class BackpropProduct:
    """∂output/∂input of a chain of modules as a product of one Jacobian a module.

    Attributes
    ----------
    factors
        (module path, Jacobian) from the input side on; over the flattened batch, so each has shape
        (B·out, B·in).
    batch
        B.
    scaling
        "none", "frozen" or "exact".
    """

    factors: list[tuple[str, np.ndarray]]
    batch: int
    scaling: Scaling

    @cached_property
    def matrix(self) -> np.ndarray:
        """The product, (B·out, B·in)."""
        return list(self._partial())[-1]

    def _partial(self) -> Iterator[np.ndarray]:
        """The product after each factor, from the input side on."""
        product = None
        for _, factor in self.factors:
            product = factor if product is None else factor @ product
            yield product

    def block(self, b: int) -> np.ndarray:
        """∂output[b]/∂input[b], (out, in): how sample ``b`` depends on itself."""
        n_out, n_in = (n // self.batch for n in self.matrix.shape)
        b = range(self.batch)[b]
        return self.matrix[b * n_out : (b + 1) * n_out, b * n_in : (b + 1) * n_in]

    @cached_property
    def singular_values(self) -> np.ndarray:
        """Those of the product, largest first."""
        return np.linalg.svd(self.matrix, compute_uv=False)

    @cached_property
    def log_norms(self) -> np.ndarray:
        """log₂ of the product's spectral norm after each factor."""
        with np.errstate(divide="ignore"):  # a product that vanished has norm 0: −∞
            return np.log2([np.linalg.norm(p, 2) for p in self._partial()])

    def latex(self) -> str:
        """The product as a formula, output side first, with the modules' names."""
        names = [rf"J_{{\text{{{_tex(path)}}}}}" for path, _ in reversed(self.factors)]
        kind = {"none": "W", "frozen": r"\gamma/\sigma", "exact": r"\text{exact}"}[self.scaling]
        return (
            r"\left.\frac{\partial H_L}{\partial H_0}\right|_{" + kind + "} = " + r"\,".join(names)
        )

    def table(self) -> str:
        """Factor by factor: module, shape, spectral norm, and log₂ norm of the product so far."""
        width = max(len(path) for path, _ in self.factors)
        lines = [f"{'module':<{width}}  shape         norm        log₂ norm of the product"]
        for (path, factor), total in zip(self.factors, self.log_norms, strict=True):
            norm = np.linalg.norm(factor, 2)
            lines.append(f"{path:<{width}}  {factor.shape!s:<12}  {norm:<10.4g}  {total:.4f}")
        return "\n".join(lines)

    def plot(self, axes: Any = None) -> Any:
        """Draw the product as a heat map and its log-norms over depth; answers the axes."""
        import matplotlib.pyplot as plt  # noqa: PLC0415 - an extra, imported when used

        if axes is None:
            _, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
        reach = float(np.abs(self.matrix).max()) or 1.0
        image = axes[0].imshow(self.matrix, cmap="RdBu_r", vmin=-reach, vmax=reach)
        axes[0].figure.colorbar(image, ax=axes[0], shrink=0.8)
        axes[0].set(title=f"∂output/∂input, {self.scaling}", xlabel="input", ylabel="output")
        depth = np.arange(1, len(self.factors) + 1)
        axes[1].plot(depth, self.log_norms, marker="o")
        axes[1].set(title="growth of the product", xlabel="factors", ylabel="log₂ spectral norm")
        axes[1].set_xticks(depth, [path for path, _ in self.factors], rotation=45, ha="right")
        for label in axes[1].get_xticklabels():
            label.set_parse_math(False)  # a module's name is no formula
        return axes

    def __repr__(self) -> str:
        """What it is, and the table."""
        n, m = self.matrix.shape
        head = f"backprop product, scaling={self.scaling!r}: {n} × {m}, batch of {self.batch}"
        return f"{head}\n{self.table()}"

    def _repr_markdown_(self) -> str:
        """The formula and the table, for a notebook."""
        return f"$${self.latex()}$$\n\n```text\n{self!r}\n```"


def _tex(name: str) -> str:
    """``name`` safe inside a TeX text."""
    return re.sub(r"([#$%&_{}])", r"\\\1", re.sub(r"[\\^~]", "-", name))


def backprop_product(model: Module, x: Any, scaling: Scaling = "exact") -> BackpropProduct:
    """The Jacobian of ``model`` at ``x`` as a product of its children's, under a scaling.

    Parameters
    ----------
    model
        A chain of modules, such as a Sequential; whatever is inside them is one factor each.
    x
        A batch, (B, in).
    scaling
        "none" leaves every normalization out (∏W: eq. 1.8); "frozen" takes μ and σ as constants
        (∏ diag(γ/σ)·W: eq. 1.11); "exact" is the true Jacobian.

    Notes
    -----
    The model runs as it stands, in training or evaluation; its running statistics and gradients
    are left as they were.
    """
    rules = _rules(scaling)
    factors = []
    batch = 0
    for path, before, after in _chain(model, x):
        batch = batch or before.shape[0]
        rows = [_pull(after, seed, before, rules) for seed in basis(after)]
        factors.append((path, np.stack(rows).reshape(after.numel(), before.numel())))
    return BackpropProduct(factors, batch, scaling)


def growth(
    model: Module, x: Any, probes: int = 8, scaling: Scaling = "exact", seed: int = 0
) -> np.ndarray:
    """‖∂L/∂input‖²/‖∂L/∂output‖² of each child module, input side first: (layers,).

    ∂L/∂output of the last module is a random normal array, drawn ``probes`` times; the squared
    norms are averaged over the probes before they are divided. One backward pass a probe, so nets
    too big to write their Jacobians out can be measured.
    """
    rules = _rules(scaling)
    links = list(_chain(model, x))
    random = np.random.default_rng(seed)
    squares = np.zeros(len(links) + 1)
    for _ in range(probes):
        last = links[-1][2]
        g = backend.copy_as(random.standard_normal(last.shape), last.data)
        squares[-1] += _square(g)
        for i in reversed(range(len(links))):
            _, before, after = links[i]
            g = _pull(after, Tensor(g), before, rules, raw=True)
            squares[i] += _square(g)
    with np.errstate(invalid="ignore"):  # where no gradient arrives there is no rate: NaN
        return squares[:-1] / squares[1:]


def _square(g: Any) -> float:
    return float(np.sum(backend.to_numpy(g).astype(np.float64) ** 2))


def _rules(scaling: str) -> Mapping[Primitive, tuple[Rule, ...]]:
    if scaling not in SCALINGS:
        known = ", ".join(repr(name) for name in SCALINGS)
        raise ValueError(f"scaling={scaling!r} is unknown; use one of {known}.")
    return SCALINGS[scaling]


def _chain(model: Module, x: Any) -> Iterator[tuple[str, Tensor, Tensor]]:
    """(path, input, output) of each child in turn, each input cut off from what came before."""
    start = h = x.detach() if isinstance(x, Tensor) else Tensor(x)
    children = list(model.named_children()) or [(type(model).__name__, model)]
    with _undisturbed(model), enable_grad():
        for path, child in children:
            before = h.detach().requires_grad_()
            h = child(before)
            yield " ".join(path.split()), before, h
    if type(model).forward is not Sequential.forward:
        _check_chain(model, start, h)


def _check_chain(model: Module, x: Tensor, end: Tensor) -> None:
    """Refuse a model that does more than run its children in turn."""
    with _undisturbed(model), no_grad():
        y = model(x)
    if y.shape != end.shape or not np.allclose(y.numpy(), end.numpy(), rtol=1e-4, atol=1e-6):
        raise ValueError(
            f"a backprop product needs a chain of modules; {type(model).__name__}.forward() gives "
            "another result than its children one after the other. Wrap the model, "
            "nn.Sequential(model), to take it as one factor."
        )


@contextmanager
def _undisturbed(model: Module) -> Iterator[None]:
    """Work on copies of the buffers: looking at a network must not move its statistics."""
    held = [(buffer, buffer.data) for buffer in model.buffers()]
    for buffer, data in held:
        buffer.data = backend.copy_as(data, data)
    try:
        yield
    finally:
        for buffer, data in held:
            buffer.data = data


def _pull(
    after: Tensor,
    g: Tensor,
    before: Tensor,
    rules: Mapping[Primitive, tuple[Rule, ...]],
    raw: bool = False,
) -> Any:
    """gᵀ ∂after/∂before under ``rules``: one backward pass."""
    known = vertex(after) is not None
    leaves = sweep([after], [g.data], wanted=[before], rules=rules) if known else {}
    found = leaves.get(before)
    if found is None:
        found = backend.zeros(before.shape, like=before.data)
    return found if raw else backend.to_numpy(found)
