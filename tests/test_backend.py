"""Backends: the data decides, `use` says where new tensors are born, and nothing else moves."""

from __future__ import annotations

import itertools
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import backend, memory, nn, optim
from minigrad.backend import places
from minigrad.backend.cupy import status as cupy_status
from minigrad.backend.sums import count
from minigrad.replaying.tracing import Traced


def test_use_is_a_call_and_a_context() -> None:
    """use() switches for good, `with use()` for a block, and existing tensors stay."""
    x = mg.zeros(1)
    with mg.use("strict"):
        assert mg.zeros(1).backend == "strict"
        assert x.backend == "numpy"
        with mg.use("numpy"):
            assert mg.zeros(1).backend == "numpy"
        assert mg.zeros(1).backend == "strict"
    assert mg.zeros(1).backend == "numpy"
    mg.use("strict")
    assert mg.zeros(1).backend == "strict"
    mg.use("numpy")


def test_an_unknown_backend_lists_the_known_ones() -> None:
    """use("jax") names what there is."""
    with pytest.raises(ValueError, match=r"unknown backend\. Known ones: 'numpy', 'cupy'"):
        mg.use("jax")


def test_cupy_that_is_absent_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CuPy, use("cupy") says so and names the extras."""
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(places, "_loaded", {})
    with pytest.raises(RuntimeError, match=r"found no working CuPy.*minigrad\[cuda12\]"):
        mg.use("cupy")
    assert "minigrad[cuda13]" in dict(cupy_status())["CuPy"]


@pytest.mark.parametrize(
    ("version", "devices", "said"),
    [("13.6.0", 1, "found CuPy 13.6.0. Upgrade"), ("14.0.0", 0, "but no GPU.*nvidia-smi")],
)
def test_cupy_that_cannot_work_says_why(
    monkeypatch: pytest.MonkeyPatch, version: str, devices: int, said: str
) -> None:
    """An old CuPy, and one without a GPU, are refused with what to do."""
    runtime = SimpleNamespace(getDeviceCount=lambda: devices, CUDARuntimeError=OSError)
    fake = SimpleNamespace(__version__=version, cuda=SimpleNamespace(runtime=runtime))
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.setattr(places, "_loaded", {})
    with pytest.raises(RuntimeError, match=said):
        mg.use("cupy")


def test_the_environment_chooses_at_first_need() -> None:
    """MINIGRAD_BACKEND is read when the first tensor is born, and a wrong one is explained."""
    code = "import minigrad as mg; print('imported'); mg.zeros(1)"
    env = {**os.environ, "MINIGRAD_BACKEND": "abacus"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False
    )
    assert run.stdout == "imported\n"
    assert "asks for an unknown backend. Known ones: 'numpy', 'cupy'" in run.stderr


def test_mixing_backends_raises() -> None:
    """Tensors of two backends do not combine."""
    x = mg.ones(2)
    y = x.to("strict")
    with pytest.raises((TypeError, ValueError)) as caught:
        y * x
    assert "in operation mul" in caught.value.__notes__[0]


def test_the_stand_in_refuses_what_cupy_refuses() -> None:
    """Stray NumPy calls, implicit transfers and data-dependent shapes raise on the stand-in."""
    with mg.use("strict"):
        x = mg.tensor([1.0, 2.0]).data
    for stray in (
        lambda: np.exp(x),
        lambda: np.ones(2) * x,
        lambda: np.asarray(x),
        lambda: np.float64(2) * x,
        lambda: x[x > 1],
    ):
        with pytest.raises((TypeError, RuntimeError, ValueError)):
            stray()


@pytest.mark.parametrize("norm", [nn.BatchNorm1d, nn.LayerNorm])
def test_a_training_step_stays_on_its_backend(place: str, norm: Any) -> None:
    """Forward, backward and step run on any backend and equal NumPy's."""

    def train() -> list[Any]:
        mg.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 6), norm(6), nn.ReLU(), nn.Linear(6, 3)).double()
        x, t = mg.randn(8, 4, dtype=mg.float64), mg.randint(0, 3, (8,))
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        losses = []
        for _ in range(3):
            loss = nn.functional.cross_entropy(model(x), t)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss)
        return [*losses, *model.state_dict().values()]

    here = train()
    with mg.use("numpy"):
        there = train()
    for a, b in zip(here, there, strict=True):
        assert a.backend == place
        near(a, b, 1e-9)


