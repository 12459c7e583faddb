"""What a calendar says of days, and what a detector does outside its time."""
from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from math import inf, isnan
from typing import Any

import numpy as np
import pytest

from detectors.calendar import Active, Calendar, Season, Special, Watch
from detectors.days import FESTIVALS, NONE, class_of, festival, from_festival, profile
from detectors.judge import State, judge, tick
from detectors.pack import City, Detector, Indicator, Limit, Pack, Site, Text, Use
from detectors.plan import Plan
from detectors.reading import Block

EPOCH = date(1970, 1, 1).toordinal()
MINUTE, HOUR = 60_000_000, 3_600_000_000
EIGHT = timedelta(hours=8)


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - EPOCH


def local(text: str) -> int:
    """A moment in China, µs UTC."""
    return int((datetime.fromisoformat(text).replace(tzinfo=UTC) - EIGHT).timestamp()) * 1_000_000


CALENDAR = Calendar((Special(day("2026-02-14"), day("2026-02-14"), 2, "exchanged"),
                     Special(day("2026-02-15"), day("2026-02-23"), 3, "spring-festival"),
                     Special(day("2026-10-01"), day("2026-10-07"), 1, "national-day")), (Season("flood", 415, 1015),))


def test_festival() -> None:
    """The Spring Festival of each year of the table is the new moon's day that it says; the nearest one counts."""
    for year in range(1980, 2036):
        assert festival(year) == day(f"{year}-01-01") + FESTIVALS[year - 1980] - 1
        assert day(f"{year}-01-21") <= festival(year) <= day(f"{year}-02-20")
    assert from_festival(float(day("2026-02-16"))) == -1.0 and from_festival(float(day("2025-12-31"))) == -48.0
    assert isnan(festival(1979)) and isnan(festival(2036)) and from_festival(float(day("2035-12-31"))) > 300


def test_classes() -> None:
    """Holidays, days worked in exchange and plain weekdays have their class and profile; dates outside are plain."""
    row = CALENDAR.row()
    assert [class_of(row, float(day(d))) for d in ("2026-02-13", "2026-02-14", "2026-02-15", "2026-10-01", "2026-10-10")] == [
        0, 0, 3, 2, 1]
    assert [profile(row, float(day(d))) for d in ("2026-02-14", "2026-02-17", "2026-10-05", "2026-10-08", "2026-10-10")] == [
        4, 8, 7, 3, 5]
    assert all(class_of(row, float(d)) == class_of(NONE, float(d)) for d in (*range(-400, 400), 40_000, 10**7))
    assert CALENDAR.name(day("2026-10-03")) == "national-day" and CALENDAR.name(day("2026-10-08")) == ""


def test_too_long() -> None:
    """A calendar that spans more years than a row holds is refused, not cut."""
    with pytest.raises(ValueError, match="spans"):
        Calendar((Special(day("2010-01-01"), day("2010-01-01"), 1), Special(day("2026-01-01"), day("2026-01-01"), 1))).row()


@pytest.mark.parametrize(("active", "moment", "until"), [
    (Active(hours=(21600.0, 79200.0)), "2026-07-01T06:00", "2026-07-01T22:00"),
    (Active(hours=(21600.0, 79200.0)), "2026-07-01T22:00", None),
    (Active(hours=(79200.0, 21600.0)), "2026-07-01T23:00", "2026-07-02T06:00"),
    (Active(hours=(79200.0, 21600.0)), "2026-07-01T05:59", "2026-07-01T06:00"),
    (Active(days=(0,)), "2026-02-14T12:00", "2026-02-15T00:00"),
    (Active(days=(0,)), "2026-02-16T12:00", None),
    (Active(seasons=(Season("flood", 415, 1015),)), "2026-10-15T23:59", "2026-10-16T00:00"),
    (Active(seasons=(Season("flood", 415, 1015),)), "2026-04-14T23:59", None),
    (Active(months=(7,), days=(0,), hours=(0.0, 43200.0)), "2026-07-03T11:00", "2026-07-03T12:00"),
    (Active(seasons=(Season("smog", 1115, 315),)), "2026-12-31T12:00", "2027-03-16T00:00"),
])
def test_until(active: Active, moment: str, until: str | None) -> None:
    """Each moment lies in a stretch with an end, by local time, or in none."""
    (end,) = Watch(active, CALENDAR.row()).until(np.array([local(moment)], float)).tolist()
    assert isnan(end) if until is None else end == local(until)


