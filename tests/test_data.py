"""Data: batches as PyTorch makes them, and readers that notice every damage."""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
from collections import namedtuple
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import data
from minigrad.data import cifar, files, mnist

# ── datasets and loaders ─────────────────────────────────────────────────────────────────────────


def rows(n: int = 10) -> data.TensorDataset:
    """Samples that tell their number."""
    x = np.arange(2.0 * n).reshape(n, 2)
    return data.TensorDataset(mg.tensor(x), mg.tensor(np.arange(n)))


class Squares(data.Dataset):
    """A dataset written by hand: numbers as samples."""

    def __getitem__(self, index: int) -> tuple[int, float]:
        return index, float(index) ** 2

    def __len__(self) -> int:
        return 7


def numbers(loader: data.DataLoader) -> list[list[int]]:
    """Which samples each batch has."""
    return [host(batch[1]).tolist() for batch in loader]


def test_a_tensor_dataset_is_rows(place: str) -> None:
    """Sample i is row i of each tensor; nothing is copied or moved."""
    dataset = rows()
    x, t = dataset[3]
    near(x, [6.0, 7.0])
    assert t.item() == 3
    assert len(dataset) == 10
    x = mg.zeros(4, 2)
    assert data.TensorDataset(x).tensors[0] is x
    assert data.TensorDataset(np.zeros(3), [1, 2, 3]).tensors[1].backend == place


def test_tensors_of_other_lengths_are_refused() -> None:
    """Tensors that differ in their first axis, or have none, name their shapes."""
    for wrong in [(mg.zeros(3, 2), mg.zeros(4)), (mg.tensor(1.0),), ()]:
        with pytest.raises(ValueError, match="first axes are of one length; got shapes"):
            data.TensorDataset(*wrong)


@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("size", [1, 3, 5, 10, 11])
def test_batches_cover_the_data_in_order(place: str, size: int, drop_last: bool) -> None:
    """Without shuffling, batches are the data cut up; len() says how many there are."""
    loader = data.DataLoader(rows(), size, drop_last=drop_last)
    found = numbers(loader)
    assert len(found) == len(loader)
    flat = [i for batch in found for i in batch]
    assert flat == list(range(10 - 10 % size if drop_last else 10))
    assert all(len(batch) == size for batch in found[:-1])
    x, t = next(iter(data.DataLoader(rows(), 4)))
    near(x, np.arange(8.0).reshape(4, 2))
    assert (x.backend, t.backend) == (place, place)
    assert isinstance(next(iter(loader)) if found else [], list)


def test_a_batch_has_memory_of_its_own(place: str) -> None:
    """Writing to a batch leaves the dataset alone, also where it is one slice of it."""
    dataset = rows()
    x, _ = next(iter(data.DataLoader(dataset, 10)))
    x[0] = 99.0
    near(dataset[0][0], [0.0, 1.0])


def test_shuffling_is_new_in_each_epoch_and_the_same_in_each_run() -> None:
    """manual_seed, a seed or a generator fix the orders; rows stay together."""
    runs = []
    for _ in range(2):
        mg.manual_seed(3)
        loader = data.DataLoader(rows(50), 8, shuffle=True)
        runs.append([numbers(loader), numbers(loader)])
    assert runs[0] == runs[1]
    assert runs[0][0] != runs[0][1]
    assert sorted(i for batch in runs[0][0] for i in batch) == list(range(50))
    for x, t in loader:
        near(x[:, 0], 2.0 * host(t))
    seeds = [3, np.random.default_rng(3)]
    found = [numbers(data.DataLoader(rows(50), 8, shuffle=True, generator=g)) for g in seeds]
    assert found[0] == found[1]


def test_a_loader_of_ones_own_dataset_collates(place: str) -> None:
    """Samples of a class, or a list, are put together one by one, on the default backend."""
    batches = list(data.DataLoader(Squares(), 4))
    near(batches[1][1], [16.0, 25.0, 36.0])
    assert batches[0][0].backend == place
    near(next(iter(data.DataLoader([1.0, 2.0], 2))), [1.0, 2.0])


