"""Steps: that they are the engine's, that their sums are right, and that they play anywhere."""

import json
import re
import xml.etree.ElementTree as ET
from html import unescape

import numpy as np
import pytest
from browser import Browser

import minigrad as mg
from minigrad import engine, nn, ops
from minigrad.drawing import compare, draw, drawing_path, pages, render, rules
from minigrad.drawing.stage import SVG
from minigrad.node import Node
from minigrad.operation import Primitive

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\u2028\u2029\0\ud800",
    "\"'><img src=x onerror=alert(1)>",
    "&lt;b&gt; ${x} $title \\",
]


def number(x):
    """A scalar that requires grad."""
    return mg.tensor(float(x), requires_grad=True)


def micrograd():
    """d = tanh((a·b + c)·a): a is read twice."""
    a, b, c = number(2), number(-3), number(6.5)
    d = ((a * b + c) * a).tanh()
    return d, {"a": a, "b": b, "c": c, "d": d}


def network():
    """The loss of a small network with a normalization in it."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2))
    return nn.functional.cross_entropy(model(mg.randn(5, 4)), mg.tensor([0, 1, 0, 1, 1]))


def backward(steps):
    """The steps along edges."""
    return [step for step in steps.tape.steps if step.phase == "backward"]


def test_values_come_in_the_order_of_recording():
    """Forward, each operation is one step, the first recorded first."""
    d, names = micrograd()
    steps = draw(d, names=names).steps().tape.steps
    assert [s.phase for s in steps] == ["start", *["forward"] * 4, "seed", *["backward"] * 7]
    assert [s.title for s in steps[1:5]] == ["×", "+", "×", "d"]
    assert [s.line for s in steps[1:3]] == ["a = 2, b = −3 → −6", "x = −6, c = 6.5 → 0.5"]
    assert steps[0].line == "a = 2, b = −3, c = 6.5"
    assert [entry.text for entry in steps[0].entries] == ["2", "−3", "6.5"]


def test_gradients_flow_in_the_order_of_the_engine(monkeypatch):
    """Backward, the edges come one for one as the engine's own rules are called."""
    y = network()
    called = []
    for op in {v.op for v in engine.order([y]) if isinstance(v, Node)}:
        for rule in op.rules:

            def listening(g, saved, op=op, rule=rule, own=rule.pull):
                called.append(f"{rules.gradient(rule, op)} = ")
                return own(g, saved)

            monkeypatch.setattr(rule, "pull", listening)
    y.backward()
    monkeypatch.undo()
    assert called
    found = [step.note for step in backward(draw(y).steps()) if " = " in step.note]
    assert len(found) == len(called)
    assert all(note.startswith(start) for note, start in zip(found, called, strict=True))


def test_each_edge_is_upstream_times_local_slope():
    """On scalars the three numbers are the gradient above, ∂out/∂in, and their product."""
    d, _ = micrograd()
    steps = draw(d).steps()
    tanh = float(1 - d.data**2)
    first, second = backward(steps)[:2]
    assert first.line == f"1 × {tanh:.4g} = {tanh:.4g}"
    assert first.product == (first.line,)
    assert first.note == "g_x = g · (1 − out · out): g times 1 − result²"
    assert second.line == f"{tanh:.4g} × 2 = {2 * tanh:.4g}"


def test_paths_that_meet_are_added_up():
    """A tensor read twice hears two gradients; the last of them leaves what backward leaves."""
    d, names = micrograd()
    steps = draw(d, names=names).steps()
    heard = [step for step in backward(steps) if step.title.endswith("→ a")]
    assert ["path 1 of 2" in heard[0].note, "path 2 of 2 to a: " in heard[1].note] == [True, True]
    before, part, total = map(
        float, re.findall(r"to a: (\S+) \+ (\S+) = (\S+)", heard[1].note.replace("−", "-"))[0]
    )
    d.backward()
    assert before + part == pytest.approx(total, rel=1e-3)
    assert total == pytest.approx(names["a"].grad.item(), rel=1e-3)
    assert heard[1].entries[0].text.replace("−", "-") == f"{names['a'].grad.item():.4g}"


