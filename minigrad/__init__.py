"""minigrad: an autodiff engine to read in an evening, and a course on what it computes."""

# ruff: noqa: I001 - Tensor comes first: it closes the one circle of imports
# fmt: off
from importlib import import_module
from math import inf, nan, pi
from typing import TYPE_CHECKING, Any

from minigrad.tensor import Tensor
from minigrad.backend import (
    bool_, float16, float32, float64, get_default_dtype, int32, int64, int8, manual_seed,
    set_default_dtype, uint8, use,
)
from minigrad.engine import grad
from minigrad.operation import primitive
from minigrad.recording import enable_grad, no_grad
from minigrad.ops import (
    abs, add, addmm, all, allclose, amax, amin, any, arange, argmax, argmin, argsort, as_tensor,
    bmm, broadcast_to, cat, ceil, chunk, clamp, clip, clone, cos, cumprod, cumsum, diag, div,
    dot, einsum, empty, eq, equal, erf, exp, expand, expand_as, expm1, eye, flatten, flip, floor,
    from_dlpack, from_numpy, full, full_like, gather, ge, gt, index_select, is_tensor, isclose,
    isfinite, isinf, isnan, le, linear, linspace, log, log1p, log2, log_softmax, logical_and,
    logical_not, logical_or, logical_xor, logsumexp, lt, masked_fill, masked_select, matmul, max,
    maximum, mean, min, minimum, mm, movedim, mul, mv, ne, neg, nonzero, norm, normal, normalize,
    ones, ones_like, outer, pad, permute, pow, prod, rand, rand_like, randint, randn, randn_like,
    randperm, reciprocal, relu, repeat, reshape, roll, round, rsqrt, scale_shift, sigmoid, sign,
    sin, softmax, sort, split, sqrt, square, squeeze, stack, standardize, std, sub, sum,
    swapaxes, t, take_along_dim, tanh, tensor, tensordot, tile, topk, trace, transpose, tril,
    triu, unbind, unflatten, unsqueeze, var, view, where, zeros, zeros_like,
)

if TYPE_CHECKING:
    from minigrad.anomaly import detect_anomaly
    from minigrad import cuda, data, nn, optim, products, testing, train
    from minigrad.drawing import draw
    from minigrad.replaying import replay
    from minigrad.serialization import load, save
    from minigrad.transforms import gradcheck, hessian, hvp, jacobian, jvp, vjp

__version__ = "0.1.0"

# PyTorch's other names for the dtypes, and its constants.
half, float, double, int, long, bool = float16, float32, float64, int32, int64, bool_


__all__ = [  # noqa: RUF022 - in rows, not a name a line
    "Tensor", "abs", "add", "addmm", "all", "allclose", "amax", "amin", "any", "arange",
    "argmax", "argmin", "argsort", "as_tensor", "bmm", "bool", "bool_", "broadcast_to", "cat",
    "ceil", "chunk", "clamp", "clip", "clone", "cos", "cuda", "cumprod", "cumsum", "data",
    "detect_anomaly", "diag", "div", "dot", "double", "draw", "einsum", "empty", "enable_grad",
    "eq", "equal", "erf", "exp", "expand", "expand_as", "expm1", "eye", "flatten", "flip",
    "float", "float16", "float32", "float64", "floor", "from_dlpack", "from_numpy", "full",
    "full_like", "gather", "ge", "get_default_dtype", "grad", "gradcheck", "gt", "half",
    "hessian", "hvp", "index_select", "inf", "int", "int32", "int64", "int8", "is_tensor",
    "isclose", "isfinite", "isinf", "isnan", "jacobian", "jvp", "le", "linear", "linspace",
    "load", "log", "log1p", "log2", "log_softmax", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logsumexp", "long", "lt", "manual_seed", "masked_fill", "masked_select",
    "matmul", "max", "maximum", "mean", "min", "minimum", "mm", "movedim", "mul", "mv", "nan",
    "ne", "neg", "nn", "no_grad", "nonzero", "norm", "normal", "normalize", "ones", "ones_like",
    "optim", "outer", "pad", "permute", "pi", "pow", "primitive", "prod", "products", "rand",
    "rand_like", "randint", "randn", "randn_like", "randperm", "reciprocal", "relu", "repeat",
    "replay", "reshape", "roll", "round", "rsqrt", "save", "scale_shift", "set_default_dtype",
    "sigmoid", "sign", "sin", "softmax", "sort", "split", "sqrt", "square", "squeeze", "stack",
    "standardize", "std", "sub", "sum", "swapaxes", "t", "take_along_dim", "tanh", "tensor",
    "tensordot", "testing", "tile", "topk", "trace", "train", "transpose", "tril", "triu",
    "uint8", "unbind", "unflatten", "unsqueeze", "use", "var", "view", "vjp", "where", "zeros",
    "zeros_like",
]
# fmt: on

# Loaded when first named, so that `import minigrad` takes little longer than `import numpy`.
_parts = ("cuda", "data", "nn", "optim", "products", "testing", "train")
_transforms = ("gradcheck", "hessian", "hvp", "jacobian", "jvp", "vjp")
_homes = {
    "detect_anomaly": "anomaly",
    "draw": "drawing",
    "load": "serialization",
    "replay": "replaying",
    "save": "serialization",
    **dict.fromkeys(_transforms, "transforms"),
}


def __getattr__(name: str) -> Any:
    if name in _parts:
        return import_module(f"minigrad.{name}")
    if name in _homes:
        return getattr(import_module(f"minigrad.{_homes[name]}"), name)
    raise AttributeError(f"minigrad has no {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