def test_an_overridden_sample_is_not_bypassed() -> None:
    """A subclass of TensorDataset that changes samples is asked for each of them."""

    class Negative(data.TensorDataset):
        def __getitem__(self, index: Any) -> tuple[mg.Tensor, ...]:
            x, t = super().__getitem__(index)
            return -x, t

    x, _ = next(iter(data.DataLoader(Negative(mg.ones(3, 2), mg.arange(3)), 3)))
    near(x, -np.ones((3, 2)))


def test_a_sampler_or_a_collate_function_takes_over() -> None:
    """The sampler says which samples come, collate_fn what a batch of them is."""
    loader = data.DataLoader(rows(), 2, sampler=[9, 1, 1], num_workers=2, pin_memory=True)
    assert numbers(loader) == [[9, 1], [1]]
    assert len(loader) == 2
    assert list(data.DataLoader(Squares(), 4, collate_fn=len)) == [4, 3]
    assert list(data.DataLoader(rows(), 4, collate_fn=len)) == [4, 4, 2]


@pytest.mark.torch
@pytest.mark.parametrize(
    "samples",
    [
        [1, 2, 3],
        [True, False],
        [1.5, 2.0],
        [(1, 2.0), (3, 4.0)],
        [[1, 2], [3, 4]],
        [{"a": 1, "b": (1.0, 2)}, {"a": 3, "b": (2.0, 3)}],
        ["one", "two"],
        [np.ones((2, 3), np.float32), np.zeros((2, 3), np.float32)],
        [np.float32(1), np.float32(2)],
    ],
    ids=str,
)
def test_collating_equals_pytorch(torch: ModuleType, samples: list[Any]) -> None:
    """Structure, dtypes and numbers of a batch are those of PyTorch's default_collate."""

    def plain(x: Any) -> Any:
        if isinstance(x, dict):
            return {key: plain(value) for key, value in x.items()}
        if isinstance(x, list | tuple):
            return [plain(value) for value in x]
        return x if isinstance(x, str) else (str(host(x).dtype), host(x).tolist())

    from torch.utils.data import default_collate  # noqa: PLC0415 - an extra

    assert plain(data.default_collate(samples)) == plain(default_collate(samples))


def test_collating_keeps_named_tuples() -> None:
    """A named tuple of samples is one of batches."""
    Pair = namedtuple("Pair", ["x", "t"])
    found = data.default_collate([Pair(1.0, 2), Pair(3.0, 4)])
    near(found.x, [1.0, 3.0])
    near(found.t, [2, 4])


@pytest.mark.parametrize(
    ("samples", "error", "said"),
    [
        ([np.ones(2), np.ones(3)], ValueError, r"one shape; found \(2,\), \(3,\)"),
        ([(1, 2), (1,)], ValueError, r"as many parts each; found \[1, 2\]"),
        ([object(), object()], TypeError, "got a object"),
    ],
    ids=str,
)
def test_samples_that_do_not_fit_are_refused(
    samples: list[Any], error: type[Exception], said: str
) -> None:
    """Samples of different shapes or lengths, or of no known kind, say so."""
    with pytest.raises(error, match=said):
        data.default_collate(samples)


@pytest.mark.parametrize("size", [0, -1, 2.0, None, True])
def test_batch_size_is_a_positive_integer(size: Any) -> None:
    """Other batch sizes are refused."""
    with pytest.raises(ValueError, match="needs batch_size, a positive integer"):
        data.DataLoader(rows(), size)


def test_loaders_refuse_what_they_cannot_use() -> None:
    """No samples to index, two orders at once, and datasets without their methods are errors."""
    with pytest.raises(TypeError, match=r"got a generator.*TensorDataset\(x, t\)"):
        data.DataLoader(i for i in range(3))
    with pytest.raises(ValueError, match="both set the order"):
        data.DataLoader(rows(), shuffle=True, sampler=[1])
    with pytest.raises(NotImplementedError, match=r"Dataset has no __getitem__\(\)"):
        data.Dataset()[0]
    with pytest.raises(NotImplementedError, match=r"Dataset has no __len__\(\)"):
        len(data.Dataset())


