"""The machine that a measurement was taken on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np

from minigrad import backend as backends


def describe(threads: int, backend: str) -> dict[str, str]:
    """What a reader must know to compare these numbers with others."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    lines = {
        "CPU": f"{_cpu()}, {os.cpu_count()} logical CPUs",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "NumPy": np.__version__,
        "BLAS": f"{blas.get('name')} {blas.get('version', '')}{_kernels()}",
        "threads": str(threads),
    }
    if backend != "numpy":
        lines["GPU"] = _gpu(backend)
    if hasattr(os, "getloadavg"):
        lines["load before"] = f"{os.getloadavg()[0]:.1f} processes on average, over a minute"
    return lines


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _kernels() -> str:
    """Which kernels BLAS chose, and with how many threads, where threadpoolctl can tell."""
    try:
        from threadpoolctl import (  # type: ignore[import-untyped]  # noqa: PLC0415
            threadpool_info,
        )
    except ImportError:
        return ""
    pools = [pool for pool in threadpool_info() if "numpy" in pool["filepath"].lower()]
    return "".join(f", {p.get('architecture', '?')}, {p['num_threads']} threads" for p in pools[:1])


def _gpu(backend: str) -> str:
    xp = backends.get(backend).xp
    properties = xp.cuda.runtime.getDeviceProperties(xp.cuda.runtime.getDevice())
    return f"{properties['name'].decode()}, {backend} {xp.__version__}"