def test_always() -> None:
    """What never restricts never ends."""
    assert Watch(Active(), NONE).until(np.array([0.0])).tolist() == [inf]


def plan(active: Active | None, lateness: float = 0.0, hold: float = 0.0, keep: float = 0.0) -> Plan:
    level = Indicator("level", "p", Text("水位"), "m", ("a",), every=300.0, silent=3600.0, lateness=lateness)
    detector = Detector("high", "p", "level", Use("threshold"), (Limit(2, 5.0, hold=hold, keep=keep),), active=active)
    return Plan(City((Pack("p", Text("测"), (level,), (detector,)),), {"a": Site("a", Text("a"))}, calendar=CALENDAR))


def judged(of: Plan, rows: list[tuple[str, float]], end: str, compiled: bool, together: bool = False) -> list[tuple[int, int]]:
    state, said = State(of, compiled=compiled), []
    blocks = [rows] if together else [[row] for row in rows]
    for block in blocks:
        said += judge(of, state, Block.of([("level@a", local(t), x) for t, x in block]))
    said += tick(of, state, local(end))
    return [(c.time, c.to) for c in said if c.kind == "level"]


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "interpreted"])
@pytest.mark.parametrize("together", [True, False], ids=["one block", "many"])
def test_outside_its_time(compiled: bool, together: bool) -> None:
    """Outside its time a detector neither rises nor clears; a hold that began inside does not run out there but begins anew."""
    office = Active(hours=(28800.0, 64800.0))
    rows = [("2026-07-01T17:50", 1.0), ("2026-07-01T17:55", 9.0), ("2026-07-01T18:10", 9.0), ("2026-07-02T07:55", 9.0),
            ("2026-07-02T08:00", 9.0), ("2026-07-02T08:10", 9.0), ("2026-07-02T17:55", 9.0), ("2026-07-02T18:00", 1.0),
            ("2026-07-03T08:00", 1.0)]
    said = judged(plan(office, hold=600.0), rows, "2026-07-03T08:30", compiled, together)
    assert said == [(local("2026-07-02T08:10"), 2), (local("2026-07-03T08:00"), 0)]


@pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "interpreted"])
def test_ticks_respect_it_too(compiled: bool) -> None:
    """A hold due after the end of its time is not fired by the clock; one due before the end is."""
    office = Active(hours=(28800.0, 64800.0))
    late, early = [("2026-07-01T17:55", 9.0)], [("2026-07-01T17:45", 9.0)]
    assert judged(plan(office, hold=600.0), late, "2026-07-01T18:30", compiled) == []
    assert judged(plan(office, hold=600.0), early, "2026-07-01T18:30", compiled) == [(local("2026-07-01T17:55"), 2)]


def test_late_readings_respect_it() -> None:
    """With a lateness the same readings in another order end in the same events."""
    office = Active(hours=(28800.0, 64800.0))
    rows = [("2026-07-01T17:40", 9.0), ("2026-07-01T17:45", 1.0), ("2026-07-01T17:55", 9.0), ("2026-07-01T18:00", 1.0)]
    of = plan(office, lateness=3600.0)
    state, mixed = State(of), [rows[i] for i in (0, 2, 3, 1)]
    said = [c for t, x in mixed for c in judge(of, state, Block.of([("level@a", local(t), x)], arrived=local("2026-07-01T18:05")))]
    final = {}
    for c in said:
        if c.kind == "level":
            final[c.alert, c.seq] = c
    assert [(c.time, c.to) for c in sorted(final.values(), key=lambda c: c.time) if not c.withdrawn] == [
        (t, to) for t, to in judged(of, rows, "2026-07-01T18:30", True)]


def monthly(due: float = 0.0, merge: bool = False, silent: float = inf) -> Plan:
    power = Indicator("power", "p", Text("电"), "kWh", ("a",), every=31 * 86400.0, silent=silent, period="month", due=due,
                      merge=merge, oldest=inf, rejudge=12)
    return Plan(City((Pack("p", Text("测"), (power,), ()),), {"a": Site("a", Text("a"))}))


