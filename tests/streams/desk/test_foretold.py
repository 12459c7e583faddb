"""A series' page shows what was forecast when a level changed, and what came of it; nothing that nobody said."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from detectors.event import Change
from streams.desk.alert import Actor
from streams.desk.api.app import make_app
from streams.desk.pages.foretold import Foretold, drawn, foretold, lines, verdict
from streams.desk.pages.view import View

MIN = 60_000_000
T0 = 1_782_238_640_000_000
NAME = "river_level@lanxi"


@pytest.fixture
def page(tmp_path: Path, night: Callable[..., Any]) -> Iterator[tuple[Any, Any, TestClient]]:
    """A desk with a night of readings and no event yet, and a browser."""
    bench, site = night(tmp_path, fill=False)
    _, full = night(tmp_path / "full")
    site.readings = full.readings
    with TestClient(make_app(site), follow_redirects=False) as client:
        yield bench, site, client
    bench.store.close()


def view(bench: Any, site: Any) -> View:
    """How a reader of nobody's sees it."""
    with bench.store.read() as s:
        made: View = site.view(s, Actor(), "zh")
    return made


def said(change: Callable[..., Change], at: int, band: tuple[float, float, float], limit: float = 29.0, **more: Any) -> Change:
    """A forecast that a level was announced for, so many minutes before the night's end."""
    return change("river_level", "lanxi", 2, time=T0 - at * MIN, detector="basin/rising", value=28.0, score=limit, limit=limit,
                  forecast=band, **more)


def found(bench: Any, site: Any) -> list[Foretold]:
    """Those of the last eight hours."""
    with bench.store.read() as s:
        return foretold(s, view(bench, site), NAME, T0 - 480 * MIN, T0)


def test_what_came_is_the_first_reading_beyond_the_limit(page: Any, change: Callable[..., Change]) -> None:
    """Within the band, before it, after it; not reached; not yet due. Times are those of the readings."""
    bench, site, _ = page
    bench.put(said(change, 200, (3600.0, 1800.0, 5400.0), 27.5))
    (one,) = found(bench, site)
    assert one.came is not None
    came = [r for r in site.readings.window(NAME, T0 - 480 * MIN, T0) if r.t == one.came]
    before = site.readings.window(NAME, one.t + 1, one.came - 1)
    assert came[0].value >= 27.5 and all(r.value is None or r.value < 27.5 or r.flag in (4, 9) for r in before)
    v = view(bench, site)
    cases = [(one.came - MIN, one.came + MIN, "在区间内"), (one.came + 7 * MIN, one.came + 9 * MIN, "比区间早 7 分"),
             (one.came - 9 * MIN, one.came - 7 * MIN, "比区间晚 7 分")]
    assert all(verdict(replace(one, low=low, high=high), v).startswith(words) for low, high, words in cases)
    assert verdict(replace(one, came=None, high=v.clock - 1, seen=v.clock), v) == "区间内未达到"
    assert verdict(replace(one, came=None, high=v.clock - 1, seen=v.clock - MIN), v) == "读数中断，无法判断"
    assert verdict(replace(one, came=None, high=v.clock + 1), v) == verdict(replace(one, came=None, high=None), v) == "未到时候"


def test_only_what_stands_is_shown(page: Any, change: Callable[..., Change]) -> None:
    """A revised forecast once, one that was taken back not at all, a bound that is never reached is not drawn; others are none."""
    bench, site, _ = page
    first = said(change, 100, (3600.0, 1800.0, 7200.0))
    bench.put(first, replace(first, revision=1, forecast=(600.0, 300.0, 900.0)))
    gone = said(change, 80, (60.0, 30.0, 90.0), alert="a" * 16)
    bench.put(gone, replace(gone, revision=1, withdrawn=True))
    bench.put(said(change, 60, (3600.0, 1800.0, float("inf")), alert="b" * 16), change("river_level", "lanxi", 1, time=T0 - 30 * MIN))
    one, two = found(bench, site)
    assert (one.mid, one.low, one.high) == tuple(one.t + x * 1_000_000 for x in (600, 300, 900)) and two.high is None
    v = view(bench, site)
    assert len(drawn([one, two], v)) == 1 and lines([one, two], v, 2, "m")[0]["band"].endswith("不限")


def test_the_page_shows_the_fan_and_the_outcome(page: Any, change: Callable[..., Change]) -> None:
    """Drawn within the chart's frame and told in a table; without any forecast neither is there."""
    bench, _, client = page
    asked = f"/series/{NAME}?from=2026-06-23T19:00&to=2026-06-24T03:00"
    assert "当时的预报" not in client.get(asked).text and 'class="band"' not in client.get(asked).text
    bench.put(said(change, 200, (3600.0, 1800.0, 5400.0), 27.5))
    text = client.get(asked).text
    chart = text[text.index("<svg class=\"ch\""):]
    assert re.search(r'<svg x="44" y="10"[^>]*><g><title>[^<]*预报：[^<]*</title><path d="M[^"]*Z" class="band"/>', chart)
    assert "当时的预报与实际" in text and "What was forecast" in client.get(asked + "&lang=en").text and "style=" not in chart
