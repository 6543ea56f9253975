"""Measuring: results compared first, then times taken in turn, then memory.

A ratio is taken between two times of one round, so that what slows the whole machine slows both;
the median over rounds is reported, with the quartiles as its spread.
"""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

import numpy as np

from minigrad.bench.peers import ALWAYS, Peer, Skip, Step
from minigrad.bench.workloads import Problem, Size, Workload, label

COMPARED = 5  # steps whose results must agree
TOLERANCE = 1e-3  # of the largest entry: float32, after COMPARED updates
FEWEST, MOST = 5, 1000  # rounds
SHORT = 20e-3  # seconds: a step that what is in the caches makes a difference to
TURN = 10e-3  # seconds that a contender has at its turn: the first steps are the slower ones


class UnequalWork(Exception):  # noqa: N818 - what was found, not a fault of the program
    """Contenders that answer different things, of which nothing is timed."""


@dataclass
class Contender:
    """One step that is timed, and whose time it is divided by."""

    name: str  # of the peer, and of the family if that is not the workload's
    peer: Peer
    family: str
    step: Step
    base: str
    first: list[np.ndarray] | None = None  # what its first step answered


@dataclass
class Entry:
    """What was measured of one contender, for one step (or one call, where a step has many)."""

    name: str
    label: str
    version: str
    base: str
    seconds: np.ndarray
    base_seconds: np.ndarray
    peak: int | None = None  # bytes
    base_peak: int | None = None

    def median(self) -> float:
        """Seconds."""
        return float(np.median(self.seconds))

    def quartiles(self) -> tuple[float, float]:
        """Seconds, a quarter and three quarters of the way up."""
        return _quartiles(self.seconds)

    def ratio(self) -> tuple[float, float, float]:
        """How many times the base's time it takes: median and quartiles over the rounds."""
        ratios = self.seconds / self.base_seconds
        return (float(np.median(ratios)), *_quartiles(ratios))

    def fastest(self) -> float:
        """The ratio of the fastest steps: what is left of it where the machine is busy."""
        return float(np.min(self.seconds) / np.min(self.base_seconds))

    def added(self) -> tuple[float, float, float]:
        """Seconds more than the base: median and quartiles over the rounds."""
        more = self.seconds - self.base_seconds
        return (float(np.median(more)), *_quartiles(more))

    def memory(self) -> float | None:
        """How many times the base's peak memory, where both are known."""
        return self.peak / self.base_peak if self.peak and self.base_peak else None


@dataclass
class Result:
    """One workload at one size: what was measured, who was left out and why."""

    workload: Workload
    size: Size
    entries: list[Entry] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    unequal: str = ""  # why nothing was timed


