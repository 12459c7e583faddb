"""`city/duty.yaml`: how the city keeps watch; and the times of routes. Its keys:

- `idle: {red: 30min, orange: 1h, yellow: 4h, blue: 24h}`: answered and no news for so long, it comes up again
- `handed: 10min`: to take what is handed over
- `office: {days: mon-fri, hours: [08:30-12:00, 13:30-17:30]}`
- `signs: [city-desk]`: posts whose shift changes only when both have signed
- `cover: [city-desk]`: posts manned without a hole; one that begins within `gap: 12h` is an alert
"""
from __future__ import annotations

import re
from collections.abc import Iterable

from detectors.level import LEVELS
from detectors.pack import IDLE, Duty
from streams.packs.citygrammar import DUTY, OFFICE
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.nodes import Node

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPAN = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4]):([0-5]\d)")


def read_duty(root: Node | None, posts: Iterable[str], faults: Faults) -> Duty:
    """The file, or what holds without one."""
    if root is None:
        return Duty()
    fields, usual = Fields(root, faults, "duty", DUTY.names), Duty()
    levels = [word for word in LEVELS if LEVELS[word]]
    idle = fields.sub("idle", levels)
    office = fields.sub("office", OFFICE.names)
    known = list(posts)
    return Duty(
        {word: idle.duration(word, IDLE[int(LEVELS[word])]) for word in levels if word in idle},
        fields.duration("handed", usual.handed),
        days(office) if "days" in office else usual.office_days,
        hours(office) if "hours" in office else usual.office_hours,
        fields.words("signs", "post", known), fields.words("cover", "post", known), fields.duration("gap", usual.gap))


def days(fields: Fields) -> tuple[int, ...]:
    """`days`: `[sat, sun]`, `mon-fri`; 0 = Monday."""
    out: set[int] = set()
    node = fields.get("days")
    for item in node.items if node and isinstance(node.value, list) else [node] if node else []:
        first, _, last = item.text.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            fields.faults.unknown(item.place, "day", item.text, DAYS)
            continue
        a, b = DAYS.index(first), DAYS.index(last or first)
        out |= {d % 7 for d in range(a, (b if b >= a else b + 7) + 1)}
    return tuple(sorted(out))


def hours(fields: Fields) -> tuple[tuple[int, int], ...]:
    """`hours`: `22:00-06:00` or a list of such; minutes of the day."""
    out = []
    node = fields.get("hours")
    for item in node.items if node and isinstance(node.value, list) else [node] if node else []:
        found = SPAN.fullmatch(item.text)
        span = (int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])) if found else (0, 0)
        if not found or max(span) > 1440 or span[0] == span[1]:
            fields.faults.add(item.place, f"hours: expected a span of the day such as 22:00-06:00, got {item.got}")
        else:
            out.append(span)
    return tuple(out)


def timed(fields: Fields) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...], bool | None]:
    """The time of a route: days, hours, whether in office hours."""
    return days(fields), hours(fields), fields.flag("office") if "office" in fields else None
