"""What the city watches, as its pages show it: all packs, one pack with its text, limits and versions."""
from __future__ import annotations

from itertools import islice
from math import isnan
from typing import Any

from sqlalchemy.orm import Session

from detectors.level import LEVELS, Level
from detectors.pack import SELF, Detector, Pack, Rule
from streams.desk.catalogue.tally import Tally, tallies
from streams.desk.catalogue.versions import Versions, resolved
from streams.desk.local import moment, span
from streams.desk.names import number, said
from streams.desk.pages.view import View
from streams.desk.words import algorithm, level, say
from streams.skill import Proof

SITES = 200
"""Rows of a limit table; more are found by their name."""


def listed(s: Session, v: View, versions: Versions) -> dict[str, Any]:
    """Everything that detectors.html shows."""
    done, proofs = tallies(s, v.now), versions.proofs(v.names.city)
    packs = [p for p in v.names.city.packs if p.id != SELF]
    return {"packs": [_head(p, v) | {"entries": _entries(p, done, proofs, v)} for p in packs]}


def one(s: Session, v: View, versions: Versions, pack: str, asked: str, old: str) -> dict[str, Any] | None:
    """Everything that detector_pack.html shows of a pack; None where there is none. `asked`: part of a site's name."""
    found = v.names.packs.get(pack)
    if found is None:
        return None
    made = versions.newest()
    texts = versions.texts(pack, [x.hash for x in made])
    written = texts.get(v.names.hash, "")
    text = written or resolved(pack, v.names.city)
    known = old if old in {x.hash for x in made} else ""
    return _head(found, v) | {
        "entries": _entries(found, tallies(s, v.now), versions.proofs(v.names.city), v),
        "text": text.splitlines(), "written": bool(written),
        "limits": [_limits(d, v, asked) for d in found.detectors], "asked": asked, "hash": v.names.hash,
        "versions": [{"hash": x.hash, "by": x.by, "at": moment(x.at, v.now, v.lang), "now": x.hash == v.names.hash}
                     for x in made],
        "diff": [(_mark(line), line) for line in versions.diff(pack, known, v.names.hash)] if known else [], "old": known,
        "fault": versions.fault}


def _head(pack: Pack, v: View) -> dict[str, Any]:
    sites = {site for i in pack.indicators for site in i.sites}
    return {"id": pack.id, "title": said(pack.title, v.lang), "sites": len(sites),
            "series": sum(len(i.sites) for i in pack.indicators)}


def _entries(pack: Pack, done: dict[str, Tally], proofs: dict[str, list[Proof]], v: View) -> list[dict[str, Any]]:
    every: list[Detector | Rule] = [*pack.detectors, *pack.rules]
    return [_entry(e, done.get(e.path, Tally()), v) | {"proofs": [_proof(p, v) for p in proofs.get(e.path, [])]} for e in every]


def _proof(p: Proof, v: View) -> tuple[str, str, str]:
    """A level, what a backtest of it showed, and when that was measured."""
    pod, far, lead = (p.figures.get(name) for name in ("pod", "far", "lead_median_s"))
    shares = ["—" if x is None else f"{100 * x:.0f} %" for x in (pod, far)]
    ahead = "" if lead is None else say("rules.lead", v.lang, span=span(round(lead * 1e6), v.lang))
    shown = say("rules.proved", v.lang, pod=shares[0], far=shares[1]) + ahead
    return level(LEVELS[p.level], v.lang), shown, moment(p.at, v.now, v.lang)


def _entry(e: Detector | Rule, done: Tally, v: View) -> dict[str, Any]:
    if isinstance(e, Detector):
        kind, folder, levels = e.use.kind, "kinds", {limit.level for limit in e.limits}
        at = e.sites or (v.names.indicators[e.indicator].sites if e.indicator in v.names.indicators else ())
        where, what = say("rules.n_sites", v.lang, n=len(at)), v.names.indicator(e.indicator, v.lang)
    else:
        kind, folder, levels, what = e.term.kind, "rules", {n for n, _ in e.levels} or {e.level}, ""
        where = say("rules.each_site", v.lang) if e.by_site else f"{e.tree} / {e.depth}" if e.tree else say("rules.city", v.lang)
    share = done.precision
    return {
        "id": e.id, "title": said(e.title, v.lang), "what": what, "kind": kind, "folder": folder,
        "called": algorithm(folder, kind, v.lang), "where": where,
        "why": said(e.why, v.lang), "source": e.source, "line": e.line, "scope": e.scope, "lead": e.report is not None,
        "levels": [(Level(n).word, level(n, v.lang)) for n in sorted(levels, reverse=True) if n],
        "done": done, "share": "" if share is None else f"{100 * share:.0f} %", "last": moment(done.last, v.now, v.lang)}


def _limits(d: Detector, v: View, asked: str) -> dict[str, Any]:
    """A row a site: where each level begins, and where it ends."""
    sites = d.sites or (v.names.indicators[d.indicator].sites if d.indicator in v.names.indicators else ())
    chosen = [x for x in sites if not asked or asked.lower() in f"{x} {v.names.place(x, '', v.lang)}".lower()]
    heads = [(Level(x.level).word, level(x.level, v.lang), say("dir.high" if x.above else "dir.low", v.lang)) for x in d.limits]
    alike = not any(isinstance(n, dict) for x in d.limits for n in (x.at, x.clear))
    shown = chosen[:1] if alike and not asked else list(islice(chosen, SITES))
    unit = v.names.unit(d.indicator) if v.names.score_unit(d.path) == "value" else ""
    return {"id": d.id, "title": said(d.title, v.lang), "heads": heads, "unit": unit, "alike": alike and not asked,
            "n": len(sites), "more": len(chosen) - len(shown) if not alike or asked else 0,
            "rows": [(site, v.names.place(site, "", v.lang), [_cell(d, x, site, v) for x in d.limits]) for site in shown],
            "indicator": d.indicator}


def _cell(d: Detector, limit: Any, site: str, v: View) -> tuple[str, str]:
    """(where it begins, where it ends if that is elsewhere); "" = off."""
    at = number(limit.at, site)
    clear = number(limit.clear, site) if limit.clear is not None else at
    if isnan(at):
        return "", ""
    begins, ends = (v.names.figure(d.path, d.indicator, x) for x in (at, clear))
    return begins, "" if isnan(clear) or clear == at else ends


def _mark(line: str) -> str:
    return {"+": "ins", "-": "del", "@": "at"}.get(line[:1], "")
