"""The outbox: due deliveries to their channels, at least once. Retry, back-off and giving up live here and nowhere else.

A row is taken by a lease that is written *before* the attempt: after a crash the row comes back when the lease ends,
with attempts > 0, and goes out marked 重发 under the same key. Calls to one post may share a message (outbox.py), no
address is written to faster than its channel declares (rates.py): what has no token waits, without an attempt. Channels
do not wait for one another (lanes.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from functools import partial
from threading import Event, Lock

import structlog
from sqlalchemy import Select, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from detectors.level import Level
from streams.clock import iso
from streams.desk import acts, channels
from streams.desk.calling import outbox
from streams.desk.calling.lanes import Lanes, full, room
from streams.desk.calling.rates import Bucket, Rates
from streams.desk.channels import Channel, Declared, Message, Outcome, Result
from streams.desk.folding.fold import Moment
from streams.desk.store import Store, audit
from streams.desk.tables import Alert, Delivery
from streams.desk.words import say
from streams.metrics import Metrics

log = structlog.get_logger(__name__)
BACKOFF = (2, 5, 15, 30, 60, 120, 300, 300, 300)
"""Seconds before attempts 2, 3, …; after the last the delivery is parked for a person to see."""
LEASE = 10
"""Seconds: longer than any channel's own time limit, short enough for a red."""
Calls = tuple[tuple[str, str], ...]
RED = (Delivery.level >= Level.RED) & (Delivery.scope == "real")


