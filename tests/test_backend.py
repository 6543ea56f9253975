"""Backends: the data decides, `use` says where new tensors are born, and nothing else moves."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import backend, memory, nn, optim
from minigrad.backend.cupy import status as cupy_status


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
    monkeypatch.setattr(backend, "_loaded", {})
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
    monkeypatch.setattr(backend, "_loaded", {})
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


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64"])
@pytest.mark.parametrize(
    "shape", [(3, 4), (2, 3, 4, 5), (0, 3), (2, 0, 3), (70, 10), (3, 40, 10), (1, 1), (5,), ()]
)
def test_sums_and_maxima_are_numpys(
    shape: tuple[int, ...], dtype: str, random: np.random.Generator
) -> None:
    """Sums by products with ones, and maxima of short rows, are those of NumPy over all axes."""
    x = (8 * random.standard_normal(shape)).astype(dtype)
    last = [-1] if shape else []
    axes = [c for k in range(len(shape) + 1) for c in itertools.combinations(range(len(shape)), k)]
    for axis, keepdims in itertools.product([None, *last, *axes], [True, False]):
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


def test_the_owner_of_memory_is_found_through_views() -> None:
    """The array that a view shows, and anything else itself."""
    x = np.ones((2, 3))
    assert memory.owner(x.T[1:]) is x
    assert memory.owner(x) is x
    assert memory.owner(None) is None
