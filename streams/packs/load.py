"""A configs folder -> a `City`, or all its faults at once. Offline: it reads the folder and nothing else."""
from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from detectors.calendar import Calendar
from detectors.pack import Area, City, Indicator, Pack, Site, Text
from streams.errors import ConfigError, Fault, UsageError
from streams.packs import nodes
from streams.packs.beside import beside
from streams.packs.book import ID, PACK_KEYS, Book, Draft, identifier
from streams.packs.calendars import read_calendar
from streams.packs.city import Calls, read_areas, read_calls
from streams.packs.conditions import named
from streams.packs.derived import derived
from streams.packs.entries import detectors
from streams.packs.faults import Faults, Place, meant
from streams.packs.fields import Fields
from streams.packs.indicators import measured, own
from streams.packs.links import check_links
from streams.packs.lint import lint
from streams.packs.rulelint import lint_rules
from streams.packs.ruling import Ruled, gates, rules
from streams.packs.sites import read_sites

GRAMMAR = 1
"""The version of the grammar that this loader reads (`wanglou: 1`)."""


@dataclass(frozen=True)
class Checked:
    """What reading a folder gave. `city` is whole only where there are no faults."""

    city: City
    faults: tuple[Fault, ...]
    hints: tuple[Fault, ...]


def find_configs(arg: Path | None = None) -> Path:
    """The configs folder: the one given, WANGLOU_CONFIGS, ./configs, or the installed copy. UsageError if there is none."""
    given = arg or (Path(os.environ["WANGLOU_CONFIGS"]) if os.environ.get("WANGLOU_CONFIGS") else None)
    if given is not None:
        if not given.is_dir():
            raise UsageError(f"no configs folder at {given}")
        return given
    for folder in (Path("configs"), Path(sys.prefix) / "share" / "wanglou" / "configs"):
        if folder.is_dir():
            return folder
    raise UsageError("no configs folder: give --configs DIR, set WANGLOU_CONFIGS, or go where ./configs is")


def load_city(folder: Path, only: str | None = None) -> City:
    """All packs of a folder, or one and those it stands on. ConfigError with all faults."""
    checked = check_city(folder, only)
    if checked.faults:
        raise ConfigError(list(checked.faults))
    return checked.city


def check_city(folder: Path, only: str | None = None) -> Checked:
    """The same with the hints, and without raising for faults. UsageError where there is no such folder or pack."""
    whole = _whole_of(folder)
    places = _packs(whole or folder)
    if not places:
        raise UsageError(f"no packs in {folder}: expected pack.yaml, */pack.yaml or packs/*/pack.yaml")
    faults, city = Faults(), (whole or folder) / "city"
    shared = read_areas(city / "areas.csv", str(city / "areas.csv"), faults) if (city / "areas.csv").exists() else {}
    book = Book(shared)
    if (city / "calendar.csv").exists():
        book.calendar = read_calendar(city / "calendar.csv", str(city / "calendar.csv"), faults)
    drafts = [draft for draft in map(_draft, places) if _new(book, draft)]
    names = [draft.id for draft in drafts]
    if whole:
        only = next((draft.id for draft in drafts if draft.folder.name == folder.resolve().name), only)
    own(book)
    if only is not None:
        _select(book, only)
    for draft in book.drafts.values():
        if draft.readable:
            _sites(draft, shared)
    measured(book)
    derived(book)
    detectors(book)
    ruled = {draft.id: rules(book, draft) for draft in book.drafts.values()}
    beside(book)
    packs = tuple(_pack(book, draft, ruled[draft.id]) for draft in book.drafts.values())
    lint(book)
    sites = _merged(book)
    for draft in book.drafts.values():
        links = {id: site.downstream for id, site in draft.sites.by.items() if site.downstream}
        check_links("site", links, draft.sites.places, sites, draft.faults)
    agencies = [s.agency for s in sites.values() if s.agency] if only is None else None
    calls = read_calls(city, city, names, shared, agencies, book.owners, faults)
    whole_city = _whole(packs, sites, shared, calls, book.calendar)
    if not any(draft.faults.items for draft in book.drafts.values()):
        lint_rules(book, [one for some in ruled.values() for one in some], whole_city)
    return _checked(whole_city, [faults, *(draft.faults for draft in book.drafts.values())])


def _packs(folder: Path) -> list[Path]:
    if (folder / "pack.yaml").exists():
        return [folder]
    return sorted(p.parent for p in [*folder.glob("packs/*/pack.yaml"), *folder.glob("*/pack.yaml")])


