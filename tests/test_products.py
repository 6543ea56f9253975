"""Products of Jacobians: exact, frozen and none, each against what defines it; and their growth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import nn

SCALINGS = ["none", "frozen", "exact"]


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, f: nn.Module) -> None:
        self.f = f

    def forward(self, x: Any) -> Any:
        """Map x to x + f(x)."""
        return x + self.f(x)


def chain(norm: Any = nn.BatchNorm1d) -> nn.Sequential:
    """Two normalised blocks and a head, with random γ, β and running statistics, in float64."""
    model = nn.Sequential(
        nn.Linear(3, 4), norm(4), nn.ReLU(), nn.Linear(4, 5), norm(5), nn.ReLU(), nn.Linear(5, 2)
    ).double()
    return disturbed(model)


def disturbed(model: Any) -> Any:
    """The model with γ, β and running statistics drawn at random."""
    random = np.random.default_rng(5)
    state = {key: host(value) for key, value in model.state_dict().items()}
    for module_path, module in model.named_modules():
        if isinstance(module, nn.Linear):
            continue
        for name in ("weight", "bias", "running_mean", "running_var"):
            key = f"{module_path}.{name}"
            if key in state:
                sign = random.choice([-1, 1], state[key].shape) if name == "weight" else 1
                state[key] = sign * random.uniform(0.5, 2.0, state[key].shape)
    model.load_state_dict(state)
    return model


def batch(random: np.random.Generator, n: int = 4, features: int = 3) -> np.ndarray:
    """Inputs on the host."""
    return random.standard_normal((n, features))


def by_hand(model: nn.Sequential, x: np.ndarray, scaling: str) -> list[np.ndarray]:
    """The factors of *none* and *frozen* in NumPy: 1 ⊗ W, diag(γ/σ) or 1, and ReLU masks.

    Knows Linear, ReLU and the norms by what they compute, and nothing of the engine.
    """
    h, factors = x, []
    for module in model:
        if isinstance(module, nn.Linear):
            w = host(module.weight)
            factors.append(np.kron(np.eye(len(h)), w))
            h = h @ w.T + host(module.bias)
        elif isinstance(module, nn.ReLU):
            factors.append(np.diag((h > 0).astype(float).reshape(-1)))
            h = np.maximum(h, 0)
        else:
            gamma, beta = host(module.weight), host(module.bias)
            if isinstance(module, nn.LayerNorm):
                mu, var = h.mean(1, keepdims=True), h.var(1, keepdims=True)
            elif module.training:
                mu, var = h.mean(0), h.var(0)
            else:
                mu, var = host(module.running_mean), host(module.running_var)
            sigma = np.sqrt(var + 1e-5)
            slopes = np.broadcast_to(gamma / sigma, h.shape).reshape(-1)
            factors.append(np.diag(slopes) if scaling == "frozen" else np.eye(h.size))
            h = gamma * (h - mu) / sigma + beta
    return factors


def multiply(factors: list[np.ndarray]) -> np.ndarray:
    """The product, input side first in the list and rightmost in the product."""
    product = factors[0]
    for factor in factors[1:]:
        product = factor @ product
    return product


norms = pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.LayerNorm])
modes = pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])


# ── the product ──────────────────────────────────────────────────────────────────────────────────


@norms
@modes
def test_exact_is_the_jacobian(
    place: str, random: np.random.Generator, norm: Any, training: bool
) -> None:
    """*exact* equals mg.jacobian of the model and central differences of its output."""
    model, x = chain(norm).train(training), batch(random)
    found = mg.products.backprop_product(model, mg.tensor(x), scaling="exact").matrix
    assert found.shape == (8, 12)
    near(found, host(mg.jacobian(model, mg.tensor(x))).reshape(8, 12), 1e-12)
    columns = []
    for i in range(x.size):
        step = np.zeros(x.size)
        step[i] = 1e-6
        above, below = (host(model(mg.tensor(x + s * step.reshape(x.shape)))) for s in (1, -1))
        columns.append((above - below).reshape(-1) / 2e-6)
    near(found, np.stack(columns, axis=1), 1e-7)


@norms
@modes
@pytest.mark.parametrize("scaling", ["none", "frozen"])
def test_none_and_frozen_are_products_of_what_defines_them(
    place: str, random: np.random.Generator, norm: Any, training: bool, scaling: Any
) -> None:
    """*frozen* is ∏ diag(γ/σ)·W with masks, *none* ∏ W with masks, by NumPy, factor by factor."""
    model, x = chain(norm).train(training), batch(random)
    wanted = by_hand(model, x, scaling)
    product = mg.products.backprop_product(model, mg.tensor(x), scaling=scaling)
    assert [path for path, _ in product.factors] == [str(i) for i in range(7)]
    for (_, found), factor in zip(product.factors, wanted, strict=True):
        near(found, factor, 1e-13)
    near(product.matrix, multiply(wanted), 1e-12)


def test_frozen_is_exact_in_evaluation_only(place: str, random: np.random.Generator) -> None:
    """With BN in evaluation frozen and exact agree to the last bit; in training they do not."""
    model, x = chain(), mg.tensor(batch(random))

    def difference() -> float:
        frozen, exact = (
            mg.products.backprop_product(model, x, scaling=scaling).matrix
            for scaling in ("frozen", "exact")
        )
        return float(np.max(np.abs(frozen - exact)) / np.max(np.abs(exact)))

    model.eval()
    assert difference() == 0
    model.train()
    assert difference() > 0.1


def test_layer_norm_is_never_frozen(place: str, random: np.random.Generator) -> None:
    """LN's statistics depend on the input in evaluation too: frozen and exact differ."""
    model, x = chain(nn.LayerNorm).eval(), mg.tensor(batch(random))
    frozen, exact = (
        mg.products.backprop_product(model, x, scaling=scaling).matrix
        for scaling in ("frozen", "exact")
    )
    assert np.max(np.abs(frozen - exact)) > 0.1 * np.max(np.abs(exact))


