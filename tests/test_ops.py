"""Every operation on every sample and backend: values, first and second derivatives, dtypes."""

from __future__ import annotations

from itertools import zip_longest
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near
from samples import SAMPLES, Sample

import minigrad as mg
from minigrad import backend, engine, ops
from minigrad.node import Node

samples = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


# NumPy has these names, and does otherwise: no axis for numbers, the mean of two medians, ddof = 0.
OTHERWISE = (
    *("var", "std", "median", "max along", "split", "tensordot that broadcasts"),
    *(f"{name} of a number" for name in ("cumsum", "cumprod", "max", "min", "sort")),
)


def leaves(sample: Sample, dtype: str = "float64") -> list[mg.Tensor]:
    """The sample's inputs as leaves on the backend in use."""
    if not sample.standard and backend.default().name == "strict":
        pytest.skip("outside the Array API standard")
    return [mg.tensor(a.astype(dtype), requires_grad=True) for a in sample.inputs()]


@samples
def test_rules_equal_differences(place: str, sample: Sample) -> None:
    """First and second derivatives equal central differences."""
    xs = tuple(leaves(sample))
    verdict = mg.gradcheck(lambda *xs: sample.function(mg, *xs), xs, order=sample.order)
    assert verdict or all(x.numel() == 0 for x in xs), verdict


@samples
def test_values_are_those_of_raw_arrays_on_numpy(place: str, sample: Sample) -> None:
    """Tensors on any backend compute what the composite computes on plain NumPy arrays."""
    found = sample.function(mg, *leaves(sample))
    wanted = sample.function(mg, *[mg.from_numpy(a) for a in sample.inputs()])
    assert found.backend == place
    near(found, wanted)


@samples
def test_values_are_numpys_where_it_has_the_function(place: str, sample: Sample) -> None:
    """A function that NumPy has under the same name computes what NumPy's does."""
    if sample.name.startswith("pad") or sample.name in OTHERWISE:
        pytest.skip("NumPy means something else by the name")
    try:
        wanted = sample.function(np, *sample.inputs())
    except (AttributeError, TypeError):
        pytest.skip("NumPy has no such function")
    near(sample.function(mg, *leaves(sample)), wanted)


@samples
def test_float32_stays_float32(place: str, sample: Sample) -> None:
    """Values, gradients and second gradients of float32 inputs are float32."""
    xs = leaves(sample, "float32")
    y = sample.function(mg, *xs)
    gs = mg.grad(y.sum(), xs, create_graph=True, allow_unused=True)
    total = sum(((g * g).sum() for g in gs if g is not None), start=mg.zeros(()))
    second = mg.grad(total, xs, allow_unused=True) if total.requires_grad else ()
    for tensor in (y, *gs, *second):
        assert tensor is None or "float32" in str(tensor.dtype)


@samples
def test_mixed_dtypes_promote_and_come_back(place: str, sample: Sample) -> None:
    """A float32 input among float64 ones gives a float64 result and a float32 gradient."""
    if len(sample.shapes) == 1:
        pytest.skip("one input only")
    xs = [
        mg.tensor(a.astype("float32" if i == 0 else "float64"), requires_grad=True)
        for i, a in enumerate(sample.inputs())
    ]
    y = sample.function(mg, *xs)
    assert "float64" in str(y.dtype)
    for x, g in zip(xs, mg.grad(y.sum(), xs), strict=True):
        assert g is not None
        assert g.dtype == x.dtype
        assert g.shape == x.shape


@samples
def test_memory_order_does_not_matter(sample: Sample) -> None:
    """Reversed, strided views give the values and gradients of contiguous arrays."""

    def run(arrays: list[np.ndarray]) -> list[Any]:
        xs = [mg.from_numpy(a).requires_grad_() for a in arrays]
        y = sample.function(mg, *xs)
        return [y, *mg.grad((y * y).sum(), xs)]

    def awkward(a: np.ndarray) -> np.ndarray:
        wide = np.zeros((*a.shape, 2))[..., ::-1]
        wide[..., 0] = a
        return wide[..., 0].T.copy().T

    for found, wanted in zip(
        run([awkward(a) for a in sample.inputs()]), run(sample.inputs()), strict=True
    ):
        near(found, wanted)


