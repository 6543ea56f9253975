"""The benchmark does equal work and reports it; how long anything takes is never asserted."""

from __future__ import annotations

import dataclasses
import gc
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import near

import minigrad as mg
from minigrad import cli, nn, ops
from minigrad.bench import BenchError, command, measure, peers, run, workloads
from minigrad.bench.peers import Peer, by_hand
from minigrad.bench.peers.by_hand.perceptron import BatchNormLayer
from minigrad.operation import Primitive

TINY: dict[str, tuple[workloads.Size, ...]] = {
    "mlp": ((8, 5, 6), (12, 4, 7)),
    "mlp-layernorm": ((8, 5, 6),),
    "mlp-adam": ((8, 5, 6),),
    "conv": ((2, 3, 6, 4),),
    "lstm": ((3, 2, 4, 5),),
    "attention": ((2, 3, 8, 2),),
    "hvp": ((8, 5, 6),),
    "record": (("add",), ("tanh",)),
}
SECONDS = 1e-3


@pytest.fixture(autouse=True)
def _tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes that take no time, in this process and without a bar."""
    for name, sizes in TINY.items():
        small = dataclasses.replace(workloads.WORKLOADS[name], sizes=sizes)
        monkeypatch.setitem(workloads.WORKLOADS, name, small)
    for name in command.LIMITS:
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MINIGRAD_QUIET", "1")
    monkeypatch.setattr(measure, "FEWEST", 2)
    monkeypatch.setattr(measure, "MOST", 3)


def bench(*asked: str) -> int:
    """Run the command with NumPy by hand and minigrad alone."""
    return cli.main(["bench", "--peers=", "--seconds", str(SECONDS), *asked])


def agree(name: str, found: dict[str, Peer]) -> measure.Result:
    """Measure a tiny workload, and expect its work to be equal."""
    workload = workloads.WORKLOADS[name]
    result = measure.measure(workload, workload.sizes[0], found, SECONDS)
    assert result.unequal == ""
    assert not [why for why in result.skipped.values() if why.startswith("failed")]
    return result


def test_every_workload_has_a_tiny_size() -> None:
    """No workload is left out of these tests."""
    assert TINY.keys() == workloads.WORKLOADS.keys()


@pytest.mark.parametrize("name", TINY)
def test_minigrad_does_what_is_written_by_hand(name: str) -> None:
    """Over several steps minigrad, replayed too, and NumPy by hand answer the same everywhere."""
    found, _ = peers.load([])
    names = [e.name for e in agree(name, found).entries]
    wanted = ["minigrad gradient", "minigrad"] if name == "hvp" else ["numpy", "minigrad"]
    replayed = name in ("mlp", "mlp-layernorm", "lstm", "attention")
    assert names == wanted + ["replay"] * replayed


@pytest.mark.torch
@pytest.mark.parametrize("name", TINY)
def test_pytorch_does_the_same(name: str, torch: Any) -> None:
    """PyTorch's step answers what the others answer."""
    threads = torch.get_num_threads()
    try:
        found, _ = peers.load(["torch"])
        assert "torch" in [e.name for e in agree(name, found).entries]
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("peer", "name"),
    [
        *[("jax", "mlp-adam"), ("jax", "lstm")],  # which take long to compile
        *[
            ("autograd", "mlp"),
            ("autograd", "conv"),
            ("autograd", "attention"),
            ("autograd", "hvp"),
        ],
        *[("mygrad", "mlp"), ("mygrad", "conv"), ("mygrad", "lstm"), ("mygrad", "record")],
    ],
)
def test_other_frameworks_do_the_same(peer: str, name: str) -> None:
    """A peer's step answers what the others answer, or the peer says why it has none."""
    pytest.importorskip(peer)
    found, _ = peers.load([peer])
    result = agree(name, found)
    assert (peer in [e.name for e in result.entries]) != (found[peer].label in result.skipped)


def test_running_statistics_by_hand_are_those_of_the_layer(random: np.random.Generator) -> None:
    """The BatchNorm by hand does all the work of `nn.BatchNorm1d`, running statistics included."""
    x, w = random.standard_normal((8, 5)), random.standard_normal((6, 5))
    mine = BatchNormLayer(np, w, np.zeros(6), np.ones(6), np.zeros(6))
    layer = nn.BatchNorm1d(6).double()
    for scale in (1.0, 3.0):
        mine.forward(scale * x)
        layer(mg.tensor(scale * x @ w.T))
    near(layer.running_mean, mine.mean)
    near(layer.running_var, mine.var)


