"""The run: every workload at every size, with a progress bar, then the report."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from minigrad import backend as backends
from minigrad.bench import BenchError, report
from minigrad.bench.machine import describe
from minigrad.bench.measure import Result, measure
from minigrad.bench.peers import load
from minigrad.bench.profiling import profile
from minigrad.bench.workloads import Size, Workload, label
from minigrad.progress import bar

SECONDS, QUICK = 2.0, 0.3  # that the rounds of one size take
FEW = 2  # sizes of a workload that a quick run keeps all of


def run(asked: argparse.Namespace, workloads: Sequence[Workload]) -> int:
    """Measure and report; the exit code is 1 if some work was unequal."""
    try:
        backends.get(asked.backend)
    except RuntimeError as error:  # no GPU: the message has its three parts
        raise BenchError(str(error)) from error
    seconds = asked.seconds or (QUICK if asked.quick else SECONDS)
    pairs = [(w, size) for w in workloads for size in _sizes(w, asked.quick)]
    machine = describe(asked.threads, asked.backend)
    if asked.profile:
        return _profile(pairs, seconds / 4, asked.backend)

    names = None if asked.peers is None else [n for n in asked.peers.split(",") if n]
    peers, missing = load(names, asked.backend, asked.threads)
    results: list[Result] = []
    with _Bar(len(pairs)) as progress:
        for workload, size in pairs:
            progress.at(workload, size)
            results.append(measure(workload, size, peers, seconds))
    print(report.text(results, machine, missing))
    if asked.json:
        report.write_json(asked.json, results, machine, missing)
    if asked.plot:
        report.write_plot(asked.plot, results)
    unequal = [r for r in results if r.unequal]
    for r in unequal:
        print(f"minigrad: {r.unequal}", file=sys.stderr)
    return 1 if unequal else 0


def _sizes(workload: Workload, quick: bool) -> Sequence[Size]:
    return workload.sizes[:FEW] if quick else workload.sizes


def _profile(pairs: Sequence[tuple[Workload, Size]], seconds: float, backend: str) -> int:
    peers, _ = load([], backend)
    tables = []
    with _Bar(len(pairs)) as progress:
        for workload, size in pairs:
            progress.at(workload, size)
            found = profile(workload, size, peers["minigrad"], seconds)
            tables.append(report.profile_text(workload, size, found))
    print("\n\n".join(tables))
    return 0


class _Bar:
    """A progress bar, one step a size, that says what is being measured."""

    def __init__(self, total: int) -> None:
        self._bar = bar(total, "bench", unit="size")
        self._begun = False

    def at(self, workload: Workload, size: Size) -> None:
        """The one before is done; this one begins."""
        if self._begun:
            self._bar.update(1)
        self._begun = True
        self._bar.set_description(f"{workload.name} {label(size)}")

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._begun and error[0] is None:
            self._bar.update(1)
        self._bar.close()
