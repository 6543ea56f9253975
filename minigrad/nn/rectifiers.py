"""The further nonlinearities as modules; the functions are in `minigrad.nn.functional`.

Most differ by their settings alone: a class names its function, and what ``__init__`` was given
are the settings the function is called with.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad import ops
from minigrad.nn import functional
from minigrad.nn.module import Module, Parameter


class _Activation(Module):
    """y = a function of x, with settings."""

    function: Callable[..., Any]

    def __init__(self) -> None:
        self.settings: dict[str, Any] = {}

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return type(self).function(x, **self.settings)

    def extra_repr(self) -> str:
        """Its settings."""
        return ", ".join(f"{name}={value}" for name, value in self.settings.items())


class _MayBeInPlace(_Activation):
    """One that PyTorch can do in place; here the result is a new tensor all the same."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()


class ReLU6(_MayBeInPlace):
    """y = x kept between 0 and 6."""

    function = staticmethod(functional.relu6)


class SELU(_MayBeInPlace):
    """y = λ·elu(x, α), which keeps mean 0 and variance 1."""

    function = staticmethod(functional.selu)


class Mish(_MayBeInPlace):
    """y = x·tanh(ln(1 + eˣ))."""

    function = staticmethod(functional.mish)


class Hardswish(_MayBeInPlace):
    """y = x·(x/6 + ½), with the factor kept between 0 and 1."""

    function = staticmethod(functional.hardswish)


class Hardsigmoid(_MayBeInPlace):
    """y = x/6 + ½ kept between 0 and 1."""

    function = staticmethod(functional.hardsigmoid)


class Softsign(_Activation):
    """y = x/(1 + |x|)."""

    function = staticmethod(functional.softsign)


class Tanhshrink(_Activation):
    """y = x − tanh x."""

    function = staticmethod(functional.tanhshrink)


class CELU(_Activation):
    """y = x where x > 0, else α(e^(x/α) − 1)."""

    function = staticmethod(functional.celu)

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        self.settings = {"alpha": alpha}


class Hardshrink(_Activation):
    """y = x where |x| > λ, else 0."""

    function = staticmethod(functional.hardshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        self.settings = {"lambd": lambd}


class Softshrink(_Activation):
    """y = x moved towards 0 by λ, and 0 where it would pass it."""

    function = staticmethod(functional.softshrink)

    def __init__(self, lambd: float = 0.5) -> None:
        self.settings = {"lambd": lambd}


class Threshold(_Activation):
    """y = x where it is above ``threshold``, else ``value``."""

    function = staticmethod(functional.threshold)

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        self.settings = {"threshold": threshold, "value": value}


class GLU(_Activation):
    """y = a·σ(b), with a and b the two halves of x along ``dim``."""

    function = staticmethod(functional.glu)

    def __init__(self, dim: int = -1) -> None:
        self.settings = {"dim": dim}


class Softmin(_Activation):
    """y = e⁻ˣ / Σ e⁻ˣ along ``dim``."""

    function = staticmethod(functional.softmin)

    def __init__(self, dim: int | None = None) -> None:
        if dim is None:
            raise TypeError("Softmin needs the axis it sums over; got none. Write Softmin(dim=-1).")
        self.settings = {"dim": dim}


class PReLU(Module):
    """y = x where x > 0, else a·x, with ``weight`` a learned: one, or one for each channel."""

    def __init__(self, num_parameters: int = 1, init: float = 0.25) -> None:
        self.num_parameters = num_parameters
        self.weight = Parameter(ops.zeros(num_parameters) + init)

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"num_parameters={self.num_parameters}"
