"""Parcels to where they go: work orders, announcements of windows, readings made by hand. At least once, each under its own key.

As for deliveries: a row is leased before the attempt, so that after a crash it comes back; retry and giving up live here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.channels import Channel, Message, Outcome, Result
from streams.desk.channels._http import Line
from streams.desk.channels._secrets import Missing
from streams.desk.folding.fold import Moment
from streams.desk.publish import signing, work
from streams.desk.publish.tables import Parcel, WorkOrder
from streams.desk.store import Store, alert_for, audit
from streams.errors import Unavailable

BACKOFF = (2, 5, 15, 30, 60, 120, 300, 600, 1800)
"""Seconds before attempts 2, 3, …; after the last a parcel is parked and the page says so; readings are tried for ever."""
LEASE = 30
BATCH = 20
Readings = Callable[[Sequence[Sequence[Any]]], None]
"""Puts rows `[series, site, pack, t, x, flag]` into the log of readings; Unavailable when it cannot."""


class Courier:
    """Takes what is due. `url` is where a unit finds this desk."""

    def __init__(
        self, store: Store, lines: dict[str, Channel], moment: Callable[[], Moment], url: str, readings: Readings
    ) -> None:
        self.store, self.lines, self.moment, self.url, self.readings = store, lines, moment, url.rstrip("/"), readings
        self.line = Line(4.0)

    def pump(self) -> int:
        """One round; how many attempts were made."""
        m = self.moment()
        with self.store.begin() as s:
            rows = s.scalars(
                select(Parcel)
                .where(Parcel.state == "pending", Parcel.next_at <= m.now)
                .order_by(Parcel.next_at)
                .limit(BATCH)
                .with_for_update(skip_locked=True)
            ).all()
            for row in rows:
                row.attempts, row.next_at = row.attempts + 1, m.now + LEASE * 1_000_000
        for row in rows:
            self._settle(row.id, self._attempt(row, m))
        return len(rows)

    def _attempt(self, row: Parcel, m: Moment) -> Outcome:
        how = {"work": self._work, "announce": self._announce, "readings": self._readings}.get(row.kind)
        return how(row, m) if how else Outcome(Result.NEVER, f"no such kind: {row.kind!r}")

    def _work(self, row: Parcel, m: Moment) -> Outcome:
        unit = work.unit(m, row.body["unit"])
        if unit is None:
            return Outcome(Result.NEVER, f"no unit {row.body['unit']!r} in the plan")
        said = dict(row.body["said"])
        if row.body.get("token"):
            said["answer_to"] = f"{self.url}/receipt/work/{row.body['token']}"
        body = json.dumps(said, ensure_ascii=False, sort_keys=True).encode()
        try:
            signature = signing.signed_body(unit.secret, body)
        except Missing as error:
            return Outcome(Result.AGAIN, str(error))
        headers = {"Content-Type": "application/json", "Idempotency-Key": row.id, "X-Wanglou-Signature": signature}
        answer = self.line.ask(unit.url, m.now, (row.body.get("token") or "-",), content=body, headers=headers)
        if isinstance(answer, Outcome):
            return answer
        code = str(answer.get("code", 0))
        return Outcome(Result.SENT) if code == "0" else Outcome(Result.AGAIN, f"refused with code {code[:40]}")

    def _announce(self, row: Parcel, m: Moment) -> Outcome:
        channel = self.lines.get(row.body["channel"])
        if channel is None:
            return Outcome(Result.NEVER, f"no channel {row.body['channel']!r}")
        message = Message(
            row.id, "", "normal", "real", row.body["text"], row.body["post"], 0, "", row.attempts > 1, f"{self.url}/mutes", m.now
        )
        return channel.send(message, row.body["address"])

    def _readings(self, row: Parcel, m: Moment) -> Outcome:
        try:
            self.readings(row.body["rows"])
        except Unavailable as error:
            return Outcome(Result.AGAIN, str(error)[:200])
        return Outcome(Result.SENT)

    def _settle(self, id_: str, outcome: Outcome) -> None:
        m = self.moment()
        with self.store.begin() as s:
            row = s.get(Parcel, id_, with_for_update=True)
            if row is None or row.state not in ("pending", "dropped"):
                return
            row.detail = outcome.detail
            if outcome.result is Result.SENT:
                row.state, row.sent_at, row.body = "sent", m.now, row.body | {"token": ""}
                self._handed(s, row, m)
            elif row.state == "pending" and outcome.result is Result.AGAIN and again_at_all(row):
                wait = BACKOFF[min(row.attempts, len(BACKOFF)) - 1] if outcome.after is None else max(outcome.after, 1.0)
                row.next_at = m.now + round(wait * 1e6)
            elif row.state == "pending":
                row.state = "parked"
                audit(s, m.now, "parcel_parked", None, kind=row.kind, ref=row.ref, detail=outcome.detail)

    def _handed(self, s: Session, row: Parcel, m: Moment) -> None:
        found = s.get(WorkOrder, row.ref) if row.kind == "work" else None
        if found is not None and found.state == "ordered":
            found.state, found.changed = "handed", m.now
            audit(s, m.now, "order_handed", alert_for(s, found.alert), order=found.id, unit=found.unit)


def again_at_all(row: Parcel) -> bool:
    """Whether it is tried again by itself."""
    return row.attempts <= len(BACKOFF) or row.kind == "readings"


def again(s: Session, id_: str, m: Moment) -> bool:
    """Send a parked parcel again; False when there is none."""
    row = s.get(Parcel, id_, with_for_update=True)
    if row is None or row.state != "parked":
        return False
    row.state, row.attempts, row.next_at = "pending", 0, m.now
    return True
