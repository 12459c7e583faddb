"""The JSON Schema (2020-12) of pack.yaml, tests.yaml and the YAML files of `city/`, of the grammar and what algorithms declare.

What a schema cannot know stays with `wanglou check`: the city's own names, units, expressions, limits against each other.
"""
from __future__ import annotations

import json
from inspect import getdoc
from pathlib import Path
from typing import Any

import yaml

from detectors.beside import looks
from detectors.registry import load
from detectors.step import Param
from detectors.sums import KINDS
from streams.packs import citygrammar, grammar
from streams.packs.duty import DAYS
from streams.packs.grammar import Block
from streams.packs.handbook import BESIDE
from streams.packs.params import WITH, written
from streams.packs.programs import KEY, coded
from streams.packs.units import DURATIONS, NUMBER

Schema = dict[str, Any]

SCALAR: Schema = {"type": ["string", "number"]}
UNITS = "|".join(sorted(DURATIONS, key=len, reverse=True))
LENGTH = rf"^\s*{NUMBER}\s*(?:{UNITS})s?\s*$"
PERCENT: Schema = {"type": "string", "pattern": "%$"}
WEEK = "|".join(DAYS)
LEVELS: Schema = {"type": "object", "additionalProperties": False}
TYPES: dict[str, Schema] = {
    "text": {"description": "a text", **SCALAR},
    "title": {"description": "{zh: 中文, en: English}, or one text for both",
              "anyOf": [SCALAR, {"type": "object", "properties": {"zh": SCALAR, "en": SCALAR}, "required": ["zh"],
                                 "additionalProperties": False}]},
    "duration": {"description": "90s, 5min, 12h, 7d; never a month", "anyOf": [
        {"const": 0}, {"type": "string", "pattern": LENGTH}, {"const": "0"}]},
    "id": {"description": "a name without blanks and without / @ , ; :", "anyOf": [
        {"type": "string", "pattern": "^[^\\s/@,;:|\"']+$"}, {"type": "number"}]},
    "offset": {"description": "90s, 1h5min, 3mo, or a time", "anyOf": [{"const": 0}, {"type": "string"}]},
    "unit": {"description": "m, m3/s, mm, µg/m3, ℃, %, 亿元", "anyOf": [{"type": "string"}, {"const": 1}]},
    "quantity": {"description": "a number with or without its unit, or an expression over columns of sites.csv", **SCALAR},
    "number": {"description": "a number, or a percentage", "anyOf": [{"type": "number"}, PERCENT]},
    "share": {"description": "0 to 1, or 0 % to 100 %",
              "anyOf": [{"type": "number", "minimum": 0, "maximum": 1}, PERCENT]},
    "count": {"description": "a whole number", "type": "integer", "minimum": 0},
    "flag": {"description": "true or false", "type": "boolean"},
    "days": {"description": "mon to sun, or mon-fri", "type": "string", "pattern": f"^({WEEK})(-({WEEK}))?$"},
    "months": {"description": "1 to 12, or jan to dec", "anyOf": [
        {"type": "integer", "minimum": 1, "maximum": 12}, {"type": "string", "pattern": "^([a-zA-Z]{3}|1[0-2]|[1-9])$"}]},
    "merge": {"description": "[[jan, feb]]", "const": [["jan", "feb"]]},
    "keep": {"description": "{raw: 90d, 1h: 10y}", "type": "object",
             "additionalProperties": {"type": "string", "pattern": rf"^(ever|[0-9]+\s*y|{LENGTH.strip('^$')})$"}},
    "called": {"description": "a post, or a step spelt out", "anyOf": [SCALAR, {"$ref": "#/$defs/call"}]},
    "values": {"description": "values apart by blanks: 26.5, 26.5x3, 26.5+0.1x12, _, _x3, nan", **SCALAR},
}
"""The words of `takes`."""


