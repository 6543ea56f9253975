"""Grade a learner's copy of a lesson on this machine, with the hidden tests of the lesson.

The tests of the installed lesson stand in for those of the copy, the whole copy runs in a fresh
kernel, and a test earns its points by nbgrader's rule: all of them if it neither raises nor
writes on stderr, else none. What is shown of a test is its message, never its code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from minigrad.course import CourseError
from minigrad.course.notebooks import Lesson, choose, copied_from, find_lessons
from minigrad.course.release import fingerprint, release, source, tests
from minigrad.course.run import TIMEOUT, Run, attempt, load


@dataclass(frozen=True)
class Grade:
    """The points of one exercise, and what its test says where they are not earned."""

    exercise: str
    points: float
    worth: float
    message: str


@dataclass(frozen=True)
class Report:
    """The grades of a notebook, and what else there is to say of it."""

    grades: list[Grade]
    remarks: list[str]


def check(path: Path, timeout: float = TIMEOUT) -> Report:
    """Run the notebook at ``path`` in its own folder, for ``timeout`` seconds at most; grade it.

    Raises
    ------
    CourseError
        If it is no notebook, or no copy of a lesson.
    """
    stamp = copied_from(path)
    lesson = _lesson(path, stamp)
    original, notebook = load(lesson), _load(path, lesson)
    graded, own = tests(original), tests(notebook)
    places = {id(own[name]): cell for name, cell in graded.items() if name in own}
    notebook.cells = [places.get(id(cell), cell) for cell in notebook.cells]
    notebook.cells += [cell for name, cell in graded.items() if name not in own]
    run = Run(lesson, notebook)
    attempt(run, path.parent, timeout)

    remarks = []
    if stamp.get("version") not in (fingerprint(original), fingerprint(release(original))):
        remarks.append(
            "This is a copy of another version of the lesson, graded by the tests of this one. "
            f"`minigrad lessons open {lesson.number}` puts this version beside it."
        )
    if run.failure:
        remarks.append(f"The notebook stopped: {_first_line(run.failure)}.")
    else:
        remarks += _failures(notebook, graded)[:1]  # the others may follow from the first
    names = _exercises(original)
    return Report([_grade(cell, names[name]) for name, cell in graded.items()], remarks)


def _lesson(path: Path, stamp: dict[str, str]) -> Lesson:
    """Find the lesson that a notebook is a copy of, by its stamp or else by its name."""
    number = re.match(r"\d+", str(stamp.get("lesson", path.name)))
    if number is None:
        raise CourseError(
            f"{path} was to be checked; found no lesson that it is a copy of. Open one with "
            "`minigrad lessons open NN`, and check that copy."
        )
    [lesson] = choose(find_lessons(), [number[0]])
    return lesson


def _load(path: Path, lesson: Lesson) -> Any:
    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except OSError:
        raise
    except Exception as error:  # a broken file breaks the reader in many ways
        raise CourseError(
            f"{path} was to be checked; it is no notebook ({type(error).__name__}). Start anew "
            f"with `minigrad lessons open {lesson.number} --to` another folder."
        ) from error


def _exercises(notebook: Any) -> dict[str, str]:
    """Name each test after the functions and classes that are to be written for it."""
    names: dict[str, str] = {}
    asked: list[str] = []
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            asked += re.findall(r"^(?:def|class) (\w+)", source(cell), re.MULTILINE)
        if marks.get("grade"):
            names[marks["grade_id"]] = ", ".join(asked) or marks["grade_id"]
            asked = []
    return names


def _grade(cell: Any, exercise: str) -> Grade:
    worth = float(cell.metadata.nbgrader.points)
    message = _trouble(cell)
    return Grade(exercise, 0.0 if message else worth, worth, message)


def _trouble(cell: Any) -> str:
    """Say what kept a cell from passing, in its own words; nothing if it passed."""
    if cell.execution_count is None:
        return "The notebook did not come this far."
    for output in cell.outputs:
        if output.output_type == "error":
            if output.ename == "AssertionError" and output.evalue:
                return str(output.evalue)
            return f"{output.ename}: {output.evalue}".strip(": ")
        if output.get("name") == "stderr":
            # Below its first line a warning shows the line of code that it comes from.
            return f"It wrote on stderr: {_first_line(output.text)}"
    return ""


def _failures(notebook: Any, graded: dict[str, Any]) -> list[str]:
    """Name the cells that raised, but for the tests."""
    skipped = {id(cell) for cell in graded.values()}
    return [
        f"Cell {i}, `{_first_line(cell.source)}`, raised {output.ename}: {output.evalue}"
        for i, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "code" and id(cell) not in skipped
        for output in cell.outputs
        if output.output_type == "error"
    ]


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
