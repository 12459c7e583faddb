"""The outbox: due deliveries to their channels, at least once. Retry, back-off and giving up live here and nowhere else.

A row is taken by a lease that is written *before* the attempt: after a crash the row comes back when the lease ends,
with attempts > 0, and goes out marked 重发 under the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed

from sqlalchemy import select

from detectors.level import Level
from streams.clock import iso
from streams.desk import acts
from streams.desk.channels import Channel, Message, Outcome, Result
from streams.desk.fold import Moment
from streams.desk.store import Store, audit
from streams.desk.tables import Alert, Delivery
from streams.desk.words import say
from streams.metrics import Metrics

BACKOFF = (2, 5, 15, 30, 60, 120, 300, 300, 300)
"""Seconds before attempts 2, 3, …; after the last the delivery is parked for a person to see."""
LEASE = 10
"""Seconds: longer than any channel's own time limit, short enough for a red."""
BATCH = 50


class Deliverer:
    """Sends what is due. `moment` gives wall clock and words; `url` is where a person finds the desk."""

    def __init__(
        self, store: Store, channels: dict[str, Channel], moment: Callable[[], Moment], url: str, metrics: Metrics
    ) -> None:
        self.store, self.channels, self.moment, self.url, self.metrics = store, channels, moment, url, metrics
        self.pool = ThreadPoolExecutor(8, "deliver")

    def pump(self) -> int:
        """One round; how many attempts were made. Slow channels do not hold up the quick ones: each has its own thread."""
        rows = self._take(self.moment().now)
        tries = {self.pool.submit(self._attempt, row): row for row in rows}
        for done in as_completed(tries):
            self._settle(tries[done], done.result())
        return len(rows)

    def _take(self, now: int) -> list[Delivery]:
        with self.store.begin() as s:
            rows = list(
                s.scalars(
                    select(Delivery)
                    .where(Delivery.state == "pending", Delivery.next_at <= now)
                    .order_by(Delivery.level.desc(), Delivery.next_at)
                    .limit(BATCH)
                    .with_for_update(skip_locked=True)
                )
            )
            for row in rows:
                row.attempts, row.next_at = row.attempts + 1, now + LEASE * 1_000_000
        return rows

    def _attempt(self, row: Delivery) -> Outcome:
        channel = self.channels.get(row.channel)
        if channel is None:
            return Outcome(Result.NEVER, f"no channel {row.channel!r}")
        again = row.attempts > 1
        text = (say("msg.again", "zh") if again else "") + row.text
        message = Message(
            row.key,
            row.alert,
            Level(row.level).word,
            row.scope,
            text,
            row.post,
            row.n,
            iso(row.until),
            again,
            f"{self.url}/w/{row.alert}",
        )
        try:
            return channel.send(message, row.address)
        except Exception as error:  # a channel with a fault must not stop the others
            return Outcome(Result.AGAIN, f"{type(error).__name__}: {error}")

    def _settle(self, tried: Delivery, outcome: Outcome) -> None:
        m = self.moment()
        with self.store.begin() as s:
            row = s.get(Delivery, tried.key, with_for_update=True)
            if row is None:
                return
            result = self._result(row, outcome, m.now)
            alert = s.get(Alert, row.alert)
            raised = alert.raised if alert and row.n == 1 else 0
            audit(
                s,
                m.now,
                "delivery",
                alert,
                row.post,
                channel=row.channel,
                result=result,
                attempt=row.attempts,
                detail=outcome.detail,
            )
            if outcome.result is Result.SENT:
                acts.receipt(s, row.key, "sent", m)
        self.metrics.deliveries.labels(row.channel, result).inc()
        if outcome.result is Result.SENT:
            self.metrics.delivery_seconds.labels(row.channel).observe(max(0, m.now - row.created) / 1e6)
            if raised:
                self.metrics.delivered_seconds.labels(row.channel).observe(max(0, m.now - raised) / 1e6)

    def _result(self, row: Delivery, outcome: Outcome, now: int) -> str:
        row.detail = outcome.detail
        if outcome.result is Result.SENT:
            row.state, row.sent_at = "sent", now
            return "sent"
        if outcome.result is Result.AGAIN and row.attempts <= len(BACKOFF):
            if row.state == "pending":
                row.next_at = now + BACKOFF[row.attempts - 1] * 1_000_000
            return "retry"
        row.state, row.receipt = "parked" if row.state == "pending" else row.state, row.receipt or "failed"
        return "parked"

    def close(self) -> None:
        """Let go of the threads; what they were sending comes back by its lease."""
        self.pool.shutdown(wait=False, cancel_futures=True)
