"""Feeds out: what is published, as RSS 2.0 and JSON; open alerts besides for whoever signed in. Pure: rows in, bytes out."""

from __future__ import annotations

import json
from collections.abc import Iterable
from email.utils import format_datetime
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree as ET

from detectors.level import Level
from streams.clock import iso
from streams.desk.local import local
from streams.desk.publish.tables import Publication

VERSION = 1
"""Of the JSON feed and of the topic `alerts`: raised when a field changes its meaning or goes; new ones may come at any time."""


def etag(body: bytes) -> str:
    """A strong validator of a body (RFC 9110, 8.8.3)."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def rss(rows: Iterable[Publication], title: str, base: str, over: set[str], now: int) -> bytes:
    """RSS 2.0, the newest first; an item's guid is the CAP identifier, its link the CAP message."""
    rows = list(rows)
    root = ET.Element("rss", {"version": "2.0"})
    channel = ET.SubElement(root, "channel")
    for name, text in (
        ("title", title),
        ("link", base),
        ("description", title),
        ("language", "zh-cn"),
        ("lastBuildDate", _date(max((r.sent or 0 for r in rows), default=0)) if rows else ""),
    ):
        if text:
            ET.SubElement(channel, name).text = text
    for row in rows:
        item, words = ET.SubElement(channel, "item"), row.words["zh"]
        link = f"{base}/feeds/cap/{row.id}.xml"
        for name, text in (
            ("title", words["headline"]),
            ("link", link),
            ("description", words["description"]),
            ("category", Level(row.level).word),
            ("category", state(row, over, now)),
            ("pubDate", _date(row.sent or 0)),
        ):
            ET.SubElement(item, name).text = text
        ET.SubElement(item, "guid", {"isPermaLink": "false"}).text = row.id
    ET.indent(root)
    out: bytes = ET.tostring(root, "utf-8", xml_declaration=True)
    return out


def _date(t: int) -> str:
    return format_datetime(local(t).replace(microsecond=0))


def state(row: Publication, over: set[str], now: int) -> str:
    """`active`, `expired`, `superseded` or `cancelled`."""
    if row.kind == "Cancel":
        return "cancelled"
    return "superseded" if row.id in over else "active" if (row.expires or 0) > now else "expired"


def public_json(row: Publication, base: str, over: set[str], now: int) -> dict[str, Any]:
    """A published message."""
    return {
        "id": row.id,
        "alert": row.alert,
        "kind": row.kind,
        "level": Level(row.level).word,
        "state": state(row, over, now),
        "sent": iso(row.sent or 0),
        "expires": iso(row.expires or 0),
        "words": row.words,
        "cap": f"{base}/feeds/cap/{row.id}.xml",
    }


def document(published: list[dict[str, Any]], alerts: list[dict[str, Any]] | None) -> bytes:
    """The JSON feed; `alerts` only for whoever signed in. No time of its own is in it, so its ETag says whether it changed."""
    body: dict[str, Any] = {"version": VERSION, "published": published}
    if alerts is not None:
        body["alerts"] = alerts
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
