"""Files of data sets: fetched only when asked for, then checked, and found again.

Nothing is unpickled; a file that is not what it should be is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import numpy as np

from minigrad.progress import bar
from minigrad.serialization import whole
from minigrad.tensor import Tensor, as_array

CHUNK = 1 << 20


@dataclass(frozen=True)
class Remote:
    """A file on the network: its name, its exact size in bytes, its SHA-256, and where it is."""

    name: str
    size: int
    sha256: str
    mirrors: tuple[str, ...]


# ── fetching ─────────────────────────────────────────────────────────────────────────────────────


def fetch(file: Remote, folder: Path) -> Path:
    """Copy a file into ``folder`` from the first mirror that has it, and only if it is the one.

    Raises
    ------
    OSError
        If no mirror answers with a file of the right size and checksum; nothing is left behind.
    """
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    for mirror in file.mirrors:
        try:
            with whole(folder / file.name) as part:
                _download(mirror + file.name, file, part)
            return folder / file.name
        except (OSError, ValueError) as error:
            problems.append(f"  {mirror}: {error}")
    tried = "\n".join(problems)
    raise OSError(
        f"download=True asked for {file.name}; no mirror gave it:\n{tried}\nCheck the network and "
        f"try again, or put the file into {str(folder)!r} yourself."
    )


def _download(url: str, file: Remote, part: Path) -> None:
    if not url.startswith("https://"):
        raise ValueError("not https, so anyone on the way could change it")
    digest, size = hashlib.sha256(), 0
    progress = bar(file.size, file.name, "B")
    try:
        with (
            urlopen(url, timeout=60) as source,  # noqa: S310 - https, by the line above
            part.open("wb") as target,
        ):
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > file.size:
                    raise ValueError(f"more than the {file.size} bytes that it should have")
                digest.update(chunk)
                target.write(chunk)
                progress.update(len(chunk))
    finally:
        progress.close()
    if size != file.size:
        raise ValueError(f"{size} bytes in place of {file.size}: the transfer broke off")
    if digest.hexdigest() != file.sha256:
        raise ValueError(f"SHA-256 {digest.hexdigest()} in place of {file.sha256}")


def not_found(
    asked: str, names: Sequence[str], folders: Sequence[Path], files: Sequence[Remote]
) -> FileNotFoundError:
    """The error that says which files are missing, where they were sought, and how to get them."""
    places = " or ".join(repr(str(folder)) for folder in folders)
    sources = "\n".join(f"  {mirror}{file.name}" for file in files for mirror in file.mirrors)
    return FileNotFoundError(
        f"{asked} needs {', '.join(names)} in {places}; found none there. Pass download=True, or "
        f"put there what one of these gives:\n{sources}"
    )


def corrupt(source: Path, found: str) -> ValueError:
    """The error that says what is wrong with a file."""
    return ValueError(
        f"reading {str(source)!r}: found {found}. The file is damaged, or another one; delete it "
        "and fetch it anew, with download=True."
    )


def find(name: str, folders: Sequence[Path]) -> Path | None:
    """The first such file in the folders, unpacked or packed."""
    for folder in folders:
        for path in (folder / name.removesuffix(".gz"), folder / name):
            if path.is_file():
                return path
    return None


def pair(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """Images and class numbers as tensors of the default backend."""
    return Tensor(as_array(images)), Tensor(as_array(labels.astype(np.int64)))
