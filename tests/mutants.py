"""Change the sources one operator or number at a time; the tests should notice (see mutants.md).

``python tests/mutants.py minigrad/ops/losses.py … [--sample 80]`` works on a copy. Needs cosmic-ray
(the changes), coverage (which tests reach a line; only these run) and a system that can fork.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import itertools
import json
import os
import random
import re
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import array_api_strict  # noqa: F401 - imported once here, and not once per mutant
import coverage
import hypothesis  # noqa: F401
import numpy as np  # noqa: F401
import parso  # noqa: F401 - cosmic-ray's own order of imports is a circle
import pytest
from cosmic_ray import plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code

ROOT = Path(__file__).parent.parent
TESTS = """attention backend convolution engine fuzz layers losses nn ops optim products recurrent
    tensor transforms"""

OPTIONS = ["-x", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestAssertRewriteWarning"]

# Swaps that no arithmetic here survives, that only annotations have, or that change nothing.
DULL = re.compile(
    r"""core/(
        ReplaceBinaryOperator_BitOr_.*
        |ReplaceBinaryOperator_.*_(BitAnd|BitOr|BitXor|LShift|RShift|FloorDiv|Mod|Pow)
        |ReplaceComparisonOperator_Is_(?!IsNot$).*
        |ReplaceComparisonOperator_IsNot_(?!Is$).*
        |ReplaceComparisonOperator_(?!Is_|IsNot_).*_Is(Not)?
        |ReplaceUnaryOperator_.*_(Invert|Not)
    )""",
    re.VERBOSE,
)


def mutants(source: str) -> Iterator[tuple[int, str]]:
    """Line and changed source, for every change that compiles to something else."""
    seen = {_meaning(source)}
    for name in plugins.operator_names():
        kind = plugins.get_operator(name)
        if DULL.fullmatch(name) or kind.arguments():
            continue
        places = [p for node in ast_nodes(get_ast(source)) for p in kind().mutation_positions(node)]
        for i, ((line, _), _) in enumerate(places):
            changed = mutate_code(source, kind(), i)
            try:
                meaning = _meaning(changed)
            except SyntaxError:
                continue
            if meaning not in seen:
                seen.add(meaning)
                yield line, changed


def _meaning(source: str) -> str:
    """The syntax tree, without the marks in signatures that tell places from keywords."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.arguments):
            node.args, node.posonlyargs = node.posonlyargs + node.args + node.kwonlyargs, []
            node.defaults, node.kwonlyargs = [*node.defaults, *filter(None, node.kw_defaults)], []
            node.kw_defaults = []
    return ast.dump(tree)


class Chosen:
    """A plugin of pytest: the chosen tests alone, the quick ones first."""

    def __init__(self, seconds: dict[str, float]) -> None:
        self.seconds = seconds

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop the others."""
        items[:] = [item for item in items if item.nodeid in self.seconds]
        items.sort(key=lambda item: self.seconds[item.nodeid])


class Reached:
    """A plugin of pytest: how long each test takes, and which lines it reaches."""

    def __init__(self, report: Path) -> None:
        self.report, self.seconds = report, dict[str, float]()
        self.coverage = coverage.Coverage(data_file=None, source=["minigrad"])
        self.coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Time a test, and count the lines that it and its fixtures run as its own."""
        self.coverage.switch_context(item.nodeid)
        start = time.perf_counter()
        result = yield
        self.seconds[item.nodeid] = time.perf_counter() - start
        return result

    def pytest_sessionfinish(self) -> None:
        """Write what was found."""
        self.coverage.stop()
        data = self.coverage.get_data()
        lines = {file: data.contexts_by_lineno(file) for file in data.measured_files()}
        self.report.write_text(json.dumps({"seconds": self.seconds, "lines": lines}))


def in_child(copy: Path, plugin: Callable[[], Any], files: list[str], limit: float) -> int | None:
    """pytest's exit code from a process of its own, None if it took more than ``limit`` seconds."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.chdir(copy)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # halves the time to collect
        sys.modules["torch"] = None  # type: ignore[assignment] # no comparison with PyTorch
        sys.dont_write_bytecode = isinstance(made := plugin(), Chosen)
        os._exit(pytest.main([*OPTIONS, *files], [made]))
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, 9)
    os.waitpid(child, 0)
    return None


def reaching(lines: dict[str, list[str]], source: str, line: int) -> set[str]:
    """The tests that run a line; or, where it runs at import, its function; or else the file."""
    functions = [
        n for n in ast.walk(ast.parse(source))
        if isinstance(n, ast.FunctionDef) and n.lineno <= line <= (n.end_lineno or 0)
    ]  # fmt: skip
    spans = [range(line, line + 1)]
    spans += [range(f.lineno, (f.end_lineno or 0) + 1) for f in reversed(functions)]
    for span in [*spans, range(1, len(source.splitlines()) + 1)]:
        tests = {t for n in span for t in lines.get(str(n), []) if t}
        if tests:
            return tests
    return set()


def prepare() -> tuple[Path, dict[str, Any]]:
    """A copy of the sources and tests, and what the tests reach in it."""
    copy = Path(tempfile.mkdtemp(prefix="mutants-"))
    for name in ("minigrad", "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    report = copy / "reached.json"
    files = [f"tests/test_{name}.py" for name in TESTS.split()]
    if in_child(copy, lambda: Reached(report), files, 3600) != 0:
        sys.exit(f"The tests fail without any change. Run pytest in {copy}.")
    return copy, json.loads(report.read_text())


def survives(copy: Path, reached: dict[str, Any], file: str, line: int, changed: str) -> bool:
    """Whether the tests that reach the line, 20 seconds worth of them, pass with this source."""
    path = copy / file
    source = path.read_text(encoding="utf-8")
    tests = reaching(reached["lines"].get(str(path), {}), source, line)
    quick_first = sorted((reached["seconds"][test], test) for test in tests)
    ends = itertools.accumulate(time for time, _ in quick_first)
    seconds = {test: time for (time, test), end in zip(quick_first, ends, strict=True) if end < 20}
    if not seconds:
        return True
    files = sorted({test.partition("::")[0] for test in seconds})
    try:
        path.write_text(changed, encoding="utf-8")
        return in_child(copy, lambda: Chosen(seconds), files, 30 + 5 * sum(seconds.values())) == 0
    finally:
        path.write_text(source, encoding="utf-8")


def main() -> None:
    """Show the mutants that survive, and count the others, file by file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="+")
    parser.add_argument("--sample", type=int, help="how many of a file's at most (a fixed seed)")
    asked = parser.parse_args()
    copy, reached = prepare()
    for file in asked.file:
        source = (copy / file).read_text(encoding="utf-8")
        every = list(mutants(source))
        count = min(asked.sample or len(every), len(every))
        tried = random.Random(0).sample(every, count)  # noqa: S311 - no secret
        killed = 0
        for line, changed in tried:
            if survives(copy, reached, file, line, changed):
                pair = source.splitlines(), changed.splitlines()
                diff = difflib.unified_diff(*pair, n=0, lineterm="")
                print(f"{file}:{line}", *list(diff)[3:], sep="\n", flush=True)
            else:
                killed += 1
        print(f"| {file} | {len(every)} | {count} | {killed} |", flush=True)
    shutil.rmtree(copy)


if __name__ == "__main__":
    main()
