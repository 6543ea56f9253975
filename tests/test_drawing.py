"""Drawings: what stands on them, that they are honest, and that they reach files and notebooks."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.drawing import compare, draw, drawing_path, quantities, render
from minigrad.drawing.dot import LONGEST, shown
from minigrad.nn import functional

HOSTILE = [
    '<script>alert("x")</script>',
    'a"];\n} digraph {',
    r"\N \G \L back\slash",
    "&amp; <b>",
    "\0",
]


def number(x):
    """A scalar that requires grad."""
    return mg.tensor(float(x), requires_grad=True)


def vertices(graph, **facts):
    """The vertices of which all ``facts`` hold."""
    return [
        vertex
        for vertex in graph.picture.vertices
        if all(getattr(vertex, name) == fact for name, fact in facts.items())
    ]


def vertex(graph, **facts):
    """The one vertex of which all ``facts`` hold."""
    (found,) = vertices(graph, **facts)
    return found


def micrograd():
    """d = tanh(a·b + c), and the names of its parts."""
    a, b, c = number(2), number(-3), number(6.5)
    d = (a * b + c).tanh()
    return d, {"a": a, "b": b, "c": c, "d": d}


def network():
    """Linear → BatchNorm → ReLU with a scalar on top."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU())
    return model, (model(mg.randn(5, 4)) ** 2).sum()


def test_a_small_graph_is_these_boxes_and_arrows():
    """An operation and its result are one box; ids follow the order of the computation."""
    d, names = micrograd()
    graph = draw(d, names=names)
    boxes = [(v.id, v.kind, v.name, v.sign) for v in graph.picture.vertices]
    assert boxes == [
        ("n0", "parameter", "a", ""),
        ("n1", "parameter", "b", ""),
        ("n2", "operation", "", "×"),
        ("n3", "parameter", "c", ""),
        ("n4", "operation", "", "+"),
        ("n5", "operation", "d", "tanh"),
    ]
    arrows = [(e.source, e.target) for e in graph.picture.edges]
    assert arrows == [("n0", "n2"), ("n1", "n2"), ("n2", "n4"), ("n3", "n4"), ("n4", "n5")]
    assert vertices(graph, root=True) == [vertex(graph, name="d")]


def test_the_dot_text_is_the_records_and_nothing_else():
    """Golden structure: one statement for each box and arrow, in order, with its label."""
    d, names = micrograd()
    lines = draw(d, names=names, show=()).dot.splitlines()
    statements = [re.sub(r" \[.*", "", line).strip() for line in lines]
    assert statements == [
        *("digraph minigrad {", "graph", "node", "edge", "n0", "n1", "n2", "n3", "n4", "n5"),
        *("n0 -> n2", "n1 -> n2", "n2 -> n4", "n3 -> n4", "n4 -> n5", "}"),
    ]
    assert "<B>d</B>" in lines[9]
    assert "= tanh" in lines[9]


def test_the_same_graph_gives_the_same_bytes():
    """Two drawings of one graph, and of the same graph built twice, are equal."""
    graphs = [micrograd(), micrograd()]
    assert len({draw(d, names=names).dot for d, names in [*graphs, *graphs]}) == 1
    assert draw(network()[1]).dot == draw(network()[1]).dot


def test_gradients_are_not_computed_before_backward():
    """Without backward no box shows a gradient, not even 0."""
    d, _ = micrograd()
    states = {v.grad.state for v in draw(d).picture.vertices}
    assert states == {"not computed"}


def test_gradients_after_backward_are_those_of_the_engine():
    """Leaves show their .grad, results between what `grad` says."""
    d, names = micrograd()
    (expected,) = mg.grad(d, [names["a"]])
    d.backward()
    graph = draw(d, names=names)
    for name in "abc":
        assert vertex(graph, name=name).grad.text == quantities.quantity(names[name].grad.data).text
    assert vertex(graph, name="a").grad.text == quantities.quantity(expected.data).text
    slope = 1 - d.data**2
    assert vertex(graph, sign="+").grad.text == quantities.number(float(slope))
    assert vertex(graph, name="d").grad.text == "1"


