"""The ladder of an alert: the first row that matches."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detectors.calendar import Calendar, Special
from detectors.pack import Area, City, Ladder, Route, Site, Step, Text
from streams.desk import mute
from streams.desk.calling.routes import areas_of, ladder_of

CITY = City(
    (),
    {"s": Site("s", Text("站"), agency="水利", areas={"admin": "town", "basin": "reach"})},
    (Area("admin", "town", Text("镇"), "county"), Area("admin", "county", Text("县"))),
    tuple(Ladder(i, Text(i), (Step("p", ("log",), 60),)) for i in ("yellow", "red", "county", "water", "rest")),
    (
        Route("red", packs=("basin",), levels=(4,)),
        Route("yellow", levels=(1, 2)),
        Route("county", areas=("admin:county",)),
        Route("water", agencies=("水利",)),
        Route("rest"),
    ),
)


@pytest.mark.parametrize(
    ("pack", "level", "site", "area", "as_of", "name"),
    [
        ("basin", 4, "s", "", False, "red"),
        ("air", 4, "s", "", False, "county"),
        ("air", 2, "s", "", False, "yellow"),
        ("basin", 4, "s", "", True, "yellow"),
        ("air", 3, "", "admin:town", False, "county"),
        ("air", 3, "", "", False, "rest"),
    ],
)
def test_the_first_row_whose_every_field_matches(pack: str, level: int, site: str, area: str, as_of: bool, name: str) -> None:
    """Pack, level, area (ancestors too) and agency all count; what is only known "as of" climbs yellow's ladder."""
    found = ladder_of(CITY, pack, level, site, area, as_of)

    assert found is not None and found.id == name


def test_agency() -> None:
    """A row may ask for the agency of the site."""
    city = replace(CITY, routes=CITY.routes[3:])
    assert getattr(ladder_of(city, "air", 3, "s"), "id", "") == "water"


def test_no_row_no_ladder() -> None:
    """Where nothing matches, or the ladder is not there, nobody is called."""
    assert ladder_of(replace(CITY, routes=(Route("red", levels=(4,)),)), "air", 3) is None
    assert ladder_of(replace(CITY, routes=(Route("gone"),)), "air", 3) is None


def test_areas_have_their_ancestors() -> None:
    """By id and by `tree:id`; a circle of parents ends."""
    assert areas_of(CITY, "s", "") == {"town", "county", "reach", "admin:town", "admin:county", "basin:reach"}
    circle = replace(CITY, areas=(Area("admin", "town", Text(""), "town"),))
    assert "admin:town" in areas_of(circle, "s", "")


HOUR = 3_600_000_000
MONDAY = 1_782_057_600_000_000      # 2026-06-22 00:00 in Shanghai


@pytest.mark.parametrize(
    ("route", "day", "hour", "there"),
    [
        (Route("x", days=(5, 6)), 5, 0.0, True),
        (Route("x", days=(5, 6)), 6, 23.99, True),
        (Route("x", days=(5, 6)), 0, 12.0, False),
        (Route("x", hours=((1320, 360),)), 0, 22.0, True),
        (Route("x", hours=((1320, 360),)), 0, 5.99, True),
        (Route("x", hours=((1320, 360),)), 0, 6.0, False),
        (Route("x", hours=((480, 720), (840, 1080))), 0, 13.0, False),
        (Route("x", office=True), 0, 9.0, True),
        (Route("x", office=True), 0, 12.5, False),
        (Route("x", office=True), 6, 9.0, False),
        (Route("x", office=False), 6, 9.0, True),
        (Route("x", office=False, hours=((0, 360),)), 6, 9.0, False),
    ],
)
def test_a_row_may_ask_for_days_hours_and_office_hours(route: Route, day: int, hour: float, there: bool) -> None:
    """All in the city's own time; a span may run over midnight; what has no moment matches no row that asks for one."""
    city = replace(CITY, routes=(replace(route, ladder="red"), Route("rest")))
    found = ladder_of(city, "air", 3, at=MONDAY + day * 24 * HOUR + round(hour * HOUR))

    assert getattr(found, "id", "") == ("red" if there else "rest")
    assert getattr(ladder_of(city, "air", 3), "id", "") == "rest"


def test_offices_keep_the_calendar() -> None:
    """A holiday on a Monday is no office day; a Sunday worked in exchange is one."""
    day = MONDAY // (24 * HOUR) + 1       # days since 1970, of the city's Monday
    special = (Special(day, day, 1, "dragon-boat"), Special(day + 6, day + 6, 2, "exchanged"))
    city = replace(CITY, routes=(Route("red", office=True), Route("rest")), calendar=Calendar(special))
    found = [getattr(ladder_of(city, "air", 3, at=MONDAY + n * 24 * HOUR + 9 * HOUR), "id", "") for n in (0, 1, 5, 6)]

    assert found == ["rest", "red", "rest", "red"]


def test_a_mute_is_short_and_a_new_red_ends_it() -> None:
    """At most ten minutes; a red that was raised after it began is heard."""
    end = mute.until(0, 36_000)
    assert end == 600_000_000
    assert mute.silent(end, 5, 0, 6) and not mute.silent(end, 5, 0, end) and not mute.silent(end, 5, 6, 7)
