"""Random shapes, dtypes, axes, indices and programs: minigrad against NumPy and PyTorch.

Structure is drawn by hypothesis, the same in every run; numbers come from a drawn seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import zip_longest
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - PyTorch's custom
from minigrad import nn

Shape = tuple[int, ...]
Draw = Callable[..., Any]


def fuzz(examples: int) -> settings:
    """So many examples, the same in every run."""
    return settings(
        max_examples=examples,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


seeds = st.integers(0, 2**32 - 1)
flags = st.booleans()
dtypes = st.sampled_from(["float32", "float64"])
shapes = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
full_shapes = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)


def numbers(seed: int, shape: Shape, domain: str = "any") -> np.ndarray:
    """Float64 numbers: with ties and kinks ("any"), without ("smooth"), or positive."""
    random = np.random.default_rng(seed)
    if domain == "positive":
        return np.asarray(random.uniform(0.25, 3.0, shape))
    smooth = np.asarray(random.standard_normal(shape))
    if domain == "smooth":
        return smooth
    return np.where(random.random(shape) < 0.5, random.integers(-2, 3, shape), smooth)


# ── the comparison with PyTorch ──────────────────────────────────────────────────────────────────


def pytorch() -> ModuleType:
    """PyTorch, or skip; without a fixture, which hypothesis would share among its examples."""
    return pytest.importorskip("torch")


def leaf(m: Any, array: np.ndarray) -> Any:
    """A leaf of either library."""
    return m.tensor(array, requires_grad=True)


def parts(y: Any) -> list[Any]:
    """The result of a call that may answer several tensors."""
    return list(y) if isinstance(y, tuple | list) else [y]


def weigh(m: Any, ys: list[Any]) -> Any:
    """A scalar in which each entry of floating results counts with a weight of its own."""
    total = None
    for y in ys:
        shape = tuple(y.shape)
        weights = np.cos(1.0 + np.arange(math.prod(shape))).reshape(shape)
        part = (y * m.tensor(weights)).sum()
        total = part if total is None else total + part
    return total


def derivatives(m: Any, grad: Any, function: Draw, xs: list[Any], order: int) -> list[Any]:
    """Results, then gradients by ``xs``, then the gradient of a nonlinear function of those."""
    ys = parts(function(m, *xs))
    graded = [y for y in ys if y.requires_grad]
    if not graded:
        return ys
    second = order == 2
    gs = grad(weigh(m, graded), xs, create_graph=second, allow_unused=True)
    out = [*ys, *gs]
    if second:
        slopes = [m.sin(g + 1) for g in gs if g is not None and g.requires_grad]
        if slopes:
            out += grad(weigh(m, slopes), xs, allow_unused=True)
        else:
            out += [None] * len(xs)
    return out


def plain(x: Any) -> np.ndarray:
    """Any tensor or array as a NumPy array; also what PyTorch leaves unwritten, being zero."""
    return x.numpy(force=True) if hasattr(x, "resolve_neg") else host(x)


def same_as_pytorch(
    function: Draw,
    *arrays: np.ndarray,
    theirs: Draw | None = None,
    order: int = 1,
    tolerance: float = 1e-9,
) -> None:
    """Assert equal results and derivatives; a missing gradient is a gradient of zeros."""
    torch = pytorch()
    xs, ts = [leaf(mg, a) for a in arrays], [leaf(torch, a) for a in arrays]
    found = derivatives(mg, mg.grad, function, xs, order)
    wanted = derivatives(torch, torch.autograd.grad, theirs or function, ts, order)
    results = len(parts((theirs or function)(torch, *ts)))
    for i, (mine, other) in enumerate(zip_longest(found, wanted)):
        if i < results:
            near(mine, other, tolerance)
            continue
        x = xs[(i - results) % len(xs)]
        zeros = np.zeros(x.shape)
        near(
            plain(zeros if mine is None else mine),
            plain(zeros if other is None else other),
            tolerance,
        )
        assert mine is None or mine.dtype == x.dtype


def functional(m: Any) -> Any:
    """The ``nn.functional`` of either library."""
    return F if m is mg else m.nn.functional


# ── 1. entry by entry ────────────────────────────────────────────────────────────────────────────

UNARY: dict[str, tuple[Draw, str]] = {
    "exp": (np.exp, "any"),
    "expm1": (np.expm1, "any"),
    "log": (np.log, "positive"),
    "log1p": (np.log1p, "positive"),
    "log2": (np.log2, "positive"),
    "sqrt": (np.sqrt, "positive"),
    "rsqrt": (lambda x: 1 / np.sqrt(x), "positive"),
    "square": (np.square, "any"),
    "reciprocal": (np.reciprocal, "positive"),
    "neg": (np.negative, "any"),
    "abs": (np.abs, "any"),
    "sign": (np.sign, "any"),
    "sin": (np.sin, "any"),
    "cos": (np.cos, "any"),
    "tanh": (np.tanh, "any"),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), "any"),
    "erf": (lambda x: np.vectorize(math.erf, otypes=[x.dtype])(x), "any"),
    "relu": (lambda x: np.maximum(x, 0), "any"),
    "floor": (np.floor, "any"),
    "ceil": (np.ceil, "any"),
    "round": (np.round, "any"),
}

BINARY: dict[str, tuple[Draw, Draw, str]] = {
    "add": (lambda m, x, y: x + y, np.add, "any"),
    "sub": (lambda m, x, y: x - y, np.subtract, "any"),
    "mul": (lambda m, x, y: x * y, np.multiply, "any"),
    "div": (lambda m, x, y: x / y, np.divide, "positive"),
    "pow": (lambda m, x, y: x**y, np.power, "positive"),
    "maximum": (lambda m, x, y: m.maximum(x, y), np.maximum, "any"),
    "minimum": (lambda m, x, y: m.minimum(x, y), np.minimum, "any"),
    "remainder": (lambda m, x, y: x % y, np.remainder, "positive"),
    "remainder of a negative": (lambda m, x, y: -x % y, lambda x, y: -x % y, "positive"),
    "where": (lambda m, x, y: m.where(x > y, x, y * 2), lambda x, y: np.where(x > y, x, y * 2),
              "any"),
}  # fmt: skip

COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
_UFUNCS = dict(
    zip(
        COMPARISONS,
        [np.equal, np.not_equal, np.less, np.less_equal, np.greater, np.greater_equal],
        strict=True,
    )
)

pairs = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3)


def loose(*arrays: np.ndarray) -> float:
    """What rounding allows: the least precise dtype decides."""
    return 1e-5 if any(a.dtype == np.float32 for a in arrays) else 1e-10


@fuzz(150)
@given(name=st.sampled_from(sorted(UNARY)), shape=shapes, dtype=dtypes, seed=seeds)
def test_unary_values_are_numpys(name: str, shape: Shape, dtype: str, seed: int) -> None:
    """Functions of one tensor have NumPy's values, shape and dtype, on tensors and raw arrays."""
    function, domain = UNARY[name]
    a = numbers(seed, shape, domain).astype(dtype)
    wanted = function(a)
    for found in (getattr(mg, name)(mg.tensor(a)), getattr(mg.ops, name)(a)):
        near(found, wanted, loose(a))
        assert found.dtype == wanted.dtype == a.dtype


@pytest.mark.torch
@fuzz(150)
@given(name=st.sampled_from(sorted(UNARY)), shape=shapes, dtype=dtypes, seed=seeds)
def test_unary_derivatives_are_pytorchs(name: str, shape: Shape, dtype: str, seed: int) -> None:
    """First and second derivatives of functions of one tensor are PyTorch's, kinks included."""
    a = numbers(seed, shape, UNARY[name][1]).astype(dtype)
    same_as_pytorch(lambda m, x: getattr(m, name)(x), a, order=2, tolerance=loose(a))