def test_a_result_that_is_no_scalar_has_no_gradients_between():
    """A root without a unique upstream gradient leaves the results between "not computed"."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    y.backward(mg.tensor([1.0, 1.0]))
    graph = draw(y)
    assert vertex(graph, kind="parameter").grad.text == "[2, 4]"
    assert vertex(graph, kind="operation").grad.state == "not computed"


def test_a_gradient_that_another_graph_left_does_not_count():
    """One leaf's .grad from elsewhere does not pass for a backward of this graph."""
    x, w = number(2), number(3)
    (x * x).backward()
    graph = draw((x * w).exp(), names={"x": x, "w": w})
    assert vertex(graph, name="x").grad.text == "4"
    assert vertex(graph, name="w").grad.state == "not computed"
    assert vertex(graph, sign="×").grad.state == "not computed"


def test_data_need_no_gradient():
    """Tensors without requires_grad say so."""
    x = mg.tensor([1.0, 2.0])
    w = mg.tensor([3.0, 4.0], requires_grad=True)
    graph = draw((w * x).sum(), names={"x": x})
    assert vertex(graph, kind="input", name="x").grad.state == "needs no gradient"


def test_values_that_no_rule_keeps_are_computed_again():
    """The engine keeps no sum; the drawing shows it, and records nothing on the way."""
    x = mg.tensor([1.0, 2.0, 3.5], requires_grad=True)
    total = x.sum()
    y = total + 1
    assert y.node.inputs[0] is total.node
    graph = draw(y)
    assert vertex(graph, sign="Σ").value.text == "6.5"
    assert vertex(graph, sign="+ 1").value.text == "7.5"


def test_a_value_whose_input_was_overwritten_is_not_shown():
    """What would be computed from other numbers than at the time is said to be overwritten."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x + 1).sum()
    with mg.no_grad():
        x[0] = 100.0
    graph = draw(y)
    assert str(vertex(graph, kind="parameter").value) == "now [100, 2]"
    assert vertex(graph, sign="+ 1").value.state == "overwritten"
    assert vertex(graph, sign="Σ").value.text == "5"  # the root is at hand


def test_gradients_through_an_overwritten_value_are_not_shown():
    """A sweep that the engine refuses leaves "overwritten", not an error and not a wrong number."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x * x).sum()
    y.backward()
    with mg.no_grad():
        x[0] = 100.0
    square = vertex(draw(y + 0), sign="×")
    assert square.grad.text == "[1, 1]"  # came before the refusal
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    z = (x.exp() * x).sum()
    z.backward()
    with mg.no_grad():
        x[0] = 3.0
    assert vertex(draw(z), sign="exp").grad.state == "overwritten"


def test_a_large_graph_shows_what_was_kept_and_computes_nothing(monkeypatch):
    """Above the limit, values and gradients that would take long are "not kept"."""
    monkeypatch.setattr(quantities, "LIMIT", 2)
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = (x + 1 + 2).exp().sum()
    y.backward()
    graph = draw(y)
    assert vertex(graph, sign="+ 1").value.state == "not kept"
    assert vertex(graph, sign="exp").value.text == "[54.6, 148.4]"
    assert vertex(graph, sign="exp").grad.state == "not kept"


@pytest.mark.parametrize(
    ("array", "text"),
    [
        (np.array(0.123456), "0.1235"),
        (np.array([[1.0, -2.5]]), "[1, −2.5]"),
        (np.array([[1, 2], [3, 4]]), "[[1, 2], [3, 4]]"),
        (np.array([True, False]), "[True, False]"),
        (np.zeros((0, 3)), "empty"),
        (np.arange(100.0), "49.5 ± 28.9"),
        (np.array([1.0] * 7 + [np.nan]), "1 of 8 not finite"),
    ],
)
def test_small_tensors_show_numbers_and_large_ones_their_spread(array, text):
    """Up to six numbers with four digits; above, mean ± standard deviation."""
    assert quantities.quantity(array).text == text


@pytest.mark.parametrize(
    ("array", "details"),
    [
        (np.arange(24.0), "████████████  0 … 23"),
        (np.ones(9), "all 1"),
        (np.array([0.0] * 8 + [11.0]), "█          ▁  0 … 11"),
        (np.array([1.0, 2.0]), ""),
    ],
)
def test_large_tensors_have_a_histogram(array, details):
    """Twelve bars between the least and the largest, for the tooltip; small ones need none."""
    assert quantities.quantity(array).details == details


