"""Build the course's site: plain pages that need no network, no script and no server."""

from __future__ import annotations

import base64
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup, escape
from nbconvert.filters.ansi import ansi2html
from nbconvert.filters.highlight import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

from minigrad.course import CourseError, version
from minigrad.course.formulas import FormulaError, Formulas
from minigrad.course.notebooks import opening, plain
from minigrad.course.release import release
from minigrad.course.run import Run
from minigrad.drawing import gallery

COURSE = "Backprop, factor by factor"
MARKER = ".minigrad-site"  # lists the files this module wrote into a folder
PICTURES = ("image/svg+xml", "image/png", "image/jpeg")


def claim(out: Path) -> None:
    """Make ``out`` a folder for the site, or refuse if it holds anything this did not write."""
    marker = out / MARKER
    if out.exists() and not marker.is_file() and (not out.is_dir() or any(out.iterdir())):
        raise CourseError(
            f"The site was to be built in {out}; found something else there, and left it as it "
            "is. Give an empty or a new folder with --out."
        )
    out.mkdir(parents=True, exist_ok=True)
    marker.touch()


def build(runs: list[Run], out: Path) -> list[str]:
    """Write the index and a page for every run into ``out``, and answer what could not be shown.

    A page shows the released lesson: no solution and no hidden test. Markdown beside the lessons
    gets a page as well. Each file is complete at the moment it appears; pages of lessons that are
    gone are removed.
    """
    claim(out)
    environment = Environment(
        loader=PackageLoader("minigrad.course"), autoescape=True, trim_blocks=True
    )
    environment.globals |= {"course": COURSE, "version": version()}
    environment.filters["plain"] = plain
    written = {"site.css": _style()}
    problems: list[str] = []

    index = _Page(out, "")
    cards = [_Card(run, index) for run in runs]
    folders = {run.lesson.path.parent for run in runs}
    notes = [_Note(path) for folder in folders for path in sorted(folder.glob("*.md"))]
    template = environment.get_template("index.html")
    written["index.html"] = template.render(cards=cards, notes=notes, glyphs=index.glyphs)

    written["gallery.html"] = environment.get_template("gallery.html").render(
        examples=gallery.examples(), setup=gallery.SETUP, highlight=index.highlight
    )

    template = environment.get_template("lesson.html")

    def show(page: _Page, cells: list[Markup], **more: Any) -> str:
        heading = page.phrase(page.title)
        problems.extend(page.problems)
        return template.render(  # with the glyphs of all that has been drawn by now
            title=plain(page.title), heading=heading, cells=cells, glyphs=page.glyphs, **more
        )

    for i, run in enumerate(runs):
        page = _Page(run.lesson.path, run.lesson.title)
        written[run.lesson.page] = show(
            page,
            [page.cell(cell) for cell in release(run.notebook).cells],
            failure=run.failure.partition("\n")[0],  # the code below it may be a solution's
            previous=runs[i - 1].lesson if i else None,
            next=runs[i + 1].lesson if i + 1 < len(runs) else None,
        )
    for note in notes:
        page = _Page(note.path, note.title)
        written[note.page] = show(page, [page.body(note.source)])
    marker = out / MARKER
    before = set(marker.read_text(encoding="utf-8").split("\n"))
    _write(marker, "\n".join(sorted(before | written.keys())))
    for name, text in written.items():
        _write(out / name, text)
    for name in before - written.keys() - {""}:
        (out / Path(name).name).unlink(missing_ok=True)
    _write(marker, "\n".join(sorted(written)))
    return problems


def _write(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=".", delete=False
    ) as draft:
        draft.write(text)
    Path(draft.name).chmod(0o644)  # a page is for reading; a temporary file is for its owner
    os.replace(draft.name, path)  # noqa: PTH105


def _style() -> str:
    """Return the style sheet, with the colours of code in light and in dark."""
    css = files("minigrad.course").joinpath("site.css").read_text(encoding="utf-8")
    light, dark = (
        "\n".join(HtmlFormatter(style=style, nobackground=True).get_token_style_defs(".highlight"))
        for style in ("xcode", "github-dark")
    )
    return f"{css}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