@fuzz(150)
@given(
    name=st.sampled_from(sorted(BINARY)), shapes=pairs, kinds=st.tuples(dtypes, dtypes), seed=seeds
)
def test_binary_values_are_numpys(name: str, shapes: Any, kinds: Any, seed: int) -> None:
    """Functions of two tensors broadcast and promote as in NumPy; gradients come back home."""
    ours, numpys, domain = BINARY[name]
    a, b = (
        numbers(seed + i, shape, domain).astype(kind)
        for i, (shape, kind) in enumerate(zip(shapes.input_shapes, kinds, strict=True))
    )
    x, y = leaf(mg, a), leaf(mg, b)
    wanted, found = np.asarray(numpys(a, b)), ours(mg, x, y)
    near(found, wanted, loose(a, b))
    assert found.dtype == wanted.dtype
    for tensor, gradient in zip((x, y), mg.grad(found.sum(), (x, y)), strict=True):
        assert (gradient.shape, gradient.dtype) == (tensor.shape, tensor.dtype)
    found.sum().backward()
    assert (x.grad.shape, y.grad.shape) == (a.shape, b.shape)


@pytest.mark.torch
@fuzz(200)
@given(
    name=st.sampled_from(sorted(BINARY)), shapes=pairs, kinds=st.tuples(dtypes, dtypes), seed=seeds
)
def test_binary_derivatives_are_pytorchs(name: str, shapes: Any, kinds: Any, seed: int) -> None:
    """Derivatives of functions of two tensors are PyTorch's, through broadcasting and mixing."""
    function, _, domain = BINARY[name]
    arrays = [
        numbers(seed + i, shape, domain).astype(kind)
        for i, (shape, kind) in enumerate(zip(shapes.input_shapes, kinds, strict=True))
    ]
    promoted = str(np.result_type(*arrays))  # PyTorch lets a 0-d tensor count less

    def theirs(m: Any, *xs: Any) -> Any:
        return function(m, *(x.to(getattr(m, promoted)) for x in xs))

    same_as_pytorch(function, *arrays, theirs=theirs, order=2, tolerance=loose(*arrays))


@fuzz(80)
@given(name=st.sampled_from(COMPARISONS), shapes=pairs, kinds=st.tuples(dtypes, dtypes), seed=seeds)
def test_comparisons_are_numpys(name: str, shapes: Any, kinds: Any, seed: int) -> None:
    """Comparisons broadcast, answer NumPy's truth values and record nothing."""
    a, b = (
        numbers(seed + i, shape).astype(kind)
        for i, (shape, kind) in enumerate(zip(shapes.input_shapes, kinds, strict=True))
    )
    found = getattr(mg, name)(leaf(mg, a), mg.tensor(b))
    assert not found.requires_grad
    assert found.dtype == np.bool_
    near(found, _UFUNCS[name](a, b))


@fuzz(80)
@given(
    operator=st.sampled_from(["+", "-", "*", "/", "**", "%", "//"]),
    scalar=st.sampled_from([1, 2, 3, 0.5, 1.5]),
    side=st.sampled_from(["left", "right", "array on the left", "array on the right"]),
    shape=shapes,
    dtype=dtypes,
    seed=seeds,
)
def test_reflected_operators_are_numpys(
    operator: str, scalar: float, side: str, shape: Shape, dtype: str, seed: int
) -> None:
    """A Python number or NumPy array on either side of a tensor gives NumPy's value and dtype."""
    a = numbers(seed, shape, "positive").astype(dtype)
    other: Any = np.full((3, *[1] * a.ndim), scalar, dtype) if "array" in side else scalar
    call: Draw = {
        "+": lambda x, y: x + y,
        "-": lambda x, y: x - y,
        "*": lambda x, y: x * y,
        "/": lambda x, y: x / y,
        "**": lambda x, y: x**y,
        "%": lambda x, y: x % y,
        "//": lambda x, y: x // y,
    }[operator]
    x = leaf(mg, a)
    found = call(other, x) if "left" in side else call(x, other)
    wanted = call(other, a) if "left" in side else call(a, other)
    near(found, wanted, loose(a))
    assert found.dtype == np.asarray(wanted).dtype
    assert isinstance(found, mg.Tensor)


ACTIVATIONS: dict[str, Draw] = {
    "relu": lambda f, x, c: f.relu(x),
    "leaky_relu": lambda f, x, c: f.leaky_relu(x, c),
    "elu": lambda f, x, c: f.elu(x, c),
    "gelu": lambda f, x, c: f.gelu(x),
    "gelu tanh": lambda f, x, c: f.gelu(x, approximate="tanh"),
    "silu": lambda f, x, c: f.silu(x),
    "softplus": lambda f, x, c: f.softplus(x * 8, c * 4, 5.0),
    "hardtanh": lambda f, x, c: f.hardtanh(x, -c, 2 * c),
    "logsigmoid": lambda f, x, c: f.logsigmoid(x * 9),
    "tanh": lambda f, x, c: f.tanh(x),
    "sigmoid": lambda f, x, c: f.sigmoid(x * 9),
}


@pytest.mark.torch
@fuzz(100)
@given(
    name=st.sampled_from(sorted(ACTIVATIONS)),
    shape=shapes,
    c=st.sampled_from([0.25, 0.5, 1.0, 2.0]),
    smooth=flags,
    seed=seeds,
)
def test_activations_are_pytorchs(
    name: str, shape: Shape, c: float, smooth: bool, seed: int
) -> None:
    """Values and gradients of the nonlinearities are PyTorch's at their kinks; two elsewhere."""
    a = numbers(seed, shape, "smooth" if smooth else "any")
    order = 2 if smooth else 1  # a second derivative at a kink is nobody's promise
    same_as_pytorch(lambda m, x: ACTIVATIONS[name](functional(m), x, c), a, order=order)


@pytest.mark.torch
@fuzz(60)
@given(
    shape=shapes,
    low=st.sampled_from([None, -2.0, -1.0, 0.0]),
    high=st.sampled_from([None, 0.0, 1.0, 2.0]),
    seed=seeds,
)
def test_clamp_is_pytorchs(shape: Shape, low: Any, high: Any, seed: int) -> None:
    """Clamping passes the gradient where PyTorch does, at the bounds too."""
    if low is None and high is None:
        low = 0.0
    same_as_pytorch(lambda m, x: m.clamp(x, min=low, max=high) * x, numbers(seed, shape), order=2)


# ── 2. reductions ────────────────────────────────────────────────────────────────────────────────


@st.composite
def reduced(draw: Draw, sides: tuple[int, int] = (1, 4)) -> tuple[Shape, Any, bool]:
    """A shape, axes of it (None, an int of either sign, several), and whether to keep them."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=sides[0], max_side=sides[1]))
    n = len(shape)
    axis = None
    if n:
        one = st.integers(-n, n - 1)
        axis = draw(st.one_of(st.none(), one, hnp.valid_tuple_axes(n, min_size=1)))
    return shape, axis, draw(flags)


EXTREMES = ["amax", "amin", "logsumexp"]  # of nothing there is none
REDUCTIONS = ["sum", "mean", "var", "std", *EXTREMES, "norm", "norm 1", "norm 3", "norm inf"]


def reduce_by(m: Any, name: str, x: Any, axis: Any, keep: bool) -> Any:
    """The reduction called ``name``, in the spelling that both libraries take."""
    if axis is None and not keep and name not in EXTREMES:
        where: dict[str, Any] = {}
    elif axis is None:
        where = {"dim": tuple(range(x.ndim)), "keepdim": keep}
    else:
        where = {"dim": axis, "keepdim": keep}
    if name.startswith("norm"):
        return x.norm(p={"": 2, "1": 1, "3": 3, "inf": math.inf}[name[5:]], **where)
    return getattr(m, name)(x, **where)


@fuzz(150)
@given(
    name=st.sampled_from(["sum", "mean", "var", "std", "amax", "amin", "prod", "any", "all"]),
    case=reduced(),
    dtype=dtypes,
    seed=seeds,
)
def test_reductions_are_numpys(name: str, case: Any, dtype: str, seed: int) -> None:
    """Reductions over any axes have NumPy's values, shapes and dtypes."""
    shape, axis, keep = case
    a = numbers(seed, shape).astype(dtype)
    more = {"correction": 0} if name in ("var", "std") else {}
    wanted = np.asarray(getattr(np, name)(a, axis=axis, keepdims=keep, **more))
    found = getattr(mg, name)(leaf(mg, a), axis=axis, keepdims=keep, **more)
    near(found, wanted, loose(a))
    assert found.dtype == wanted.dtype


