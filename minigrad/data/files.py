"""MNIST and CIFAR-10 from their files, which are fetched only when asked for and then checked.

Nothing is unpickled: MNIST comes in IDX files (LeCun, Cortes and Burges: magic number, sizes,
bytes), CIFAR-10 in its binary version (Krizhevsky 2009: one byte of label, 3072 of image).
"""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import tarfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from urllib.request import urlopen

import numpy as np

from minigrad.data.loading import TensorDataset
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


def _missing(
    asked: str, names: Sequence[str], folders: Sequence[Path], files: Sequence[Remote]
) -> FileNotFoundError:
    places = " or ".join(repr(str(folder)) for folder in folders)
    sources = "\n".join(f"  {mirror}{file.name}" for file in files for mirror in file.mirrors)
    return FileNotFoundError(
        f"{asked} needs {', '.join(names)} in {places}; found none there. Pass download=True, or "
        f"put there what one of these gives:\n{sources}"
    )


# ── MNIST ────────────────────────────────────────────────────────────────────────────────────────

_MNIST_MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
_MNIST_FILES = {
    True: (
        Remote(
            "train-images-idx3-ubyte.gz",
            9912422,
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
            _MNIST_MIRRORS,
        ),
        Remote(
            "train-labels-idx1-ubyte.gz",
            28881,
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
            _MNIST_MIRRORS,
        ),
    ),
    False: (
        Remote(
            "t10k-images-idx3-ubyte.gz",
            1648877,
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
            _MNIST_MIRRORS,
        ),
        Remote(
            "t10k-labels-idx1-ubyte.gz",
            4542,
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
            _MNIST_MIRRORS,
        ),
    ),
}

_IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """Read an IDX file, plain or compressed by gzip (known by its first bytes, not by its name).

    The format is two zero bytes, one for the dtype, one for the number of axes; then the length of
    each axis as four bytes, the highest first; then the entries.

    Raises
    ------
    ValueError
        If it is no IDX file, or is cut off, or has bytes to spare.
    """
    source = Path(path)
    with source.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(source, "rb") if packed else source.open("rb") as file:
            return _idx(source, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _corrupt(source, f"a broken gzip stream ({error})") from error


def _idx(source: Path, file: Any) -> np.ndarray:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _IDX_TYPES:  # noqa: PLR2004
        raise _corrupt(source, f"the first bytes {start.hex(' ') or 'missing'}, not those of IDX")
    dtype, axes = np.dtype(_IDX_TYPES[start[2]]), start[3]
    sizes = file.read(4 * axes)
    if len(sizes) < 4 * axes or axes > 32:  # noqa: PLR2004 - NumPy takes no more
        raise _corrupt(source, f"a header of {axes} axes that ends after {len(sizes)} bytes")
    shape = tuple(int.from_bytes(sizes[4 * i : 4 * i + 4], "big") for i in range(axes))
    wanted = math.prod(shape) * dtype.itemsize
    chunks, size = [], 0
    while size <= wanted and (chunk := file.read(min(CHUNK, wanted + 1 - size))):
        chunks.append(chunk)
        size += len(chunk)
    if size != wanted:
        much = f"only {size}" if size < wanted else "more"
        raise _corrupt(source, f"{much} bytes of entries, where shape {shape} takes {wanted}")
    return np.frombuffer(b"".join(chunks), dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _corrupt(source: Path, found: str) -> ValueError:
    return ValueError(
        f"reading {str(source)!r}: found {found}. The file is damaged, or another one; delete it "
        "and fetch it anew, with download=True."
    )


class MNIST(TensorDataset):
    """Handwritten digits, 60000 to train on and 10000 to test (LeCun et al. 1998).

    Parameters
    ----------
    root
        The folder with the four IDX files, plain or as .gz; also found in ``root/MNIST/raw``,
        where PyTorch's torchvision keeps them and downloads go.
    train
        The training set; else the test set.
    download
        Fetch the files that are missing, over https, and check size and SHA-256 before they are
        put in place. Their MD5, as torchvision publishes it: f68b3c2dcbeaaa9fbdd348bbdeb94873
        (train images), d53e105ee54ea40749a09fcbcd1e9432 (train labels),
        9fb629c4189551a2d022fa330f9573f3 (t10k images), ec29112dd5afa0611ce80d1b7f02629c (t10k
        labels).

    Attributes
    ----------
    data
        Images, uint8 from 0 to 255, (N, 28, 28).
    targets
        Digits, int64, (N,).

    Raises
    ------
    FileNotFoundError
        If files are missing; which ones, and where they can be had.
    ValueError
        If a file is damaged.

    Examples
    --------
    >>> train = MNIST("data", download=True)
    >>> x, t = train.data.float().reshape(-1, 784) / 255, train.targets
    """

    classes = tuple("0123456789")

    def __init__(
        self, root: str | os.PathLike[str], train: bool = True, download: bool = False
    ) -> None:
        top = Path(root).expanduser()
        folders, files = (top, top / "MNIST" / "raw"), _MNIST_FILES[bool(train)]
        found = [_find(file.name, folders) for file in files]
        if download:
            found = [p or fetch(f, folders[1]) for p, f in zip(found, files, strict=True)]
        missing = [f for p, f in zip(found, files, strict=True) if p is None]
        if missing:
            asked = f"MNIST(train={train})"
            raise _missing(asked, [f.name for f in missing], folders, missing)
        sources = [p for p in found if p is not None]
        images, labels = [read_idx(p) for p in sources]
        if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
            raise _corrupt(sources[0], f"{images.dtype} {images.shape}, not uint8 (N, 28, 28)")
        if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
            raise _corrupt(sources[1], f"{labels.dtype} {labels.shape} for {len(images)} images")
        if labels.max(initial=0) > 9:  # noqa: PLR2004 - digits
            raise _corrupt(sources[1], f"the label {labels.max()}, where digits end at 9")
        self.data, self.targets = _pair(images, labels)
        super().__init__(self.data, self.targets)


def _find(name: str, folders: Sequence[Path]) -> Path | None:
    """The first such file in the folders, unpacked or packed."""
    for folder in folders:
        for path in (folder / name.removesuffix(".gz"), folder / name):
            if path.is_file():
                return path
    return None


def _pair(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """Images and class numbers as tensors of the default backend."""
    return Tensor(as_array(images)), Tensor(as_array(labels.astype(np.int64)))


# ── CIFAR-10 ─────────────────────────────────────────────────────────────────────────────────────

_CIFAR_FOLDER = "cifar-10-batches-bin"
_CIFAR_FILE = Remote(
    "cifar-10-binary.tar.gz",
    170052171,
    "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
)
_CIFAR_BATCHES = {
    True: tuple(f"data_batch_{i}.bin" for i in range(1, 6)),
    False: ("test_batch.bin",),
}
_RECORD = 1 + 3 * 32 * 32


def read_cifar10(path: str | os.PathLike[str]) -> tuple[np.ndarray, np.ndarray]:
    """Read one batch of CIFAR-10's binary version: images (N, 3, 32, 32) and labels (N,), uint8.

    Raises
    ------
    ValueError
        If its size is no multiple of 3073 bytes, or a label is above 9.
    """
    source = Path(path)
    content = np.fromfile(source, np.uint8)
    if not content.size or content.size % _RECORD:
        raise _corrupt(source, f"{content.size} bytes, which is no number of records of {_RECORD}")
    records = content.reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() > 9:  # noqa: PLR2004 - ten classes
        raise _corrupt(source, f"the label {labels.max()}, where classes end at 9")
    return records[:, 1:].reshape(-1, 3, 32, 32), labels


class CIFAR10(TensorDataset):
    """Small colour photographs of ten kinds, 50000 to train on, 10000 to test (Krizhevsky 2009).

    Parameters
    ----------
    root
        The folder with ``data_batch_1.bin`` … ``data_batch_5.bin`` and ``test_batch.bin``, or with
        ``cifar-10-batches-bin`` that has them, or with ``cifar-10-binary.tar.gz``, from which they
        are taken.
    train
        The training set; else the test set.
    download
        Fetch the archive (162 MB) if it is missing, over https, and check size and SHA-256 before
        it is put in place. Its MD5, as published at cs.toronto.edu/~kriz/cifar.html:
        c32a1d4ab5d03f1284b67883e8d87530.

    Attributes
    ----------
    data
        Images, uint8 from 0 to 255, channels red, green, blue first: (N, 3, 32, 32).
    targets
        Class numbers, int64, (N,).

    Raises
    ------
    FileNotFoundError
        If files are missing; which ones, and where they can be had.
    ValueError
        If a file is damaged.
    """

    classes = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )

    def __init__(
        self, root: str | os.PathLike[str], train: bool = True, download: bool = False
    ) -> None:
        top, names = Path(root).expanduser(), _CIFAR_BATCHES[bool(train)]
        folders = (top, top / _CIFAR_FOLDER)
        if any(_find(name, folders) is None for name in names):
            archive = top / _CIFAR_FILE.name
            if not archive.is_file() and download:
                fetch(_CIFAR_FILE, top)
            if archive.is_file():
                _unpack(archive, folders[1])
        found = [_find(name, folders) for name in names]
        if missing := [name for name, path in zip(names, found, strict=True) if path is None]:
            raise _missing(f"CIFAR10(train={train})", missing, folders, [_CIFAR_FILE])
        batches = [read_cifar10(path) for path in found if path is not None]
        images, labels = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
        self.data, self.targets = _pair(images, labels)
        super().__init__(self.data, self.targets)


def _unpack(archive: Path, folder: Path) -> None:
    """Take the batches out of the archive, each by its name, and nothing else."""
    wanted = {f"{_CIFAR_FOLDER}/{name}" for names in _CIFAR_BATCHES.values() for name in names}
    folder.mkdir(exist_ok=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if member.name not in wanted or not member.isfile():
                    continue
                source = tar.extractfile(member)
                with whole(folder / Path(member.name).name) as part, part.open("wb") as target:
                    _copy(source, target)  # type: ignore[arg-type] # a file has content
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _corrupt(archive, f"a broken archive ({error})") from error


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    while chunk := source.read(CHUNK):
        target.write(chunk)
