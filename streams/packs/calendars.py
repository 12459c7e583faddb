"""calendar.csv of a city, and `active:` of a detector: when it judges at all."""
from __future__ import annotations

from datetime import date
from itertools import pairwise
from pathlib import Path

from detectors.calendar import CLASSES, SPECIAL, Active, Calendar, Season, Special
from streams.packs.citygrammar import CALENDAR
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.grammar import ACTIVE
from streams.packs.nodes import Node
from streams.packs.sheets import Row, read

EPOCH = date(1970, 1, 1).toordinal()
COLUMNS = CALENDAR.names
CLASS = ("season", *SPECIAL)
KEYS = ACTIVE.names
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_calendar(path: Path, name: str, faults: Faults) -> Calendar:
    """Seasons of every year (month-day) and special dates (year-month-day), both ends inside."""
    sheet = read(path, faults, name)
    sheet.unknown(COLUMNS, faults)
    if not sheet.need(("from", "to", "name"), faults):
        return Calendar()
    seasons: dict[str, Season] = {}
    special: list[tuple[Row, Special]] = []
    for row in sheet.rows:
        kind = row["class"] or "season"
        if kind not in CLASS:
            faults.unknown(row.at("class"), "class", kind, CLASS)
        elif kind == "season":
            _season(row, seasons, faults)
        elif (dated := _dated(row, kind, faults)) is not None:
            special.append((row, dated))
    special.sort(key=lambda pair: pair[1].first)
    for (_, before), (row, after) in pairwise(special):
        if after.first <= before.last:
            faults.add(row.at("from"), f"{row['from']} is inside {before.name or 'another row'} already")
    calendar = Calendar(tuple(s for _, s in special), tuple(seasons.values()))
    try:
        calendar.row()
    except ValueError as error:
        faults.add(special[-1][0].at("from"), str(error))
        return Calendar((), calendar.seasons)
    return calendar


def read_active(fields: Fields, calendar: Calendar) -> Active | None:
    """`active: {months: [4, 10], season: flood-season, days: workday, hours: 06:00-22:00}`; None where it is not given."""
    if "active" not in fields:
        return None
    active = fields.sub("active", KEYS)
    named = {season.name: season for season in calendar.seasons}
    seasons = active.words("season", "season", named)
    days = active.words("days", "class of days", CLASSES)
    months = active.get("months")
    items = months.items if months and isinstance(months.value, list) else [months] if months else []
    return Active(tuple(filter(None, (_month(item, fields.faults) for item in items))), tuple(named[s] for s in seasons),
                  tuple(CLASSES[day] for day in days), _hours(active), calendar.offset)


def _season(row: Row, seasons: dict[str, Season], faults: Faults) -> None:
    ends = [_of_year(row, column, faults) for column in ("from", "to")]
    if row["name"] in seasons or not row["name"]:
        faults.add(row.at("name"), f"season {row['name']!r} again" if row["name"] else "a season needs a name")
    elif all(ends):
        seasons[row["name"]] = Season(row["name"], *ends)


def _of_year(row: Row, column: str, faults: Faults) -> int:
    """Month * 100 + day; 0 after a fault."""
    try:
        moment = date.fromisoformat(f"2024-{row[column]}")
    except ValueError:
        faults.add(row.at(column), f"{column}: {row[column]!r}; a season runs from month-day to month-day, such as 04-15")
        return 0
    return moment.month * 100 + moment.day


def _dated(row: Row, kind: str, faults: Faults) -> Special | None:
    try:
        first, last = (date.fromisoformat(row[column] or row["from"]).toordinal() - EPOCH for column in ("from", "to"))
    except ValueError:
        faults.add(row.at("from"), f"{row['from']!r} to {row['to']!r}: a {kind} has dates such as 2026-02-15")
        return None
    if last < first:
        faults.add(row.at("to"), f"to {row['to']} is before from {row['from']}")
        return None
    return Special(first, last, SPECIAL[kind], row["name"])


def _month(node: Node, faults: Faults) -> int:
    word = node.text.lower()
    if word in MONTHS:
        return MONTHS.index(word) + 1
    if word.isdecimal() and 1 <= int(word) <= 12:
        return int(word)
    faults.add(node.place, f"months: {node.got}; allowed: 1 to 12, or jan to dec")
    return 0


def _hours(active: Fields) -> tuple[float, ...]:
    """Seconds of the day, from and until."""
    node = active.get("hours")
    if node is None:
        return ()
    ends = [_clock(part.strip()) for part in node.text.split("-")]
    if len(ends) != 2 or None in ends or ends[0] == ends[1] or ends[0] == 86_400.0:
        active.faults.add(node.place, f"hours: {node.got}; write 06:00-22:00 (22:00-06:00 runs over midnight)")
        return ()
    return tuple(float(end) for end in ends if end is not None)


def _clock(text: str) -> float | None:
    hour, _, minute = text.partition(":")
    if not (hour.isdecimal() and (minute or "0").isdecimal()):
        return None
    seconds = int(hour) * 3600.0 + int(minute or 0) * 60.0
    return seconds if int(minute or 0) < 60 and seconds <= 86_400.0 else None
