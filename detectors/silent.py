"""Silent series by feed and by site, kept so that one more costs the same among five series and among 200 000."""
from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush


@dataclass
class Feed:
    """The series that hang on one source: how many are measured, and which are silent since when (µs)."""

    total: int = 0
    series: dict[str, int] = field(default_factory=dict)
    times: list[int] = field(default_factory=list)                      # the same moments in order
    spans: Counter[float] = field(default_factory=Counter)              # `silent` of those series, seconds

    def add(self, series: str, since: int, span: float) -> None:
        """One more is silent."""
        self.series[series] = since
        insort(self.times, since)
        self.spans[span] += 1

    def remove(self, series: str, span: float) -> None:
        """It no longer is."""
        since = self.series.pop(series)
        del self.times[bisect_left(self.times, since)]
        self.spans[span] -= 1
        if not self.spans[span]:
            del self.spans[span]

    def lately(self, time: int) -> int:
        """How many have fallen silent within the longest `silent` among them before `time`."""
        return len(self.times) - bisect_left(self.times, time - max(self.spans, default=0.0) * 1e6)


@dataclass
class Silent:
    """All feeds, all sites with silent series, and the moments at which these become items of their own."""

    span: Callable[[str], float]                                        # `silent` of a series, seconds
    due: Callable[[str, int], int]                                      # when a series silent since then becomes an item
    feeds: dict[str, Feed] = field(default_factory=dict)
    sites: dict[str, set[str]] = field(default_factory=dict)
    waiting: list[tuple[int, str]] = field(default_factory=list)        # a heap; what is no longer so is left out when it comes

    def feed(self, name: str) -> Feed:
        """The series of one feed."""
        return self.feeds.setdefault(name, Feed())

    def add(self, series: str, feed: str, since: int) -> None:
        """A series fell silent."""
        self.feed(feed).add(series, since, self.span(series))
        site = series.split("@", 1)[1]
        self.sites.setdefault(site, set()).add(series)
        heappush(self.waiting, (self.due(series, since), series))

    def remove(self, series: str, feed: str) -> None:
        """It speaks again, or hangs on another feed."""
        self.feed(feed).remove(series, self.span(series))
        site = series.split("@", 1)[1]
        self.sites[site].discard(series)
        if not self.sites[site]:
            del self.sites[site]

    def begin(self, rows: Iterable[tuple[str, str, int]]) -> None:
        """(series, feed, since) of all that are silent, at a start."""
        self.feeds, self.sites, self.waiting = {}, {}, []
        for series, feed, since in sorted(rows, key=lambda row: row[2]):
            self.feed(feed).add(series, since, self.span(series))
            self.sites.setdefault(series.split("@", 1)[1], set()).add(series)
            self.waiting.append((self.due(series, since), series))
        heapify(self.waiting)

    def pop(self, now: int) -> list[str]:
        """Series whose moment may have come."""
        found = []
        while self.waiting and self.waiting[0][0] <= now:
            found.append(heappop(self.waiting)[1])
        return found

    def later(self, series: str, moment: int) -> None:
        """Its feed was away meanwhile: its moment is another."""
        heappush(self.waiting, (moment, series))

    def back(self, feed: str) -> None:
        """A feed is back: its silent series have their moments anew."""
        for series, since in self.feed(feed).series.items():
            heappush(self.waiting, (self.due(series, since), series))
