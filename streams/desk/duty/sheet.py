"""A roster as people keep it, CSV or xlsx: read, with all its faults at once. Pure.

Shifts: `post,from,to,person[,label,stands_for]`, an empty person is a gap. People: `person,name,<channel>…`. One sheet may hold
both. Chinese headings are understood. Times: `2026-06-24 08:00` in the city's time, `24:00`, ISO 8601, or an Excel number.
"""
from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from streams.desk import channels
from streams.desk.duty.roster import shift_id
from streams.desk.local import MICRO, ZONE
from streams.desk.publish import xlsx

HEADS = {
    "岗位": "post", "起": "from", "开始": "from", "止": "to", "结束": "to", "人员": "person", "代号": "person", "姓名": "name",
    "班次": "label", "替": "stands_for", "代班": "stands_for", "电话": "gateway_voice", "短信": "gateway_sms", "邮件": "email",
    "浙政钉": "zhezhengding", "钉钉": "dingtalk", "企业微信": "wecom", "飞书": "feishu",
}
TWICE = {"post": "duty.f_twice_post", "person": "duty.f_twice_person"}
COLUMNS = ("post", "from", "to", "person", "label", "stands_for", "name")
LONGEST = 48 * 3600 * MICRO
REST = 8 * 3600 * MICRO
TIME = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?[ T]?(\d{1,2}):(\d{2})(?::\d{2})?")


@dataclass(frozen=True)
class Fault:
    """What is wrong at a row and column (from 1; column 0 = the row as a whole), as a key of words with its values."""

    row: int
    column: int
    key: str
    values: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One shift that was read."""

    row: int
    post: str
    start: int
    end: int
    person: str = ""
    label: str = ""
    stands_for: str = ""

    @property
    def id(self) -> str:
        """The shift's id."""
        return shift_id(self.post, self.start)


@dataclass
class Sheet:
    """What was read. `people`: code -> (name, addresses)."""

    lines: list[Line] = field(default_factory=list)
    people: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    hints: list[Fault] = field(default_factory=list)

    def plain(self) -> dict[str, object]:
        """As JSON, for the draft."""
        return {"lines": [[x.post, x.start, x.end, x.person, x.label, x.stands_for] for x in self.lines],
                "people": {code: [name, at] for code, (name, at) in self.people.items()}}


def read(data: bytes, posts: Iterable[str], known: Iterable[str]) -> Sheet:
    """The sheet of a file. `posts` = ids of the plan, `known` = codes that the roster has already."""
    out = Sheet()
    try:
        text = _text(xlsx.as_csv(data) if xlsx.is_xlsx(data) else data)
        rows = list(csv.reader(io.StringIO(text)))
    except (ValueError, csv.Error) as error:
        out.faults.append(Fault(1, 0, "duty.f_file", {"what": str(error)[:120]}))
        return out
    if not rows or not any(any(c.strip() for c in r) for r in rows):
        out.faults.append(Fault(1, 0, "duty.f_empty"))
        return out
    head = [c.strip() for c in rows[0]]
    _Reader(out, list(posts), set(known), [HEADS.get(c, c.lower()) for c in head]).all(rows)
    return out


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("UTF-8 / GBK")


