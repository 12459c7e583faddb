"""Published data through the live product: feed → Kafka → judge → combine → desk; its log, judged again, says the same."""
from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from detectors.event import Change
from detectors.reading import Block
from streams.codec import Changes
from streams.packs.load import load_city
from streams.replay.offline import Offline, final

pytestmark = pytest.mark.broker
HOUR = 3_600_000_000
DAY = 24 * HOUR


class Lived:
    """One data set, lived through: what was sent, what came of it."""

    def __init__(self, chain: ModuleType, bench: Any, folder: Path, table: Path, *words: str) -> None:
        self.city, self.partitions = load_city(folder), bench.settings.partitions
        bench.plan(self.city)
        self.run = chain.Chain(bench)
        for stage in ("judge", "combine", "desk"):
            self.run.start(stage)
        self.played = self.run.play(table, *words)
        self.run.settled()
        self.run.stop()
        self.readings, self.levels, self.events = bench.records("readings"), bench.records("levels"), self.run.events()
        self.blocks = [r for _, _, r in self.readings if isinstance(r, Block)]

    def proven(self, chain: ModuleType, sent: int) -> None:
        """Nothing sent is missing; the log judged again gives the same events with the same ids; the desk has their alerts."""
        assert self.played["accepted"] + len(self.played["rejected"]) == sent
        assert sum(map(len, self.blocks)) == self.played["accepted"]
        assert [r["place"] for r in self.run.rejects()] == [r["place"] for r in self.played["rejected"]]
        said = {chain.told(c) for _, _, r in self.levels if isinstance(r, Changes) for c in r.changes}
        wanted = chain.judged_again(self.city, self.readings, self.partitions)
        assert said == wanted, f"{len(wanted - said)} changes are missing, {len(said - wanted)} are extra"
        again = chain.combined_again(self.city, self.levels, self.partitions)
        assert list(map(chain.told, self.events)) == list(map(chain.told, again))
        implied = chain.groups(self.events)
        assert {key: level for key, (_, level) in self.run.alerts().items()} == implied and len(implied) > 3


def table(real: ModuleType, rows: list[Any], path: Path) -> Path:
    """A history with one row more, of a site that nobody knows: it must be refused and nothing else."""
    made = real.write_history(rows, path)
    indicator, when = rows[0].series.split("@")[0], "2000-01-01T00:00:00Z"
    made.write_text(made.read_text("utf-8") + f"{when},nowhere,{indicator},1.0,{when}\n", "utf-8")
    return made


def test_rivers_come_half_a_day_late(chain, real, bench, tmp_path: Path) -> None:
    """Levels hours old are judged as they come, as of their own time and in its order; nothing is silent before 26 h are over."""
    rows = real.uk_rivers(30_000)
    lived = Lived(chain, bench, real.pack("uk-rivers"), table(real, rows, tmp_path / "rivers.csv"))
    lived.proven(chain, len(rows) + 1)
    levels = [e for e in lived.events if e.kind == "level" and e.detector]
    assert len(levels) > 50 and all(e.arrived >= e.time for e in levels)
    assert sum(e.arrived - e.time > HOUR for e in levels) > len(levels) / 2
    every = {row.series for row in rows}
    of_time = {s: [e.time for e in levels if f"{e.indicator}@{e.site}" == s and e.detector == "uk-rivers/stage"] for s in every}
    assert any(map(len, of_time.values())) and all(a <= b for times in of_time.values() for a, b in pairwise(times))
    stale = {(f"{e.indicator}@{e.site}", e.time) for e in lived.events if e.kind == "fresh" and e.fresh == "stale" and e.site}
    came = {s: sorted(r.arrived for r in rows if r.series == s) for s in every}
    silences = {(series, a + 26 * HOUR) for series, times in came.items() for a, b in pairwise(times) if b > a + 26 * HOUR}
    ended = {(series, times[-1] + 26 * HOUR) for series, times in came.items()}
    assert silences and silences <= stale <= silences | ended
    judged = [r for _, _, r in bench.records("judged") if isinstance(r, Block)]
    assert not {"late", "old", "future"} & {r.sources[i] for r in judged for i in r.source}