def test_numbers_at_the_end_of_their_range_are_drawn_without_a_warning():
    """Sums that overflow on the way are no reason to print anything."""
    x = mg.tensor(np.r_[-1.7e308 * np.ones(8), 1.7e308], requires_grad=True)
    assert vertex(draw(x * 1), kind="parameter").value.state == "computed"


def test_tooltips_have_a_line_for_each_number():
    """The histogram stands in the SVG, behind a line break that browsers show."""
    svg = draw(mg.tensor(np.arange(24.0), requires_grad=True) * 2).svg
    assert "&#10;value: ████████████" in svg


def test_a_network_is_drawn_with_its_modules_and_its_gamma_and_sigma():
    """Modules are clusters; γ, β, μ and σ are boxes of their own inside BatchNorm's."""
    graph = draw(network()[1])
    (sequential,) = graph.picture.top.children
    assert sequential.title == "Sequential"
    titles = [cluster.title for cluster in sequential.children]
    assert titles == ["0 · Linear", "1 · BatchNorm1d", "2 · ReLU"]
    linear, norm, relu = sequential.children
    assert {v.sign for v in linear.vertices} == {"W", "b", "x Wᵀ + b"}
    assert {v.sign for v in norm.vertices} == {"ẑ = (x − μ)/σ", "μ", "σ", "γ", "β", "γ·ẑ + β"}
    assert [v.sign for v in relu.vertices] == ["ReLU"]
    assert [v.kind for v in graph.picture.top.vertices] == ["input", "operation", "operation"]
    assert vertex(graph, sign="γ").name == "weight"
    assert vertex(graph, sign="γ").path == "1"
    assert graph.dot.count("subgraph cluster_") == 4
    for sign in ("γ", "σ"):
        assert f"<B>{sign}</B>" in graph.dot


def test_sigma_is_the_one_that_the_layer_divided_by():
    """The value on σ's box is √(var + ε) of the layer's input."""
    x = mg.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    z, _, _ = mg.standardize(x, axis=0)
    sigma = np.sqrt(x.data.var(axis=0) + 1e-5)
    found = vertex(draw(z.sum()), sign="σ")
    assert found.kind == "output"
    assert found.value.text == quantities.quantity(sigma).text
    assert found.grad is None  # nothing reads it: it has no gradient of its own


def test_an_output_that_is_read_is_a_box_with_a_gradient():
    """σ has arrows to its readers, and after backward its gradient."""
    x = mg.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    z, _, sigma = mg.standardize(x, axis=0)
    y = (z * sigma).sum()
    y.backward()
    graph = draw(y)
    found = vertex(graph, sign="σ")
    expected = mg.grad(y, [sigma])[0]
    assert found.grad.text == quantities.quantity(expected.data).text
    product = vertex(graph, sign="×")
    assert [e.source for e in graph.picture.edges if e.target == product.id] == [
        vertex(graph, operation="standardize").id,
        found.id,
    ]


def test_running_statistics_are_constants_of_their_layer():
    """In evaluation μ and σ stand in BatchNorm's cluster and need no gradient."""
    model, _ = network()
    graph = draw(model.eval()(mg.randn(5, 4)))
    for sign in ("μ", "σ"):
        found = vertex(graph, sign=sign)
        assert (found.kind, found.path, found.grad.state) == ("constant", "1", "needs no gradient")


def test_gamma_of_images_is_known_through_its_reshape():
    """BatchNorm2d reshapes its weight first; the parameter is still drawn as γ."""
    model = nn.Sequential(nn.BatchNorm2d(2))
    graph = draw(model(mg.randn(3, 2, 4, 4).requires_grad_()))
    assert vertex(graph, sign="γ").name == "weight"


def test_arguments_are_told_where_they_could_be_confused():
    """x − y and y − x differ by the labels of their arrows; a sum needs none."""
    a, b = number(1), number(2)
    labels = [re.findall(r"-> n2 .*>([xy])</TD>", draw(y).dot) for y in (a - b, a + b)]
    assert labels == [["x", "y"], []]


def test_plain_numbers_are_written_into_their_operation():
    """x², 1 − x and 3x need no box for the number."""
    x = number(2)
    signs = {v.sign for v in draw([x**2, 1 - x, x * 3, x**-0.5]).picture.vertices}
    assert signs == {"", "x²", "1 −", "× 3", "x^−0.5"}