def test_no_float64_is_smuggled_in() -> None:
    """A float32 training step runs on a device that has no float64."""
    strict = pytest.importorskip("array_api_strict")
    device = strict.Device("no_float64")

    def load() -> backend.Backend:
        def from_numpy(x: Any) -> Any:
            found = np.asarray(x)
            found = found.astype("float32") if found.dtype == np.float64 else found
            return strict.asarray(found, device=device)

        doors = backend.get("strict")
        return backend.Backend("strict32", strict, from_numpy, host, doors.add_at, doors.erf)

    model = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.LayerNorm(6))
    one = load()
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = one.from_numpy(tensor.data)
    x = mg.Tensor(
        one.from_numpy(np.ones((8, 4), "float32") * np.arange(8, dtype="float32")[:, None])
    )
    y = model(x)
    (y * y).sum().backward()
    assert {str(p.grad.dtype).rpartition(".")[2] for p in model.parameters()} == {"float32"}
    optim.SGD(model.parameters(), lr=0.1, momentum=0.9).step()
    assert str(model(x).dtype).endswith("float32")


# ── sums ─────────────────────────────────────────────────────────────────────────────────────────


def reductions(ndim: int) -> Iterator[tuple[Any, bool]]:
    """Every axis or axes to reduce over, in every spelling, with and without keepdims."""
    axes = range(ndim)
    some = [c for k in range(ndim + 1) for c in itertools.combinations(axes, k)]
    yield from itertools.product([None, *axes, *(a - ndim for a in axes), *some], [True, False])


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
@pytest.mark.parametrize(
    "shape", [(3, 4), (2, 3, 4, 5), (0, 3), (2, 0, 3), (70, 10), (3, 40, 10), (1, 1), (5,), ()]
)
def test_sums_and_maxima_are_numpys(
    shape: tuple[int, ...], dtype: str, random: np.random.Generator
) -> None:
    """Sums by products with ones, and maxima of short rows, are those of NumPy over all axes."""
    x = (8 * random.standard_normal(shape)).astype(dtype)
    for axis, keepdims in reductions(len(shape)):
        for laid in (x, np.asfortranarray(x), np.flip(x)):
            found = backend.total(laid, axis, keepdims)
            wanted = laid.sum(axis=axis, keepdims=keepdims, dtype=dtype)
            assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
            np.testing.assert_allclose(
                found, wanted, rtol=1e-5, atol=0.1 if dtype[-2:] == "16" else 1e-4
            )
            if x.size and axis != ():
                assert np.array_equal(
                    backend.largest(laid, axis), laid.max(axis=axis, keepdims=True)
                )


@pytest.mark.parametrize("shape", [(40, 1), (3, 20, 5), (64, 32), (33, 33), (40, 40)])
def test_the_largest_of_short_rows_is_an_array_of_its_own(
    place: str, shape: tuple[int, ...], random: np.random.Generator
) -> None:
    """nan where there is one, −∞ where there is nothing else; what was searched is not shown."""
    x = random.standard_normal(shape)
    x[3 % len(x), ..., -1] = np.nan
    x[2] = -np.inf
    given = mg.tensor(x).data
    for axis in (0, len(shape) - 1, -1, None):
        found = backend.largest(given, axis)
        near(found, np.max(x, axis, keepdims=True), 0)
        found[...] = 7
        near(given, x, 0)


@pytest.mark.parametrize("axis", [(0, 0), (0, -2), 2, (-3, 1)])
def test_sums_over_axes_that_are_not_there_are_refused(axis: object) -> None:
    """An axis named twice, or beyond the last, is an error as it is in NumPy."""
    with pytest.raises((ValueError, np.exceptions.AxisError)):
        backend.total(np.ones((3, 4)), axis)