class Hasty(by_hand.ByHand):
    """A peer whose learning rate is another."""

    label = "Hasty"

    def mlp(self, problem: workloads.Problem) -> peers.Step:
        """A step that moves too far."""
        settings = {**problem.settings, "lr": 2 * problem.settings["lr"]}
        return super().mlp(dataclasses.replace(problem, settings=settings))


class Broken(by_hand.ByHand):
    """A peer that cannot do its work."""

    label = "Broken"

    def mlp(self, problem: workloads.Problem) -> peers.Step:
        """No step at all."""
        raise ValueError("the wrong version")


def test_who_computes_something_else_is_named() -> None:
    """Unequal work is not timed; of three contenders the one that differs is named, of two both."""
    found: dict[str, Any] = {**peers.load([])[0], "hasty": Hasty()}
    workload = workloads.WORKLOADS["mlp"]
    result = measure.measure(workload, (8, 5, 6), found, SECONDS)
    assert not result.entries
    assert "mlp at 8×5×6 is timed on equal work only" in result.unequal
    assert "loss of step 2 differs in Hasty: NumPy by hand " in result.unequal
    del found["minigrad"], found["replay"]
    result = measure.measure(workload, (8, 5, 6), found, SECONDS)
    assert "differs in NumPy by hand and Hasty" in result.unequal


def test_answers_of_another_shape_are_unequal() -> None:
    """Results that cannot even be compared are refused with their shapes."""
    workload = workloads.WORKLOADS["conv"]
    steps = [lambda: [np.zeros((2, 2))], lambda: [np.zeros((2, 1))]]
    rivals = [
        measure.Contender(str(i), by_hand.ByHand(), "conv", step, "0")
        for i, step in enumerate(steps)
    ]
    with pytest.raises(measure.UnequalWork, match=r"shapes of y found: .*\(2, 2\).*\(2, 1\)"):
        measure.compare(workload, (1, 1, 1, 1), rivals)


def test_unequal_work_fails_the_command_at_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 1, the rest is measured, and table and message name who differs."""
    load = peers.load

    def with_hasty(*args: Any) -> tuple[dict[str, Any], dict[str, str]]:
        found, missing = load(*args)
        return {**found, "hasty": Hasty()}, missing

    monkeypatch.setattr(run, "load", with_hasty)
    assert bench("mlp", "record") == cli.PROBLEM
    out, err = capsys.readouterr()
    assert "NOT TIMED: mlp at 8×5×6" in out
    assert "| minigrad " in out.partition("record:")[2]
    assert "differs in Hasty" in err


def test_a_peer_that_fails_is_left_out() -> None:
    """The others are measured, and the reason is kept."""
    found: dict[str, Any] = {**peers.load([])[0], "broken": Broken()}
    result = measure.measure(workloads.WORKLOADS["mlp"], (8, 5, 6), found, SECONDS)
    assert [e.name for e in result.entries] == [*peers.ALWAYS]
    assert result.skipped == {"Broken": "failed: ValueError: the wrong version"}
    assert gc.isenabled()


def test_table_json_and_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has the machine, contenders and sizes; the JSON all numbers; the plot is drawn."""
    pytest.importorskip("matplotlib")
    numbers, picture = tmp_path / "bench.json", tmp_path / "bench.svg"
    asked = ("mlp", "hvp", "record", "--json", str(numbers), "--plot", str(picture))
    assert bench(*asked) == cli.FINE
    out = capsys.readouterr().out
    for text in (
        "CPU: ",
        "BLAS: ",
        "threads: 1",
        "| NumPy by hand ",
        "| 8×5×6 ",
        "| minigrad: mem",
    ):
        assert text in out, text
    assert "Left out: NumPy by hand (nobody writes" in out
    record = json.loads(numbers.read_text(encoding="utf-8"))
    assert record["schema"] == 1
    assert record["machine"]["NumPy"] == np.__version__
    sizes = [(r["workload"], r["size"]) for r in record["results"]]
    assert sizes[:2] == [("mlp", [8, 5, 6]), ("mlp", [12, 4, 7])]
    hand, mine, _ = record["results"][0]["entries"]
    assert (hand["name"], mine["name"], mine["against"]) == ("numpy", "minigrad", "numpy")
    assert hand["ratio"] == hand["memory_ratio"] == 1
    assert mine["quartiles"][0] <= mine["median"] <= mine["quartiles"][1]
    assert mine["peak_memory"] > 0
    assert record["results"][2]["entries"][1]["against"] == "minigrad gradient"
    assert "<svg" in picture.read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bench.json", "bench.svg"]


