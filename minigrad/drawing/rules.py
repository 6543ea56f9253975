"""What an operation says of itself: its formula, its backward rules as lines of a textbook.

A rule is algebra, so its own source is what to show: ``lambda g, y: g * y`` is written g · y.
"""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from minigrad.drawing import symbols
from minigrad.drawing.backward import words
from minigrad.operation import Primitive
from minigrad.rule import Rule

_PACKAGE = Path(__file__).parents[1]

_LOOSE, _TIGHT, _POWER, _ATOM = 1, 2, 3, 4  # how strongly operators bind
_OPERATORS: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: (" + ", _LOOSE),
    ast.Sub: (" − ", _LOOSE),
    ast.Mult: (" · ", _TIGHT),
    ast.Div: (" / ", _TIGHT),
    ast.FloorDiv: (" // ", _TIGHT),
    ast.MatMult: (" @ ", _TIGHT),
    ast.Pow: ("^", _POWER),
}


def formula(op: Primitive) -> str:
    """The first line of its docstring, which opens with the formula; "" if there is none."""
    first = (op.__doc__ or "").strip().partition("\n")[0]
    return first.replace("``", "").rstrip(".")


def declared(op: Primitive) -> str:
    """The file and line of its declaration; of code outside this package the file's name alone."""
    code = op.forward.__code__
    path = Path(code.co_filename)
    ours = path.is_relative_to(_PACKAGE)
    place = path.relative_to(_PACKAGE.parent).as_posix() if ours else path.name
    return f"{place}:{code.co_firstlineno}"


def rules(op: Primitive) -> list[str]:
    """Each of the backward rules, such as "g_x = g · y: g times the other factor"."""
    return [line(rule, op) for rule in op.rules]


def line(rule: Rule, op: Primitive, more: str = "") -> str:
    """A rule as a line: what it computes, how, ``more``, and in words where there are some."""
    said = "" if rule.output else words(op.name, rule.input)
    return f"{gradient(rule, op)} = {rule_text(rule, op)}{more}{f': {said}' if said else ''}"


def gradient(rule: Rule, op: Primitive) -> str:
    """What a rule computes: g_x, and of an operation with several outputs by which of them."""
    name = ", ".join(f"g_{symbols.argument(input)}" for input in rule.input.split(", "))
    if not op.several or rule.output is None:
        return name
    return f"{name} from {symbols.argument(op.outputs[rule.output])}"


def rule_text(rule: Rule, op: Primitive) -> str:
    """The rule as a line of a textbook; by name where it is a function or its source is gone."""
    function = rule.rule
    body = _body(function.__code__)
    if body is None:
        code = function.__code__
        name = "rule" if function.__name__ == "<lambda>" else function.__name__.lstrip("_")
        return f"{name}({', '.join(code.co_varnames[: code.co_argcount])})"
    return _Textbook({*op.defaults, *(f"{name}_shape" for name in op.inputs)}).write(body)[0]


def _body(code: CodeType) -> ast.expr | None:
    """The expression of the lambda that ``code`` was compiled from."""
    inside = [
        ((line, column), (last, end))
        for line, last, column, end in code.co_positions()
        if line is not None and last is not None and column is not None and end  # 0 is the entry's
    ]
    for found in _lambdas(code.co_filename, code.co_firstlineno):
        body = found.body
        first = (body.lineno, body.col_offset)
        final = (body.end_lineno or 0, body.end_col_offset or 0)
        if inside and all(first <= begin and end <= final for begin, end in inside):
            return body
    return None


def _lambdas(file: str, line: int) -> Iterator[ast.Lambda]:
    """The lambdas that begin on a line of a file."""
    for node in _tree("".join(linecache.getlines(file))):
        if node.lineno == line:
            yield node


@functools.lru_cache(maxsize=64)
def _tree(source: str) -> list[ast.Lambda]:
    """All lambdas of a file."""
    try:
        return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Lambda)]
    except SyntaxError:  # the cell of a notebook with a magic in it
        return []


class _Textbook:
    """Writes an expression as a textbook does; arguments that only say which axes are left out."""

    def __init__(self, left_out: set[str]) -> None:
        self.left_out = left_out

    def write(self, node: Any) -> tuple[str, int]:
        """The text of ``node``, and how strongly its outermost operator binds."""
        binds = _ATOM
        match node:
            case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
                sign, binds = _OPERATORS[type(op)]
                text = self._within(left, binds) + sign + self._within(right, binds + 1)
            case ast.UnaryOp(ast.USub(), operand):
                text, binds = "−" + self._within(operand, _TIGHT), _TIGHT
            case ast.Name(id):
                text = symbols.argument(id.lstrip("_"))
            case ast.Constant(float() | int() as value):
                text = f"{value:g}".replace("-", "−")
            case ast.Attribute(value, "mT" | "T"):
                text = self._within(value, _ATOM) + "ᵀ"
            case ast.Call(ast.Name(name), args, keywords):
                kept = [*filter(self._says, args), *(k for k in keywords if self._says(k.value))]
                inner = ", ".join(self.write(argument)[0] for argument in kept or args)
                text = f"{symbols.argument(name.lstrip('_'))}({inner})"
            case ast.keyword(str() as name, value):
                text = f"{name}={self.write(value)[0]}"
            case _:
                text = ast.unparse(node)
                loose = ast.BinOp | ast.BoolOp | ast.Compare | ast.IfExp | ast.UnaryOp
                binds = 0 if isinstance(node, loose) else _ATOM
        return text, binds

    def _within(self, node: ast.expr, binds: int) -> str:
        """The text of ``node`` inside an operator that binds this strongly."""
        text, own = self.write(node)
        return f"({text})" if own < binds else text

    def _says(self, argument: ast.expr) -> bool:
        """Whether an argument says more than along which axes, or whether to keep them."""
        match argument:
            case ast.Name(id):
                return id not in self.left_out
            case ast.Constant(bool()):
                return False
            case ast.Attribute(_, "shape" | "dtype"):
                return False
        return True