def test_the_same_tensor_twice_is_one_box_with_two_arrows():
    """x·x has one x."""
    x = number(3)
    graph = draw(x * x)
    assert len(graph.picture.vertices) == 2
    assert [(e.source, e.argument) for e in graph.picture.edges] == [("n0", "x"), ("n0", "y")]


def test_joined_tensors_are_all_drawn():
    """An operation with any number of inputs has an arrow from each."""
    xs = [mg.tensor([float(i)], requires_grad=True) for i in range(3)]
    graph = draw(mg.cat(xs))
    assert [e.argument for e in graph.picture.edges] == ["x1", "x2", "x3"]


def test_a_tensor_without_a_graph_is_one_box():
    """There is always something to draw."""
    graph = draw(mg.tensor([1.0, 2.0]))
    assert [(v.kind, v.value.text) for v in graph.picture.vertices] == [("input", "[1, 2]")]


def test_a_graph_of_gradients_is_drawn_too():
    """What `grad(create_graph=True)` built is a graph like any other."""
    x = mg.tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    z, _, _ = mg.standardize(x, axis=0)
    (g,) = mg.grad((z**3).sum(), [x], create_graph=True)
    graph = draw(g.square().sum())
    assert not vertices(graph, kind="operation", value=None)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_wherever_they_stand(name):
    """No name breaks out of DOT or SVG, is read as markup, or loses its letters."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    model = nn.Sequential(nn.Linear(2, 2))
    model[0]._name = name
    graph = draw(model(x).sum(), names={name: x})
    assert graph.picture.top.children[0].children[0].scope[-1][0] == name
    assert "<script>" not in graph.dot
    assert "\\" not in graph.dot
    svg = ET.fromstring(graph.svg)  # noqa: S314 - of our own making
    drawn = [" ".join(text.itertext()) for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert shown(name).replace(" ", "") in "".join(drawn).replace("\u00a0", "").replace(" ", "")
    assert len(svg.findall(".//*[@class='node']")) == len(graph.picture.vertices)


@pytest.mark.parametrize("name", HOSTILE)
def test_names_are_text_in_titles_captions_and_gradients(name):
    """So it is over compared drawings, under them, and in the names of gradients."""
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    graph = draw(x * x, names={name: x}, backward=True, legend=True, heat="value")
    tall = draw((x * x * x * x).exp().sum(), max_nodes=3)
    both = compare(graph, tall, titles=(name, name))
    assert both.picture.caption
    assert "\\" not in both.dot
    svg = ET.fromstring(both.svg)  # noqa: S314 - of our own making
    assert len(svg.findall(".//*[@class='node']")) == len(both.picture.vertices)
    assert not list(svg.iter("{http://www.w3.org/2000/svg}script"))
    assert "\x00" not in both.text()


def test_long_names_are_cut():
    """A name takes no more room than a box has."""
    assert len(shown("x" * 1000)) == LONGEST


def test_the_svg_is_well_formed_and_stands_alone():
    """No prolog (so that it can stand in a page), a page of its own, all boxes."""
    svg = draw(network()[1]).svg
    assert svg.startswith("<svg")
    assert '<rect fill="#ffffff"' in svg
    ET.fromstring(svg)  # noqa: S314


def test_a_notebook_gets_a_picture_and_a_text():
    """The bundle has both, and nothing is printed."""
    bundle = draw(micrograd()[0])._repr_mimebundle_()
    assert set(bundle) == {"image/svg+xml", "text/plain"}


@pytest.mark.parametrize("direction", ["LR", "TB"])
def test_drawing_prints_nothing(direction, capfd):
    """Not even Graphviz's font warnings reach standard error."""
    assert draw(network()[1], direction=direction).svg
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("ending", "start"),
    [
        ("svg", b"<svg"),
        ("png", b"\x89PNG\r\n"),
        ("pdf", b"%PDF-"),
        ("dot", b"digraph"),
        ("txt", b"n0"),
        ("PNG", b"\x89PNG"),
    ],
)
def test_save_writes_what_the_ending_says(tmp_path, ending, start):
    """Each format begins as it must, and no part of a file is left beside it."""
    target = draw(micrograd()[0]).save(tmp_path / f"graph.{ending}")
    assert target.read_bytes().startswith(start)
    assert [path.name for path in tmp_path.iterdir()] == [f"graph.{ending}"]


