"""What a release must not show, and nbgrader's whole way from a lesson to points."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from minigrad.course.notebooks import copy_data, find_lessons
from minigrad.course.release import source

ROOT = Path(__file__).parents[1]
LESSONS = find_lessons(ROOT / "lessons")
REGION = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n(.*?)### END \1", re.DOTALL)


def secrets(notebook: Any) -> set[str]:
    """Find the lines that stand in solutions and hidden tests, and nowhere else."""
    code = "\n".join(source(cell) for cell in notebook["cells"])
    hidden = "\n".join(match[2] for match in REGION.finditer(code))
    return lines_of(hidden) - lines_of(REGION.sub("", code))


def lines_of(content: Any) -> set[str]:
    """Find every line of every text in a notebook, or a part of one."""
    if isinstance(content, str):
        return {line.strip() for line in content.splitlines()}
    parts = content.values() if isinstance(content, dict) else content
    return set().union(*(lines_of(part) for part in parts if isinstance(part, str | dict | list)))


@dataclass(frozen=True)
class Graded:
    """A submission as nbgrader ran it, with its points and the points there were."""

    notebook: Path
    points: float
    worth: float


def grade(
    lesson: Path, course: Path, submissions: dict[str, Path | None]
) -> tuple[Path, dict[str, Graded]]:
    """Release a lesson in the folder ``course``, then grade each submission (None: the release).

    It is for a process of its own, where nbgrader's warnings and database are its own. Returns the
    released notebook and the grades.
    """
    scripts = sysconfig.get_path("scripts")  # nbgrader calls alembic by its name
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ["PATH"]])
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of this Python
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # lessons run side by side

    from nbgrader.apps import NbGraderAPI  # noqa: PLC0415 - in the worker alone
    from traitlets.config import Config  # noqa: PLC0415

    name = lesson.stem
    config = Config()
    config.CourseDirectory.root = str(course)
    config.CourseDirectory.course_id = "course"
    config.Execute.timeout = 600
    nbgrader = NbGraderAPI(config=config)

    copy_data(lesson.parent, course / "source" / name)
    shutil.copy(lesson, course / "source" / name)
    made = nbgrader.generate_assignment(name, create=True)
    assert made["success"], made["log"]
    released = course / "release" / name / lesson.name
    grades = {}
    for who, work in submissions.items():
        place = course / "submitted" / who / name
        shutil.copytree(released.parent, place)
        shutil.copy(work or released, place / lesson.name)
        done = nbgrader.autograde(name, who)
        assert done["success"], done["log"]
        with nbgrader.gradebook as book:
            found = book.find_submission(name, who)
            ran = course / "autograded" / who / name / lesson.name
            grades[who] = Graded(ran, found.score, found.max_score)
    return released, grades
