"""`levels:` of a detector: where each of the four levels begins, on either side, and where it clears."""
from __future__ import annotations

from math import isfinite

from detectors.level import LEVELS
from detectors.pack import Limit, Num
from streams.packs.book import Draft
from streams.packs.fields import Fields
from streams.packs.grammar import LEVEL
from streams.packs.nodes import Node
from streams.packs.values import Columns, Scale, at, off, on, resolve, some

KEYS, TIMES = LEVEL.names, LEVEL.shared
WORDS = [word for word, level in LEVELS.items() if level]


def read_limits(draft: Draft, id: str, entry: Fields, into: Scale, columns: Columns) -> tuple[Limit, ...]:
    """The limits of `levels` and of `reach` (a level for a target that the value will come to), lowest level first."""
    defaults = draft.defaults("level", TIMES)
    limits: list[Limit] = []
    for key in ("levels", "reach"):
        for word, given in entry.sub(key, WORDS).node.fields.items():
            if word not in WORDS:
                continue
            node = given if key == "levels" else Node(given.place, {"above": given}, keys={"above": given.place})
            limits += _level(draft, id, word, Fields(node, draft.faults, f"level {word}", KEYS, defaults), into, columns)
    if "levels" in entry and "reach" in entry:
        draft.faults.add(entry.at("reach"), "reach and levels are two ways to say the same; give one")
    if not limits and not {"levels", "reach"} & set(entry.node.fields):
        draft.faults.add(entry.place, f"{entry.what}: no levels; write levels: {{yellow: {{above: 5}}}}")
    return tuple(sorted(limits, key=lambda limit: (not limit.above, limit.level)))


def _level(draft: Draft, id: str, word: str, fields: Fields, into: Scale, columns: Columns) -> list[Limit]:
    sides = [side for side in ("above", "below") if side in fields]
    if not sides:
        draft.faults.add(fields.place, f"level {word}: neither above nor below")
    if len(sides) == 2 and "clear" in fields:
        draft.faults.add(fields.at("clear"), "clear: of which side? write clear_above and clear_below")
    limits = [_limit(draft, id, word, fields, side, into, columns) for side in sides]
    for side in ("above", "below"):
        if f"clear_{side}" in fields and side not in sides:
            draft.faults.add(fields.at(f"clear_{side}"), f"clear_{side} without {side}")
    return [limit for limit in limits if limit is not None]


def _limit(draft: Draft, id: str, word: str, fields: Fields, side: str, into: Scale, columns: Columns) -> Limit | None:
    node, level = fields.get(side), int(LEVELS[word])
    num = resolve(node, side, into, columns, draft.faults) if node else None
    if node is None or num is None:
        return None
    empty = off(num)
    if empty:
        share = f"{len(empty)} of {len(columns.rows)} sites"
        draft.faults.hint(node.place, f"{id}: {word} is off at {share}, where a cell of {node.text!r} is empty: {some(empty)}")
    draft.limits[id, level, side == "above"] = node.place
    return Limit(level, on(num), side == "above", _clear(draft, fields, side, num, into, columns),
                 fields.duration("hold", 0.0), fields.duration("keep", 0.0))


def _clear(draft: Draft, fields: Fields, side: str, limit: Num, into: Scale, columns: Columns) -> Num | None:
    """Where the level ends: never on the far side of its own limit; an empty cell means at the limit itself."""
    key = f"clear_{side}" if f"clear_{side}" in fields else "clear"
    node = fields.get(key)
    num = resolve(node, key, into, columns, draft.faults) if node else None
    if node is None or num is None:
        return None
    sign = 1.0 if side == "above" else -1.0
    for site in columns.rows:
        if (at(num, site) - at(limit, site)) * sign > 0:
            draft.faults.add(node.place, f"{key}: {at(num, site):g} is {side} the limit {at(limit, site):g} itself, at {site}")
            break
    if not isinstance(num, dict):
        return num
    return on({site: value if isfinite(value) else at(limit, site) for site, value in num.items()})
