"""Change the sources one operator or number at a time; the tests should notice (see mutants.md).

``python tests/mutants.py minigrad/ops/losses.py … [--sample 80]`` works on a copy. Needs cosmic-ray
(the changes), coverage (which tests reach a line; only these run) and a system that can fork.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import functools
import gc
import inspect
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
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
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
NAMES = """attention backend convolution engine entrywise fuzz layers losses nn ops optim products
    recurrent tensor transforms"""
FILES = [f"tests/test_{name}.py" for name in NAMES.split()]
ENOUGH = 10.0  # seconds of tests for a mutant
Place = tuple[Any, ...]  # where in the sources some code comes from
AT_IMPORT = 77  # the answer for a change outside functions, which takes effect at import
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


def swaps(path: Path, source: str, changed: str) -> dict[Place, CodeType]:
    """The new code of the functions that a change is in; empty where it is not in a function."""
    texts = source, changed
    pairs = [tuple(compile(text, path, "exec", dont_inherit=True) for text in texts)]
    found = {}
    while pairs:
        old, new = pairs.pop()
        inner = [[c for c in code.co_consts if isinstance(c, CodeType)] for code in (old, new)]
        if len(inner[0]) != len(inner[1]):
            return {}
        pairs += zip(*inner, strict=True)
        if old.co_flags & inspect.CO_OPTIMIZED:  # a function's
            if old != new and len(old.co_freevars) == len(new.co_freevars):
                found[_place(old)] = new
        elif _own(old) != _own(new):  # a module's or a class's, which has run
            return {}
    return found


def _own(code: CodeType) -> tuple[Any, ...]:
    constants = [c for c in code.co_consts if not isinstance(c, CodeType)]
    return code.co_code, code.co_names, [(type(c), c) for c in constants]


def _place(code: CodeType) -> Place:
    return code.co_filename, code.co_qualname, tuple(code.co_positions())


class Swapping:
    """A plugin of pytest: collect once, then run the tests of each mutant in a fork."""

    def __init__(self, trials: list[Trial], report: Path) -> None:
        self.trials, self.report = trials, report

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run the tests that reach each change; write which changes pass, or cannot be swapped."""
        items = {item.nodeid: item for item in session.items}
        things = gc.get_objects()
        caches = [c for c in things if isinstance(c, functools._lru_cache_wrapper)]
        caches = [c for c in caches if str(c.__module__).startswith("minigrad")]
        by_place: dict[Place, list[FunctionType]] = {}
        for function in [f for f in things if isinstance(f, FunctionType)]:
            by_place.setdefault(_place(function.__code__), []).append(function)
        gc.freeze()
        codes = []
        for trial in self.trials:
            new = swaps(trial.path, trial.source, trial.changed)
            chosen = [items[test] for test in trial.tests]

            def run(new: dict[Place, CodeType] = new, chosen: list[Any] = chosen) -> int:
                for place, code in new.items():
                    for function in by_place.get(place, []):
                        function.__code__ = code
                for cache in caches:
                    cache.cache_clear()
                for item, after in itertools.pairwise([*chosen, None]):
                    session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
                return 0

            codes.append(in_child(run, trial.limit) if new else AT_IMPORT)
        self.report.write_text(json.dumps(codes))
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Stop at the first failure."""
        if report.failed:
            os._exit(1)


class Chosen:
    """A plugin of pytest: the chosen tests alone, in this order."""

    def __init__(self, tests: list[str]) -> None:
        self.place = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop the others."""
        items[:] = [item for item in items if item.nodeid in self.place]
        items.sort(key=lambda item: self.place[item.nodeid])


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


def in_child(run: Callable[[], int], limit: float) -> int | None:
    """What ``run`` answers in a process of its own, None if that takes more than ``limit``."""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            os._exit(run())
        finally:
            os._exit(1)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.killpg(child, 9)
    os.waitpid(child, 0)
    return None


def tests(copy: Path, plugin: Callable[[], Any], files: Iterable[str], limit: float) -> int | None:
    """pytest's exit code for these files, run in ``copy`` in a process of its own."""

    def run() -> int:
        os.chdir(copy)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # halves the time to collect
        sys.modules["torch"] = None  # type: ignore[assignment] # no comparison with PyTorch
        sys.dont_write_bytecode = isinstance(made := plugin(), Chosen)
        return pytest.main([*OPTIONS, *files], [made])

    return in_child(run, limit)


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
    if tests(copy, lambda: Reached(report), FILES, 3600) != 0:
        sys.exit(f"The tests fail without any change. Run pytest in {copy}.")
    return copy, json.loads(report.read_text())


@dataclass
class Trial:
    """A change to a line of a file, and the tests that reach it, the quick ones first."""

    path: Path
    source: str
    line: int
    changed: str
    tests: list[str]
    limit: float

    @property
    def files(self) -> set[str]:
        """Where the tests are."""
        return {test.partition("::")[0] for test in self.tests}

    def at_import(self, copy: Path) -> int | None:
        """pytest's exit code with the change written to the file."""
        self.path.write_text(self.changed, encoding="utf-8")
        try:
            return tests(copy, lambda: Chosen(self.tests), sorted(self.files), self.limit)
        finally:
            self.path.write_text(self.source, encoding="utf-8")


def trial(path: Path, source: str, line: int, changed: str, reached: dict[str, Any]) -> Trial:
    """The trial of one change: enough of the tests that reach its line."""
    names = reaching(reached["lines"].get(str(path), {}), source, line)
    quick_first = sorted((reached["seconds"][name], name) for name in names)
    ends = list(itertools.accumulate(time for time, _ in quick_first))
    chosen = [name for (_, name), end in zip(quick_first, ends, strict=True) if end < ENOUGH]
    return Trial(path, source, line, changed, chosen, 30 + 5 * min(ENOUGH, sum(ends[-1:])))


def survivors(copy: Path, trials: list[Trial]) -> list[Trial]:
    """The changes that no test notices."""
    report = copy / "codes.json"
    files = sorted(set().union(*(trial.files for trial in trials)))
    report.unlink(missing_ok=True)
    tests(copy, lambda: Swapping(trials, report), files, sum(t.limit for t in trials))
    codes = json.loads(report.read_text())
    return [
        trial
        for trial, code in zip(trials, codes, strict=True)
        # Once more with the file changed, as some functions have done their work at import.
        if code in (0, AT_IMPORT) and (not trial.tests or trial.at_import(copy) == 0)
    ]


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
        left = survivors(copy, [trial(copy / file, source, *change, reached) for change in tried])
        for one in left:
            pair = source.splitlines(), one.changed.splitlines()
            diff = difflib.unified_diff(*pair, n=0, lineterm="")
            print(f"{file}:{one.line}", *list(diff)[3:], sep="\n")
        print(f"| {file} | {len(every)} | {count} | {count - len(left)} |", flush=True)
    shutil.rmtree(copy)


if __name__ == "__main__":
    main()