def test_dpi_scales_a_png(tmp_path):
    """Twice the dots an inch make twice the width."""
    graph = draw(micrograd()[0])
    widths = [
        int.from_bytes(graph.save(tmp_path / "x.png", dpi=dpi).read_bytes()[16:20])
        for dpi in (72, 144)
    ]
    with pytest.raises(ValueError, match="at least 1; got 0"):
        graph.save(tmp_path / "x.png", dpi=0)
    assert widths[1] == pytest.approx(2 * widths[0], abs=3)


@pytest.mark.parametrize("name", ["x.jpeg", "x.gv.exe", "x"])
def test_save_refuses_other_formats_and_names_the_known(tmp_path, name):
    """Graphviz never sees a format that it might not know; nothing is written."""
    with pytest.raises(ValueError, match=r"\.svg, \.png, \.pdf, \.dot, \.txt"):
        draw(micrograd()[0]).save(tmp_path / name)
    with pytest.raises(ValueError, match="svg, png, pdf"):
        render.render("digraph {}", "jpeg")
    assert not list(tmp_path.iterdir())


def test_format_text_shows_the_text_in_a_notebook_too():
    """print(draw(y, format="text")) and the cell's output are the same lines."""
    graph = draw(micrograd()[0], format="text")
    assert graph._repr_mimebundle_() == {"text/plain": str(graph)}
    with pytest.raises(ValueError, match="svg, text; got 'jpeg'"):
        draw(micrograd()[0], format="jpeg")


def test_save_refuses_a_folder_that_is_not_there(tmp_path):
    """The message names the folder."""
    with pytest.raises(FileNotFoundError, match="nowhere"):
        draw(micrograd()[0]).save(tmp_path / "nowhere" / "x.dot")


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    """A drawing is replaced by a whole one or not at all."""
    target = tmp_path / "x.dot"
    target.write_text("old")

    def full(self, content):
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="disk full"):
        draw(micrograd()[0]).save(target)
    assert target.read_text() == "old"


@pytest.fixture
def _no_graphviz(monkeypatch):
    monkeypatch.setattr(render, "_dot", lambda: None)
    monkeypatch.setattr(render, "_pygraphviz", lambda: None)


@pytest.mark.usefixtures("_no_graphviz")
def test_without_graphviz_there_is_the_text_and_what_to_install(tmp_path):
    """A notebook shows text and one sentence; saving a picture says what is missing."""
    d, names = micrograd()
    graph = draw(d, names=names)
    bundle = graph._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "tanh" in bundle["text/plain"]
    assert render.INSTALL in bundle["text/plain"]
    assert "text only" in drawing_path()
    with pytest.raises(RuntimeError, match=re.escape(render.INSTALL)):
        graph.save(tmp_path / "x.svg")
    assert graph.save(tmp_path / "x.txt").read_text(encoding="utf-8") == f"{graph}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for dot is a shell script")
def test_dot_on_path_comes_first(tmp_path, monkeypatch):
    """Where there is a dot, it draws, whatever else is installed; its failure is told."""
    stand_in = tmp_path / "dot"
    stand_in.write_text('#!/bin/sh\ncat >/dev/null\necho "<svg>drawn by $1</svg>"\n')
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "drawn by -Kdot" in draw(micrograd()[0]).svg
    assert drawing_path() == f"dot of unknown version on PATH ({stand_in})"
    stand_in.write_text("#!/bin/sh\ncat >/dev/null\necho no fonts >&2\nexit 1\n")
    with pytest.raises(RuntimeError, match="no fonts"):
        render.render("digraph {}", "svg")


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for dot is a shell script")
def test_a_layout_that_takes_too_long_is_stopped(tmp_path, monkeypatch):
    """A notebook gets the text and one sentence; a file is not written."""
    stand_in = tmp_path / "dot"
    stand_in.write_text("#!/bin/sh\nexec sleep 60\n")
    stand_in.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(render, "SECONDS", 0.05)
    graph = draw(micrograd()[0])
    bundle = graph._repr_mimebundle_()
    assert set(bundle) == {"text/plain"}
    assert "took more than 0.05 s" in bundle["text/plain"]
    with pytest.raises(render.DrawingError, match="max_nodes"):
        graph.save(tmp_path / "x.png")
    assert not (tmp_path / "x.png").exists()


