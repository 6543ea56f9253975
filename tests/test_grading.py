"""Exercises: released without their answers, graded by nbgrader and by `minigrad lessons check`."""

from __future__ import annotations

import importlib.util
import multiprocessing
import re
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import grading
import pytest
from grading import LESSONS, lines_of, secrets

from minigrad import cli
from minigrad.course import CourseError, notebooks
from minigrad.course.release import STUBS, fingerprint, release

# The lessons have an extra of their own; the machine with the GPU tests without it.
nbformat = pytest.importorskip("nbformat", reason="needs minigrad[lessons]")
check = pytest.importorskip("minigrad.course.check", reason="needs minigrad[lessons]").check
pytest.importorskip("minigrad.course.site", reason="needs minigrad[lessons]")
needs_nbgrader = pytest.mark.skipif(
    importlib.util.find_spec("nbgrader") is None, reason="needs minigrad[grade]"
)

every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
Grades = tuple[Path, dict[str, grading.Graded]]

STOPPED = "ran longer than the 4 s a lesson may take"
HALF = '''def half(x):
    """x / 2."""
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION'''
HALF_TEST = """try:
    found = half(4)
except NotImplementedError:
    raise AssertionError("half() is empty. What times two is x?") from None
assert found == 2, "Half of 4 is 2."
### BEGIN HIDDEN TESTS
assert half(3) == 1.5, "Halves need not be whole."
### END HIDDEN TESTS"""
ZERO = """def zero():
    ### BEGIN SOLUTION
    return 0
    ### END SOLUTION


ZERO_SEEN = zero"""
ZERO_TEST = """### BEGIN HIDDEN TESTS
assert zero() == 0, "Nothing is zero."
assert 10 / (zero() + secret_of_the_test) == 5
### END HIDDEN TESTS"""


def marked(kind: str, name: str, code: str, points: int = 0) -> Any:
    """Make a code cell with nbgrader's marks of a solution or of a test."""
    marks = {"grade_id": name, "schema_version": 3, "task": False, "cell_type": "code"}
    marks |= {"solution": kind == "solution", "grade": kind == "test", "locked": kind == "test"}
    marks |= {"points": points} if points else {}
    cell = nbformat.v4.new_code_cell(code, metadata={"nbgrader": marks})
    cell.id = name
    return cell