def test_without_norms_all_scalings_agree(place: str, random: np.random.Generator) -> None:
    """Where there is no normalization there is nothing to leave out."""
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).double()
    x = mg.tensor(batch(random))
    found = [mg.products.backprop_product(model, x, scaling=s).matrix for s in SCALINGS]
    near(found[0], found[2], 0)
    near(found[1], found[2], 0)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"elementwise_affine": False},
        {"bias": False},
    ],
    ids=str,
)
def test_none_leaves_every_form_of_norm_out(
    place: str, random: np.random.Generator, settings: dict[str, bool]
) -> None:
    """*none* is the identity for a norm, however it is affine; *frozen* is its diag(γ/σ)."""
    model, x = disturbed(nn.Sequential(nn.LayerNorm(3, **settings)).double()), batch(random)
    found = mg.products.backprop_product(model, mg.tensor(x), scaling="frozen").matrix
    gamma = host(model[0].weight) if settings.get("elementwise_affine", True) else np.ones(3)
    slopes = gamma / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    near(found, np.diag(slopes.reshape(-1)), 1e-13)
    found = mg.products.backprop_product(model, mg.tensor(x), scaling="none").matrix
    near(found, np.eye(12), 0)


@pytest.mark.parametrize("settings", [{"affine": False}, {"track_running_stats": False}], ids=str)
@modes
def test_every_form_of_batch_norm(
    place: str, random: np.random.Generator, settings: dict[str, bool], training: bool
) -> None:
    """Without γ, and without running statistics, the three products keep their meaning."""
    model = disturbed(nn.Sequential(nn.BatchNorm1d(3, **settings)).double()).train(training)
    x = mg.tensor(batch(random))
    layer = model[0]
    gamma = host(layer.weight) if layer.affine else np.ones(3)
    tracked = not training and layer.track_running_stats
    var = host(layer.running_var) if tracked else host(x).var(0)
    wanted = np.diag(np.tile(gamma / np.sqrt(var + 1e-5), 4))
    near(mg.products.backprop_product(model, x, scaling="frozen").matrix, wanted, 1e-13)
    near(mg.products.backprop_product(model, x, scaling="none").matrix, np.eye(12), 0)
    exact = mg.products.backprop_product(model, x, scaling="exact").matrix
    near(exact, host(mg.jacobian(model, x)).reshape(12, 12), 1e-13)