class Deliverer:
    """Sends what is due. `moment` gives wall clock and words; `url` is where a person finds the desk."""

    def __init__(
        self, store: Store, lines: dict[str, Channel], moment: Callable[[], Moment], url: str, metrics: Metrics
    ) -> None:
        self.store, self.channels, self.moment, self.url, self.metrics = store, lines, moment, url, metrics
        self.link: Callable[[Delivery], str] | None = None      # makes answer links, where people can reach the desk
        self.lanes, self.rates, self.lock, self.stop = Lanes(), Rates(self._spent), Lock(), Event()
        self.under_way: set[str] = set()        # keys that this process has in hand: not to be taken again by their lease

    def pump(self) -> int:
        """All that is due now, and wait for it; how many attempts were made."""
        made = 0
        while begun := self.start():
            made += len(begun)
            for done in begun:
                done.result()
        return made

    def start(self) -> list[Future[None]]:
        """Begin what is due now and has room; nothing is waited for."""
        m = self.moment()
        rows = self._take(m)
        self.under_way |= {row.key for row, _ in rows}
        return [self.lanes[row.channel].begin(row.address, partial(self._send, row, m.now, calls)) for row, calls in rows]

    def _take(self, m: Moment) -> list[tuple[Delivery, Calls]]:
        """What leaves now, each with the calls that it speaks for: of each channel first red, then all others."""
        due = (Delivery.state == "pending", Delivery.next_at <= m.now, outbox.LEADS, Delivery.key.not_in(tuple(self.under_way)))
        taken: list[tuple[Delivery, Calls]] = []
        with self.store.begin() as s:
            outbox.arrange(s, m)
            for channel in s.scalars(select(Delivery.channel).where(*due).distinct()).all():
                held = self.lanes[channel].held()
                for red, which in ((True, RED), (False, ~RED)):
                    query = select(Delivery).where(*due, Delivery.channel == channel, which,
                                                   Delivery.address.not_in(full(held, red)))
                    for row in self._lane(s, m, query, held, red):
                        taken.append((row, outbox.leaves(s, row, m.now, m.now + LEASE * 1_000_000)))
        return taken

    def _lane(self, s: Session, m: Moment, query: Select[Delivery], held: Counter[str], red: bool) -> Iterator[Delivery]:
        """As many of these as there is room for and as the rates of their addresses allow."""
        found = query.order_by(Delivery.level.desc(), Delivery.next_at).limit(room(held, red)).with_for_update(skip_locked=True)
        for row in s.scalars(found).all():
            if row.address in full(held, red):
                continue
            free = self._bucket(row, m).take(m.now, red)
            if free > m.now:
                row.next_at = free
                continue
            held[row.address] += 1
            yield row

    def _send(self, row: Delivery, now: int, calls: Calls) -> None:
        """One attempt and what becomes of it; the answer is kept in hand while the database is away, so nothing is repeated."""
        try:
            outcome = self._attempt(row, now, calls)
            while not self.stop.is_set():
                try:
                    return self._settle(row, outcome)
                except OperationalError as error:
                    log.warning("a delivery cannot be written down yet", key=row.key, error=str(error.orig))
                    self.stop.wait(0.5)
        except Exception:
            log.exception("a delivery failed; it comes back by its lease", key=row.key)
        finally:
            self.under_way.discard(row.key)

    def _bucket(self, row: Delivery, m: Moment) -> Bucket:
        said = getattr(self.channels.get(row.channel), "declared", Declared())
        limits = channels.rates(said, m.names.city.channels.get(row.channel, {}))
        with self.lock:
            return self.rates.bucket(row.channel, row.address, limits)

    def _spent(self, channel: str, address: str, per: float) -> Iterable[int]:
        if not per:
            return ()
        with self.store.read() as s:
            return outbox.spent(s, channel, address, self.moment().now - round(per * 1e6))

    def _attempt(self, row: Delivery, now: int, calls: Calls) -> Outcome:
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
            self._where(row),
            now,
            calls,
            self.link is not None,
        )
        try:
            return channel.send(message, row.address)
        except Exception as error:  # a channel with a fault must not stop the others
            return Outcome(Result.AGAIN, f"{type(error).__name__}: {error}")

    def _where(self, row: Delivery) -> str:
        """Where a person finds it: an answer link where there is one, else the warning, or the desk for several."""
        if self.link is not None:
            return self.link(row)
        return self.url if row.folded else f"{self.url}/w/{row.alert}"

    def _settle(self, tried: Delivery, outcome: Outcome) -> None:
        m = self.moment()
        with self.store.begin() as s:
            told = [self._outcome(s, row, outcome, m) for row in outbox.together(s, tried.key)]
        for row, result, raised in (told if tried.scope == "real" else ()):
            self.metrics.deliveries.labels(row.channel, result).inc()
            if outcome.result is Result.SENT:
                self.metrics.delivery_seconds.labels(row.channel).observe(max(0, m.now - row.created) / 1e6)
                if raised:
                    self.metrics.delivered_seconds.labels(row.channel).observe(max(0, m.now - raised) / 1e6)
        if told and outcome.after is not None:      # the address itself asked for a pause
            self._bucket(tried, m).shut_until(told[0][0].next_at)

    def _outcome(self, s: Session, row: Delivery, outcome: Outcome, m: Moment) -> tuple[Delivery, str, int]:
        """Write down what became of one call; its row, the result, and since when it is a warning (first steps only)."""
        result, alert = self._result(row, outcome, m.now), s.get(Alert, row.alert)
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
            folded=row.folded if row.folded != row.key else None,
        )
        if outcome.result is Result.SENT:
            acts.receipt(s, row.key, "sent", m)
        return row, result, alert.raised if alert and row.n == 1 else 0

    def _result(self, row: Delivery, outcome: Outcome, now: int) -> str:
        row.detail = outcome.detail
        if outcome.result is Result.SENT:
            row.state, row.sent_at = "sent", now
            return "sent"
        if outcome.result is Result.AGAIN and row.attempts <= len(BACKOFF):
            if row.state == "pending":
                wait = BACKOFF[row.attempts - 1] if outcome.after is None else max(outcome.after, 1.0)
                row.next_at = now + round(wait * 1e6)
            return "retry"
        row.state, row.receipt = "parked" if row.state == "pending" else row.state, row.receipt or "failed"
        return "parked"

    def close(self) -> None:
        """Let go of the threads; what they were sending comes back by its lease."""
        self.stop.set()
        self.lanes.close()
