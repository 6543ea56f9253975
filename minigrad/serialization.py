"""Saving and loading what a model learned, in safetensors: numbers and names, and never code.

A safetensors file is a JSON header (name, dtype, shape and place of each array) and the arrays'
bytes, so reading one runs nothing, unlike unpickling. PyTorch reads and writes the same files with
``safetensors.torch.save_file`` and ``load_file``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.ops import tensor
from minigrad.tensor import Tensor

DTYPES = (
    *("bool", "uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "uint64"),
    *("float16", "float32", "float64"),
)


# What reading a header that is none can end in.
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield a name to write to; the file takes the place of ``path`` when all went well.

    Whatever happens on the way, ``path`` is then the whole new file or what it was before.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"writing {str(path)!r} needs the folder {str(path.parent)!r}; there is none. Make it "
            "first, or write elsewhere."
        )
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def save(state: Any, path: str | os.PathLike[str]) -> None:
    """Write tensors or arrays by name to a safetensors file; a whole file or none.

    Parameters
    ----------
    state
        ``model.state_dict()``, a dict of tensors or arrays of any backend, or a module itself
        (its state_dict is taken).
    path
        Where to; a file that is there is replaced. ``.safetensors`` is the usual ending.

    Raises
    ------
    TypeError
        If a name is no string, or a value no tensor or array of a dtype the format has.
    ImportError
        If safetensors is not installed.

    Examples
    --------
    >>> mg.save(model.state_dict(), "model.safetensors")
    >>> model.load_state_dict(mg.load("model.safetensors"))
    """
    library, _ = _safetensors("save")
    given = state.state_dict() if hasattr(state, "state_dict") else state
    if not isinstance(given, Mapping):
        raise TypeError(
            f"save() needs tensors by name; got a {type(given).__name__}. Pass "
            'model.state_dict(), or a dict such as {"weight": w}.'
        )
    arrays = {name: _on_host(name, value) for name, value in given.items()}
    with whole(Path(path)) as part:
        library.save_file(arrays, part, metadata={"format": "pt"})


def _on_host(name: Any, value: Any) -> np.ndarray:
    """``value`` as a NumPy array in C order and this machine's byte order."""
    raw = value.data if isinstance(value, Tensor) else value
    if not isinstance(name, str):
        raise TypeError(
            f"save() needs names that are strings; got {name!r}. Rename the key: str({name!r})."
        )
    if not backend.is_array(raw):
        raise TypeError(
            f"save() needs tensors or arrays; got a {type(raw).__name__} under {name!r}. Store "
            "numbers as mg.tensor(number), give what is nested names of its own, and keep "
            "settings in a JSON file."
        )
    if hasattr(raw, "detach"):  # a tensor of another library, on the host
        raw = raw.detach().numpy()
    host = np.asarray(backend.to_numpy(raw), order="C")
    if host.dtype.name not in DTYPES:
        raise TypeError(
            f"save() writes {', '.join(DTYPES)}; {name!r} has dtype {host.dtype}. Convert it first."
        )
    return host.astype(host.dtype.newbyteorder("="), copy=False)


def load(path: str | os.PathLike[str]) -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, by name, to the default backend.

    Parameters
    ----------
    path
        A file that `save`, PyTorch with safetensors, or anything else wrote in that format.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a whole safetensors file, or holds a dtype that NumPy lacks (bfloat16).
    ImportError
        If safetensors is not installed.
    """
    library, broken = _safetensors("load")
    source = Path(path)
    if not source.is_file():
        raise FileNotFoundError(
            f"load({str(path)!r}) needs a file; there is none. You are in {str(Path.cwd())!r}: "
            "check the path, or write the file with mg.save(model.state_dict(), path)."
        )
    try:
        _read_header(source)
        found = library.load_file(source)
    except (broken, *MALFORMED) as error:
        raise ValueError(
            f"load({str(path)!r}) needs a whole safetensors file; found {error}. Write it anew "
            "with mg.save(model.state_dict(), path)."
        ) from error
    return {name: tensor(array) for name, array in found.items()}


def _read_header(source: Path) -> None:
    """Refuse early what is commonly mistaken for a safetensors file."""
    with source.open("rb") as file:
        start = file.read(8)
        if start[:2] in (b"PK", b"\x80\x02", b"\x80\x04"):
            raise ValueError(
                "a pickle, as torch.save writes it, which could run anything when it is read; "
                "in PyTorch, load it and write it with safetensors.torch.save_file"
            )
        length = int.from_bytes(start, "little")
        size = source.stat().st_size
        if len(start) < 8 or length > size - 8:  # noqa: PLR2004 - the length itself takes 8 bytes
            raise ValueError(f"{size} bytes, fewer than its header takes")
        header = json.loads(file.read(length))
    for name, entry in header.items():
        if name != "__metadata__" and entry["dtype"] in ("BF16", "F8_E4M3", "F8_E5M2"):
            raise ValueError(
                f"dtype {entry['dtype']} in {name!r}, which NumPy lacks; in PyTorch, convert "
                "with .float() and write it anew"
            )


def _safetensors(asked: str) -> tuple[ModuleType, type[Exception]]:
    """The library for NumPy arrays, and its error."""
    try:
        library = import_module("safetensors.numpy")
        return library, import_module("safetensors").SafetensorError
    except ImportError as error:
        raise ImportError(
            f"{asked}() needs the package safetensors; found none ({error}). Install it: "
            'pip install safetensors, or "minigrad[lessons]".'
        ) from error
