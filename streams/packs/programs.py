"""`expr: "x / design"`: the text of a kind or operator `expr`, as the numbers that its step runs."""
from __future__ import annotations

from collections.abc import Mapping
from math import isnan, nan
from typing import Any

from detectors.pack import Value
from detectors.program import CONSTANTS, FUNCTIONS, encode
from detectors.step import params
from streams.packs.expressions import Expr, ExpressionError, parse
from streams.packs.faults import Faults, meant
from streams.packs.nodes import Node
from streams.packs.values import Columns, inside, names, off, some

KEY = "expr"
"""What a pack writes for the parameter of unit `code`."""


def coded(kind: Any) -> bool:
    """Whether an algorithm runs a program that a pack writes."""
    return any(param.unit == "code" for param in params(kind))


def tree(node: Node, faults: Faults) -> Expr | None:
    """The tree of an expression's text; None after a fault."""
    try:
        return parse(node.text) if isinstance(node.value, str | int | float) else _refuse(f"expected a text, got {node.got}")
    except ExpressionError as error:
        faults.add(inside(node, error.column), f"{KEY}: {error}")
    return None


def compiled(node: Node, variables: Mapping[str, int], columns: Columns, faults: Faults, what: str) -> dict[str, Value]:
    """The parameters `code` and `c0`… of an expression; `variables` is name -> place in the program's values."""
    expr = tree(node, faults)
    if expr is None:
        return {}
    try:
        names(expr, [*variables, *columns.names], "name")
        constants = [name for name in expr.names if name not in variables]
        if len(constants) > CONSTANTS:
            raise ExpressionError(f"{len(constants)} columns; at most {CONSTANTS}")
        _functions(expr)
        code = encode(_ast(expr), {**variables, **{name: i for i, name in enumerate(constants)}})
    except ExpressionError as error:
        faults.add(inside(node, error.column), f"{KEY}: {error}")
        return {}
    except ValueError as error:
        faults.add(node.place, f"{KEY}: {error}")
        return {}
    given: dict[str, Value] = {"code": code}
    for i, name in enumerate(constants):
        cells = {site: row.get(name, nan) for site, row in columns.rows.items()}
        if off(cells):
            faults.hint(node.place, f"{what}: no score at {some(off(cells))}, where {name} is empty")
        given[f"c{i}"] = {site: cell for site, cell in cells.items() if not isnan(cell)}
    return given


def _functions(expr: Expr) -> None:
    for part in expr.walk():
        if part.name == part.op and part.op not in FUNCTIONS:
            raise ExpressionError(f"unknown function {part.name!r}{meant(part.name, FUNCTIONS)}", part.column)


def _ast(expr: Expr) -> tuple[Any, ...]:
    """As `detectors.program.encode` reads it."""
    if expr.op == "number":
        return ("num", expr.value)
    return ("name", expr.name) if expr.op == "name" else (expr.op, *map(_ast, expr.args))


def _refuse(what: str) -> Expr:
    raise ExpressionError(what)
