"""What the parts of the loader share while a configs folder is read."""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from detectors.calendar import Calendar
from detectors.pack import Area, Detector, Indicator
from streams.packs import grammar
from streams.packs.faults import Faults, Place
from streams.packs.fields import Fields
from streams.packs.sites import Sites
from streams.packs.values import Columns

NAME = re.compile(r"[^\W\d]\w*")
"""An indicator's id: expressions name it."""
ID = re.compile(r"\w[\w.-]*")
"""A pack's, detector's or rule's id: it becomes a part of `pack/id`."""

PACK_KEYS = grammar.PACK.names


@dataclass
class Draft:
    """One pack while it is read: its own faults, so that those of packs nobody asked for can be left out."""

    id: str
    folder: Path
    file: str
    fields: Fields
    faults: Faults
    readable: bool = True           # whether the file is a mapping at all
    sites: Sites = field(default_factory=Sites)
    uses: dict[str, str] = field(default_factory=dict)        # indicator of another pack -> that pack
    checks: dict[str, list[Place]] = field(default_factory=dict)    # indicator -> where its checks stand
    limits: dict[tuple[str, int, bool], Place] = field(default_factory=dict)  # (detector, level, above) -> where

    def defaults(self, key: str, keys: Iterable[str]) -> Fields:
        """The part of the defaults block for one sort of entry."""
        return self.fields.sub("defaults", grammar.DEFAULTS.names).sub(key, keys)


@dataclass
class Book:
    """All packs that are read, and the names that are global."""

    trees: dict[str, dict[str, Area]] = field(default_factory=dict)     # tree -> area id -> area
    drafts: dict[str, Draft] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)                # indicator -> pack
    indicators: dict[str, Indicator] = field(default_factory=dict)
    detectors: dict[str, Detector] = field(default_factory=dict)        # path -> detector
    calendar: Calendar = field(default_factory=Calendar)
    made: dict[tuple[str, tuple[str, ...], str], Columns] = field(default_factory=dict)     # what columns() answered

    def visible(self, draft: Draft) -> list[str]:
        """The indicators that a pack may name: its own and those it uses."""
        return [i for i, owner in self.owners.items() if owner == draft.id] + list(draft.uses)

    def columns(self, draft: Draft, sites: Iterable[str], owner: str = "") -> Columns:
        """The columns that a pack's expressions may use at some sites: its own, then those of the indicator's owner."""
        asked = (draft.id, tuple(sites), owner)
        if asked not in self.made:
            mine = draft.sites.columns
            other = self.drafts[owner].sites.columns if owner in self.drafts else mine
            rows = {site: {**other.rows.get(site, {}), **mine.rows.get(site, {})} for site in asked[1]}
            self.made[asked] = Columns([*dict.fromkeys([*mine.names, *other.names])], rows)
        return self.made[asked]


def identifier(word: str, place: Place, noun: str, pattern: re.Pattern[str], faults: Faults) -> bool:
    """Whether a word may be a name; a fault if not."""
    if word and not pattern.fullmatch(word):
        faults.add(place, f"{noun} {word!r}: expected letters, digits and _" + (" - ." if pattern is ID else ""))
        return False
    return bool(word)