def test_images_are_flattened(place: str, random: np.random.Generator) -> None:
    """BatchNorm2d and Flatten take (B, C, H, W); factors are over the flattened batch."""
    model = disturbed(nn.Sequential(nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3)).double())
    x = mg.tensor(random.standard_normal((3, 2, 2, 2)))
    product = mg.products.backprop_product(model, x)
    assert [factor.shape for _, factor in product.factors] == [(24, 24), (24, 24), (9, 24)]
    near(product.matrix, host(mg.jacobian(model, x)).reshape(9, 24), 1e-12)
    sigma = np.sqrt(host(x).var((0, 2, 3)) + 1e-5)
    slopes = np.broadcast_to((host(model[0].weight) / sigma)[:, None, None], x.shape)
    frozen = mg.products.backprop_product(model, x, scaling="frozen")
    near(frozen.factors[0][1], np.diag(slopes.reshape(-1)), 1e-13)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_nested_modules_are_one_factor(
    place: str, random: np.random.Generator, scaling: Any
) -> None:
    """Sequentials in Sequentials and residual branches are one factor each, whatever is inside."""
    inner = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU()).double()
    model = disturbed(
        nn.Sequential({"stem": nn.Linear(3, 4), "body": inner, "skip": Residual(chain_of(4))})
        .double()
    )  # fmt: skip
    x = batch(random)
    product = mg.products.backprop_product(model, mg.tensor(x), scaling=scaling)
    assert [path for path, _ in product.factors] == ["stem", "body", "skip"]
    if scaling == "exact":
        near(product.matrix, host(mg.jacobian(model, mg.tensor(x))).reshape(16, 12), 1e-12)
        return
    h = host(model[0](mg.tensor(x)))
    body = by_hand(inner, h, scaling)
    near(product.factors[1][1], multiply(body), 1e-12)
    branch = by_hand(model[2].f, host(inner(mg.tensor(h))), scaling)
    near(product.factors[2][1], np.eye(16) + multiply(branch), 1e-12)


def chain_of(width: int) -> nn.Sequential:
    """A branch that keeps its width."""
    return nn.Sequential(nn.Linear(width, width), nn.LayerNorm(width), nn.ReLU()).double()


def test_a_model_that_is_no_chain_is_not_answered_wrongly(
    place: str, random: np.random.Generator
) -> None:
    """A top level that is not the chain of its children is an error, or the exact Jacobian."""
    model, x = Residual(nn.Linear(3, 3)).double(), mg.tensor(batch(random))
    try:
        found = mg.products.backprop_product(model, x).matrix
    except ValueError as error:
        assert "chain" in str(error)  # noqa: PT017 - either answer will do
    else:
        near(found, host(mg.jacobian(model, x)).reshape(12, 12), 1e-12)


def test_a_lone_module_is_one_factor(place: str, random: np.random.Generator) -> None:
    """A model without children is a chain of one, called by its class."""
    layer, x = nn.Linear(3, 2).double(), batch(random)
    ((path, factor),) = mg.products.backprop_product(layer, mg.tensor(x)).factors
    assert path == "Linear"
    near(factor, np.kron(np.eye(4), host(layer.weight)), 0)


def test_a_shared_module_is_a_factor_each_time(place: str, random: np.random.Generator) -> None:
    """One module in two places of the chain makes two factors."""
    relu, layer = nn.ReLU(), nn.Linear(3, 3)
    model = nn.Sequential(layer, relu, layer, relu).double()
    x = mg.tensor(batch(random))
    product = mg.products.backprop_product(model, x)
    assert [path for path, _ in product.factors] == ["0", "1", "2", "3"]
    near(product.matrix, host(mg.jacobian(model, x)).reshape(12, 12), 1e-12)


def test_float32_networks_have_products_too(place: str, random: np.random.Generator) -> None:
    """At the default dtype the product is float32 and near its float64 twin."""
    model, x = chain(), batch(random)
    wanted = mg.products.backprop_product(model, mg.tensor(x)).matrix
    found = mg.products.backprop_product(model.float(), mg.tensor(x.astype("float32"))).matrix
    assert found.dtype == np.float32
    near(found, wanted, 1e-4)