@pytest.mark.torch
@samples
def test_equals_pytorch(torch: ModuleType, sample: Sample) -> None:
    """Values, first and second gradients equal PyTorch's in float64 to 1e-10."""
    if not sample.parity:
        pytest.skip("PyTorch has no such function")

    def run(m: Any, function: Any, xs: list[Any], grad: Any) -> list[Any]:
        y = function(m, *xs)
        weights = m.reshape(m.arange(1.0, y.numel() + 1, dtype=m.float64), y.shape)
        gs = grad((m.sin(y) * weights).sum(), xs, create_graph=True, allow_unused=True)
        slopes = [m.sin(g + 1).sum() for g in gs if g is not None]
        total = slopes[0]
        for slope in slopes[1:]:
            total = total + slope
        second = grad(total, xs, allow_unused=True) if total.requires_grad else ()
        return [y, *gs, *second]

    theirs = [torch.tensor(a, requires_grad=True) for a in sample.inputs()]
    found = run(mg, sample.function, leaves(sample), mg.grad)
    wanted = run(torch, sample.torch or sample.function, theirs, torch.autograd.grad)
    for x, mine, other in zip_longest([wanted[0], *theirs, *theirs], found, wanted):
        zero = np.zeros(x.shape)  # what either side may call None: no path
        near(zero if mine is None else mine, zero if other is None else other)


def test_every_rule_has_a_sample() -> None:
    """No operation with backward rules is without a sample that records it."""
    recorded: set[str] = set()
    for sample in SAMPLES:
        y = sample.function(mg, *leaves(sample))
        gs = mg.grad((y * y).sum(), [v for v in engine.order([y]) if isinstance(v, mg.Tensor)],
                     create_graph=True)  # fmt: skip
        for v in engine.order([y, *gs]):
            if isinstance(v, Node):
                recorded.add(v.op.name)
    known = {
        value.name
        for module in vars(ops).values()
        if getattr(module, "__name__", "").startswith("minigrad.ops.")
        for value in vars(module).values()
        if isinstance(value, engine.Primitive) and value.rules
    }
    assert len(known) > 40
    moved = {"_transfer", "_astype"}  # tested below
    assert known - recorded - moved == set()


@pytest.mark.parametrize("x", [0.0, 1.0, -1.0])
@pytest.mark.torch
def test_ties_and_kinks_are_pytorchs(torch: ModuleType, x: float) -> None:
    """Where no derivative exists, the one taken is PyTorch's."""
    functions: list[Any] = [
        lambda m, t: m.relu(t),
        lambda m, t: m.abs(t),
        lambda m, t: m.clamp(t, min=-1.0, max=1.0),
        lambda m, t: m.maximum(t, m.tensor([0.0, 1.0])),
        lambda m, t: m.amax(t),
        lambda m, t: m.max(t),
        lambda m, t: m.max(t, 0)[0],
        lambda m, t: m.min(t, 0)[0],
        lambda m, t: t**0,
        lambda m, t: m.sign(t),
        lambda m, t: t.norm(),
        lambda m, t: m.pow(t, m.tensor([0.0, 2.0])),
    ]
    for f in functions:
        grads = []
        for m in (mg, torch):
            t = m.tensor([x, x], requires_grad=True)
            f(m, t).sum().backward()
            grads.append(host(t.grad))
        near(grads[0], grads[1])


