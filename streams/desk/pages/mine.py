"""The table of one's own sessions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from streams.desk.local import moment
from streams.desk.pages.view import View
from streams.desk.people.tables import SessionRow
from streams.desk.words import say

BROWSERS = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("DingTalk", "DingTalk"), ("MicroMessenger", "WeChat"),
            ("Chrome/", "Chromium"), ("Safari/", "Safari"))
HOW = {"password": "sign.how_password", "oidc": "sign.how_oidc", "token": "sign.how_token"}
MACHINES = ("Android", "iPhone", "iPad", "Windows", "Macintosh", "Linux")


@dataclass(frozen=True, slots=True)
class Mine:
    """One row of the table."""

    id: str
    device: str
    address: str
    created: str
    seen: str
    how: str
    here: bool


def mine(rows: Sequence[SessionRow], own: str, v: View) -> list[Mine]:
    """The sessions of an account, the one that looks first."""
    out = [
        Mine(r.id, device(r.label) if r.how != "token" else r.label, r.address, moment(r.created, v.now, v.lang),
             say("sign.now", v.lang) if r.id == own else moment(r.seen, v.now, v.lang), say(HOW[r.how], v.lang), r.id == own)
        for r in rows
    ]
    return sorted(out, key=lambda m: not m.here)


def device(agent: str) -> str:
    """A browser's name for itself, as people know it.

    >>> device("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36")
    'Chromium · Android'
    """
    browser = next((name for mark, name in BROWSERS if mark in agent), re.split(r"[/ ]", agent)[0])
    machine = next((m for m in MACHINES if m in agent), "")
    return " · ".join(x for x in (browser, machine) if x) or "—"
