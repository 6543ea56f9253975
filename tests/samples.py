"""The cases that every operation is tested on.

A sample's function takes a module first: minigrad, or PyTorch where the names agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.nn import functional
from minigrad.ops import activations, convolution, embedding, losses, patches, pooling, recurrent

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Sample:
    """A function of tensors, and where to try it."""

    name: str
    function: Callable[..., Any]
    shapes: tuple[Shape, ...]
    domain: str = "any"  # or "positive", "apart" (no ties, away from kinks)
    torch: Callable[..., Any] | None = None  # where PyTorch's spelling differs
    parity: bool = True  # whether PyTorch has it
    order: int = 2
    standard: bool = True  # whether the Array API standard can do it

    def inputs(self, seed: int = 0) -> list[np.ndarray]:
        """Float64 arrays of the sample's shapes."""
        random = np.random.default_rng(seed)
        arrays = []
        for shape in self.shapes:
            if self.domain == "positive":
                array = random.uniform(0.5, 2.0, shape)
            elif self.domain == "apart":
                size = int(np.prod(shape))
                array = (random.permutation(size) - size / 2 + 0.3).reshape(shape) / 3
                array = array + 0.1 * len(arrays)
            else:
                array = random.standard_normal(shape)
            arrays.append(np.asarray(array))
        return arrays


def _unary(name: str, domain: str = "any") -> list[Sample]:
    """A function of one tensor, at the shapes that break things: plain, 0-d, empty."""
    return [
        Sample(f"{name}{shape}", lambda m, x: getattr(m, name)(x), (shape,), domain)
        for shape in ((2, 3), (), (0, 3))
    ]


def _binary(name: str, domain: str = "any") -> list[Sample]:
    """A function of two tensors, at every way to broadcast."""
    pairs: list[tuple[Shape, Shape]] = [
        ((2, 3), (2, 3)),
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((), (2, 2)),
        ((2, 1, 2), (3, 1)),
        ((), ()),
        ((0, 3), (1, 3)),
        ((2, 0), (1, 0)),
    ]
    return [
        Sample(f"{name}{pair}", lambda m, x, y: getattr(m, name)(x, y), pair, domain)
        for pair in pairs
    ]


def _reduction(name: str, domain: str = "any", empty: bool = True) -> list[Sample]:
    """A reduction over all axes, one, the last, several; kept and dropped; of nothing."""
    calls: list[tuple[Shape, dict[str, Any]]] = [
        ((2, 3), {}),
        ((2, 3), {"axis": 0}),
        ((2, 3), {"axis": -1, "keepdims": True}),
        ((2, 3, 2), {"axis": (0, 2)}),
        ((), {}),
    ]
    if empty:
        calls.append(((0, 3), {"axis": 0}))
    return [
        Sample(
            f"{name}{shape}{kwargs or ''}",
            lambda m, x, kwargs=kwargs: getattr(m, name)(x, **kwargs),
            (shape,),
            domain,
        )
        for shape, kwargs in calls
    ]


def _torch_standardize(m: Any, x: Any, axis: Any, eps: float) -> Any:
    mu = x.mean(axis, keepdim=True)
    sigma = (((x - mu) ** 2).mean(axis, keepdim=True) + eps).sqrt()
    return (x - mu) / sigma, mu, sigma


def _standardize(axis: Any, shape: Shape) -> Sample:
    """All three outputs at once, so that the rules of μ and σ are tried as well."""

    def total(z: Any, mu: Any, sigma: Any) -> Any:
        return z * z * z + mu * z + sigma * sigma * z

    return Sample(
        f"standardize{shape}{axis}",
        lambda m, x: total(*ops.standardize(x, axis=axis, eps=1e-3)),
        (shape,),
        torch=lambda m, x: total(*_torch_standardize(m, x, axis, 1e-3)),
    )


def _cross_entropy(m: Any, z: Any, t: Any) -> Any:
    if m.__name__ == "torch":
        log_p = m.log_softmax(z, 1)
        return -(t * log_p).sum(1, keepdim=True) + m.exp(log_p) * z
    loss, p = ops.softmax_cross_entropy(z, t, axis=1)
    return loss + p * z


def _below(m: Any, x: Any) -> Any:
    """Integers (2, 2), of which no row or column holds one twice, at the place of ``x``."""
    return m.tensor([[0, 2], [1, 0]], device=x.device)


