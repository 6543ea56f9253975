"""minigrad: an autodiff engine to read in an evening, and a course on what it computes."""

# ruff: noqa: I001 - Tensor comes first: it closes the one circle of imports
# fmt: off
from importlib import import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING, Any

from numpy import finfo, iinfo

from minigrad.tensor import Tensor
from minigrad.backend import (
    bool_, float16, float32, float64, get_default_dtype, int16, int32, int64, int8, manual_seed,
    set_default_dtype, uint8, use,
)
from minigrad.backend.device import device
from minigrad.engine import grad
from minigrad.operation import primitive
from minigrad.recording import (
    enable_grad, inference_mode, is_grad_enabled, no_grad, set_grad_enabled,
)
from minigrad.ops import (
    abs, absolute, acos, acosh, addcdiv, addcmul, addmm, all, allclose, amax, amin, aminmax, any,
    arange, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, argmax, argmin, argsort,
    as_tensor, asin, asinh, atan, atan2, atanh, atleast_1d, atleast_2d, bernoulli, bincount,
    block_diag, bmm, broadcast_tensors, broadcast_to, bucketize, cartesian_prod, cat, cdist, ceil,
    celu, chunk, clamp, clamp_max, clamp_min, clip, clone, column_stack, concat, concatenate, cos,
    cosh, count_nonzero, cross, cumprod, cumsum, deg2rad, det, diag, diag_embed, diagonal, diff,
    dist, divide, dot, dstack, einsum, empty, empty_like, eq, equal, erf, erfc, exp, exp2, expand,
    expand_as, expm1, eye, fix, flatten, flip, fliplr, flipud, floor, floor_divide, fmod, frac,
    from_dlpack, from_numpy, full, full_like, gather, ge, ger, gt, hstack, hypot, index_add,
    index_fill, index_select, inner, inverse, is_floating_point, is_tensor, isclose, isfinite, isin,
    isinf, isnan, kron, kthvalue, le, lerp, linear, linspace, log, log10, log1p, log2, log_softmax,
    logaddexp, logdet, logical_and, logical_not, logical_or, logical_xor, logit, logspace,
    logsumexp, lt, masked_fill, masked_select, matmul, matrix_power, max, maximum, mean, median,
    meshgrid, min, minimum, mm, movedim, mul, multinomial, multiply, mv, nan_to_num, nansum, narrow,
    ne, neg, negative, nonzero, norm, normal, normalize, numel, ones, ones_like, outer, pad,
    permute, pow, prelu, prod, quantile, rad2deg, rand, rand_like, randint, randint_like, randn,
    randn_like, randperm, reciprocal, relu, remainder, repeat, repeat_interleave, reshape, roll,
    rot90, round, rrelu, rsqrt, scale_shift, scatter, scatter_add, searchsorted, select, selu,
    sigmoid, sign, sin, sinc, sinh, slogdet, softmax, solve, sort, split, sqrt, square, squeeze,
    stack, standardize, std, std_mean, subtract, sum, swapaxes, t, take, take_along_dim, tan, tanh,
    tensor, tensor_split, tensordot, threshold, tile, topk, trace, transpose, tril, tril_indices,
    triu, triu_indices, true_divide, trunc, unbind, unflatten, unique, unsqueeze, var, var_mean,
    vdot, view, vstack, where, xlogy, zeros, zeros_like,
)

# With PyTorch's further arguments (alpha, rounding_mode), as the methods have them.
add, sub, div = Tensor.add, Tensor.sub, Tensor.div

if TYPE_CHECKING:
    from minigrad.anomaly import detect_anomaly
    from minigrad import autograd, cuda, data, linalg, nn, optim, products, testing, train
    from minigrad.backend.streams import Generator
    from minigrad.drawing import draw
    from minigrad.replaying import replay
    from minigrad.serialization import load, save
    from minigrad.transforms import gradcheck, hessian, hvp, jacobian, jvp, vjp

__version__ = "0.1.0"

# PyTorch's other names for the dtypes, and for a shape.
Size: type = tuple
half, float, double, short, int, long, bool = (
    float16, float32, float64, int16, int32, int64, bool_,
)


