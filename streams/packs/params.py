"""The parameters of a check, derive operator or kind, as its own file declares them."""
from __future__ import annotations

import re
from datetime import date
from math import isnan, nan
from typing import Any

from detectors.beside import looks
from detectors.pack import Num, Use, Value
from detectors.step import Param, params
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.nodes import Node
from streams.packs.values import Columns, Scale, on, resolve

FILLED = "filled in by the plan"
"""How the documentation of a parameter begins that no pack writes."""
WITH = "with"
"""The series of the same site that an algorithm looks at beside its own."""
EPOCH = date(1970, 1, 1).toordinal()
CONSTANT = re.compile(r"c\d+")


def read_use(fields: Fields, name: str, kind: Any, own: str, columns: Columns) -> Use:
    """The parameters that a mapping gives to algorithm `name`; `own` is the indicator's unit.

    Unknown keys are the caller's to refuse (it knows the other keys that may stand there).
    """
    given: dict[str, Value] = {}
    for param in written(kind):
        node = fields.get(param.name)
        if node is None:
            if param.required:
                fields.faults.add(fields.place, f"{fields.what}: {name} needs {param.name}{explained(param)}")
            continue
        value = _value(param, node, own, columns, fields.faults)
        if value is not None:
            given[param.name] = value
    return Use(name, given, _beside(fields, name, kind))


def _beside(fields: Fields, name: str, kind: Any) -> tuple[str, ...]:
    """The series that it looks at (`with:`). Whether they exist is asked when all are known (`beside.py`)."""
    low, high = looks(kind)
    named = fields.words(WITH) if high else ()
    if high and not low <= len(named) <= high:
        many = f"{low} to {high}" if low < high else f"{high}"
        fields.faults.add(fields.at(WITH), f"{fields.what}: {name} needs with: {many} indicator{'s' * (high > 1)} of the site")
        return ()
    return named


def written(kind: Any) -> list[Param]:
    """The parameters that a pack writes: not those that the plan fills in, nor a program's code and constants."""
    declared = params(kind)
    program = any(param.unit == "code" for param in declared)
    return [p for p in declared if p.unit != "code" and not p.doc.startswith(FILLED)
            and not (program and CONSTANT.fullmatch(p.name))]


def names(kind: Any) -> list[str]:
    """The names of the parameters that a pack writes."""
    return [*(param.name for param in written(kind)), *([WITH] if looks(kind)[1] else [])]


def explained(param: Param) -> str:
    """What a parameter is, for the end of a message."""
    return f" ({param.doc})" if param.doc else ""


def _value(param: Param, node: Node, own: str, columns: Columns, faults: Faults) -> Value | None:
    if param.size == 1 and param.words and (said := _word(param, node, faults)) is not None:
        return said
    if param.size == 1:
        num = _number(param, node, own, columns, faults)
        return None if num is None else _plain(on(num))
    if not (param.least or param.size) <= len(node.items) <= param.size:
        many = f"{param.least} to {param.size}" if param.least else f"{param.size}"
        faults.add(node.place, f"{param.name}: expected a list of {many} numbers, got "
                   + (f"{len(node.items)}" if isinstance(node.value, list) else node.got))
        return None
    nums = [nan if item.value is None else _number(param, item, own, columns, faults) for item in node.items]
    good = [num for num in nums if num is not None]
    return _row(good) if len(good) == len(node.items) else None


def _word(param: Param, node: Node, faults: Faults) -> Value | None:
    """The number that a word stands for; lists are read as they are written: [[jan, feb]]. None: it is no word."""
    words = dict(param.words)
    text = flow(node)
    if text in words:
        return words[text]
    if isinstance(node.value, list):
        faults.add(node.place, f"{param.name}: {text}; allowed: {', '.join(words)}")
        return nan
    return None


def flow(node: Node) -> str:
    """The text of a scalar, or of a list in brackets."""
    return f"[{', '.join(map(flow, node.items))}]" if isinstance(node.value, list) else node.text


def _date(param: Param, node: Node, faults: Faults) -> Num | None:
    """Local midnight of a date (or of the first of a month), seconds UTC."""
    try:
        day = date.fromisoformat(node.text if node.text.count("-") > 1 else f"{node.text}-01")
    except ValueError:
        faults.add(node.place, f"{param.name}: expected a date such as 2026-01-01, got {node.got}")
        return None
    return (day.toordinal() - EPOCH) * 86_400.0 - 28_800.0


def _plain(num: Num) -> Value:
    return {**num} if isinstance(num, dict) else num


def _row(nums: list[Num]) -> Value:
    """Numbers side by side: one row for all sites, or one for each site if any of them is by site."""
    sites = [site for num in nums if isinstance(num, dict) for site in num]
    if not sites:
        return tuple(num for num in nums if not isinstance(num, dict))
    return {s: tuple(num[s] if isinstance(num, dict) else num for num in nums) for s in dict.fromkeys(sites)}


def _number(param: Param, node: Node, own: str, columns: Columns, faults: Faults) -> Num | None:
    if param.unit == "date":
        return _date(param, node, faults)
    num = resolve(node, param.name, Scale(param.unit, own), columns, faults)
    if num is None:
        return None
    for site, value in num.items() if isinstance(num, dict) else [("", num)]:
        got = f"{param.name}: {value:g} at {site}" if site else f"{param.name}: {node.text}"
        if value < param.low or value > param.high:
            faults.add(node.place, f"{got} is out of bounds; allowed: {param.low:g} to {param.high:g}")
            return None
        if param.integer and not (isnan(value) or value.is_integer()):
            faults.add(node.place, f"{got} is not a whole number")
            return None
    return num
