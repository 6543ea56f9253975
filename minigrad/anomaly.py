"""Stop at the first NaN or infinity, where it was made: `detect_anomaly`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from minigrad import backend, recording
from minigrad.backend import namespace
from minigrad.node import Node
from minigrad.tensor import Tensor


class detect_anomaly(recording.no_grad):  # noqa: N801 - reads as in PyTorch
    """Check every recorded result and every gradient inside the ``with`` block.

    The first NaN or infinity raises a FloatingPointError that names the operation, its module and
    what went into it. Each check reads the numbers back, so this is for searching, not training.
    """

    recording = recording.WATCHED

    def __enter__(self) -> None:
        """Have every recorded result checked."""
        super().__enter__()
        recording.thread.state.check = check


def check(node: Node, found: Iterable[Any], inputs: Mapping[str, Any], what: str) -> None:
    """Raise if anything ``found`` is not finite."""
    bad = [x for x in found if x is not None and not _finite(_raw(x))]
    if not bad:
        return
    path = ".".join(name for name, _ in node.scope if name)
    place = f" in module {path!r}" if path else ""
    told = "; ".join(f"{name} {_describe(_raw(x))}" for name, x in inputs.items())
    raise FloatingPointError(
        f"detect_anomaly looks for the first NaN or infinity; found it in {what} "
        f"{node.op.name}{place}: {_describe(_raw(bad[0]))}. It was computed from {told}. "
        "Look for a division by 0, the log or root of a number ≤ 0, an overflow, or a learning "
        "rate too large."
    )


def _raw(x: Any) -> Any:
    return x.data if isinstance(x, Tensor) else x


def _finite(x: Any) -> bool:
    if not backend.is_array(x) or not backend.is_float(x.dtype):
        return True
    return bool(namespace(x).all(namespace(x).isfinite(x)))


def _describe(x: Any) -> str:
    """Shape and range of an array, and how much of it is not finite."""
    if not backend.is_array(x):
        return f"= {x}"
    host = backend.to_numpy(x)
    finite = host[host == host] if host.dtype.kind == "f" else host  # noqa: PLR0124 - NaN ≠ NaN
    span = f"from {finite.min():.4g} to {finite.max():.4g}" if finite.size else "nothing but NaN"
    nans = host.size - finite.size
    return f"of shape {host.shape}, {span}{f', {nans} NaN' if nans else ''}"