def test_three_paths_are_added_one_after_the_other():
    """After each path the box shows what it has heard so far."""
    x = number(5)
    steps = backward(draw(x * 2 + x * 3 + x * 4, names={"x": x}).steps())
    assert [s.entries[0].text for s in steps if s.title.endswith("→ x")] == ["4", "7", "9"]


def images():
    """A small convolutional network."""
    parts = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    return nn.Sequential(*parts, nn.Linear(36, 2))(mg.randn(2, 3, 8, 8)).square().mean()


def attention():
    """Attention with one input for queries, keys and values."""
    x = mg.randn(2, 3, 4).requires_grad_()
    return nn.MultiheadAttention(4, 2)(x, x, x)[0].square().sum()


def gradients():
    """The square of a gradient, whose graph is that of rules."""
    x = mg.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    (g,) = mg.grad((mg.standardize(x, axis=0)[0] ** 3).sum(), [x], create_graph=True)
    return g.square().sum()


@pytest.mark.parametrize(
    "result",
    [
        network,
        images,
        attention,
        gradients,
        lambda: nn.LSTM(3, 5)(mg.randn(4, 2, 3).requires_grad_())[0].square().sum(),
        lambda: nn.Embedding(5, 3)(mg.tensor([0, 1, 1])).square().sum(),
        lambda: mg.sort(mg.randn(6).requires_grad_())[0][:4].square().sum(),
    ],
)
def test_the_last_gradients_are_those_that_backward_leaves(result):
    """Whatever is on the way, at the end each box shows what a drawing after backward shows."""
    mg.manual_seed(0)
    y = result()
    entries = [entry for step in draw(y).steps().tape.steps for entry in step.entries]
    last = {entry.box: entry.text for entry in entries if entry.row == "grad"}
    y.backward()
    drawn = {
        vertex.id: vertex.grad.text
        for vertex in draw(y).source.whole.vertices
        if vertex.grad is not None and vertex.grad.state == "computed"
    }
    assert last == drawn


def test_steps_touch_no_gradient():
    """Telling what a backward would do leaves .grad as it was."""
    d, names = micrograd()
    draw(d).steps()
    assert all(names[name].grad is None for name in "abc")


def test_tensors_show_shapes_the_rule_and_norms():
    """Where there are too many numbers the edge has the rule, and how large g was and became."""
    y = network()
    (step,) = [s for s in backward(draw(y).steps()) if s.title == "x Wᵀ + b in 3 → ReLU in 2"]
    found = re.fullmatch(
        r"\(5, 2\) of norm (\S+) → g @ W → \(5, 3\) of norm (\S+)", step.line
    ).groups()
    assert step.product == ("g @ W", f"‖{found[0]}‖ → ‖{found[1]}‖")
    inner = y.node
    while inner.op.name != "relu":
        inner = next(x if isinstance(x, Node) else x.node for x in inner.inputs if x is not None)
    heard = {}
    engine.sweep([y], [np.ones_like(y.data)], heard=heard.__setitem__)
    reached = heard[inner]
    assert float(found[1]) == pytest.approx(float(np.linalg.norm(reached)), rel=1e-2)


def test_small_tensors_entry_by_entry():
    """An operation with a diagonal Jacobian multiplies entry by entry, and says so."""
    x = mg.tensor([1.0, -2.0, 3.0], requires_grad=True)
    steps = backward(draw((x.relu() * 2).sum()).steps())
    assert [s.line for s in steps[1:]] == [
        "[1, 1, 1] ⊙ [2, 2, 2] = [2, 2, 2]",
        "[2, 2, 2] ⊙ [1, 0, 1] = [2, 0, 2]",
    ]


