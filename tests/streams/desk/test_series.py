"""A series' page shows what was measured, flagged, late and said, over the time that its address holds; its CSV the same."""
from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from detectors.pack import Derive, Detector, Indicator, Limit, Text, Use
from streams.desk.api.app import make_app
from streams.desk.names import Names
from streams.desk.pages.series import Window, read, ribbon, window, written

MIN = 60_000_000
T0 = 1_782_238_640_000_000
NAME = "river_level@lanxi"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, night: Callable[..., Any]) -> Iterator[tuple[Any, TestClient]]:
    """A desk with a night of readings, which nobody changes, and a browser."""
    bench, site = night(tmp_path_factory.mktemp("series"))
    with TestClient(make_app(site), follow_redirects=False) as client:
        yield bench, client
    bench.store.close()


def test_readings_levels_and_flags(page: Any) -> None:
    """The line, its limits, a suspect and a failed reading with their checks, the level that stands, and the warning."""
    _, client = page
    text = client.get(f"/series/{NAME}?from=2026-06-23T18:00&to=2026-06-24T02:20").text
    for piece in ('class="ser"', 'class="lim orange"', "△ 可疑", "✕ 无效", "range", "f-yellow", "f-orange", "橙 Ⅱ级", "/w/", "缺测"):
        assert piece in text, piece
    assert "style=" not in text.split("<main")[1]


def test_the_csv_holds_the_same_readings(page: Any) -> None:
    """Every reading of the time, oldest first; nothing outside it; an unknown series is a 404."""
    _, client = page
    whole = list(csv.DictReader(StringIO(client.get(f"/series/{NAME}.csv?from=2026-06-23T10:00&to=2026-06-24T02:20").text)))
    part = list(csv.DictReader(StringIO(client.get(f"/series/{NAME}.csv?from=2026-06-24T01:00&to=2026-06-24T02:20").text)))
    assert len(whole) > len(part) == 16 and whole[-16:] == part
    assert [r["time"] for r in whole] == sorted(r["time"] for r in whole)
    assert {r["flag"] for r in whole} == {"1", "3", "4"} and float(part[-1]["value"]) > 27
    assert [client.get(f"/series/{x}").status_code for x in ("no@lanxi", "river_level@no", "nothing", "no@no.csv")] == [404] * 4


@pytest.mark.parametrize("asked", ["?from=never&to=", "?from=2026-06-24T02:00&to=2026-06-23T02:00", "?from=0001-01-01&to=9999-12-31"])
def test_a_strange_time_is_no_fault(page: Any, asked: str) -> None:
    """What is no time is the last day; an end before its start is a minute; all of time is shown as far as it goes."""
    assert page[1].get(f"/series/{NAME}{asked}").status_code == 200


@given(st.integers(0, 4_000_000_000), st.integers(1, 500_000))
def test_zoom_there_and_back(start: int, minutes: int) -> None:
    """Out and in, and earlier and later, come back to the same view, to the minute that the address holds."""
    a = start * 1_000_000 // MIN * MIN
    w = Window(a, a + 4 * minutes * MIN)

    def go(of: Window, key: str) -> Window:
        return window(dict(part.split("=") for part in of.moves()[key][1:].split("&")), 0, 60.0)

    assert go(go(w, "-"), "+") == w and go(go(w, "ArrowLeft"), "ArrowRight") == w
    assert read(written(w.start)) == w.start


def test_a_level_is_more_than_a_colour() -> None:
    """Each level has its own height and its numeral; what it was at the start stands from the start; the future is empty."""
    band = str(ribbon([(0, 1), (40 * MIN, 4), (80 * MIN, 0)], Window(0, 100 * MIN), 90 * MIN, "zh"))
    assert 'height="4"' in band and 'height="16"' in band and "Ⅰ" in band and "Ⅳ" in band
    assert "H713.6" in band


def test_the_list_finds(page: Any) -> None:
    """By indicator, place and pack; a word that is nowhere leaves the box and says so."""
    _, client = page
    assert NAME in client.get("/series?q=河道 兰溪").text and "rain@" not in client.get("/series?q=河道").text
    assert "没有符合的" in client.get("/series?q=<b>").text and "<b>&" not in client.get("/series?q=<b>").text


def test_a_revised_value_shows_what_it_was(tmp_path: Path) -> None:
    """The newest vintage counts; former values stand beside it, and one that was sent again is no revision."""
    from sqlalchemy import text

    from streams.desk.series import Readings
    from streams.sql import engine

    url = f"sqlite:///{tmp_path}/history.db"
    with engine(url).begin() as c:
        c.execute(text('CREATE TABLE reading (series TEXT, t BIGINT, arrived BIGINT, value DOUBLE, flag INTEGER, "check" TEXT)'))
        for t, arrived, value in ((1, 1, 5.0), (1, 2, 5.0), (2, 2, 6.0), (2, 3, 6.5), (2, 4, 7.0), (3, 3, 8.0)):
            c.execute(text("INSERT INTO reading VALUES ('x@y', :t, :a, :v, 1, '')"), {"t": t, "a": arrived, "v": value})
    readings = Readings(url)
    assert readings.revised("x@y", 0, 9) == {2: [6.0, 6.5]} and readings.revised("x@y", 3, 9) == {}
    assert [r.value for r in readings.window("x@y", 0, 9)] == [5.0, 7.0, 8.0]
    assert Readings("").revised("x@y", 0, 9) == {}


def test_a_sum_over_an_area_shows_what_the_desk_knows(tmp_path: Path, night: Callable[..., Any], change: Callable[..., Any]) -> None:
    """History keeps none of it: its changes of level with their values, and why there is no chart; the time in the address holds."""
    bench, site = night(tmp_path, fill=False)
    (pack,) = bench.names.city.packs
    areal = Indicator("areal", "basin", Text("面雨量"), "mm", ("admin:yiwu",), derive=Derive(Use("mean"), ("rain",), tree="admin"))
    rule = Detector("areal-rain", "basin", "areal", Use("threshold"), (Limit(2, 30.0),))
    city = replace(bench.names.city, packs=(replace(pack, indicators=(*pack.indicators, areal), detectors=(*pack.detectors, rule)),))
    bench.names = Names(city)
    bench.put(replace(change("rain", "", 2, detector="basin/areal-rain", value=41.5, limit=30.0), area="admin:yiwu", indicator="areal"))
    with TestClient(make_app(site)) as client:
        text = client.get("/series/areal@admin:yiwu?from=2026-06-24T02:00&to=2026-06-24T03:00").text
        assert "历史库不存" in text and "41.50" in text and "30.00" in text and "f-yellow" in text and "义乌市" in text
        text = client.get("/series/areal@admin:yiwu?from=2026-06-20T02:00&to=2026-06-20T03:00").text
        assert "等级没有变化" in text and "41.50" not in text
    bench.store.close()
