"""The canary: every ten minutes a reading over its limit goes in at the feed's door; the time until its delivery is measured.

The leading desk pushes it and closes what came of it. So the whole way is walked as it is walked in earnest: HTTP, feed, Kafka,
judge, combine, events, desk, ladder, outbox. All that must outlive a change of the leader is one row of the database.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.clock import iso
from streams.desk.exercise import mark
from streams.desk.exercise.ending import end
from streams.desk.exercise.tables import CanaryRow
from streams.desk.folding.fold import Moment
from streams.desk.store import Store
from streams.desk.tables import Alert, Delivery
from streams.errors import Unavailable
from streams.metrics import Metrics

log = structlog.get_logger(__name__)
PATIENCE = 120.0
"""Seconds after which a canary counts as lost."""
AGAIN = 15.0
"""Seconds until a push that failed is tried again."""
Push = Callable[[str, int, float], None]
"""(series, time, value) into the feed; Unavailable with the reason when it was not taken."""


class Canary:
    """`every` = seconds between two; 0 = none. `pump` is called again and again by the leading desk."""

    def __init__(self, store: Store, moment: Callable[[], Moment], push: Push, every: float, metrics: Metrics) -> None:
        self.store, self.moment, self.push, self.every = store, moment, push, every
        self.next = 0
        if every:
            metrics.canary_seconds.watch(lambda: self._told(lambda row: row.took))
            metrics.canary_success.watch(lambda: self._told(lambda row: row.came))

    def pump(self) -> None:
        """Whatever is to be done now: wait, see it come, bring it down, close it, send the next."""
        m = self.moment()
        series = mark.series(m.names.city)
        if not series or not self.every or m.played or m.now < self.next:
            return
        self.next = m.now + 1_000_000
        with self.store.begin() as s:
            row = s.get(CanaryRow, 1) or CanaryRow(id=1, at=0, waits=False, fault="")
            s.add(row)
            value = self._step(s, row, m)
        if value is not None:
            self._push(series, value)

    def _step(self, s: Session, row: CanaryRow, m: Moment) -> float | None:
        """What is to be pushed, if anything."""
        if row.waits:
            came = s.scalar(
                select(Delivery.sent_at)
                .join(Alert, Alert.id == Delivery.alert)
                .where(mark.HIDDEN, Delivery.channel == mark.CHANNEL, Delivery.state == "sent", Delivery.created >= row.at)
            )
            if came is not None:
                row.waits, row.came, row.took, row.fault = False, came, came - row.at, ""
            elif m.now - row.at > PATIENCE * 1e6:
                row.waits, row.fault = False, f"it did not come through within {PATIENCE:.0f} s"
                log.error("the canary was lost", pushed=row.at)
            else:
                return None
        open_ = list(s.scalars(select(Alert).where(mark.HIDDEN, Alert.open)))
        for alert in open_:
            if alert.level == 0:
                end(s, alert, m)
        if any(alert.open for alert in open_):
            return 0.0
        if m.now - row.at < self.every * 1e6:
            return None
        row.at, row.waits = m.now, True
        return 1.0

    def _push(self, series: str, value: float) -> None:
        m = self.moment()
        try:
            self.push(series, m.now, value)
            self.next = m.now + (2_000_000 if value == 0.0 else 0)      # a second low one at once would change nothing
        except Unavailable as error:
            log.error("the canary cannot be pushed", error=str(error))
            self.next = m.now + round(AGAIN * 1e6)
            with self.store.begin() as s:
                row = s.get_one(CanaryRow, 1)
                row.fault = str(error)
                if value:       # it never began: the next try begins at once, measured from its own push
                    row.waits, row.at = False, 0

    def _told(self, what: Callable[[CanaryRow], int | None]) -> dict[tuple[str, ...], float]:
        with self.store.read() as s:
            row = s.get(CanaryRow, 1)
        value = what(row) if row else None
        return {} if value is None else {(): value / 1e6}


def http(url: str) -> Push:
    """Pushes to `POST /readings` of the feed, as every source does."""

    def push(series: str, time: int, value: float) -> None:
        import httpx2

        indicator, _, site = series.partition("@")
        reading = {"site": site, "indicator": indicator, "time": iso(time), "value": value}
        try:
            answer = httpx2.post(url, params={"source": mark.CHANNEL}, json=reading, timeout=8.0)
        except httpx2.HTTPError as error:
            raise Unavailable(f"{url}: {error!r}") from error
        if answer.status_code != 202:
            raise Unavailable(f"{url}: {answer.status_code} {answer.text[:300]}")

    return push