def test_what_was_broadcast_is_summed_and_told():
    """The engine's own sum over broadcast axes is part of the step."""
    x, b = mg.tensor(np.ones((4, 3)), requires_grad=True), mg.tensor([0.0] * 3, requires_grad=True)
    (step,) = [s for s in backward(draw((x + b).sum(), names={"b": b}).steps()) if "→ b" in s.title]
    assert step.note == "g_y = g, summed over what was broadcast, (4, 3) → (3,): g as it is"
    assert step.entries[0].text == "[4, 4, 4]"


def test_several_outputs_have_steps_of_their_own():
    """σ hands its gradient on, and each output of standardize has its part in x's."""
    x = mg.tensor([[1.0, 2.0, 3.0], [1.0, 0.0, 2.0]], requires_grad=True)
    z, _, sigma = mg.standardize(x, axis=0)
    y = (z * sigma).sum()
    steps = draw(y, names={"x": x}).steps()
    assert "σ → ẑ = (x − μ)/σ" in [s.title for s in backward(steps)]
    parts = [s.note.partition(" = ")[0] for s in backward(steps) if s.title.endswith("→ x")]
    assert parts == ["g_x from z", "g_x from σ"]
    y.backward()
    assert np.allclose(x.grad.data, mg.grad(y, [x])[0].data)


def test_a_result_that_is_no_scalar_needs_a_gradient():
    """As backward does, steps ask for the upstream gradient, and start from the one given."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"steps\(\) starts from a scalar"):
        draw(x * 3).steps()
    steps = draw(x * 3).steps(gradient=mg.tensor([1.0, 10.0]))
    assert backward(steps)[-1].entries[0].text == "[3, 30]"
    with pytest.raises(RuntimeError, match="requires_grad"):
        draw(mg.tensor(1.0)).steps()


def test_steps_that_cannot_be_told_are_refused():
    """A value that a rule needs and that was overwritten, and a comparison of several graphs."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x.exp() * x).sum()
    with mg.no_grad():
        x[0] = 3.0
    with pytest.raises(RuntimeError, match="overwritten in place"):
        draw(y).steps()
    with pytest.raises(ValueError, match="one graph; this drawing compares several"):
        compare(draw(number(1)), draw(number(2))).steps()


def test_many_parameters_are_counted():
    """The first step names a dozen of what is given and counts the rest."""
    xs = [mg.tensor([float(i)], requires_grad=True) for i in range(15)]
    first = draw(mg.cat(xs).sum()).steps().tape.steps[0]
    assert first.line.endswith("parameter = 11, and 3 more")
    assert len(first.entries) == 15


def test_joined_tensors_each_get_their_part():
    """A rule of any number of inputs has a step for each that needs a gradient."""
    xs = [mg.tensor([float(i)], requires_grad=i != 1) for i in range(3)]
    steps = draw((mg.cat(xs) * mg.tensor([1.0, 2.0, 3.0])).sum()).steps()
    assert [s.entries[0].text for s in backward(steps)[-2:]] == ["1", "3"]


def test_rules_are_read_from_their_source():
    """A rule is shown as it is written, in the signs of a textbook."""
    assert rules.rules(ops.mul) == [
        "g_x = g · y: g times the other factor",
        "g_y = g · x: g times the other factor",
    ]
    assert rules.rules(ops.div)[1].startswith("g_y = −g · out / y: ")
    assert rules.rules(ops.linear)[1].startswith("g_W = rows(g)ᵀ @ rows(x): ")
    assert rules.rules(ops.standardize)[2] == "g_x from σ = g · z / count(z.shape, axis)"
    assert "(centred(g) − z · mean(g · z)) / σ: " in rules.rules(ops.standardize)[0]


def test_a_rule_without_source_is_told_by_its_name():
    """Where there is no source (or no lambda) the names of what it reads are told."""
    op = Primitive(lambda x: 2 * x)
    op.name = "twice"

    def doubled(g, x):
        return 2 * g

    op.vjp(x=eval("lambda g, x: 2 * g", {}))  # noqa: S307 - a lambda that is in no file
    assert rules.rules(op) == ["g_x = rule(g, x)"]
    op.vjp(x=doubled)
    assert rules.rules(op) == ["g_x = doubled(g, x)"]