def heard(of: Plan, rows: list[tuple[str, str]], end: str) -> list[tuple[str, int]]:
    state, said = State(of), []
    for month, arrived in rows:
        said += judge(of, state, Block.of([("power@a", local(f"{month}-01T00:00"), 1.0)], arrived=local(arrived)))
    said += tick(of, state, local(end))
    return [(c.fresh, c.time) for c in said if c.kind == "fresh"]


def test_overdue() -> None:
    """A published figure is silent when it is overdue by its own calendar; a revision of an old month does not hide that."""
    of = monthly(due=22 * 86400.0)
    said = heard(of, [("2026-03", "2026-04-20"), ("2026-02", "2026-06-01"), ("2026-04", "2026-06-02"), ("2026-05", "2026-06-20")],
                 "2026-06-21")
    assert said == [("fresh", local("2026-04-20")), ("stale", local("2026-05-23")), ("fresh", local("2026-06-02"))]


def test_january_comes_with_february() -> None:
    """With `merge` nothing is expected in February; March brings both."""
    rows = [("2025-12", "2026-01-20")]
    assert heard(monthly(22 * 86400.0), rows, "2026-03-15")[-1] == ("stale", local("2026-02-23"))
    assert heard(monthly(22 * 86400.0, merge=True), rows, "2026-03-15") == [("fresh", local("2026-01-20"))]
    assert heard(monthly(22 * 86400.0, merge=True), rows, "2026-03-24")[-1] == ("stale", local("2026-03-23"))


def test_counts_that_fill_up() -> None:
    """A count is judged as what it will be by its age on arrival; as it fills up the warning is revised, or withdrawn."""
    cases = Indicator("cases", "p", Text("例"), "", ("a",), every=86400.0, lateness=3 * 86400.0, complete=(0.5, 0.8))
    detector = Detector("many", "p", "cases", Use("threshold"), (Limit(2, 10.0),))
    of = Plan(City((Pack("p", Text("测"), (cases,), (detector,)),), {"a": Site("a", Text("a"))}))
    state = State(of)

    def said(x: float, arrived: str) -> list[Any]:
        return [(c.to, c.value, c.revision, c.withdrawn) for c in judge(of, state, Block.of(
            [("cases@a", local("2026-07-01T00:00"), x)], arrived=local(arrived))) if c.kind == "level"]

    assert said(6.0, "2026-07-01T20:00") == [(2, 12.0, 0, False)]
    assert said(9.0, "2026-07-02T20:00") == [(2, 11.25, 1, False)]
    assert said(9.0, "2026-07-03T20:00") == [(2, 11.25, 2, True)]


def test_older_rows_are_found_again() -> None:
    """A row written before slots were added at the end of its pieces keeps what it had, and what is new begins as new."""
    of = plan(None, lateness=1800.0)
    state = State(of)
    judge(of, state, Block.of([("level@a", local("2026-07-01T17:55"), 9.0)]))
    head, *rows = state.dump()
    old = replace_layout(head, rows)
    other = State(of)
    other.load(old)
    assert [x for x in other.levels()] == [x for x in state.levels()]
    table = other.tables[0]
    assert table.live.heads["until"][0, 0] == inf and isnan(table.live.series["overdue"][0])
    assert [(c.time, c.to) for c in judge(of, other, Block.of([("level@a", local("2026-07-01T18:00"), 1.0)]))
            if c.kind == "level"] == [(local("2026-07-01T18:00"), 0)]


def replace_layout(head: Any, rows: list[Any]) -> list[Any]:
    """The same rows as a program wrote them whose series and heads each ended one slot earlier."""
    _, _, _, (width, ring, pieces, paths) = head
    shorter = [[n, s, w - 1 if n == "series" or n.startswith("head:") else w] for n, s, w in pieces]
    small, out = sum(w for _, _, w in shorter), []
    for series, _, data, extras in rows:
        old = np.frombuffer(bytes(data), "<f8")
        sides, start = [], 0
        for _side in range(2):
            for (_, _, w), (_, _, kept) in zip(pieces, shorter, strict=True):
                sides.append(old[start:start + kept])
                start += w
        out.append((series, "old", np.concatenate([*sides, old[2 * width:]]).tobytes(), extras))
    return [("#", "old", b"", [small, ring, shorter, paths]), *out]


def test_a_plan_knows_its_calendar() -> None:
    """Every check, kind and operator that declares a calendar is given the city's."""
    of = plan(None)
    assert of.calendar == CALENDAR.row() and replace(CALENDAR, special=()).row() == NONE