def test_of_equal_entries_each_takes_half(place: str) -> None:
    """The larger and the smaller of two share their gradient where the two are equal."""
    x, y = (mg.tensor(t, requires_grad=True) for t in ([1.0, 2.0], [1.0, 3.0]))
    for choose, by_x, by_y in (
        (mg.maximum, [0.5, 0.0], [0.5, 1.0]),
        (mg.minimum, [0.5, 1.0], [0.5, 0.0]),
    ):
        for found, wanted in zip(mg.grad(choose(x, y).sum(), (x, y)), (by_x, by_y), strict=True):
            near(found, wanted)
    near(mg.grad((x**0).sum(), x)[0], [0.0, 0.0])


def test_powers_of_zero_do_not_move_with_the_exponent(place: str) -> None:
    """The slope of xʸ in y is xʸ·ln x, and 0, not NaN, where x = 0."""
    x = mg.tensor(np.array([0.0, 1.0, 2.0]), requires_grad=True)
    y = mg.tensor(np.array([2.0, 3.0, 3.0]), requires_grad=True)
    (x**y).sum().backward()
    near(x.grad, np.array([0.0, 3.0, 12.0]))
    near(y.grad, np.array([0.0, 0.0, 8 * np.log(2)]))
    (z,) = mg.grad((0.0**y).sum(), y)
    near(z, np.zeros(3))


@pytest.mark.parametrize("name", [
    "sum", "mean", "var", "std", "prod", "amax", "amin", "max", "min", "argmax", "argmin", "all",
    "any", "logsumexp", "norm", "cumsum", "cumprod", "softmax", "log_softmax", "argsort",
])  # fmt: skip
def test_dim_is_axis(place: str, name: str) -> None:
    """PyTorch's dim and keepdim mean what NumPy's axis and keepdims do."""
    x = mg.tensor(np.array([[1.0, 5.0, 0.0], [2.0, 7.0, 3.0]]))
    x = x > 0 if name in ("all", "any") else x
    f = getattr(mg, name, None) or mg.Tensor.norm
    kept = name not in ("cumsum", "cumprod", "softmax", "log_softmax", "argsort")
    by_dim = f(x, dim=1, keepdim=True) if kept else f(x, dim=1)
    by_axis = f(x, axis=1, keepdims=True) if kept else f(x, axis=1)
    by_dim, by_axis = (y[0] if name in ("max", "min") else y for y in (by_dim, by_axis))
    assert by_dim.shape == ((2, 1) if kept else (2, 3))
    near(by_dim, host(by_axis))


def test_truth_values_and_bits(place: str) -> None:
    """&, |, ^ and ~ are logic on truth values, and bit by bit on integers."""
    x, y = mg.tensor([True, True, False, False]), mg.tensor([True, False, True, False])
    near(x & y, np.array([True, False, False, False]))
    near(x | y, np.array([True, True, True, False]))
    near(x ^ y, np.array([False, True, True, False]))
    near(~x, np.array([False, False, True, True]))
    x, y = mg.tensor([6, 5]), mg.tensor([3, 5])
    for found, wanted in ((x & y, [2, 5]), (x | y, [7, 5]), (x ^ y, [5, 0]), (~x, [-7, -6])):
        near(found, np.array(wanted))


def test_equal_and_close(place: str) -> None:
    """Equal asks for shapes and all entries; isclose for |x − y| ≤ atol + rtol·|y|."""
    x = mg.tensor(np.array([1.0, 2.0]))
    assert mg.equal(x, mg.tensor(np.array([1.0, 2.0])))
    for other in ([1.0, 3.0], [1.0, 1.0], [[1.0, 2.0]], [1.0], [1.0, 2.0, 3.0]):
        assert not mg.equal(x, mg.tensor(np.array(other)))
    x = mg.tensor(np.array([100.0, 100.0, 0.0, 0.0, -1.0]))
    y = mg.tensor(np.array([100.0009, 100.0011, 1e-9, 1e-7, 1.0]))
    near(mg.isclose(x, y), np.array([True, False, True, False, False]))
    assert mg.allclose(x, x)
    assert not mg.allclose(x, y)


