"""Multi-head attention: several heads, each with queries, keys and values of its own."""

from __future__ import annotations

import math
from typing import Any

from minigrad import backend, ops
from minigrad.backend import namespace
from minigrad.nn import init
from minigrad.nn.dot_product import attend, both, is_bool, lift, split
from minigrad.nn.layers import Linear
from minigrad.nn.module import Module, Parameter
from minigrad.tensor import Tensor


class MultiheadAttention(Module):
    """[head₁ … headₕ]·W_Oᵀ + b_O with headᵢ = softmax(qᵢ·kᵢᵀ/√d)·vᵢ, d = embed_dim/num_heads.

    q, k, v are the inputs times the three (E, E) blocks of in_proj_weight, plus those of
    in_proj_bias; with ``kdim`` or ``vdim`` (the features of key and value) they have weights of
    their own, q_proj_weight, k_proj_weight (E, kdim) and v_proj_weight (E, vdim).

    The projections start Xavier-uniform, their biases at 0. ``dropout`` acts on the attention
    weights in training. ``add_bias_kv`` appends a learned key and value, ``add_zero_attn`` zeros.

    Source: Vaswani et al. 2017, section 3.2; conventions of PyTorch.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - PyTorch's arguments
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
    ) -> None:
        if embed_dim < 1 or num_heads < 1 or embed_dim % num_heads:
            raise ValueError(
                "MultiheadAttention needs an embed_dim that num_heads divides; got "
                f"embed_dim={embed_dim} and num_heads={num_heads}. Use "
                f"embed_dim={max(embed_dim // max(num_heads, 1), 1) * max(num_heads, 1)}, or "
                "another number of heads."
            )
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.dropout, self.add_zero_attn, self.batch_first = dropout, add_zero_attn, batch_first
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.in_proj_weight: Parameter | None = None
        sizes = (embed_dim, self.kdim, self.vdim)
        if sizes == (embed_dim,) * 3:
            self.in_proj_weight = Parameter(ops.zeros(3 * embed_dim, embed_dim))
            init.xavier_uniform_(self.in_proj_weight)
        else:
            for name, size in zip(("q", "k", "v"), sizes, strict=True):
                weight = Parameter(ops.zeros(embed_dim, size))
                setattr(self, f"{name}_proj_weight", init.xavier_uniform_(weight))
        self.in_proj_bias = Parameter(ops.zeros(3 * embed_dim)) if bias else None
        self.bias_k, self.bias_v = (
            Parameter(init.xavier_normal_(ops.zeros(1, 1, embed_dim))) if add_bias_kv else None
            for _ in range(2)
        )
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias)
        if self.out_proj.bias is not None:
            init.zeros_(self.out_proj.bias)

    def forward(
        self,
        query: Any,
        key: Any,
        value: Any,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Any, Any]:
        """(output, weights) of each query's look at the keys.

        Parameters
        ----------
        query, key, value
            (L, N, E), (S, N, kdim), (S, N, vdim); with ``batch_first`` N comes first; without a
            batch (L, E), (S, kdim), (S, vdim).
        key_padding_mask
            (N, S), or (S,) without a batch: True where a key is to be *ignored*; or numbers to
            add to the scores.
        need_weights
            Whether to answer the weights, or None in their place.
        attn_mask
            (L, S), or (N·heads, L, S): True where attention is *forbidden* (the opposite of
            `scaled_dot_product_attention`); or numbers to add to the scores.
        average_attn_weights
            Answer the weights' mean over heads, (N, L, S); else all, (N, heads, L, S).
        is_causal
            PyTorch's hint that ``attn_mask`` is the causal one, which must be given.

        A query that may attend to nothing gets the output of zero weights; PyTorch's is NaN.
        """
        same = query is key is value
        query = lift(query)
        key, value = (query, query) if same else (lift(key), lift(value))
        self._check(query, key, value)
        batched = query.ndim == 3  # noqa: PLR2004 - positions, batch, features
        extras = (self.bias_k is not None) + self.add_zero_attn
        if same and batched and self.in_proj_weight is not None and not extras:
            q, k, v = self._together(query)
        else:
            q, k, v = self._apart(query, key, value, batched)
        (n, _, length, _), sources = q.shape, k.shape[2] - extras
        allowed, added = self._masks(
            key_padding_mask, attn_mask, is_causal, (n, length, sources, extras), batched
        )
        p = self.dropout if self.training else 0.0
        y, weights = attend(q, k, v, allowed, added, p, 1 / math.sqrt(self.head_dim))
        y = ops.flatten(ops.transpose(y, 1, 2), 2)  # (N, L, E)
        if not self.batch_first:
            y = ops.transpose(y, 0, 1)
        y = self.out_proj(y)
        if average_attn_weights:
            weights = ops.mean(weights, axis=1) if need_weights else None
        if not batched:
            y = ops.squeeze(y, 0 if self.batch_first else 1)
            weights = ops.squeeze(weights, 0) if need_weights else None
        return y, weights if need_weights else None

    def _together(self, x: Any) -> Any:
        """q, k and v of self-attention by one product, each (N, heads, positions, d)."""
        w, b = self.in_proj_weight, self.in_proj_bias
        qkv = ops.linear(x, w) if b is None else ops.linear(x, w, b)
        qkv = ops.reshape(qkv, (*x.shape[:2], 3, self.num_heads, self.head_dim))
        return ops.unbind(
            ops.permute(qkv, (2, 0, 3, 1, 4) if self.batch_first else (2, 1, 3, 0, 4))
        )

    def _apart(self, query: Any, key: Any, value: Any, batched: bool) -> list[Any]:
        """q, k and v by a product each, with what is appended to keys and values."""
        w, b, e = self.in_proj_weight, self.in_proj_bias, self.embed_dim
        ws = (
            ops.unbind(ops.reshape(w, (3, e, e)))
            if w is not None
            else [getattr(self, f"{name}_proj_weight") for name in ("q", "k", "v")]
        )
        bs = (None,) * 3 if b is None else ops.unbind(ops.reshape(b, (3, e)))
        parts: list[Any] = []
        for x, w, b, learned in zip(
            (query, key, value), ws, bs, (None, self.bias_k, self.bias_v), strict=True
        ):
            part = ops.linear(x, w) if b is None else ops.linear(x, w, b)
            if not batched:
                part = ops.unsqueeze(part, 0 if self.batch_first else 1)
            if not self.batch_first:
                part = ops.transpose(part, 0, 1)  # (N, positions, E)
            parts.append(self._heads(part if not parts else self._with_extra(part, learned)))
        return parts

    def _heads(self, x: Any) -> Any:
        """(N, positions, E) as (N, heads, positions, d)."""
        return ops.transpose(ops.unflatten(x, -1, (self.num_heads, self.head_dim)), 1, 2)

    def _with_extra(self, x: Any, learned: Any) -> Any:
        """Keys or values (N, positions, E) with the learned one and zeros behind them."""
        n, e = x.shape[0], self.embed_dim
        extra = [] if learned is None else [ops.expand(learned, n, 1, e)]
        if self.add_zero_attn:
            extra.append(Tensor(backend.zeros((n, 1, e), like=x.data)))
        return ops.cat([x, *extra], 1) if extra else x

    def _masks(
        self, padding: Any, mask: Any, is_causal: bool, sizes: tuple[int, ...], batched: bool
    ) -> tuple[Any, Any]:
        """Where attention is allowed, and what is added to the scores, over (N, heads, L, S)."""
        n, length, sources, extra = sizes
        if is_causal and mask is None:
            raise ValueError(
                f"{self._place()} takes is_causal=True as a hint about attn_mask; got no mask. "
                "Pass the causal one, True above the diagonal: "
                "attn_mask=mg.ones(L, L).triu(1).to(bool)."
            )
        found = []
        if padding is not None:
            padding = lift(padding)
            wanted = (n, sources) if batched else (sources,)
            if padding.shape != wanted:
                raise ValueError(
                    f"{self._place()} needs a key_padding_mask of shape {wanted}, one entry per "
                    f"key; got {padding.shape}. Its axes are (batch, keys) in any layout."
                )
            found.append((padding, (n, 1, 1, sources)))
        if mask is not None:
            mask = lift(mask)
            per_head = (n * self.num_heads, length, sources)
            if mask.shape not in ((length, sources), per_head):
                raise ValueError(
                    f"{self._place()} needs an attn_mask of shape {(length, sources)}, or "
                    f"{per_head} for each head; got {mask.shape}. Its axes are (queries, keys)."
                )
            shape = (n, self.num_heads, length, sources) if mask.ndim > 2 else (1, 1, *mask.shape)  # noqa: PLR2004
            found.append((mask, shape))
        allowed = added = None
        for given, shape in found:
            ours, more = (~given.data, None) if is_bool(given) else split(given)
            xp = namespace(ours)
            # What was appended to the keys may always be attended to.
            appended = [xp.ones_like(xp.reshape(ours, shape)[..., :1])] * extra
            allowed = both(allowed, xp.concat([xp.reshape(ours, shape), *appended], axis=-1))
            if more is not None:
                more = ops.reshape(more, shape)
                more = ops.cat([more, *[0.0 * more[..., :1]] * extra], -1)
                added = more if added is None else added + more
        return allowed, added

    def _check(self, query: Tensor, key: Tensor, value: Tensor) -> None:
        axes = "(N, positions, {})" if self.batch_first else "(positions, N, {})"
        for name, x, size, setting in (
            ("query", query, self.embed_dim, "embed_dim"),
            ("key", key, self.kdim, "kdim"),
            ("value", value, self.vdim, "vdim"),
        ):
            if x.ndim not in (2, 3) or x.ndim != query.ndim or x.shape[-1] != size:
                raise ValueError(
                    f"{self._place()} needs a {name} of shape {axes.format(size)} or, without a "
                    f"batch, (positions, {size}); got {x.shape} beside a query of {query.shape}. "
                    f"Set {setting} to its last axis, or reshape before it."
                )
        batch = 0 if self.batch_first else 1
        differ = query.ndim == 3 and query.shape[batch] != key.shape[batch]  # noqa: PLR2004
        if differ or key.shape[:-1] != value.shape[:-1]:
            raise ValueError(
                f"{self._place()} needs one batch throughout, and as many keys as values; got "
                f"query {query.shape}, key {key.shape}, value {value.shape} with "
                f"batch_first={self.batch_first}. Set batch_first, or reshape before it."
            )

    def extra_repr(self) -> str:
        """Its sizes."""
        return f"embed_dim={self.embed_dim}, num_heads={self.num_heads}"