@pytest.mark.parametrize("scaling", ["frozen", "exact"])
@norms
def test_the_scale_of_weights_before_a_norm_does_not_matter(
    place: str, random: np.random.Generator, norm: Any, scaling: Any
) -> None:
    """W → aW leaves σ ∝ a: with ε = 0 the product stays, where *none* grows by a per norm."""
    model = chain(norm)
    for module in model:
        if isinstance(module, norm):
            module.eps = 0.0
        if isinstance(module, nn.Linear):
            module.bias = None
    x = mg.tensor(batch(random))

    def products() -> list[np.ndarray]:
        return [mg.products.backprop_product(model, x, scaling=s).matrix for s in (scaling, "none")]

    before = products()
    for i in (0, 3):
        model[i].weight.data = model[i].weight.data * 7.0
    after = products()
    near(after[0], before[0], 1e-12)
    near(after[1], 49 * before[1], 1e-12)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_looking_changes_nothing(place: str, random: np.random.Generator, scaling: Any) -> None:
    """Products and growth leave buffers, parameters, gradients, the mode and x as they were."""
    model = chain()
    model[3].eval()
    x = mg.tensor(batch(random), requires_grad=True)
    (model(x) ** 2).sum().backward()
    before = {key: host(value).copy() for key, value in model.state_dict().items()}
    grads = [host(t.grad).copy() for t in (x, *model.parameters())]
    modes = [module.training for module in model.modules()]
    mg.products.backprop_product(model, x, scaling=scaling)
    mg.products.growth(model, x, probes=1, scaling=scaling)
    for key, value in model.state_dict().items():
        near(value, before[key], 0)
    for t, g in zip((x, *model.parameters()), grads, strict=True):
        near(t.grad, g, 0)
    assert [module.training for module in model.modules()] == modes
    assert all(p.requires_grad for p in model.parameters())


def test_a_failure_changes_nothing_either(place: str, random: np.random.Generator) -> None:
    """When a module raises half way, statistics are put back and recording is as it was."""
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(4, 2)).double()
    x = mg.tensor(batch(random))
    with mg.no_grad():
        with pytest.raises(ValueError, match="Linear '1' needs"):
            mg.products.backprop_product(model, x)
        assert not (model[1].weight * 2).requires_grad
    near(model[0].running_mean, np.zeros(3), 0)
    assert int(model[0].num_batches_tracked) == 0


def test_products_work_inside_no_grad_and_on_frozen_parameters(
    place: str, random: np.random.Generator
) -> None:
    """The product is by the input: it needs neither recording outside nor trainable weights."""
    model, x = chain(), mg.tensor(batch(random))
    wanted = mg.products.backprop_product(model, x).matrix
    with mg.no_grad():
        near(mg.products.backprop_product(model.requires_grad_(False), x).matrix, wanted, 0)


# ── what the answer offers ───────────────────────────────────────────────────────────────────────


def test_blocks_are_the_samples_own_jacobians(place: str, random: np.random.Generator) -> None:
    """block(b) is ∂output[b]/∂input[b]; with LN no other block is filled, with BN they are."""
    x = mg.tensor(batch(random))
    for norm in (nn.BatchNorm1d, nn.LayerNorm):
        model = chain(norm)
        product = mg.products.backprop_product(model, x)
        jacobian = host(mg.jacobian(model, x))
        for b in (0, 2, -1):
            near(product.block(b), jacobian[b, :, b], 1e-12)
        rest = product.matrix.copy().reshape(4, 2, 4, 3)
        for b in range(4):
            rest[b, :, b] = 0
        assert (np.max(np.abs(rest)) > 0.01) == (norm is nn.BatchNorm1d)
    with pytest.raises(IndexError):
        product.block(4)


def test_singular_values_and_log_norms(place: str, random: np.random.Generator) -> None:
    """singular_values are those of the matrix; log_norms log₂ of each partial product's norm."""
    product = mg.products.backprop_product(chain(), mg.tensor(batch(random)))
    assert product.batch == 4
    assert product.scaling == "exact"
    near(product.singular_values, np.linalg.svd(product.matrix)[1], 1e-12)
    factors = [factor for _, factor in product.factors]
    wanted = [np.log2(np.linalg.svd(multiply(factors[: i + 1]))[1][0]) for i in range(7)]
    near(product.log_norms, np.array(wanted), 1e-12)
    near(2 ** product.log_norms[-1], product.singular_values[0], 1e-12)


