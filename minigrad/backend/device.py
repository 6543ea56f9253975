"""PyTorch's word for where tensors live: a device is the name of a backend, "cpu" or "cuda"."""

from __future__ import annotations

from minigrad import backend


class device(str):  # noqa: N801 - reads as in PyTorch
    """Where a tensor lives: ``"cpu"``, ``"cuda"`` or the name of a backend; it is that text.

    >>> device = mg.device("cuda" if mg.cuda.is_available() else "cpu")
    """

    __slots__ = ()

    def __new__(cls, type: str, index: int | None = None) -> device:
        """A device by its name, and the number of the GPU; minigrad uses the current one."""
        if backend.place(type) is None:
            known = ", ".join(repr(name) for name in ("cpu", "cuda", *backend.names()))
            raise ValueError(f"device({type!r}) asks for an unknown device. Known ones: {known}.")
        return super().__new__(cls, type if index is None else f"{type}:{index}")

    @classmethod
    def of(cls, name: str) -> device:
        """The device on which the backend of this name computes."""
        return cls({"numpy": "cpu", "cupy": "cuda"}.get(name, name))

    @property
    def type(self) -> str:
        """Its name without a number."""
        return str(self).partition(":")[0]

    @property
    def index(self) -> int | None:  # type: ignore[override]
        """The number of the GPU, where one was given."""
        number = self.partition(":")[2]
        return int(number) if number else None

    def __repr__(self) -> str:
        """As PyTorch writes it."""
        number = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{number})"


def at(place: str | None) -> backend.Backend:
    """The backend that a ``device`` keyword asks for; None is where new tensors are born."""
    return backend.default() if place is None else backend.get(backend.place(device(place)) or "")
