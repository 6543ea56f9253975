"""Where the tests run: NumPy, the strict stand-in for CuPy, and CuPy where there is a GPU."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import backend


def load_strict() -> backend.Backend:
    """array-api-strict on a device of its own, where whatever CuPy refuses is refused.

    NumPy functions, implicit conversion to NumPy and mixing with other arrays raise there, as do
    names outside the standard, array methods, and (by the flags) shapes that depend on data.
    What it cannot show: synchronisation by float(x), and the rounding of a real GPU.
    """
    strict = pytest.importorskip("array_api_strict")
    strict.set_array_api_strict_flags(data_dependent_shapes=False, boolean_indexing=False)
    device = strict.Device("device1")

    def from_numpy(x: Any) -> Any:
        return strict.asarray(np.asarray(x), device=device)

    def to_numpy(x: Any) -> np.ndarray:
        return np.asarray(strict.asarray(x, device=strict.Device("CPU_DEVICE"))._array)

    def add_at(x: Any, index: Any, y: Any) -> None:
        parts = index if isinstance(index, tuple) else (index,)
        host = to_numpy(x).copy()
        raw = tuple(to_numpy(i) if backend.is_array(i) else i for i in parts)
        np.add.at(host, raw, to_numpy(y))
        x[...] = from_numpy(host)

    def erf(x: Any) -> Any:
        return from_numpy(backend.get("numpy").erf(to_numpy(x)))

    return backend.Backend("strict", strict, from_numpy, to_numpy, add_at, erf)


backend.register("strict", load_strict)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip GPU tests where there is none; but not where they were asked for by name."""
    try:
        backend.get("cupy")
    except RuntimeError as error:
        if config.getoption("-m") == "gpu":
            raise pytest.UsageError(f"-m gpu asks for a GPU: {error}") from None
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="no CuPy with a GPU here"))


@pytest.fixture(params=["numpy", "strict", pytest.param("cupy", marks=pytest.mark.gpu)])
def place(request: pytest.FixtureRequest) -> Any:
    """The name of a backend, which is where new tensors are born during the test."""
    with mg.use(request.param):
        yield request.param


@pytest.fixture
def random() -> np.random.Generator:
    """Random numbers, the same in every run; minigrad's own are seeded too."""
    mg.manual_seed(0)
    return np.random.default_rng(0)


@pytest.fixture
def torch() -> ModuleType:
    """PyTorch, where it is installed."""
    return pytest.importorskip("torch")


def near(found: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    """Assert equal shapes and entries that differ by at most ``tolerance`` of the largest."""
    found, wanted = host(found), host(wanted)
    assert found.shape == wanted.shape
    scale = max(1.0, float(np.max(np.abs(wanted), initial=0.0)))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance * scale)


def host(x: Any) -> np.ndarray:
    """Any tensor or array as a NumPy array."""
    if hasattr(x, "detach"):
        return np.asarray(x.detach().numpy())
    return backend.to_numpy(x) if backend.is_array(x) else np.asarray(x)
