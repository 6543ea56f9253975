"""The lessons on disk: where they are, what each is called, and a released copy to work in.

Nothing but the standard library is needed here, so lessons can be listed without the extras.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from minigrad.course import CourseError
from minigrad.course.release import fingerprint, release

PACKAGE = Path(__file__).parents[1]
FOLDERS = (PACKAGE / "lessons", PACKAGE.parent / "lessons")  # a wheel's, a clone's
NAME = re.compile(r"(\d+)_.+\.ipynb")


@dataclass(frozen=True)
class Lesson:
    """One notebook and what its first markdown cell says of it (both in Markdown)."""

    number: str
    path: Path
    title: str
    question: str

    @property
    def page(self) -> str:
        """The file name of its page in the site."""
        return f"{self.path.stem}.html"

    @property
    def name(self) -> str:
        """The title without its leading number."""
        return re.sub(rf"^{self.number}\s*[·.:–—-]?\s*", "", self.title)


def find_lessons(folder: Path | None = None) -> list[Lesson]:
    """Find the lessons in ``folder`` (default: those of this minigrad), by number."""
    folders = FOLDERS if folder is None else (folder,)
    paths = next((found for at in folders if (found := sorted(at.glob("[0-9]*_*.ipynb")))), [])
    return [_read(path, match[1]) for path in paths if (match := NAME.fullmatch(path.name))]


def choose(lessons: list[Lesson], asked: list[str]) -> list[Lesson]:
    """Return the lessons whose numbers were ``asked`` for (``7`` is ``07``), or all of them."""
    if not lessons:
        looked = " and ".join(str(folder) for folder in FOLDERS)
        raise CourseError(
            f"The lessons were asked for; found none in {looked}. "
            "Install minigrad again, or run this from a clone of its repository."
        )
    known = {lesson.number.lstrip("0"): lesson for lesson in lessons}
    unknown = [number for number in asked if number.lstrip("0") not in known]
    if unknown:
        numbers = ", ".join(lesson.number for lesson in lessons)
        raise CourseError(
            f"Lesson {', '.join(unknown)} was asked for; found lessons {numbers}. "
            "Name one of these; `minigrad lessons` shows their titles."
        )
    wanted = {number.lstrip("0") for number in asked} or known.keys()
    return [lesson for number, lesson in known.items() if number in wanted]


@dataclass(frozen=True)
class Copy:
    """Where a learner works, and where this version of the lesson is: two files if it changed."""

    path: Path
    current: Path
    made: bool


def copy_lesson(lesson: Lesson, folder: Path, *, solutions: bool = False) -> Copy:
    """Copy a lesson, released, and what stands beside it into ``folder``; nothing there changes.

    Where the learner's copy is of another version of the lesson, this version goes beside it, as
    ``.new.ipynb``. With ``solutions`` the whole lesson is copied, as ``.solutions.ipynb``.
    """
    copy_data(lesson.path.parent, folder)
    notebook = json.loads(lesson.path.read_text(encoding="utf-8"))
    if not solutions:
        notebook = release(notebook)
    wanted = {"lesson": lesson.path.stem, "version": fingerprint(notebook)}
    notebook["metadata"]["minigrad"] = wanted
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    name = lesson.path.stem + (".solutions" if solutions else "")
    path = folder / f"{name}.ipynb"
    for place in _places(path):
        made = _create(place, text.encode())
        if made or copied_from(place) == wanted:
            break
    return Copy(path, place, made)


def copied_from(path: Path) -> dict[str, str]:
    """Return the lesson and the version that a notebook is a copy of, or nothing if none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["metadata"]["minigrad"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}


def _places(path: Path) -> Iterator[Path]:
    """Yield ``path``, then the names for newer versions beside it."""
    yield path
    yield path.with_suffix(".new.ipynb")
    yield from (path.with_suffix(f".new{n}.ipynb") for n in count(2))


def copy_data(source: Path, folder: Path) -> None:
    """Copy what stands beside the lessons (data, pictures), but no notebook, into ``folder``."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise CourseError(
            f"A working folder {folder} was asked for; found a file there. Choose another --to."
        ) from error
    for path in source.rglob("*"):
        place = path.relative_to(source)
        private = any(part.startswith((".", "__")) for part in place.parts)
        if path.is_file() and path.suffix != ".ipynb" and not private:
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            _create(folder / place, path.read_bytes())


def _create(target: Path, content: bytes) -> bool:
    """Write a new file, or leave what is there; "x" leaves no moment between look and write."""
    try:
        with target.open("xb") as new:
            new.write(content)
    except FileExistsError:
        return False
    return True


def _read(path: Path, number: str) -> Lesson:
    try:
        notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        cells = notebook["cells"]
    except (ValueError, KeyError, TypeError) as error:
        raise CourseError(
            f"Lesson {number} was to be read; {path} is no notebook ({error}). "
            "Restore the file from the repository."
        ) from error
    for cell in cells:
        if cell["cell_type"] == "markdown":
            heading, question = opening("".join(cell["source"]))
            if heading:
                return Lesson(number, path, heading, question)
    return Lesson(number, path, path.stem, "")


def opening(source: str) -> tuple[str, str]:
    """Return the first ``# `` heading of a cell and the first sentence of the next paragraph."""
    match = re.search(r"^# +(.+?)\s*$\n*([^#].*?)?(?:\n\s*\n|\Z)", source, re.MULTILINE | re.DOTALL)
    if match is None:
        return "", ""
    paragraph = " ".join((match[2] or "").split())
    # A sentence ends where the next begins with a capital: not in "eq. 1.8", nor in "e.g. this".
    return match[1], re.split(r"(?<=[.?!])\**\s+(?=[*_\"“]*[A-Z$])", paragraph, maxsplit=1)[0]


def plain(markdown: str) -> str:
    """Markdown for a terminal: the words without the marks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown)
    return re.sub(r"[*`$]|(?<!\w)_|_(?!\w)", "", text)