@fuzz(60)
@given(name=st.sampled_from(["sum", "prod", "any", "all"]), case=reduced((0, 2)), seed=seeds)
def test_reductions_of_nothing_are_numpys(name: str, case: Any, seed: int) -> None:
    """An empty sum is 0, an empty product 1, over any of the axes; gradients keep their shape."""
    shape, axis, keep = case
    a = numbers(seed, shape)
    x = leaf(mg, a)
    found = getattr(mg, name)(x, axis=axis, keepdims=keep)
    near(found, getattr(np, name)(a, axis=axis, keepdims=keep))
    if found.requires_grad:
        (g,) = mg.grad(found.sum(), x, allow_unused=True)
        assert g is None or g.shape == shape


@pytest.mark.torch
@fuzz(250)
@given(name=st.sampled_from(REDUCTIONS), case=reduced(), seed=seeds)
def test_reductions_derive_as_in_pytorch(name: str, case: Any, seed: int) -> None:
    """Values and two derivatives of reductions are PyTorch's; ties share as there."""
    shape, axis, keep = case
    smooth = name in ("std", "norm", "norm 3")  # no derivative at 0
    a = numbers(seed, shape, "smooth" if smooth else "any")
    n = a.size // max(1, np.sum(a, axis=axis).size)
    if (name in ("var", "std") and n < 2) or (axis is None and not shape and name in EXTREMES):
        return
    same_as_pytorch(lambda m, x: reduce_by(m, name, x, axis, keep), a, order=2, tolerance=1e-8)


@pytest.mark.torch
@fuzz(200)
@given(
    name=st.sampled_from(
        ["prod", "max", "min", "cumsum", "cumprod", "softmax", "log_softmax", "sort", "topk"]
    ),
    shape=full_shapes,
    seed=seeds,
    data=st.data(),
)
def test_operations_along_an_axis_are_pytorchs(
    name: str, shape: Shape, seed: int, data: st.DataObject
) -> None:
    """What works along one axis has PyTorch's values, indices and derivatives."""
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    keep, descending = data.draw(flags), data.draw(flags)
    k = data.draw(st.integers(1, shape[dim]))
    a = numbers(seed, shape, "smooth" if name == "topk" else "any")

    def call(m: Any, x: Any) -> Any:
        if name in ("max", "min", "prod"):
            out = getattr(m, name)(x, dim=dim, keepdim=keep)
            return tuple(out) if name != "prod" else out
        if name == "sort":
            more = {} if m is mg else {"stable": True}
            return tuple(m.sort(x, dim=dim, descending=descending, **more))
        if name == "topk":
            return tuple(m.topk(x, k, dim, descending))
        return getattr(m, name)(x, dim=dim)

    same_as_pytorch(call, a, order=2)


@fuzz(80)
@given(name=st.sampled_from(["argmax", "argmin"]), shape=full_shapes, keep=flags, seed=seeds,
       data=st.data())  # fmt: skip
def test_where_the_extremes_are(
    name: str, shape: Shape, keep: bool, seed: int, data: st.DataObject
) -> None:
    """Of ties, argmax and argmin name the first, as NumPy does."""
    axis = data.draw(st.one_of(st.none(), st.integers(-len(shape), len(shape) - 1)))
    a = numbers(seed, shape)
    found = getattr(mg, name)(mg.tensor(a), axis=axis, keepdims=keep)
    near(found, getattr(np, name)(a, axis=axis, keepdims=keep))


# ── 3. indexing ──────────────────────────────────────────────────────────────────────────────────


@st.composite
def indexed(draw: Draw) -> tuple[Shape, Any, Any]:
    """A shape, an index into it for NumPy, and the same index as a user of tensors writes it."""
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    kind = draw(st.sampled_from(["basic", "arrays", "mask"]))
    if kind == "basic" or 0 in shape or not shape:
        key = draw(hnp.basic_indices(shape, allow_newaxis=True, allow_ellipsis=True))
        return shape, key, key
    raw: list[Any] = []
    k, masked, axis = draw(st.integers(0, 4)), False, 0
    while axis < len(shape) and (axis == 0 or draw(st.integers(0, 5))):
        n, width = shape[axis], 1
        choice = draw(st.sampled_from(["int", "slice", kind, kind]))
        part: Any = slice(None)
        if choice == "int":
            part = draw(st.integers(-n, n - 1))
        elif choice == "slice":
            part = draw(st.slices(n))
        elif choice == "arrays":
            size = draw(st.sampled_from([(k,), (1,), (2, k), (2, 1), ()]))
            part = draw(hnp.arrays(np.int64, size, elements=st.integers(-n, n - 1)))
        elif not masked:  # several masks would have to agree in number
            width = draw(st.integers(1, len(shape) - axis))
            part, masked = draw(hnp.arrays(bool, shape[axis : axis + width])), True
        raw.append(part)
        axis += width
        raw += [None] * (not draw(st.integers(0, 5)))
    raw += [...] * draw(flags)
    ours = [spelled(draw, part) for part in raw]
    if len(raw) == 1 and draw(flags):
        return shape, raw[0], ours[0]
    return shape, tuple(raw), tuple(ours)


def spelled(draw: Draw, part: Any) -> Any:
    """An index array as an array, a tensor or a list; other parts as they are."""
    if not isinstance(part, np.ndarray):
        return part
    how = draw(st.sampled_from(["array", "tensor", "list"]))
    if how == "list" and part.size and part.ndim:  # an empty list says nothing of its dtype
        return part.tolist()
    return mg.tensor(part) if how == "tensor" else part


@fuzz(400)
@given(case=indexed(), dtype=dtypes, seed=seeds)
def test_indexing_reads_as_numpy_and_scatters_back(case: Any, dtype: str, seed: int) -> None:
    """x[key] has NumPy's entries; its derivatives are `np.add.at`, to second order."""
    shape, key, ours = case
    a = numbers(seed, shape).astype(dtype)
    wanted = np.asarray(a[key])
    x = leaf(mg, a)
    y = x[ours]
    near(y, wanted, 0)
    assert y.dtype == a.dtype
    w = np.asarray(np.cos(1.0 + np.arange(wanted.size))).reshape(wanted.shape).astype(dtype)

    (g,) = mg.grad((y * y * mg.tensor(w)).sum(), x, create_graph=True)
    scattered = np.zeros_like(a)
    np.add.at(scattered, key, 2 * w * wanted)
    near(g, scattered, loose(a))
    assert g.dtype == a.dtype

    u = numbers(seed + 1, shape).astype(dtype)
    (h,) = mg.grad((g * mg.tensor(u)).sum(), x)
    scattered = np.zeros_like(a)
    np.add.at(scattered, key, 2 * w * u[key])
    near(h, scattered, loose(a))

    (x[ours] * mg.tensor(w)).sum().backward()
    scattered = np.zeros_like(a)
    np.add.at(scattered, key, w)
    near(x.grad, scattered, loose(a))