def write_toy(folder: Path, *, opening: str = "# 01 · Toys\n\nWhat is half?") -> Path:
    """Write a lesson with two exercises into ``folder``."""
    cells = [
        nbformat.v4.new_markdown_cell(opening, id="question"),
        nbformat.v4.new_code_cell("secret_of_the_test = 2", id="setup"),
        marked("solution", "half", HALF),
        marked("test", "half-test", HALF_TEST, 3),
        marked("solution", "zero", ZERO),
        marked("test", "zero-test", ZERO_TEST, 2),
    ]
    path = folder / "01_toys.ipynb"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def toys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a lesson with two exercises the only one of the course."""
    (tmp_path / "course").mkdir()
    monkeypatch.setattr(notebooks, "FOLDERS", (tmp_path / "course",))
    return write_toy(tmp_path / "course")


def opened(folder: Path, *options: str) -> Path:
    """Open lesson 01 in a folder."""
    command = ["lessons", "open", "1", "--to", str(folder), "--no-launch", *options]
    assert cli.main(command) == cli.FINE
    return folder / "01_toys.ipynb"


def answer(path: Path, **answers: str | None) -> None:
    """Write new code into the cells with these ids (dashes as underscores); None takes one out."""
    notebook = nbformat.read(path, as_version=4)
    for name, code in answers.items():
        [cell] = [c for c in notebook.cells if c.id == name.replace("_", "-")]
        if code is None:
            notebook.cells.remove(cell)
        else:
            cell.source = code
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def graded(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[Grades]]]:
    """Let nbgrader release and grade the lessons that are to be tested, two side by side."""
    wanted = {
        item.callspec.params["lesson"].path
        for item in request.session.items
        if "graded" in getattr(item, "fixturenames", ()) and hasattr(item, "callspec")
    }
    spawned = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawned, max_tasks_per_child=1) as pool:
        yield {
            path.stem: pool.submit(
                grading.grade,
                path,
                tmp_path_factory.mktemp("course"),
                {"solved": path, "untouched": None},
            )
            for path in sorted(wanted, reverse=True)  # the longest is the last
        }


def errors(path: Path) -> dict[str, Any]:
    """What a notebook's cells raised, by the cell's id."""
    return {
        cell.id: output
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    }


@needs_nbgrader
@every_lesson
def test_solutions_earn_full_marks(lesson: Any, graded: Any) -> None:
    """nbgrader runs the lesson with its solutions: no error, nothing on stderr, all points."""
    _, grades = graded[lesson.path.stem].result()
    solved = grades["solved"]
    assert errors(solved.notebook) == {}
    outputs = [o for c in nbformat.read(solved.notebook, 4).cells for o in c.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert solved.points == solved.worth > 0


@needs_nbgrader
@every_lesson
def test_the_untouched_release_earns_nothing_but_advice(lesson: Any, graded: Any) -> None:
    """nbgrader runs the released lesson: only tests fail, each says what to try; no points."""
    released, grades = graded[lesson.path.stem].result()
    untouched = grades["untouched"]
    raised = errors(untouched.notebook)
    cells = nbformat.read(released, as_version=4).cells
    assert raised.keys() == {c.id for c in cells if c.metadata.get("nbgrader", {}).get("grade")}
    for name, error in raised.items():
        assert error.ename == "AssertionError", name
        assert len(error.evalue.split()) > 5, f"{name} says too little: {error.evalue!r}"
    assert (untouched.points, untouched.worth) == (0, grades["solved"].worth)


@needs_nbgrader
@every_lesson
def test_our_release_is_nbgraders(lesson: Any, graded: Any) -> None:
    """`release` makes the cells that nbgrader makes, locked where it locks them."""
    released, _ = graded[lesson.path.stem].result()
    ours = release(nbformat.read(lesson.path, as_version=4))
    for mine, theirs in zip(ours.cells, nbformat.read(released, as_version=4).cells, strict=True):
        assert (mine.id, mine.cell_type, mine.source) == (
            theirs.id,
            theirs.cell_type,
            theirs.source,
        )
        for lock in ("deletable", "editable"):
            assert mine.metadata.get(lock) == theirs.metadata.get(lock), mine.id


@every_lesson
def test_a_release_holds_no_secret(lesson: Any) -> None:
    """No mark, no line of a solution or hidden test is left, in any cell or output."""
    notebook = nbformat.read(lesson.path, as_version=4)
    released = release(notebook)
    hidden = secrets(notebook)
    assert len(hidden) > 5
    assert hidden & lines_of(released) == set()
    left = [line for line in lines_of(released) if re.search("(BEGIN|END) (SOL|HID)", line)]
    assert left == []
    stubs = [cell for cell in released.cells if "raise NotImplementedError()" in cell.source]
    marks = [cell.metadata.get("nbgrader", {}) for cell in released.cells]
    assert len(stubs) == sum(mark.get("solution", False) for mark in marks) >= 2
    for cell, mark in zip(released.cells, marks, strict=True):
        assert not mark or not cell.get("outputs"), cell.id


def test_an_open_region_is_refused() -> None:
    """A region without an end, or within another, is an error: nothing of it may be shown."""
    for code in ("### BEGIN SOLUTION\n42", "### BEGIN HIDDEN TESTS\n### BEGIN HIDDEN TESTS\n"):
        notebook = {"cells": [{"cell_type": "code", "source": [code], "metadata": {}}]}
        with pytest.raises(CourseError, match="Close the region"):
            release(notebook)


def test_a_solution_without_marks_is_replaced_whole() -> None:
    """A solution that has no region becomes the stub of its kind of cell."""
    for kind, stub in STUBS.items():
        cell = {"cell_type": kind, "source": "42", "metadata": {"nbgrader": {"solution": True}}}
        assert release({"cells": [cell]})["cells"][0]["source"] == "\n".join(stub)
        assert cell["source"] == "42"


def test_open_gives_the_release(
    toys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learner gets stubs and no hidden test; --solutions gets the whole lesson, beside it."""
    with monkeypatch.context() as bare:
        for extra in ("nbgrader", "nbformat"):  # neither is needed
            bare.setitem(sys.modules, extra, None)
        path = opened(tmp_path / "mine")
        text = path.read_text(encoding="utf-8")
        opened(tmp_path / "mine", "--solutions")
    assert "raise NotImplementedError()" in text
    assert "x / 2\n" not in text
    assert "Halves need not" not in text
    whole = nbformat.read(path.with_suffix(".solutions.ipynb"), as_version=4)
    assert [c.source for c in whole.cells] == [c.source for c in nbformat.read(toys, 4).cells]
    assert path.read_text(encoding="utf-8") == text


