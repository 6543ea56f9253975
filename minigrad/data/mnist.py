"""MNIST: handwritten digits, and the IDX format of their files.

An IDX file (LeCun, Cortes and Burges) is a magic number, sizes, and bytes.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.data.files import CHUNK, Remote, corrupt, fetch, find, not_found, pair
from minigrad.data.loading import TensorDataset

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
        raise corrupt(source, f"a broken gzip stream ({error})") from error


def _idx(source: Path, file: Any) -> np.ndarray:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _IDX_TYPES:  # noqa: PLR2004
        raise corrupt(source, f"the first bytes {start.hex(' ') or 'missing'}, not those of IDX")
    dtype, axes = np.dtype(_IDX_TYPES[start[2]]), start[3]
    sizes = file.read(4 * axes)
    if len(sizes) < 4 * axes or axes > 32:  # noqa: PLR2004 - NumPy takes no more
        raise corrupt(source, f"a header of {axes} axes that ends after {len(sizes)} bytes")
    shape = tuple(int.from_bytes(sizes[4 * i : 4 * i + 4], "big") for i in range(axes))
    wanted = math.prod(shape) * dtype.itemsize
    chunks, size = [], 0
    while size <= wanted and (chunk := file.read(min(CHUNK, wanted + 1 - size))):
        chunks.append(chunk)
        size += len(chunk)
    if size != wanted:
        much = f"only {size}" if size < wanted else "more"
        raise corrupt(source, f"{much} bytes of entries, where shape {shape} takes {wanted}")
    return np.frombuffer(b"".join(chunks), dtype).reshape(shape).astype(dtype.newbyteorder("="))


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
        found = [find(file.name, folders) for file in files]
        if download:
            found = [p or fetch(f, folders[1]) for p, f in zip(found, files, strict=True)]
        missing = [f for p, f in zip(found, files, strict=True) if p is None]
        if missing:
            asked = f"MNIST(train={train})"
            raise not_found(asked, [f.name for f in missing], folders, missing)
        sources = [p for p in found if p is not None]
        images, labels = [read_idx(p) for p in sources]
        if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
            raise corrupt(sources[0], f"{images.dtype} {images.shape}, not uint8 (N, 28, 28)")
        if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
            raise corrupt(sources[1], f"{labels.dtype} {labels.shape} for {len(images)} images")
        if labels.max(initial=0) > 9:  # noqa: PLR2004 - digits
            raise corrupt(sources[1], f"the label {labels.max()}, where digits end at 9")
        self.data, self.targets = pair(images, labels)
        super().__init__(self.data, self.targets)
