"""CuPy as a backend, and what to tell a user whose CuPy does not work."""

from __future__ import annotations

import re
from importlib import metadata

from minigrad.backend.protocol import Backend


def load() -> Backend:
    """CuPy, or a RuntimeError that says why there is none and what to do."""
    asked = 'use("cupy") needs CuPy 14 or newer and an NVIDIA GPU'
    try:
        import cupy  # noqa: PLC0415 - only where the user asks for it
    except ImportError as error:
        raise RuntimeError(
            f"{asked}; found no working CuPy ({error}). Install it to match your CUDA: "
            'pip install "minigrad[cuda12]" or "minigrad[cuda13]".'
        ) from error
    if int(cupy.__version__.partition(".")[0]) < 14:  # noqa: PLR2004 - the Array API names
        raise RuntimeError(
            f'{asked}; found CuPy {cupy.__version__}. Upgrade it: pip install "minigrad[cuda12]".'
        )
    try:
        devices = cupy.cuda.runtime.getDeviceCount()
    except cupy.cuda.runtime.CUDARuntimeError as error:
        devices, reason = 0, f" ({error})"
    else:
        reason = ""
    if not devices:
        raise RuntimeError(
            f"{asked}; found CuPy {cupy.__version__} but no GPU{reason}. Run on a machine with "
            'one, check its driver with nvidia-smi, or stay on use("numpy").'
        )
    from cupyx.scipy.special import erf  # noqa: PLC0415

    # Starting a kernel takes longer than reading what the cache has lost: few and large blocks.
    return Backend("cupy", cupy, cupy.asarray, cupy.asnumpy, cupy.add.at, erf, block=2**24)


def status() -> list[tuple[str, str]]:
    """What there is of CuPy, line by line, for `minigrad doctor`: (label, text)."""
    names = sorted({str(d.metadata["Name"]) for d in metadata.distributions()})
    copies = [name for name in names if re.fullmatch(r"cupy(-cuda\d+x|-rocm.*)?", name)]
    several = "several are installed and overwrite each other: {}; uninstall all, then install one"
    lines = [("CuPy", several.format(", ".join(copies)))] if len(copies) > 1 else []
    try:
        cupy = load().xp
    except RuntimeError as error:
        return [*lines, ("CuPy", str(error))]
    runtime = cupy.cuda.runtime
    device = runtime.getDeviceProperties(runtime.getDevice())["name"].decode()
    driver, cuda = (
        f"{version // 1000}.{version % 1000 // 10}"
        for version in (runtime.driverGetVersion(), runtime.runtimeGetVersion())
    )
    match = "match" if driver.split(".")[0] >= cuda.split(".")[0] else "the driver is too old"
    return [
        *lines,
        ("CuPy", cupy.__version__),
        ("GPU", device),
        ("CUDA", f"driver supports {driver}, CuPy uses {cuda}: {match}"),
    ]
