"""The explorer: that a page tells what is so, folds as drawings fold, and asks nobody."""

import gzip
import hashlib
import json
import re
from importlib.resources import files

import pytest
from browser import Browser

import minigrad as mg
from minigrad import nn
from minigrad.drawing import compare, draw, explorer, render
from minigrad.drawing.dot import dot
from minigrad.drawing.folding import fold_modules

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028\u2029\0\ud800",
    "\"'><img src=x onerror=alert(1)>",
    '&lt;b&gt; ${x} $title \\ a"];\n} digraph {',
]


class Block(nn.Module):
    """x + MLP(x)."""

    def __init__(self, d):
        super().__init__()
        self.norm = nn.LayerNorm(d)
        self.up = nn.Linear(d, 2 * d)
        self.act = nn.ReLU()
        self.down = nn.Linear(2 * d, d)

    def forward(self, x):
        """A residual branch."""
        return x + self.down(self.act(self.up(self.norm(x))))


def network(blocks=2):
    """The loss of residual blocks, after its backward."""
    mg.manual_seed(0)
    model = nn.Sequential(*[Block(4) for _ in range(blocks)])
    loss = (model(mg.randn(5, 4).requires_grad_()) ** 2).sum()
    loss.backward()
    return loss


def page(graph):
    """The page of a drawing."""
    return graph._explorer()


def data(html):
    """What a page's script reads."""
    return json.loads(re.search(r'id="data">(.*?)</script>', html, re.S)[1])


def test_the_modules_of_the_page_are_those_of_the_graph():
    """Each call of a module is there once, with the boxes inside it, the outer before the inner."""
    picture = draw(network()).source.whole
    modules = explorer._modules(dot(picture, "LR"), {v.id: v for v in picture.vertices})
    expected = {
        (vertex.scope[:depth], vertex.calls[:depth])
        for vertex in picture.vertices
        for depth in range(1, len(vertex.scope) + 1)
    }
    assert len(modules) == len(expected) == 11
    for module in modules:
        (inside,) = {(v.scope[: module.depth], v.calls[: module.depth]) for v in module.members}
        belongs = {
            v.id
            for v in picture.vertices
            if (v.scope[: module.depth], v.calls[: module.depth]) == inside
        }
        assert {v.id for v in module.members} == belongs
    assert [m.title for m in modules][:3] == ["Sequential", "0 · Block", "0.norm · LayerNorm"]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_folded_module_looks_as_in_every_drawing(depth):
    """Its statement in the page is the one that draw(depth=…) makes."""
    told = data(page(draw(network())))
    statements = {module["statement"] for module in told["modules"].values()}
    folded = dot(fold_modules(draw(network()).source.whole, depth), "LR")
    boxes = [line.strip() for line in folded.splitlines() if "operations, " in line]
    assert boxes
    assert set(boxes) <= statements


def test_a_box_tells_its_formula_rules_numbers_and_place():
    """What is said comes from the declaration; that no line is recorded is said as well."""
    x, w = (mg.tensor([float(i), 2.0], requires_grad=True) for i in (1, 3))
    loss = (x * w).sum()
    loss.backward()
    boxes = data(page(draw(loss, names={"x": x})))["boxes"]
    rows = dict(next(box["rows"] for box in boxes.values() if box["title"] == "×"))
    assert rows["Formula"] == ["out = x · y"]
    assert rows["Backward"][0] == "g_x = g · y: g times the other factor"
    assert rows["Shape"] == ["(2,), float32"]
    assert rows["Value"] == ["[3, 4]", "root mean square 3.536"]
    assert rows["Gradient"][0] == "[1, 1]"
    place = rows["Declared in"][0]
    assert re.fullmatch(r"minigrad/ops/elementwise\.py:\d+", place)
    line = int(place.rpartition(":")[2]) - 1
    source = files("minigrad.ops").joinpath("elementwise.py").read_text(encoding="utf-8")
    assert "def mul(" in "".join(source.splitlines()[line : line + 2])
    assert rows["Line of your code"][0].startswith("not recorded")
    (leaf,) = [box for box in boxes.values() if box["title"].startswith("x")]
    assert leaf["kind"] == "parameter"
    assert "Formula" not in dict(leaf["rows"])


