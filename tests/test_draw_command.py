"""`minigrad draw`: a script's tensor as a drawing, and clear words where that cannot be."""

import sys

import pytest

from minigrad.cli import main

SCRIPT = """
import sys
import helper
import minigrad as mg
from minigrad import nn

mg.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
spare = helper.layer()
x = mg.randn(4, 2)
loss = model(x).square().sum()
loss.backward()
number = 3
argv = sys.argv
"""


@pytest.fixture
def script(tmp_path):
    """A script that imports a file beside it."""
    (tmp_path / "helper.py").write_text(
        "from minigrad import nn\n\n\ndef layer():\n    return nn.Linear(2, 2)\n"
    )
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    yield path
    sys.modules.pop("helper", None)


def test_a_tensor_of_a_script_is_printed(script, capsys):
    """Without --out the text is printed; the script's names stand in it."""
    before = sys.path[:], sys.argv
    assert main(["draw", f"{script}:loss"]) == 0
    said = capsys.readouterr().out
    assert "0 · Linear" in said
    assert "x  " in said
    assert "loss = Σ" in said
    assert (sys.path, sys.argv) == before


def test_a_tensor_of_a_script_is_saved(script, tmp_path, capsys):
    """--out says the format by its ending; options are those of draw()."""
    out = tmp_path / "loss.svg"
    options = ["--depth", "1", "--heat", "grad", "--legend", "--show", "shape", "--model", "spare"]
    assert main(["draw", f"{script}:loss", "--out", str(out), *options]) == 0
    svg = out.read_text(encoding="utf-8")
    assert svg.startswith("<svg")
    assert "folded module" in svg
    assert "root mean square" in svg
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("{}", "needs SCRIPT:NAME"),
        ("{}:lost", "there is no 'lost'. Name one of its tensors: x, loss."),
        ("{}:number", "'number' of type int. Name one of its tensors"),
        ("{}:model", "'model' of type Sequential"),
        ("{}.none:loss", "there is no such file"),
    ],
)
def test_what_cannot_be_drawn_is_told(script, capsys, what, message):
    """What was asked, what was found, what to do; nothing on standard output."""
    assert main(["draw", what.format(script)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = x / 0\n", "stopped in line 2 with ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "stopped in line 1 with SystemExit: 3"),
        ("def f(:\n", "in line 1 with SyntaxError"),
    ],
)
def test_a_script_that_fails_is_told(tmp_path, capsys, text, message):
    """The line and the error of the script, and how to run it alone."""
    path = tmp_path / "broken.py"
    path.write_text(text)
    assert main(["draw", f"{path}:loss"]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert f"Mend it first: python {path}" in said


@pytest.mark.parametrize("option", [["--depth", "-1"], ["--show", "colour"], ["--out", "x.jpeg"]])
def test_wrong_options_are_told(script, capsys, option):
    """draw()'s own messages reach the terminal."""
    assert main(["draw", f"{script}:loss", *option]) == 2
    assert capsys.readouterr().err.startswith("minigrad: ")
