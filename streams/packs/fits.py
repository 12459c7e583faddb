"""`fit:` of a detector: which sites share a shape that is fitted from history."""
from __future__ import annotations

from collections.abc import Iterable

from detectors.pack import Fitting
from detectors.registry import load
from streams.packs.book import Book, Draft
from streams.packs.fields import Fields
from streams.packs.grammar import FIT

KEYS = FIT.names


def read_fit(entry: Fields, book: Book, draft: Draft, kind: str, sites: Iterable[str]) -> Fitting | None:
    """`fit: {season: hour_of_week, shape: category, level: site}`; None where nothing is asked for and nothing must be fitted.

    `shape` is `all`, `category`, an area tree or a column of sites.csv: the sites that agree in it share one shape, each at
    its own level.
    """
    kinds = load("kinds")
    fitted = getattr(kinds[kind], "fitted", "")
    if "fit" not in entry:
        return Fitting() if fitted == "must" else None
    fields = entry.sub("fit", KEYS)
    if not fitted:
        able = ", ".join(name for name, k in kinds.items() if getattr(k, "fitted", ""))
        entry.faults.add(entry.at("fit"), f"fit: kind {kind} learns by itself; fitted are {able}")
    fields.choice("level", ("site",), "site")
    season = fields.choice("season", ("hour_of_week",), "hour_of_week")
    word = fields.word("shape")
    if not word:
        return Fitting(season)
    columns, categories = draft.sites.columns, draft.sites.categories
    if word == "all":
        return Fitting(season, dict.fromkeys(sites, "all"))
    if word == "category" and categories:
        return Fitting(season, {s: categories.get(s, "") for s in sites})
    if word in book.trees:
        return Fitting(season, {s: draft.sites.by[s].areas.get(word, "") for s in sites if s in draft.sites.by})
    if word in columns.names:
        return Fitting(season, {s: f"{columns.rows.get(s, {}).get(word, float('nan')):g}" for s in sites})
    fields.faults.unknown(fields.at("shape"), "column or tree", word, ["all", "category", *book.trees, *columns.names])
    return Fitting(season)
