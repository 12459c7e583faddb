"""Units of what packs write: everything becomes seconds and the indicator's own unit.

Durations have a closed list of words (pint reads `12 H` as henry and a month as 30.44 days); all other units
are pint's (one registry, made when first needed, each pair of units worked out once). A unit of people that
no registry knows (亿元, 户) is its own and converts to nothing else.
"""
from __future__ import annotations

import re
from functools import cache
from tokenize import TokenError
from typing import Any

DURATIONS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "second": 1.0, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0,
             "d": 86400.0, "day": 86400.0, "w": 604800.0, "week": 604800.0}
FLOATING = {"mo", "mon", "month", "y", "yr", "year", "quarter"}
"""Words of time without a fixed length."""

NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
QUANTITY = re.compile(rf"\s*({NUMBER})\s*([^\W\d_].*|[%°‰℃℉].*)?", re.DOTALL)
"""A number and, after it, a unit that starts with a letter or a sign of its own."""

COUNTED = ("NTU", "FTU", "CFU", "LEL", "VOL", "index", "point", "person", "case", "item", "vehicle", "yuan", "CNY", "USD",
           "GBP", "EUR", "pH")
"""Units of our trades that pint does not know; each is a dimension of its own."""

PINT = (ValueError, TypeError, AttributeError, KeyError, ArithmeticError, AssertionError, SyntaxError, TokenError)
"""What pint raises for text that is no unit, or for one that does not convert: its own errors derive from these."""


class UnitError(ValueError):
    """A unit that does not fit; the message says what would."""


def seconds(text: str) -> float:
    """A duration in seconds.

    >>> seconds("12h"), seconds("1.5 min"), seconds("0")
    (43200.0, 90.0, 0.0)
    """
    match = QUANTITY.fullmatch(text)
    if match is None:
        raise UnitError(f"{text!r} is not a duration; write 90s, 5min, 12h or 7d")
    return float(match[1]) * scale(match[2] or "", "time", "", float(match[1]))


def scale(unit: str, want: str, own: str, number: float = 1.0) -> float:
    """The factor from `unit` to what `want` asks for, in the indicator's `own` unit and seconds.

    `want` is a unit word of `detectors.step.Param`. A bare number is a value, a count or a pure number, but never
    a duration or a rate (unless it is 0).

    >>> scale("m/h", "value/time", "m") * 3600, scale("cm", "value", "m"), scale("", "value", "m")
    (1.0, 0.01, 1.0)
    """
    unit = unit.strip()
    if want == "time":
        return _duration(unit, number)
    if want == "value/time":
        return _rate(unit, own, number)
    if want == "value":
        return 1.0 if unit in ("", own) else _convert(unit, own)
    if not unit:
        return 1.0
    if want == "" and unit == "%":
        return 0.01
    raise UnitError(f"a plain number, without the unit {unit!r}")


def known(unit: str) -> bool:
    """Whether an indicator may be measured in this: nothing, what pint knows, or a word that is not ASCII."""
    try:
        _unit(unit)
    except UnitError:
        return False
    return True


def _duration(unit: str, number: float) -> float:
    word = unit if unit in DURATIONS else unit.removesuffix("s")
    if word in DURATIONS:
        return DURATIONS[word]
    if word in FLOATING:
        raise UnitError(f"{unit!r} has no fixed length; write days (7d, 365d)")
    if not unit and number == 0:
        return 1.0
    raise UnitError(f"a duration with a unit (s, min, h, d, week), got {repr(unit) if unit else 'a bare number'}")


def _rate(unit: str, own: str, number: float) -> float:
    if not unit and number == 0:
        return 1.0
    top, slash, per = unit.rpartition("/")
    if not slash:
        raise UnitError(f"a rate such as {own or 1}/h, got {repr(unit) if unit else 'a bare number'}")
    if top.strip() in ("", own, "1"):
        return 1.0 / _duration(per.strip(), 1.0)
    return _convert(top.strip(), own) / _duration(per.strip(), 1.0)


@cache
def _convert(unit: str, own: str) -> float:
    got, want = _unit(unit), _unit(own)
    try:
        if got is None or want is None or not (got == want or (_multiplies(got) and _multiplies(want))):
            raise ValueError
        return float((1.0 * got / (1.0 * want)).to("").magnitude) if got != want else 1.0
    except PINT as error:
        raise UnitError(f"{unit!r} does not convert to {own or 'a plain number'!r}") from error


def _multiplies(unit: Any) -> bool:
    """No zero point of its own (degC, degF have one: a difference and a value would convert differently)."""
    return "degree_" not in str(unit)


@cache
def _unit(unit: str) -> Any:
    """Pint's unit; None for a unit of people."""
    if not unit:
        return _registry().Unit("")
    if not unit.isascii() and not set(unit) <= set("µμ³²°℃Ω/%·") | set(map(chr, range(128))):
        return None
    try:
        if "//" in unit:            # Python's floor division to pint
            raise ValueError
        return _registry().Unit(unit)
    except PINT as error:
        raise UnitError(f"unknown unit {unit!r}") from error


@cache
def _registry() -> Any:
    import pint

    registry: Any = pint.UnitRegistry(preprocessors=[_spelling])
    for word in COUNTED:
        if word not in registry:
            registry.define(f"{word} = [{word}]")
    return registry


def _spelling(text: str) -> str:
    """`m3` as people write it, and % LEL as one word."""
    text = re.sub(r"%\s*(LEL|VOL)", r"\1", text)
    return re.sub(r"\b([a-zA-Z]*m)([23])\b", r"\1^\2", text.replace("℃", "degC"))
