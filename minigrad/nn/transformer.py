"""The transformer's encoder: attention and a small network, each with a residual and a norm."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from minigrad.nn import functional
from minigrad.nn.attention import MultiheadAttention
from minigrad.nn.containers import ModuleList
from minigrad.nn.dot_product import lift
from minigrad.nn.layer_norm import LayerNorm
from minigrad.nn.layers import Dropout, Linear
from minigrad.nn.module import Module

_ACTIVATIONS = ("relu", "gelu")


class TransformerEncoderLayer(Module):
    """y = LN(x + attention(x)), then LN(y + W₂·φ(W₁·y)): a transformer's encoder block.

    That is post-LN (Vaswani et al. 2017). With ``norm_first`` it is pre-LN, y = x +
    attention(LN(x)), then y + W₂·φ(W₁·LN(y)): the residual path is free of normalization, and
    gradients keep their size from layer to layer without warm-up (Xiong et al. 2020).

    ``dropout`` acts on the attention weights, on each residual branch, and between W₁ and W₂.
    φ is ``activation``: "relu", "gelu" or a function.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - PyTorch's arguments
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Any], Any] = "relu",
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        if isinstance(activation, str) and activation not in _ACTIVATIONS:
            raise ValueError(
                "TransformerEncoderLayer knows the activations 'relu' and 'gelu'; got "
                f"{activation!r}. Use one of them, or pass a function."
            )
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias)
        self.dropout1, self.dropout2 = Dropout(dropout), Dropout(dropout)
        if isinstance(activation, str):
            activation = getattr(functional, activation)
        self.activation: Any = activation

    def forward(
        self,
        src: Any,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
    ) -> Any:
        """Map (L, N, d_model), or (N, L, d_model) with batch_first, or (L, d_model), to itself.

        The masks are `MultiheadAttention`'s attn_mask and key_padding_mask.
        """
        x = lift(src)
        masks = (src_mask, src_key_padding_mask, is_causal)
        if self.norm_first:
            x = x + self._attention(self.norm1(x), *masks)
            return x + self._feed_forward(self.norm2(x))
        x = self.norm1(x + self._attention(x, *masks))
        return self.norm2(x + self._feed_forward(x))

    def _attention(self, x: Any, mask: Any, padding: Any, is_causal: bool) -> Any:
        y, _ = self.self_attn(
            x,
            x,
            x,
            attn_mask=mask,
            key_padding_mask=padding,
            need_weights=False,
            is_causal=is_causal,
        )
        return self.dropout1(y)

    def _feed_forward(self, x: Any) -> Any:
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

    def extra_repr(self) -> str:
        """Where it normalises."""
        return "norm_first=True" if self.norm_first else ""


class TransformerEncoder(Module):
    """``num_layers`` independent copies of a layer one after the other, then ``norm``.

    The copies start with the same numbers, as in PyTorch. Pre-LN layers leave their sum
    unnormalised: give ``norm=nn.LayerNorm(d_model)`` with them.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        self.num_layers = num_layers
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.norm = norm

    def forward(
        self,
        src: Any,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
    ) -> Any:
        """Map the layers' input to an output of its shape; every layer gets the same masks."""
        x = lift(src)
        for layer in self.layers:
            x = layer(x, mask, src_key_padding_mask, bool(is_causal))
        return x if self.norm is None else self.norm(x)
