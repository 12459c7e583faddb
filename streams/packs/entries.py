"""`detectors:` of a pack: a kind, its parameters, its limits and why."""
from __future__ import annotations

from detectors.level import Level, Scope
from detectors.pack import Detector, Use
from detectors.program import T, X
from detectors.registry import load
from streams.packs.book import ID, Book, Draft, identifier
from streams.packs.calendars import read_active
from streams.packs.fields import Fields
from streams.packs.fits import read_fit
from streams.packs.grammar import DETECTOR
from streams.packs.levels import read_limits
from streams.packs.nodes import Node
from streams.packs.params import names, read_use
from streams.packs.programs import KEY, coded, compiled
from streams.packs.reports import read_report
from streams.packs.values import Scale

SHARED = DETECTOR.shared
"""What a defaults block may say for all detectors."""
KEYS = DETECTOR.names
CAPS = {level.word: int(level) for level in Level}


def detectors(book: Book) -> None:
    """Every detector of every pack."""
    for draft in book.drafts.values():
        for node in draft.fields.items("detectors"):
            detector = _detector(book, draft, node)
            if detector is None:
                continue
            before = book.detectors.setdefault(detector.path, detector)
            if before is not detector:
                draft.faults.add(node.place, f"duplicate detector {detector.id!r}, first at line {before.line}")


def _detector(book: Book, draft: Draft, node: Node) -> Detector | None:
    kinds = load("kinds")
    first = Fields(node, draft.faults, "detector")
    kind = first.choice("kind", kinds)
    if kind:
        keys = (*KEYS, *names(kinds[kind]), *((KEY,) if coded(kinds[kind]) else ()))
        entry = Fields(node, draft.faults, "detector", keys, draft.defaults("detector", SHARED))
    else:
        entry = first
        first.need("kind")
    id, name = entry.word("id", must=True), entry.word("indicator", must=True)
    if not identifier(id, entry.at("id"), "detector", ID, draft.faults):
        return None
    entry.what = f"detector {id}"
    if name and name not in book.visible(draft):
        _not_visible(book, draft, entry, name)
    if not kind or name not in book.indicators or name not in book.visible(draft):
        return None
    return _made(book, draft, entry, id, name, kind)


def _made(book: Book, draft: Draft, entry: Fields, id: str, name: str, kind: str) -> Detector:
    indicator, algorithm = book.indicators[name], load("kinds")[kind]
    sites = entry.words("sites", "site", indicator.sites)
    columns = book.columns(draft, sites or indicator.sites, indicator.pack)
    if "reach" in entry and not hasattr(algorithm, "forecast"):
        draft.faults.add(entry.at("reach"), f"detector {id}: reach is for a kind that forecasts; {kind} has levels")
    use = read_use(entry, kind, algorithm, indicator.unit, columns)
    if coded(algorithm):
        text = entry.need(KEY)
        variables = {"x": X, "t": T, name: X}
        program = compiled(text, variables, columns, draft.faults, f"detector {id}") if text else {}
        use = Use(kind, {**use.params, **program})
    limits = read_limits(draft, id, entry, Scale(algorithm.score_unit, indicator.unit), columns)
    if "source" not in entry:
        draft.faults.hint(entry.place, f"detector {id}: no source; name the standard, or write guess")
    return Detector(
        id, draft.id, name, use, limits, title=entry.title("title"),
        cap=CAPS[entry.choice("cap", CAPS, Level.YELLOW.word)], scope=entry.choice("scope", list(Scope), Scope.REAL.value),
        separate=entry.flag("separate"), was=entry.word("was"), why=entry.title("why"), source=entry.word("source"),
        sites=sites, line=entry.place.line, active=read_active(entry, book.calendar),
        fit=read_fit(entry, book, draft, kind, sites or indicator.sites),
        report=read_report(book, entry))


def _not_visible(book: Book, draft: Draft, entry: Fields, name: str) -> None:
    node = entry.get("indicator")
    place = node.place if node else entry.place
    if name in book.owners:
        owner = book.owners[name]
        draft.faults.add(place, f"indicator {name!r} belongs to pack {owner}; write use: [{owner}/{name}]")
    else:
        draft.faults.unknown(place, "indicator", name, book.visible(draft))