@fuzz(300)
@given(case=indexed(), kind=st.sampled_from(["number", "array", "tensor", "row"]), seed=seeds)
def test_indexing_writes_as_numpy(case: Any, kind: str, seed: int) -> None:
    """X[key] = v under no_grad writes what NumPy writes, from numbers, arrays and tensors."""
    shape, key, ours = case
    a = numbers(seed, shape)
    picked = np.asarray(a[key]).shape
    v: Any = numbers(seed + 1, picked if kind != "row" else picked[-1:], "smooth")
    if kind == "number":
        v = 7.5
    x = leaf(mg, a)
    wanted = a.copy()
    wanted[key] = v
    with mg.no_grad():
        x[ours] = mg.tensor(v) if kind in ("tensor", "row") else v
    near(x, wanted, 0)
    assert x.requires_grad


@pytest.mark.torch
@fuzz(150)
@given(
    name=st.sampled_from(["gather", "take_along_dim", "index_select", "masked_select"]),
    shape=full_shapes,
    seed=seeds,
    data=st.data(),
)
def test_picking_is_pytorchs(name: str, shape: Shape, seed: int, data: st.DataObject) -> None:
    """Gather, take_along_dim, index_select and masked_select pick and scatter as in PyTorch."""
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    axis = dim % len(shape)
    integers = st.integers(0, shape[dim] - 1)
    if name == "masked_select":
        index = data.draw(hnp.arrays(bool, shape))
    elif name == "index_select":
        index = data.draw(hnp.arrays(np.int64, st.integers(0, 5), elements=integers))
    else:
        sizes = [
            data.draw(st.integers(1, 5 if i == axis else n))
            if i == axis or name == "gather"
            else data.draw(st.sampled_from([1, n] if n > 1 else [1, 3]))
            for i, n in enumerate(shape)
        ]
        index = data.draw(hnp.arrays(np.int64, tuple(sizes), elements=integers))

    def call(m: Any, x: Any) -> Any:
        i = m.tensor(index)
        if name == "masked_select":
            return m.masked_select(x, i)
        if name == "take_along_dim":
            return m.take_along_dim(x, i, dim)
        return getattr(m, name)(x, dim, i)

    same_as_pytorch(lambda m, x: call(m, x) * call(m, x), numbers(seed, shape), order=2)


# ── 4. shapes ────────────────────────────────────────────────────────────────────────────────────


@st.composite
def factors(draw: Draw, total: int) -> Shape:
    """Sizes whose product is ``total``, with an occasional −1."""
    sizes = []
    rest = total
    for _ in range(draw(st.integers(0, 3))):
        n = draw(st.sampled_from([d for d in range(1, rest + 1) if rest % d == 0] or [rest]))
        sizes.append(n)
        rest = rest // n if n else rest
    sizes.append(rest)
    if total and draw(flags):
        sizes[draw(st.integers(0, len(sizes) - 1))] = -1
    return tuple(sizes)


def _dim(draw: Draw, shape: Shape) -> int:
    return int(draw(st.integers(-len(shape), len(shape) - 1)))


def _axes(draw: Draw, shape: Shape) -> tuple[int, ...]:
    axes = draw(hnp.valid_tuple_axes(len(shape), min_size=1))
    return tuple(axes)


def _some_permute(draw: Draw, shape: Shape) -> Draw:
    order = draw(st.permutations(range(len(shape))))
    order = [a - len(shape) if draw(flags) else a for a in order]
    if draw(flags):
        return lambda m, x: x.permute(*order)
    return lambda m, x: m.permute(x, tuple(order))


def _some_expand(draw: Draw, shape: Shape) -> Draw:
    new = draw(st.lists(st.integers(0, 3), max_size=2))
    kept = [draw(st.sampled_from([-1, n] if n != 1 else [-1, 1, 2, 3])) for n in shape]
    return lambda m, x: x.expand(*new, *kept)


def _some_repeat(draw: Draw, shape: Shape) -> Draw:
    times = draw(st.lists(st.integers(0, 3), min_size=len(shape), max_size=len(shape) + 1))
    return lambda m, x: x.repeat(*times)


def _some_tile(draw: Draw, shape: Shape) -> Draw:
    times = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=4)))
    return lambda m, x: m.tile(x, times)


def _some_split(draw: Draw, shape: Shape) -> Draw:
    dim = _dim(draw, shape)
    size = draw(st.integers(1, 5))
    cuts = sorted(draw(st.lists(st.integers(0, shape[dim]), max_size=3)))
    sizes = [b - a for a, b in zip([0, *cuts], [*cuts, shape[dim]], strict=True)]
    how = draw(st.sampled_from(["size", "sizes", "chunk"]))
    if how == "chunk":
        return lambda m, x: m.chunk(x, size, dim)
    return lambda m, x: m.split(x, size if how == "size" else sizes, dim)


def _some_pad(draw: Draw, shape: Shape) -> Draw:
    margins: list[int] = []
    for n in shape[::-1][: draw(st.integers(1, len(shape)))]:
        left = draw(st.integers(-n, 2))
        margins += [left, draw(st.integers(-n - min(left, 0), 2))]
    value = draw(st.sampled_from([0.0, 1.5]))

    def pad(m: Any, x: Any) -> Any:
        pads = m.pad if m is mg else m.nn.functional.pad
        return pads(x, tuple(margins), value=value)

    return pad


def _some_roll(draw: Draw, shape: Shape) -> Draw:
    how = draw(st.sampled_from(["all", "one", "several"]))
    if how == "all":
        shift = draw(st.integers(-5, 5))
        return lambda m, x: m.roll(x, shift)
    if how == "one":
        shift, dim = draw(st.integers(-5, 5)), _dim(draw, shape)
        return lambda m, x: m.roll(x, shift, dim)
    axes = _axes(draw, shape)
    shifts = tuple(draw(st.integers(-5, 5)) for _ in axes)
    return lambda m, x: m.roll(x, shifts, axes)


def _some_flip(draw: Draw, shape: Shape) -> Draw:
    axes = _axes(draw, shape)
    return lambda m, x: m.flip(x, axes)


def _some_reshape(draw: Draw, shape: Shape) -> Draw:
    new = draw(factors(math.prod(shape)))
    return lambda m, x: x.reshape(new)


def _some_squeeze(draw: Draw, shape: Shape) -> Draw:
    how = draw(st.sampled_from(["all", "one", "several", "un"]))
    if how == "all":
        return lambda m, x: m.squeeze(x)
    if how == "un":
        dim = draw(st.integers(-len(shape) - 1, len(shape)))
        return lambda m, x: m.unsqueeze(x, dim)
    dims: Any = _dim(draw, shape) if how == "one" else _axes(draw, shape)
    return lambda m, x: m.squeeze(x, dims)


def _some_flatten(draw: Draw, shape: Shape) -> Draw:
    start = draw(st.integers(0, len(shape) - 1))
    end = draw(st.integers(start, len(shape) - 1))
    end = end - len(shape) if draw(flags) else end
    return lambda m, x: m.flatten(x, start, end)


def _some_unflatten(draw: Draw, shape: Shape) -> Draw:
    dim = _dim(draw, shape)
    sizes = draw(factors(shape[dim]).filter(lambda sizes: sizes))
    return lambda m, x: x.unflatten(dim, sizes)


def _some_transpose(draw: Draw, shape: Shape) -> Draw:
    name = draw(st.sampled_from(["transpose", "swapaxes", "movedim"]))
    a, b = _dim(draw, shape), _dim(draw, shape)
    return lambda m, x: getattr(m, name)(x, a, b)