def test_statistics_of_a_large_tensor_are_there():
    """Mean and deviation, how the numbers lie, their least and largest."""
    x = mg.tensor([float(i) for i in range(100)], requires_grad=True)
    boxes = data(page(draw((x + 1).sqrt())))["boxes"]
    value = dict(boxes["n0"]["rows"])["Value"]
    assert value[0] == "49.5 ± 28.9"
    assert value[1].endswith("0 … 99")
    assert value[2] == "root mean square 57.3"
    assert dict(boxes["n0"]["rows"])["Gradient"] == ["not computed", "backward has not run"]


def test_a_custom_operation_tells_its_file_and_not_its_folder():
    """A page that is passed on says nothing of where its maker keeps things."""

    @mg.primitive
    def twice(x):
        """out = 2·x."""
        return 2 * x

    twice.vjp(x=lambda g: 2 * g)
    html = page(draw(twice(mg.tensor(1.0, requires_grad=True))))
    rows = dict(data(html)["boxes"]["n1"]["rows"])
    assert rows["Backward"] == ["g_x = 2 · g"]
    assert re.fullmatch(r"test_explorer\.py:\d+", rows["Declared in"][0])
    assert str(files("minigrad")) not in html


def test_large_graphs_start_folded():
    """Above the limit as many levels stand open as fit; a depth that was asked for counts."""
    loss = network(blocks=14)
    whole = draw(loss).source.whole
    assert len(whole.vertices) > explorer.MANY
    told = data(page(draw(loss)))
    deep = {module for module in told["modules"] if module not in told["closed"]}
    assert len(deep) == 15
    assert data(page(draw(loss, depth=0)))["closed"] == list(told["modules"])
    assert data(page(draw(network())))["closed"] == []
    assert len(data(page(draw(network(), depth=1)))["closed"]) == 10


def test_the_same_graph_gives_the_same_bytes():
    """A page holds nothing of the run that made it."""
    assert page(draw(network())) == page(draw(network()))


def hostile(name):
    """A drawing in which a tensor and a module bear a hostile name."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    model = nn.Sequential(nn.Linear(2, 2))
    model[0]._name = name
    return draw(model(x).sum(), names={name: x})


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_a_page(name):
    """A page has the scripts and the data it is made of, whatever things are called."""
    html = page(hostile(name))
    html.encode()
    assert html.count("<script") == html.count("</script") == 3
    assert "<img" not in html
    text = re.search(r'id="data">(.*?)</script>', html, re.S)[1]
    assert text.isascii()
    assert "<" not in text
    told = data(html)
    assert all("\n" not in line for line in told["lines"])


def test_a_page_may_ask_nobody():
    """The policy forbids all requests, and the page names no address but its namespaces."""
    html = page(draw(network()))
    assert "default-src 'none'" in html
    addresses = set(re.findall(r"https?://[^\"' ]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


def test_a_page_needs_no_graphviz_to_be_made(monkeypatch, tmp_path):
    """Without Graphviz the first picture is left to the page's own."""
    monkeypatch.setattr(render, "_dot", lambda: None)
    monkeypatch.setattr(render, "_pygraphviz", lambda: None)
    saved = draw(network()).save(tmp_path / "x.html").read_text(encoding="utf-8")
    assert "<svg" not in saved
    assert saved == page(draw(network()))