def test_beijing_breathes(chain, real, bench, tmp_path: Path) -> None:
    """Twelve stations for eleven days: CO is converted at the feed, smog over many stations is one warning."""
    rows = real.beijing_air(20_000)
    lived = Lived(chain, bench, real.pack("beijing-air"), table(real, rows, tmp_path / "air.csv"), "--source", "uci")
    lived.proven(chain, len(rows) + 1)
    got = sorted((b.series[i], t, x) for b in lived.blocks for i, t, x in zip(b.index, b.t.tolist(), b.x.tolist(), strict=True)
                 if b.series[i].startswith("co@") and x == x)
    assert got == sorted((r.series, r.t, r.x * 0.001) for r in rows if r.series.startswith("co@") and r.x == r.x)
    assert not [e for e in lived.events if e.indicator == "co" and e.kind == "sensor" and e.check == "range"]
    smog = [e for e in final(lived.events) if e.rule == "beijing-air/smog" and e.kind == "level" and e.before == 0 < e.to]
    assert smog and all(e.value is not None and e.value >= 6 and len(e.members) >= 6 for e in smog)


def test_the_economy_since_1959(chain, real, bench, tmp_path: Path) -> None:
    """Monthly figures from before the epoch on: each recession up to 1984 raises the rule once, before it is half a year over."""
    rows = [row for row in real.us_economy() if row.t < 15 * 365 * DAY]
    assert min(row.t for row in rows) < -10 * 365 * DAY
    lived = Lived(chain, bench, real.pack("us-economy"), table(real, rows, tmp_path / "economy.csv"))
    lived.proven(chain, len(rows) + 1)
    assert any(e.time < 0 for e in lived.events if e.kind == "level")
    rises = [e.time for e in final(lived.events) if e.rule and e.kind == "level" and e.before == 0]
    recessions = [(a, b) for a, b in real.recessions() if b < 15 * 365 * DAY]
    assert len(rises) == len(recessions) == 5
    assert all(a <= at < b + 183 * DAY for at, (a, b) in zip(rises, recessions, strict=True))


def offline(city: Any, rows: Iterable[Any], until: int) -> list[Change]:
    """Every event of rows in the order of their arrival, up to one end for all orders."""
    judging, found, told = Offline(city), list(rows), []
    for first in range(0, len(found), 4096):
        part = found[first:first + 4096]
        told += judging.feed(Block.of([(r.series, r.t, r.x) for r in part], arrived=[r.arrived for r in part], source="s"))
    return told + judging.finish(until)


def essence(events: list[Change]) -> list[tuple[Any, ...]]:
    """What must not depend on the order of arrival (design 9.14): where, since when, from, to and value of the final events."""
    return sorted((e.detector, e.rule, e.indicator, e.site, e.area, e.time, e.onset or 0, e.before, e.to, e.value or 0.0)
                  for e in final(events) if e.kind == "level")


@pytest.mark.parametrize(("name", "delay", "scatter"), [
    ("uk-rivers", 0, 0), ("beijing-air", 3 * HOUR, HOUR // 2), ("us-economy", 200 * DAY, DAY)])
def test_another_order_and_repeats_change_nothing_in_the_end(real: ModuleType, name: str, delay: int, scatter: int) -> None:
    """A history shuffled within its lateness and repeated gives the same final events (rivers have no lateness: only repeats)."""
    read: dict[str, Callable[[], list[Any]]] = {
        "uk-rivers": lambda: real.uk_rivers(20_000), "beijing-air": lambda: real.beijing_air(15_000, {"co": 0.001}),
        "us-economy": lambda: real.us_economy(1200)}
    rows, city, rng = read[name](), load_city(real.pack(name)), random.Random(name)
    end = max(r.arrived for r in rows) + delay + 60 * DAY
    late = [replace_arrival(r, r.arrived + rng.randrange(0, delay) if delay and rng.random() < 0.5 else r.arrived) for r in rows]
    late += [replace_arrival(r, r.arrived + rng.randrange(0, delay or 1)) for r in rng.sample(rows, len(rows) // 5)]
    order = sorted(late, key=lambda r: (r.arrived, rng.random() if delay else r.t))
    assert essence(offline(city, order, end)) == (wanted := essence(offline(city, rows, end)))
    assert len(wanted) > 20


def replace_arrival(row: Any, arrived: int) -> Any:
    """The same reading at another time of arrival."""
    return row._replace(arrived=arrived)
