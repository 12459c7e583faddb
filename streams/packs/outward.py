"""What the desk says outside: `city/messages.yaml`, `publish.yaml`, `mutes.yaml`, `units.yaml`, each only if it is there.

Every text of messages.yaml is rendered against samples here, so that a wrong name shows in `wanglou check`, not in the night.
"""
from __future__ import annotations

import re
from collections.abc import Mapping

from detectors.level import LEVELS
from detectors.pack import Hazard, Outward, Text, Unit, Wording
from streams.desk.channels import names as channel_names
from streams.desk.channels._secrets import PREFIX, only_names
from streams.desk.publish.values import CATEGORIES, METHODS, ring
from streams.packs.book import ID, identifier
from streams.packs.citygrammar import HAZARD, MESSAGE, MUTES, PUBLISH, UNIT
from streams.packs.faults import Faults
from streams.packs.fields import Fields
from streams.packs.nodes import Node

FILES = ("messages", "publish", "mutes", "units")
COLOURS = tuple(word for word, level in LEVELS.items() if level)
"""Blue to red."""
SENDER = re.compile(r"[^\s,<&]+@[^\s,<&]+")


def read_outward(roots: Mapping[str, Node | None], packs: list[str], areas: list[str], faults: Faults) -> Outward:
    """All four files over what holds without them."""
    plain = Outward()
    published = _publish(roots["publish"], packs, areas, faults)
    mutes = Fields(roots["mutes"], faults, "mutes", MUTES.names)
    longest = _by_level(mutes, "longest", plain.mutes)
    if longest[3] > 3600:
        faults.add(mutes.at("longest"), "longest: red is muted for 1h at most")
    return Outward(_wordings(roots["messages"], packs, faults), *published, longest, mutes.duration("windows", plain.windows),
                   mutes.duration("ahead", plain.ahead), _units(roots["units"], faults))


def _by_level(fields: Fields, key: str, plain: tuple[float, ...]) -> tuple[float, ...]:
    given = fields.sub(key, COLOURS)
    return tuple(given.duration(word, seconds) for word, seconds in zip(COLOURS, plain, strict=True))


def _list(root: Node | None, faults: Faults) -> list[Node]:
    if root is not None and not isinstance(root.value, list):
        faults.add(root.place, f"expected a list, got {root.got}")
    return root.items if root else []


def _wordings(root: Node | None, packs: list[str], faults: Faults) -> tuple[Wording, ...]:
    from streams.desk.messages.checked import USES, fault  # Jinja, where there is something to render

    out = []
    for node in _list(root, faults):
        fields = Fields(node, faults, "message", MESSAGE.names)
        fields.need("for")
        wording = Wording(fields.choice("for", USES), Text(fields.word("zh", must=True), fields.word("en")),
                          tuple(int(LEVELS[word]) for word in fields.words("levels", "level", COLOURS)),
                          fields.words("packs", "pack", packs), fields.words("roles", "role", ("duty", "leader")),
                          fields.words("channels", "channel", channel_names()))
        if not wording.use:
            continue
        wrong, hint = fault(wording)
        if wrong:
            faults.add(fields.at(wrong[:2]), f"message for {wording.use}: {wrong}")
        if hint:
            faults.hint(fields.at(hint[:2]), f"message for {wording.use}: {hint}")
        out.append(wording)
    return tuple(out)


def _publish(root: Node | None, packs: list[str], areas: list[str], faults: Faults
             ) -> tuple[str, str, Text, tuple[float, ...], tuple[str, ...], tuple[Hazard, ...], dict[str, str], dict[str, str]]:
    plain = Outward()
    fields = Fields(root, faults, "publish", PUBLISH.names)
    sender, code = fields.word("sender", plain.sender), fields.word("code")
    if not SENDER.fullmatch(sender):
        faults.add(fields.at("sender"), f"sender: name@domain without blanks, commas, < and &; got {sender!r}")
    if code and not re.fullmatch(r"\d{14}", code):
        faults.add(fields.at("code"), f"code: 14 digits (region 6, industry 3, unit 5), got {code!r}")
    hazards = tuple(_hazard(node, packs, faults) for node in fields.items("hazards"))
    codes, shapes = fields.sub("geocodes", areas), fields.sub("polygons", areas)
    geocodes = {area: codes.word(area) for area in codes.node.fields}
    for area, word in geocodes.items():
        if not re.fullmatch(r"\d{6}(\d{6})?", word):
            faults.add(codes.at(area), f"geocode of {area}: 6 or 12 digits (GB/T 2260), got {word!r}")
    polygons = {area: shapes.word(area) for area in shapes.node.fields}
    for area, word in polygons.items():
        if ring(word):
            faults.add(shapes.at(area), f"polygon of {area}: {ring(word)}")
    return (sender, code, fields.title("name", plain.name), _by_level(fields, "valid", plain.valid),
            fields.words("methods", "method", METHODS) or plain.methods, hazards, geocodes, polygons)


def _hazard(node: Node, packs: list[str], faults: Faults) -> Hazard:
    fields = Fields(node, faults, "hazard", HAZARD.names)
    for key in ("packs", "event"):
        fields.need(key)
    code = fields.word("code")
    if code and not re.fullmatch(r"\d{2}[A-Z]\d{2}", code):
        faults.add(fields.at("code"), f"code: as 11B03 (national classification of emergencies), got {code!r}")
    return Hazard(fields.words("packs", "pack", packs), fields.title("event"), fields.choice("category", CATEGORIES, "Other"),
                  code)


def _units(root: Node | None, faults: Faults) -> tuple[Unit, ...]:
    out: dict[str, Unit] = {}
    for node in _list(root, faults):
        fields = Fields(node, faults, "unit", UNIT.names)
        id_, url, secret = fields.word("id", must=True), fields.word("url", must=True), fields.word("secret", must=True)
        identifier(id_, fields.at("id"), "unit", ID, faults)
        if url and not url.startswith(("http://", "https://", "$" + PREFIX)):
            faults.add(fields.at("url"), "url: begins with http:// or https://")
        if secret and not only_names(secret):
            faults.add(fields.at("secret"), f"secret: stands in the environment; write its name, ${PREFIX}…")
        if id_ in out:
            faults.add(fields.at("id"), f"duplicate id {id_!r}")
        out[id_] = Unit(id_, fields.title("title", Text(id_)), url, secret)
    return tuple(out.values())