class _Note:
    """A page of Markdown that stands beside the lessons, and its title."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.page = f"{path.stem}.html"
        self.source = path.read_text(encoding="utf-8")
        self.title = opening(self.source)[0] or path.stem


class _Card:
    """A lesson on the index: its first picture, its title and its question."""

    def __init__(self, run: Run, page: _Page) -> None:
        self.lesson = run.lesson
        self.failure = run.failure
        self.title = page.phrase(run.lesson.name)
        self.question = page.phrase(run.lesson.question)
        outputs = [o for cell in run.notebook.cells for o in cell.get("outputs", [])]
        pictures = [page.picture(o) for o in outputs if o.get("data", {}).keys() & set(PICTURES)]
        self.thumbnail = pictures[0] if pictures else ""


@dataclass
class _Page:
    """Turns cells into HTML, and gathers what they share (glyphs) and what went wrong."""

    path: Path
    title: str
    problems: list[str] = field(default_factory=list)
    formulas: Formulas = field(default_factory=Formulas)
    highlight: Callable[[str], str] = field(
        default_factory=lambda: Highlight2HTML(  # type: ignore[no-untyped-call]
            pygments_lexer="ipython3"
        )
    )

    @property
    def glyphs(self) -> Markup:
        return Markup("".join(self.formulas.glyphs.values()))  # noqa: S704

    def cell(self, cell: Any) -> Markup:
        if cell.cell_type == "markdown":
            return self.body(cell.source, cell.get("attachments"))
        if cell.cell_type != "code" or not cell.source.strip():
            return Markup()
        outputs = Markup("\n").join(self.output(output) for output in cell.outputs)
        code = Markup(self.highlight(cell.source))  # noqa: S704
        if cell.metadata.get("jupyter", {}).get("source_hidden"):
            code = Markup("<details><summary>code</summary>{}</details>").format(code)
        return code + outputs

    def body(self, source: str, attachments: Any = None) -> Markup:
        """Render Markdown without the page's title, which stands above, escaped as on the index."""
        title = rf"^# +{re.escape(self.title)}\s*$"
        return self.markdown(re.sub(title, "", source, count=1, flags=re.MULTILINE), attachments)

    def markdown(self, source: str, attachments: Any = None) -> Markup:
        """Render a lesson's own Markdown, whose HTML counts, as it does in Jupyter."""
        html = _Renderer(self, escape=False, attachments=attachments).html(source)
        return Markup(html)  # noqa: S704

    def phrase(self, source: str) -> Markup:
        """Render a line of Markdown without its paragraph; HTML in it is shown, not obeyed."""
        html = _Renderer(self, escape=True).html(source).strip()
        return Markup(html.removeprefix("<p>").removesuffix("</p>"))  # noqa: S704

    def output(self, output: Any) -> Markup:
        if output.output_type == "stream":
            text = re.sub(r"[^\n]*\r(?!\n)", "", output.text)  # lines that were overwritten
            return _terminal(output.name, text)
        if output.output_type == "error":
            return _terminal("error", "\n".join(output.traceback))
        for mime, show in self.shown.items():  # the best for a page first
            if mime in output.data:
                return show(output)
        return Markup()

    @property
    def shown(self) -> dict[str, Callable[[Any], Markup]]:
        html, figure = Markup('<div class="html">{}</div>'), Markup("<figure>{}</figure>")
        return {
            # Before HTML: what has a picture as well is a player, and pages run no script.
            **dict.fromkeys(PICTURES, lambda o: figure.format(self.picture(o))),
            "text/html": lambda o: html.format(Markup(o.data["text/html"])),  # noqa: S704
            "text/markdown": lambda o: self.markdown(o.data["text/markdown"]),
            "text/latex": lambda o: Markup(  # noqa: S704
                self.formula(o.data["text/latex"].strip("$ \n"), display=True)
            ),
            "text/plain": lambda o: _terminal("result", o.data["text/plain"]),
        }

    def picture(self, output: Any) -> Markup:
        """Put a picture inside the page, at the size its maker gave it."""
        mime = next(mime for mime in PICTURES if mime in output.data)
        content, notes = output.data[mime], output.metadata
        alt = notes.get("alt") or notes.get(mime, {}).get("alt")
        width = notes.get(mime, {}).get("width")
        if mime == "image/svg+xml":
            title = re.search(r"<title>([^<]+)</title>", content)
            alt = alt or (unescape(title[1]) if title else None)
            # As an image of its own: the names inside drawings collide when they share a page.
            content = base64.b64encode(content.encode()).decode()
        return Markup('<img class="{}" alt="{}"{} src="data:{};base64,{}">').format(
            "drawing" if mime == "image/svg+xml" else "plot",
            alt or "The picture that the code above draws",
            Markup(' width="{}"').format(width) if width else "",
            mime,
            "".join(content.split()),
        )

    def formula(self, tex: str, *, display: bool) -> str:
        try:
            drawn = self.formulas.svg(tex, display=display)
        except FormulaError as error:
            self.problem(f"the formula {tex.strip()} cannot be drawn: {error}")
            drawn = f'<code class="undrawn">{escape(tex.strip())}</code>'
        return f'<span class="formula">{drawn}</span>' if display else drawn

    def problem(self, text: str) -> None:
        self.problems.append(f"{self.path.name}: {text}")


class _Renderer(IPythonRenderer):
    """nbconvert's Markdown, with drawn formulas, embedded pictures and links between the pages."""

    def __init__(self, page: _Page, *, escape: bool, attachments: Any = None) -> None:
        super().__init__(
            escape=escape,
            embed_images=not escape,
            path=str(page.path.parent),
            attachments=attachments,
        )
        self.page = page

    def html(self, source: str) -> str:
        html = MarkdownWithMath(renderer=self).render(source)
        html = re.sub(r'(<a [^>]*href="[^":]+)\.(?:ipynb|md)(["#])', r"\1.html\2", html)
        # A formula stays on the line of the bracket before it and the comma behind it.
        glue = r'([(\[“]?<svg [^>]*class="tex".*?</svg>[\w\u2019-]*[,.;:!?)\]”]*)'
        return re.sub(rf"(?<!formula\">){glue}", r'<span class="inline">\1</span>', html)

    def block_math(self, body: str) -> str:
        return self.page.formula(body, display=True)

    def inline_math(self, body: str) -> str:
        return self.page.formula(body, display=False)

    def latex_environment(self, name: str, body: str) -> str:
        return self.page.formula(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)

    def heading(self, text: str, level: int, **_: Any) -> str:
        anchor = re.sub(r"\s+", "-", Markup(text).striptags())  # noqa: S704
        return f'<h{level} id="{escape(anchor)}">{text}</h{level}>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        if re.match(r"(https?:)?//", url):
            self.page.problem(f"the picture {url} is on another host; put it beside the lesson")
        return str(super().image(text, url, title))


def _terminal(kind: str, text: str) -> Markup:
    """Show a program's output in its colours; `ansi2html` escapes it."""
    html = ansi2html(text)  # type: ignore[no-untyped-call]
    return Markup(f'<pre class="{kind}">{html}</pre>')  # noqa: S704