__all__ = [  # noqa: RUF022 - in rows, not a name a line
    "Generator", "Size", "Tensor", "abs", "absolute", "acos", "acosh", "add", "addcdiv",
    "addcmul", "addmm", "all", "allclose", "amax", "amin", "aminmax", "any", "arange", "arccos",
    "arccosh", "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "argmax", "argmin",
    "argsort", "as_tensor", "asin", "asinh", "atan", "atan2", "atanh", "atleast_1d",
    "atleast_2d", "autograd", "bernoulli", "bincount", "block_diag", "bmm", "bool", "bool_",
    "broadcast_tensors", "broadcast_to", "bucketize", "cartesian_prod", "cat", "cdist", "ceil",
    "celu", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "column_stack",
    "concat", "concatenate", "cos", "cosh", "count_nonzero", "cross", "cuda", "cumprod",
    "cumsum", "data", "deg2rad", "det", "detect_anomaly", "device", "diag", "diag_embed",
    "diagonal", "diff", "dist", "div", "divide", "dot", "double", "draw", "dstack", "e",
    "einsum", "empty", "empty_like", "enable_grad", "eq", "equal", "erf", "erfc", "exp", "exp2",
    "expand", "expand_as", "expm1", "eye", "finfo", "fix", "flatten", "flip", "fliplr",
    "flipud", "float", "float16", "float32", "float64", "floor", "floor_divide", "fmod", "frac",
    "from_dlpack", "from_numpy", "full", "full_like", "gather", "ge", "ger",
    "get_default_dtype", "grad", "gradcheck", "gt", "half", "hessian", "hstack", "hvp", "hypot",
    "iinfo", "index_add", "index_fill", "index_select", "inf", "inference_mode", "inner", "int",
    "int16", "int32", "int64", "int8", "inverse", "is_floating_point", "is_grad_enabled",
    "is_tensor", "isclose", "isfinite", "isin", "isinf", "isnan", "jacobian", "jvp", "kron",
    "kthvalue", "le", "lerp", "linalg", "linear", "linspace", "load", "log", "log10", "log1p",
    "log2", "log_softmax", "logaddexp", "logdet", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logit", "logspace", "logsumexp", "long", "lt", "manual_seed", "masked_fill",
    "masked_select", "matmul", "matrix_power", "max", "maximum", "mean", "median", "meshgrid",
    "min", "minimum", "mm", "movedim", "mul", "multinomial", "multiply", "mv", "nan",
    "nan_to_num", "nansum", "narrow", "ne", "neg", "negative", "nn", "no_grad", "nonzero",
    "norm", "normal", "normalize", "numel", "ones", "ones_like", "optim", "outer", "pad",
    "permute", "pi", "pow", "prelu", "primitive", "prod", "products", "quantile", "rad2deg",
    "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm",
    "reciprocal", "relu", "remainder", "repeat", "repeat_interleave", "replay", "reshape",
    "roll", "rot90", "round", "rrelu", "rsqrt", "save", "scale_shift", "scatter", "scatter_add",
    "searchsorted", "select", "selu", "set_default_dtype", "set_grad_enabled", "short",
    "sigmoid", "sign", "sin", "sinc", "sinh", "slogdet", "softmax", "solve", "sort", "split",
    "sqrt", "square", "squeeze", "stack", "standardize", "std", "std_mean", "sub", "subtract",
    "sum", "swapaxes", "t", "take", "take_along_dim", "tan", "tanh", "tensor", "tensor_split",
    "tensordot", "testing", "threshold", "tile", "topk", "trace", "train", "transpose", "tril",
    "tril_indices", "triu", "triu_indices", "true_divide", "trunc", "uint8", "unbind",
    "unflatten", "unique", "unsqueeze", "use", "var", "var_mean", "vdot", "view", "vjp",
    "vstack", "where", "xlogy", "zeros", "zeros_like",
]
# fmt: on

# Loaded when first named, so that `import minigrad` takes little longer than `import numpy`.
_parts = ("autograd", "cuda", "data", "linalg", "nn", "optim", "products", "testing", "train")
_transforms = ("gradcheck", "hessian", "hvp", "jacobian", "jvp", "vjp")
_homes = {
    "Generator": "backend.streams",
    "detect_anomaly": "anomaly",
    "draw": "drawing",
    "load": "serialization",
    "replay": "replaying",
    "save": "serialization",
    **dict.fromkeys(_transforms, "transforms"),
}

# What PyTorch has under another path, or needs and minigrad does not.
_elsewhere = {
    "utils": "; data sets and loaders are in minigrad.data, the rest in minigrad.nn.utils",
    "compile": "; there is nothing to compile: call the function as it is",
    "vmap": "; operations broadcast: give the batch an axis in front",
    "func": "; see grad, vjp, jvp, jacobian and hessian",
}


def __getattr__(name: str) -> Any:
    if name in _parts:
        return import_module(f"minigrad.{name}")
    if name in _homes:
        return getattr(import_module(f"minigrad.{_homes[name]}"), name)
    raise AttributeError(f"minigrad has no {name!r}{_elsewhere.get(name, '')}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