def test_a_crash_of_the_drawer_is_an_error_like_any_other(monkeypatch):
    """Native code runs in a process of its own, whose end does not end ours."""
    monkeypatch.setattr(render, "_dot", lambda: None)
    monkeypatch.setattr(render, "_pygraphviz", lambda: "2.0")
    monkeypatch.setattr(render.sys, "executable", os.devnull)
    with pytest.raises(render.DrawingError, match="Graphviz says"):
        render.render("digraph {}", "svg")


def test_the_drawing_path_is_one_sentence():
    """`minigrad doctor` prints it."""
    assert re.match(r"dot \d|the Graphviz inside pygraphviz \d|text only", drawing_path())
    assert "\n" not in drawing_path()


def test_importing_loads_no_graphviz():
    """`import minigrad.drawing` costs nothing that drawing alone needs."""
    code = "import sys, minigrad.drawing; print({'graphviz', 'pygraphviz'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_text_reads_as_a_list_under_its_modules():
    """Each line says what was computed from what, under the modules it is in."""
    text = draw(network()[1], show=("shape",)).text()
    assert re.search(
        r"^Sequential\n  0 · Linear\n    n1 +W weight +parameter +\(3, 4\)$", text, re.M
    )
    assert re.search(r"^    n3 +x Wᵀ \+ b +← n0, n1, n2 +\(5, 3\)$", text, re.M)
    assert repr(draw(mg.tensor(1.0))) == "n0  input  value 1  grad needs no gradient"


def test_only_what_is_asked_for_is_shown():
    """show=("shape",) has neither values nor gradients, and show=() no shapes either."""
    _, y = network()
    y.backward()
    assert ">value" not in draw(y, show=("shape",)).dot.replace("&#160;", "")
    assert ">value" in draw(y).dot.replace("&#160;", "")
    assert ">grad" not in draw(y, show=("shape", "value")).dot.replace("&#160;", "")
    assert "(5, 3)" in draw(y, show="shape").dot
    assert "(5, 3)" not in draw(y, show=()).dot


def test_a_long_chain_is_drawn():
    """200 operations: every box, in a picture."""
    x = y = mg.tensor([1.0, 2.0], requires_grad=True)
    for _ in range(200):
        y = y * 1.01
    y.sum().backward()
    graph = draw(y.sum(), max_nodes=None)
    assert len(vertices(graph, kind="operation")) == 201
    assert graph.svg.count('class="node"') == 202
    assert x.grad is not None


def test_a_large_drawing_has_straight_arrows():
    """Bent ones would take Graphviz minutes."""
    y = mg.tensor(1.0, requires_grad=True)
    for _ in range(300):
        y = y * 1.01
    assert "splines=line" in draw(y, max_nodes=None).dot
    assert "splines" not in draw(y).dot


def test_wrong_arguments_are_told():
    """Each error names what was asked for, what was found and what is known."""
    with pytest.raises(TypeError, match=r"needs a Tensor.*got float"):
        draw(1.0)
    with pytest.raises(TypeError, match="got none"):
        draw([])
    with pytest.raises(TypeError, match=r"names=.'a': ….*needs a Tensor; got int"):
        draw(mg.tensor(1.0), names={"a": 1})
    with pytest.raises(TypeError, match=r"model=….*needs a Module; got int"):
        draw(mg.tensor(1.0), model=1)
    with pytest.raises(ValueError, match="grad, value, None; got 'loss'"):
        draw(mg.tensor(1.0), heat="loss")
    with pytest.raises(ValueError, match="shape, value, grad; got 'colour'"):
        draw(mg.tensor(1.0), show=("colour",))
    with pytest.raises(ValueError, match="LR, TB; got 'RL'"):
        draw(mg.tensor(1.0), direction="RL")


def test_cross_entropy_is_drawn_with_its_probabilities():
    """The softmax that the loss keeps is an output of it, so it is on the picture."""
    z = mg.randn(5, 3).requires_grad_()
    graph = draw(functional.cross_entropy(z, mg.tensor([0, 1, 2, 0, 1])), names={"z": z})
    assert vertex(graph, sign="p").shape == (5, 3)
    assert vertex(graph, sign="t").kind == "constant"