def test_subsets_are_taken_at_once(place: str) -> None:
    """A subset, of a subset too, has its samples in order, and batches come from the tensors."""
    part = data.Subset(data.Subset(rows(), [8, 6, 4, 2, 0]), [4, 1, 3])
    assert [part[i][1].item() for i in range(len(part))] == [0, 6, 2]
    assert numbers(data.DataLoader(part, 2)) == [[0, 6], [2]]
    assert numbers(data.DataLoader(data.Subset(Squares(), [3, 5]), 2)) == [[9.0, 25.0]]


@pytest.mark.parametrize(
    ("lengths", "sizes"),
    [([7, 3], [7, 3]), ([0.5, 0.3, 0.2], [5, 3, 2]), ([0.34, 0.33, 0.33], [4, 3, 3]), ([10], [10])],
)
def test_random_split_deals_all_out(lengths: list[float], sizes: list[int]) -> None:
    """Parts have the sizes asked for, share nothing, and come again with the same seed."""
    found = data.random_split(rows(), lengths, generator=5)
    assert [len(part) for part in found] == sizes
    places = [i for part in found for i in part.indices]
    assert sorted(places) == list(range(10))
    again = data.random_split(rows(), lengths, generator=5)
    assert [part.indices for part in again] == [part.indices for part in found]


@pytest.mark.torch
def test_split_sizes_equal_pytorch(torch: ModuleType) -> None:
    """Fractions are rounded as PyTorch rounds them."""
    from torch.utils.data import random_split  # noqa: PLC0415 - an extra

    for n in range(10, 50):  # with fewer, PyTorch warns of empty parts
        for lengths in ([0.8, 0.2], [1 / 3, 1 / 3, 1 / 3], [0.1, 0.25, 0.65]):
            ours = [len(part) for part in data.random_split(range(n), lengths)]
            assert ours == [len(part) for part in random_split(range(n), lengths)]


@pytest.mark.parametrize("lengths", [[5, 4], [0.5, 0.6], [-1, 11]])
def test_splits_that_do_not_add_up_are_refused(lengths: list[float]) -> None:
    """Lengths that miss samples, or fractions that miss 1, are refused."""
    with pytest.raises(ValueError, match="lengths that sum to 10, or fractions"):
        data.random_split(rows(), lengths)


# ── MNIST ────────────────────────────────────────────────────────────────────────────────────────


def idx(array: np.ndarray, code: int = 8) -> bytes:
    """An array as an IDX file."""
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    order = array.astype(array.dtype.newbyteorder(">"))
    return bytes([0, 0, code, array.ndim]) + sizes + order.tobytes()


IMAGES = (np.arange(5 * 28 * 28) % 251).astype(np.uint8).reshape(5, 28, 28)
LABELS = np.array([3, 1, 4, 1, 9], np.uint8)


def write_mnist(folder: Path, packed: bool, part: str = "train") -> None:
    """Small files like MNIST's."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        content = idx(array)
        path = folder / f"{part}-{name}-ubyte{'.gz' * packed}"
        path.write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("below", [".", "MNIST/raw"])
def test_mnist_reads_its_files(place: str, tmp_path: Path, packed: bool, below: str) -> None:
    """Images (N, 28, 28) uint8, labels int64; plain or gz; in root or torchvision's folder."""
    write_mnist(tmp_path / below, packed)
    write_mnist(tmp_path / below, packed, "t10k")
    for train in (True, False):
        mnist = data.MNIST(tmp_path, train=train)
        np.testing.assert_array_equal(host(mnist.data), IMAGES)
        np.testing.assert_array_equal(host(mnist.targets), LABELS)
        assert host(mnist.data).dtype == np.uint8
        assert host(mnist.targets).dtype == np.int64
        assert mnist.data.backend == place
    assert len(mnist) == 5
    assert mnist.classes[3] == "3"
    x, t = next(iter(data.DataLoader(mnist, 2)))
    assert (x.shape, t.shape) == ((2, 28, 28), (2,))


