"""A backtest without files: readings of history.db, episodes of the pack's folder and of the desk's close-outs."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from detectors.level import Level
from detectors.pack import City
from streams.clock import iso
from streams.desk.labels import Label, desk_at, labels
from streams.history.partitions import prepare
from streams.history.take import FIRST, LAST, measured
from streams.replay.episodes import Episode, read
from streams.replay.history import History
from streams.replay.judged import Span
from streams.replay.stored import history
from streams.settings import Settings
from streams.sql import engine


@dataclass(frozen=True)
class Past:
    """What is known of a pack. `notes` say what was left out."""

    history: History
    episodes: list[Episode]
    notes: list[str] = field(default_factory=list)


def past(settings: Settings, city: City, pack: str, file: Path | None, desk: bool = True) -> Past:
    """From the stores; `file` = the pack's episodes.csv, if there is one.

    Episodes outside what history holds of their site are left out: they could only be missed.
    """
    database = engine(settings.history_url)
    try:
        prepare(database)
        found = history(database, measured(city, pack))
    finally:
        database.dispose()
    known = read(file) if file is not None and file.is_file() else []
    if desk:
        known += episodes(closed(settings.desk_url, pack), known)
    return within(found, known)


def within(found: History, known: list[Episode]) -> Past:
    """With the episodes of which history holds something at their site."""
    spans = _spans(found) if known else {}
    kept = [e for e in known if (span := spans.get(e.site)) and span.start <= e.end and e.start <= span.end]
    lost = len(known) - len(kept)
    return Past(found, kept, [f"{lost} episodes lie outside what history holds of their site: not counted"] if lost else [])


def closed(desk_url: str, pack: str, since: int = FIRST, until: int = LAST) -> list[Label]:
    """What the desk's people said of closed warnings of the pack; none where there is no desk."""
    database = desk_at(desk_url)
    if database is None:
        return []
    try:
        with Session(database) as s:
            return labels(s, pack, since, until)
    finally:
        database.dispose()


def episodes(said: list[Label], known: list[Episode] | tuple[Episode, ...] = ()) -> list[Episode]:
    """The true ones as episodes of their indicator; one that overlaps a known episode of the site is that episode."""
    return [Episode(x.site, x.level, x.start, x.end, note(x), x.indicator) for x in said if x.outcome == "true" and not any(
        e.site == x.site and e.indicator in ("", x.indicator) and e.start <= x.end and x.start <= e.end for e in known)]


def note(label: Label) -> str:
    """Where a label comes from, and what was said then; one line."""
    return " ".join(f"{label.alert} {label.detector} {label.reason}".split())


def lines(said: list[Label]) -> list[tuple[str, ...]]:
    """Rows of an episodes CSV: site, level, start, end, indicator, outcome, note. Only `true` ones are episodes."""
    return [(x.site, Level(x.level).word if x.level else "", iso(x.start), iso(x.end), x.indicator, x.outcome, note(x))
            for x in said]


def counts(said: list[Label]) -> str:
    """`3 true, 1 false`."""
    return ", ".join(f"{n} {outcome}" for outcome, n in sorted(Counter(x.outcome for x in said).items(), reverse=True)) or "none"


def _spans(found: History) -> dict[str, Span]:
    """From the first to the last reading of each site."""
    names = [name.partition("@")[2] for name in found.series]
    number = {site: n for n, site in enumerate(dict.fromkeys(names))}
    where = np.array([number[name] for name in names], np.int32)[found.index]
    first, last = np.full(len(number), LAST), np.full(len(number), FIRST)
    np.minimum.at(first, where, found.t)
    np.maximum.at(last, where, found.t)
    return {site: Span(int(first[n]), int(last[n])) for site, n in number.items()}
