"""The rules of the house that a reader could not check at a glance."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg

PACKAGE = Path(mg.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
ENGINE = (
    "backend/__init__.py",
    "backend/kernels.py",
    "backend/places.py",
    "memory.py",
    "recording.py",
    "engine.py",
    "operation.py",
    "tensor.py",
)


def test_only_the_backend_says_cupy() -> None:
    """No code outside backend names CuPy, but for the method .cuda() and the doctor's call."""
    for path in FILES:
        if path.parent.name == "backend":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
        named = [a.name for n in imports for a in n.names] + [
            n.module or "" for n in imports if isinstance(n, ast.ImportFrom)
        ]
        assert not [name for name in named if name.startswith("cupy.") or name == "cupy"], path


def test_the_engine_names_no_tool() -> None:
    """backend, operation, engine and tensor import neither layers nor tools."""
    tools = ("drawing", "products", "course", "cli", "optim", "nn", "transforms")
    for name in ENGINE:
        text = (PACKAGE / name).read_text(encoding="utf-8")
        found = re.findall(r"(?:from|import) minigrad(?:\.(\w+))?(?: import ([\w, ]+))?", text)
        named = {word for pair in found for part in pair for word in re.findall(r"\w+", part)}
        assert not named & set(tools), name


@pytest.mark.parametrize(
    "family", sorted((PACKAGE / "ops").glob("[a-z]*.py")), ids=lambda p: p.stem
)
def test_kernels_call_functions_of_the_namespace(family: Path) -> None:
    """Inside a primitive's forward no array method is called, only functions of its namespace."""
    tree = ast.parse(family.read_text(encoding="utf-8"))
    allowed = {"xp", "backend"}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or not function.decorator_list:
            continue
        if "primitive" not in ast.unparse(function.decorator_list[0]):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                owner = ast.unparse(call.func.value)
                assert owner in allowed or owner.startswith("namespace("), ast.unparse(call)


def test_every_public_name_exists_and_says_what_it_is() -> None:
    """__all__ names what is there, and each function and class has a docstring."""
    for name in mg.__all__:
        value = getattr(mg, name)
        if callable(value):
            assert value.__doc__, name


@pytest.mark.parametrize(
    ("file", "lines"),
    [("backend/__init__.py", 300), ("operation.py", 300), ("engine.py", 300), ("products.py", 300)],
)
def test_files_stay_readable(file: str, lines: int) -> None:
    """The core keeps to its line budget; raise one only in a commit of its own."""
    assert len((PACKAGE / file).read_text(encoding="utf-8").splitlines()) <= lines


def test_every_test_states_its_claim() -> None:
    """Each test function has a docstring."""
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{path.name}:{node.name}"


def test_the_readmes_first_program() -> None:
    """The program that README opens with runs, learns, and ends in drawings and a product."""
    pytest.importorskip("sklearn", reason="needs minigrad[lessons]")
    readme = Path(__file__).parents[1] / "README.md"
    program = re.search(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    assert program is not None
    names: dict[str, Any] = {}
    exec(program[1], names)  # noqa: S102 - this repository's own text
    assert names["loss"].item() < 0.1
    assert names["loss"].grad_fn.name == "softmax_cross_entropy"