@pytest.mark.parametrize(
    ("code", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (12, "i4"), (13, "f4"), (14, "f8")]
)
@pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 0, 3)])
def test_idx_has_six_dtypes(tmp_path: Path, code: int, dtype: str, shape: tuple[int, ...]) -> None:
    """read_idx reads each dtype of the format, highest byte first, in any number of axes."""
    array = (np.arange(np.prod(shape)).reshape(shape) * 1).astype(dtype)
    (tmp_path / "x").write_bytes(idx(array, code))
    found = data.read_idx(tmp_path / "x")
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "first bytes missing"),
        (b"\0\0", "first bytes 00 00"),
        (b"<html>not found</html>", "not those of IDX"),
        (b"\0\0\x07\x01\0\0\0\0", "not those of IDX"),
        (b"\0\0\x08\x02\0\0\0\1", "a header of 2 axes that ends after 4 bytes"),
        (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"\0", "a header of 255 axes"),
        (idx(LABELS)[:-1], r"only 4 bytes of entries, where shape \(5,\) takes 5"),
        (idx(LABELS) + b"\0", "more bytes of entries"),
        (b"\0\0\x08\x04" + b"\xff" * 16, "only 0 bytes of entries"),
        (gzip.compress(idx(LABELS))[:-12], "a broken gzip stream"),
        (b"\x1f\x8b" + b"\xff" * 50, "a broken gzip stream"),
        (gzip.compress(idx(IMAGES))[:100] + b"\0" * 99, "a broken gzip stream"),
    ],
    ids=lambda value: str(value[:30]),
)
def test_damaged_idx_files_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """Another file, a wrong magic number, a cut or a byte to spare: said, with what to do."""
    path = tmp_path / "x"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"{said}(.|\n)*fetch it anew"):
        data.read_idx(path)


@pytest.mark.parametrize(
    ("name", "array", "said"),
    [
        ("images-idx3", IMAGES[:, 1:], r"uint8 \(5, 27, 28\), not uint8 \(N, 28, 28\)"),
        ("labels-idx1", LABELS[:4], r"\(4,\) for 5 images"),
        ("labels-idx1", LABELS + 7, "the label 16"),
    ],
    ids=["images", "count", "label"],
)
def test_mnist_files_must_match(tmp_path: Path, name: str, array: np.ndarray, said: str) -> None:
    """Images of another size, labels of another number or above 9 are refused."""
    write_mnist(tmp_path, packed=False)
    (tmp_path / f"train-{name}-ubyte").write_bytes(idx(array))
    with pytest.raises(ValueError, match=said):
        data.MNIST(tmp_path)


def test_missing_mnist_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the files: which, where they were looked for, their addresses; no network is used."""
    monkeypatch.setattr(files, "urlopen", refuse)
    write_mnist(tmp_path, packed=True)
    (tmp_path / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileNotFoundError) as caught:
        data.MNIST(tmp_path)
    said = str(caught.value)
    assert "MNIST(train=True) needs train-labels-idx1-ubyte.gz in" in said
    assert "train-images" not in said
    assert "https://ossci-datasets.s3.amazonaws.com/mnist/train-labels-idx1-ubyte.gz" in said
    assert "download=True" in said


# ── fetching ─────────────────────────────────────────────────────────────────────────────────────


def refuse(url: str, timeout: float) -> Any:
    """No network."""
    raise AssertionError(f"the network was asked for {url}")


class Network:
    """What the mirrors answer, and what they were asked."""

    def __init__(self, answers: dict[str, bytes | Exception]) -> None:
        self.answers, self.asked = answers, []  # type: tuple[Any, list[str]]

    def __call__(self, url: str, timeout: float) -> Any:
        """Stand in for urlopen."""
        self.asked.append(url)
        answer = self.answers[url]
        if isinstance(answer, Exception):
            raise answer
        return io.BytesIO(answer)


def remote(content: bytes, *mirrors: str) -> files.Remote:
    """A file with this content at these mirrors."""
    return files.Remote("f.bin", len(content), hashlib.sha256(content).hexdigest(), mirrors)


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A network of one's own, and no bars."""
    found = Network({})
    monkeypatch.setattr(files, "urlopen", found)
    monkeypatch.setenv("MINIGRAD_QUIET", "1")
    return found