# ── pictures and pages ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def _graphviz():
    if drawing_path().startswith("text only"):
        pytest.skip("needs Graphviz")


def texts(svg, selector):
    """The texts of an SVG that carry an attribute."""
    root = ET.fromstring(svg)  # noqa: S314 - of our own making
    return ["".join(e.itertext()) for e in root.iter(f"{{{SVG}}}text") if e.get(selector)]


@pytest.mark.usefixtures("_graphviz")
def test_a_frame_shows_what_is_known_then_and_no_more():
    """Numbers and products that come later are not on the picture."""
    d, names = micrograd()
    steps = draw(d, names=names).steps()
    first, middle, last = (steps.strip(frames=[i]).svg for i in (0, 6, -1))
    assert sorted(filter(None, texts(first, "data-row"))) == ["2", "6.5", "−3"]
    assert not any(texts(first, "data-step"))
    assert [t for t in texts(middle, "data-step") if t] == [backward(steps)[0].line]
    assert sorted(texts(last, "data-step")) == sorted(s.line for s in backward(steps))


@pytest.mark.usefixtures("_graphviz")
def test_edges_of_the_picture_are_those_of_the_records():
    """Each group of an arrow is that between its two boxes, also where two have the same ends."""
    x = number(3)
    for y in (x * x, network()):
        steps = draw(y).steps()
        edges = steps.tape.picture.edges
        groups = steps._stage.svg.findall(f".//{{{SVG}}}g[@data-edge]")
        assert sorted(int(group.get("data-edge")) for group in groups) == [*range(len(edges))]
        for group in groups:
            edge = edges[int(group.get("data-edge"))]
            ends = group.findtext(f"{{{SVG}}}title").split("->")
            turned = group.get("data-turned") is not None
            assert ends == [edge.source, edge.target][:: -1 if turned else 1]


@pytest.mark.usefixtures("_graphviz")
def test_the_same_graph_gives_the_same_bytes():
    """Page, strip and notebook output hold nothing of the run."""
    made = [draw(network()).steps() for _ in range(2)]
    assert len({steps.html for steps in made}) == 1
    assert len({steps.strip().svg for steps in made}) == 1
    assert len({json.dumps(steps._repr_mimebundle_()) for steps in made}) == 1