def test_a_newer_version_goes_beside_the_learners(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Work stays as it is; a changed lesson becomes .new, .new2, ..., once each, and is told of."""
    mine = opened(tmp_path / "mine")
    answer(mine, half="def half(x):\n    return x * 0.5")
    work = mine.read_bytes()
    assert opened(tmp_path / "mine").with_suffix(".new.ipynb").exists() is False
    for opening, name in (("# 01 · Tools", ".new.ipynb"), ("# 01 · Trains", ".new2.ipynb")):
        write_toy(toys.parent, opening=opening)
        for _ in range(2):  # the second time it is there already
            capsys.readouterr()
            opened(tmp_path / "mine")
            out = capsys.readouterr().out
            assert f"{mine} was there and is opened as it is" in out
            assert f"beside it: {mine.with_suffix(name)}" in out
        assert opening in mine.with_suffix(name).read_text(encoding="utf-8")
    assert mine.read_bytes() == work
    assert len(list(mine.parent.iterdir())) == 3


def test_outputs_make_no_new_version(toys: Path) -> None:
    """A lesson that was only run again is the same version."""
    notebook = nbformat.read(toys, as_version=4)
    before = fingerprint(notebook)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="2")]
    assert fingerprint(notebook) == before
    notebook.cells[1].source += " "
    assert fingerprint(notebook) != before


def checked(path: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Check a notebook: the exit code, and what was printed."""
    capsys.readouterr()
    code = cli.main(["lessons", "check", str(path)])
    return code, capsys.readouterr().out


@needs_nbgrader
def test_check_agrees_with_nbgrader(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Untouched, half-right, noisy and solved copies get the same points here and from nbgrader."""
    solved = {"half": "def half(x):\n    return x / 2", "zero": "def zero():\n    return 0"}
    noisy = "import warnings\n\n\ndef zero():\n    warnings.warn('oh')\n    return 0"
    answers = {
        "untouched": {},
        "whole": solved | {"half": "def half(x):\n    return x // 2"},
        "noisy": solved | {"zero": noisy},
        "solved": solved,
    }
    copies: dict[str, Path | None] = {}
    for name, given in answers.items():
        copies[name] = opened(tmp_path / name)
        answer(copies[name], **given)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        _, grades = pool.submit(grading.grade, toys, tmp_path / "nbgrader", copies).result()
    points = {name: grade.points for name, grade in grades.items()}
    assert points == {"untouched": 0, "whole": 2, "noisy": 3, "solved": 5}
    for name, path in copies.items():
        code, out = checked(path, capsys)
        assert out.splitlines()[-1] == f"{points[name]:g} of 5 points."
        assert code == (cli.FINE if name == "solved" else cli.PROBLEM)


def test_check_shows_messages_and_no_hidden_code(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each exercise has a line with its points, and its test's message, but no line of the test."""
    path = opened(tmp_path / "mine")
    answer(path, half="def half(x):\n    return x // 2", zero="def zero():\n    return -2")
    _, out = checked(path, capsys)
    assert "Exercise 1, half: 0 of 3 points\n    Halves need not be whole." in out
    assert "Exercise 2, zero: 0 of 2 points\n    Nothing is zero." in out
    answer(path, zero="class zero(int):\n    __add__ = lambda *_: 0\n    __eq__ = lambda *_: True")
    _, out = checked(path, capsys)
    assert "    ZeroDivisionError: division by zero\n" in out
    for line in secrets(nbformat.read(toys, as_version=4)):
        assert line not in out


def test_check_runs_tests_that_the_learner_changed_or_lost(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lesson's own tests count, whatever became of their copies; a bad cell is named."""
    path = opened(tmp_path / "mine")
    answer(path, half_test="pass", zero_test=None, setup="secret_of_the_test = 2\n1 / 0")
    _, out = checked(path, capsys)
    assert "Cell 2, `secret_of_the_test = 2`, raised ZeroDivisionError: division by zero" in out
    assert "half() is empty" in out
    assert "Exercise 2, zero: 0 of 2 points\n    NotImplementedError\n" in out


def test_check_ends_a_notebook_that_does_not(toys: Path, tmp_path: Path) -> None:
    """What runs for ever is stopped, earns nothing, and what it kept from running earns nothing."""
    path = opened(tmp_path / "mine")
    answer(
        path, half="def half(x):\n    while True:\n        pass", zero="def zero():\n    return 0"
    )
    report = check(path, timeout=4)
    assert [grade.points for grade in report.grades] == [0, 0]
    assert "ran longer than the 4 s" in report.grades[0].message
    assert report.grades[1].message == "The notebook did not come this far."
    assert report.remarks == [f"The notebook stopped: cell 4 of 6: {STOPPED}."]


def test_a_page_of_a_failed_lesson_tells_no_more(toys: Path, tmp_path: Path) -> None:
    """Where a solution fails its hidden test, the page says so without a line of either."""
    answer(toys, zero=ZERO.replace("return 0", "return 7"))
    out = tmp_path / "site"
    assert cli.main(["lessons", "run", "--out", str(out)]) == cli.PROBLEM
    html = (out / "01_toys.html").read_text(encoding="utf-8")
    assert "AssertionError: Nothing is zero." in html
    for line in ("return 7", "zero() == 0", "HIDDEN"):
        assert line not in unescape(re.sub(r"<[^>]+>", "", html))


def test_open_copies_what_the_lessons_link(tmp_path: Path) -> None:
    """The notation stands beside the learner's copy."""
    notebooks.copy_lesson(LESSONS[0], tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {LESSONS[0].path.name, "notation.md"}


@every_lesson
def test_the_readme_has_a_row_for_every_lesson(lesson: Any) -> None:
    """README names the lesson and links it."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    link = f"[{notebooks.plain(lesson.name)}](lessons/{lesson.path.name})"
    assert f"| {lesson.number} | {link} | " in readme


def test_check_needs_a_copy_of_a_lesson(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another file, a missing file and a broken one are refused with three-part messages."""
    other = tmp_path / "other.ipynb"
    other.write_text("{}", encoding="utf-8")
    broken = tmp_path / "01_broken.ipynb"
    broken.write_text("not a notebook", encoding="utf-8")
    for path, words in (
        (other, "found no lesson that it is a copy of. Open one with"),
        (broken, "it is no notebook"),
    ):
        assert cli.main(["lessons", "check", str(path)]) == cli.USAGE
        assert words in capsys.readouterr().err
    assert cli.main(["lessons", "check", str(tmp_path / "none.ipynb")]) == cli.PROBLEM
    assert "none.ipynb" in capsys.readouterr().err


def test_check_says_that_the_lesson_changed(
    toys: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy of an older version is graded by the new tests, and the report says so."""
    path = opened(tmp_path / "mine")
    assert "another version" not in checked(path, capsys)[1]
    write_toy(toys.parent, opening="# 01 · Tools")
    assert "another version of the lesson" in checked(path, capsys)[1]
