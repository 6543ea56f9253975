"""The nonlinearities as modules, for Sequential; the functions are in `minigrad.nn.functional`.

``inplace=True`` is understood for the sake of scripts written for PyTorch; the result is a new
tensor all the same.
"""

from __future__ import annotations

from typing import Any

from minigrad import ops
from minigrad.nn import functional
from minigrad.nn.module import Module


class ReLU(Module):
    """y = max(x, 0)."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.relu(x)


class LeakyReLU(Module):
    """y = x where x > 0, else slope·x."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        self.negative_slope, self.inplace = negative_slope, inplace

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"negative_slope={self.negative_slope}"


class ELU(Module):
    """y = x where x > 0, else α(eˣ − 1)."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.alpha, self.inplace = alpha, inplace

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"alpha={self.alpha}"


class GELU(Module):
    """y = x·Φ(x), with Φ exact or, with ``approximate="tanh"``, approximated."""

    def __init__(self, approximate: str = "none") -> None:
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"approximate={self.approximate!r}"


class SiLU(Module):
    """y = x·σ(x)."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.silu(x)


class Sigmoid(Module):
    """y = 1/(1 + e⁻ˣ)."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.sigmoid(x)


class LogSigmoid(Module):
    """y = ln σ(x) = −ln(1 + e⁻ˣ)."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.logsigmoid(x)


class Tanh(Module):
    """y = tanh x."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.tanh(x)


class Softplus(Module):
    """y = ln(1 + e^βx)/β, and x itself where βx > threshold."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Its settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardtanh(Module):
    """y = x kept between two values, flat at both."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        self.min_val, self.max_val, self.inplace = min_val, max_val, inplace

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """Its settings."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class _Along(Module):
    """An activation along one axis, which PyTorch would guess and we ask for."""

    def __init__(self, dim: int | None = None) -> None:
        if dim is None:
            name = type(self).__name__
            raise TypeError(f"{name} needs the axis it sums over; got none. Write {name}(dim=-1).")
        self.dim = dim

    def extra_repr(self) -> str:
        """Its axis."""
        return f"dim={self.dim}"


class Softmax(_Along):
    """y = eˣ / Σ eˣ along ``dim``."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.softmax(x, self.dim)


class LogSoftmax(_Along):
    """y = x − ln Σ eˣ along ``dim``."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.log_softmax(x, self.dim)