def hostile(name):
    """Steps in which a tensor, a module and a value's box bear a hostile name."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    model = nn.Sequential(nn.Linear(2, 2))
    model[0]._name = name
    return draw(model(x).sum(), names={name: x})


@pytest.mark.usefixtures("_graphviz")
@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_breaks_out_of_a_page(name):
    """A page has the scripts and the data it is made of, whatever things are called."""
    html = hostile(name).steps().html
    html.encode()
    assert html.count("<script") == 2
    assert html.count("</script") == 2
    assert "<img" not in html
    data = re.search(r'id="data">(.*?)</script>', html, re.S)[1]
    assert not set("<\u2028\u2029") & set(data)
    assert data.isascii()
    assert len(json.loads(data)) == len(hostile(name).steps())


def test_json_in_a_script_survives_the_way():
    """What would end a script, or a line of it, comes back as it was."""
    data = {"x": [*HOSTILE[:2], "</SCRIPT\t", "]]>", "\u2028", "é"]}
    assert json.loads(pages.json_in_script(data)) == data
    assert not set("<\u2028é") & set(pages.json_in_script(data))


@pytest.mark.usefixtures("_graphviz")
def test_a_page_may_ask_nobody():
    """The policy forbids all requests, and the page names no address but its namespaces."""
    html = draw(network()).steps().html
    assert "default-src 'none'" in html
    addresses = set(re.findall(r"https?://[^\"' ]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


@pytest.mark.usefixtures("_graphviz")
def test_a_notebook_gets_a_sandboxed_player_a_picture_and_a_text():
    """The player runs in a frame without rights; where frames are cleaned away the text is left."""
    steps = draw(micrograd()[0]).steps()
    bundle = steps._repr_mimebundle_()
    assert list(bundle) == ["text/html", "image/svg+xml", "text/plain"]
    frame = re.search(r"<iframe [^>]*>", bundle["text/html"])[0]
    assert 'sandbox="allow-scripts"' in frame
    assert unescape(re.search(r'srcdoc="([^"]*)"', frame)[1]) == steps.html
    assert unescape(re.search(r"<pre>(.*)</pre>", bundle["text/html"], re.S)[1]) == str(steps)
    ET.fromstring(bundle["image/svg+xml"])  # noqa: S314


def test_without_graphviz_there_is_the_text(monkeypatch, tmp_path):
    """The steps are told line by line, with what to install to see them play."""
    monkeypatch.setattr(render, "_dot", lambda: None)
    monkeypatch.setattr(render, "_pygraphviz", lambda: None)
    steps = draw(micrograd()[0]).steps()
    bundle = steps._repr_mimebundle_()
    assert list(bundle) == ["text/plain"]
    assert render.INSTALL in bundle["text/plain"]
    assert "1 × 0.42 = 0.42" in str(steps)
    assert steps.save(tmp_path / "x.txt").read_text(encoding="utf-8") == f"{steps}\n"


@pytest.mark.usefixtures("_graphviz")
def test_save_writes_what_the_ending_says(tmp_path):
    """.html plays, .svg is the strip, .txt the lines; others are refused and nothing is left."""
    steps = draw(micrograd()[0]).steps()
    assert steps.save(tmp_path / "x.html").read_text(encoding="utf-8") == f"{steps.html}\n"
    ET.parse(steps.save(tmp_path / "x.svg"))  # noqa: S314
    ET.parse(steps.strip(2).save(tmp_path / "two.SVG"))  # noqa: S314
    with pytest.raises(ValueError, match=r"steps of type \.png; known ones are \.html, \.svg"):
        steps.save(tmp_path / "x.png")
    with pytest.raises(ValueError, match=r"known ones are \.svg"):
        steps.strip().save(tmp_path / "x.pdf")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["two.SVG", "x.html", "x.svg"]


@pytest.mark.usefixtures("_graphviz")
def test_a_strip_has_the_frames_that_were_asked_for():
    """A number of frames is spread from the first to the last; others are told."""
    steps = draw(micrograd()[0]).steps()
    assert steps.strip(3).frames == [0, 6, 12]
    assert steps.strip(100).frames == [*range(13)]
    assert steps.strip([0, -1]).frames == [0, 12]
    for wrong in ([13], [], 0):
        with pytest.raises(ValueError, match="there are 13, from 0 to 12"):
            steps.strip(wrong)


# ── in a browser ─────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def browser():
    """A real one, for the whole file."""
    if drawing_path().startswith("text only"):
        pytest.skip("needs Graphviz")
    with Browser() as window:
        yield window


def count(browser):
    """The number of the step that the page shows."""
    return int(browser.js("document.getElementById('count').textContent").split(" / ")[0])


def test_keys_move_through_the_steps(browser, tmp_path):
    """← → Home End and the slider go where they say; the words and numbers follow."""
    d, names = micrograd()
    steps = draw(d, names=names).steps()
    browser.open(steps.save(tmp_path / "steps.html"))
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowLeft"):
        browser.press(key)
        seen.append(count(browser))
    assert seen == [2, 3, 2, 13, 13, 1, 1]
    value = "document.querySelector('[data-box=n2] [data-row=value]').textContent"
    assert browser.js(value) == ""
    browser.press("ArrowRight")
    assert browser.js(value) == "−6"
    assert browser.js("document.getElementById('line').textContent") == steps.tape.steps[1].line
    browser.press("End")
    visible = (
        "[...document.querySelectorAll('[data-step]')]"
        ".filter((t) => t.style.visibility !== 'hidden').length"
    )
    assert browser.js(visible) == 7
    browser.press("ArrowLeft")
    assert browser.js(visible) == 6
    browser.press("End")
    assert browser.js("document.querySelectorAll('.now[data-edge]').length") == 1
    assert browser.js("document.activeElement.tagName") == "BODY"
    assert not browser.errors
    assert len(browser.requests) == 1


def test_it_plays_and_pauses(browser, tmp_path):
    """Space plays, space pauses; at the end it stops by itself, and a button says which."""
    x = number(2)
    browser.open(draw(x.exp()).steps().save(tmp_path / "steps.html"))
    label = "document.getElementById('play').getAttribute('aria-label')"
    browser.press(" ")
    assert browser.js(label) == "Pause"
    browser.press(" ")
    assert browser.js(label) == "Play"
    assert count(browser) == 1
    browser.press(" ")
    browser.wait("document.getElementById('count').textContent === '4 / 4'")
    browser.wait(f"{label} === 'Play'")


def test_everything_is_named_for_those_who_do_not_see_it(browser, tmp_path):
    """Each control has a name, the words are announced, the slider says where it is."""
    browser.open(draw(micrograd()[0]).steps().save(tmp_path / "steps.html"))
    nameless = (
        "[...document.querySelectorAll('button, input')]"
        ".filter((e) => !e.getAttribute('aria-label')).length"
    )
    assert browser.js(nameless) == 0
    assert browser.js("document.querySelectorAll('[aria-live]').length") == 1
    browser.press("ArrowRight")
    assert browser.js("document.getElementById('slider').ariaValueText") == "2 of 13: ×"


@pytest.mark.parametrize("width", [390, 1200])
def test_the_page_fits_its_window(browser, tmp_path, width):
    """No control is outside, nothing but the stage scrolls, at any width and step."""
    browser.open(draw(network()).steps().save(tmp_path / "steps.html"), width=width, height=700)
    for key in ("End", "Home"):
        browser.press(key)
        assert browser.js("document.documentElement.scrollWidth") == width
        assert browser.js("document.documentElement.scrollHeight") == 700
        assert browser.js("document.querySelector('.stage').clientHeight") > 200


def test_motion_is_reduced_where_that_is_asked_for(browser, tmp_path):
    """Nothing moves by itself then."""
    page = draw(micrograd()[0]).steps().save(tmp_path / "steps.html")
    running = "document.getAnimations().length"
    for wish, moving in (("no-preference", True), ("reduce", False)):
        browser.open(page, prefers_reduced_motion=wish)
        browser.press("End")
        assert bool(browser.js(running)) is moving


def test_dark_is_dark(browser, tmp_path):
    """The page follows the system's colours."""
    page = draw(micrograd()[0]).steps().save(tmp_path / "steps.html")
    colours = []
    for scheme in ("light", "dark"):
        browser.open(page, prefers_color_scheme=scheme)
        paper = browser.js("getComputedStyle(document.body).backgroundColor")
        colours.append(sum(map(int, re.findall(r"\d+", paper))))
    assert colours[0] == 3 * 255
    assert colours[1] < 100


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_run_nothing(browser, tmp_path, name):
    """In a real browser a page with such a name plays to its end, and nothing else runs."""
    page = hostile(name).steps().save(tmp_path / "steps.html")
    browser.open(page)
    browser.press("End")
    assert browser.js("document.querySelectorAll('script').length") == 2
    assert not browser.errors
    assert len(browser.requests) == 1


def test_the_player_works_inside_a_notebook_page(browser, tmp_path):
    """In its frame, which may reach nothing, the script still runs to show the first step."""
    bundle = draw(micrograd()[0]).steps()._repr_mimebundle_()
    page = tmp_path / "notebook.html"
    page.write_text(f"<!doctype html><meta charset=utf-8>{bundle['text/html']}", encoding="utf-8")
    browser.open(page)
    browser.enter_frame()
    browser.wait("document.getElementById('count').textContent === '1 / 13'")
    assert browser.js("origin") == "null"
    assert not browser.errors