@pytest.mark.parametrize(
    ("call", "wanted"),
    [
        (lambda x: x.ravel(), lambda a: a.ravel()),
        (lambda x: x.view_as(mg.zeros(4, 6)), lambda a: a.reshape(4, 6)),
        (lambda x: mg.zeros(3, 1).expand_as(x), lambda a: np.zeros((2, 3, 4))),
        (lambda x: x.flatten(), lambda a: a.ravel()),
        (lambda x: x.flatten(0, 1), lambda a: a.reshape(6, 4)),
        (lambda x: x.flatten(-2), lambda a: a.reshape(2, 12)),
        (lambda x: x[0, 0, 0].flatten(), lambda a: a[0, 0, :1]),
        (lambda x: x.unflatten(-1, (2, 2)), lambda a: a.reshape(2, 3, 2, 2)),
        (lambda x: x[:1, :, :1].squeeze((0, 1)), lambda a: a[0, :, :1]),
        (lambda x: x[0].t(), lambda a: a[0].T),
        (lambda x: x[0, 0].t(), lambda a: a[0, 0]),
        (lambda x: x.movedim(-1, 0), lambda a: np.moveaxis(a, -1, 0)),
        (lambda x: x.movedim(0, -1), lambda a: np.moveaxis(a, 0, -1)),
        (lambda x: x.movedim((0, 2), (2, 1)), lambda a: np.moveaxis(a, (0, 2), (2, 1))),
        (lambda x: mg.permute(x, dims=(2, 0, 1)), lambda a: a.transpose(2, 0, 1)),
        (lambda x: mg.flip(x, dims=[0, 2]), lambda a: a[::-1, :, ::-1]),
        (lambda x: mg.tile(x, dims=(2, 1)), lambda a: np.tile(a, (2, 1))),
        (lambda x: mg.transpose(x[0, 0, 0], 0, -1), lambda a: a[0, 0, 0]),
        (lambda x: mg.cat([x[0, 0, :0], x], 1), lambda a: a),
        (lambda x: mg.cat([x[0, 0, :0], x[0, 0, :0]]), lambda a: a[0, 0, :0]),
        (lambda x: x.take_along_dim(mg.tensor([[3, 0]])), lambda a: a.ravel()[[3, 0]]),
        (lambda x: mg.gather(x[0, 0, 0], 0, mg.tensor([0, 0])), lambda a: a[0, 0, [0, 0]]),
        (lambda x: mg.gather(x[0, 0], 0, mg.tensor(2)), lambda a: a[0, 0, 2]),
        (lambda x: mg.index_select(x, 1, mg.tensor(2)), lambda a: a[:, 2:]),
        (lambda x: mg.index_select(x[0, 0, 0], 0, mg.tensor([0])), lambda a: a[0, 0, 0]),
        (lambda x: x.roll(1), lambda a: np.roll(a, 1)),
        (lambda x: x.roll(-2, 2), lambda a: np.roll(a, -2, 2)),
        (lambda x: x.chunk(2)[1], lambda a: a[1:]),
        (lambda x: x.chunk(3, -1)[1], lambda a: a[..., 2:]),
        (lambda x: x.split(1)[1], lambda a: a[1:]),
        (lambda x: x.split(3, 2)[1], lambda a: a[..., 3:]),
        (lambda x: x.unbind()[1], lambda a: a[1]),
        (lambda x: x.unbind(-1)[1], lambda a: a[..., 1]),
        (lambda x: mg.cat([x, x]), lambda a: np.concatenate([a, a])),
        (lambda x: mg.stack([x, x]), lambda a: np.stack([a, a])),
        (lambda x: x.repeat(2, 1, 1, 3), lambda a: np.tile(a, (2, 1, 1, 3))),
        (lambda x: mg.tile(x, (3, 2)), lambda a: np.tile(a, (3, 2))),
        (lambda x: mg.pad(x, (-1, -1)), lambda a: a[..., 1:-1]),
        (lambda x: mg.pad(x, (1, 0)), lambda a: np.pad(a, ((0, 0), (0, 0), (1, 0)))),
        (
            lambda x: mg.pad(x, (1, -2, -1, 2), value=5.0),
            lambda a: np.pad(a[:, 1:, :-2], ((0, 0), (0, 2), (1, 0)), constant_values=5),
        ),
        (lambda x: x.tril(), lambda a: np.tril(a)),
        (lambda x: x.triu(), lambda a: np.triu(a)),
        (lambda x: x.triu(-1), lambda a: np.triu(a, -1)),
        (lambda x: x.var(), lambda a: a.var(ddof=1)),
        (lambda x: x.std((0, 1)), lambda a: a.std((0, 1), ddof=1)),
        (lambda x: x.std(0, unbiased=False), lambda a: a.std(0)),
        (lambda x: x.norm(), lambda a: np.sqrt((a * a).sum())),
        (lambda x: x.norm(dim=(0, 2)), lambda a: np.sqrt((a * a).sum((0, 2)))),
        (lambda x: x.norm(p=1, dim=0, keepdim=True), lambda a: np.abs(a).sum(0, keepdims=True)),
        (lambda x: x.norm(p=3, dim=1), lambda a: (np.abs(a) ** 3).sum(1) ** (1 / 3)),
        (lambda x: mg.prod(x, (0, -1)), lambda a: a.prod((0, 2))),
        (lambda x: mg.prod(x, 1, keepdim=True), lambda a: a.prod(1, keepdims=True)),
        (lambda x: mg.cumprod(x, -1), lambda a: a.cumprod(-1)),
        (lambda x: mg.logsumexp(x), lambda a: np.log(np.exp(a).sum())),
        (lambda x: mg.logsumexp(x, (0, 2)), lambda a: np.log(np.exp(a).sum((0, 2)))),
        (lambda x: mg.softmax(x, 1), lambda a: np.exp(a) / np.exp(a).sum(1, keepdims=True)),
        (
            lambda x: mg.log_softmax(x, -1),
            lambda a: a - np.log(np.exp(a).sum(-1, keepdims=True)),
        ),
        (lambda x: mg.any(x > 0), lambda a: (a > 0).any()),
        (lambda x: mg.all(x > 0, 1), lambda a: (a > 0).all(1)),
        (lambda x: mg.max(x, 1)[0], lambda a: a.max(1)),
        (lambda x: mg.max(x, -1, keepdim=True)[1], lambda a: a.argmax(-1, keepdims=True)),
        (lambda x: mg.min(x, 1)[1], lambda a: a.argmin(1)),
        (lambda x: mg.argsort(x), lambda a: a.argsort(-1)),
        (lambda x: mg.sort(x)[0], lambda a: np.sort(a, -1)),
        (lambda x: mg.sort(x, 1, descending=True)[0], lambda a: -np.sort(-a, 1)),
        (lambda x: mg.sort(x, 0, descending=True)[1], lambda a: (-a).argsort(0)),
        (lambda x: mg.topk(x, 2)[0], lambda a: -np.sort(-a, -1)[..., :2]),
        (lambda x: mg.topk(x, 4)[1], lambda a: (-a).argsort(-1)),
        (lambda x: mg.topk(x, 0, 1)[0], lambda a: a[:, :0]),
        (lambda x: mg.topk(x, 1, 0, largest=False)[0], lambda a: a.min(0, keepdims=True)),
        (lambda x: mg.diag(x[1]), lambda a: np.diag(a[1])),
        (lambda x: mg.diag(x[1].T), lambda a: np.diag(a[1].T)),
        (lambda x: mg.diag(x[0, 0]), lambda a: np.diag(a[0, 0])),
        (lambda x: mg.addmm(x[0], x[0][:, :3], x[1]), lambda a: a[0] + a[0][:, :3] @ a[1]),
        (lambda x: mg.einsum("ij,kj->ik", [x[0], x[1]]), lambda a: a[0] @ a[1].T),
        (lambda x: mg.tensordot(x, x[0]), lambda a: np.tensordot(a, a[0], 2)),
    ],
)
def test_arrangements_are_numpys(place: str, call: Any, wanted: Any) -> None:
    """Shapes, defaults and negative axes, against the same thing in NumPy."""
    a = np.random.default_rng(0).standard_normal((2, 3, 4))
    near(call(mg.tensor(a)), np.asarray(wanted(a)))