class _Reader:
    def __init__(self, out: Sheet, posts: list[str], known: set[str], head: list[str]) -> None:
        self.out, self.posts, self.known, self.head = out, posts, known, head

    def all(self, rows: list[list[str]]) -> None:
        """Headings, rows, then what only the whole shows."""
        allowed = (*COLUMNS, *channels.names())
        for n, name in enumerate(self.head, 1):
            if name and name not in allowed:
                self._fault(1, name, "duty.f_column", n, got=name, allowed="、".join(allowed))
        if "person" not in self.head:
            self._fault(1, "person", "duty.f_missing", 0, what="person")
            return
        for row, cells in enumerate(rows[1:], 2):
            if any(c.strip() for c in cells):
                self._row(row, dict(zip(self.head, (c.strip() for c in cells), strict=False)))
        self._people()
        self._whole()

    def _row(self, row: int, cell: dict[str, str]) -> None:
        code = cell.get("person", "")
        contacts = {c: cell[c] for c in channels.names() if cell.get(c)}
        if code and (cell.get("name") or contacts):
            name, had = self.out.people.get(code, ("", {}))
            self.out.people[code] = (cell.get("name") or name, had | contacts)
        if not (cell.get("post") or cell.get("from") or cell.get("to")):
            return
        post = self._post(row, cell.get("post", ""))
        start, end = (self._time(row, name, cell.get(name, "")) for name in ("from", "to"))
        if start and end and end <= start:
            self._fault(row, "to", "duty.f_order")
        elif start and end and end - start > LONGEST:
            self._fault(row, "to", "duty.f_long")
        elif post and start and end:
            self.out.lines.append(Line(row, post, start, end, code, cell.get("label", ""), cell.get("stands_for", "")))

    def _post(self, row: int, word: str) -> str:
        if word in self.posts:
            return word
        self._fault(row, "post", "duty.f_post", got=word or "—", near=_near(word, self.posts))
        return ""

    def _time(self, row: int, name: str, word: str) -> int:
        at = moment_of(word)
        if at is None:
            self._fault(row, name, "duty.f_time", got=word or "—")
        return at or 0

    def _people(self) -> None:
        known = self.known | set(self.out.people)
        for line in self.out.lines:
            for name, code in (("person", line.person), ("stands_for", line.stands_for)):
                if code and code not in known:
                    self._fault(line.row, name, "duty.f_person", got=code, near=_near(code, known))

    def _whole(self) -> None:
        """Twice at one post, one person at two posts, too little rest."""
        for key in ("post", "person"):
            last: dict[str, Line] = {}
            for line in sorted(self.out.lines, key=lambda x: (x.start, x.row)):
                who, before = getattr(line, key), last.get(getattr(line, key))
                if not who:
                    continue
                if before and line.start < before.end:
                    self._fault(line.row, key, TWICE[key], who=who, line=str(before.row))
                elif before and key == "person" and 0 < line.start - before.end < REST:
                    self.out.hints.append(Fault(line.row, self._at("person"), "duty.h_rest", {"who": who}))
                last[who] = line if not before or line.end >= before.end else before

    def _at(self, name: str) -> int:
        return self.head.index(name) + 1 if name in self.head else 0

    def _fault(self, row: int, name: str, key: str, column: int = -1, **values: str) -> None:
        self.out.faults.append(Fault(row, self._at(name) if column < 0 else column, key, values))


def _near(word: str, among: Iterable[str]) -> str:
    from difflib import get_close_matches

    return next(iter(get_close_matches(word, list(among), n=1, cutoff=0.5)), "—")


def moment_of(word: str) -> int | None:
    """µs UTC of a time as people write it; None when it is none.

    >>> moment_of("2026-06-24 24:00") == moment_of("2026/6/25 0:00") == moment_of("46198") == moment_of("2026-06-24T16:00:00Z")
    True
    """
    word = word.strip()
    found = TIME.fullmatch(word)
    try:
        if found:
            year, month, day, hour, minute = map(int, found.groups())
            if hour > 24 or minute > 59 or (hour == 24 and minute):
                return None
            when = datetime(year, month, day, tzinfo=ZONE) + timedelta(hours=hour, minutes=minute)
        elif re.fullmatch(r"\d{5}(\.\d+)?", word):      # days since 1899-12-30, to the minute
            when = datetime(1899, 12, 30, tzinfo=ZONE) + timedelta(minutes=round(float(word) * 1440))
        else:
            when = datetime.fromisoformat(word)
            when = when if when.tzinfo else when.replace(tzinfo=ZONE)
    except ValueError:
        return None
    return round(when.timestamp()) * MICRO
