"""What minigrad runs on, as plain text for a bug report; what is broken gets a line saying so."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from minigrad.course import version

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
Lines = Iterator[tuple[str, str]]


def report() -> str:
    """Return a line per piece: a label and what was found."""
    lines: list[tuple[str, str]] = []
    for label, look in PIECES.items():
        try:
            lines += look()
        except Exception as error:  # a report about what is broken must not break
            lines.append((label, f"broken: {type(error).__name__}: {error}"))
    width = max(len(label) for label, _ in lines)
    return "\n".join(f"{label:<{width}}  {text}" for label, text in lines)


def _python() -> Lines:
    yield "minigrad", f"{version()} at {Path(__file__).parents[1]}"
    yield "Python", f"{platform.python_version()} at {sys.executable}"
    yield "platform", f"{platform.platform()}, {os.cpu_count()} CPUs"


def _numpy() -> Lines:
    import numpy as np  # noqa: PLC0415 - if NumPy is broken, that is one line of the report

    yield "NumPy", np.__version__
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    threads = "; ".join([_pools(), *(f"{n}={os.environ[n]}" for n in THREADS if n in os.environ)])
    yield "BLAS", f"{blas.get('name')} {blas.get('version', '')}, {threads}"


def _pools() -> str:
    try:
        from threadpoolctl import (  # type: ignore[import-untyped]  # noqa: PLC0415
            threadpool_info,
        )
    except ImportError:
        return "threads unknown (pip install threadpoolctl to see them)"
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(f"{pool['num_threads']} threads" for pool in pools) or "no thread pool found"


def _gpu() -> Lines:
    from minigrad.backend.cupy import status  # noqa: PLC0415

    yield from status()


def _drawing() -> Lines:
    from minigrad.drawing.render import drawing_path  # noqa: PLC0415

    yield "drawing", drawing_path()


def _extras() -> Lines:
    """Read from minigrad's metadata which packages are optional; the GPU has its own lines."""
    extras: dict[str, list[str]] = {}
    for requirement in metadata.requires("minigrad") or []:
        match = re.match(r"([\w.-]+).*;\s*extra == ['\"]([\w-]+)['\"]", requirement)
        if match and match[1] != "minigrad" and not match[2].startswith("cuda"):
            extras.setdefault(match[2], []).append(match[1])
    told: set[str] = set()
    for extra, names in sorted(extras.items(), key=lambda item: len(item[1])):
        found = {name: _installed(name) for name in names if name not in told}
        told |= found.keys()  # an extra that holds another need not repeat it
        here = ", ".join(f"{name} {number}" for name, number in found.items() if number)
        missing = ", ".join(name for name, number in found.items() if not number)
        advice = f'; missing {missing}: pip install "minigrad[{extra}]"' if missing else ""
        yield f"[{extra}]", f"{here or 'nothing found'}{advice}"


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


PIECES: dict[str, Callable[[], Lines]] = {
    "Python": _python,
    "NumPy": _numpy,
    "GPU": _gpu,
    "drawing": _drawing,
    "extras": _extras,
}