def test_arrangements_of_little_and_of_nothing(place: str) -> None:
    """Axes of size 0 and 1, empty parts, and sizes that −1 stands for."""
    nothing, x = mg.zeros(0, 8), mg.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert nothing.unflatten(1, (2, -1)).shape == (0, 2, 4)
    assert mg.zeros(1, 0, 2).squeeze().shape == (0, 2)
    assert len(mg.split(x[:1], 1)) == 1
    assert [part.shape for part in mg.split(x, [0, 3], 1)] == [(2, 0), (2, 3)]
    assert mg.pad(x, (-3, 0)).shape == (2, 0)
    near(mg.gather(x, 1, mg.tensor([[2, 0]])), [[3.0, 1.0]])
    with pytest.raises(TypeError):
        x.reshape((3, 2), 1)


def test_slices_are_selected_along_an_axis() -> None:
    """index_select takes slices along any axis, the last counted from the end too."""
    a = np.random.default_rng(0).standard_normal((2, 3, 4))
    near(mg.index_select(mg.tensor(a), 1, mg.tensor([2, 0])), a[:, [2, 0]])
    near(mg.index_select(mg.tensor(a), -1, mg.tensor([2, 2])), a[..., [2, 2]])


def test_masks_and_indices_of_what_is_not_zero() -> None:
    """masked_select broadcasts both ways; nonzero gives one row of indices for each entry."""
    a = np.array([[0.0, 2.0, 0.0], [3.0, 0.0, 4.0]])
    near(mg.masked_select(mg.tensor(a), mg.tensor([False, True, True])), a[:, 1:].ravel())
    near(mg.masked_select(mg.tensor(a[0]), mg.tensor(a > 0)), np.array([2.0, 0.0, 0.0]))
    near(mg.nonzero(mg.tensor(a)), np.argwhere(a))


