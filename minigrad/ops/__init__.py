"""The operations: one page per family, each operation with its backward rules beside it.

They are polymorphic: arrays in, array out; any Tensor in, Tensor out, recorded.
"""

# ruff: noqa: I001 - in rows, not a name a line
# fmt: off
from minigrad.ops.choosing import clamp, clip, masked_fill, maximum, minimum, relu, where
from minigrad.ops.comparison import (
    all, allclose, any, bitwise_and, bitwise_not, bitwise_or, bitwise_xor, eq, equal, ge, gt,
    isclose, isfinite, isinf, isnan, le, logical_and, logical_not, logical_or, logical_xor, lt, ne,
)
from minigrad.ops.contraction import einsum, tensordot
from minigrad.ops.counting import (
    aminmax, bincount, bucketize, count_nonzero, isin, kthvalue, median, nansum, quantile,
    searchsorted, std_mean, unique, var_mean,
)
from minigrad.ops.creation import (
    arange, as_tensor, empty, empty_like, eye, from_dlpack, from_numpy, full, full_like,
    is_floating_point, is_tensor, linspace, logspace, ones, ones_like, tensor, tril_indices,
    triu_indices, zeros, zeros_like,
)
from minigrad.ops.elementwise import (
    abs, add, cos, div, erf, exp, expm1, floor_divide, log, log1p, log2, mul, neg, pow,
    reciprocal, remainder, rsqrt, sigmoid, sign, sin, sqrt, square, sub, tanh,
)
from minigrad.ops.inverse import (
    cdist, cross, det, dist, inner, inverse, logdet, matrix_power, slogdet, solve,
)
from minigrad.ops.assembling import (
    atleast_1d, atleast_2d, block_diag, broadcast_tensors, cartesian_prod, column_stack, concat,
    concatenate, diff, dstack, fliplr, flipud, hstack, kron, meshgrid, narrow, numel,
    repeat_interleave, rot90, select, tensor_split, vstack,
)
from minigrad.ops.joining import cat, chunk, split, stack, unbind
from minigrad.ops.linear_algebra import (
    addmm, bmm, diag, dot, linear, matmul, mm, mv, outer, trace,
)
from minigrad.ops.losses import softmax_cross_entropy
from minigrad.ops.normalization import normalize, scale_shift, standardize, standardize_composite
from minigrad.ops.ordering import argsort, cumprod, masked_select, nonzero, sort, topk
from minigrad.ops.random import (
    bernoulli, multinomial, normal, rand, rand_like, randint, randint_like, randn, randn_like,
    randperm,
)
from minigrad.ops.rectifiers import celu, prelu, rrelu, selu, threshold
from minigrad.ops.padding import pad
from minigrad.ops.reductions import (
    amax, amin, argmax, argmin, cumsum, max, mean, mean_over, min, norm, prod, std, sum,
    sum_over, var,
)
from minigrad.ops.softmax import log_softmax, logsumexp, softmax
from minigrad.ops.rounding import (
    addcdiv, addcmul, ceil, clamp_max, clamp_min, fix, floor, fmod, frac, lerp, nan_to_num, round,
    trunc,
)
from minigrad.ops.scattering import (
    diag_embed, diagonal, index_add, index_fill, scatter, scatter_add, take,
)
from minigrad.ops.copying import astype, clone, transfer
from minigrad.ops.indexing import gather, getitem, index_select, raw_index, take_along_dim
from minigrad.ops.shape import (
    broadcast_to, expand, expand_as, flatten, flip, matrix_transpose, movedim, permute, ravel,
    repeat, reshape, reshape_as, roll, squeeze, swapaxes, t, tile, transpose, tril, triu,
    unflatten, unsqueeze, view, view_as,
)
from minigrad.ops.trigonometry import (
    acos, acosh, arccos, arccosh, arcsin, arcsinh, arctan, arctan2, arctanh, asin, asinh, atan,
    atan2, atanh, cosh, deg2rad, erfc, exp2, hypot, log10, logaddexp, logit, rad2deg, sinc, sinh,
    tan, xlogy,
)

# PyTorch's longer names.
multiply, subtract, divide, true_divide = mul, sub, div, div
absolute, negative, ger, vdot = abs, neg, outer, dot

__all__ = [  # noqa: RUF022 - in rows, not a name a line
    "abs", "absolute", "acos", "acosh", "add", "addcdiv", "addcmul", "addmm", "all", "allclose",
    "amax", "amin", "aminmax", "any", "arange", "arccos", "arccosh", "arcsin", "arcsinh",
    "arctan", "arctan2", "arctanh", "argmax", "argmin", "argsort", "as_tensor", "asin", "asinh",
    "astype", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "bernoulli", "bincount",
    "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "block_diag", "bmm",
    "broadcast_tensors", "broadcast_to", "bucketize", "cartesian_prod", "cat", "cdist", "ceil",
    "celu", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone", "column_stack",
    "concat", "concatenate", "cos", "cosh", "count_nonzero", "cross", "cumprod", "cumsum",
    "deg2rad", "det", "diag", "diag_embed", "diagonal", "diff", "dist", "div", "divide", "dot",
    "dstack", "einsum", "empty", "empty_like", "eq", "equal", "erf", "erfc", "exp", "exp2",
    "expand", "expand_as", "expm1", "eye", "fix", "flatten", "flip", "fliplr", "flipud",
    "floor", "floor_divide", "fmod", "frac", "from_dlpack", "from_numpy", "full", "full_like",
    "gather", "ge", "ger", "getitem", "gt", "hstack", "hypot", "index_add", "index_fill",
    "index_select", "inner", "inverse", "is_floating_point", "is_tensor", "isclose", "isfinite",
    "isin", "isinf", "isnan", "kron", "kthvalue", "le", "lerp", "linear", "linspace", "log",
    "log10", "log1p", "log2", "log_softmax", "logaddexp", "logdet", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp", "lt",
    "masked_fill", "masked_select", "matmul", "matrix_power", "matrix_transpose", "max",
    "maximum", "mean", "mean_over", "median", "meshgrid", "min", "minimum", "mm", "movedim",
    "mul", "multinomial", "multiply", "mv", "nan_to_num", "nansum", "narrow", "ne", "neg",
    "negative", "nonzero", "norm", "normal", "normalize", "numel", "ones", "ones_like", "outer",
    "pad", "permute", "pow", "prelu", "prod", "quantile", "rad2deg", "rand", "rand_like",
    "randint", "randint_like", "randn", "randn_like", "randperm", "ravel", "raw_index",
    "reciprocal", "relu", "remainder", "repeat", "repeat_interleave", "reshape", "reshape_as",
    "roll", "rot90", "round", "rrelu", "rsqrt", "scale_shift", "scatter", "scatter_add",
    "searchsorted", "select", "selu", "sigmoid", "sign", "sin", "sinc", "sinh", "slogdet",
    "softmax", "softmax_cross_entropy", "solve", "sort", "split", "sqrt", "square", "squeeze",
    "stack", "standardize", "standardize_composite", "std", "std_mean", "sub", "subtract",
    "sum", "sum_over", "swapaxes", "t", "take", "take_along_dim", "tan", "tanh", "tensor",
    "tensor_split", "tensordot", "threshold", "tile", "topk", "trace", "transfer", "transpose",
    "tril", "tril_indices", "triu", "triu_indices", "true_divide", "trunc", "unbind",
    "unflatten", "unique", "unsqueeze", "var", "var_mean", "vdot", "view", "view_as", "vstack",
    "where", "xlogy", "zeros", "zeros_like",
]
# fmt: on
