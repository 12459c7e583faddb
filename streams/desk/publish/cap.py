"""A public warning as CAP 1.2 (OASIS Common Alerting Protocol 1.2, 2010-07-01). Pure.

Times carry the city's offset (`+08:00`): the schema refuses `Z` and fractions. What the schema does not see (a circle without
its radius, an open polygon, blanks in an identifier, an Update without references) is looked for in cap_check.py.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from detectors.level import Level
from streams.desk.local import local
from streams.desk.publish.bulletin import Bulletin, Reference, Words
from streams.desk.publish.values import COLOUR, SEVERITY

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"


def document(b: Bulletin) -> bytes:
    """The message, with an `info` in Chinese and one in English."""
    root = ET.Element("alert", {"xmlns": NAMESPACE})
    for name, text in (
        ("identifier", b.identifier),
        ("sender", b.sender),
        ("sent", stamp(b.sent)),
        ("status", "Exercise" if b.scope == "exercise" else "Actual"),
        ("msgType", b.kind),
        ("source", b.zh.issuer),
        ("scope", "Public"),
        ("note", b.note),
        ("references", " ".join(map(reference, b.references))),
    ):
        _put(root, name, text)
    _info(root, b, b.zh, "zh-CN")
    _info(root, b, b.en, "en-US")
    ET.indent(root)
    out: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return out


def _info(root: ET.Element, b: Bulletin, words: Words, lang: str) -> None:
    info = ET.SubElement(root, "info")
    for name, text in (
        ("language", lang),
        ("category", b.category),
        ("event", words.event),
        ("responseType", "AllClear" if b.kind == "Cancel" else ""),
        ("urgency", b.urgency),
        ("severity", SEVERITY[Level(b.level)]),
        ("certainty", b.certainty),
    ):
        _put(info, name, text)
    if b.code:
        _pair(info, "eventCode", "CN-EventType", b.code)
    for name, text in (
        ("effective", stamp(b.sent)),
        ("onset", stamp(b.onset)),
        ("expires", stamp(b.expires)),
        ("senderName", words.issuer),
        ("headline", words.headline),
        ("description", words.description),
        ("instruction", words.instruction),
    ):
        _put(info, name, text)
    _pair(info, "parameter", "CN-Colour", COLOUR[Level(b.level)])
    area = ET.SubElement(info, "area")
    _put(area, "areaDesc", words.area)
    for polygon in b.polygons:
        _put(area, "polygon", polygon)
    _put(area, "circle", b.circle)
    for code in b.geocodes:
        _pair(area, "geocode", "GB/T 2260", code)


def _put(parent: ET.Element, name: str, text: str) -> None:
    """An element, unless there is nothing to say; control characters, which XML cannot hold, are left out."""
    if text:
        ET.SubElement(parent, name).text = "".join(c for c in text if c >= " " or c in "\t\n")


def _pair(parent: ET.Element, name: str, key: str, value: str) -> None:
    made = ET.SubElement(parent, name)
    _put(made, "valueName", key)
    _put(made, "value", value)


def reference(r: Reference) -> str:
    """`sender,identifier,sent`."""
    return f"{r.sender},{r.identifier},{stamp(r.sent)}"


def stamp(t: int) -> str:
    """`2026-06-24T02:17:20+08:00`; no fractions.

    >>> stamp(1_782_238_640_500_000)
    '2026-06-24T02:17:20+08:00'
    """
    return local(t).replace(microsecond=0).isoformat()