def test_entries_that_tie_keep_their_order(place: str) -> None:
    """Sorting is stable, in either direction."""
    a = np.arange(99) % 3
    x = mg.tensor(a)
    near(mg.argsort(x), np.argsort(a, stable=True))
    near(mg.argsort(x, descending=True), np.argsort(-a, stable=True))


def test_the_norm_is_flat_at_zero(place: str) -> None:
    """The slope of the norm at the zero vector is taken as 0."""
    x = mg.zeros(2, requires_grad=True)
    near(mg.grad(x.norm(), x)[0], [0.0, 0.0])


def test_norms_of_infinite_order(place: str) -> None:
    """The largest |x| and the smallest."""
    x = mg.tensor(np.array([[3.0, -4.0], [-2.0, 1.0]]))
    near(x.norm(p=np.inf, dim=1), np.array([4.0, 2.0]))
    near(x.norm(p=-np.inf, dim=1), np.array([3.0, 1.0]))


def test_astype_is_recorded(place: str) -> None:
    """A cast passes its gradient back in the dtype it came from."""
    x = mg.tensor([1.0, 2.0], dtype=mg.float32, requires_grad=True)
    y = (x.double() * x.double()).sum()
    assert "float64" in str(y.dtype)
    y.backward()
    assert "float32" in str(x.grad.dtype)
    near(x.grad, np.array([2.0, 4.0]))


def test_transfer_is_recorded() -> None:
    """A tensor sent to another backend sends its gradient back home."""
    x = mg.tensor([1.0, 2.0], dtype=mg.float64, requires_grad=True)
    there = x.to("strict")
    assert there.backend == "strict"
    (there * there).sum().backward()
    assert x.grad.backend == "numpy"
    near(x.grad, np.array([2.0, 4.0]))