def _some_triangle(draw: Draw, shape: Shape) -> Draw:
    name, k = draw(st.sampled_from(["tril", "triu"])), draw(st.integers(-3, 3))
    return lambda m, x: getattr(m, name)(x[None], k)


def _some_unbind(draw: Draw, shape: Shape) -> Draw:
    dim = _dim(draw, shape)
    return lambda m, x: m.unbind(x, dim)


REARRANGEMENTS = {
    name.removeprefix("_some_"): build
    for name, build in list(globals().items())
    if name.startswith("_some_")
}
solid = hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=4)


@pytest.mark.torch
@fuzz(300)
@given(name=st.sampled_from(sorted(REARRANGEMENTS)), shape=solid, seed=seeds, data=st.data())
def test_rearranging_is_pytorchs(name: str, shape: Shape, seed: int, data: st.DataObject) -> None:
    """Every shape operation with random arguments has PyTorch's entries and derivatives."""
    function = REARRANGEMENTS[name](data.draw, shape)

    def curved(m: Any, x: Any) -> Any:
        return tuple(part * part for part in parts(function(m, x)))

    same_as_pytorch(curved, numbers(seed, shape), order=2)


@pytest.mark.torch
@fuzz(100)
@given(shape=solid, how=st.sampled_from(["cat", "stack"]), seed=seeds, data=st.data())
def test_joining_is_pytorchs(shape: Shape, how: str, seed: int, data: st.DataObject) -> None:
    """Cat and stack of several tensors along any axis, one of them twice, as in PyTorch."""
    n = len(shape)
    count = data.draw(st.integers(1, 3))
    shapes = [shape] * count
    if how == "cat":
        dim = data.draw(st.integers(-n, n - 1))
        widths = [data.draw(st.integers(0, 3)) for _ in range(count)]
        at = dim % n
        shapes = [(*shape[:at], w, *shape[at + 1 :]) for w in widths]
        if any(len(s) == 1 for s in shapes):
            shapes = [(max(1, s[0]), *s[1:]) for s in shapes]  # PyTorch lets a (0,) join anything
    else:
        dim = data.draw(st.integers(-n - 1, n))
    kinds = [data.draw(dtypes) for _ in range(count)]
    arrays = [
        numbers(seed + i, s).astype(kind)
        for i, (s, kind) in enumerate(zip(shapes, kinds, strict=True))
    ]

    def join(m: Any, *xs: Any) -> Any:
        y = getattr(m, how)([*xs, xs[0]], dim)
        return y * y

    same_as_pytorch(join, *arrays, order=2, tolerance=loose(*arrays))


# ── 5. products ──────────────────────────────────────────────────────────────────────────────────


@st.composite
def equations(draw: Draw) -> tuple[str, list[Shape]]:
    """An einsum equation with the shapes of its operands; single axes and ``...`` broadcast."""
    letters = draw(st.permutations("abcdZ"))[: draw(st.integers(1, 5))]
    sizes = {c: draw(st.sampled_from([0, 1, 2, 2, 3, 3])) for c in letters}
    batch = draw(st.lists(st.integers(1, 3), max_size=2))
    dotted = draw(flags)
    terms, shapes, used = [], [], ""
    for _ in range(draw(st.integers(1, 3))):
        term = "".join(draw(st.lists(st.sampled_from(letters), max_size=3)))
        shape = [sizes[c] for c in term]
        for i, c in enumerate(term):
            if term.count(c) == 1 and not draw(st.integers(0, 5)):
                shape[i] = 1  # stretches, if another operand has more
        if dotted and draw(st.integers(0, 3)):
            lead = batch[draw(st.integers(0, len(batch))) :]
            lead = [1 if not draw(st.integers(0, 3)) else n for n in lead]
            term, shape = "..." + term, [*lead, *shape]
        terms.append(term)
        shapes.append(tuple(shape))
        used += term.replace(".", "")
    equation = ",".join(terms)
    if draw(flags):
        out = "".join(draw(st.permutations(sorted(set(used))))[: draw(st.integers(0, 4))])
        equation += " -> " + ("..." if "..." in equation else "") + out
    return equation, shapes


@fuzz(250)
@given(case=equations(), seed=seeds)
def test_einsum_is_numpys(case: Any, seed: int) -> None:
    """Any valid equation gives NumPy's sum of products."""
    equation, shapes = case
    arrays = [numbers(seed + i, shape) for i, shape in enumerate(shapes)]
    near(mg.einsum(equation, *map(mg.tensor, arrays)), np.einsum(equation, *arrays))


@pytest.mark.torch
@fuzz(200)
@given(case=equations(), seed=seeds)
def test_einsum_derives_as_in_pytorch(case: Any, seed: int) -> None:
    """Any valid equation has PyTorch's two derivatives by each operand."""
    equation, shapes = case
    arrays = [numbers(seed + i, shape) for i, shape in enumerate(shapes)]
    same_as_pytorch(lambda m, *xs: m.einsum(equation, *xs), *arrays, order=2)


@st.composite
def factors_of_matmul(draw: Draw) -> tuple[Shape, Shape]:
    """Shapes whose matrix product exists: vectors, matrices, stacks that broadcast."""
    i, j, k = (draw(st.integers(0, 3)) for _ in range(3))
    if draw(st.integers(0, 3)):
        stacks = draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
        lead, other = stacks.input_shapes
    else:
        lead = other = ()
    left = (j,) if draw(st.integers(0, 3)) == 0 else (*lead, i, j)
    right = (j,) if draw(st.integers(0, 3)) == 0 else (*other, j, k)
    return left, right


@pytest.mark.torch
@fuzz(200)
@given(case=factors_of_matmul(), kinds=st.tuples(dtypes, dtypes), seed=seeds)
def test_matmul_is_numpys_and_derives_as_in_pytorch(case: Any, kinds: Any, seed: int) -> None:
    """Products of vectors, matrices and broadcast stacks: NumPy's values, PyTorch's derivatives."""
    a, b = (
        numbers(seed + i, shape).astype(kind)
        for i, (shape, kind) in enumerate(zip(case, kinds, strict=True))
    )
    near(mg.tensor(a) @ mg.tensor(b), np.matmul(a, b), loose(a, b))
    promoted = str(np.result_type(a, b))

    def theirs(m: Any, *xs: Any) -> Any:
        return m.matmul(*(x.to(getattr(m, promoted)) for x in xs))

    same_as_pytorch(
        lambda m, x, y: m.matmul(x, y), a, b, theirs=theirs, order=2, tolerance=loose(a, b)
    )


@pytest.mark.torch
@fuzz(100)
@given(seed=seeds, data=st.data())
def test_tensordot_is_pytorchs(seed: int, data: st.DataObject) -> None:
    """Contractions over random axes, counted or listed, are PyTorch's."""
    shared = [data.draw(st.integers(0, 3)) for _ in range(data.draw(st.integers(0, 2)))]
    lead, rest = (data.draw(st.lists(st.integers(1, 3), max_size=2)) for _ in range(2))
    left, right = (*lead, *shared), (*shared, *rest)
    dims: Any = len(shared)
    if data.draw(flags):
        p, q = (
            data.draw(st.permutations(range(len(left)))),
            data.draw(st.permutations(range(len(right)))),
        )
        left, right = tuple(left[a] for a in p), tuple(right[a] for a in q)
        mine = [p.index(len(lead) + i) for i in range(len(shared))]
        other = [q.index(i) for i in range(len(shared))]
        dims = (mine, [a - len(right) if data.draw(flags) else a for a in other])
    arrays = numbers(seed, left), numbers(seed + 1, right)
    same_as_pytorch(lambda m, x, y: m.tensordot(x, y, dims), *arrays, order=2)