def _away(m: Any, x: Any) -> Any:
    """Square matrices with their eigenvalues well away from 0."""
    return x / 3 + 2 * m.eye(x.shape[-1], device=x.device).to(x.dtype)


def _product(xs: Any) -> Any:
    return xs[0] * xs[1] ** 2


_TWO = {"kernel": (2, 2), "stride": (2, 2), "dilation": (1, 1)}

SAMPLES: list[Sample] = [
    *_binary("add"),
    *_binary("sub"),
    *_binary("mul"),
    *_binary("div", "positive"),
    *_binary("pow", "positive"),
    *_binary("maximum", "apart"),
    *_binary("minimum", "apart"),
    Sample("%", lambda m, x, y: x % (y + 3), ((2, 3), (3,)), "positive"),
    Sample("x**3", lambda m, x: x**3, ((2, 3),)),
    Sample("x**-1.5", lambda m, x: x**-1.5, ((2, 3),), "positive"),
    Sample("2**x", lambda m, x: 2.0**x, ((2, 3),)),
    Sample("scalars", lambda m, x: 2 / (1 - x / 3) + (3 - x) * 2, ((2, 3),), "positive"),
    *[
        s
        for name in ("neg", "exp", "erf", "sin", "cos", "tanh", "sigmoid", "square")
        for s in _unary(name)
    ],
    *[s for name in ("expm1", "relu", "abs", "sign") for s in _unary(name, "apart")],
    *[
        s
        for name in ("log", "log1p", "log2", "sqrt", "rsqrt", "reciprocal")
        for s in _unary(name, "positive")
    ],
    Sample("clamp", lambda m, x: m.clamp(x, min=-0.5, max=0.5), ((3, 4),), "apart"),
    Sample("clamp one side", lambda m, x: m.clamp(x, min=-0.5), ((3, 4),), "apart"),
    Sample(
        "clamp between tensors", lambda m, x, a, b: m.clamp(x, a, b + 1), ((3, 4), (4,), (3, 1))
    ),
    Sample("clamp under a tensor", lambda m, x, a: x.clamp(max=a), ((3, 4), (4,)), "apart"),
    Sample("add alpha", lambda m, x, y: m.add(x, y, alpha=2) * x.sub(y, alpha=-3), ((2, 3), (3,))),
    Sample("div rounded", lambda m, x, y: m.div(x, y, rounding_mode="trunc") * x, ((4,), (4,))),
    Sample("round to tenths", lambda m, x: m.round(x, decimals=1) * x, ((2, 3),), "apart"),
    Sample("round to tens", lambda m, x: m.round(20 * x, decimals=-1) * x, ((2, 3),), "apart"),
    Sample("where", lambda m, x, y: m.where(x > 0, x * y, y), ((2, 3), (3,)), "apart"),
    Sample("masked_fill", lambda m, x: x.masked_fill(x > 0, 7.0) * x, ((2, 3),), "apart"),
    *_reduction("sum"),
    *_reduction("mean", empty=False),
    *_reduction("amax", "apart", empty=False),
    *_reduction("amin", "apart", empty=False),
    *[s for s in _reduction("logsumexp", empty=False) if "axis" in s.name],
    Sample("mean over a list", lambda m, x: m.mean(x, [0, 2]), ((2, 3, 2),)),
    Sample("sum over a list", lambda m, x: x.sum(dim=[-1, 0]), ((2, 3, 2),)),
    Sample("var", lambda m, x: m.var(x, 0), ((4, 3),)),
    Sample("var biased", lambda m, x: m.var(x, -1, keepdim=True, correction=0), ((4, 3),)),
    Sample("std", lambda m, x: m.std(x), ((4, 3),)),
    Sample("std biased", lambda m, x: x.std(0, False, True), ((4, 3),)),
    Sample("sum over ()", lambda m, x: m.sum(x, ()) * m.mean(x, dim=()), ((2, 3),)),
    Sample("prod", lambda m, x: m.prod(x, 0), ((5, 2),)),
    Sample("prod of all", lambda m, x: m.prod(x), ((7,),)),
    Sample("prod with a zero", lambda m, x: m.prod(m.where(x > 0, x, 0.0), 0), ((4, 2),), "apart"),
    Sample("prod of nothing", lambda m, x: m.prod(x, 0), ((0, 2),)),
    Sample("max", lambda m, x: m.max(x), ((2, 3),), "apart"),
    Sample("max along", lambda m, x: m.max(x, 1)[0], ((2, 3),), "apart"),
    Sample("min along", lambda m, x: m.min(x, dim=0, keepdim=True)[0], ((2, 3),), "apart"),
    Sample("cumsum", lambda m, x: m.cumsum(x, 1), ((2, 4),)),
    Sample("softmax", lambda m, x: m.softmax(x, 1), ((2, 4),)),
    *[
        Sample(f"{name} of a number", lambda m, x, name=name: getattr(m, name)(x, 0), ((),))
        for name in ("cumsum", "cumprod", "softmax", "logsumexp", "prod")
    ],
    *[
        Sample(f"{name} of a number", lambda m, x, name=name: getattr(m, name)(x, 0)[0], ((),))
        for name in ("max", "min", "sort")
    ],
    Sample("topk of a number", lambda m, x: m.topk(x, 1, sorted=False)[0], ((),)),
    Sample("softmax along 0", lambda m, x: m.softmax(x, dim=0), ((3, 2),)),
    Sample("log_softmax", lambda m, x: m.log_softmax(x, -1), ((2, 4),)),
    *[s for name in ("floor", "ceil", "round") for s in _unary(name, "apart")],
    Sample("sort", lambda m, x: m.sort(x, dim=0)[0], ((4, 2),), "apart"),
    Sample("sort down", lambda m, x: m.sort(x, -1, descending=True)[0], ((2, 4),), "apart"),
    Sample("topk", lambda m, x: m.topk(x, 2, dim=1)[0], ((2, 4),), "apart"),
    Sample("cumprod", lambda m, x: m.cumprod(x, 1), ((2, 5),)),
    Sample("diag", lambda m, x: m.diag(x), ((3,),)),
    Sample("diag of a matrix", lambda m, x: m.diag(x), ((2, 3),)),
    *[
        Sample(f"diag {k} {shape}", lambda m, x, k=k: m.diag(x, k), (shape,))
        for k in (2, -1)
        for shape in ((2,), (3, 4))
    ],
    Sample("trace", lambda m, x: m.trace(x), ((3, 3),)),
    Sample("norm", lambda m, x: x.norm(), ((2, 3),)),
    Sample("norm 0.5", lambda m, x: x.norm(0.5), ((2, 3),), "apart"),
    Sample("norm −1", lambda m, x: x.norm(-1), ((2, 3),), "apart"),
    Sample("norm fro", lambda m, x: x.norm("fro"), ((2, 3),)),
    Sample("norm along", lambda m, x: x.norm(dim=1, keepdim=True), ((2, 3),)),
    Sample("norm 1", lambda m, x: x.norm(p=1, dim=0), ((2, 3),), "apart"),
    Sample("norm 3", lambda m, x: x.norm(p=3, dim=0), ((2, 3),), "apart"),
    Sample("reshape", lambda m, x: m.reshape(x, (3, -1)) * m.reshape(x, (3, 2)), ((2, 3),)),
    Sample("reshape to 0-d", lambda m, x: x.reshape(()) ** 2, ((1, 1),)),
    Sample("reshape of nothing", lambda m, x: x.reshape(3, 0), ((0, 3),)),
    Sample("flatten", lambda m, x: m.flatten(x, 1), ((2, 3, 2),)),
    Sample("unflatten", lambda m, x: x.unflatten(1, (3, 2)), ((2, 6),)),
    Sample("squeeze", lambda m, x: m.squeeze(x), ((1, 3, 1),)),
    Sample("squeeze one", lambda m, x: m.squeeze(x, 0), ((1, 3, 1),)),
    Sample("unsqueeze", lambda m, x: m.unsqueeze(x, -1), ((2, 3),)),
    Sample("broadcast_to", lambda m, x: m.broadcast_to(x, (2, 4, 3)), ((4, 1),)),
    Sample("expand", lambda m, x: x.expand(2, -1, 3), ((4, 1),)),
    Sample("permute", lambda m, x: x.permute(2, 0, 1), ((2, 3, 4),)),
    Sample("transpose", lambda m, x: m.transpose(x, 0, -1), ((2, 3, 4),)),
    Sample("T", lambda m, x: x.T, ((2, 3),)),
    Sample("mT", lambda m, x: x.mT, ((2, 3, 4),)),
    Sample("movedim", lambda m, x: m.movedim(x, 0, 2), ((2, 3, 4),)),
    Sample("matrix_transpose", lambda m, x: ops.matrix_transpose(x), ((2, 3),), parity=False),
    Sample("flip", lambda m, x: m.flip(x, (0, 1)), ((2, 3),)),
    Sample("roll", lambda m, x: m.roll(x, 1, 1), ((2, 3),)),
    Sample("roll several", lambda m, x: m.roll(x, (1, -1), (0, 1)), ((2, 3),)),
    Sample("index int", lambda m, x: x[1], ((3, 2),)),
    Sample("index slice", lambda m, x: x[1:, ::2], ((3, 4),)),
    Sample("index ellipsis", lambda m, x: x[..., None, -1], ((3, 4),)),
    Sample("index list twice", lambda m, x: x[[0, 2, 0]], ((3, 2),), standard=False),
    Sample("take_along_dim", lambda m, x: m.take_along_dim(x, m.argmax(x, 1, True), 1), ((3, 4),)),
    Sample("gather", lambda m, x: m.gather(x, 0, m.argmin(x, 0, True)), ((3, 4),)),
    Sample("chunk", lambda m, x: m.chunk(x, 2, 1)[0] * m.chunk(x, 2, 1)[1], ((3, 4),)),
    Sample("split", lambda m, x: m.split(x, [1, 3], 1)[1], ((3, 4),)),
    Sample("unbind", lambda m, x: m.unbind(x, 1)[2], ((3, 4),)),
    Sample("unbind used in part", lambda m, x: x.unbind()[0] * x.unbind()[2] ** 2, ((3, 2, 2),)),
    Sample("split used in part", lambda m, x: m.split(x, [2, 1, 1], -1)[0] ** 2, ((3, 4),)),
    Sample("one part", lambda m, x: m.split(x, 3)[0] * m.unbind(x, 1)[0], ((3, 1),)),
    Sample("cat", lambda m, x, y: m.cat([x, y, x], 1), ((2, 1), (2, 3))),
    Sample("stack", lambda m, x, y: m.stack([x, y], -1), ((2, 3), (2, 3))),
    Sample("repeat", lambda m, x: x.repeat(2, 1, 3), ((2, 2),)),
    Sample("tile", lambda m, x: m.tile(x, (2,)), ((2, 2),)),
    Sample(
        "pad",
        lambda m, x: m.pad(x, (1, 2, 0, 1), value=3.0) * 2,
        ((2, 3),),
        torch=lambda m, x: m.nn.functional.pad(x, (1, 2, 0, 1), value=3.0) * 2,
    ),
    Sample(
        "pad that crops",
        lambda m, x: m.pad(x, (-1, 1)),
        ((2, 3),),
        torch=lambda m, x: m.nn.functional.pad(x, (-1, 1)),
    ),
    *[
        Sample(
            f"pad {mode} {shape} {margins}",
            lambda m, x, margins=margins, mode=mode: m.pad(x, margins, mode) * 2,
            (shape,),
            torch=lambda m, x, margins=margins, mode=mode: (
                m.nn.functional.pad(x, margins, mode) * 2
            ),
        )
        for mode, shape, margins in (
            ("reflect", (2, 4), (3, 1)),
            ("reflect", (1, 3, 3), (1, 2, 2, 0)),
            ("replicate", (2, 2), (3, 1)),
            ("replicate", (1, 3, 4), (-2, 3, 1, 0)),
            ("circular", (1, 2, 3), (3, 1)),
            ("circular", (1, 3, 2), (1, -1, 2, 3)),
        )
    ],
    Sample("tril", lambda m, x: m.tril(x), ((3, 3),)),
    Sample("triu", lambda m, x: m.triu(x, diagonal=1), ((3, 3),)),
    Sample("clone", lambda m, x: m.clone(x), ((2, 3),)),
    *[
        Sample(f"matmul{pair}", lambda m, x, y: m.matmul(x, y), pair)
        for pair in (
            ((2, 3), (3, 4)),
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((3,), (3, 2)),
            ((2, 2, 3), (3, 2)),
            ((2, 1, 2, 3), (2, 3, 2)),
            ((3,), (2, 3, 2)),
            ((2, 2, 3), (3,)),
            ((0, 3), (3, 2)),
            ((2, 0), (0, 3)),
        )
    ],
    Sample("mm", lambda m, x, y: m.mm(x, y), ((2, 3), (3, 2))),
    Sample("bmm", lambda m, x, y: m.bmm(x, y), ((2, 1, 3), (2, 3, 1))),
    Sample("mv", lambda m, x, y: m.mv(x, y), ((2, 3), (3,))),
    Sample("dot", lambda m, x, y: m.dot(x, y), ((3,), (3,))),
    Sample("outer", lambda m, x, y: m.outer(x, y), ((3,), (2,))),
    Sample("addmm", lambda m, x, a, b: m.addmm(x, a, b, beta=0.5, alpha=2), ((2,), (3, 2), (2, 2))),
    *[
        Sample(
            f"einsum {equation}",
            lambda m, *xs, equation=equation: m.einsum(equation, *xs),
            shapes,
        )
        for equation, shapes in (
            ("ij,jk->ik", ((2, 3), (3, 2))),
            ("ij,jk", ((2, 3), (3, 2))),
            ("bij,bjk->bki", ((2, 2, 3), (2, 3, 2))),
            ("i,j->ij", ((2,), (3,))),
            ("ij->ji", ((2, 3),)),
            ("ij->", ((2, 3),)),
            ("ii->i", ((3, 3),)),
            ("ii", ((3, 3),)),
            ("iji->j", ((2, 3, 2),)),
            ("i,i->", ((3,), (3,))),
            ("...i,ij->...j", ((2, 2, 3), (3, 2))),
            ("...ij,...jk->...ik", ((2, 1, 2, 2), (3, 2, 2))),
            ("ij,jk,kl->il", ((2, 2), (2, 3), (3, 2))),
            ("bhqd,bhkd->bhqk", ((1, 2, 2, 3), (1, 2, 3, 3))),
        )
    ],
    Sample("tensordot", lambda m, x, y: m.tensordot(x, y, 1), ((2, 3), (3, 2))),
    Sample(
        "tensordot that broadcasts",
        lambda m, x, y: m.tensordot(x, y, ([0, 1], [2, 0])),
        ((1, 1, 2), (3, 2, 4)),
    ),
    Sample(
        "tensordot lists",
        lambda m, x, y: m.tensordot(x, y, ([0, 2], [2, 0])),
        ((2, 3, 2), (2, 3, 2)),
    ),
    Sample(
        "linear",
        lambda m, x, w, b: ops.linear(x, w, b),
        ((4, 3), (2, 3), (2,)),
        torch=lambda m, x, w, b: m.nn.functional.linear(x, w, b),
    ),
    Sample(
        "linear without bias, two leading axes",
        lambda m, x, w: ops.linear(x, w),
        ((2, 2, 3), (2, 3)),
        torch=lambda m, x, w: m.nn.functional.linear(x, w),
    ),
    _standardize((0,), (4, 3)),
    _standardize((-1,), (2, 4)),
    _standardize((0, 2, 3), (2, 3, 2, 2)),
    Sample(
        "normalize",
        lambda m, x, mu, sigma: ops.normalize(x, mu, sigma),
        ((4, 3), (1, 3), (1, 3)),
        "positive",
        torch=lambda m, x, mu, sigma: (x - mu) / sigma,
    ),
    Sample(
        "scale_shift",
        lambda m, z, gamma, beta: ops.scale_shift(z, gamma, beta),
        ((4, 3), (3,), (3,)),
        torch=lambda m, z, gamma, beta: z * gamma + beta,
    ),
    *[
        s
        for name in ("atan", "sinh", "cosh", "asinh", "exp2", "erfc", "sinc", "deg2rad")
        for s in _unary(name)
    ],
    *[s for name in ("log10", "frac") for s in _unary(name, "positive")],
    *_unary("trunc", "apart"),
    *_binary("atan2", "positive"),
    *_binary("hypot", "positive"),
    *_binary("logaddexp"),
    *_binary("xlogy", "positive"),
    *[
        Sample(f"{name} inside its domain", lambda m, x, f=name: getattr(m, f)(x / 5), ((2, 3),), d)
        for name, d in (("tan", "any"), ("asin", "positive"), ("acos", "positive"))
    ],
    Sample("atanh", lambda m, x: m.atanh(x / 5), ((2, 3),), "positive"),
    Sample("acosh", lambda m, x: m.acosh(x + 1), ((2, 3),), "positive"),
    Sample("logit", lambda m, x: m.logit(x / 5), ((2, 3),), "positive"),
    Sample("fmod", lambda m, x, y: m.fmod(x, y + 3), ((2, 3), (3,)), "apart"),
    Sample("lerp", lambda m, x, y, w: m.lerp(x, y, w), ((2, 3), (2, 3), (2, 3))),
    Sample("addcmul", lambda m, x, y, z: m.addcmul(x, y, z, value=2.0), ((2, 3),) * 3),
    Sample("addcdiv", lambda m, x, y, z: m.addcdiv(x, y, z, value=2.0), ((2, 3),) * 3, "positive"),
    Sample("nan_to_num", lambda m, x: m.nan_to_num(m.where(x > 0, x, math.nan)), ((4,),), "apart"),
    Sample("scatter_add", lambda m, x, y: m.scatter_add(x, 0, _below(m, x), y), ((3, 3), (2, 2))),
    Sample(
        "scatter_add from a larger source",  # where PyTorch's gradient has the index's shape
        lambda m, x, y: m.scatter_add(x, 0, _below(m, x), y),
        ((3, 3), (4, 3)),
        parity=False,
    ),
    Sample("scatter", lambda m, x, y: m.scatter(x, 1, _below(m, x), y), ((3, 4), (2, 2))),
    Sample("scatter a number", lambda m, x: m.scatter(x, 1, _below(m, x), 2.0) * x, ((3, 4),)),
    Sample("diagonal", lambda m, x: m.diagonal(x, 1), ((3, 4),)),
    Sample("diagonal of a stack", lambda m, x: x.diagonal(-1, 0, 2), ((3, 2, 3),)),
    Sample("diag_embed", lambda m, x: m.diag_embed(x, -1) * m.diag_embed(x, 1), ((2, 3),)),
    Sample("take", lambda m, x: m.take(x, _below(m, x)), ((2, 3),)),
    Sample("index_add", lambda m, x, y: m.index_add(x, 1, _below(m, x)[0], y), ((2, 3), (2, 2))),
    Sample("index_fill", lambda m, x: m.index_fill(x, 1, _below(m, x)[0], 7.0) * x, ((2, 3),)),
    Sample("hstack", lambda m, x, y: m.hstack([x, y]), ((2, 3), (2, 1))),
    Sample("vstack", lambda m, x, y: m.vstack([x, y]), ((3,), (3,))),
    Sample("dstack", lambda m, x, y: m.dstack([x, y]), ((3,), (3,))),
    Sample("column_stack", lambda m, x, y: m.column_stack([x, y]), ((3,), (3, 2))),
    Sample("meshgrid", lambda m, x, y: _product(m.meshgrid(x, y, indexing="xy")), ((3,), (2,))),
    Sample("cartesian_prod", lambda m, x, y: m.cartesian_prod(x, y), ((3,), (2,))),
    Sample("diff", lambda m, x: m.diff(x, 2, dim=0), ((4, 2),)),
    Sample("repeat_interleave", lambda m, x: m.repeat_interleave(x, 2, dim=0), ((2, 3),)),
    Sample("tensor_split", lambda m, x: m.tensor_split(x, 2, 1)[0] * 2, ((2, 3),)),
    Sample("narrow, select", lambda m, x: x.narrow(1, 1, 2).select(0, 1), ((2, 3),)),
    *[
        Sample(f"rot90 {k}", lambda m, x, k=k: m.rot90(x, k, [0, 1]), ((2, 3),))
        for k in (1, 2, 3, -1)
    ],
    Sample("kron", lambda m, x, y: m.kron(x, y), ((2, 3), (2,))),
    Sample("median", lambda m, x: m.median(x), ((2, 4),), "apart"),
    Sample("median along", lambda m, x: m.median(x, 1, keepdim=True)[0], ((2, 4),), "apart"),
    Sample("quantile", lambda m, x: m.quantile(x, 0.3, dim=1), ((2, 4),), "apart"),
    Sample("quantile of all", lambda m, x: m.quantile(x, 0.5, keepdim=True), ((2, 3),), "apart"),
    Sample("inverse", lambda m, x: m.inverse(_away(m, x)), ((2, 3, 3),)),
    Sample("det", lambda m, x: m.linalg.det(_away(m, x)), ((2, 3, 3),)),
    Sample("logdet", lambda m, x: m.logdet(_away(m, x)), ((3, 3),)),
    Sample("solve", lambda m, a, b: m.linalg.solve(_away(m, a), b), ((2, 3, 3), (2, 3, 2))),
    Sample("solve a vector", lambda m, a, b: m.linalg.solve(_away(m, a), b), ((3, 3), (3,))),
    *[
        Sample(f"matrix_power {n}", lambda m, x, n=n: m.matrix_power(_away(m, x), n), ((2, 2),))
        for n in (-2, 0, 1, 5)
    ],
    Sample("cross", lambda m, x, y: m.linalg.cross(x, y), ((2, 3), (2, 3))),
    Sample("dist", lambda m, x, y: m.dist(x, y, 3), ((2, 3), (2, 3)), "apart"),
    Sample(
        "cdist",
        lambda m, x, y: m.cdist(x, y, 1.0),
        ((2, 2), (3, 2)),
        "apart",
        torch=lambda m, x, y: (x[:, None] - y[None]).abs().sum(-1),
    ),
    *[
        Sample(
            name,
            lambda m, *xs, name=name, how=how: getattr(functional, name)(*xs, **how),
            shapes,
            domain,
            torch=lambda m, *xs, name=name, how=how: getattr(m.nn.functional, name)(*xs, **how),
        )
        for name, shapes, domain, how in (
            ("relu6", ((4, 4),), "apart", {}),
            ("threshold", ((2, 3),), "apart", {"threshold": 0.3, "value": 2.0}),
            ("hardshrink", ((2, 3),), "apart", {}),
            ("softshrink", ((2, 3),), "apart", {}),
            ("hardswish", ((5, 5),), "apart", {}),
            ("prelu", ((2, 3), (3,)), "apart", {}),
            ("rrelu", ((2, 3),), "apart", {}),
            ("selu", ((2, 3),), "apart", {}),
            ("celu", ((2, 3),), "apart", {"alpha": 0.5}),
            ("mish", ((2, 3),), "any", {}),
            ("softsign", ((2, 3),), "apart", {}),
            ("tanhshrink", ((2, 3),), "any", {}),
            ("softmin", ((2, 3),), "any", {"dim": 0}),
            ("glu", ((2, 4),), "any", {}),
            ("bilinear", ((2, 2), (2, 3), (2, 2, 3), (2,)), "any", {}),
            ("interpolate", ((1, 2, 2, 3),), "any", {"scale_factor": 2}),
            ("interpolate", ((1, 2, 5),), "any", {"size": 3, "mode": "linear"}),
            ("interpolate", ((1, 1, 3, 3),), "any", {"size": (5, 2), "mode": "bilinear"}),
            (
                "interpolate",
                ((1, 1, 3, 2),),
                "any",
                {"size": (5, 1), "mode": "bilinear", "align_corners": True},
            ),
            ("pad", ((1, 2, 3, 4),), "any", {"pad": (2, 1, 0, 2), "mode": "reflect"}),
            ("pad", ((1, 2, 3, 4),), "any", {"pad": (5, -1, 1, 2), "mode": "replicate"}),
            ("pad", ((1, 2, 3),), "any", {"pad": (3, 1), "mode": "circular"}),
            ("pixel_shuffle", ((1, 4, 2, 1),), "any", {"upscale_factor": 2}),
            ("pixel_unshuffle", ((1, 1, 4, 2),), "any", {"downscale_factor": 2}),
            ("poisson_nll_loss", ((2, 3), (2, 3)), "positive", {}),
            (
                "poisson_nll_loss",
                ((2, 3), (2, 3)),
                "positive",
                {"log_input": False, "full": True, "reduction": "sum"},
            ),
            ("gaussian_nll_loss", ((2, 3), (2, 3), (2, 3)), "positive", {"full": True}),
            ("gaussian_nll_loss", ((2, 3), (2, 3), (2, 1)), "positive", {}),
            ("margin_ranking_loss", ((4,), (4,), (4,)), "apart", {"margin": 0.3}),
            ("triplet_margin_loss", ((2, 3),) * 3, "any", {"swap": True, "margin": 2.0}),
            ("triplet_margin_loss", ((3,),) * 3, "any", {"margin": 5.0, "reduction": "none"}),
            ("multilabel_soft_margin_loss", ((2, 3), (2, 3)), "any", {}),
            ("pairwise_distance", ((2, 3), (2, 3)), "any", {"keepdim": True}),
        )
    ],
    Sample(
        "hardsigmoid",
        lambda m, x: functional.hardsigmoid(x),
        ((5, 5),),
        "apart",
        torch=lambda m, x: m.nn.functional.relu6(x + 3) / 6,
    ),
    Sample(
        "soft_margin_loss",
        lambda m, x, t: functional.soft_margin_loss(x, t),
        ((2, 3), (2, 3)),
        torch=lambda m, x, t: m.nn.functional.softplus(-t * x, threshold=50).mean(),
    ),
    Sample("softmax_cross_entropy", _cross_entropy, ((3, 4), (3, 4)), "positive"),
    Sample(
        "bernoulli_cross_entropy",
        lambda m, p, t: losses.bernoulli_cross_entropy(p / 4, t / 4),
        ((2, 3), (2, 3)),
        "positive",
        torch=lambda m, p, t: m.nn.functional.binary_cross_entropy(p / 4, t / 4, reduction="none"),
    ),
    Sample(
        "elu",
        lambda m, x: activations.elu(x, 2.0),
        ((2, 3),),
        "apart",
        torch=lambda m, x: m.nn.functional.elu(x, 2.0),
    ),
    Sample(
        "softplus",
        lambda m, x: activations.softplus(x, 2.0),
        ((2, 3),),
        torch=lambda m, x: m.nn.functional.softplus(x, 2.0),
    ),
    Sample(
        "standardize without μ",
        lambda m, x: ops.standardize(x, axis=(1,), eps=1e-3, center=False)[0],
        ((3, 4),),
        torch=lambda m, x: m.nn.functional.rms_norm(x, (4,), eps=1e-3),
    ),
    Sample(
        "take_rows",
        lambda m, x: embedding.take_rows(x, index=backend.lift(np.array([[2, 0], [2, 1]]), x.data)),
        ((3, 2),),
        torch=lambda m, x: x[m.tensor([[2, 0], [2, 1]])],
    ),
    *[
        Sample(
            f"{name}{shapes}",
            lambda m, *xs, module=module, name=name, how=how: getattr(module, name)(*xs, **how),
            shapes,
            "apart" if "max" in name else "any",
            torch=lambda m, *xs, name=name, how=how: getattr(m.nn.functional, name)(*xs, **how),
        )
        for module, name, shapes, how in (
            (convolution, "conv1d", ((2, 2, 4), (2, 2, 2), (2,)), {"stride": 2}),
            (convolution, "conv2d", ((1, 2, 3, 3), (2, 1, 2, 2), (2,)), {"groups": 2}),
            (convolution, "conv2d", ((1, 3, 3), (2, 1, 2, 3)), {"padding": 1}),
            (patches, "unfold", ((1, 1, 3, 3),), {"kernel_size": 2}),
            (patches, "fold", ((4, 4),), {"output_size": 3, "kernel_size": 2}),
            (pooling, "max_pool2d", ((1, 1, 4, 3),), {"kernel_size": 2, "padding": 1}),
            (pooling, "avg_pool2d", ((1, 1, 3, 3),), {"kernel_size": 2, "stride": 1}),
            (pooling, "adaptive_avg_pool2d", ((1, 1, 4, 3),), {"output_size": 2}),
        )
    ],
    Sample(
        "the entries that max pooling picks",
        lambda m, x: pooling._pick(x, pooling.max_over_patches(x, **_TWO)[1], **_TWO),
        ((1, 2, 4, 4),),
        "apart",
        torch=lambda m, x: m.nn.functional.max_pool2d(x, 2),
    ),
    Sample(
        "lstm_cell",
        lambda m, z, c: m.add(*recurrent.lstm_cell(z, c)),
        ((2, 8), (2, 2)),
        parity=False,  # compared as a layer, in test_recurrent
    ),
]