def schema() -> Schema:
    """All of it. A file's own part is `#/$defs/pack`, `#/$defs/tests`, `#/$defs/posts` …; the whole takes any of the objects."""
    defs: Schema = dict(TYPES)
    for name, block in (grammar.BLOCKS | grammar.TESTED | citygrammar.CITY).items():
        defs[name] = closed(block)
        if block.shared:
            some = tuple(key for key in block.keys if key.shared)
            defs[f"{name}.shared"] = closed(Block(f"Defaults of {block.doc}", some), must=False)
    defs["level"] |= {"anyOf": [{"required": ["above"]}, {"required": ["below"]}],
                      "not": {"required": ["above", "below", "clear"]},
                      "dependentRequired": {"clear_above": ["above"], "clear_below": ["below"]}}
    for name in ("indicators", "derive"):
        defs["pack"]["properties"][name]["propertyNames"] = {"pattern": r"^[^\s\d/@.,;:()+*-][^\s/@.,;:()+*-]*$"}
    defs |= {name: takes(word) for name, word in citygrammar.FILES.items() if name not in defs}
    defs |= _levels() | _files() | _steps() | _conditions() | _channels()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": "Wanglou: pack.yaml, tests.yaml and city/*.yaml",
            "description": "Made by `wanglou kinds --write`. Names of parts: #/$defs/pack, #/$defs/tests, #/$defs/posts …",
            "if": {"type": "object", "required": ["tests"]}, "then": ref("tests"), "else": {
                "if": {"type": "object", "required": ["pack"]}, "then": ref("pack"), "else": {"type": ["object", "array"]}},
            "$defs": defs}


def document_text() -> str:
    """The schema as its file holds it: a definition a line, so that changes are read easily."""
    whole = schema()
    defs = ",\n".join(f"  {_json(name)}: {_json(one)}" for name, one in whole.pop("$defs").items())
    head = ",\n".join(f"{_json(key)}: {_json(value)}" for key, value in whole.items())
    return f'{{\n{head},\n"$defs": {{\n{defs}\n}}\n}}\n'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def ref(name: str) -> Schema:
    """A definition by name."""
    return {"$ref": f"#/$defs/{name}"}


def closed(block: Block, must: bool = True, more: Schema | None = None, needs: tuple[str, ...] = ()) -> Schema:
    """A mapping that has these keys and no others."""
    keys = {key.name: {**takes(key.takes), "description": key.doc} for key in block.keys}
    return {"description": block.doc, "type": "object", "properties": keys | (more or {}), "additionalProperties": False,
            "required": [*(key.name for key in block.keys if key.must and must), *needs]}


def takes(word: str) -> Schema:
    """The schema of a `takes`."""
    parts = [_takes(part.strip()) for part in word.split(" | ")]
    return parts[0] if len(parts) == 1 else {"anyOf": parts}


def _takes(word: str) -> Schema:
    head, _, rest = word.partition(" ")
    if word.startswith("["):
        found: list[Any] = word[1:-1].split()
        return {"const": 1} if found == ["1"] else {"enum": found}
    if word.startswith("{"):
        return ref(word[1:-1])
    if head in ("list", "full"):
        return {"type": "array", "items": _takes(rest)} | ({"minItems": 1} if head == "full" else {})
    if head == "some":
        return {"anyOf": [_takes(rest), {"type": "array", "items": _takes(rest)}]}
    if head == "map":
        return {"type": "object", "additionalProperties": _takes(rest)}
    return ref(word)


def _levels() -> Schema:
    names = grammar.COLOURS
    return {"levels": LEVELS | {"properties": {n: ref("level") for n in names}, "minProperties": 1},
            "reach": LEVELS | {"properties": {n: ref("quantity") for n in names}, "minProperties": 1},
            "rule_levels": LEVELS | {"minProperties": 1, "properties": {
                n: {"anyOf": [ref("number"), {"enum": list(names)}]} for n in names}}}


def _files() -> Schema:
    """What the folders of the feeds name."""
    feeds = Path(__file__).parents[1] / "feeds"
    return {name: {"enum": sorted(f.stem.rstrip("_") for f in (feeds / f"{name}s").glob("[a-z]*.py"))}
            for name in ("transport", "decoder")}


def _channels() -> Schema:
    """city/channels.yaml: the options that each channel declares; and the addresses of a post."""
    from streams.desk import channels

    def one(name: str) -> Schema:
        said = channels.declared(name)
        return {"type": "object", "additionalProperties": False, "required": list(said.needs),
                "properties": {key: SCALAR for key in (*said.options, *channels.COMMON)}}

    names = channels.names()
    return {"channels": {"type": "object", "additionalProperties": False,
                         "properties": {"fold": ref("fold")} | {name: one(name) for name in names}},
            "addresses": {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(names, SCALAR)}}


def parameter(param: Param) -> Schema:
    """One parameter of an algorithm, as a pack writes it."""
    said: Schema = {"description": param.doc} if param.doc else {}
    bounds = {word: value for word, value in (("minimum", param.low), ("maximum", param.high)) if abs(value) != float("inf")}
    text: Schema = {"type": "string"}
    if param.unit in ("time", "value/time"):
        one: Schema = {"anyOf": [{"const": 0}, text]}
    elif param.unit == "date":
        one = SCALAR
    else:
        one = {"anyOf": [{"type": "integer" if param.integer else "number", **bounds}, text]}
    if param.size > 1:
        return said | {"type": "array", "items": {"anyOf": [*one.get("anyOf", [one]), {"type": "null"}]},
                       "minItems": param.least or param.size, "maxItems": param.size}
    if param.words:
        one = {"anyOf": [{"enum": [yaml.safe_load(word) for word, _ in param.words]}, *one.get("anyOf", [one])]}
    return said | one


def parameters(kind: Any) -> tuple[Schema, tuple[str, ...]]:
    """All of an algorithm's parameters, and those that must be given."""
    own, (least, most) = written(kind), looks(kind)
    made = {p.name: parameter(p) for p in own}
    if most:
        made[WITH] = takes("some text") | {"description": BESIDE}
    return made, (*(p.name for p in own if p.required), *([WITH] if least else []))


def _steps() -> Schema:
    """Checks, derive operators, kinds and rules from their own files."""
    made: Schema = {}
    for name, kind in load("checks").items():
        own, needs = parameters(kind)
        made[f"check.{name}"] = closed(Block(_first(kind), ()), more=own, needs=needs) | {"type": ["object", "null"]}
    words = list(load("checks"))
    made["check"] = {"anyOf": [{"enum": words}, {
        "type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": False,
        "properties": {name: ref(f"check.{name}") for name in words}}]}
    made |= _derive() | _kinds()
    return made


def _derive() -> Schema:
    made: Schema = {}
    for name, op in load("derive").items():
        own, needs = parameters(op)
        takes_: Schema = SCALAR if coded(op) else {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
        keys = grammar.DERIVED.keys + (grammar.GUEST.keys if getattr(op, "foreign", 0) else ())
        one = closed(Block(_first(op), keys), more={name: takes_} | own, needs=(name, *needs))
        over = closed(grammar.SUMMED, more={name: {"type": "string"}}, needs=(name,))
        made[f"derive.{name}"] = {"anyOf": [one, over]} if name in KINDS else one
    names = list(load("derive"))
    return made | {"derive": {"type": "object", "anyOf": [{"required": [n]} for n in names], "allOf": [
        {"if": {"required": [n]}, "then": ref(f"derive.{n}")} for n in names]}}


def _kinds() -> Schema:
    made: Schema = {}
    for name, kind in load("kinds").items():
        own, needs = parameters(kind)
        text: Schema = {KEY: SCALAR} if coded(kind) else {}
        one = closed(grammar.DETECTOR, more=own | text, needs=(*needs, *text))
        if not hasattr(kind, "forecast"):
            del one["properties"]["reach"]
            one["required"] = [*one["required"], "levels"]
        one["properties"]["kind"] = {"const": name, "description": _first(kind)}
        made[f"kind.{name}"] = one
    names = list(load("kinds"))
    return made | {"kind": {"enum": names}, "detector": {
        "description": grammar.DETECTOR.doc, "type": "object", "required": ["id", "indicator", "kind"],
        "properties": {"kind": {"enum": names}}, "allOf": [
            {"if": {"properties": {"kind": {"const": n}}, "required": ["kind"]}, "then": ref(f"kind.{n}")} for n in names]}}


def _conditions() -> Schema:
    """`when:` of a rule: a selection, or one kind of rule over a selection or over conditions."""
    made: Schema = {}
    weight = {"weight": {**ref("number"), "description": "as a part of an index"}}
    for name, kind in load("rules").items():
        own, _ = parameters(kind)
        forms = [*([ref("selection")] if "members" in kind.over else []),
                 *([ref("condition") if name == "not" else {"type": "array", "items": ref("condition"), "minItems": 1}]
                   if "parts" in kind.over else [])]
        first = next(iter(own), None)
        plain: Schema = {name: {"anyOf": [*forms, *([own[first]] if first else [])], "description": _first(kind)}}
        plain |= {"of": {"anyOf": forms}} if first else {}
        plain |= {"level": {"enum": list(grammar.COLOURS)}} if "members" in kind.over else {}
        plain |= {"within": ref("duration")} if kind.timed else {}
        made[f"rule.{name}"] = {"type": "object", "description": _first(kind), "additionalProperties": False, "required": [name],
                                "properties": own | plain | weight}
    names = list(load("rules"))
    chosen = ref("selection")
    made["selection"] = closed(grammar.SELECTION, more=weight) | {
        "anyOf": [{"required": [key.name]} for key in grammar.SELECTION.keys if key.name != "level"]}
    made["condition"] = {"type": "object", "if": {"anyOf": [{"required": [n]} for n in names if n != "level"]}, "then": {
        "allOf": [{"if": {"required": [n]}, "then": ref(f"rule.{n}")} for n in names]}, "else": chosen}
    return made


def _first(kind: Any) -> str:
    return (getdoc(kind) or "").partition("\n")[0]
