"""`with:` of checks and detectors: whether the series that they look at exist, and may be named there."""
from __future__ import annotations

from collections.abc import Iterator

from detectors.pack import Use
from streams.packs.book import Book, Draft
from streams.packs.faults import Place


def uses(book: Book) -> Iterator[tuple[Use, Draft, str, Place]]:
    """Each use of an algorithm by a check or a detector: whose pack, of which indicator, and where it stands."""
    for indicator in book.indicators.values():
        draft = book.drafts[indicator.pack]
        places = draft.checks.get(indicator.id, [])
        for n, use in enumerate(indicator.checks):
            yield use, draft, indicator.id, places[n] if n < len(places) else draft.fields.place
    for detector in book.detectors.values():
        draft = book.drafts[detector.pack]
        yield detector.use, draft, detector.indicator, Place(draft.file, detector.line)


def beside(book: Book) -> None:
    """A series that the pack may name, other than the one it stands beside, with a site in common."""
    for use, draft, own, place in uses(book):
        for name in use.beside:
            visible = [i for i in book.visible(draft) if i != own]
            if name not in visible:
                draft.faults.unknown(place, f"{use.kind}: indicator (with)", name, visible)
            elif name in book.indicators and not set(book.indicators[name].sites) & set(book.indicators[own].sites):
                draft.faults.add(place, f"{use.kind}: with {name}: no site has both it and {own}")
