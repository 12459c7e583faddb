"""A public warning in the form of the national early-warning release system (国家突发事件预警信息发布系统). Pure.

It looks like CAP and is none: its own namespace, times with a blank, colours as severity, circles in metres, and `references`
names the first message of the chain alone (GB/T 34283-2017, GB/T 35965.1-2018, QX/T 433-2018; fields as read from two
independent implementations of its interface, so a city compares it with its own access agreement before the first real use).
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from detectors.level import Level
from streams.desk.local import local
from streams.desk.publish.bulletin import Bulletin
from streams.desk.publish.values import COLOUR, METHODS

NAMESPACE = "http://com.icss.amp"
NAME = re.compile(r"\d{14}_\d{14}")
EVENT = re.compile(r"\d{2}[A-Z]\d{2}")


def identifier(unit: str, sent: int) -> str:
    """Fourteen digits of the unit and the time of the city: `33070041600000_20260624021720`."""
    return f"{unit}_{local(sent):%Y%m%d%H%M%S}"


def lacking(unit: str, code: str) -> str:
    """Key of the reason why this form cannot be written; "" when it can."""
    return "pub.no_unit" if not unit else "" if EVENT.fullmatch(code) else "pub.no_code"


def document(b: Bulletin) -> bytes:
    """The message. ValueError without the unit's code or the event's (`lacking`)."""
    if lacking(b.unit, b.code):
        raise ValueError(lacking(b.unit, b.code))
    root = ET.Element("alert", {"xmlns": NAMESPACE})
    first = identifier(b.unit, b.references[0].sent) if b.references else ""
    for name, text in (
        ("identifier", identifier(b.unit, b.sent)),
        ("sender", b.zh.issuer),
        ("senderCode", b.unit),
        ("sendTime", stamp(b.sent)),
        ("status", "Test" if b.scope == "exercise" else "Actual"),
        ("msgType", b.kind),
        ("scope", "Public"),
        ("secClassification", "None"),
        ("note", b.note),
        ("references", first),
    ):
        _put(root, name, text)
    code = ET.SubElement(root, "code")
    for method in b.methods:
        made = ET.SubElement(code, "method")
        _put(made, "methodName", method)
        _put(made, "message", b.zh.description)
    _info(root, b)
    ET.indent(root)
    out: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return out


def _info(root: ET.Element, b: Bulletin) -> None:
    info = ET.SubElement(root, "info")
    for name, text in (
        ("language", "zh-CN"),
        ("eventType", b.code),
        ("urgency", b.urgency),
        ("severity", COLOUR[Level(b.level)]),
        ("certainty", b.certainty),
        ("effective", stamp(b.sent)),
        ("onset", stamp(b.onset)),
        ("expires", stamp(b.expires)),
        ("senderName", b.signer),
        ("headline", b.zh.headline),
        ("description", b.zh.description),
        ("instruction", b.zh.instruction),
    ):
        _put(info, name, text)
    area = ET.SubElement(info, "area")
    _put(area, "areaDesc", b.zh.area)
    for polygon in b.polygons:
        _put(area, "polygon", polygon)
    if b.circle:
        place, _, km = b.circle.partition(" ")
        _put(area, "circle", f"{place} {float(km) * 1000:g}")
    if b.geocodes:
        _put(area, "geocode", ",".join(b.geocodes))


def _put(parent: ET.Element, name: str, text: str) -> None:
    if text:
        ET.SubElement(parent, name).text = "".join(c for c in text if c >= " " or c in "\t\n")


def stamp(t: int) -> str:
    """`2026-06-24 02:17:20+08:00`."""
    return local(t).replace(microsecond=0).isoformat(" ")


def filename(b: Bulletin) -> str:
    """`33070041600000_20260624021720_11A01_ORANGE_ALERT.XML`."""
    return f"{identifier(b.unit, b.sent)}_{b.code}_{COLOUR[Level(b.level)].upper()}_{b.kind.upper()}.XML"


def faults(document: bytes) -> list[str]:
    """What is wrong with a document of this form, as far as its rules are known."""
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        return ["a DTD is not taken"]
    try:
        root = ET.fromstring(document)
    except ET.ParseError as error:
        return [f"not XML: {error}"]
    got = {path: root.findtext("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))) or "" for path in RULES}
    return [f"{path}: {got[path]!r}" for path, rule in RULES.items() if not re.fullmatch(rule, got[path], re.S)] + (
        ["references: an Update or Cancel names the first message"] if got["msgType"] != "Alert" and not got["references"] else []
    )


_TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+08:00"
RULES = {
    "identifier": NAME.pattern,
    "sender": ".+",
    "senderCode": r"\d{14}",
    "sendTime": _TIME,
    "status": "Actual|Test",
    "msgType": "Alert|Update|Cancel",
    "scope": "Public",
    "references": rf"({NAME.pattern})?",
    "code/method/methodName": "|".join(METHODS),
    "info/eventType": EVENT.pattern,
    "info/severity": "Red|Orange|Yellow|Blue|Unknown",
    "info/effective": _TIME,
    "info/expires": _TIME,
    "info/senderName": ".+",
    "info/headline": ".+",
    "info/description": ".+",
    "info/area/areaDesc": ".+",
}
"""Path -> what its text must be."""
