"""CIFAR-10: small photographs of ten kinds of things, in records.

In the binary version (Krizhevsky 2009) a record is one byte of label and 3072 of image.
"""

from __future__ import annotations

import gzip
import os
import tarfile
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from minigrad.data.files import CHUNK, Remote, corrupt, fetch, find, not_found, pair
from minigrad.data.loading import TensorDataset
from minigrad.serialization import whole

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
        raise corrupt(source, f"{content.size} bytes, which is no number of records of {_RECORD}")
    records = content.reshape(-1, _RECORD)
    labels = records[:, 0]
    if labels.max() > 9:  # noqa: PLR2004 - ten classes
        raise corrupt(source, f"the label {labels.max()}, where classes end at 9")
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
        if any(find(name, folders) is None for name in names):
            archive = top / _CIFAR_FILE.name
            if not archive.is_file() and download:
                fetch(_CIFAR_FILE, top)
            if archive.is_file():
                _unpack(archive, folders[1])
        found = [find(name, folders) for name in names]
        if missing := [name for name, path in zip(names, found, strict=True) if path is None]:
            raise not_found(f"CIFAR10(train={train})", missing, folders, [_CIFAR_FILE])
        batches = [read_cifar10(path) for path in found if path is not None]
        images, labels = [np.concatenate(parts) for parts in zip(*batches, strict=True)]
        self.data, self.targets = pair(images, labels)
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
        raise corrupt(archive, f"a broken archive ({error})") from error


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    while chunk := source.read(CHUNK):
        target.write(chunk)