@pytest.mark.parametrize(
    ("shape", "dtype", "in_place"),
    [
        *[(shape, "f4", True) for shape in ((3,), (2, 3), (2, 1), ())],
        *[((3,), "f8", False), ((1, 2, 3), "f4", False), ((1, 1, 3), "f4", False)],
    ],
)
def test_a_sum_is_in_place_where_it_fits(
    shape: tuple[int, ...], dtype: str, in_place: bool
) -> None:
    """Sums go into the array that is the caller's own, unless their shape or dtype is another."""
    out = np.ones((2, 3), "f4")
    b = np.full(shape, 2, dtype)
    wanted = out + b
    found = backend.added(out, b)
    assert (found is out) == in_place
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    assert np.array_equal(found, wanted)


# ── sums: means, gradients that fit, and whose memory they are ───────────────────────────────────

LAYOUTS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rows": lambda x: x.copy(),
    "columns": lambda x: x.copy(order="F"),
    "backwards": np.flip,
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "traced": lambda x: x.copy().view(Traced),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i4", "u1", "?"])
@pytest.mark.parametrize("shape", [(), (8,), (6,), (4, 3), (3, 4), (1, 5), (2, 3, 4), (3, 1, 5, 2)])
def test_means_are_numpys(
    shape: tuple[int, ...], dtype: str, layout: str, random: np.random.Generator
) -> None:
    """The mean is NumPy's, in its dtype and shape, and the sum divided by n to the last bit."""
    x = LAYOUTS[layout]((100 * random.random(shape)).astype(dtype))
    for axis, keepdims in reductions(len(shape)):
        found = backend.mean(x, axis, keepdims)
        wanted = np.mean(x.view(np.ndarray), axis=axis, keepdims=keepdims)
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_allclose(found, wanted, rtol=2e-3 if dtype == "f2" else 1e-6)
        if dtype in ("f4", "f8"):
            n = count(shape, axis)
            assert np.array_equal(found, backend.total(x, axis, keepdims) / n)


def test_a_mean_of_half_precision_does_not_overflow() -> None:
    """Neither the sum nor the number of entries need be a number of float16."""
    x = np.full((70_000, 2), 3, "f2")
    for axis in (0, None, (0, 1)):
        found = backend.mean(x, axis)
        assert found.dtype == x.dtype
        assert np.all(found == 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_sums_of_nothing_are_zero_and_means_are_no_number(
    place: str, shape: tuple[int, ...], dtype: str
) -> None:
    """Over axes without entries a sum is 0 and a mean nan, of the shape that others have."""
    x = mg.zeros(*shape, dtype=getattr(mg, dtype)).data
    for axis, keepdims in reductions(len(shape)):
        wanted = np.zeros(shape, dtype).sum(axis=axis, keepdims=keepdims)
        near(backend.total(x, axis, keepdims), wanted, 0)
        with np.errstate(invalid="ignore"):
            found = host(backend.mean(x, axis, keepdims))
        assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
        assert np.isnan(found).all()


def test_a_mean_of_nothing_warns() -> None:
    """NumPy's own warning is not held back."""
    for x, axis in ((np.zeros((0, 3)), 0), (np.zeros((0, 3)), None), (np.zeros(0, "i8"), 0)):
        with pytest.warns(RuntimeWarning, match="invalid value encountered in .*divide"):
            backend.mean(x, axis)


SIZES = [s for k in range(4) for s in itertools.product((0, 1, 3), repeat=k)]


@pytest.mark.parametrize("wide", SIZES, ids=str)
def test_a_gradient_is_summed_to_whatever_was_broadcast(place: str, wide: tuple[int, ...]) -> None:
    """sum_to adds up what each entry was stretched to, and refuses any other shape."""
    host_x = np.arange(1.0, math.prod(wide) + 1).reshape(wide)
    xs = [mg.tensor(host_x).data]
    if place == "numpy":
        xs += [host_x.copy(order="F"), host_x.astype("f4"), host_x.astype(int)]
    for shape, x in itertools.product(SIZES, xs):
        try:
            fits = np.broadcast_shapes(shape, wide) == wide
        except ValueError:
            fits = False
        if not fits:
            with pytest.raises(ValueError, match=rf"{re.escape(str(wide))} cannot .* Mend"):
                backend.sum_to(x, shape)
            continue
        n = math.prod(shape)
        place_of = np.broadcast_to(np.arange(n).reshape(shape), wide).ravel()
        wanted = np.bincount(place_of, host_x.ravel(), minlength=n).reshape(shape)
        found = backend.sum_to(x, shape)
        assert found.dtype == x.dtype
        near(found, wanted, 0)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(1,), (1, 1), (1, 4), (4, 1), (3, 4), (1, 3, 1), (2, 1, 3)])
