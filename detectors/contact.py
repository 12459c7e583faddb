"""Silence: which series have lost contact, and whether that is a dead feed or single sensors (design 9.17)."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from detectors.event import Change, alert_id, event_id
from detectors.pack import Indicator
from detectors.reading import Source
from detectors.silent import Silent

LOST = 90_000_000
"""A source that no record has named for so long (µs) is down (design 9.8)."""
MANY = 5
"""So many of a source's series, and half of them, silent within one `silent`: the feed, not the sensors."""


@dataclass
class Contact:
    """Freshness of series and sources as `levels` tells it. Raises worklist items; never touches a level."""

    indicators: dict[str, Indicator]
    state: dict[str, str] = field(default_factory=dict)                 # series -> fresh, stale …; absent = never heard
    errors: set[str] = field(default_factory=set)                       # series with a quarantined detector
    since: dict[str, int] = field(default_factory=dict)                 # silent series -> when it was called silent (µs)
    source: dict[str, str] = field(default_factory=dict)                # series -> source
    sources: dict[str, tuple[bool, int, int]] = field(default_factory=dict)     # name -> up, seen, now
    down: dict[str, list[Any]] = field(default_factory=dict)            # feed -> [since, reasons]
    back: dict[str, int] = field(default_factory=dict)                  # feed -> when it was last said to be back
    sensors: dict[str, list[Any]] = field(default_factory=dict)         # site -> [due, series]
    now: int = 0
    silent: Silent = field(init=False)                                  # what follows from `since` and `source`; not saved

    def __post_init__(self) -> None:
        self.silent = Silent(lambda series: self.indicators[series.split("@", 1)[0]].silent, self._due)

    def fresh(self, series: str) -> bool:
        """Whether the series may be believed to be of now; a derived one as far as its inputs may."""
        name, site = series.split("@", 1)
        indicator = self.indicators.get(name)
        if indicator is not None and indicator.derive is not None:
            fed = indicator.derive.sources(site)
            enough = indicator.derive.coverage * len(fed) - 1e-9 if indicator.derive.guests else len(fed)
            return series not in self.errors and sum(map(self.fresh, fed)) >= enough
        return self.state.get(series) == "fresh" and series not in self.errors

    def change(self, change: Change) -> list[Change]:
        """A change of kind `fresh` or `error` of a series."""
        series = f"{change.indicator}@{change.site}"
        if change.kind == "error":
            (self.errors.discard if change.fresh == "fresh" else self.errors.add)(series)
            return []
        indicator = self.indicators.get(change.indicator)
        measured = indicator is not None and indicator.derive is None
        if measured and series in self.since:
            self.silent.remove(series, self._feed(series))
        if measured and series in self.state:
            self.silent.feed(self._feed(series)).total -= 1
        self.state[series] = change.fresh
        if change.source:
            self.source[series] = change.source
        if not measured:
            return []
        self.silent.feed(self._feed(series)).total += 1
        if change.fresh in ("stale", "never"):
            self.since[series] = change.time
            self.silent.add(series, self._feed(series), change.time)
        elif self.since.pop(series, None) is None:
            return []
        return self._together(self._feed(series), change.time, change.arrived) + self._mended(change.site, change)

    def heard(self, source: Source) -> list[Change]:
        """A source record: up, down, or just alive. It comes once by each partition; an old copy says nothing new."""
        if source.name in self.sources and source.now < self.sources[source.name][2]:
            return []
        self.sources[source.name] = (source.up, source.seen, source.now)
        out = self._reason(source.name, "lost", False, source.now, source.now)
        return out + self._reason(source.name, "said", not source.up, source.now, source.now)

    def tick(self, now: int) -> list[Change]:
        """Every due moment up to `now` (µs), each stamped with its own time, so that the grid of ticks does not matter."""
        self.now = max(self.now, now) if self.now else now      # 0 = no tick yet: a history may be of before 1970
        due: list[tuple[int, int, str]] = [(last + LOST, 0, name) for name, (_, _, last) in self.sources.items()
                                           if last + LOST < self.now]
        for series in self.silent.pop(self.now):
            if (since := self.since.get(series)) is not None:
                moment = self._due(series, since)
                if moment <= self.now:
                    due.append((moment, 1, series))
                else:
                    self.silent.later(series, moment)
        out: list[Change] = []
        for moment, kind, name in sorted(set(due)):
            out += self._sensor(name, moment) if kind else self._reason(name, "lost", True, moment, moment)
        return out

    def _due(self, series: str, since: int) -> int:
        """When a silent series becomes its site's item; one whose feed was down has its time once the feed is back."""
        return max(since, self.back.get(self._feed(series), since)) + int(self.indicators[series.split("@", 1)[0]].silent * 1e6)

    def _feed(self, series: str) -> str:
        """What the series hangs on: its source, or its pack where no source is known."""
        return self.source.get(series) or self.indicators[series.split("@", 1)[0]].pack

    def _together(self, feed: str, time: int, arrived: int) -> list[Change]:
        """Whether so many series fell silent together that it is the feed."""
        its = self.silent.feed(feed)
        count = len(its.series) if "stale" in self.down.get(feed, (0, ()))[1] else its.lately(time)
        return self._reason(feed, "stale", count >= MANY and 2 * count >= its.total, time, arrived)

    def _measured(self, series: str) -> bool:
        indicator = self.indicators.get(series.split("@", 1)[0])
        return indicator is not None and indicator.derive is None

    def _reason(self, feed: str, reason: str, holds: bool, time: int, arrived: int) -> list[Change]:
        """One more or one less reason to call a feed down; a change when the first comes or the last goes."""
        since, reasons = self.down.get(feed, [time, []])
        if holds == (reason in reasons):
            return []
        left = [r for r in reasons if r != reason] + ([reason] if holds else [])
        if left:
            self.down[feed] = [since, left]
        else:
            del self.down[feed]
            self.back[feed] = time
            self.silent.back(feed)
        if bool(left) == bool(reasons):
            return []
        alert = alert_id("feed", feed, since)
        silent = self.silent.feed(feed).series
        packs = {self.indicators[name].pack for name in {s.split("@", 1)[0] for s in silent}}
        return [Change(kind="feed", id=event_id(alert, 1 if left else 2), alert=alert, seq=1 if left else 2, time=time,
                       arrived=arrived, pack=packs.pop() if len(packs) == 1 else "", source=feed,
                       fresh="stale" if left else "fresh", since=self.sources.get(feed, (True, since, 0))[1], onset=since,
                       check=reason, members=tuple(sorted(silent)), group=f"feed/{feed}")]

    def _sensor(self, series: str, due: int) -> list[Change]:
        """One item for a site of its own; none while the feed is down: when it is back, the series has its moment anew."""
        site = series.split("@", 1)[1]
        if site in self.sensors or self._feed(series) in self.down:
            return []
        silent = [s for s in self.silent.sites[site] if self.since[s] <= due and self._feed(s) not in self.down]
        self.sensors[site] = [due, sorted(silent)]
        return [self._item(site, due, due, silent, 1)]

    def _mended(self, site: str, change: Change) -> list[Change]:
        """The end of a site's item, once all of its series speak again."""
        if site not in self.sensors or site in self.silent.sites:
            return []
        due, series = self.sensors.pop(site)
        return [self._item(site, due, change.time, series, 2, change.arrived)]

    def _item(self, site: str, due: int, time: int, series: Iterable[str], seq: int, arrived: int | None = None) -> Change:
        names = sorted(series)
        indicator = self.indicators[names[0].split("@", 1)[0]]
        alert = alert_id("sensor", site, due)
        return Change(kind="sensor", id=event_id(alert, seq), alert=alert, seq=seq, time=time, pack=indicator.pack, site=site,
                      arrived=time if arrived is None else arrived, indicator=indicator.id,
                      fresh="fresh" if seq == 2 else "stale", since=due - 2 * int(indicator.silent * 1e6), members=tuple(names),
                      group=f"{indicator.pack}/sensor", source=self.source.get(names[0], ""))

    def keep(self, series: set[str]) -> None:
        """Forget what left the plan."""
        for table in (self.state, self.since, self.source):
            for gone in [s for s in table if s not in series]:
                del table[gone]
        self.errors &= series
        sites = {s.split("@", 1)[1] for s in series}
        for site in [site for site in self.sensors if site not in sites]:
            del self.sensors[site]
        self._begin()

    def _begin(self) -> None:
        """What follows from the rest, anew."""
        self.silent.begin((s, self._feed(s), t) for s, t in self.since.items() if s.split("@", 1)[0] in self.indicators)
        for series in self.state:
            if self._measured(series):
                self.silent.feed(self._feed(series)).total += 1

    def dump(self) -> dict[str, Any]:
        """Plain objects."""
        return {"state": self.state, "errors": sorted(self.errors), "since": self.since, "source": self.source,
                "sources": {k: list(v) for k, v in self.sources.items()}, "down": self.down, "back": self.back,
                "sensors": self.sensors, "now": self.now}

    def load(self, body: dict[str, Any]) -> None:
        """The way back."""
        self.state, self.errors = dict(body["state"]), set(body["errors"])
        self.since, self.source, self.now = dict(body["since"]), dict(body["source"]), body["now"]
        self.sources = {k: (v[0], v[1], v[2]) for k, v in body["sources"].items()}
        self.down, self.back, self.sensors = dict(body["down"]), dict(body.get("back", {})), dict(body["sensors"])
        self._begin()
