"""Tensors: made from anything, read out safely, written in place with care."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import near

import minigrad as mg
from minigrad import nn


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1.0, "float32"),
        ([1.0, 2.0], "float32"),
        ([1, 2], "int64"),
        (True, "bool"),
        (np.ones(2), "float64"),
        (np.float64(1), "float64"),
        (np.ones(2, np.int32), "int32"),
    ],
)
def test_dtypes_of_new_tensors(place: str, data: Any, dtype: str) -> None:
    """Python floats take the default dtype, ints int64, arrays keep their own."""
    x = mg.tensor(data)
    assert str(x.dtype).endswith(dtype)
    assert x.backend == place


def test_default_dtype() -> None:
    """set_default_dtype changes what Python floats and new parameters become."""
    mg.set_default_dtype(mg.float64)
    try:
        assert mg.tensor(1.0).dtype == mg.float64
        assert nn.Linear(2, 2).weight.dtype == mg.float64
        assert mg.randn(2).dtype == mg.float64
    finally:
        mg.set_default_dtype(mg.float32)
    with pytest.raises(TypeError, match="needs a floating dtype; got int64"):
        mg.set_default_dtype(mg.int64)


def test_tensor_copies_and_from_numpy_shares() -> None:
    """mg.tensor takes a copy of its data; from_numpy, detach and numpy share memory."""
    a = np.zeros(2)
    copied, shared = mg.tensor(a), mg.from_numpy(a)
    a[0] = 5.0
    assert copied.numpy()[0] == 0.0
    assert shared.detach().numpy()[0] == 5.0


def test_creation(place: str) -> None:
    """The creation functions follow NumPy's values and are born on the backend in use."""
    cases = [
        (mg.zeros(2, 3), np.zeros((2, 3))),
        (mg.zeros(), np.zeros(())),
        (mg.ones((2,)), np.ones(2)),
        (mg.empty([2, 3]), np.zeros((2, 3))),
        (mg.full((2, 2), 3.5), np.full((2, 2), 3.5)),
        (mg.arange(3), np.arange(3)),
        (mg.arange(1.0, 2.0, 0.5), np.arange(1.0, 2.0, 0.5)),
        (mg.linspace(0, 1, 5), np.linspace(0, 1, 5)),
        (mg.eye(2), np.eye(2)),
        (mg.eye(2, 3), np.eye(2, 3)),
        (mg.normal(3.0, 0.0, (2,)), np.full(2, 3.0)),
        (mg.zeros_like(mg.ones(2)), np.zeros(2)),
        (mg.ones_like(mg.zeros(2, dtype=mg.float64)), np.ones(2)),
        (mg.full_like(mg.zeros(2), 4.0), np.full(2, 4.0)),
    ]
    for found, wanted in cases:
        assert found.backend == place
        near(found, wanted)
    assert "bool" in str(mg.full((2,), True).dtype)
    with pytest.raises(TypeError):
        mg.zeros((2,), 3)


def test_as_tensor_shares_what_it_can() -> None:
    """A tensor stays itself, and an array keeps its memory."""
    a = np.ones(2)
    x = mg.as_tensor(a)
    assert np.shares_memory(x.numpy(), a)
    assert mg.as_tensor(x) is x


def test_new_tensors_require_grad_only_if_asked() -> None:
    """No creation function records anything until it is told to."""
    x = mg.as_tensor([1.0, 2.0])
    makers: list[tuple[Any, ...]] = [
        (mg.tensor, 1.0), (mg.zeros, 2), (mg.ones, 2), (mg.empty, 2), (mg.full, (2,), 1.0),
        (mg.arange, 1.0), (mg.linspace, 0.0, 1.0, 2), (mg.eye, 2), (mg.rand, 2), (mg.randn, 2),
        (mg.zeros_like, x), (mg.ones_like, x), (mg.full_like, x, 1.0), (mg.rand_like, x),
        (mg.randn_like, x),
    ]  # fmt: skip
    for make, *given in makers:
        assert not make(*given).requires_grad
        assert make(*given, requires_grad=True).requires_grad
    assert not mg.normal(0.0, 1.0, (2,)).requires_grad


