"""nbgrader's whole way from a lesson to points: generate the assignment, autograde what returns.

It runs in a process of its own, where the warnings of nbgrader and its database are its own.
"""

from __future__ import annotations

import os
import shutil
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from minigrad.course.notebooks import copy_data


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

    Returns the released notebook and the grades.
    """
    scripts, root = sysconfig.get_path("scripts"), Path(__file__).parents[1]
    os.environ["PATH"] = os.pathsep.join([scripts, os.environ["PATH"]])  # it calls alembic by name
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel of this Python
    os.environ["PYTHONPATH"] = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
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
