"""PyTorch's questions about the GPU: ``"cuda" if mg.cuda.is_available() else "cpu"``."""

from __future__ import annotations

from minigrad import backend


def is_available() -> bool:
    """Whether tensors can live on a GPU here; `minigrad doctor` says why not."""
    try:
        backend.get("cupy")
    except RuntimeError:
        return False
    return True


def device_count() -> int:
    """The number of GPUs that minigrad would use: one, or none."""
    return int(is_available())
