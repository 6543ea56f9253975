"""Saving and loading: the same numbers back, PyTorch's files too, and a whole file or none."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import nn, optim
from minigrad.serialization import load, save

pytest.importorskip("safetensors")

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "float32", "float64"]


def filled(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers that tell their place."""
    return (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 5).astype(dtype)


def network() -> nn.Sequential:
    """Parameters and buffers, 0-d and integer ones among them."""
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (0, 4), (2, 1, 3)])
def test_arrays_come_back_as_they_were(
    place: str, tmp_path: Path, dtype: str, shape: tuple[int, ...]
) -> None:
    """Every dtype and shape, 0-d and empty ones too, comes back bit for bit, where new ones are."""
    if (place, dtype) == ("strict", "float16"):
        pytest.skip("float16 is not in the Array API standard")
    given = filled(dtype, shape)
    save({"x": mg.tensor(given)}, tmp_path / "x.safetensors")
    found = load(tmp_path / "x.safetensors")["x"]
    assert found.backend == place
    assert host(found).dtype == given.dtype
    np.testing.assert_array_equal(host(found), given)
    assert found.shape == shape


def test_any_memory_order_is_written_right(tmp_path: Path) -> None:
    """Transposed, strided, reversed and byte-swapped arrays are written as what they show."""
    x = filled("float64", (4, 6))
    given = {
        "transposed": x.T,
        "strided": x[::2, 1::3],
        "reversed": x[::-1],
        "swapped": x.astype(">f8"),
        "broadcast": np.broadcast_to(x[0], (3, 6)),
    }
    save(given, tmp_path / "x")
    found = load(tmp_path / "x")
    for name, array in given.items():
        np.testing.assert_array_equal(host(found[name]), array)
    found["transposed"][0] = 7.0  # and what comes back can be written to


def test_a_module_goes_on_where_it_was(place: str, tmp_path: Path) -> None:
    """A module's state, given as a dict or by the module, loads into one built alike."""
    mg.manual_seed(1)
    model, again = network(), network()
    x = mg.tensor(filled("float32", (8, 3)))
    model(x)
    for given in (model, model.state_dict()):
        save(given, str(tmp_path / "model.safetensors"))
        again.load_state_dict(load(str(tmp_path / "model.safetensors")))
        near(again.eval()(x), model.eval()(x), 0)
    assert [path.name for path in tmp_path.iterdir()] == ["model.safetensors"]


@pytest.mark.torch
def test_pytorch_reads_what_is_saved_and_back(tmp_path: Path, torch: ModuleType) -> None:
    """A state_dict written here loads in PyTorch and computes the same, and the other way."""
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - an extra

    def theirs() -> Any:
        t = torch.nn
        return t.Sequential(t.Linear(3, 4), t.BatchNorm1d(4), t.ReLU(), t.Linear(4, 2)).eval()

    x = filled("float32", (8, 3))
    model, other = network(), theirs()
    model(mg.tensor(x))
    save(model.state_dict(), tmp_path / "here.safetensors")
    other.load_state_dict(load_file(tmp_path / "here.safetensors"))
    near(other(torch.tensor(x)), model.eval()(mg.tensor(x)), 1e-6)
    other = theirs()
    save_file(other.state_dict(), tmp_path / "there.safetensors")
    model.load_state_dict(load(tmp_path / "there.safetensors"))
    near(model(mg.tensor(x)), other(torch.tensor(x)), 1e-6)