# ── 6. programs ──────────────────────────────────────────────────────────────────────────────────

ONE_IN: dict[str, Draw] = {
    "tanh": lambda m, x: m.tanh(x),
    "sin": lambda m, x: m.sin(x),
    "sigmoid": lambda m, x: m.sigmoid(x),
    "bell": lambda m, x: m.exp(-x * x),
    "root": lambda m, x: m.sqrt(1 + x * x),
    "logarithm": lambda m, x: m.log1p(x * x),
    "erf": lambda m, x: m.erf(x),
    "relu": lambda m, x: m.relu(x),
    "softmax": lambda m, x: m.softmax(x, -1),
    "log_softmax": lambda m, x: m.log_softmax(x, 0) / 4,
    "sum": lambda m, x: x.sum(-1, keepdim=True) / 3,
    "mean": lambda m, x: x.mean(0),
    "var": lambda m, x: m.tanh(m.var(x, 0, keepdim=True)),
    "max": lambda m, x: m.amax(x, 1, keepdim=True),
    "cumsum": lambda m, x: m.cumsum(x, 0) / 3,
    "turn": lambda m, x: m.transpose(x, 0, 1),
    "mirror": lambda m, x: m.flip(x, (0,)),
    "roll": lambda m, x: m.roll(x, 1, 1),
    "row": lambda m, x: x[1],
    "column": lambda m, x: x[:, -1:],
    "rows": lambda m, x: x[[1, 0, 1]].sum(0),
    "reshape": lambda m, x: m.reshape(m.reshape(x, (-1,)), (x.shape[1], x.shape[0])),
    "triangle": lambda m, x: m.tril(x),
    "norm": lambda m, x: x / (1 + x.norm()),
    "standardise": lambda m, x: (x - x.mean(0)) / (m.var(x, 0, correction=0) + 0.1) ** 0.5,
    "logsumexp": lambda m, x: m.logsumexp(x, 1, keepdim=True),
}
TWO_IN: dict[str, Draw] = {
    "+": lambda m, x, y: x + y,
    "-": lambda m, x, y: x - y,
    "*": lambda m, x, y: x * m.tanh(y),
    "/": lambda m, x, y: x / (1 + y * y),
    "@": lambda m, x, y: m.matmul(m.tanh(x), y),
    "**": lambda m, x, y: (1 + x * x) ** m.tanh(y),
    "maximum": lambda m, x, y: m.maximum(x, y),
    "where": lambda m, x, y: m.where(x > y, x * y / 2, y),
    "cat": lambda m, x, y: m.cat([x, y], 0)[1 : 1 + x.shape[0]],
    "einsum": lambda m, x, y: m.einsum("ij,kj->ki", x, m.sin(y)),
}


@st.composite
def programs(draw: Draw) -> tuple[int, list[tuple[str, int, int]]]:
    """The number of leaves, and instructions that name earlier values by their place."""
    leaves = draw(st.integers(2, 3))
    lines = []
    for i in range(draw(st.integers(3, 8))):
        name = draw(st.sampled_from([*ONE_IN, *TWO_IN]))
        places = st.integers(0, leaves + i - 1)
        lines.append((name, draw(places), draw(places)))
    return leaves, lines


@pytest.mark.torch
@fuzz(150)
@given(program=programs(), n=st.integers(2, 3), seed=seeds)
def test_programs_derive_as_in_pytorch(program: Any, n: int, seed: int) -> None:
    """Programs of 3 to 8 operations on 2 or 3 leaves: values and two derivatives to 1e-9."""
    leaves, lines = program

    def run(m: Any, *xs: Any) -> Any:
        square = m.tensor(np.zeros((n, n)))
        values = list(xs)
        for name, i, j in lines:
            x, y = values[i] + square, values[j] + square
            values.append(ONE_IN[name](m, x) if name in ONE_IN else TWO_IN[name](m, x, y))
        return sum((value.sum() for value in values[leaves:-1]), start=values[-1])

    arrays = [numbers(seed + i, (n, n), "smooth") for i in range(leaves)]
    same_as_pytorch(run, *arrays, order=2)


@fuzz(100)
@given(program=programs(), seed=seeds)
def test_programs_give_the_same_by_every_door(program: Any, seed: int) -> None:
    """`backward`, `grad`, `vjp` and a second sweep of one graph give one and the same gradient."""
    leaves, lines = program

    def run(*xs: Any) -> Any:
        values = list(xs)
        for name, i, j in lines:
            x, y = values[i] + np.zeros((2, 2)), values[j] + np.zeros((2, 2))
            values.append(ONE_IN[name](mg, x) if name in ONE_IN else TWO_IN[name](mg, x, y))
        return values[-1].sum()

    arrays = [numbers(seed + i, (2, 2), "smooth") for i in range(leaves)]
    xs = [leaf(mg, a) for a in arrays]
    y = run(*xs)
    first = mg.grad(y, xs, allow_unused=True)
    again = mg.grad(y, xs, allow_unused=True, create_graph=True)
    y.backward()
    y.backward()
    for x, g, h in zip(xs, first, again, strict=True):
        assert (g is None) == (h is None) == (x.grad is None)
        if g is not None:
            near(h, g, 1e-12)
            near(x.grad, 2 * host(g), 1e-12)


# ── 7. norm layers and losses ────────────────────────────────────────────────────────────────────


def same_layer(mine: Any, theirs: Any, array: np.ndarray, calls: int = 2) -> None:
    """Assert equal outputs, derivatives by input and parameters, and buffers, in train and eval."""
    torch = pytorch()
    mine = mine.double()
    random = np.random.default_rng(0)
    for (name, p), (their_name, q) in zip(
        mine.named_parameters(), theirs.named_parameters(), strict=True
    ):
        assert name == their_name
        values = random.standard_normal(p.shape)
        with mg.no_grad(), torch.no_grad():
            p.copy_(values)
            q.copy_(torch.tensor(values))
    for training in (True, False):
        mine.train(training)
        theirs.train(training)
        for call in range(calls if training else 1):
            a = array * (1 + call) + call
            found, wanted = (
                [
                    *derivatives(
                        m,
                        grad,
                        lambda m, x, *_, layer=layer: layer(x),
                        [leaf(m, a), *layer.parameters()],
                        2,
                    ),
                    *(b.detach() for b in layer.buffers() if b is not None),
                ]
                for m, layer, grad in ((mg, mine, mg.grad), (torch, theirs, torch.autograd.grad))
            )
            assert len(found) == len(wanted)
            for f, w in zip(found, wanted, strict=True):
                assert (f is None) == (w is None) or not host(w if f is None else f).any()
                if f is not None and w is not None:
                    near(f, w, 1e-8)


