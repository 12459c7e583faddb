"""How good a pack's detectors are against labelled episodes: what each would have done, and the figures.

For a detector at level L an *alarm* is the time from a rise to at least L until the fall below it, as people would
have known it (by arrival). Episodes count that name L or more, or no level. What hits what: `match.py`. Vintages: a
revised figure counts from the moment it arrived.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from detectors.needs import needs
from detectors.pack import City, Detector, Pack
from streams.clock import MICRO
from streams.packs.cases import off
from streams.replay import halves
from streams.replay.episodes import Episode
from streams.replay.judged import DAY, Judged, Span
from streams.replay.match import Account, Row, Window, match

if TYPE_CHECKING:
    from streams.replay.history import History

FIGURE = {"lead": "lead_median_s"}
"""Where a gate's word is not its figure's name."""


@dataclass(frozen=True)
class Study:
    """A pack's backtest: for each (detector path, level) its row and its account, site by site."""

    rows: dict[tuple[str, int], Row]
    accounts: dict[tuple[str, int], dict[str, Account]]
    judged: Judged
    window: Window

    def account(self, key: tuple[str, int]) -> Account:
        """Of all sites together."""
        return sum(self.accounts[key].values(), Account())

    def by_site(self, key: tuple[str, int]) -> dict[str, Row]:
        """The same figures, a row a site."""
        return {site: self._row(key, account) for site, account in self.accounts[key].items()}

    def by_year(self, key: tuple[str, int], year: Callable[[int], str]) -> dict[str, Row]:
        """A row a year; `year` names that of a moment (µs UTC). An alarm that hit belongs to its episode's year."""
        parts: dict[str, list[Account]] = {}
        for m in self.account(key).matches:
            parts.setdefault(year(m.moment), []).append(Account((m,), int(m.kind == "hit")))
        return {name: self._row(key, sum(parts[name], Account())) for name in sorted(parts)}

    def _row(self, key: tuple[str, int], account: Account) -> Row:
        return account.row(*key, self.judged.days, self.rows[key].scored)


def backtest(city: City, history: History, episodes: list[Episode], pack: str, window: int = DAY, merge: int = 3600 * MICRO,
             compiled: bool = True) -> list[Row]:
    """One row for every detector of the pack and every level it has; `window` and `merge` in µs."""
    return list(study(city, history, episodes, pack, Window(window, 0, merge), compiled).rows.values())


def study(city: City, history: History, episodes: list[Episode], pack: str, window: Window, compiled: bool = True,
          progress: Callable[[int], None] | None = None) -> Study:
    """The pack's detectors over a history, against what happened."""
    chosen = next(p for p in city.packs if p.id == pack)
    judged = halves.judged(alone(city, pack), history, compiled, progress)
    rows, accounts = {}, {}
    for detector in chosen.detectors:
        for level in sorted({limit.level for limit in detector.limits}):
            key = detector.path, level
            plain = [d.path for d in chosen.detectors if d.indicator == detector.indicator and d.use.kind == "threshold"]
            accounts[key] = {site: match(site, wanted(episodes, site, level, detector.indicator),
                                         judged.alarms(detector.path, site, level), window,
                                         [span.start for path in plain for span in judged.alarms(path, site, level)])
                             for site in sites(city, detector) if says(detector, level, site)}
            rows[key] = sum(accounts[key].values(), Account()).row(*key, judged.days, judged.scored[detector.indicator])
    if any(e.fault for e in episodes):
        _faults(chosen, episodes, judged, window, rows, accounts)
    return Study(rows, accounts, judged, window)


def _faults(pack: Pack, episodes: list[Episode], judged: Judged, window: Window, rows: dict[tuple[str, int], Row],
            accounts: dict[tuple[str, int], dict[str, Account]]) -> None:
    """Faults of sensors are scored apart: spells that the checks of an indicator doubted, against the labelled ones."""
    for indicator in pack.indicators:
        if not indicator.checks:
            continue
        key = f"{pack.id}/{indicator.id}:checks", 0
        faults = [e for e in episodes if e.fault and e.indicator in ("", indicator.id)]
        accounts[key] = {site: match(site, [e for e in faults if e.site == site],
                                     judged.doubted(f"{indicator.id}@{site}"), window) for site in indicator.sites}
        row = sum(accounts[key].values(), Account()).row(*key, judged.days, judged.scored[indicator.id])
        rows[key] = replace(row, level="fault")


def wanted(episodes: Iterable[Episode], site: str, level: int, indicator: str = "") -> list[Episode]:
    """The episodes of a site that a detector of the indicator at this level should have caught."""
    return [e for e in episodes if not e.fault and e.site == site and (e.level == 0 or e.level >= level)
            and e.indicator in ("", indicator)]


def sites(city: City, detector: Detector) -> tuple[str, ...]:
    """Where the detector looks."""
    return detector.sites or next(i for p in city.packs for i in p.indicators if i.id == detector.indicator).sites


def alone(city: City, pack: str) -> City:
    """The pack's detectors and what they need of others; no rules (a backtest measures detectors)."""
    needed = needs(city, (d for p in city.packs if p.id == pack for d in p.detectors))
    packs = (replace(p, rules=(), detectors=p.detectors if p.id == pack else (),
                     indicators=tuple(i for i in p.indicators if p.id == pack or i.id in needed)) for p in city.packs)
    return replace(city, packs=tuple(p for p in packs if p.indicators))


def says(detector: Detector, level: int, site: str) -> bool:
    """Whether the detector has this level at this site."""
    return any(limit.level == level and not off(limit.at, site) for limit in detector.limits)


def failures(pack: Pack, rows: list[Row]) -> list[str]:
    """Where the rows fall short of the pack's own gates: `id` or `id/level` -> figure -> least (most for far and alarms)."""
    out = []
    for name, gate in pack.gates.items():
        ident, _, level = name.removeprefix(f"{pack.id}/").partition("/")
        for row in rows:
            if row.detector == f"{pack.id}/{ident}" and level in ("", row.level):
                out += [f"{row.detector} {row.level}: {figure} {got if got is None else round(got, 3)}, the gate asks {want:g}"
                        for figure, want in gate.items() if _short(figure, got := getattr(row, FIGURE.get(figure, figure)), want)]
    return out


def _short(figure: str, got: float | None, want: float) -> bool:
    if figure in ("far", "false_alarms", "misses", "alarms_per_day"):
        return got is not None and got > want
    return got is None or got < want


def covered(history: History) -> Span:
    """From the first reading to the last."""
    return Span(int(history.t.min()), int(history.t.max())) if len(history) else Span(0, 0)


def strangers(pack: Pack, episodes: list[Episode], covered: Span) -> list[str]:
    """What people should know of their labels: sites that no indicator of the pack has, times without any reading."""
    sites = {site for indicator in pack.indicators for site in indicator.sites}
    lost = Counter(e.site for e in episodes if e.site not in sites)
    said = [f"{count} episodes at {site!r}: no such site in pack {pack.id}, not counted" for site, count in sorted(lost.items())]
    outside = sum(e.site in sites and not (covered.start <= e.end and e.start <= covered.end) for e in episodes)
    return said + ([f"{outside} episodes lie outside the history: they count as misses"] if outside else [])
