"""GET /events: rows as they change, in the words and for the post of each reader. A message's id is an audit number.

A reader that comes back with `Last-Event-ID` gets what happened since; one that was away too long is told to reload.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import StreamingResponse

from streams import clock
from streams.desk.alert import Actor
from streams.desk.api.look import filter_of
from streams.desk.api.who import acting, lang_of, site_of
from streams.desk.local import moment, span
from streams.desk.pages import ask
from streams.desk.pages.board import Filter, tally
from streams.desk.pages.render import row_html, strip_html
from streams.desk.pages.row import row
from streams.desk.pages.view import View
from streams.desk.people.current import CURRENT
from streams.desk.people.sessions import in_use
from streams.desk.site import PULSE, Site
from streams.desk.tables import Alert, Audit

router = APIRouter(include_in_schema=False)
BEAT = 5.0
REFRESH = {False: 20.0, True: 5.0}
"""Seconds after which all rows are sent again for their newest readings; sooner while a history is being played."""
FAR = 2000
"""Audit rows behind which replaying costs more than a reload."""


def message(event: str, data: str, id_: int | None = None) -> str:
    r"""One message of the stream.

    >>> message("gone", "a1", 7)
    'id: 7\nevent: gone\ndata: a1\n\n'
    """
    head = "" if id_ is None else f"id: {id_}\n"
    return f"{head}event: {event}\n" + "".join(f"data: {line}\n" for line in data.splitlines() or [""]) + "\n"


class Reader:
    """One page that listens."""

    def __init__(self, site: Site, actor: Actor, lang: str, want: Filter, last: int) -> None:
        self.site, self.actor, self.lang, self.want, self.last = site, actor, lang, want, last
        self.session = CURRENT.get().session

    def welcome(self) -> bool:
        """Whether the session that listens still is; where there were no accounts, whether that is so still."""
        site = self.site
        return in_use(site.store, self.session, site.now()) if self.session else not site.rules.demanded(site.store)

    def news(self) -> list[str]:
        """What happened since `last`, as messages; the number is on the last of them, so a torn batch is sent again."""
        with self.site.store.read() as s:
            rows = s.execute(
                select(Audit.seq, Audit.alert, Audit.what).where(Audit.seq > self.last).order_by(Audit.seq).limit(FAR + 1)
            ).all()
            if not rows:
                return []
            if len(rows) > FAR:
                return [message("reload", "far")]
            self.last = rows[-1][0]
            v = self.site.view(s, self.actor, self.lang)
            touched = {alert for _, alert, _ in rows if alert} | {str(what["by"]) for _, _, what in rows if what.get("by")}
            return [*self._rows(s, v, touched), self._tally(s, v)]

    def all_rows(self) -> list[str]:
        """Every row again: readings go on without an audit row."""
        with self.site.store.read() as s:
            v = self.site.view(s, self.actor, self.lang)
            rows = [row(f, v) for f in ask.open_alerts(s)[:200]]
            return [message("row", row_html(r, v)) for r in rows] + [self._tally(s, v)]

    def _rows(self, s: Session, v: View, touched: set[str]) -> list[str]:
        alerts = {a.id: a for a in s.scalars(select(Alert).where(Alert.id.in_(touched)))}
        touched |= {a.covered_by for a in alerts.values() if a.covered_by}
        shown, out = {f.alert.id: f for f in ask.open_alerts(s)}, []
        for id_ in sorted(touched):
            r = row(shown[id_], v) if id_ in shown else None
            if r is not None and self.want.takes(shown[id_], r, v):
                out.append(message("row", row_html(r, v)))
            else:
                out.append(message("gone", id_))
        return out

    def _tally(self, s: Session, v: View) -> str:
        sums = tally(s, ask.open_alerts(s), ask.items(s), v)
        return message("tally", strip_html(sums, v), self.last)

    def beat(self) -> str:
        """Server time, age of the newest reading, whether a desk leads."""
        site, now = self.site, self.site.now()
        with site.store.read() as s:
            v = site.view(s, self.actor, self.lang)
        newest = None if site.played else site.readings.newest()
        said: dict[str, Any] = {
            "now": now // 1000,
            "leader": site.leading(),
            "live": site.live(),
            "scene": moment(v.clock, now, self.lang),
            "age": span(max(0, now - newest), self.lang) if newest else "",
        }
        return message("beat", json.dumps(said, ensure_ascii=False), self.last)


async def stream(reader: Reader) -> AsyncIterator[str]:
    """Messages until the page leaves or the desk ends."""
    site, beat, fresh = reader.site, float("-inf"), clock.monotonic()
    site.clients += 1
    try:
        while not site.closing:
            now = clock.monotonic()
            if await run_in_threadpool(site.head) > reader.last:
                for text in await run_in_threadpool(reader.news):
                    yield text
            if now - fresh >= REFRESH[bool(site.played)]:
                fresh = now
                for text in await run_in_threadpool(reader.all_rows):
                    yield text
            if now - beat >= BEAT:
                beat = now
                if not await run_in_threadpool(reader.welcome):
                    yield message("reload", "signin")
                    return
                yield await run_in_threadpool(reader.beat)
            await asyncio.sleep(PULSE)
    finally:
        site.clients -= 1


@router.get("/events")
async def events(request: Request) -> StreamingResponse:
    """The stream. It begins after `Last-Event-ID`, else after `?after=`, else now."""
    site = site_of(request)
    asked = request.headers.get("last-event-id") or request.query_params.get("after", "")
    head = await run_in_threadpool(site.head)
    last = min(int(asked), head) if asked.isdecimal() and len(asked) < 19 else head
    reader = Reader(site, acting(request), lang_of(request), filter_of(request), last)
    return StreamingResponse(stream(reader), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
