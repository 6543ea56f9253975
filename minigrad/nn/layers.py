"""Linear, the activations, and Sequential."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from minigrad import ops
from minigrad.nn import init
from minigrad.nn.module import Module, Parameter


class Linear(Module):
    """y = x Wᵀ + b, for x of shape (…, in_features); weight (out, in), bias (out,).

    Both start uniform in ±1/√in, PyTorch's default.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        self.in_features, self.out_features = in_features, out_features
        bound = 1 / math.sqrt(in_features) if in_features else 0.0
        self.weight = Parameter(ops.zeros(out_features, in_features))
        init.uniform_(self.weight, -bound, bound)
        self.bias = Parameter(ops.zeros(out_features)) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Any) -> Any:
        """Map (…, in) to (…, out)."""
        if x.shape[-1:] != (self.in_features,):
            found = f"Set in_features={x.shape[-1]}, or flatten" if x.ndim else "Reshape"
            raise ValueError(
                f"{self._place()} needs inputs whose last axis is {self.in_features}; got shape "
                f"{tuple(x.shape)}. {found} before it."
            )
        if self.bias is None:
            return ops.linear(x, self.weight)
        return ops.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Its sizes."""
        bias = "" if self.bias is not None else ", bias=False"
        return f"in_features={self.in_features}, out_features={self.out_features}{bias}"


class ReLU(Module):
    """y = max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.relu(x)


class Sigmoid(Module):
    """y = 1/(1 + e⁻ˣ)."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.sigmoid(x)


class Tanh(Module):
    """y = tanh x."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return ops.tanh(x)


class Identity(Module):
    """y = x."""

    def forward(self, x: Any) -> Any:
        """Answer the input."""
        return x


class Flatten(Module):
    """All axes from ``start_dim`` to ``end_dim`` as one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """Map (N, …) to (N, D)."""
        return ops.flatten(x, self.start_dim, self.end_dim)


class Sequential(Module):
    """Modules one after the other, named 0, 1, 2 …, or by the keys of a dict."""

    def __init__(self, *modules: Any) -> None:
        named: Any = enumerate(modules)
        if len(modules) == 1 and isinstance(modules[0], dict):
            named = modules[0].items()
        for name, module in named:
            if not isinstance(module, Module):
                raise TypeError(
                    f"Sequential needs modules; got {module!r} in place {name}. Wrap functions "
                    "in a Module (nn.ReLU() for mg.relu)."
                )
            setattr(self, str(name), module)

    def forward(self, x: Any) -> Any:
        """Run the modules in their order."""
        for module in self.children():
            x = module(x)
        return x

    def __len__(self) -> int:
        """The number of modules."""
        return len(list(self.children()))

    def __iter__(self) -> Iterator[Module]:
        """The modules in their order."""
        return self.children()

    def __getitem__(self, index: int | slice) -> Module:
        """One module; or, for a slice, a Sequential of the same modules."""
        if isinstance(index, slice):
            return Sequential(dict(list(self.named_children())[index]))
        return list(self.children())[index]

    def append(self, module: Module) -> Sequential:
        """Add a module at the end."""
        setattr(self, str(len(self)), module)
        return self