def _quartiles(values: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(values, (0.25, 0.75))
    return float(low), float(high)


def measure(workload: Workload, size: Size, peers: dict[str, Peer], seconds: float) -> Result:
    """Compare, time for about ``seconds``, and weigh one workload at one size."""
    result = Result(workload, size)
    problem = workload.make(size)
    contenders = _build(workload, problem, peers, result.skipped)
    try:
        compare(workload, size, contenders)
    except UnequalWork as error:
        result.unequal = str(error)
        return result
    times = time_in_turn(contenders, seconds)
    peaks = {} if workload.calls > 1 else {c.name: _peak(c, problem) for c in contenders}
    for c in contenders:
        entry = Entry(
            *(c.name, c.peer.label, c.peer.version(), c.base),
            times[c.name] / workload.calls,
            times[c.base] / workload.calls,
            *(peaks.get(c.name), peaks.get(c.base)),
        )
        result.entries.append(entry)
    return result


def _build(
    workload: Workload, problem: Problem, peers: dict[str, Peer], skipped: dict[str, str]
) -> list[Contender]:
    """The steps of all peers that have one and can run it: the first step is behind them."""
    contenders: list[Contender] = []
    own = workload.against != "numpy"
    for name, peer in peers.items():
        families = [workload.against, workload.family] if own else [workload.family]
        made = []
        try:
            for family in families:
                called = name if family == workload.family else f"{name} {family}"
                step: Step = getattr(peer, family)(problem)
                base = f"{name} {workload.against}" if own else workload.against
                made.append(Contender(called, peer, family, step, base))
                made[-1].first = _answer(made[-1], workload.results)
        except Skip as reason:
            skipped[peer.label] = str(reason)
        except Exception as error:
            if name in ALWAYS:
                raise
            skipped[peer.label] = f"failed: {type(error).__name__}: {error}".splitlines()[0]
        else:
            contenders += made
    return contenders


# ── equal work ───────────────────────────────────────────────────────────────────────────────────


def compare(
    workload: Workload, size: Size, contenders: Sequence[Contender], steps: int = COMPARED
) -> None:
    """Run ``steps`` steps of each and refuse if their results differ.

    Of three or more the median stands for what is right, so that the one that differs is named; of
    two both are.

    Raises
    ------
    UnequalWork
        With the first result that differs, of whom, and by how much.
    """
    for family in dict.fromkeys(c.family for c in contenders):
        rivals = [c for c in contenders if c.family == family]
        for number in range(1, steps + 1):
            answers = [_next(c, workload.results, number) for c in rivals]
            for i, what in enumerate(workload.results):
                values = [answer[i] for answer in answers if i < len(answer)]
                _agree(values, rivals, f"{workload.name} at {label(size)}", what, number)


def _next(c: Contender, names: Sequence[str], number: int) -> list[np.ndarray]:
    first = c.first if number == 1 else None
    return _answer(c, names) if first is None else first


def _answer(c: Contender, names: Sequence[str]) -> list[np.ndarray]:
    """One step's results on the host; more than there are names for are joined in the last."""
    arrays = [c.peer.host(x) for x in c.step()]
    last = len(names) - 1
    if len(arrays) > len(names):
        arrays[last:] = [np.concatenate([a.ravel() for a in arrays[last:]])]
    return arrays


def _agree(
    values: list[np.ndarray], rivals: Sequence[Contender], asked: str, what: str, number: int
) -> None:
    if len({v.shape for v in values}) > 1:
        found = ", ".join(f"{c.peer.label} {v.shape}" for c, v in zip(rivals, values, strict=True))
        raise UnequalWork(
            f"{asked} is timed on equal work only; shapes of {what} found: {found}. Mend the step "
            "that is wrong, or leave its peer out with --peers."
        )
    middle = np.median(np.stack(values), axis=0)
    scale = float(np.max(np.abs(middle))) or 1.0
    off = [float(np.max(np.abs(v - middle))) / scale for v in values]
    wrong = [
        c.peer.label for c, by in zip(rivals, off, strict=True) if not by <= TOLERANCE
    ]  # NaN is wrong, too
    if wrong:
        found = ", ".join(
            f"{c.peer.label} {v.item():.6g}" if v.size == 1 else f"{c.peer.label} off by {by:.1g}"
            for c, v, by in zip(rivals, values, off, strict=True)
        )
        raise UnequalWork(
            f"{asked} is timed on equal work only; {what} of step {number} differs in "
            f"{' and '.join(wrong)}: {found}. Mend that step, or leave its peer out with --peers."
        )


# ── time ─────────────────────────────────────────────────────────────────────────────────────────


def time_in_turn(contenders: Sequence[Contender], seconds: float) -> dict[str, np.ndarray]:
    """Seconds of each contender in each round: A B C A B C …, after a round to warm up.

    A training loop finds its own code and data in the caches. So that nobody pays for what the
    others left there, a turn is a short loop: one step that does not count if steps are short,
    then as many as take about `TURN`.
    """
    warm = {c.name: _mean_time(c, 1) for c in contenders}
    before = {name: int(taken < SHORT) for name, taken in warm.items()}
    steps = {name: max(1, round(TURN / taken)) for name, taken in warm.items()}
    turns = [warm[c.name] * (before[c.name] + steps[c.name]) for c in contenders]
    rounds = int(np.clip(seconds / sum(turns), FEWEST, MOST))
    times: dict[str, list[float]] = {c.name: [] for c in contenders}
    with _no_collector():
        for _ in range(rounds):
            for c in contenders:
                for _ in range(before[c.name]):
                    c.peer.wait(c.step())
                times[c.name].append(_mean_time(c, steps[c.name]))
            gc.collect()
    return {name: np.array(taken) for name, taken in times.items()}


def _mean_time(c: Contender, steps: int) -> float:
    start = perf_counter()
    for _ in range(steps):
        c.peer.wait(c.step())
    return (perf_counter() - start) / steps


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector from running, and from looking at what there was before."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


# ── memory ───────────────────────────────────────────────────────────────────────────────────────


def _peak(c: Contender, problem: Problem) -> int | None:
    """Bytes held at the worst moment of a third step: all that the steps made, weights left out.

    NumPy reports its arrays to tracemalloc; of other libraries' memory nothing is known.
    """
    if not c.peer.traced or c.peer.backend != "numpy":
        return None
    step: Step = getattr(c.peer, c.family)(problem)
    c.step()  # Python keeps small objects for reuse: those are there already in a loop
    tracemalloc.start()
    try:
        step()
        step()
        tracemalloc.reset_peak()
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
