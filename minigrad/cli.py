"""The command `minigrad`: lessons, drawings, the benchmark, a report of what minigrad runs on."""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from textwrap import indent

from minigrad.bench.command import add_arguments
from minigrad.bench.command import main as benchmark
from minigrad.course import CourseError, version
from minigrad.course.notebooks import choose, copy_lesson, find_lessons, plain
from minigrad.drawing import command as drawing

FINE, PROBLEM, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and answer its exit code: 0 fine, 1 a problem, 2 a wrong request."""
    parser = _parser()
    asked = parser.parse_args(argv)
    asked.argv = sys.argv[1:] if argv is None else argv
    if asked.command is None:
        parser.print_help()
        return FINE
    try:
        return int(asked.command(asked))
    except CourseError as error:
        print(f"minigrad: {error}", file=sys.stderr)
        return USAGE
    except ImportError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", "minigrad"):  # a fault of ours, which its traceback explains
            raise
        print(
            f"minigrad: this needs the package {missing}; it is not installed for "
            f'{sys.executable}. Install the extras: pip install "minigrad[lessons]"',
            file=sys.stderr,
        )
        return PROBLEM
    except OSError as error:
        print(
            f"minigrad: a file was to be read or written; the system says: {error}. "
            "Check the path, its permissions and the space left.",
            file=sys.stderr,
        )
        return PROBLEM
    except KeyboardInterrupt:
        print("\nminigrad: stopped. The files that are there are whole.", file=sys.stderr)
        return INTERRUPTED


def _list(_: argparse.Namespace) -> int:
    for lesson in choose(find_lessons(), []):
        print(f"{lesson.number}  {plain(lesson.name)}\n    {plain(lesson.question)}")
    return FINE


def _run(asked: argparse.Namespace) -> int:
    lessons = find_lessons()
    chosen = choose(lessons, asked.numbers)
    from minigrad.course import site  # noqa: PLC0415 - needs the extras
    from minigrad.course.run import Run, execute, load  # noqa: PLC0415

    site.claim(asked.out)  # refuse before the minutes of work, not after them
    runs = {run.lesson: run for run in execute(chosen)}
    # A lesson that was not to run shows the outputs it is committed with.
    everything = [runs.get(lesson) or Run(lesson, load(lesson)) for lesson in lessons]
    problems = site.build(everything, asked.out)

    failed = [run for run in runs.values() if run.failure]
    for run in failed:
        print(f"FAILED  {run.lesson.path.stem}, {run.failure}", file=sys.stderr)
    for problem in problems:
        print(f"PAGE    {problem}", file=sys.stderr)
    print(f"{len(runs) - len(failed)} of {len(runs)} lessons ran from top to bottom.")
    print(f"The site: {asked.out / 'index.html'}")
    return PROBLEM if failed or problems else FINE


def _open(asked: argparse.Namespace) -> int:
    [lesson] = choose(find_lessons(), [asked.number])
    copy = copy_lesson(lesson, asked.to, solutions=asked.solutions)
    if copy.made and copy.path == copy.current:
        print(f"Copied to {copy.path}.")
    else:
        print(f"{copy.path} was there and is opened as it is.")
    if copy.path != copy.current:
        print(
            "It is not of this version of the lesson. This version lies beside it: "
            f"{copy.current}. Take your answers over when you like."
        )
    print(f"To grade your answers: minigrad lessons check {copy.path}")
    if not asked.launch:
        return FINE
    if find_spec("jupyterlab") is None:
        raise ModuleNotFoundError(name="jupyterlab")
    # Ctrl-C is JupyterLab's to answer: it asks, and then stops its kernels.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        command = [sys.executable, "-m", "jupyterlab", str(copy.path)]
        return subprocess.run(command, check=False).returncode  # noqa: S603
    finally:
        signal.signal(signal.SIGINT, before)


def _check(asked: argparse.Namespace) -> int:
    from minigrad.course.check import check  # noqa: PLC0415 - needs the extras

    report = check(asked.notebook)
    for remark in report.remarks:
        print(f"{remark}\n")
    for i, grade in enumerate(report.grades, 1):
        print(f"Exercise {i}, {grade.exercise}: {grade.points:g} of {grade.worth:g} points")
        if grade.message:
            print(indent(grade.message, "    "))
    points, worth = (sum(getattr(g, part) for g in report.grades) for part in ("points", "worth"))
    print(f"{points:g} of {worth:g} points.")
    return FINE if points == worth else PROBLEM


def _doctor(_: argparse.Namespace) -> int:
    from minigrad.course.doctor import report  # noqa: PLC0415 - asks what may be broken

    print(report())
    return FINE


def _draw(asked: argparse.Namespace) -> int:
    return drawing.main(asked)


def _bench(asked: argparse.Namespace) -> int:
    return benchmark(asked, asked.argv)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="minigrad", description=__doc__)
    parser.add_argument("--version", action="version", version=f"minigrad {version()}")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands")

    lessons = commands.add_parser("lessons", help="list, run, open or check the lessons")
    lessons.set_defaults(command=_list)
    actions = lessons.add_subparsers(title="without one of these, list the lessons")

    run = actions.add_parser("run", help="run lessons and build the course's site")
    run.add_argument("numbers", nargs="*", metavar="NN", help="lessons to run (default: all)")
    run.add_argument("--out", type=Path, default=Path("site"), help="the site (default: ./site)")
    run.set_defaults(command=_run)

    copy = actions.add_parser(
        "open",
        help="copy a lesson to work in and start JupyterLab on it",
        description="Copy a lesson, its exercises unsolved, and start JupyterLab on the copy. A "
        "copy that is there stays as it is; if the lesson has changed since, its new version goes "
        "beside it, as NN_….new.ipynb.",
    )
    copy.add_argument("number", metavar="NN", help="the lesson's number")
    copy.add_argument(
        "--to",
        type=Path,
        default=Path("minigrad-lessons"),
        help="the working folder (default: ./minigrad-lessons); files in it are never replaced",
    )
    copy.add_argument(
        "--no-launch", dest="launch", action="store_false", help="copy only, start nothing"
    )
    copy.add_argument(
        "--solutions",
        action="store_true",
        help="copy it with solutions and hidden tests, for teachers, as NN_….solutions.ipynb",
    )
    copy.set_defaults(command=_open)

    check = actions.add_parser(
        "check",
        help="grade the exercises of a copy, offline, with the lesson's hidden tests",
        description="Run a notebook from top to bottom, as it is saved, and show the points of "
        "each exercise, with the message of the test where they are not earned.",
    )
    check.add_argument("notebook", type=Path, help="a copy that `minigrad lessons open` made")
    check.set_defaults(command=_check)

    doctor = commands.add_parser("doctor", help="report what minigrad runs on, for a bug report")
    doctor.set_defaults(command=_doctor)

    draw = commands.add_parser("draw", help="run a script and draw a tensor that it computed")
    drawing.add_arguments(draw)
    draw.set_defaults(command=_draw)

    bench = commands.add_parser("bench", help="time minigrad beside NumPy by hand and others")
    add_arguments(bench)
    bench.set_defaults(command=_bench)
    return parser


if __name__ == "__main__":
    sys.exit(main())