def test_a_product_that_vanished_has_log_norm_minus_infinity(place: str) -> None:
    """A dead ReLU makes the product 0: −∞, without a warning, in the table too."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    model.load_state_dict({"0.weight": np.eye(2), "0.bias": np.full(2, -5.0)})
    product = mg.products.backprop_product(model, mg.ones(1, 2))
    assert product.log_norms[-1] == -np.inf
    assert "-inf" in product.table()


def test_the_table_has_a_row_per_factor(place: str, random: np.random.Generator) -> None:
    """table() and repr name each module with its shape, norm and the log₂ norm so far."""
    product = mg.products.backprop_product(chain(), mg.tensor(batch(random)), scaling="frozen")
    rows = product.table().splitlines()[1:]
    assert [row.split()[0] for row in rows] == [str(i) for i in range(7)]
    assert all(str(f.shape) in row for row, (_, f) in zip(rows, product.factors, strict=True))
    assert rows[-1].split()[-1] == f"{product.log_norms[-1]:.4f}"
    assert repr(product).startswith("backprop product, scaling='frozen': 8 × 12, batch of 4\n")
    assert product.table() in repr(product)


def named(names: list[str], place: str) -> Any:
    """The product of a network whose modules are called ``names``."""
    model = nn.Sequential({name: nn.ReLU() for name in names}).to(place)
    return mg.products.backprop_product(model, mg.ones(1, 2))


def test_hostile_names_are_escaped_in_tex(place: str) -> None:
    """In the formula no name opens a command, a group or math; in the table it stands as it is."""
    hostile = r"a$b_{\end}^#%&~"
    product = named([hostile, "last"], place)
    assert r"J_{\text{last}}\,J_{\text{a\$b\_\{-end\}-\#\%\&-}}" in product.latex()
    assert hostile in product.table()


def test_a_notebook_shows_the_formula_and_the_table(place: str) -> None:
    """The notebook representation is the formula, then the table in a block of code."""
    product = named(["<script>x</script>", "last"], place)
    formula, table = product._repr_markdown_().split("\n\n", 1)
    assert formula == f"$${product.latex()}$$"
    assert table == f"```text\n{product!r}\n```"


def test_a_name_cannot_leave_the_block_of_code(place: str) -> None:
    """Whatever a name holds, the table stays inside its block: only the last line ends it."""
    markdown = named(["a\n```\n<script>", "last"], place)._repr_markdown_()
    body = markdown.split("```text\n", 1)[1].splitlines()
    assert [i for i, line in enumerate(body) if line.startswith("```")] == [len(body) - 1]


@pytest.mark.parametrize(
    ("scaling", "said"), [("none", "W"), ("frozen", r"\gamma/\sigma"), ("exact", r"\text{exact}")]
)
def test_the_formula_says_which_product_it_is(
    place: str, random: np.random.Generator, scaling: Any, said: str
) -> None:
    """latex() names the scaling and the factors, output side first."""
    model = nn.Sequential({"first": nn.Linear(3, 2), "second": nn.ReLU()}).double()
    latex = mg.products.backprop_product(model, mg.tensor(batch(random)), scaling=scaling).latex()
    assert said in latex
    assert latex.endswith(r"J_{\text{second}}\,J_{\text{first}}")


def test_plot_takes_any_name(place: str) -> None:
    """plot() draws the matrix and the growth, with names as they are, not as formulas."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    model = nn.Sequential({r"$\bad{$": nn.Linear(2, 2), "b": nn.ReLU()}).to(place)
    axes = mg.products.backprop_product(model, mg.ones(1, 2)).plot()
    axes[0].figure.canvas.draw()
    assert [tick.get_text() for tick in axes[1].get_xticklabels()] == [r"$\bad{$", "b"]


def test_plot_draws_matrix_and_growth(place: str, random: np.random.Generator) -> None:
    """plot() answers two axes: the matrix, and a point per factor."""
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    product = mg.products.backprop_product(chain(), mg.tensor(batch(random)))
    left, right = product.plot()
    left.figure.canvas.draw()
    near(np.asarray(left.images[0].get_array()), product.matrix, 0)
    near(right.lines[0].get_ydata(), product.log_norms, 0)
    matplotlib.pyplot.close(left.figure)


@pytest.mark.parametrize("function", ["backprop_product", "growth"])
def test_unknown_scalings_are_refused(place: str, function: str) -> None:
    """An unknown scaling names the known ones."""
    call = getattr(mg.products, function)
    with pytest.raises(ValueError, match=r"scaling='sigma' is unknown; use one of 'none', 'fro"):
        call(nn.Linear(2, 2), mg.ones(1, 2), scaling="sigma")


# ── growth ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("scaling", SCALINGS)
def test_growth_is_the_ratio_of_frobenius_norms(
    place: str, random: np.random.Generator, scaling: Any
) -> None:
    """Over many probes ‖gᵀJₖ…‖² averages ‖…‖²_F: growth is the ratio of partial products' norms."""
    model, x = chain(), mg.tensor(batch(random))
    found = mg.products.growth(model, x, probes=4000, scaling=scaling)
    assert found.shape == (7,)
    factors = [f for _, f in mg.products.backprop_product(model, x, scaling=scaling).factors]
    squares = [8.0]  # of the identity on the output
    product = np.eye(8)
    for factor in reversed(factors):
        product = product @ factor
        squares.insert(0, float((product**2).sum()))
    np.testing.assert_allclose(found, np.array(squares[:-1]) / squares[1:], rtol=0.05)


def test_growth_of_one_probe_is_one_backward(place: str, random: np.random.Generator) -> None:
    """With one probe it is ‖gᵀJ…‖² of that probe, drawn on the host: the same on every backend."""
    model, x = chain(), mg.tensor(batch(random))
    g = np.random.default_rng(3).standard_normal((4, 2)).reshape(-1)
    found = mg.products.growth(model, x, probes=1, seed=3)
    for i, (_, factor) in reversed(list(enumerate(mg.products.backprop_product(model, x).factors))):
        pulled = g @ factor
        assert found[i] == pytest.approx((pulled @ pulled) / (g @ g), rel=1e-10)
        g = pulled


def rates(
    norm: Any, relu: bool, width: int, samples: int, blocks: int, probes: int
) -> tuple[float, int]:
    """The geometric mean of growth per inner block of a random net; and how many rates there were.

    The first block sees raw inputs and the last a raw probe, so both are left out.
    """
    mg.manual_seed(0)
    random = np.random.default_rng(0)
    modules: list[nn.Module] = []
    for _ in range(blocks):
        modules += [nn.Linear(width, width), norm(width), *([nn.ReLU()] if relu else [])]
    x = mg.tensor(random.standard_normal((samples, width)).astype("float32"))
    found = mg.products.growth(nn.Sequential(*modules), x, probes=probes)
    per_block = np.log(found).reshape(blocks, -1).sum(1)
    return float(np.exp(per_block[1:-1].mean())), len(found)


def test_batch_norm_and_relu_grow_by_pi_over_pi_minus_one(place: str) -> None:
    """Wide random nets with BN and ReLU: gradients grow by π/(π − 1) a block (large batch)."""
    rate, count = rates(nn.BatchNorm1d, True, width=1000, samples=512, blocks=5, probes=1)
    assert count == 15
    assert rate == pytest.approx(np.pi / (np.pi - 1), rel=0.03)


@pytest.mark.parametrize("samples", [6, 8, 16])
def test_linear_batch_norm_grows_by_b_minus_2_over_b_minus_3(place: str, samples: int) -> None:
    """Wide random linear nets with BN: gradients grow by (B − 2)/(B − 3) a block."""
    rate, _ = rates(nn.BatchNorm1d, False, width=1000, samples=samples, blocks=30, probes=2)
    assert rate == pytest.approx((samples - 2) / (samples - 3), rel=0.03)


def test_layer_norm_and_relu_stay_near_one(place: str) -> None:
    """Wide random nets with LN and ReLU neither explode nor vanish: 1 a block."""
    rate, _ = rates(nn.LayerNorm, True, width=512, samples=128, blocks=8, probes=2)
    assert rate == pytest.approx(1, rel=0.1)


def test_growth_of_a_dead_network_does_not_warn(place: str) -> None:
    """Where no gradient passes, growth answers 0 or NaN, not a warning."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    model.load_state_dict({"0.weight": np.eye(2), "0.bias": np.full(2, -5.0)})
    found = mg.products.growth(model, mg.ones(1, 2), probes=1)
    assert found[1] == 0
    assert found[0] == 0 or np.isnan(found[0])