@pytest.mark.parametrize("reduce", [backend.total, backend.mean], ids=["total", "mean"])
def test_sums_are_arrays_of_their_own(
    reduce: Callable[..., Any], shape: tuple[int, ...], layout: str
) -> None:
    """A sum shows neither what was summed nor what the next sum is made from."""
    x = LAYOUTS[layout](np.arange(1.0, math.prod(shape) + 1).reshape(shape))
    before = np.array(x)
    for axis, keepdims in reductions(len(shape)):
        first = reduce(x, axis, keepdims)
        wanted = np.array(first)
        if isinstance(first, np.ndarray):  # not a number
            first[...] = -7
        assert np.array_equal(reduce(x, axis, keepdims), wanted)
        assert np.array_equal(x, before)


@pytest.mark.parametrize(
    ("shape", "axis", "bound"),
    [
        *[((4096,), None, 1e-4), ((3, 4096), 1, 1e-4), ((4096, 3), 0, 1e-4), ((4096, 1), 0, 1e-4)],
        *[((2, 64, 64), (1, 2), 1e-4), ((64, 3, 64), (0, 2), 1e-4), ((4, 1, 64), (0, 2), 1e-4)],
        *[((2**20,), 0, 1e-6), ((2, 2**20), 1, 1e-6), ((2**20, 1), 0, 1e-6)],
        *[((2**10, 1, 2**10), (0, 2), 1e-6), ((2**18, 1, 4), (0, 2), 1e-6)],
        *[((2**20, 1, 1), (0, 1), 1e-6), ((2**10, 2**10), None, 1e-6)],
    ],
    ids=str,
)
def test_sums_of_many_numbers_are_accurate(shape: Any, axis: Any, bound: float) -> None:
    """Of float32, to some bits up to 4096 entries; of longer rows as NumPy has it, in pairs."""
    x = np.full(shape, 0.1, "f4")
    wanted = x.astype("f8").sum(axis=axis)
    for found in (backend.total(x, axis), backend.mean(x, axis) * np.float64(count(shape, axis))):
        assert np.max(np.abs(found - wanted)) < bound * np.max(wanted)


@pytest.mark.parametrize("shape", [(5,), (4, 3), (2, 3, 4)])
def test_sums_can_be_replayed(shape: tuple[int, ...], random: np.random.Generator) -> None:
    """Whichever way a sum is made, a recorded step makes it anew of other numbers."""
    for axis, keepdims in reductions(len(shape)):

        def step(x: Any, axis: Any = axis, keepdims: bool = keepdims) -> Any:
            sums = mg.sum(x, axis, keepdims), mg.mean(x, axis, keepdims)
            return *sums, mg.max(mg.softmax(x, -1))

        x = mg.tensor(random.random(shape))
        again = mg.replay(step, x)
        for _ in range(2):
            x = mg.tensor(random.random(shape))
            for found, wanted in zip(again(x), step(x), strict=True):
                near(found, wanted, 1e-14)


def test_the_standards_sums_count_booleans(place: str) -> None:
    """True counts 1, on arrays whose library does not add booleans too."""
    x = mg.tensor(np.array([[True, False, True], [True, False, False]])).data
    near(backend.total(x, 0), np.array([2, 0, 1]), 0)
    near(backend.total(x, None), np.array(3), 0)