GOOD = bytes(range(256)) * 20


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (OSError("no route to host"), "no route to host"),
        (TimeoutError("timed out"), "timed out"),
        (GOOD[:-1], "5119 bytes in place of 5120: the transfer broke off"),
        (GOOD + b"!", "more than the 5120 bytes"),
        (b"!" + GOOD[1:], r"SHA-256 \w{64} in place of \w{64}"),
        (b"", "0 bytes in place of 5120"),
    ],
    ids=["no route", "timeout", "short", "long", "other", "empty"],
)
def test_a_bad_mirror_is_passed_over(
    network: Network, tmp_path: Path, answer: Any, said: str
) -> None:
    """What is not the file, to the byte, is not kept; the next mirror is asked, or all named."""
    network.answers = {"https://a/f.bin": answer, "https://b/f.bin": GOOD}
    path = files.fetch(remote(GOOD, "https://a/", "https://b/"), tmp_path / "new")
    assert path.read_bytes() == GOOD
    assert network.asked == ["https://a/f.bin", "https://b/f.bin"]
    path.unlink()
    with pytest.raises(OSError, match=rf"no mirror gave it:\n  https://a/: .*{said}"):
        files.fetch(remote(GOOD, "https://a/"), tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_a_bad_download_leaves_the_old_file(network: Network, tmp_path: Path) -> None:
    """A file that is there survives a fetch that fails."""
    (tmp_path / "f.bin").write_bytes(b"old")
    network.answers = {"https://a/f.bin": b"bad"}
    with pytest.raises(OSError, match="no mirror gave it"):
        files.fetch(remote(GOOD, "https://a/"), tmp_path)
    assert (tmp_path / "f.bin").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_only_https_is_asked(network: Network, tmp_path: Path) -> None:
    """A mirror without encryption, or a file on this machine, is not opened."""
    with pytest.raises(OSError, match="not https"):
        files.fetch(remote(GOOD, "http://a/", "file:///etc/"), tmp_path)
    assert network.asked == []


def test_every_mirror_is_https_and_every_checksum_whole() -> None:
    """The table of files has https addresses, sizes, and 64 hexadecimal digits each."""
    found = [*mnist._MNIST_FILES[True], *mnist._MNIST_FILES[False], cifar._CIFAR_FILE]
    assert len({file.sha256 for file in found}) == 5
    for file in found:
        assert all(mirror.startswith("https://") for mirror in file.mirrors)
        assert len(bytes.fromhex(file.sha256)) == 32
        assert file.size > 1000


def small_mnist(monkeypatch: pytest.MonkeyPatch, network: Network) -> None:
    """Stand-ins for MNIST's files on the network."""
    remotes = []
    for name, array in (("images-idx3", IMAGES), ("labels-idx1", LABELS)):
        content, mirror = gzip.compress(idx(array), mtime=0), "https://mirror/"
        sha = hashlib.sha256(content).hexdigest()
        remotes.append(files.Remote(f"train-{name}-ubyte.gz", len(content), sha, (mirror,)))
        network.answers[mirror + remotes[-1].name] = content
    monkeypatch.setattr(mnist, "_MNIST_FILES", {True: tuple(remotes)})


def test_mnist_is_fetched_once(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """download=True fetches what is missing, into torchvision's folder, and not again."""
    small_mnist(monkeypatch, network)
    for _ in range(2):
        mnist = data.MNIST(tmp_path / "deep" / "root", download=True)
        np.testing.assert_array_equal(host(mnist.data), IMAGES)
    assert len(network.asked) == 2
    found = sorted(p.name for p in (tmp_path / "deep" / "root" / "MNIST" / "raw").iterdir())
    assert found == ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"]


def test_fetching_shows_a_bar(
    network: Network,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A bar names the file where tqdm is installed; without tqdm there is silence."""
    pytest.importorskip("tqdm")
    small_mnist(monkeypatch, network)
    monkeypatch.delenv("MINIGRAD_QUIET")
    data.MNIST(tmp_path / "a", download=True)
    assert "train-images-idx3-ubyte.gz" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    data.MNIST(tmp_path / "b", download=True)
    assert capsys.readouterr().err == ""


# ── CIFAR-10 ─────────────────────────────────────────────────────────────────────────────────────


def batch(first: int, n: int = 3) -> bytes:
    """Records of CIFAR-10: a label, then the red, green and blue of an image."""
    labels = (np.arange(first, first + n) % 10).astype(np.uint8)
    pixels = (np.arange(n * 3072).reshape(n, 3072) + first) % 256
    return np.concatenate([labels[:, None], pixels.astype(np.uint8)], axis=1).tobytes()


def write_cifar(folder: Path) -> None:
    """Small files like CIFAR-10's."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(1, 6):
        (folder / f"data_batch_{i}.bin").write_bytes(batch(i))
    (folder / "test_batch.bin").write_bytes(batch(8, 2))


def archive(extra: dict[str, bytes] | None = None, leave_out: str = "") -> bytes:
    """The tar of such files, with further members."""
    members = {f"cifar-10-batches-bin/data_batch_{i}.bin": batch(i) for i in range(1, 6)}
    members |= {"cifar-10-batches-bin/test_batch.bin": batch(8, 2), **(extra or {})}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            if name != leave_out:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


@pytest.mark.parametrize("below", [".", "cifar-10-batches-bin"])
def test_cifar_reads_its_batches(place: str, tmp_path: Path, below: str) -> None:
    """Five batches in order, (N, 3, 32, 32) uint8, channels first; and the one to test."""
    write_cifar(tmp_path / below)
    train, test = data.CIFAR10(tmp_path), data.CIFAR10(tmp_path, train=False)
    assert train.data.shape == (15, 3, 32, 32)
    assert train.targets.tolist() == [1, 2, 3, 2, 3, 4, 3, 4, 5, 4, 5, 6, 5, 6, 7]
    assert test.targets.tolist() == [8, 9]
    assert test.classes[9] == "truck"
    assert test.data.backend == place
    pixels = host(test.data)[0]
    assert pixels.dtype == np.uint8
    assert pixels[1, 2, 3] == (1024 + 2 * 32 + 3 + 8) % 256


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes, which is no number of records of 3073"),
        (batch(1)[:-1], "9218 bytes"),
        (b"\x0a" + batch(1)[1:], "the label 10"),
    ],
)
def test_damaged_batches_are_refused(tmp_path: Path, content: bytes, said: str) -> None:
    """A cut file, an empty one, and labels above 9 are refused."""
    write_cifar(tmp_path)
    (tmp_path / "data_batch_3.bin").write_bytes(content)
    with pytest.raises(ValueError, match=f"data_batch_3.bin.*{said}"):
        data.CIFAR10(tmp_path)


def test_missing_cifar_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the files the error names them, the archive's address and download=True."""
    monkeypatch.setattr(files, "urlopen", refuse)
    write_cifar(tmp_path)
    (tmp_path / "data_batch_2.bin").unlink()
    said = r"needs data_batch_2.bin in .*download=True(.|\n)*kriz/cifar-10-binary.tar.gz"
    with pytest.raises(FileNotFoundError, match=said):
        data.CIFAR10(tmp_path)


def test_cifar_is_fetched_and_unpacked_by_name(
    network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is checked and only its batches are taken; hostile members are left alone."""
    content = archive({"../outside.bin": b"x", "cifar-10-batches-bin/other.bin": b"x"})
    sha = hashlib.sha256(content).hexdigest()
    fake = files.Remote("cifar-10-binary.tar.gz", len(content), sha, ("https://m/",))
    monkeypatch.setattr(cifar, "_CIFAR_FILE", fake)
    network.answers = {"https://m/cifar-10-binary.tar.gz": content}
    root = tmp_path / "root"
    for train, n in ((True, 15), (False, 2), (True, 15)):
        assert len(data.CIFAR10(root, train=train, download=True)) == n
    assert len(network.asked) == 1
    assert sorted(p.name for p in root.iterdir()) == ["cifar-10-batches-bin", fake.name]
    assert len(list((root / "cifar-10-batches-bin").iterdir())) == 6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["root"]


def test_links_in_an_archive_are_not_followed(tmp_path: Path) -> None:
    """A member with a batch's name that is a link to elsewhere is not taken."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        info = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    (tmp_path / "cifar-10-binary.tar.gz").write_bytes(out.getvalue())
    with pytest.raises(FileNotFoundError, match=r"test_batch\.bin"):
        data.CIFAR10(tmp_path, train=False)
    assert list((tmp_path / "cifar-10-batches-bin").iterdir()) == []


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    """An archive that is cut off, or none, says so; one without a batch names what is missing."""
    whole, path = archive(), tmp_path / "cifar-10-binary.tar.gz"
    for content in (whole[: len(whole) // 2], b"nothing of the kind", b""):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="a broken archive"):
            data.CIFAR10(tmp_path)
    path.write_bytes(archive(leave_out="cifar-10-batches-bin/data_batch_4.bin"))
    with pytest.raises(FileNotFoundError, match=r"needs data_batch_4.bin in"):
        data.CIFAR10(tmp_path)


# ── tables ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("name", "shape", "classes"),
    [
        ("digits", (1797, 64), 10),
        ("iris", (150, 4), 3),
        ("wine", (178, 13), 3),
        ("breast_cancer", (569, 30), 2),
    ],
)
def test_tables_are_features_and_classes(
    place: str, name: str, shape: tuple[int, int], classes: int
) -> None:
    """Each table is x float32 and t int64 on the default backend, with names of both."""
    sets = pytest.importorskip("sklearn.datasets")
    table = getattr(data, name)()
    x, t = table
    found = getattr(sets, f"load_{name}")()
    np.testing.assert_array_equal(host(x), found.data.astype(np.float32))
    np.testing.assert_array_equal(host(t), found.target)
    assert (x.shape, len(table)) == (shape, shape[0])
    assert (str(host(x).dtype), str(host(t).dtype)) == ("float32", "int64")
    assert (x.backend, t.backend) == (place, place)
    assert (len(table.feature_names), len(table.target_names)) == (shape[1], classes)
    assert f"Table({name}: x {shape}" in repr(table)
    assert len(table.dataset()) == shape[0]


def test_standardized_tables_have_mean_0_and_variance_1() -> None:
    """standardize=True scales each feature; constant ones become 0, not NaN."""
    pytest.importorskip("sklearn")
    for table in (data.digits(standardize=True), data.wine(standardize=True)):
        x = table.x.numpy().astype(np.float64)
        near(x.mean(0), np.zeros(x.shape[1]), 1e-6)
        assert np.all(np.isclose(x.std(0), 1, atol=1e-6) | (x.std(0) == 0))


def test_a_table_is_split_class_by_class() -> None:
    """split holds out the same part of every class, the same with the same seed."""
    pytest.importorskip("sklearn")
    table = data.iris()
    (x, t), (x2, t2) = table.split(0.2, generator=0)
    assert np.bincount(t2.numpy()).tolist() == [10, 10, 10]
    both = np.concatenate([x.numpy(), x2.numpy()])
    assert np.array_equal(np.sort(both, axis=0), np.sort(table.x.numpy(), axis=0))
    assert len(t) == 120
    near(table.split(0.2, generator=0)[1][0], x2, 0)
    assert not np.array_equal(t.numpy(), np.sort(t.numpy()))
    (x, _), (x2, _) = table.split(0.2, generator=0, standardize=True)
    near(x.numpy().mean(0), np.zeros(4), 1e-6)
    assert np.abs(x2.numpy().mean(0)).max() > 1e-4
    with pytest.raises(ValueError, match="between 0 and 1; got 2"):
        table.split(2)


def test_without_scikit_learn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where scikit-learn is missing, the error says what to install."""
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match=r"data.iris\(\) reads scikit-learn.*minigrad\[lessons\]"):
        data.iris()
