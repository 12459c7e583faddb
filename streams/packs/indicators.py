"""`indicators:` of a pack, and `use:` of those that other packs own."""
from __future__ import annotations

from math import inf

from detectors.pack import Indicator, Text, Use
from detectors.registry import load
from streams.packs.book import NAME, Book, Draft, identifier
from streams.packs.fields import Fields, duration
from streams.packs.grammar import INDICATOR, REVISIONS
from streams.packs.nodes import Node
from streams.packs.params import names, read_use
from streams.packs.published import complete, merged
from streams.packs.units import known

KEYS = INDICATOR.names
MONTH = 31 * 86400.0
YEAR = 365 * 86400.0
PERIODS = 12
"""Periods that `revisions: rejudge` keeps when it does not say how many."""


def own(book: Book) -> None:
    """Who owns each indicator; a name with two owners is a fault. Then what each pack uses of others."""
    for draft in book.drafts.values():
        for block in ("indicators", "derive"):
            node = draft.fields.get(block)
            for name in node.fields if node else ():
                place = node.keys[name] if node else draft.fields.place
                identifier(name, place, "indicator", NAME, draft.faults)
                owner = book.owners.setdefault(name, draft.id)
                if owner != draft.id:
                    draft.faults.add(place, f"indicator {name!r} belongs to pack {owner}; write use: [{owner}/{name}]")
    for draft in book.drafts.values():
        _uses(book, draft)


def _uses(book: Book, draft: Draft) -> None:
    for node in draft.fields.items("use"):
        pack, _, name = node.text.partition("/")
        if book.owners.get(name) == pack and pack != draft.id:
            draft.uses[name] = pack
        else:
            others = [f"{p}/{i}" for i, p in book.owners.items() if p != draft.id]
            draft.faults.unknown(node.place, "indicator", node.text, others)


def measured(book: Book) -> None:
    """Every measured indicator, at the sites that have it."""
    at = _sites(book)
    for draft in book.drafts.values():
        derived = draft.fields.sub("derive").node.fields
        for name, node in draft.fields.each("indicators"):
            if name not in derived and book.owners[name] == draft.id:
                book.indicators[name] = read_indicator(book, draft, name, node, tuple(at.get(name, ())))


def read_indicator(book: Book, draft: Draft, name: str, node: Node | None, sites: tuple[str, ...],
                   like: Indicator | None = None) -> Indicator:
    """One indicator. What a derived one does not say itself it has from `like`."""
    fields = Fields(node, draft.faults, f"indicator {name}", KEYS, None if like else draft.defaults("indicator", KEYS))
    base = like or Indicator(name, draft.id, Text(name), "", sites)
    monthly = fields.choice("period", ["month"], base.period)
    unit = _unit(fields, base.unit, must=like is None)
    due = fields.duration("due", base.due)
    if like is None and "silent" not in fields and not (monthly and due):
        draft.faults.hint(fields.place, f"indicator {name}: no silent; a dead source will never be noticed (or write never)")
    every = fields.duration("every", MONTH if monthly and not like else base.every)
    if every <= 0:
        draft.faults.add(fields.at("every"), "every: must be longer than 0")
    lateness, rejudge = fields.duration("lateness", base.lateness), _rejudge(fields, base.rejudge)
    return Indicator(
        name, draft.id, fields.title("title", base.title), unit, sites,
        every=every, silent=_silent(fields, base.silent, due if monthly else 0.0), lateness=lateness,
        oldest=fields.duration("oldest", base.oldest, {"never": inf}),
        period=monthly, due=due, merge=merged(fields, monthly, base.merge), rejudge=rejudge,
        decimals=fields.count("decimals", base.decimals), checks=_checks(book, draft, name, fields, unit, sites),
        complete=complete(fields, every, max(lateness, rejudge * MONTH)),
        keep=_keep(fields), wall=fields.flag("wall"))