def _whole_of(folder: Path) -> Path | None:
    """The configs folder that a single pack's folder stands in (`WHOLE/packs/PACK`), so that it finds areas and other packs."""
    inside = (folder / "pack.yaml").exists() and folder.resolve().parent.name == "packs"
    return folder.resolve().parents[1] if inside and (folder.resolve().parents[1] / "city").is_dir() else None


def _draft(folder: Path) -> Draft:
    faults, file = Faults(), str(folder / "pack.yaml")
    node = nodes.read(folder / "pack.yaml", faults, file)
    fields = Fields(node, faults, "pack", PACK_KEYS)
    if node is None or fields.wrong:
        return Draft(folder.resolve().name, folder, file, fields, faults, readable=False)
    name = fields.word("pack", must=True)
    if not identifier(name, fields.at("pack"), "pack", ID, faults):
        name = folder.resolve().name
    version = fields.need("wanglou")
    if version is not None and version.value != GRAMMAR:
        faults.add(version.place, f"wanglou: grammar {version.got}; this version reads {GRAMMAR}")
    return Draft(name, folder, file, fields, faults)


def _new(book: Book, draft: Draft) -> bool:
    before = book.drafts.setdefault(draft.id, draft)
    if before is not draft:
        before.faults.add(draft.fields.at("pack"), f"pack {draft.id!r} again, first in {before.file}")
    return before is draft


def _select(book: Book, only: str) -> None:
    """Leave the pack that was asked for and, one after another, those that it names."""
    if only not in book.drafts:
        raise UsageError(f"unknown pack {only!r}{meant(only, book.drafts)}")
    chosen, waiting = set[str](), [only]
    while waiting:
        name = waiting.pop()
        if name not in chosen:
            chosen.add(name)
            waiting += [*book.drafts[name].uses.values(), *_ruled(book, book.drafts[name])]
    book.drafts = {name: draft for name, draft in book.drafts.items() if name in chosen}


def _ruled(book: Book, draft: Draft) -> list[str]:
    """The packs whose detectors and rules a pack's rules name."""
    node = draft.fields.get("rules")
    return [pack for rule in (node.items if node else []) for pack in named(rule.fields.get("when")) if pack in book.drafts]


def _sites(draft: Draft, trees: dict[str, dict[str, Area]]) -> None:
    path = draft.folder / "sites.csv"
    if not path.exists():
        draft.faults.add(Place(draft.file), f"no sites.csv beside it; it must name at least one site: {path}")
        return
    draft.sites = read_sites(path, str(path), trees, draft.faults)
    if not draft.sites.by and not draft.faults.items:
        draft.faults.add(Place(str(path)), "no site")


def _pack(book: Book, draft: Draft, ruled: tuple[Ruled, ...]) -> Pack:
    mine: Iterable[Indicator] = (i for i in book.indicators.values() if i.pack == draft.id)
    made = tuple(d for d in book.detectors.values() if d.pack == draft.id)
    return Pack(draft.id, draft.fields.title("title", Text(draft.id)), tuple(mine), made, tuple(one.rule for one in ruled),
                gates(book, draft))


def _merged(book: Book) -> dict[str, Site]:
    """A site that several packs name is one site: what the first leaves empty, the next may fill."""
    sites: dict[str, Site] = {}
    for draft in book.drafts.values():
        for id, site in draft.sites.by.items():
            old = sites.get(id)
            clash = [t for t, a in site.areas.items() if old and old.areas.get(t, a) != a]
            if clash and old:
                draft.faults.add(draft.sites.places[id], f"site {id!r} is in {clash[0]} area {site.areas[clash[0]]!r} here "
                                 f"and in {old.areas[clash[0]]!r} in another pack")
            sites[id] = site if old is None else Site(
                id, old.title if old.title.zh != id else site.title, site.lat if old.lat is None else old.lat,
                site.lon if old.lon is None else old.lon, old.agency or site.agency, {**site.areas, **old.areas},
                *((old.downstream, old.travel) if old.downstream else (site.downstream, site.travel)))
    return sites


def _whole(packs: tuple[Pack, ...], sites: dict[str, Site], trees: dict[str, dict[str, Area]], calls: Calls,
           calendar: Calendar) -> City:
    areas = tuple(area for tree in trees.values() for area in tree.values())
    return City(packs, sites, areas, calls.ladders, calls.routes, calls.posts, calls.feeds, GRAMMAR,
                calls.channels, calls.fold, calls.duty, calls.outward, calendar)


def _checked(city: City, gathered: list[Faults]) -> Checked:
    return Checked(city, tuple(sorted({f for part in gathered for f in part.items})),
                   tuple(sorted({h for part in gathered for h in part.hints})))