def test_boolean_masks_select() -> None:
    """x[mask] and its gradient, which only backends with data-dependent shapes can do."""
    x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    y = x[x > 2]
    near(y, np.array([3.0, 4.0, 5.0]))
    (y * y).sum().backward()
    near(x.grad, np.array([[0.0, 0.0, 0.0], [6.0, 8.0, 10.0]]))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: x.sum(5), r"axis 5 is out of bounds for array of dimension 2"),
        (
            lambda x: mg.mm(x, x[0]),
            r"mm needs 2-d and 2-d operands; got shapes \(2, 3\) and \(3,\)",
        ),
        (lambda x: mg.topk(x, 4), "asked for 4 entries along axis 1, which has 3"),
        (lambda x: mg.topk(x, -1, 0), "asked for -1 entries along axis 0, which has 2"),
        (lambda x: mg.split(x, [1, 1], 1), r"\[1, 1\] was asked for along axis 1, which has 3"),
        (lambda x: mg.matmul(x, mg.tensor(2.0)), r"Use \* to scale"),
        (lambda x: mg.matmul(mg.tensor(2.0), x), r"Use \* to scale"),
        (lambda x: mg.pad(x, (1, 1), mode="mirror"), "mode='mirror'"),
        (lambda x: mg.pad(x, (3, 1), mode="reflect"), "axis of 3 entries, which has at most 2"),
        (lambda x: mg.pad(x, (1, 4), mode="circular"), "axis of 3 entries, which has at most 3"),
        (lambda x: mg.pad(x[:0], (0, 0, 1, 0), mode="replicate"), "has at most 0 to repeat"),
        (lambda x: mg.reshape(x, -3, 2), r"\(-3, 2\) needs sizes of at least 0"),
        (lambda x: mg.squeeze(x, 3), "axis 3 is out of bounds for array of dimension 2"),
        (lambda x: mg.transpose(x, 0, 2), "axis 2 is out of bounds for array of dimension 2"),
        (lambda x: mg.t(x[None]), "t needs at most 2 axes"),
        (lambda x: mg.movedim(x, (0, 1), 0), r"as many places as axes, .* \(0, 1\) and 0"),
        (lambda x: mg.movedim(x, (0, 1), (0, 0)), "each named once"),
        (lambda x: mg.roll(x, (1, 2), 0), r"got shifts=\(1, 2\) and dims=0"),
        (lambda x: mg.tril(x[0]), "tril needs at least 2 axes"),
        (lambda x: mg.triu(x[0]), "triu needs at least 2 axes"),
        (lambda x: mg.index_select(x, 0, mg.tensor([[0]])), "needs a vector of integers"),
        (lambda x: mg.pad(x, (1,)), r"two margins an axis, for at most 2 axes; .* and \(1,\)"),
        (lambda x: mg.pad(x, (1,) * 6), "for at most 2 axes"),
        (lambda x: mg.pad(x, (-4, 1)), "crops more than there is"),
        (lambda x: x.squeeze((0, -2)), "an axis twice"),
        (lambda x: mg.bmm(x, x), "bmm needs 3-d and 3-d operands"),
        (lambda x: mg.mv(x, x), "mv needs 2-d and 1-d operands"),
        (lambda x: mg.dot(x, x[0]), "dot needs 1-d and 1-d operands"),
        (lambda x: mg.outer(x[0], x), "outer needs 1-d and 1-d operands"),
        (lambda x: mg.diag(x[0, 0]), "diag needs 2-d operands"),
        (lambda x: mg.diag(x[None]), "diag needs 2-d operands"),
        (lambda x: mg.trace(x[0]), "trace needs 2-d operands"),
        (lambda x: mg.addmm(x, x[0], x), "addmm needs 2-d and 2-d operands"),
        (lambda x: mg.bmm(x[None], mg.stack([x.T, x.T])), "two stacks of as many matrices"),
        (lambda x: mg.bmm(mg.stack([x, x]), x.T[None]), "two stacks of as many matrices"),
        (
            lambda x: mg.addmm(mg.ones(1, 2, 2), x, x.T),
            r"broadcasts to the product's shape \(2, 2\)",
        ),
        (lambda x: mg.addmm(mg.ones(3, 2, 2), x, x.T), r"got \(3, 2, 2\)"),
        (lambda x: mg.tensordot(x, x, 1), r"axes \[1\] and \[0\] needs equal sizes"),
        (lambda x: mg.tensordot(x.T, x.T, 1), r"axes \[1\] and \[0\] needs equal sizes"),
        (lambda x: mg.einsum("ij"), "names 1 operands by letters; got 0"),
        (lambda x: mg.einsum("ij,jk", x), "names 2 operands by letters; got 1"),
        (lambda x: mg.einsum("ij", x, x), "names 1 operands by letters; got 2"),
        (lambda x: mg.einsum("i1", x), "names 1 operands by letters"),
        (lambda x: mg.einsum("ij->1", x), "names 1 operands by letters"),
        (lambda x: mg.einsum("ijk", x), "gives 3 indices to an operand"),
        (lambda x: mg.einsum("i", x), "gives 1 indices to an operand"),
        (lambda x: mg.einsum("ij,jk", x, x), "gives index 'j' two sizes: 3 and 2"),
        (lambda x: mg.einsum("ij,jk", x, x[:0]), "gives index 'j' two sizes: 3 and 0"),
    ],
)
def test_bad_arguments_are_explained(call: Any, said: str) -> None:
    """Wrong axes and shapes say what was asked, what was found and what to do."""
    x = mg.tensor(np.ones((2, 3)), requires_grad=True)
    with pytest.raises((ValueError, IndexError), match=said):
        call(x)


