"""Plain arithmetic over the columns of sites.csv: numbers, names, + - * / ( ), min() and max().

The same grammar, with comparisons and a few functions more, is what kind and derive operator `expr` are written
in (`program.py` turns that tree into numbers). Text never reaches Python's own evaluator.
"""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import isfinite, nan
from typing import Any

GRAMMAR = r"""
?start: sum | sum ">=" sum -> ge | sum ">" sum -> gt | sum "<=" sum -> le | sum "<" sum -> lt
?sum: product | sum "+" product -> add | sum "-" product -> sub
?product: sign | product "*" sign -> mul | product "/" sign -> div
?sign: "-" sign -> neg | "+" sign | atom
?atom: NUMBER -> number | NAME -> name | NAME "(" [start ("," start)*] ")" -> call | "(" start ")"
NUMBER: /(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?/
NAME: /[^\W\d]\w*/
%ignore /\s+/
"""
LONGEST = 500
"""Characters of one expression: more is a program, not a limit."""

SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
ARITHMETIC = {"+", "-", "*", "/", "neg", "min", "max"}


class ExpressionError(ValueError):
    """What is wrong with an expression, and at which column (from 1) of its text."""

    def __init__(self, what: str, column: int = 1) -> None:
        super().__init__(what)
        self.column = column


@dataclass(frozen=True)
class Expr:
    """A node: `op` is `number`, `name`, `neg`, a sign or a function; `column` (from 1) is where it starts in the text."""

    op: str
    column: int
    args: tuple[Expr, ...] = ()
    value: float = 0.0
    name: str = ""

    def walk(self) -> Iterator[Expr]:
        """The node itself and all below it."""
        yield self
        for arg in self.args:
            yield from arg.walk()

    @property
    def names(self) -> tuple[str, ...]:
        """The names it uses, each once, in the order of the text."""
        return tuple(dict.fromkeys(e.name for e in self.walk() if e.op == "name"))


@cache
def parse(text: str) -> Expr:
    """The tree of an expression. ExpressionError with its column where it is none.

    >>> parse("warning - 1.0").names
    ('warning',)
    """
    from lark import UnexpectedEOF, UnexpectedInput

    if len(text) > LONGEST:
        raise ExpressionError(f"longer than {LONGEST} characters")
    try:
        return _expr(_parser().parse(text))
    except UnexpectedInput as error:
        ended = isinstance(error, UnexpectedEOF) or getattr(getattr(error, "token", None), "type", "") == "$END"
        column = len(text) + 1 if ended else max(error.column, 1)
        got = "the end" if ended else repr(text[column - 1:column + 9].split(" ", maxsplit=1)[0])
        raise ExpressionError(f"{text!r} is not an expression: unexpected {got}", column) from error
    except RecursionError as error:
        raise ExpressionError("nested too deeply") from error


def evaluate(expr: Expr, columns: Mapping[str, float]) -> float:
    """The number it gives for one site; NaN when a column it uses is empty there (or it divides by zero).

    >>> evaluate(parse("max(a, 2) * -(b + 1)"), {"a": 1.0, "b": 2.0})
    -6.0
    """
    if expr.op == "number":
        return expr.value
    if expr.op == "name":
        return columns.get(expr.name, nan)
    args = [evaluate(arg, columns) for arg in expr.args]
    value = _apply(expr.op, args) if all(map(isfinite, args)) else nan
    return value if isfinite(value) else nan


def _apply(op: str, args: list[float]) -> float:
    if op in ("min", "max"):
        return min(args) if op == "min" else max(args)
    if op == "neg":
        return -args[0]
    a, b = args
    if op == "/":
        return a / b if b else nan
    return a + b if op == "+" else a - b if op == "-" else a * b


def arithmetic(expr: Expr) -> Expr:
    """The same tree, refused unless it is only arithmetic: what limits and parameters may be."""
    for node in expr.walk():
        if node.op not in ARITHMETIC | {"number", "name"}:
            raise ExpressionError(f"{node.op} is not allowed here; + - * / ( ) min() max() are", node.column)
        if node.op in ("min", "max") and not node.args:
            raise ExpressionError(f"{node.op}() of nothing", node.column)
    return expr


@cache
def _parser() -> Any:
    from lark import Lark

    return Lark(GRAMMAR, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _expr(tree: Any) -> Expr:
    op, column = str(tree.data), tree.meta.column
    first: Any = tree.children[0] if tree.children else None
    if op == "number":
        return Expr(op, column, value=float(first))
    if op == "name":
        return Expr(op, column, name=str(first))
    if op == "call":
        return Expr(str(first), column, tuple(map(_expr, tree.children[1:])), name=str(first))
    return Expr(SIGNS.get(op, op), column, tuple(map(_expr, tree.children)))
