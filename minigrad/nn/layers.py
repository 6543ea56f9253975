"""Linear, Embedding, Dropout, and the layers that only pass on or reshape."""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend, ops
from minigrad.nn import functional, init
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
        try:
            if self.bias is None:
                return ops.linear(x, self.weight)
            return ops.linear(x, self.weight, self.bias)
        except ValueError:
            if x.shape[-1:] == (self.in_features,):
                raise
            found = f"Set in_features={x.shape[-1]}, or flatten" if x.ndim else "Reshape"
            raise ValueError(
                f"{self._place()} needs inputs whose last axis is {self.in_features}; got shape "
                f"{tuple(x.shape)}. {found} before it."
            ) from None

    def extra_repr(self) -> str:
        """Its sizes."""
        bias = "" if self.bias is not None else ", bias=False"
        return f"in_features={self.in_features}, out_features={self.out_features}{bias}"


class Embedding(Module):
    """A table of num_embeddings rows, weight (V, D), looked up by integers (…): (…, D).

    The rows start standard normal. That of ``padding_idx`` starts 0 and gets no gradient.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"Embedding of {num_embeddings} rows needs a padding_idx from {-num_embeddings} to "
                f"{num_embeddings - 1}; got {padding_idx}. Widen num_embeddings."
            )
        self.num_embeddings, self.embedding_dim = num_embeddings, embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        table = backend.generator().standard_normal((num_embeddings, embedding_dim))
        if self.padding_idx is not None:
            table[self.padding_idx] = 0
        self.weight = Parameter(ops.tensor(table, dtype=backend.get_default_dtype()))

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """An Embedding of this table (V, D), which learns on unless frozen."""
        rows, size = embeddings.shape
        made = cls(rows, size, padding_idx)
        made.weight = Parameter(embeddings, requires_grad=not freeze)
        return made

    def forward(self, x: Any) -> Any:
        """Map integers (…) to rows (…, D)."""
        return functional.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """Its sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Dropout(Module):
    """y = x·m/(1 − p) with a random mask m of zeros (chance p) and ones; in evaluation y = x.

    The division keeps the mean of y at x, so that evaluation needs no factor. See
    `functional.dropout`.
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        if not 0 <= p <= 1:
            raise ValueError(f"Dropout needs a probability p from 0 to 1; got {p}. Try 0.5.")
        self.p, self.inplace = p, inplace

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        """Its setting."""
        return f"p={self.p}"


class Dropout1d(Dropout):
    """`Dropout` of whole channels of (N, C, L); see `functional.dropout1d`."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.dropout1d(x, self.p, self.training)


class Dropout2d(Dropout):
    """`Dropout` of whole channels of (N, C, H, W); see `functional.dropout2d`."""

    def forward(self, x: Any) -> Any:
        """Map any shape to itself."""
        return functional.dropout2d(x, self.p, self.training)


class Identity(Module):
    """y = x, whatever the arguments it was made with."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

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

    def extra_repr(self) -> str:
        """Which axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Axis ``dim`` as several of these sizes."""

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """Map (N, D) to (N, …)."""
        return ops.unflatten(x, self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        """Which axis, into what."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