def test_standardize_equals_its_composite(place: str, random: np.random.Generator) -> None:
    """The one closed rule of normalization equals ten primitives, to second order."""
    data = random.standard_normal((5, 4))
    v = mg.tensor(random.standard_normal((5, 4)))

    def derivatives(standardize: Any) -> list[Any]:
        x = mg.tensor(data, requires_grad=True)
        z, mu, sigma = standardize(x, axis=(0,), eps=1e-3)
        y = (z * z * z * v).sum() + (mu * sigma).sum()
        (g,) = mg.grad(y, x, create_graph=True)
        return [y, g, *mg.grad((g * v).sum(), x)]

    for closed, built in zip(
        derivatives(ops.standardize), derivatives(ops.standardize_composite), strict=True
    ):
        near(closed, built, 1e-12)


@pytest.mark.parametrize("standardize", [ops.standardize, ops.standardize_composite])
def test_standardize_adds_one_in_a_hundred_thousand(standardize: Any) -> None:
    """Unless given, ε is 1e-5, added to the variance, and μ is taken off."""
    z, mu, sigma = standardize(mg.tensor(np.array([1.0, 1.002, 1.004])), axis=(0,))
    near(mu, np.array([1.002]))
    near(sigma, np.sqrt([8e-6 / 3 + 1e-5]))
    near(z, np.array([-0.002, 0.0, 0.002]) / np.sqrt(8e-6 / 3 + 1e-5))


def test_a_kernel_that_leaves_the_backend_is_refused() -> None:
    """On the stand-in a stray NumPy call, an implicit transfer and a mix of backends raise."""
    with mg.use("strict"):
        x = mg.tensor([1.0, 2.0], requires_grad=True)

    @mg.primitive
    def stray(x: Any) -> Any:
        return np.exp(x)

    @mg.primitive
    def implicit(x: Any) -> Any:
        return backend.namespace(x).exp(x) * np.ones(2, np.float32)

    for kernel in (stray, implicit):
        with pytest.raises((TypeError, ValueError, RuntimeError)) as caught:
            kernel(x)
        assert any(kernel.name in note for note in caught.value.__notes__)
    with pytest.raises((TypeError, ValueError)):
        x + np.ones(2, np.float32)
