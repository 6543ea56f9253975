"""The cases that every operation is tested on.

A sample's function takes a module first: minigrad, or PyTorch where the names agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigrad import backend, ops
from minigrad.ops import activations, convolution, embedding, losses, pooling, recurrent

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
    Sample("prod", lambda m, x: m.prod(x, 0), ((5, 2),)),
    Sample("prod of all", lambda m, x: m.prod(x), ((7,),)),
    Sample("prod with a zero", lambda m, x: m.prod(m.where(x > 0, x, 0.0), 0), ((4, 2),), "apart"),
    Sample("prod of nothing", lambda m, x: m.prod(x, 0), ((0, 2),)),
    Sample("max", lambda m, x: m.max(x), ((2, 3),), "apart"),
    Sample("max along", lambda m, x: m.max(x, 1)[0], ((2, 3),), "apart"),
    Sample("min along", lambda m, x: m.min(x, dim=0, keepdim=True)[0], ((2, 3),), "apart"),
    Sample("cumsum", lambda m, x: m.cumsum(x, 1), ((2, 4),)),
    Sample("softmax", lambda m, x: m.softmax(x, 1), ((2, 4),)),
    Sample("softmax along 0", lambda m, x: m.softmax(x, dim=0), ((3, 2),)),
    Sample("log_softmax", lambda m, x: m.log_softmax(x, -1), ((2, 4),)),
    *[s for name in ("floor", "ceil", "round") for s in _unary(name, "apart")],
    Sample("sort", lambda m, x: m.sort(x, dim=0)[0], ((4, 2),), "apart"),
    Sample("sort down", lambda m, x: m.sort(x, -1, descending=True)[0], ((2, 4),), "apart"),
    Sample("topk", lambda m, x: m.topk(x, 2, dim=1)[0], ((2, 4),), "apart"),
    Sample("cumprod", lambda m, x: m.cumprod(x, 1), ((2, 5),)),
    Sample("diag", lambda m, x: m.diag(x), ((3,),)),
    Sample("diag of a matrix", lambda m, x: m.diag(x), ((2, 3),)),
    Sample("trace", lambda m, x: m.trace(x), ((3, 3),)),
    Sample("norm", lambda m, x: x.norm(), ((2, 3),)),
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
    Sample("softmax_cross_entropy", _cross_entropy, ((3, 4), (3, 4)), "positive"),
    Sample(
        "bernoulli_cross_entropy",
        lambda m, p, t: losses.bernoulli_cross_entropy(p / 4, t / 4),
        ((2, 3), (2, 3)),
        "positive",
        torch=lambda m, p, t: m.nn.functional.binary_cross_entropy(p / 4, t / 4, reduction="none"),
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
            (convolution, "unfold", ((1, 1, 3, 3),), {"kernel_size": 2}),
            (convolution, "fold", ((4, 4),), {"output_size": 3, "kernel_size": 2}),
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
        "time_steps",
        lambda m, x: recurrent.time_steps(x)[0] * recurrent.time_steps(x)[2] ** 2,
        ((3, 2, 2),),
        torch=lambda m, x: x[0] * x[2] ** 2,
    ),
    Sample(
        "lstm_cell",
        lambda m, z, c: m.add(*recurrent.lstm_cell(z, c)),
        ((2, 8), (2, 2)),
        parity=False,  # compared as a layer, in test_recurrent
    ),
]