def test_random_integers_fill_their_range(place: str) -> None:
    """randint(high, size) starts at 0, randint(low, high, size) at low; high is left out."""
    assert set(mg.randint(3, (99,)).tolist()) == {0, 1, 2}
    assert set(mg.randint(-1, 2, (99,)).tolist()) == {-1, 0, 1}


def test_seeds_repeat(place: str) -> None:
    """The same seed gives the same numbers on every backend, as they are drawn on the host."""

    def draw() -> list[mg.Tensor]:
        mg.manual_seed(3)
        x = mg.randn(2, 3)
        return [x, mg.rand(2), mg.randint(0, 9, (4,)), mg.randperm(5), mg.randn_like(x),
                mg.rand_like(x), nn.Linear(3, 2).weight]  # fmt: skip

    here = draw()
    with mg.use("numpy"):
        there = draw()
    for a, b in zip(here, there, strict=True):
        assert a.backend == place
        near(a, b, 0.0)


def test_numpy_defers_to_tensors() -> None:
    """array + tensor and np.exp(tensor) are recorded; nothing cuts the graph silently."""
    x = mg.tensor(np.ones(2), requires_grad=True)
    y = np.ones(2) * x + np.float64(1)
    assert isinstance(y, mg.Tensor)
    assert y.requires_grad
    (g,) = mg.grad(np.exp(np.add(np.ones(2), x)).sum(), x)
    near(g, np.exp([2.0, 2.0]))
    with pytest.raises(TypeError, match=r"np\.cbrt was called .* records no operation"):
        np.cbrt(x)
    with pytest.raises(TypeError, match=r"np\.add\.reduce"):
        np.add.reduce(x)
    with pytest.raises(TypeError, match=r"detach\(\)\.numpy\(\)"):
        np.asarray(x)
    near(np.asarray(x.detach()), np.ones(2))


def test_reading_out() -> None:
    """item, tolist, float, int, bool, len, iteration and indexing read what is there."""
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert [row.tolist() for row in x] == x.tolist()
    assert (len(x), x.numel(), x.size(), x.size(1), x.dim()) == (2, 4, (2, 2), 2, 2)
    assert (float(x[0, 1]), int(x[1, 0]), bool(x[0, 0] > 0)) == (2.0, 3, True)
    assert f"{x[0, 1]:.2f}" == "2.00"
    assert [10, 20, 30][mg.tensor(2)] == 30
    for call, said in [
        (lambda: x.item(), "exactly one entry"),
        (lambda: bool(x), "ambiguous"),
        (lambda: len(mg.tensor(1.0)), "at least one axis"),
    ]:
        with pytest.raises((ValueError, TypeError), match=said):
            call()