@pytest.mark.torch
def test_every_dtype_passes_between(tmp_path: Path, torch: ModuleType) -> None:
    """PyTorch reads each dtype, 0-d too, with its own eyes; bfloat16 from there is refused."""
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - an extra

    given = {d: filled(d, s) for d, s in zip(DTYPES, [(), (3,), (2, 3)] * 3, strict=False)}
    save(given, tmp_path / "x")
    for dtype, found in load_file(tmp_path / "x").items():
        assert str(found.dtype) == f"torch.{dtype}"
        np.testing.assert_array_equal(found.numpy(), given[dtype])
    save({"t": torch.ones(2, 3).T}, tmp_path / "y")
    near(load(tmp_path / "y")["t"], np.ones((3, 2)))
    save_file({"half": torch.ones(2, dtype=torch.bfloat16)}, tmp_path / "y")
    with pytest.raises(ValueError, match=r"dtype BF16 in 'half'.* \.float\(\)"):
        load(tmp_path / "y")


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"x": 3.0}, r"got a float under 'x'"),
        ({"x": {"y": np.ones(2)}}, r"got a dict under 'x'"),
        ({1: np.ones(2)}, r"names that are strings; got 1"),
        ({"x": np.ones(2, complex)}, r"'x' has dtype complex128"),
        ({"x": np.array(["a"])}, r"'x' has dtype <U1"),
        ([np.ones(2)], r"tensors by name; got a list"),
        (mg.tensor([1.0]), r"tensors by name; got a Tensor"),
    ],
    ids=str,
)
def test_what_is_no_array_is_refused(tmp_path: Path, state: Any, said: str) -> None:
    """Numbers, nests, other names and dtypes are refused, and the old file stays."""
    path = tmp_path / "x"
    save({"x": np.ones(2)}, path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match=said):
        save(state, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_optimizers_state_is_refused(tmp_path: Path) -> None:
    """Nested optimizer state is no dict of arrays, and the error says what to do."""
    with pytest.raises(TypeError, match="give what is nested names of its own"):
        save(optim.SGD([mg.zeros(2, requires_grad=True)]).state_dict(), tmp_path / "x")


def test_a_failed_write_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up half way costs neither the old file nor leaves half a new one."""
    import safetensors.numpy  # noqa: PLC0415 - an extra

    def full(arrays: Any, path: Path, metadata: Any) -> None:
        path.write_bytes(b"half")
        raise OSError("no space left on device")

    path = tmp_path / "x"
    save({"x": np.ones(2)}, path)
    before = path.read_bytes()
    monkeypatch.setattr(safetensors.numpy, "save_file", full)
    with pytest.raises(OSError, match="no space"):
        save({"x": np.zeros(2)}, path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_missing_files_and_folders_say_so(tmp_path: Path) -> None:
    """A path that is not there names itself and what to do."""
    with pytest.raises(FileNotFoundError, match=r"nowhere.* there is none.* check the path"):
        load(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"needs the folder .*Make it"):
        save({"x": np.ones(2)}, tmp_path / "no" / "x")


def whole_file(tmp_path: Path) -> bytes:
    """The bytes of a file that is right."""
    save({"x": np.arange(10.0), "y": np.ones((2, 3))}, tmp_path / "right")
    return (tmp_path / "right").read_bytes()


def header(entries: Any, data: bytes = b"\0" * 8) -> bytes:
    """A safetensors file with a header of one's own."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"abc",
        b"\xff" * 64,
        header(b"not json"),
        header([1, 2]),
        header({"x": 3}),
        header({"x": {"dtype": "F32"}}),
        header({"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 800]}}),
        header({"x": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}),
        header({"x": {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]}}),
        header({"x": {"dtype": "F32", "shape": [-2], "data_offsets": [0, 8]}}),
        header({"x": {"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 8]}}),
        header(b"[" * 100_000),
    ],
    ids=lambda content: str(content[:40]),
)
def test_hostile_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """What is no safetensors file ends in one clear error, whatever it holds."""
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="needs a whole safetensors file; found"):
        load(path)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    """A file cut off at any byte is refused, and so is one with bytes to spare."""
    content, path = whole_file(tmp_path), tmp_path / "x"
    for end in [*range(0, len(content), 7), len(content) - 1]:
        path.write_bytes(content[:end])
        with pytest.raises(ValueError, match="needs a whole safetensors file"):
            load(path)
    path.write_bytes(content + b"\0")
    with pytest.raises(ValueError, match="needs a whole safetensors file"):
        load(path)


def test_pickles_are_not_read(tmp_path: Path) -> None:
    """A pickle is refused unread, and the way round it through PyTorch is named."""
    path = tmp_path / "x"
    for content in (pickle.dumps({"x": 1}, protocol=4), b"PK\x03\x04" + b"\0" * 60):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"a pickle, .*safetensors.torch.save_file"):
            load(path)


def test_without_safetensors_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the library is missing, save and load say what to install."""
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"save\(\) needs the package safetensors.*minigrad"):
        save({}, tmp_path / "x")
    with pytest.raises(ImportError, match=r"load\(\) needs the package safetensors"):
        load(tmp_path / "x")
