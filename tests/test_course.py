"""The course: lessons found, run, shown and opened; and the report of `minigrad doctor`."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minigrad import cli
from minigrad.course import doctor, notebooks

# The lessons have an extra of their own; the machine with the GPU tests without it.
nbformat = pytest.importorskip("nbformat", reason="needs minigrad[lessons]")
run = pytest.importorskip("minigrad.course.run", reason="needs minigrad[lessons]")
formulas = pytest.importorskip("minigrad.course.formulas", reason="needs minigrad[lessons]")

OPENING = r"""# 01 · What <script>alert(1)</script> does

What is $\hat z$, by *eq. 1.8*? A second sentence. See [the next](02_failing.ipynb#end).

$$\begin{pmatrix} \frac{\gamma_1}{\sigma_1} & 0 \\ 0 & 1 \end{pmatrix}$$

\begin{align} y &= Wx \\ &= \sum_{i=1}^{n} w_i x_i \end{align}
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><title>a graph</title></svg>'
PASSING = (
    "import sys; print(sys.executable)",
    f"from IPython.display import SVG, Latex; SVG('''{SVG}''')",
    "Latex(chr(36) + r'\\displaystyle \\frac{1}{2}' + chr(36))",
    "display({'text/html': '<iframe></iframe>', 'image/svg+xml': '<svg/>'}, raw=True)",
    "open('left_behind.txt', 'w', encoding='utf-8').close(); open('data/x.csv').read()",
)
FAILING = ("1 + 1", "\nseven = 7\nseven / 0", "print('never ' + 'reached')")


def write(path: Path, opening: str, *code: str) -> None:
    """Write a notebook of one markdown cell and some code cells."""
    cells = [nbformat.v4.new_markdown_cell(opening), *map(nbformat.v4.new_code_cell, code)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.fixture(scope="module")
def lessons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write three lessons, the second of which fails, and some data beside them."""
    folder = tmp_path_factory.mktemp("lessons")
    write(folder / "01_passing.ipynb", OPENING, *PASSING)
    write(folder / "02_failing.ipynb", "# 02 · It fails\n\nDoes it?", *FAILING)
    write(folder / "03_last.ipynb", "# 03 · It runs\n\nDoes it?", "print('still ' + 'ran')")
    (folder / "data").mkdir()
    (folder / "data" / "x.csv").write_text("1,2", encoding="utf-8")
    return folder


@pytest.fixture(autouse=True)
def _found(lessons: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebooks, "FOLDERS", (lessons,))


@pytest.fixture(scope="module")
def built(lessons: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Run the three lessons once: the exit code, the site and the folder's state before it."""
    site = tmp_path_factory.mktemp("out") / "site"
    before = {path: path.read_bytes() for path in lessons.rglob("*") if path.is_file()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(notebooks, "FOLDERS", (lessons,))
        code = cli.main(["lessons", "run", "--out", str(site)])
    return code, site, before


def page(built: Any, name: str) -> str:
    """Read a page of the built site."""
    return (built[1] / name).read_text(encoding="utf-8")


def test_pages_of_every_lesson_are_built(built: Any) -> None:
    """An index, a style sheet and a page a lesson exist, the failed lesson's too; exit code 1."""
    code, site, _ = built
    pages = {"index.html", "site.css", "01_passing.html", "02_failing.html", "03_last.html"}
    assert pages <= {path.name for path in site.iterdir()}
    assert code == cli.PROBLEM


def test_a_failing_cell_is_named_and_the_others_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The report names lesson, cell, its first lines and the error; the next lesson still runs."""
    assert cli.main(["lessons", "run", "2", "03", "--out", str(tmp_path)]) == cli.PROBLEM
    out, err = capsys.readouterr()
    assert "02_failing, cell 3 of 4: ZeroDivisionError: division by zero" in err
    assert "| seven = 7\n    | seven / 0" in err
    assert "1 of 2 lessons ran" in out
    assert str(tmp_path / "index.html") in out
    failed = (tmp_path / "02_failing.html").read_text(encoding="utf-8")
    assert "This lesson stopped" in failed
    assert "ZeroDivisionError" in failed
    assert "never reached" not in failed
    assert "still ran" in (tmp_path / "03_last.html").read_text(encoding="utf-8")


def test_the_kernel_is_this_python(built: Any) -> None:
    """A lesson runs on the interpreter that runs the command."""
    assert sys.executable in page(built, "01_passing.html")


def test_running_leaves_the_lessons_alone(built: Any, lessons: Path) -> None:
    """What a lesson writes, and its outputs, do not reach the folder of the lessons."""
    after = {path: path.read_bytes() for path in lessons.rglob("*") if path.is_file()}
    assert after == built[2]


def test_formulas_are_drawn(built: Any) -> None:
    """Markdown's and outputs' formulas are pictures labelled with their TeX; no dollar is left."""
    html = page(built, "01_passing.html")
    assert "$" not in html
    assert html.count('class="tex"') == 4
    assert r'aria-label="\hat z"' in html


def test_pages_ask_no_other_host(built: Any) -> None:
    """No page loads a script, and every src and href is data, a fragment or a local file."""
    for name in ("index.html", "01_passing.html", "02_failing.html"):
        html = page(built, name)
        assert "<script" not in html
        assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(""", html)
    assert not re.search(r"https?:|@import|url\(", page(built, "site.css"))


def test_a_player_is_shown_as_its_picture(built: Any) -> None:
    """Of an output with HTML and a picture a page shows the picture, which needs no script."""
    html = page(built, "01_passing.html")
    assert html.count("data:image/svg+xml;base64,") == 2
    assert "<iframe" not in html


def test_links_between_lessons_lead_to_their_pages(built: Any) -> None:
    """A link to a notebook becomes a link to its page, with its fragment."""
    assert 'href="02_failing.html#end"' in page(built, "01_passing.html")


def test_the_index_shows_title_question_and_picture(built: Any) -> None:
    """A card has the title, escaped, the first sentence after it and the first picture."""
    html = page(built, "index.html")
    assert "What &lt;script&gt;alert(1)&lt;/script&gt; does" in html
    assert "<em>eq. 1.8</em>?" in html
    assert "A second sentence" not in html
    assert 'alt="a graph" src="data:image/svg+xml;base64,' in html


def test_an_undrawable_formula_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A formula that cannot be drawn fails the run, which names the lesson and the formula."""
    write(tmp_path / "01_odd.ipynb", "# 01 · Odd\n\nHow $\\oddity{x}$?")
    monkeypatch.setattr(notebooks, "FOLDERS", (tmp_path,))
    assert cli.main(["lessons", "run", "--out", str(tmp_path / "site")]) == cli.PROBLEM
    assert r"01_odd.ipynb: the formula \oddity{x} cannot be drawn" in capsys.readouterr().err


@pytest.mark.parametrize(
    "tex",
    [
        r"\foo",
        r"\frac{1}{2",
        "a & b",
        "x_1_2",
        r"\text{if $x$}",
        r"\text{😀}",
        r"\newcommand{\a}{b}",
    ],
)
def test_no_part_of_a_formula_is_dropped(tex: str) -> None:
    """What cannot be drawn as it is written is an error."""
    with pytest.raises(formulas.FormulaError):
        formulas.Formulas().svg(tex, display=True)


def test_a_foreign_folder_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that holds something else is refused before anything runs, and nothing is lost."""
    (tmp_path / "index.html").write_text("mine", encoding="utf-8")
    assert cli.main(["lessons", "run", "3", "--out", str(tmp_path)]) == cli.USAGE
    assert "--out" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == "mine"


def test_a_lesson_that_runs_too_long_is_stopped(lessons: Path, tmp_path: Path) -> None:
    """A lesson past its time is stopped and named, and the next one runs."""
    write(tmp_path / "01_slow.ipynb", "# 01 · Slow", "import time; time.sleep(60)")
    slow, *_ = notebooks.find_lessons(tmp_path)
    *_, last = notebooks.find_lessons(lessons)
    first, second = run.execute([slow, last], timeout=3)
    assert "cell 2 of 2: ran longer than the 3 s" in first.failure
    assert second.failure == ""


def test_open_never_overwrites(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Opening copies a lesson and its data once; what is there stays, and the command says so."""
    command = ["lessons", "open", "1", "--to", str(tmp_path), "--no-launch"]
    assert cli.main(command) == cli.FINE
    mine = tmp_path / "01_passing.ipynb"
    assert str(mine) in capsys.readouterr().out
    assert (tmp_path / "data" / "x.csv").exists()
    mine.write_text("my work", encoding="utf-8")
    assert cli.main(command) == cli.FINE
    assert "opened as it is" in capsys.readouterr().out
    assert mine.read_text(encoding="utf-8") == "my work"


def test_open_starts_jupyterlab_on_the_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JupyterLab of this Python is started on the copied notebook, and its exit code passed on."""
    pytest.importorskip("jupyterlab")
    started: list[list[str]] = []

    def start(command: list[str], *, check: bool) -> Any:
        started.append(command)
        return subprocess.CompletedProcess(command, 5 if not check else 0)

    monkeypatch.setattr(subprocess, "run", start)
    assert cli.main(["lessons", "open", "03", "--to", str(tmp_path)]) == 5
    assert started == [[sys.executable, "-m", "jupyterlab", str(tmp_path / "03_last.ipynb")]]


def test_rebuilding_removes_only_what_was_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page of a lesson that is gone goes too; a file that someone put beside it stays."""
    monkeypatch.setattr(notebooks, "FOLDERS", (tmp_path,))
    site = tmp_path / "site"
    write(tmp_path / "01_old.ipynb", "# 01 · Old")
    assert cli.main(["lessons", "run", "--out", str(site)]) == cli.FINE
    (site / "mine.txt").write_text("mine", encoding="utf-8")
    (tmp_path / "01_old.ipynb").rename(tmp_path / "01_new.ipynb")
    assert cli.main(["lessons", "run", "--out", str(site)]) == cli.FINE
    pages = {path.name for path in site.iterdir()} - {".minigrad-site"}
    assert pages == {"index.html", "gallery.html", "site.css", "01_new.html", "mine.txt"}


@pytest.mark.parametrize("command", [["run", "42"], ["open", "42"]])
def test_an_unknown_number_lists_the_known_ones(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown lesson is a usage error that names what was asked and what there is."""
    assert cli.main(["lessons", *command]) == cli.USAGE
    err = capsys.readouterr().err
    assert "Lesson 42 was asked for; found lessons 01, 02, 03." in err


def test_missing_extras_say_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without nbclient the lessons are listed, and running them says which extra is missing."""
    monkeypatch.delitem(sys.modules, "minigrad.course.run")
    monkeypatch.setitem(sys.modules, "nbclient", None)
    assert cli.main(["lessons"]) == cli.FINE
    assert cli.main(["lessons", "run", "--out", str(tmp_path / "site")]) == cli.PROBLEM
    assert 'pip install "minigrad[lessons]"' in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_lessons_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The list shows number, title and question as plain text; no command at all shows the help."""
    assert cli.main(["lessons"]) == cli.FINE
    listed = capsys.readouterr().out
    assert "02  It fails\n    Does it?" in listed
    assert r"What is \hat z, by eq. 1.8?" in listed
    assert cli.main([]) == cli.FINE
    assert "usage: minigrad" in capsys.readouterr().out


def test_doctor_reports_every_piece(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The report has its lines, and a broken piece becomes a line that says so."""

    def broken() -> doctor.Lines:
        raise OSError("it is broken")

    monkeypatch.setitem(doctor.PIECES, "drawing", broken)
    assert cli.main(["doctor"]) == cli.FINE
    report = capsys.readouterr().out
    for label in ("minigrad", "Python", "platform", "NumPy", "BLAS", "CuPy"):
        assert re.search(rf"^{label} +\S", report, re.MULTILINE), label
    assert re.search(r"^drawing +broken: OSError: it is broken$", report, re.MULTILINE)