def test_repr_tells_how_it_stands_to_the_graph() -> None:
    """The repr shows numbers, dtype if unusual, and leaf or maker."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert repr(x) == "tensor([1., 2.], requires_grad=True)"
    assert repr(x * 2) == "tensor([2., 4.], made by mul)"
    assert repr(mg.tensor(np.ones(1))) == "tensor([1.], dtype=float64)"
    z, _, _ = mg.standardize(x, axis=(0,))
    assert "made by standardize" in repr(z)


def test_requires_grad_needs_floats_and_leaves() -> None:
    """Integers cannot require grad, and results cannot stop to."""
    with pytest.raises(TypeError, match="needs a floating dtype; this tensor is int64"):
        mg.tensor([1], requires_grad=True)
    y = mg.tensor(1.0, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match=r"Use x\.detach\(\)"):
        y.requires_grad = False


def test_typos_do_not_become_attributes() -> None:
    """A misspelt attribute is an error, not a new attribute that does nothing."""
    with pytest.raises(AttributeError):
        mg.tensor(1.0).requires_gard = True


def test_writing_in_place() -> None:
    """Writes need no_grad where a gradient is recorded, and then happen in the same memory."""
    w = mg.tensor(np.ones(3), requires_grad=True)
    for write in (lambda: w.__setitem__(0, 5.0), lambda: w.__iadd__(1.0)):
        with pytest.raises(RuntimeError, match="in-place"):
            write()
    memory = w.data
    with mg.no_grad():
        w[0] = 5.0
        w += 1.0
        w -= 2.0
        w *= 3.0
        w /= 2.0
    assert w.data is memory
    near(w, np.array([6.0, 0.0, 0.0]))


def test_augmented_results_stay_in_the_graph() -> None:
    """h += x on a result records an addition instead of losing one."""
    x = mg.tensor(2.0, requires_grad=True)
    h = x * 3
    h += x * x
    h.backward()
    assert x.grad.item() == 7.0


def test_comparisons_are_entrywise_and_tensors_can_be_keys() -> None:
    """== compares entries, while dicts and sets go by identity."""
    x, y = mg.tensor([1.0, 2.0]), mg.tensor([1.0, 3.0])
    assert (x == y).tolist() == [True, False]
    assert ((x < y) | (x != y)).tolist() == [False, True]
    assert (~(x == y)).tolist() == [False, True]
    assert {x: "a", y: "b"}[x] == "a"


def test_dtype_conversions() -> None:
    """float, double, long and to convert and are recorded."""
    x = mg.tensor([1.5], requires_grad=True)
    assert x.double().dtype == mg.float64
    assert x.long().dtype == mg.int64
    x.to(mg.float64).sum().backward()
    assert x.grad.dtype == mg.float32


@pytest.mark.torch
def test_dlpack_shares_memory_with_pytorch(torch: Any) -> None:
    """DLPack hands memory over in both directions without a copy, but not out of a graph."""
    x = mg.tensor([1.0, 2.0])
    theirs = torch.from_dlpack(x)
    theirs[0] = 5.0
    assert x.tolist() == [5.0, 2.0]
    back = mg.from_dlpack(theirs)
    x.data[1] = 7.0
    assert back.tolist() == [5.0, 7.0]
    with pytest.raises(BufferError, match=r"Use x\.detach\(\)"):
        torch.from_dlpack(x.requires_grad_())


@pytest.mark.parametrize(("device", "place"), [(1, "numpy"), (2, "cupy"), (13, "cupy")])
def test_dlpack_knows_the_devices_of_a_gpu(
    monkeypatch: pytest.MonkeyPatch, device: int, place: str
) -> None:
    """Memory that DLPack places on CUDA, managed or not, goes to CuPy; other memory to NumPy."""

    class Array:
        def __dlpack_device__(self) -> tuple[int, int]:
            return device, 0

    asked: list[str] = []
    monkeypatch.setattr(mg.backend, "get", asked.append)
    with pytest.raises(AttributeError):  # the stand-in answers None
        mg.from_dlpack(Array())
    assert asked == [place]


def test_dlpack_shares_memory_with_numpy() -> None:
    """What NumPy hands over is not copied."""
    a = np.ones(2)
    x = mg.from_dlpack(a)
    a[0] = 5.0
    assert x.tolist() == [5.0, 1.0]


def test_anomalies_are_found_where_they_are_made() -> None:
    """detect_anomaly names the operation, module and inputs of the first NaN or infinity."""

    class Log(nn.Module):
        def forward(self, x: Any) -> Any:
            return mg.log(x) * 2

    model = nn.Sequential(nn.Identity(), Log())
    x = mg.tensor([1.0, 0.0], requires_grad=True)
    with np.errstate(all="ignore"):
        model(x)  # nobody looks
        y = mg.sqrt(x).sum()
        with (
            mg.detect_anomaly(),
            pytest.raises(FloatingPointError, match=r"the result of log in module '1'.*x of shape"),
        ):
            model(x)
        with (
            mg.detect_anomaly(),
            pytest.raises(
                FloatingPointError, match=r"comes out of sqrt: of shape \(2,\), from .*inf"
            ),
        ):
            y.backward()
        with mg.detect_anomaly():
            mg.exp(x).sum().backward()
    assert x.grad is not None


def test_a_tensor_of_a_tensor_takes_the_dtype_asked_for(place: str) -> None:
    """tensor() and as_tensor() convert a Tensor as they do an array; as_tensor shares if it can."""
    x = mg.tensor([1.0, 2.0])
    for made in (mg.tensor(x, dtype=mg.float64), mg.as_tensor(x, dtype=mg.float64)):
        assert "float64" in str(made.dtype)
        assert made.backend == place
        assert made.tolist() == [1.0, 2.0]
    assert mg.as_tensor(x, dtype=mg.float32).data is x.data
    assert mg.as_tensor(x) is x
