"""`minigrad bench`: its options, and the run."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from minigrad.bench import BenchError
from minigrad.course.doctor import THREADS

LIMITS = (*THREADS, "NPROC")  # the last is what JAX asks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("workloads", nargs="*", metavar="WORKLOAD", help="which (default: all)")
    parser.add_argument("--list", action="store_true", help="list the workloads and their sizes")
    parser.add_argument(
        "--peers",
        metavar="A,B",
        help="contenders besides NumPy by hand and minigrad: torch, jax, autograd, mygrad "
        "(default: those that are installed; --peers= for none)",
    )
    parser.add_argument("--quick", action="store_true", help="little time, no largest sizes")
    parser.add_argument("--seconds", type=float, metavar="S", help="time for a size (default: 2)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="(default: 1)")
    parser.add_argument(
        "--backend", default="numpy", choices=("numpy", "cupy"), help="where minigrad computes"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw ratios against sizes")
    parser.add_argument(
        "--profile",
        action="store_true",
        help="instead of comparing: minigrad's calls, time and bytes per operation",
    )


def main(asked: argparse.Namespace, argv: Sequence[str]) -> int:
    """Run what was asked for; in a process of its own if the threads must be limited first.

    BLAS reads its number of threads when NumPy is imported, which this process has done.
    """
    from minigrad.bench.workloads import choose, label  # noqa: PLC0415 - not for --help

    workloads = choose(asked.workloads)
    if asked.list:
        for w in workloads:
            print(f"{w.name}\n    {w.title}\n    {w.axes}: {', '.join(map(label, w.sizes))}")
        return 0
    _check(asked)
    if any(os.environ.get(name) != str(asked.threads) for name in LIMITS):
        return _again(asked.threads, argv)
    from minigrad.bench.run import run  # noqa: PLC0415

    return run(asked, workloads)


def _check(asked: argparse.Namespace) -> None:
    """Refuse before the minutes of work what would fail after them."""
    if asked.threads < 1:
        raise BenchError(
            f"--threads {asked.threads} was asked for; found no such number of threads. "
            "Give 1 or more."
        )
    if asked.seconds is not None and not 0 < asked.seconds < float("inf"):
        raise BenchError(
            f"--seconds {asked.seconds:g} was asked for; a size needs some time. Give more than 0."
        )
    if asked.profile and (asked.json or asked.plot):
        raise BenchError(
            "--profile was asked for with --json or --plot; it compares nothing that these could "
            "show. Leave them out, or run twice."
        )
    for option in ("json", "plot"):
        path = getattr(asked, option)
        if path is not None and not path.parent.is_dir():
            raise BenchError(
                f"--{option} {path} was asked for; there is no folder {path.parent}. Make it first."
            )
    if asked.plot and asked.plot.suffix not in (".png", ".svg", ".pdf"):
        raise BenchError(
            f"--plot {asked.plot} was asked for; found the ending {asked.plot.suffix!r}. "
            "Use .png, .svg or .pdf."
        )


def _again(threads: int, argv: Sequence[str]) -> int:
    """The same command in a new process whose libraries will find the limits set."""
    flags = os.environ.get("XLA_FLAGS", "")
    if threads == 1:
        flags += " --xla_cpu_multi_thread_eigen=false"
    limits = dict.fromkeys(LIMITS, str(threads))
    environment = {**os.environ, **limits, "XLA_FLAGS": flags.strip()}
    # Ctrl-C reaches both processes, and is the other one's to answer.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        command = [sys.executable, "-m", "minigrad.cli", *argv]
        return subprocess.run(command, check=False, env=environment).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)