@pytest.mark.torch
@fuzz(80)
@given(
    kind=st.sampled_from(["batch", "instance", "layer", "group", "rms"]),
    shape=hnp.array_shapes(min_dims=3, max_dims=5, min_side=1, max_side=3),
    eps=st.sampled_from([1e-5, 1e-3, 0.1]),
    momentum=st.sampled_from([0.1, 0.5, None]),
    switches=st.tuples(flags, flags),
    seed=seeds,
    data=st.data(),
)
def test_norm_layers_are_pytorchs(
    kind: str, shape: Shape, eps: float, momentum: Any, switches: Any, seed: int, data: Any
) -> None:
    """Every norm layer, with random settings: outputs, two derivatives and running statistics."""
    torch = pytorch()
    affine, other = switches
    dims = len(shape) - 2
    if kind in ("batch", "instance"):
        if kind == "instance" and dims > 2:
            return
        shape = (max(2, shape[0]), shape[1], max(2, shape[2]), *shape[3:])
        name = f"{kind.capitalize()}Norm{dims}d"
        momentum = 0.3 if kind == "instance" and momentum is None else momentum
        args: tuple[Any, ...] = (shape[1], eps, momentum, affine, other)
        kwargs: dict[str, Any] = {}
    elif kind == "group":
        groups = data.draw(st.sampled_from([g for g in (1, 2, 3) if shape[1] % g == 0]))
        name, args, kwargs = "GroupNorm", (groups, shape[1], eps, affine), {}
    else:
        last = shape[-data.draw(st.integers(1, 2)) :]
        name, args, kwargs = f"{kind.capitalize()}Norm", (last, eps, affine), {}
        if kind == "layer":
            kwargs = {"bias": other}
        else:
            name = "RMSNorm"
    array = numbers(seed, shape, "smooth")
    if kind in ("layer", "group", "rms") and array.size // shape[0] < 2:
        return
    same_layer(
        getattr(nn, name)(*args, **kwargs),
        getattr(torch.nn, name)(*args, **kwargs, dtype=torch.float64),
        array,
    )


reductions = st.sampled_from(["mean", "sum", "none"])


@pytest.mark.torch
@fuzz(120)
@given(
    classes=st.integers(1, 4),
    batch=st.sampled_from([None, (), (2,), (2, 3)]),
    kind=st.sampled_from(["numbers", "probabilities", "nll"]),
    weighted=flags,
    reduction=reductions,
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    ignore=st.sampled_from([-100, 0, 1, -1]),
    seed=seeds,
)
def test_classification_losses_are_pytorchs(
    classes: int, batch: Any, kind: str, weighted: bool, reduction: str, smoothing: float,
    ignore: int, seed: int,
) -> None:  # fmt: skip
    """Cross-entropy and NLL: weights, ignored and smoothed classes, soft targets, any shape."""
    random = np.random.default_rng(seed)
    shape = (classes,) if batch is None else (3, classes, *batch)
    places = () if batch is None else (3, *batch)
    z = random.standard_normal(shape) * 3
    target: np.ndarray = random.integers(0, classes, places)
    if kind != "probabilities":
        if ignore < 0:
            target = np.where(random.random(places) < 0.3, ignore, target)
    else:
        target = random.random(shape)
    more: dict[str, Any] = {"reduction": reduction}
    if kind != "probabilities":
        more["ignore_index"] = ignore
    if kind != "nll":
        more["label_smoothing"] = smoothing
    w = random.uniform(0.5, 2.0, classes)

    def loss(m: Any, z: Any, *t: Any) -> Any:
        f = functional(m)
        weight = m.tensor(w) if weighted else None
        goal = t[0] if t else m.tensor(target)
        if kind == "nll":
            return f.nll_loss(m.log_softmax(z, 1 if z.ndim > 1 else 0), goal, weight, **more)
        return f.cross_entropy(z, goal, weight, **more)

    soft = [target] if kind == "probabilities" else []
    counted = target[target != ignore] if kind != "probabilities" else target
    if not counted.size and reduction == "mean":
        return  # nan on both sides: tested in test_losses
    same_as_pytorch(loss, z, *soft, order=2)


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")
@fuzz(200)
@given(
    name=st.sampled_from(["mse", "l1", "huber", "smooth_l1", "bce", "bce logits", "kl"]),
    shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=1, max_side=3),
    reduction=reductions,
    width=st.sampled_from([0.5, 1.0, 2.0]),
    switches=st.tuples(flags, flags),
    order=st.sampled_from([1, 2]),
    seed=seeds,
)
def test_losses_are_pytorchs(
    name: str, shape: Shape, reduction: str, width: float, switches: Any, order: int, seed: int
) -> None:
    """The other losses: values and two derivatives by input and target, with their settings."""
    first, second = switches
    inside = name in ("bce", "bce logits", "kl")
    domain = "smooth" if order == 2 else "any"  # a second derivative at a kink is nobody's promise
    x = numbers(seed, shape, domain)
    t = numbers(seed + 1, shape, domain)
    if inside:
        x = 1 / (1 + np.exp(-x)) if name == "bce" else x
        t = 1 / (1 + np.exp(-t))
    factor = numbers(seed + 2, shape, "positive")
    costs = numbers(seed + 3, shape[-1:], "positive")

    how = "batchmean" if second and reduction == "mean" and shape else reduction

    def loss(m: Any, x: Any, t: Any) -> Any:
        f = functional(m)
        weight = m.tensor(factor) if first else None
        pos = m.tensor(costs) if second else None
        calls: dict[str, Draw] = {
            "mse": lambda: f.mse_loss(x, t, reduction=reduction),
            "l1": lambda: f.l1_loss(x, t, reduction=reduction),
            "huber": lambda: f.huber_loss(x, t, reduction=reduction, delta=width),
            "smooth_l1": lambda: f.smooth_l1_loss(x, t, reduction=reduction, beta=width),
            "bce": lambda: f.binary_cross_entropy(x, t, weight, reduction=reduction),
            "bce logits": lambda: f.binary_cross_entropy_with_logits(
                x, t, weight, reduction=reduction, pos_weight=pos
            ),
            "kl": lambda: f.kl_div(x, t, reduction=how, log_target=first),
        }
        return calls[name]()

    same_as_pytorch(loss, x, t, order=order)


# ── 8. wrong turns ───────────────────────────────────────────────────────────────────────────────

ERRORS = (ValueError, IndexError, TypeError, RuntimeError, ZeroDivisionError)


def same_verdict(function: Draw, *arrays: np.ndarray, lenient: bool = False) -> None:
    """Where PyTorch refuses minigrad refuses; where PyTorch answers minigrad answers the same.

    Where PyTorch is ``lenient`` minigrad may refuse what it takes.
    """
    torch = pytorch()
    try:
        wanted = parts(function(torch, *(torch.tensor(a) for a in arrays)))
    except ERRORS:
        wanted = None
    if wanted is None:
        with pytest.raises(ERRORS):
            function(mg, *map(mg.tensor, arrays))
        return
    try:
        found = parts(function(mg, *map(mg.tensor, arrays)))
    except ERRORS:
        assert lenient
        return
    assert len(found) == len(wanted)
    for mine, other in zip(found, wanted, strict=True):
        near(mine, other, 1e-9)


def _along(name: str) -> Draw:
    return lambda m, x, a: getattr(m, name)(x, a[0])


def _over_two(name: str) -> Draw:
    return lambda m, x, a: getattr(m, name)(x, (a[0], a[1]))


