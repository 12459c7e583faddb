"""Reading one mapping of a config: every key is known, every value has a type, every fault its place.

A reader returns the default after a fault, so that the rest of the file is still read and all faults come at once.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator

from detectors.level import LEVELS
from detectors.pack import Text
from streams.packs.faults import Faults, Place, meant
from streams.packs.nodes import Node
from streams.packs.units import UnitError, scale, seconds


class Fields:
    """A mapping with the keys it may have. `defaults` are asked where the mapping itself is silent."""

    def __init__(self, node: Node | None, faults: Faults, what: str, keys: Iterable[str] | None = None,
                 defaults: Fields | None = None) -> None:
        self.node = node or Node(Place(""), {})
        self.faults, self.what, self.defaults = faults, what, defaults
        self.place = self.node.place
        self.wrong = node is not None and not isinstance(node.value, dict)
        if node is not None and self.wrong:
            faults.add(node.place, f"{what}: expected a mapping, got {node.got}")
        allowed = set(keys) if keys is not None else None
        for key in self.node.fields:
            if allowed is not None and key not in allowed:
                faults.unknown(self.node.keys[key], f"key of {what}", key, allowed)

    def __contains__(self, key: str) -> bool:
        return self.get(key) is not None

    def get(self, key: str) -> Node | None:
        """The node of a key, of the defaults if it is not here; None if neither has it."""
        found = self.node.fields.get(key)
        return found if found is not None or self.defaults is None else self.defaults.get(key)

    def at(self, key: str) -> Place:
        """Where a key stands (the mapping itself if it does not)."""
        return self.node.keys.get(key, self.place)

    def need(self, key: str) -> Node | None:
        """The node of a key that must be there."""
        node = self.get(key)
        if node is None and not self.wrong:
            self.faults.add(self.place, f"{self.what}: {key} is missing")
        return node

    def sub(self, key: str, keys: Iterable[str] | None = None, defaults: Fields | None = None) -> Fields:
        """A mapping inside this one (empty if it is not there)."""
        made = Fields(self.get(key), self.faults, key, keys, defaults)
        if self.get(key) is None:
            made.place, made.wrong = self.place, self.wrong
        return made

    def each(self, key: str) -> Iterator[tuple[str, Node]]:
        """The entries of a mapping of names."""
        yield from self.sub(key).node.fields.items()

    def items(self, key: str) -> list[Node]:
        """The nodes of a list."""
        node = self.get(key)
        if node is not None and not isinstance(node.value, list):
            self.faults.add(node.place, f"{key}: expected a list, got {node.got}")
        return node.items if node else []

    def word(self, key: str, default: str = "", must: bool = False) -> str:
        """A text."""
        node = self.need(key) if must else self.get(key)
        return default if node is None else text(node, self.faults, key) or default

    def words(self, key: str, noun: str = "", allowed: Iterable[str] | None = None) -> tuple[str, ...]:
        """One text or a list of them; where only some are `allowed`, the others are faults and left out."""
        node, found = self.get(key), []
        for item in node.items if node and isinstance(node.value, list) else [node] if node else []:
            word = text(item, self.faults, key)
            if word and (allowed is None or word in allowed):
                found.append(word)
            elif word:
                self.faults.unknown(item.place, noun, word, allowed or ())
        return tuple(found)

    def choice(self, key: str, allowed: Iterable[str], default: str = "") -> str:
        """One of the allowed words."""
        node, names = self.get(key), list(allowed)
        if node is None:
            return default
        word = text(node, self.faults, key)
        if word and word not in names:
            self.faults.add(node.place, f"{key}: unknown {word!r}{meant(word, names)}")
        return word if word in names else default

    def level(self, key: str, default: int = 0, must: bool = False) -> int:
        """A level by its word."""
        if must:
            self.need(key)
        word = self.choice(key, LEVELS, "")
        return int(LEVELS[word]) if word else default

    def flag(self, key: str) -> bool:
        """True or false."""
        node = self.get(key)
        if node is not None and not isinstance(node.value, bool):
            self.faults.add(node.place, f"{key}: expected true or false, got {node.got}")
        return node is not None and node.value is True

    def number(self, key: str, default: float, low: float = 0.0, high: float = float("inf")) -> float:
        """A pure number (or a percentage) between two bounds."""
        node = self.get(key)
        return default if node is None else number(node, self.faults, key, default, low, high)

    def count(self, key: str, default: int) -> int:
        """A whole number, 0 or more."""
        node = self.get(key)
        if node is not None and (not isinstance(node.value, int) or isinstance(node.value, bool) or node.value < 0):
            self.faults.add(node.place, f"{key}: expected a whole number, got {node.got}")
            return default
        return default if node is None else int(str(node.value))

    def duration(self, key: str, default: float, words: dict[str, float] | None = None) -> float:
        """Seconds; `words` are allowed instead of a duration (`never`)."""
        node = self.get(key)
        return default if node is None else duration(node, self.faults, key, default, words or {})

    def title(self, key: str, default: Text | None = None) -> Text:
        """Words for people: `{zh, en}`, or one text for both."""
        node = self.get(key)
        if node is None:
            return default or Text("")
        if not isinstance(node.value, dict):
            return Text(text(node, self.faults, key))
        fields = Fields(node, self.faults, key, ("zh", "en"))
        return Text(fields.word("zh", must=True), fields.word("en"))


def text(node: Node, faults: Faults, key: str) -> str:
    """The text of a scalar; a number or a date is its own text, a list is a fault."""
    if node.value is None or isinstance(node.value, list | dict | bool):
        faults.add(node.place, f"{key}: expected a text, got {node.got}")
        return ""
    return node.text


def number(node: Node, faults: Faults, key: str, default: float, low: float, high: float) -> float:
    """A pure number between two bounds; `80 %` is 0.8."""
    value = node.value
    try:
        if isinstance(value, str) and value.endswith("%"):
            value = float(value[:-1]) * scale("%", "", "")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError
    except ValueError:
        faults.add(node.place, f"{key}: expected a number, got {node.got}")
        return default
    if not low <= value <= high:
        faults.add(node.place, f"{key}: {value:g} is out of bounds; allowed: {low:g} to {high:g}")
        return default
    return float(value)


def duration(node: Node, faults: Faults, key: str, default: float, words: dict[str, float]) -> float:
    """Seconds of a scalar."""
    if isinstance(node.value, str) and node.value in words:
        return words[node.value]
    try:
        if isinstance(node.value, list | dict | bool | None):
            raise UnitError(f"expected a duration, got {node.got}")
        value = seconds(node.text)
        if value < 0:
            raise UnitError(f"{node.text} is negative")
    except UnitError as error:
        faults.add(node.place, f"{key}: {error}" + (f" (or {', '.join(words)})" if words else ""))
        return default
    return value
