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


def current_device() -> int:
    """The number of the GPU in use."""
    return 0


def manual_seed(seed: int) -> None:
    """Seed all random numbers: they are drawn on the host, for every device."""
    backend.manual_seed(seed)


manual_seed_all = manual_seed


def synchronize() -> None:
    """Wait until the GPU has done what it was asked to."""
    if is_available():
        backend.get("cupy").xp.cuda.runtime.deviceSynchronize()