def _silent(fields: Fields, default: float, due: float) -> float:
    """Seconds without contact. Of a published figure with `due`, which says itself when it is overdue, a month more at most."""
    said = fields.duration("silent", default, {"never": inf})
    return MONTH + due if due and said == inf else said


def _sites(book: Book) -> dict[str, list[str]]:
    """Indicator -> sites. A site that names none has all measured ones of its pack; it may name one that its pack uses."""
    at: dict[str, dict[str, None]] = {}
    for draft in book.drafts.values():
        derived = draft.fields.sub("derive").node.fields
        mine = [i for i, _ in draft.fields.each("indicators") if i not in derived and book.owners.get(i) == draft.id]
        for site, named in draft.sites.named.items():
            for name in named or mine:
                if name in derived:
                    draft.faults.add(draft.sites.places[site], f"{name} is derived; name what it is made of")
                elif name not in [*mine, *draft.uses]:
                    draft.faults.unknown(draft.sites.places[site], "indicator", name, [*mine, *draft.uses])
                else:
                    at.setdefault(name, {})[site] = None
    return {name: list(sites) for name, sites in at.items()}


def _unit(fields: Fields, default: str, must: bool) -> str:
    node = fields.need("unit") if must else fields.get("unit")
    if node is None:
        return default
    unit = "" if node.text in ("", "1") else fields.word("unit", default)
    if not known(unit):
        fields.faults.add(node.place, f"unit: unknown unit {unit!r}; write m, m3/s, mm, %, µg/m3, mg/L, ℃, or a word in Chinese")
        return default
    return unit


def _rejudge(fields: Fields, default: int) -> int:
    node = fields.get("revisions")
    if node is None:
        return default
    if isinstance(node.value, dict):
        return Fields(node, fields.faults, "revisions", REVISIONS.names).count("rejudge", default)
    word, _, count = node.text.partition(" ")
    if word not in ("rejudge", "ignore") or (count and not (word == "rejudge" and count.strip().isdecimal())):
        fields.faults.add(node.place, f"revisions: {node.text!r}; allowed: rejudge, rejudge 12, ignore")
        return default
    return int(count or PERIODS) if word == "rejudge" else 0


def _keep(fields: Fields) -> dict[str, float]:
    """Retention by bucket. Here a year is 365 days: it is a bound, not a measure."""
    keep = fields.sub("keep")
    for bucket in keep.node.fields:
        if bucket != "raw":
            duration(Node(keep.at(bucket), bucket, bucket), fields.faults, "keep", 0.0, {})
    return {bucket: _retention(keep, bucket) for bucket in keep.node.fields}


def _retention(keep: Fields, bucket: str) -> float:
    node = keep.get(bucket)
    years = node.text.removesuffix("y").strip() if node and node.text.endswith("y") else ""
    if years.isdecimal():
        return int(years) * YEAR
    return keep.duration(bucket, inf, {"ever": inf})


def _checks(book: Book, draft: Draft, name: str, fields: Fields, unit: str, sites: tuple[str, ...]) -> tuple[Use, ...]:
    """`- range: {fail: [0, 60]}` or, where nothing has to be said, `- missing`."""
    found, known_checks = [], load("checks")
    for node in fields.items("checks"):
        entry = node if isinstance(node.value, dict) else Node(node.place, {node.text: Node(node.place, {})})
        if len(entry.fields) != 1:
            draft.faults.add(node.place, f"a check is one word, or one word and its parameters; got {len(entry.fields)} words")
            continue
        (check, given), = entry.fields.items()
        if check not in known_checks:
            draft.faults.unknown(entry.keys.get(check, node.place), "check", check, known_checks)
            continue
        kind = known_checks[check]
        params = Fields(given if given.value is not None else None, draft.faults, f"check {check}", names(kind))
        params.place = given.place
        found.append(read_use(params, check, kind, unit, book.columns(draft, sites)))
        draft.checks.setdefault(name, []).append(node.place)
    return tuple(found)
