"""Drawings of three sizes, and of a backward pass, are what they were."""

import os
import subprocess
import sys

import pytest
from golden_drawings import CASES, FOLDER

from minigrad.drawing import render


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_drawing_is_what_it_was(case):
    """The DOT text is that of tests/golden; golden_drawings.py says how to renew it."""
    expected = (FOLDER / f"{case.__name__}.dot").read_text(encoding="utf-8")
    assert case().dot == expected, "renew it if that was meant: python tests/golden_drawings.py"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_what_was_kept_can_be_drawn(case):
    """Graphviz accepts each kept text."""
    dot = (FOLDER / f"{case.__name__}.dot").read_text(encoding="utf-8")
    assert render.render(dot, "svg").startswith(b"<svg")


def test_the_bytes_do_not_depend_on_the_process():
    """Another process, with another seed of its hashes, writes the same texts."""
    code = "from golden_drawings import *; print(''.join(case().dot for case in CASES), end='')"
    texts = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "PYTHONHASHSEED": seed,
                "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            },
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert texts[0] == texts[1]
    assert texts[0].decode() == "".join(case().dot for case in CASES)