def test_a_profile_shows_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    """Operations are listed with what they cost there and back, and are then as they were."""
    before = Primitive.__call__, ops.relu.rules[0].rule
    assert bench("mlp-layernorm", "--profile") == cli.FINE
    assert (Primitive.__call__, ops.relu.rules[0].rule) == before
    table = capsys.readouterr().out.partition("\n\n")[2]
    rows = {cells[0]: cells for line in table.splitlines() if (cells := _cells(line))}
    assert rows["relu"][1] == "2"  # calls forward: two layers
    assert rows["relu"][4] == "2"  # and as many back
    assert rows["relu"][3].replace(",", "") == str(2 * 8 * 6 * 4)  # bytes that came out
    assert "outside operations" in rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_workloads_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """--list shows each workload's name and sizes, and runs nothing."""
    assert bench("--list") == cli.FINE
    out = capsys.readouterr().out
    assert all(f"{name}\n" in out for name in TINY)
    assert "batch×in×hidden: 8×5×6, 12×4×7" in out


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["mpl"], "Workload 'mpl' was asked for; found mlp, .* Did you mean 'mlp'"),
        (["mlp", "--peers", "tensorflow"], "Peer 'tensorflow' was asked for; found numpy, "),
        (["mlp", "--threads", "0"], "--threads 0 was asked for"),
        (["mlp", "--seconds", "nan"], "--seconds nan was asked for"),
        (["mlp", "--json", "no/such/folder.json"], "there is no folder no/such. Make it first"),
        (["mlp", "--plot", "ratio.xyz"], "found the ending '.xyz'. Use .png"),
        (["mlp", "--profile", "--json", "x.json"], "--profile was asked for with --json"),
    ],
)
def test_a_wrong_request_says_what_to_do(
    asked: Sequence[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What was asked, what was found and what to do, with the exit code of a usage error."""
    assert cli.main(["bench", *asked]) == cli.USAGE
    err = capsys.readouterr().err
    assert re.search(message, err), err


def test_a_peer_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error where it was asked for by name, and else a line of the report."""
    monkeypatch.setitem(peers.PEERS, "no_such_package", ("with_nothing", "Nothing"))
    with pytest.raises(BenchError, match=r"not installed\. pip install no_such_package"):
        peers.load(["no_such_package"])
    monkeypatch.setattr(peers, "find_spec", lambda name: name in peers.ALWAYS or None)
    found, missing = peers.load(None)
    assert list(found) == [*peers.ALWAYS]
    assert missing["torch"] == missing["no_such_package"] == "not installed"


def test_threads_are_limited_in_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the limits are not set yet, the same command starts anew with them."""
    started: list[tuple[list[str], dict[str, str]]] = []

    def start(command: list[str], *, check: bool, env: dict[str, str]) -> Any:
        started.append((command, env))
        return subprocess.CompletedProcess(command, 5)

    monkeypatch.setattr(subprocess, "run", start)
    assert cli.main(["bench", "mlp", "--threads", "3"]) == 5
    [(again, environment)] = started
    assert again[1:] == ["-m", "minigrad.cli", "bench", "mlp", "--threads", "3"]
    assert {environment[name] for name in command.LIMITS} == {"3"}


@pytest.mark.gpu
def test_by_hand_and_minigrad_agree_on_the_gpu() -> None:
    """On CuPy both compute there, and answer the same."""
    found, missing = peers.load([], "cupy")
    assert missing == {"replay": "does not run on cupy"}
    for name in ("mlp", "mlp-adam", "conv", "lstm", "attention"):
        agree(name, found)
