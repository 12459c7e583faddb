"""A post's shifts as iCalendar (RFC 5545). Codes of people, never names or numbers. Pure."""
from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from streams.desk.duty.tables import Shift

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def calendar(title: str, shifts: Iterable[Shift], now: int, gap: str) -> str:
    """The file: a VEVENT a shift, lines of 75 octets at most ended by CRLF. `gap` stands where nobody is."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Wanglou//Roster//ZH", f"X-WR-CALNAME:{_text(title)}"]
    for s in shifts:
        summary = " ".join(x for x in (title, s.label, s.person or gap) if x)
        lines += ["BEGIN:VEVENT", f"UID:{s.id}@wanglou", f"DTSTAMP:{_time(now)}", f"DTSTART:{_time(s.start)}",
                  f"DTEND:{_time(s.end)}", f"SUMMARY:{_text(summary)}", "END:VEVENT"]
    return "".join(_fold(x) + "\r\n" for x in (*lines, "END:VCALENDAR"))


def _time(t: int) -> str:
    return f"{EPOCH + timedelta(microseconds=t):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    for char in "\\;,":
        words = words.replace(char, "\\" + char)
    return words.replace("\r", "").replace("\n", "\\n")


def _fold(line: str) -> str:
    """75 octets a line, never within a character; the rest goes on behind a space."""
    out, size = "", 0
    for char in line:
        n = len(char.encode())
        if size + n > 75:
            out, size = out + "\r\n ", 1
        out, size = out + char, size + n
    return out
