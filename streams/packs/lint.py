"""What is legal word by word and still wrong: limits out of order, levels that the indicator's own checks make unreachable."""
from __future__ import annotations

from itertools import pairwise
from math import isfinite
from types import SimpleNamespace
from typing import Any

from detectors.level import Level
from detectors.pack import Detector, Indicator, Limit, Use
from detectors.reading import Flag
from detectors.registry import load
from detectors.step import params
from streams.packs.beside import uses
from streams.packs.book import Book, Draft
from streams.packs.faults import Place
from streams.packs.values import at


def lint(book: Book) -> None:
    """All of it, over every detector."""
    for detector in book.detectors.values():
        draft, indicator = book.drafts[detector.pack], book.indicators[detector.indicator]
        sites = detector.sites or indicator.sites
        if not any(isinstance(limit.at, dict) for limit in detector.limits) and _alike(indicator):
            sites = sites[:1]           # the same at all sites: one speaks for them
        _order(draft, detector, sites)
        if _passes(load("kinds")[detector.use.kind]):
            _reach(draft, detector, indicator, sites)
    _unwatched(book)


def _alike(indicator: Indicator) -> bool:
    """Whether the checks are told the same at every site."""
    return not any(isinstance(value, dict) for use in indicator.checks for value in use.params.values())


def _order(draft: Draft, detector: Detector, sites: tuple[str, ...]) -> None:
    """Above: blue <= yellow <= orange <= red. Below: the other way round. Empty cells are left out."""
    for above in (True, False):
        limits = sorted((limit for limit in detector.limits if limit.above is above), key=lambda limit: limit.level)
        for site in sites:
            there = [(limit, at(limit.at, site)) for limit in limits if isfinite(at(limit.at, site))]
            wrong = [(a, b) for a, b in pairwise(there) if (a[1] > b[1] if above else a[1] < b[1])]
            if wrong:
                (low, x), (high, y) = wrong[0]
                draft.faults.add(_place(draft, detector, high), f"detector {detector.id}: {_word(high)} at {y:g} is "
                                 f"{'below' if above else 'above'} {_word(low)} at {x:g}, at {site}")
                break


def _reach(draft: Draft, detector: Detector, indicator: Indicator, sites: tuple[str, ...]) -> None:
    """A reading that is at the limit must not fail a check of its own, nor be doubtful where doubt is capped below it."""
    for limit in detector.limits:
        for site in sites:
            x = at(limit.at, site)
            flag, check = _flag(indicator, site, x) if isfinite(x) else (Flag.GOOD, "")
            if flag in (Flag.FAIL, Flag.MISSING) or (flag == Flag.SUSPECT and detector.cap < limit.level):
                why = f"and caps it at {Level(detector.cap).word}" if flag == Flag.SUSPECT else "so it is not judged"
                draft.faults.add(_place(draft, detector, limit), f"detector {detector.id}: {_word(limit)} is never reached at "
                                 f"{site}: check {check} calls a reading of {x:g} {flag.name.lower()}, {why}")
                break


def _flag(indicator: Indicator, site: str, x: float) -> tuple[Flag, str]:
    """The worst flag that the checks without memory or calendar give to a value, and which check."""
    worst, by = Flag.GOOD, ""
    for use in indicator.checks:
        check = load("checks")[use.kind]
        if not (check.slots or getattr(check, "calendar", False)):
            flag = Flag(int(check.step(_told(check, use, site), None, 0.0, x)))
            worst, by = max((worst, by), (flag, use.kind), key=lambda pair: pair[0])
    return worst, by


def _told(algorithm: Any, use: Use, site: str) -> SimpleNamespace:
    given = {name: value.get(site, float("nan")) if isinstance(value, dict) else value for name, value in use.params.items()}
    return SimpleNamespace(**{p.name: given.get(p.name, p.default) for p in params(algorithm)})


def _passes(kind: Any) -> bool:
    """Whether a kind's score is the reading itself: no memory, no parameters, in the indicator's unit."""
    return not kind.slots and not params(kind) and kind.score_unit == "value"


def _unwatched(book: Book) -> None:
    """Hints: what is measured and never used, and sites that measure nothing."""
    used = {d.indicator for d in book.detectors.values()}
    used |= {name for i in book.indicators.values() if i.derive for name in i.derive.inputs}
    used |= {name for use, *_ in uses(book) for name in use.beside}
    for indicator in book.indicators.values():
        draft = book.drafts[indicator.pack]
        if indicator.id not in used:
            draft.faults.hint(draft.fields.place, f"indicator {indicator.id}: no detector looks at it")
        if not indicator.sites:
            draft.faults.hint(draft.fields.place, f"indicator {indicator.id}: no site has it")


def _word(limit: Limit) -> str:
    return Level(limit.level).word


def _place(draft: Draft, detector: Detector, limit: Limit) -> Place:
    return draft.limits.get((detector.id, limit.level, limit.above), draft.fields.place)
