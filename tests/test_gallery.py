"""The gallery shows code that draws what stands under it."""

import base64

import pytest

from minigrad.drawing import gallery


@pytest.mark.parametrize("example", gallery.examples(), ids=lambda e: e.title)
def test_the_code_that_is_shown_draws_the_picture(example):
    """Run by itself, after the setup, its last line is the drawing that stands under it."""
    *lines, last = example.code.rstrip().split("\nmg.draw(")
    if not lines:
        *lines, last = example.code.rstrip().split("\ncompare(")
        last = f"compare({last}"
    else:
        last = f"mg.draw({last}"
    names: dict[str, object] = {}
    exec("\n".join([gallery.SETUP, *lines]), names)  # noqa: S102 - our own lines
    assert eval(last, names).dot == example.graph.dot  # noqa: S307
    assert "return" not in example.code
    assert "assert" not in example.code


def test_the_picture_is_an_address_that_needs_no_network():
    """It is the SVG itself."""
    example = gallery.examples()[0]
    kind, _, data = example.picture.partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert base64.b64decode(data).decode() == example.graph.svg


def test_examples_are_of_three_sizes():
    """Some boxes, a network, and a graph too large to be drawn whole."""
    sizes = [len(e.graph.picture.vertices) for e in gallery.examples()]
    assert min(sizes) < 10 < max(sizes)
    assert any("boxes are drawn as" in e.graph.picture.caption for e in gallery.examples())
