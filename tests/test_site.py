"""The course's site, built from the lessons as they are committed, in files and in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from browser import Browser
from grading import LESSONS, lines_of, secrets

nbformat = pytest.importorskip("nbformat", reason="needs minigrad[lessons]")
run = pytest.importorskip("minigrad.course.run", reason="needs minigrad[lessons]")
site = pytest.importorskip("minigrad.course.site", reason="needs minigrad[lessons]")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Build the site without running anything: where it is, and what could not be shown."""
    out = tmp_path_factory.mktemp("out") / "site"
    problems = site.build([run.Run(lesson, run.load(lesson)) for lesson in LESSONS], out)
    return out, problems


@pytest.fixture(scope="module")
def pages(built: Any) -> dict[str, str]:
    """Read the pages of the site, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in built[0].glob("*.html")}


@pytest.fixture(scope="module")
def window() -> Iterator[Browser]:
    """Open a browser for all the tests."""
    with Browser() as browser:
        yield browser


def test_everything_can_be_shown(built: Any) -> None:
    """Every formula of every lesson is drawn, and every picture is on this host."""
    assert built[1] == []


def test_every_page_is_there(pages: Any) -> None:
    """The index, the notation, the gallery of drawings and every lesson have a page."""
    names = {"index.html", "notation.html", "gallery.html", *(lesson.page for lesson in LESSONS)}
    assert pages.keys() == names


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.path.stem)
def test_no_page_holds_a_secret(lesson: Any, pages: Any) -> None:
    """A lesson's page shows its exercises with stubs, and no line of a solution or hidden test."""
    code = re.findall(r"<pre.*?</pre>", pages[lesson.page], re.DOTALL)
    text = unescape(re.sub(r"<[^>]+>", "", "\n".join(code)))
    assert text.count("# YOUR CODE HERE\n") >= 2
    assert secrets(run.load(lesson)) & lines_of(text) == set()


def test_links_lead_somewhere(pages: Any, built: Any) -> None:
    """Every link inside the site leads to a file that is there, and to a place in it."""
    for name, html in pages.items():
        for link in re.findall(r'<a [^>]*href="([^"]*)"', html):
            if re.match(r"\w+:", link):
                continue
            target, _, place = unquote(unescape(link)).partition("#")
            assert (built[0] / (target or name)).is_file(), f"{name}: {link}"
            assert not place or f'id="{place}"' in pages[target or name], f"{name}: {link}"


def test_every_lesson_leads_to_the_notation_and_its_neighbours(pages: Any) -> None:
    """A lesson links the notation, the one before and the one after; the index links them all."""
    names = [lesson.page for lesson in LESSONS]
    for before, name, after in zip([None, *names], names, [*names[1:], None], strict=False):
        html = pages[name]
        assert 'href="notation.html"' in html, f"{name} has no link to notation.md"
        for relation, neighbour in (("prev", before), ("next", after)):
            found = re.findall(rf'rel="{relation}" href="([^"]+)"', html)
            assert set(found) == ({neighbour} if neighbour else set())
    assert all(f'href="{name}"' in pages["index.html"] for name in [*names, "notation.html"])


def test_every_card_has_a_picture(pages: Any) -> None:
    """Each lesson stands on the index with a thumbnail from its own outputs."""
    cards = re.findall(r"<article.*?</article>", pages["index.html"], re.DOTALL)
    assert len(cards) == len(LESSONS)
    assert all('src="data:image/' in card for card in cards)


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1000])
def test_pages_in_a_browser(
    width: int, colours: str, built: Any, pages: Any, window: Browser
) -> None:
    """No page is wider than a phone or a desk, logs anything, or asks another host."""
    for name in pages:
        window.open(built[0] / name, width, 900, prefers_color_scheme=colours)
        assert window.js("document.documentElement.scrollWidth") <= width, name
        assert window.errors == [], name
        assert window.requests
        assert [url for url in window.requests if not url.startswith("file:")] == [], name
        ratio = window.js(CONTRAST.replace("SCHEME", colours))
        assert ratio >= 7, f"{name}, {colours}: ink on paper has contrast {ratio:.1f}"


# The contrast of text and paper (W3C, WCAG 2.2), negative if the paper has the wrong brightness.
CONTRAST = """(() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/\\d+/g).map((v) => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const style = getComputedStyle(document.body);
  const [ink, paper] = [light(style.color), light(style.backgroundColor)];
  return "SCHEME" === "light" ? paper / ink : ink / paper;
})()"""
