"""Strict YAML: only the core schema's words, no duplicate key, no tag, no octal; each node knows its place.

PyYAML speaks YAML 1.1, where `on`, `12:30` and `012` quietly become true, 750 and 10. Here they are text,
text and a fault.
"""
from __future__ import annotations

import re
from dataclasses import dataclass, field
from math import inf, nan
from pathlib import Path

import yaml

from streams.packs.faults import Faults, Place

Scalar = str | int | float | bool | None

TAG = "tag:yaml.org,2002:"
INTEGER = re.compile(r"[-+]?[0-9]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
ZEROS = re.compile(r"[-+]?0[0-9]")


class Core(yaml.CSafeLoader):
    """The C loader with the core schema (YAML 1.2.2, section 10.3) in place of YAML 1.1's guesses."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own shape


def _resolve(word: str, pattern: str, first: str) -> None:
    Core.add_implicit_resolver(TAG + word, re.compile(f"^(?:{pattern})$"), list(first) + [""] * (word == "null"))


_resolve("null", r"~|null|Null|NULL|", "~nN")
_resolve("bool", r"true|True|TRUE|false|False|FALSE", "tTfF")
_resolve("int", INTEGER.pattern, "-+0123456789")
_resolve("float", FLOAT.pattern + r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", "-+.0123456789")


@dataclass(slots=True)
class Node:
    """A value of a file: a scalar, a list of nodes or a dict of nodes; `keys` says where each key stands."""

    place: Place
    value: Scalar | list[Node] | dict[str, Node] = None
    text: str = ""                  # a scalar as it was written
    inside: int = 0                 # columns from `place` to the first character of the text (1 in quotes)
    keys: dict[str, Place] = field(default_factory=dict)

    @property
    def items(self) -> list[Node]:
        """The nodes of a list (none of anything else)."""
        return self.value if isinstance(self.value, list) else []

    @property
    def fields(self) -> dict[str, Node]:
        """The nodes of a mapping (none of anything else)."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def got(self) -> str:
        """What stands here, for a message."""
        if isinstance(self.value, list | dict):
            return "a list" if isinstance(self.value, list) else "a mapping"
        return "nothing" if self.value is None else repr(self.text)


def read(path: Path, faults: Faults, name: str | None = None) -> Node | None:
    """The one document of a file, or None with the reason among the faults. `name` is how messages call the file."""
    name = name or str(path)
    try:
        return parse(path.read_text("utf-8-sig"), name, faults)
    except UnicodeDecodeError as error:
        faults.add(Place(name), f"not UTF-8 (byte {error.start}); save it as UTF-8")
    except OSError as error:
        faults.add(Place(name), f"cannot be read: {error.strerror}")
    return None


def parse(text: str, name: str, faults: Faults) -> Node | None:
    """The one document of a text, or None with the reason among the faults."""
    try:
        root = yaml.compose(text, Loader=Core)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = Place(name, mark.line + 1, mark.column + 1) if mark else Place(name)
        faults.add(place, f"not YAML: {getattr(error, 'problem', None) or error}")
        return None
    except RecursionError:
        faults.add(Place(name), "nested too deeply")
        return None
    if root is None:
        faults.add(Place(name), "empty file")
        return None
    return _Walk(name, faults).node(root)


@dataclass
class _Walk:
    """PyYAML's nodes -> ours. `open` holds the nodes we are inside of: an alias to one of them would never end."""

    name: str
    faults: Faults
    open: set[int] = field(default_factory=set)
    made: dict[int, Node] = field(default_factory=dict)

    def place(self, node: yaml.Node) -> Place:
        return Place(self.name, node.start_mark.line + 1, node.start_mark.column + 1)

    def node(self, raw: yaml.Node) -> Node:
        if id(raw) in self.open:
            self.faults.add(self.place(raw), "an alias of something it stands in")
            return Node(self.place(raw))
        if id(raw) not in self.made:
            self.open.add(id(raw))
            self.made[id(raw)] = self._made(raw)
            self.open.remove(id(raw))
        return self.made[id(raw)]

    def _made(self, raw: yaml.Node) -> Node:
        if isinstance(raw, yaml.SequenceNode) and raw.tag == TAG + "seq":
            return Node(self.place(raw), [self.node(item) for item in raw.value])
        if isinstance(raw, yaml.MappingNode) and raw.tag == TAG + "map":
            return self._mapping(raw)
        if isinstance(raw, yaml.ScalarNode):
            return self._scalar(raw)
        self.faults.add(self.place(raw), f"tag {raw.tag.removeprefix(TAG)!r}: tags are not allowed")
        return Node(self.place(raw))

    def _mapping(self, raw: yaml.MappingNode) -> Node:
        made = Node(self.place(raw), {})
        for key, value in raw.value:
            if not isinstance(key, yaml.ScalarNode):
                self.faults.add(self.place(key), "a key must be a word")
            elif key.value == "<<" and key.style not in ("'", '"'):
                self.faults.add(self.place(key), "merge keys (<<) are not allowed; use the defaults block")
            elif key.value in made.keys:
                self.faults.add(self.place(key), f"duplicate key {key.value!r}, first at line {made.keys[key.value].line}")
            else:
                made.keys[key.value] = self.place(key)
                made.fields[key.value] = self.node(value)
        return made

    def _scalar(self, raw: yaml.ScalarNode) -> Node:
        quoted = raw.style in ("'", '"')
        return Node(self.place(raw), self._value(raw), raw.value, int(quoted))

    def _value(self, raw: yaml.ScalarNode) -> Scalar:
        text, tag = raw.value, raw.tag.removeprefix(TAG)
        if tag in ("int", "float") and ZEROS.match(text):
            self.faults.add(self.place(raw), f"{text}: a number with a leading zero; drop the zero, or put it in quotes")
        if tag == "int" and INTEGER.fullmatch(text):
            return int(text)
        if tag == "float":
            return _float(text)
        if tag in ("null", "bool"):
            return None if tag == "null" else text.lower() == "true"
        if tag != "str":
            self.faults.add(self.place(raw), f"tag {tag!r}: tags are not allowed")
        return str(text)


def _float(text: str) -> float:
    word = text.lower().lstrip("+-")
    if word in (".inf", ".nan"):
        return nan if word == ".nan" else -inf if text.startswith("-") else inf
    return float(text)
