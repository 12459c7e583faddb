"""Whether a document is a CAP 1.2 message: the schema's rules as tables, and what the schema cannot see. Pure.

Source: OASIS CAP 1.2 (2010-07-01), section 3.2 and appendix A. A document with a DTD is refused unread (entities).
"""
from __future__ import annotations

import re
from collections import Counter
from xml.etree import ElementTree as ET

from streams.clock import micros
from streams.desk.publish.cap import NAMESPACE
from streams.desk.publish.values import (
    CATEGORIES,
    CERTAINTIES,
    KINDS,
    RESPONSES,
    SCOPES,
    SEVERITIES,
    STATUSES,
    URGENCIES,
    point,
    ring,
)

ORDER = {
    "alert": "identifier! sender! sent! status! msgType! source? scope! restriction? addresses? code* note? references? "
             "incidents? info* Signature*",
    "info": "language? category+ event! responseType* urgency! severity! certainty! audience? eventCode* effective? onset? "
            "expires? senderName? headline? description? instruction? web? contact? parameter* resource* area*",
    "resource": "resourceDesc! mimeType! size? uri? derefUri? digest?",
    "area": "areaDesc! polygon* circle* geocode* altitude? ceiling?",
    "eventCode": "valueName! value!", "parameter": "valueName! value!", "geocode": "valueName! value!",
}
"""Children of each element in their order: ! one, ? none or one, + one or more, * any number."""
WORDS = {"status": STATUSES, "msgType": KINDS, "scope": SCOPES, "category": CATEGORIES, "responseType": RESPONSES,
         "urgency": URGENCIES, "severity": SEVERITIES, "certainty": CERTAINTIES}
TIMES = ("sent", "effective", "onset", "expires")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
NAME = re.compile(r"[^\s,<&]+")
REFERENCE = re.compile(r"[^\s,<&]+,[^\s,<&]+," + TIME.pattern)
LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")


def faults(document: bytes) -> list[str]:
    """What is wrong with a document; none = it is a CAP 1.2 message."""
    if b"<!DOCTYPE" in document or b"<!ENTITY" in document:
        return ["a DTD is not taken"]
    try:
        root = ET.fromstring(document)
    except ET.ParseError as error:
        return [f"not XML: {error}"]
    if root.tag != f"{{{NAMESPACE}}}alert":
        return [f"the root is {root.tag}, not alert of {NAMESPACE}"]
    found: list[str] = []
    _element(root, "alert", "alert", found)
    if not found:
        _chain(root, found)
        for info in root.iter(_tag("info")):
            _times(root, info, found)
    return found


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _element(element: ET.Element, name: str, path: str, found: list[str]) -> None:
    """Children by their order and number, and each by its own rules."""
    rules = [(rule[:-1], rule[-1]) for rule in ORDER[name].split()]
    names, counts = [child.tag.rpartition("}")[2] for child in element], Counter[str]()
    places = {rule: n for n, (rule, _) in enumerate(rules)}
    last = 0
    for child, word in zip(element, names, strict=True):
        at = f"{path}/{word}"
        if word not in places or (child.tag != _tag(word) and word != "Signature"):
            found.append(f"{at}: not an element of {name}")
            continue
        if places[word] < last:
            found.append(f"{at}: comes too late; the order of {name} is fixed")
        last, counts[word] = max(last, places[word]), counts[word] + 1
        if word in ORDER:
            _element(child, word, at, found)
        elif word != "Signature":
            _text(word, (child.text or "").strip(), at, found)
    for rule, times in rules:
        if times in "!+" and not counts[rule]:
            found.append(f"{path}: {rule} is missing")
        if times in "!?" and counts[rule] > 1:
            found.append(f"{path}: {rule} more than once")


def _text(name: str, text: str, at: str, found: list[str]) -> None:
    if name in WORDS and text not in WORDS[name]:
        found.append(f"{at}: {text!r} is none of {' '.join(WORDS[name])}")
    if name in TIMES and not _time(text):
        found.append(f"{at}: {text!r} is no time as 2026-06-24T02:17:20+08:00")
    if name in ("identifier", "sender") and not NAME.fullmatch(text):
        found.append(f"{at}: {text!r} has blanks, commas, < or &, or is empty")
    if name == "references" and not all(REFERENCE.fullmatch(one) for one in text.split()):
        found.append(f"{at}: not sender,identifier,sent")
    if name == "language" and not LANGUAGE.fullmatch(text):
        found.append(f"{at}: {text!r} is no language")
    if name == "polygon" and ring(text):
        found.append(f"{at}: {ring(text)}")
    if name == "circle" and not _circle(text):
        found.append(f"{at}: {text!r} is not lat,lon radius")
    if name == "size" and not text.isdigit():
        found.append(f"{at}: {text!r} is no number of bytes")


def _time(text: str) -> bool:
    try:
        return bool(TIME.fullmatch(text)) and micros(text) is not None
    except ValueError:
        return False


def _circle(text: str) -> bool:
    place, blank, radius = text.partition(" ")
    try:
        return bool(blank) and point(place) and 0 <= float(radius) < 20_037
    except ValueError:
        return False


def _chain(root: ET.Element, found: list[str]) -> None:
    kind, references = root.findtext(_tag("msgType")), (root.findtext(_tag("references")) or "").split()
    if kind in ("Update", "Cancel", "Ack", "Error") and not references:
        found.append(f"alert: {kind} without references")
    if kind == "Alert" and references:
        found.append("alert: an Alert refers to nothing")
    own = root.findtext(_tag("identifier"))
    if any(one.split(",")[1] == own for one in references):
        found.append("alert: refers to itself")
    scope = root.findtext(_tag("scope"))
    for needed, of in (("restriction", "Restricted"), ("addresses", "Private")):
        if scope == of and not root.findtext(_tag(needed)):
            found.append(f"alert: scope {of} without {needed}")


def _times(root: ET.Element, info: ET.Element, found: list[str]) -> None:
    sent, expires = root.findtext(_tag("sent")), info.findtext(_tag("expires"))
    begins = info.findtext(_tag("effective")) or sent
    if begins and expires and micros(expires) <= micros(begins):
        found.append("alert/info: expires before it is effective")
