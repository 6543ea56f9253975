"""What drawings call things: operations and their arguments in the signs of the textbook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Operations whose name is not already what a textbook writes.
OPERATIONS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "div": "÷",
    "pow": "xʸ",
    "neg": "−x",
    "abs": "|x|",
    "square": "x²",
    "sqrt": "√",
    "rsqrt": "1/√",
    "reciprocal": "1/x",
    "log": "ln",
    "log1p": "ln(1 + x)",
    "expm1": "exp(x) − 1",
    "log2": "log₂",
    "relu": "ReLU",
    "maximum": "max",
    "minimum": "min",
    "sum_over": "Σ",
    "mean_over": "mean",
    "max_over": "max",
    "min_over": "min",
    "cumulative_sum": "cumulative Σ",
    "logsumexp": "ln Σ exp",
    "log_softmax": "ln softmax",
    "norm": "‖x‖",
    "matmul": "@",
    "linear": "x Wᵀ + b",
    "matrix_transpose": "xᵀ",
    "permute": "permute",
    "getitem": "x[…]",
    "place": "into […]",
    "take_along": "gather",
    "put_along": "scatter",
    "broadcast_to": "broadcast",
    "fit": "Σ broadcast",
    "eq": "=",
    "ne": "≠",
    "lt": "<",
    "le": "≤",
    "gt": ">",
    "ge": "≥",
    "astype": "cast",
    "standardize": "ẑ = (x − μ)/σ",
    "normalize": "ẑ = (x − μ)/σ",
    "scale_shift": "γ·ẑ + β",
    "asin": "arcsin",
    "acos": "arccos",
    "atan": "arctan",
    "asinh": "arsinh",
    "acosh": "arcosh",
    "atanh": "artanh",
    "floor": "⌊x⌋",
    "ceil": "⌈x⌉",
    "log10": "log₁₀",
    "logaddexp": "ln(eˣ + eʸ)",
    "hypot": "√(x² + y²)",
    "inverse": "x⁻¹",
    "solve": "a⁻¹ b",
    "slogdet": "sign, ln |det x|",
    "elu": "ELU",
    "remainder": "mod",
    "concat": "join",
    "transfer": "to the other device",
    "step": "x > 0",
    "log1pexp": "ln(1 + eˣ)",
    "unfold": "patches",
    "fold": "Σ patches",
    "convolve": "W ∗ x + b",
    "convolve_input": "Wᵀ ∗ y",
    "convolve_kernel": "y ∗ x",
    "max_over_patches": "max of patches",
    "pick": "x[arg max]",
    "put": "into [arg max]",
    "take_rows": "rows x[i]",
    "add_rows": "Σ into rows",
    "lstm_cell": "LSTM cell",
    "bernoulli_cross_entropy": "−t·ln p − (1 − t)·ln(1 − p)",
    "softmax_cross_entropy": "−Σ t·ln p",
}

# Arguments and outputs that have a sign of their own, whatever the tensor's name.
SIGNS = {
    "gamma": "γ",
    "beta": "β",
    "mu": "μ",
    "sigma": "σ",
    "h_next": "h′",
    "c_next": "c′",
    "index": "arg max",
    "w": "W",
    "b": "b",
    "p": "p",
    "t": "t",
}

# What γ scales. As a leaf it was computed from data that need no gradient, so nothing of it was
# recorded, and μ and σ are not on the drawing.
STANDARDIZED = "ẑ"
UNRECORDED = "(x − μ)/σ of data: not recorded"

# Arguments that a layer brings along, in contrast to the data that flow through it.
HELD = frozenset({"gamma", "beta", "mu", "sigma", "w", "b"})

SWAPPABLE = frozenset({"add", "mul", "maximum", "minimum", "eq", "ne"})
VIEWS = frozenset({"reshape", "permute", "matrix_transpose", "broadcast_to"})
_INFIX = frozenset({"add", "sub", "mul", "div", "eq", "ne", "lt", "le", "gt", "ge"})
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def argument(name: str) -> str:
    """The sign of an argument or output of an operation; its own name if it has none."""
    return SIGNS.get(name, name)


def operation(name: str, scalars: Mapping[int, str], given: int) -> str:
    """The sign of an operation, with the numbers among its inputs written into it.

    Parameters
    ----------
    name
        The operation's name.
    scalars
        The inputs that are plain numbers, by position: ``x ** 2`` is drawn as x², not as xʸ with
        a box for the 2.
    given
        How many inputs there are.
    """
    name = name.lstrip("_")
    sign = OPERATIONS.get(name, name.replace("_", " "))
    if name in ("linear", "convolve") and given < 3:  # noqa: PLR2004 - x, w and no b
        return sign.removesuffix(" + b")
    if name == "pow" and 1 in scalars:
        power = scalars[1].replace("−", "-")
        whole = power.lstrip("-").isdigit()
        return "x" + power.translate(_SUPERSCRIPT) if whole else f"x^{scalars[1]}"
    if name == "pow" and 0 in scalars:
        return f"{scalars[0]}ʸ"
    if name in _INFIX and scalars:
        return f"{scalars[0]} {sign}" if 0 in scalars else f"{sign} {scalars[1]}"
    if scalars:
        return f"{sign} ({', '.join(scalars.values())})"
    return sign


def note(name: str, params: Mapping[str, Any], ndim: int) -> str:
    """What of an operation's parameters a reader needs beside its sign."""
    axis = params.get("axis", params.get("axes"))
    if axis is not None:
        axes = axis if isinstance(axis, tuple) else (axis,)
        every = len(axes) == ndim and name not in ("_permute", "_flip", "_roll")
        word = "axis" if len(axes) == 1 else "axes"
        return "" if every else f"{word} {', '.join(map(str, axes))}".replace("-", "−")
    if "dtype" in params and name != "fit":
        return str(params["dtype"])
    if name == "clamp":
        low, high = params["min"], params["max"]
        return f"{'' if low is None else low} … {'' if high is None else high}".strip()
    return ""