def test_graphviz_for_pages_is_the_file_that_its_licences_name():
    """What is bundled is what was published, byte for byte."""
    vendor = files("minigrad.drawing").joinpath("page", "vendor")
    told = vendor.joinpath("LICENSES.txt").read_text(encoding="utf-8")
    code = gzip.decompress(vendor.joinpath("viz-global.js.gz").read_bytes())
    assert re.search(r"sha256 +(\w+)", told)[1] == hashlib.sha256(code).hexdigest()
    assert re.search(r"viz (\d[\d.]+\d),", told)[1] in code[:100].decode()
    for title in ("Viz.js", "Expat", "Graphviz", "Eclipse Public License"):
        assert title in told


# ── in a browser ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def browser():
    """A real one, for the whole file."""
    with Browser() as window:
        yield window


NODES = "[...document.querySelectorAll('.node > title')].map((title) => title.textContent)"
EDGES = "[...document.querySelectorAll('.edge > title')].map((title) => title.textContent)"
STATUS = "document.getElementById('status').textContent"


def open_page(browser, graph, tmp_path, **window):
    """Open the page of a drawing, and wait until it shows one."""
    browser.open(graph.save(tmp_path / "graph.html"), **window)
    browser.wait("document.querySelectorAll('.node').length > 0")


def click(browser, script, times=1):
    """Click into the middle of an element."""
    spot = f"(({script}).getBoundingClientRect())"
    x, y = browser.js(f"[{spot}.left + {spot}.width / 2, {spot}.top + {spot}.height / 2]")
    for count in range(1, times + 1):
        for kind in ("mousePressed", "mouseReleased"):
            facts = {"x": x, "y": y, "button": "left", "clickCount": count}
            browser.call("Input.dispatchMouseEvent", type=kind, **facts)


def group(label, part=""):
    """A script for the group that bears a label."""
    return f'document.querySelector(`[aria-label="{label}"]{part}`)'


def touch(browser, script):
    """Click an element that may be outside the window."""
    browser.js(f"{script}.dispatchEvent(new MouseEvent('click', {{bubbles: true}}))")


def test_any_module_folds_and_unfolds(browser, tmp_path):
    """Each fold leaves the boxes outside it and one for it, and arrows between boxes alone."""
    graph = draw(network())
    open_page(browser, graph, tmp_path)
    modules = data(page(graph))["modules"]
    picture = graph.source.whole
    whole = sorted(browser.js(NODES))
    assert whole == sorted(vertex.id for vertex in picture.vertices)
    members = {
        module.name: {v.id for v in module.members}
        for module in explorer._modules(dot(picture, "LR"), {v.id: v for v in picture.vertices})
    }
    for name in ("cluster_0", "cluster_1", "cluster_2"):
        title = modules[name]["title"]
        touch(browser, group(f"Fold {title}", " text"))
        browser.wait(f"{STATUS}.endsWith('folded modules: 1.')")
        nodes = browser.js(NODES)
        assert set(nodes) == set(whole) - members[name] | {modules[name]["id"]}
        ends = {end for edge in browser.js(EDGES) for end in edge.split("->")}
        assert ends <= set(nodes)
        assert modules[name]["id"] in ends
        click(browser, "document.querySelector('#actions button')")
        browser.wait(f"{STATUS}.endsWith('folded modules: 0.')")
        assert sorted(browser.js(NODES)) == whole
        browser.press("Escape")
    assert not browser.errors
    assert len(browser.requests) == 1


def test_fold_all_leaves_what_a_drawing_of_depth_0_has(browser, tmp_path):
    """And unfold all brings everything back."""
    graph = draw(network())
    open_page(browser, graph, tmp_path)
    click(browser, "document.getElementById('fold')")
    browser.wait(f"{STATUS}.includes('folded modules: 1.')")
    folded = draw(network(), depth=0).picture
    assert sorted(browser.js(NODES)) == sorted(vertex.id for vertex in folded.vertices)
    assert sorted(browser.js(EDGES)) == sorted(f"{e.source}->{e.target}" for e in folded.edges)
    click(browser, "document.getElementById('unfold')")
    browser.wait(f"{STATUS}.includes('folded modules: 0.')")
    assert len(browser.js(NODES)) == len(graph.source.whole.vertices)