# Calls with arguments that may be wrong; a holds integers from −4 to 4.
CALLS: dict[str, Draw] = {
    **{
        f"{name} along": _along(name)
        for name in (
            "sum", "mean", "amax", "amin", "prod", "logsumexp", "softmax", "log_softmax", "cumsum",
            "cumprod", "argmax", "argmin", "all", "any", "unsqueeze", "squeeze", "unbind",
        )
    },
    **{
        f"{name} over two": _over_two(name)
        for name in ("sum", "mean", "amax", "logsumexp", "flip", "squeeze")
    },
    # below −1 NumPy takes any size for −1
    "reshape": lambda m, x, a: m.reshape(x, (max(a[0], -1), max(a[1], -1))),
    "var over two": lambda m, x, a: m.var(x, (a[0], a[1]), correction=0),
    "norm along": lambda m, x, a: x.norm(dim=a[0]),
    "max along": lambda m, x, a: tuple(m.max(x, a[0])),
    "min along": lambda m, x, a: tuple(m.min(x, dim=a[0], keepdim=True)),
    "sort": lambda m, x, a: m.sort(x, dim=a[0])[0],
    "topk": lambda m, x, a: m.topk(x, a[0], a[1])[0],
    "flatten": lambda m, x, a: m.flatten(x, a[0], a[1]),
    "unflatten": lambda m, x, a: x.unflatten(a[0], (max(a[1], -1), max(a[2], -1))),
    "transpose": lambda m, x, a: m.transpose(x, a[0], a[1]),
    "swapaxes": lambda m, x, a: m.swapaxes(x, a[0], a[1]),
    "movedim": lambda m, x, a: m.movedim(x, a[0], a[1]),
    "permute": lambda m, x, a: m.permute(x, (a[0], a[1])),
    "permute three": lambda m, x, a: x.permute(a[0], a[1], a[2]),
    "roll": lambda m, x, a: m.roll(x, a[1], a[0]),
    "expand": lambda m, x, a: x.expand(*(max(n, -1) for n in a[:3])),
    "expand two": lambda m, x, a: x.expand(max(a[0], -1), max(a[1], -1)),
    "broadcast_to": lambda m, x, a: m.broadcast_to(x, (abs(a[0]), abs(a[1]), abs(a[2]))),
    "repeat": lambda m, x, a: x.repeat(a[0], a[1]),
    "tile": lambda m, x, a: m.tile(x, (a[0], a[1])),
    "cat": lambda m, x, a: m.cat([x, x[:1]], a[0]),
    "stack": lambda m, x, a: m.stack([x, x], a[0]),
    "split": lambda m, x, a: m.split(x, a[0], a[1]),
    "split sizes": lambda m, x, a: m.split(x, [a[0], a[1]], a[2]),
    "chunk": lambda m, x, a: m.chunk(x, a[0], a[1]),
    "tril": lambda m, x, a: m.tril(x[None], a[0]),
    "diag": lambda m, x, a: m.diag(x),
    "trace": lambda m, x, a: m.trace(x),
    "x[i]": lambda m, x, a: x[a[0]],
    "x[i, j]": lambda m, x, a: x[a[0], a[1]],
    "x[..., i, j]": lambda m, x, a: x[..., a[0], a[1]],
    "x[[i, j]]": lambda m, x, a: x[[a[0], a[1]]],
    "x[:, [i]]": lambda m, x, a: x[:, [a[0]]],
    "index_select": lambda m, x, a: m.index_select(x, a[0], m.tensor([abs(a[1]), abs(a[2])])),
    "gather": lambda m, x, a: m.gather(x, a[0], m.tensor([[abs(a[1]), abs(a[2])]])),
    "take_along_dim": lambda m, x, a: m.take_along_dim(x, m.tensor([[0]]), a[0]),
    "pad": lambda m, x, a: (m if m is mg else m.nn.functional).pad(x, (a[0], a[1])),
    "pad two": lambda m, x, a: (m if m is mg else m.nn.functional).pad(x, a),
    "group_norm": lambda m, x, a: functional(m).group_norm(m.cat([x, -x], 0), a[0]),
}  # fmt: skip


@pytest.mark.torch
@fuzz(800)
@given(
    name=st.sampled_from(sorted(CALLS)),
    shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
    a=st.tuples(*[st.integers(-4, 4)] * 4),
    seed=seeds,
)
def test_wrong_arguments_are_refused(name: str, shape: Shape, a: Any, seed: int) -> None:
    """Of random axes, sizes and indices those that PyTorch refuses are refused, never answered."""
    same_verdict(lambda m, x: CALLS[name](m, x, a), numbers(seed, shape, "smooth"))


NORMS: dict[str, Draw] = {
    "layer_norm": lambda m, x, a: functional(m).layer_norm(x, (abs(a[0]),)),
    "layer_norm two": lambda m, x, a: functional(m).layer_norm(x, (abs(a[0]), abs(a[1]))),
    "layer_norm weight": lambda m, x, a: functional(m).layer_norm(
        x, tuple(x.shape[-1:]), m.ones(abs(a[0]), dtype=m.float64)
    ),
    "rms_norm": lambda m, x, a: functional(m).rms_norm(x, (abs(a[0]),)),
    "batch_norm weight": lambda m, x, a: functional(m).batch_norm(
        m.cat([x[None], -x[None]], 0), None, None, m.ones(abs(a[0]), dtype=m.float64), training=True
    ),
}


@pytest.mark.torch
@fuzz(200)
@given(
    name=st.sampled_from(sorted(NORMS)),
    shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4),
    a=st.tuples(*[st.integers(1, 4)] * 2),
    seed=seeds,
)
def test_norms_of_another_shape_are_refused(name: str, shape: Shape, a: Any, seed: int) -> None:
    """The functional norms refuse a normalized_shape or weights that are not the input's."""
    same_verdict(lambda m, x: NORMS[name](m, x, a), numbers(seed, shape, "smooth"))


MEETINGS: dict[str, Draw] = {
    **{
        name: lambda m, x, y, name=name: getattr(m, name)(x, y)
        for name in ("add", "mul", "maximum", "matmul", "mm", "bmm", "mv", "dot", "outer")
    },
    "addmm": lambda m, x, y: m.addmm(x, y, y),
    "where": lambda m, x, y: m.where(x > 0, x, y),
    "cat": lambda m, x, y: m.cat([x, y], 0),
    "stack": lambda m, x, y: m.stack([x, y]),
    "masked_fill": lambda m, x, y: x.masked_fill(y > 0, 0.0),
    "masked_select": lambda m, x, y: m.masked_select(x, y > 0),
    "mask": lambda m, x, y: x[y > 0],
    "tensordot 1": lambda m, x, y: m.tensordot(x, y, 1),
    "tensordot 2": lambda m, x, y: m.tensordot(x, y, 2),
    "tensordot axes": lambda m, x, y: m.tensordot(x, y, ([1], [2])),
    "einsum ij,jk": lambda m, x, y: m.einsum("ij,jk", x, y),
    "einsum ii,j->ij": lambda m, x, y: m.einsum("ii,j->ij", x, y),
    "einsum ...i,i->...": lambda m, x, y: m.einsum("...i,i->...", x, y),
    "linear": lambda m, x, y: functional(m).linear(x, y if y.ndim < 3 else y[0]),
    "expand_as": lambda m, x, y: x.expand_as(y),
    "view_as": lambda m, x, y: x.view_as(y),
    "write": lambda m, x, y: _written(x, y),
    "kl_div": lambda m, x, y: functional(m).kl_div(x, y.expand(x.shape) ** 2, reduction="sum"),
}


def _written(x: Any, y: Any) -> Any:
    x[...] = y
    return x


@pytest.mark.torch
@fuzz(500)
@given(
    name=st.sampled_from(sorted(MEETINGS)),
    shapes=st.tuples(*[hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=3)] * 2),
    seed=seeds,
)
def test_shapes_that_do_not_meet_are_refused(name: str, shapes: Any, seed: int) -> None:
    """Pairs of shapes that PyTorch refuses are refused; those it takes give the same."""
    arrays = [numbers(seed + i, shape, "smooth") for i, shape in enumerate(shapes)]
    lenient = name.startswith("tensordot") or name == "linear"  # sums over 1 against n
    same_verdict(lambda m, x, y: MEETINGS[name](m, x, y), *arrays, lenient=lenient)


@pytest.mark.torch
@fuzz(200)
@given(
    equation=st.text("ij.,-> ", max_size=12),
    shapes=st.lists(
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=2, max_side=2), min_size=1, max_size=2
    ),
    seed=seeds,
)
def test_nonsense_equations_are_refused(equation: str, shapes: Any, seed: int) -> None:
    """An equation that PyTorch cannot read is refused."""
    arrays = [numbers(seed + i, shape, "smooth") for i, shape in enumerate(shapes)]
    same_verdict(lambda m, *xs: m.einsum(equation, *xs), *arrays)
