"""A number of a pack: plain, with a unit, or an expression over the columns of sites.csv, worked out per site."""
from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isnan

from detectors.pack import Num
from streams.packs.expressions import Expr, ExpressionError, arithmetic, evaluate, parse
from streams.packs.faults import Faults, Place, meant
from streams.packs.nodes import Node
from streams.packs.units import QUANTITY, UnitError, scale

BRACKET = re.compile(r"(.*)\[([^\[\]]*)\]\s*", re.DOTALL)
"""`column * 2 [m/h]`: an expression and the unit that its number is in."""

SHOWN = 5
"""So many sites are named in a hint."""


@dataclass
class Columns:
    """What expressions may name: the numeric columns (`names`) and their numbers by site (`rows`; an empty cell is NaN)."""

    names: Iterable[str] = ()
    rows: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass
class Scale:
    """What a number is wanted in: a unit word of `detectors.step.Param`, and the unit that `value` means."""

    want: str
    own: str = ""

    def of(self, unit: str, number: float = 1.0) -> float:
        """The factor from a written unit. UnitError if it does not fit."""
        return scale(unit, self.want, self.own, number)


def resolve(node: Node, key: str, into: Scale, columns: Columns, faults: Faults) -> Num | None:
    """The number a node stands for, by site if it uses a column; None after a fault."""
    try:
        return _resolve(node, into, columns)
    except ExpressionError as error:
        faults.add(inside(node, error.column), f"{key}: {error}")
    except UnitError as error:
        faults.add(node.place, f"{key}: {error}")
    return None


def inside(node: Node, column: int) -> Place:
    """The place of a character (column from 1) of a scalar's text; the scalar itself where that runs over lines."""
    return node.place if "\n" in node.text else node.place.right(node.inside + column - 1)


def names(expr: Expr, allowed: Iterable[str], noun: str) -> None:
    """ExpressionError unless every name is one of the allowed ones."""
    known = set(allowed)
    for part in expr.walk():
        if part.op == "name" and part.name not in known:
            raise ExpressionError(f"unknown {noun} {part.name!r}{meant(part.name, known)}", part.column)


def _resolve(node: Node, into: Scale, columns: Columns) -> Num:
    value = node.value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnitError(f"expected a number, got {node.got}")
    if not isinstance(value, str):
        return value * into.of("", value)
    match = QUANTITY.fullmatch(value)
    if match:
        return float(match[1]) * into.of(match[2] or "", float(match[1]))
    bracket = BRACKET.fullmatch(value)
    text, unit = (bracket[1], bracket[2]) if bracket else (value, "")
    expr = arithmetic(parse(text))
    names(expr, columns.names, "column")
    factor = into.of(unit)
    if not expr.names:
        return evaluate(expr, {}) * factor
    return {site: evaluate(expr, row) * factor for site, row in columns.rows.items()}


def off(num: Num | None) -> list[str]:
    """The sites at which a number is switched off by an empty cell."""
    return [site for site, value in num.items() if isnan(value)] if isinstance(num, dict) else []


def on(num: Num) -> Num:
    """The same without the sites at which it is off: a plan holds no NaN, so that equal plans are equal."""
    return {site: value for site, value in num.items() if not isnan(value)} if isinstance(num, dict) else num


def some(sites: list[str]) -> str:
    """A list of sites for a message."""
    return ", ".join(sites[:SHOWN]) + (f" and {len(sites) - SHOWN} more" if len(sites) > SHOWN else "")


def at(num: Num, site: str) -> float:
    """The number at one site (NaN if it has none)."""
    return num.get(site, float("nan")) if isinstance(num, dict) else num