def test_a_click_asks_a_box_and_links_lead_on(browser, tmp_path):
    """The panel has formula and numbers; its links lead to the boxes around; Escape closes it."""
    open_page(browser, draw(network()), tmp_path)
    click(browser, group("ReLU, operation"))
    panel = "document.getElementById('panel')"
    assert browser.js(f"{panel}.hidden") is False
    assert browser.js("document.getElementById('title').textContent") == "ReLU"
    told = browser.js("document.getElementById('rows').textContent")
    for part in ("out = max(x, 0)", "g_x = g · step(out)", "(5, 8), float32", "not recorded"):
        assert part in told
    assert browser.js("document.querySelectorAll('.chosen').length") == 1
    assert browser.js("document.querySelectorAll('.near').length") == 2
    link = "[...document.querySelectorAll('dd button')].at(0)"
    browser.js(f"{link}.click()")
    assert browser.js("document.getElementById('title').textContent") == "x Wᵀ + b"
    browser.press("Escape")
    assert browser.js(f"{panel}.hidden") is True
    assert browser.js("document.querySelectorAll('.chosen').length") == 0


def test_a_keyboard_is_enough(browser, tmp_path):
    """Tab reaches boxes and modules, Enter asks or folds, arrows pan, + and 0 zoom."""
    open_page(browser, draw(network()), tmp_path)
    browser.js(f"{group('ReLU, operation')}.focus()")
    browser.press("Enter")
    assert browser.js("document.getElementById('title').textContent") == "ReLU"
    browser.js(f"{group('Fold 0 · Block')}.focus()")
    browser.press("Enter")
    browser.wait(f"{STATUS}.endsWith('folded modules: 1.')")
    assert browser.js("document.getElementById('title').textContent") == "0 · Block"
    browser.js("document.getElementById('stage').focus()")
    box = "document.querySelector('#stage svg').getAttribute('viewBox').split(' ').map(Number)"
    browser.press("0")
    before = browser.js(box)
    browser.press("ArrowRight")
    after = browser.js(box)
    assert after[0] > before[0]
    assert after[1:] == before[1:]
    browser.press("+")
    assert browser.js(box)[2] == pytest.approx(before[2] / 1.25)
    browser.press("0")
    assert browser.js(box) == pytest.approx(before)


def test_wheel_and_drag_move_the_drawing(browser, tmp_path):
    """The wheel zooms around the pointer, a drag pans, and a drag that ends on a box asks none."""
    open_page(browser, draw(network()), tmp_path)
    at = f"{group('ReLU, operation')}.getBoundingClientRect()"
    x, y = browser.js(f"[{at}.left + {at}.width / 2, {at}.top + {at}.height / 2]")
    wide = browser.js(f"{at}.width")
    browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=x, y=y, deltaX=0, deltaY=-200)
    browser.wait(f"{at}.width > {wide} * 1.2")
    assert browser.js(f"{at}.left + {at}.width / 2") == pytest.approx(x, abs=1)
    for kind, right in (("mousePressed", 0), ("mouseMoved", 60), ("mouseReleased", 60)):
        facts = {"x": x + right, "y": y, "button": "left", "clickCount": 1}
        browser.call("Input.dispatchMouseEvent", type=kind, **facts)
    assert browser.js(f"{at}.left + {at}.width / 2") == pytest.approx(x + 60, abs=1)
    assert browser.js("document.getElementById('panel').hidden") is True


def test_two_fingers_zoom(browser, tmp_path):
    """Fingers that part make the drawing as much larger as they are further apart."""
    open_page(browser, draw(network()), tmp_path)
    wide = f"{group('ReLU, operation')}.getBoundingClientRect().width"
    before = browser.js(wide)
    for kind, apart in (("touchStart", 100), ("touchMove", 150), ("touchMove", 200)):
        points = [{"x": 400, "y": 400, "id": 0}, {"x": 400 + apart, "y": 400, "id": 1}]
        browser.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)
    browser.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert browser.js(wide) == pytest.approx(2 * before, rel=0.01)


