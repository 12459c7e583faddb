"""A public warning before it has a form: the words and facts of one Alert, Update or Cancel. Pure; times are µs UTC."""

from __future__ import annotations

from dataclasses import dataclass, field

from detectors.pack import City, Hazard, Outward, Text
from streams.desk.calling import routes
from streams.desk.messages.wording import chosen, facts, filled
from streams.desk.names import Names
from streams.desk.publish.values import certainty, urgency
from streams.desk.tables import Alert
from streams.desk.words import ROMAN, say


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier message of the chain."""

    sender: str
    identifier: str
    sent: int


@dataclass(frozen=True, slots=True)
class Words:
    """What people read, in one language."""

    issuer: str
    event: str
    headline: str
    description: str
    instruction: str
    area: str


@dataclass(frozen=True, slots=True)
class Bulletin:
    """All that both forms are written from. `kind`: Alert, Update, Cancel; `scope`: real, exercise."""

    identifier: str
    kind: str
    sent: int
    onset: int
    expires: int
    level: int
    scope: str
    zh: Words
    en: Words
    sender: str
    category: str = "Other"
    code: str = ""  # of the event, national classification
    urgency: str = "Unknown"
    certainty: str = "Unknown"
    references: tuple[Reference, ...] = ()
    polygons: tuple[str, ...] = ()
    circle: str = ""  # `lat,lon km`
    geocodes: tuple[str, ...] = ()
    unit: str = ""  # 14 digits of the national system
    signer: str = ""  # the post that approved
    note: str = ""  # why it is cancelled
    methods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person may still change before it is submitted."""

    kind: str
    level: int
    zh: Words
    en: Words
    valid: float  # seconds
    note: str = ""
    circle: str = ""
    polygons: tuple[str, ...] = ()
    geocodes: tuple[str, ...] = field(default=())


def hazard(outward: Outward, pack: str) -> Hazard:
    """What a pack's warnings are called outside."""
    found = next((h for h in outward.hazards if pack in h.packs), None)
    return found or Hazard((pack,), Text(""))


def draft(alert: Alert, names: Names, kind: str) -> Draft:
    """The words that are offered: the installation's templates, else ours."""
    level = alert.level or alert.shown
    circle, polygons, geocodes = area_of(names.city, alert)
    outward = names.city.outward
    return Draft(
        kind,
        level,
        words(alert, names, kind, level, "zh"),
        words(alert, names, kind, level, "en"),
        outward.valid[max(level, 1) - 1],
        "",
        circle,
        polygons,
        geocodes,
    )


def words(alert: Alert, names: Names, kind: str, level: int, lang: str) -> Words:
    """Headline, description and instruction in a language."""
    outward = names.city.outward
    found = hazard(outward, alert.pack).event
    event = (found.en if lang == "en" else "") or found.zh or names.pack(alert.pack, lang)
    issuer = (outward.name.en if lang == "en" else "") or outward.name.zh
    known = facts(alert, names, lang)
    known |= {
        "issuer": issuer,
        "event": event,
        "level": say(f"level.{level}", lang),
        "roman": ROMAN[level],
        "kind": kind,
        "act": say(f"pub.act_{kind.lower()}", lang),
        "place": names.place(alert.site, alert.area, lang),
    }
    known["now"] = say("pub.value", lang, **known) if known["value"] else ""
    known["ahead"] = say("pub.ahead", lang, **known) if known["forecast"] else ""
    said = {}
    for use in ("headline", "description", "instruction"):
        own = filled(
            chosen(outward.wordings, use, level, alert.pack), {k: known[k] for k in known if k not in ("now", "ahead")}, lang
        )
        ours = f"pub.{use}_cancel" if kind == "Cancel" and use != "headline" else f"pub.{use}"
        said[use] = say(ours, lang, **known) if kind == "Cancel" and use != "headline" else own or say(ours, lang, **known)
    return Words(issuer, event, said["headline"], said["description"], said["instruction"], known["place"] or issuer)


def area_of(city: City, alert: Alert) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """`(circle, polygons, geocodes)` as far as the plan knows them.

    A site is a point (radius 0); shapes and codes are those of the nearest area upwards that has one.
    """
    outward, site = city.outward, city.sites.get(alert.site)
    circle = f"{site.lat:g},{site.lon:g} 0" if site and site.lat is not None and site.lon is not None else ""
    areas = sorted((a for a in routes.areas_of(city, alert.site, alert.area) if ":" not in a), key=lambda a: _depth(city, a))
    polygon = next((outward.polygons[a] for a in areas if a in outward.polygons), "") if not circle else ""
    code = next((outward.geocodes[a] for a in areas if a in outward.geocodes), "")
    return circle, (polygon,) if polygon else (), (code,) if code else ()


def _depth(city: City, area: str) -> tuple[int, str]:
    """The deepest first."""
    parents, depth, at = {a.id: a.parent for a in city.areas}, 0, area
    while parents.get(at) and depth < 20:
        at, depth = parents[at], depth + 1
    return -depth, area


def bulletin(
    alert: Alert, d: Draft, names: Names, identifier: str, sent: int, references: tuple[Reference, ...], signer: str
) -> Bulletin:
    """A draft with its time, its number and its chain."""
    outward, found = names.city.outward, hazard(names.city.outward, alert.pack)
    ahead = bool(alert.forecast) and alert.level < d.level
    foreseen = ahead or (
        bool(alert.forecast) and alert.value is not None and alert.bound is not None and alert.value < alert.bound
    )
    expires = sent + round(d.valid * 1e6)
    return Bulletin(
        identifier,
        d.kind,
        sent,
        min(alert.onset, sent),
        expires,
        d.level,
        alert.scope,
        d.zh,
        d.en,
        outward.sender,
        found.category,
        found.code,
        urgency(d.level, foreseen, d.kind == "Cancel"),
        certainty(alert.confidence == "good", foreseen),
        references,
        d.polygons,
        d.circle,
        d.geocodes,
        outward.code,
        signer,
        d.note,
        outward.methods,
    )
