"""Events as JSON: the JSONL of `wanglou replay` and of every program that reads on (design section 8)."""
from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

from detectors.event import Change
from detectors.level import Level
from streams.clock import iso, micros

_TIMES = ("time", "arrived", "since", "onset")
_LEVELS = ("from", "to", "cap")
_HIDDEN = {"sent"}
_NAMES = {"before": "from"}
_ALWAYS = {"kind", "id", "time", "arrived"}
_LEVELLED = {"from", "to", "seq", "revision", "withdrawn", "confidence", "fresh", "scope"}


def event_json(change: Change) -> dict[str, Any]:
    """One event as plain JSON values: levels as words, times as ISO 8601 UTC; what does not apply is absent."""
    out: dict[str, Any] = {}
    for f in fields(change):
        name, value = _NAMES.get(f.name, f.name), getattr(change, f.name)
        always = name in _ALWAYS or (change.kind in ("level", "retired") and name in _LEVELLED)
        if name in _HIDDEN or (value == f.default and not always):
            continue
        if name in _TIMES:
            value = iso(value)
        elif name in _LEVELS:
            value = Level(value).word
        out[name] = list(value) if isinstance(value, tuple) else value
    return out


def event_of(row: dict[str, Any]) -> Change:
    """The way back."""
    names = {v: k for k, v in _NAMES.items()}
    back: dict[str, Any] = {names.get(name, name): _value(name, value) for name, value in row.items()}
    return Change(**back)


def _value(name: str, value: Any) -> Any:
    if name in _TIMES:
        return micros(value)
    if name in _LEVELS:
        return Level[value.upper()].value
    return tuple(value) if isinstance(value, list) else value


def without_place(change: Change) -> Change:
    """The same event without the evidence of where it lay in the log (partition, offset, sent)."""
    return replace(change, partition=-1, offset=-1, sent=0)
