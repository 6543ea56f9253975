"""The released form of a lesson: exercises to be solved, and no hidden test in sight.

A lesson is one notebook. Its solutions stand between ``### BEGIN SOLUTION`` and ``### END
SOLUTION``, its hidden tests between ``### BEGIN HIDDEN TESTS`` and ``### END HIDDEN TESTS``, and
cells carry nbgrader's metadata. nbgrader releases it to the same cells; this needs nothing but the
standard library, so a learner need not install nbgrader.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from typing import Any

from minigrad.course import CourseError

# What stands where an answer is to be written: nbgrader's own words.
STUBS = {
    "code": ("# YOUR CODE HERE", "raise NotImplementedError()"),
    "markdown": ("YOUR ANSWER HERE",),
    "raw": (),
}


def release(notebook: Any) -> Any:
    """Return a copy of a notebook without its solutions, hidden tests and exercises' outputs.

    Raises
    ------
    CourseError
        If a region that begins does not end: what stands in it might be shown.
    """
    released = copy.deepcopy(notebook)
    for cell in released["cells"]:
        marks = cell["metadata"].get("nbgrader", {})
        if marks:
            cell["metadata"]["deletable"] = False
        if marks.get("locked"):
            cell["metadata"]["editable"] = False
        stub = STUBS[cell["cell_type"]]
        lines, answered = _replace(source(cell).split("\n"), "SOLUTION", stub)
        lines, _ = _replace(lines, "HIDDEN TESTS", ())
        if marks.get("solution") and not answered:
            lines = list(stub)
        cell["source"] = "\n".join(lines)
        if marks and cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return released


def fingerprint(notebook: Any) -> str:
    """Return a few letters that change with what the cells say; outputs do not count."""
    cells = [(cell["cell_type"], source(cell)) for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:12]


def source(cell: Any) -> str:
    """Return a cell's text, which a file may hold as a list of lines."""
    return "".join(cell["source"])


def tests(notebook: Any) -> dict[str, Any]:
    """Return the cells that are graded by running them, under the names they are graded by."""
    marks = [(cell, cell["metadata"].get("nbgrader", {})) for cell in notebook["cells"]]
    return {mark["grade_id"]: cell for cell, mark in marks if mark.get("grade")}


def _replace(lines: list[str], mark: str, stub: tuple[str, ...]) -> tuple[list[str], bool]:
    """Put ``stub``, indented as the region was, in place of each region; say if there was any."""
    kept: list[str] = []
    begun = found = False
    for line in lines:
        if f"BEGIN {mark}" in line:
            if begun:
                break
            begun = found = True
            indent = re.match(r"\s*", line)[0]  # type: ignore[index]
            kept += [indent + part for part in stub]
        elif f"END {mark}" in line:
            begun = False
        elif not begun:
            kept.append(line)
    if begun:
        raise CourseError(
            f"A lesson was to be released; found BEGIN {mark} without its END {mark} below "
            f"{lines[0]!r}. Close the region."
        )
    return kept, found
