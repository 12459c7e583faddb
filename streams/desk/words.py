"""Words for people, in two languages, from one table (pages/words.toml)."""
from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

LANGS = ("zh", "en")
ROMAN = {4: "Ⅰ", 3: "Ⅱ", 2: "Ⅲ", 1: "Ⅳ", 0: "—"}
"""How people count levels: Ⅰ is the worst."""


@cache
def table() -> dict[str, dict[str, str]]:
    """`section.key` -> language -> words."""
    raw: dict[str, dict[str, Any]] = tomllib.loads(files("streams.desk.pages").joinpath("words.toml").read_text("utf-8"))
    return {f"{section}.{key}": words for section, rows in raw.items() for key, words in rows.items()}


def say(key: str, lang: str, **values: object) -> str:
    """The words of a key, filled in. KeyError for a key that is not there.

    >>> say("level.4", "zh"), say("err.reason", "en")
    ('红', 'Give a reason (5 characters)')
    """
    return table()[key][lang].format(**values)


def has(key: str) -> bool:
    """Whether the table knows the key."""
    return key in table()


def algorithm(folder: str, name: str, lang: str) -> str:
    """What people call a check, derive operator, kind or rule; its name where the table does not say.

    >>> algorithm("kinds", "threshold", "zh"), algorithm("kinds", "brand_new", "en")
    ('阈值', 'brand_new')
    """
    key = f"algo.{folder}_{name}"
    return say(key, lang) if has(key) else name


def level(n: int, lang: str) -> str:
    """`红 Ⅰ级`, `Red`, `正常`."""
    word = say(f"level.{n}", lang)
    return f"{word} {ROMAN[n]}级" if lang == "zh" and n else word
