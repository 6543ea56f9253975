"""The operations: one page per family, each operation with its backward rules beside it.

They are polymorphic: arrays in, array out; any Tensor in, Tensor out, recorded.
"""

# ruff: noqa: I001 - in rows, not a name a line
# fmt: off
from minigrad.ops.contraction import einsum, tensordot
from minigrad.ops.creation import (
    arange, as_tensor, empty, eye, from_dlpack, from_numpy, full, full_like, is_tensor, linspace,
    normal, ones, ones_like, rand, rand_like, randint, randn, randn_like, randperm, tensor,
    zeros, zeros_like,
)
from minigrad.ops.elementwise import (
    abs, add, bitwise_and, bitwise_not, bitwise_or, bitwise_xor, ceil, clamp, clip, cos, div,
    eq, erf, exp, expm1, floor, floor_divide, ge, gt,
    isclose, isfinite, isinf, isnan, le, log, log1p, log2, logical_and, logical_not, logical_or,
    logical_xor, lt, masked_fill, maximum, minimum, mul, ne, neg, pow, reciprocal, relu,
    remainder, round, rsqrt, sigmoid, sign, sin, sqrt, square, sub, tanh, where,
)
from minigrad.ops.joining import cat, chunk, split, stack, unbind
from minigrad.ops.linear_algebra import (
    addmm, bmm, diag, dot, linear, matmul, mm, mv, outer, trace,
)
from minigrad.ops.losses import softmax_cross_entropy
from minigrad.ops.normalization import normalize, scale_shift, standardize, standardize_composite
from minigrad.ops.ordering import argsort, cumprod, masked_select, nonzero, sort, topk
from minigrad.ops.padding import pad
from minigrad.ops.reductions import (
    all, allclose, amax, amin, any, argmax, argmin, cumsum, equal, log_softmax, logsumexp, max,
    mean, mean_over, min, norm, prod, softmax, std, sum, sum_over, var,
)
from minigrad.ops.shape import (
    astype, broadcast_to, clone, expand, expand_as, flatten, flip, gather, getitem, index_select,
    matrix_transpose, movedim, permute, ravel, raw_index, repeat, reshape, reshape_as, roll,
    squeeze, swapaxes, t, take_along_dim, tile, transfer, transpose, tril, triu, unflatten,
    unsqueeze, view, view_as,
)

__all__ = [
    "abs", "add", "addmm", "all", "allclose", "amax", "amin", "any", "arange", "argmax",
    "argmin", "argsort", "as_tensor", "astype", "bitwise_and", "bitwise_not", "bitwise_or",
    "bitwise_xor", "bmm", "broadcast_to", "cat", "ceil", "chunk",
    "clamp", "clip", "clone", "cos", "cumprod", "cumsum", "diag", "div", "dot", "einsum",
    "empty", "eq", "equal", "erf", "exp", "expand", "expand_as", "expm1", "eye", "flatten",
    "flip", "floor", "floor_divide", "from_dlpack", "from_numpy", "full", "full_like", "gather",
    "ge", "getitem", "gt", "index_select", "is_tensor", "isclose", "isfinite", "isinf", "isnan",
    "le", "linear", "linspace", "log", "log1p", "log2", "log_softmax", "logical_and",
    "logical_not", "logical_or", "logical_xor", "logsumexp", "lt", "masked_fill",
    "masked_select", "matmul", "matrix_transpose", "max", "maximum", "mean", "mean_over", "min",
    "minimum", "mm", "movedim", "mul", "mv", "ne", "neg", "nonzero", "norm", "normal",
    "normalize", "ones", "ones_like", "outer", "pad", "permute", "pow", "prod", "rand",
    "rand_like", "randint", "randn", "randn_like", "randperm", "ravel", "raw_index",
    "reciprocal", "relu", "remainder", "repeat", "reshape", "reshape_as", "roll", "round",
    "rsqrt", "scale_shift", "sigmoid", "sign", "sin", "softmax", "softmax_cross_entropy", "sort",
    "split", "sqrt", "square", "squeeze", "stack", "standardize", "standardize_composite", "std",
    "sub", "sum", "sum_over", "swapaxes", "t", "take_along_dim", "tanh", "tensor", "tensordot",
    "tile", "topk", "trace", "transfer", "transpose", "tril", "triu", "unbind", "unflatten",
    "unsqueeze", "var", "view", "view_as", "where", "zeros", "zeros_like",
]
# fmt: on
