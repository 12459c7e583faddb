"""The small packs on published data, judged offline: what really happened must be told, and a dead feed is no dead sensor."""
from __future__ import annotations

from types import ModuleType

from detectors.event import Change
from detectors.reading import Block
from streams.packs.load import load_city
from streams.replay.offline import Offline, final

DAY = 86_400_000_000


def judged(real: ModuleType, name: str, rows: list[tuple[int, str, float, int]]) -> list[Change]:
    """All events of a data set."""
    offline = Offline(load_city(real.pack(name)))
    events: list[Change] = []
    for first in range(0, len(rows), 4096):
        part = rows[first:first + 4096]
        block = Block.of([(series, t, x) for t, series, x, _ in part], arrived=[row[3] for row in part], source=name)
        events += offline.feed(block)
    return events + offline.finish()


def test_every_recession_is_told_once(real: ModuleType) -> None:
    """Five recessions, 1960 (before the epoch) to 1982, each raise the rule once, before they are half a year over."""
    events = final(judged(real, "us-economy", real.us_economy()))
    told = [e.time for e in events if e.rule and e.kind == "level" and e.before == 0]
    recessions = real.recessions()
    assert len(told) == len(recessions) == 5
    for at, (start, end) in zip(told, recessions, strict=True):
        assert start <= at < end + 183 * DAY


def test_half_a_day_late_is_judged_on_arrival(real: ModuleType) -> None:
    """Levels that come hours late raise as soon as they arrive, as of their own time; the day without data is one feed."""
    events = judged(real, "uk-rivers", real.uk_rivers())
    levels = [e for e in events if e.kind == "level" and e.detector]
    assert len(levels) > 100 and all(e.arrived >= e.time for e in levels)
    assert sum(e.arrived - e.time > 3_600_000_000 for e in levels) > len(levels) / 2
    assert [e.fresh for e in events if e.kind == "feed"] == ["stale", "fresh"]
    assert not [e for e in events if e.kind == "sensor"]
    assert any(e.rule == "uk-rivers/many" and e.to == 3 for e in events)


def test_smog_is_told_by_many_stations(real: ModuleType) -> None:
    """In March 2013 the smog holds over six stations and more; CO that the feed has not converted fails its check."""
    rows = real.beijing_air(20_000, {"co": 0.001})
    events = judged(real, "beijing-air", rows)
    rises = [e for e in final(events) if e.rule and e.kind == "level" and e.before == 0 < e.to]
    assert rises and all(e.value is not None and e.value >= 6 for e in rises)
    raw = judged(real, "beijing-air", real.beijing_air(2_000))
    assert {e.indicator for e in raw if e.kind == "sensor" and e.check == "range"} == {"co"}
    assert not [e for e in events if e.kind == "sensor" and e.indicator == "co" and e.check == "range"]