# ── small functions that ask NumPy directly ──────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "part",
    [
        lambda x: x.T,
        lambda x: x[::-1, :],
        lambda x: x[0, :],
        lambda x: x[:, 1:2],
        lambda x: x[:1, :1],
    ],
    ids=["transposed", "reversed", "row", "column", "corner"],
)
def test_a_sum_in_place_may_add_parts_of_itself(place: str, part: Any) -> None:
    """What is added is read before it is written over."""
    out = mg.tensor(np.arange(9.0).reshape(3, 3)).data
    wanted = host(out) + part(host(out))
    host_out = host(out)
    near(backend.added(out, part(out)), wanted, 0)
    if place == "numpy":
        near(host_out, wanted, 0)


@pytest.mark.parametrize(
    ("kind", "other"), [("i8", "f8"), ("f4", "f8"), ("f8", "f4"), ("f4", "i4"), ("i8", "?")]
)
def test_a_sum_of_two_dtypes_is_a_new_array(kind: str, other: str) -> None:
    """It has the dtype that NumPy gives it, and its terms stay as they were."""
    out, b = np.ones((2, 3), kind), np.ones(3, other)
    found = backend.added(out, b)
    assert found.dtype == (out + b).dtype
    near(found, np.full((2, 3), 2.0), 0)
    near(out, np.ones((2, 3)), 0)


@pytest.mark.parametrize("kinds", [("f8", "f8"), ("f4", "f8"), ("i8", "f4"), ("i4", "i8"), "??"])
def test_products_are_numpys(kinds: Any, random: np.random.Generator) -> None:
    """Of matrices, stacks and vectors, of any dtypes and views: what matmul gives."""
    x, y = ((4 * random.random((4, 4))).astype(kind) for kind in kinds)
    pairs = [(x, y), (x.T, y), (x[::2], y[:, ::-1]), (x[:0], y), (x[:, :0], y[:0])]
    pairs += [(x, y[0]), (x[0], y), (x[0], y[0]), (x.reshape(2, 2, 4), y)]
    for a, b in [*pairs, (x.view(Traced), y), (x, y.view(Traced))]:
        found, wanted = backend.product(a, b), np.matmul(np.asarray(a), np.asarray(b))
        assert found.dtype == wanted.dtype
        near(found, wanted, 1e-6)
    for a, b in ((x, y[:3]), (x, y[:1])):
        with pytest.raises(ValueError, match=r"mismatch|aligned"):
            backend.product(a, b)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32"])
def test_new_arrays_are_beside_the_one_they_are_like(place: str, dtype: str) -> None:
    """zeros, ones, arange and cast stay on the backend; the first two keep the dtype."""
    likes = [mg.zeros(2, dtype=getattr(mg, dtype)).data]
    if place == "numpy":
        likes.append(likes[0].view(Traced))
    for like in likes:
        zeros, ones = backend.zeros((2, 3), like), backend.ones((0, 2), like)
        assert zeros.dtype == ones.dtype == like.dtype
        near(zeros, np.zeros((2, 3)), 0)
        near(backend.ones((), like), np.ones(()), 0)
        assert ones.shape == (0, 2)
        numbers, copied = backend.arange(3, like), backend.cast(like, like.dtype)
        near(numbers, np.arange(3), 0)
        assert str(numbers.dtype).endswith("int64")
        copied += 1
        near(like, np.zeros(2), 0)
        wide = backend.cast(like, backend.namespace(like).float64)
        assert str(wide.dtype).endswith("float64")
        for made in (zeros, ones, numbers, copied, wide):
            assert backend.of(made).name == place


def test_the_owner_of_memory_is_found_through_views() -> None:
    """The array that a view shows, and anything else itself."""
    x = np.ones((2, 3))
    assert memory.owner(x.T[1:]) is x
    assert memory.owner(x) is x
    assert memory.owner(None) is None