def test_a_search_finds_what_is_folded_too(browser, tmp_path):
    """What is hidden lights up the box that hides it; Enter opens that and goes there."""
    open_page(browser, draw(network(), depth=0), tmp_path)
    assert len(browser.js(NODES)) < 10
    browser.press("/")
    assert browser.js("document.activeElement.id") == "search"
    browser.call("Input.insertText", text="relu 1")
    found = "document.getElementById('found').textContent"
    assert browser.js(found) == "1 found"
    assert browser.js("document.querySelectorAll('.hit').length") == 1
    browser.press("Enter")
    browser.wait("document.getElementById('title').textContent === 'ReLU'")
    assert browser.js(found) == "1 of 1"
    assert browser.js("document.querySelectorAll('.hit.chosen').length") == 1
    browser.press("Escape")
    assert browser.js("document.querySelectorAll('.hit').length") == 0


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1200, "light")])
def test_the_page_fits_its_window(browser, tmp_path, width, scheme):
    """Nothing is outside, at any width and with the panel open; the colours are the system's."""
    open_page(
        browser, draw(network()), tmp_path, width=width, height=700, prefers_color_scheme=scheme
    )
    touch(browser, group("ReLU, operation"))
    assert browser.js("document.documentElement.scrollWidth") == width
    assert browser.js("document.documentElement.scrollHeight") == 700
    paper = browser.js("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", paper))) > 400) is (scheme == "light")
    middle = "(e => [e.left + e.width / 2, e.top + e.height / 2])"
    x, y = browser.js(f"{middle}({group('ReLU, operation')}.getBoundingClientRect())")
    told = browser.js(f"document.elementFromPoint({x}, {y}).closest('.node') !== null")
    assert told is True  # the panel does not cover what it is about


def test_everything_is_named_for_those_who_do_not_see_it(browser, tmp_path):
    """Controls, boxes and modules have names and roles; what was done is announced."""
    open_page(browser, draw(network()), tmp_path)
    nameless = (
        "[...document.querySelectorAll('button, input, .node, .cluster')]"
        ".filter((e) => !(e.getAttribute('aria-label') || e.textContent.trim())).length"
    )
    assert browser.js(nameless) == 0
    assert browser.js("document.querySelectorAll('.node:not([role=button])').length") == 0
    assert browser.js("document.querySelectorAll('.cluster:not([aria-expanded])').length") == 0
    assert browser.js("document.getElementById('status').getAttribute('role')") == "status"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_run_nothing(browser, tmp_path, name):
    """With such a name a page still asks, searches and folds, and nothing else runs."""
    open_page(browser, hostile(name), tmp_path)
    touch(browser, "document.querySelector('.node')")
    click(browser, "document.getElementById('fold')")
    browser.wait(f"{STATUS}.endsWith('folded modules: 1.')")
    click(browser, "document.getElementById('unfold')")
    browser.wait(f"{STATUS}.endsWith('folded modules: 0.')")
    assert browser.js("document.querySelectorAll('script').length") == 3
    assert browser.js("document.querySelectorAll('img').length") == 0
    assert not browser.errors
    assert len(browser.requests) == 1


def test_comparisons_backward_passes_and_heat_are_explored_too(browser, tmp_path):
    """Whatever draw() makes has a page, which folds."""
    loss = network()
    both = compare(draw(loss), draw(network(1)), titles=("two", "one"))
    for graph in (both, draw(loss, backward=True), draw(loss, heat="grad"), draw(mg.tensor(1.0))):
        open_page(browser, graph, tmp_path)
        assert not browser.errors
        if browser.js("document.getElementById('fold').disabled"):
            continue
        click(browser, "document.getElementById('fold')")
        browser.wait(f"{STATUS}.startsWith('Boxes')")
        assert browser.js(NODES)
        assert not browser.errors
