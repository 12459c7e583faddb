"""The desk's metrics: counters follow the audit rows, gauges are asked of the database at each scrape."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from sqlalchemy import func, select

from detectors.level import Level
from streams.desk.alert import State
from streams.desk.duty import watch
from streams.desk.exercise.mark import HIDDEN
from streams.desk.folding.fold import Moment
from streams.desk.names import Names
from streams.desk.store import Store
from streams.desk.tables import Alert, Audit, Delivery
from streams.metrics import Metrics

UNANSWERED = (State.DETECTED, State.CALLING, State.OVERDUE)


class Meter:
    """`now` gives the wall clock (µs UTC). Counters start at the audit's end known when made."""

    def __init__(self, store: Store, metrics: Metrics, names: Callable[[], Names], now: Callable[[], int]) -> None:
        self.store, self.metrics, self.names, self.now = store, metrics, names, now
        self.seq = store.head()
        metrics.alerts_open.watch(self._open)
        metrics.unanswered_since.watch(self._unanswered)
        metrics.outbox_pending.watch(lambda: self._outbox("pending"))
        metrics.outbox_parked.watch(lambda: self._outbox("parked"))
        metrics.alerts_idle.watch(self._idle)
        metrics.alerts_chattering.watch(self._chattering)
        metrics.duty_gaps.watch(self._gaps)

    def catch_up(self) -> None:
        """Count what was written since the last time."""
        with self.store.read() as s:
            rows = s.execute(
                select(Audit, Alert)
                .join(Alert, Alert.id == Audit.alert)
                .where(Audit.seq > self.seq, ~HIDDEN)
                .order_by(Audit.seq)
                .limit(1000)
            ).all()
        for row, alert in rows:
            self.seq = max(self.seq, row.seq)
            self._count(row, alert)

    def _count(self, row: Audit, alert: Alert) -> None:
        level, by = (
            Level(int(row.what.get("to") or alert.shown)).word,
            str(row.what.get("detector") or alert.detector or alert.rule),
        )
        if row.act in ("opened", "raised"):
            self.metrics.alerts.labels(alert.pack, by, level, alert.scope).inc()
        elif row.act == "answered" and alert.scope == "real" and "took" in row.what:
            self.metrics.answer_seconds.labels(Level(alert.shown).word, self.names().agency(alert.site)).observe(
                row.what["took"] / 1e6
            )
        elif row.act == "closed" and alert.scope == "real":
            self.metrics.outcomes.labels(alert.pack, alert.detector or alert.rule, alert.disposition).inc()

    def _open(self) -> dict[tuple[str, ...], float]:
        names = self.names()
        with self.store.read() as s:
            rows = s.scalars(select(Alert).where(Alert.open, ~HIDDEN))
            return dict(
                Counter((a.pack, names.district(a.site, a.area), Level(a.level or a.shown).word, a.state, a.scope) for a in rows)
            )

    def _unanswered(self) -> dict[tuple[str, ...], float]:
        with self.store.read() as s:
            rows = s.execute(
                select(Alert.shown, func.min(Alert.raised))
                .where(Alert.open, Alert.scope == "real", Alert.covered_by.is_(None), Alert.muted.is_(None),
                       Alert.state.in_(UNANSWERED))
                .group_by(Alert.shown)
            )
            return {(Level(level).word,): since / 1e6 for level, since in rows}

    def _outbox(self, state: str) -> dict[tuple[str, ...], float]:
        with self.store.read() as s:
            rows = s.execute(
                select(Delivery.channel, func.count())
                .join(Alert, Alert.id == Delivery.alert)
                .where(Delivery.state == state, Delivery.scope == "real", Alert.open)
                .group_by(Delivery.channel)
            )
            return {(channel,): n for channel, n in rows}

    def _idle(self) -> dict[tuple[str, ...], float]:
        with self.store.read() as s:
            return {(): sum(idle(a, self.now()) for a in s.scalars(select(Alert).where(Alert.open, Alert.scope == "real")))}

    def _gaps(self) -> dict[tuple[str, ...], float]:
        with self.store.read() as s:
            return dict(Counter((post,) for post, _, _ in watch.ahead(s, Moment(self.now(), self.names()))))

    def _chattering(self) -> dict[tuple[str, ...], float]:
        since = self.now() - 1800 * 1_000_000
        with self.store.read() as s:
            rows = s.execute(
                select(Audit.alert, func.count())
                .join(Alert, Alert.id == Audit.alert)
                .where(Audit.at > since, Audit.act.in_(("opened", "raised")), Alert.scope == "real")
                .group_by(Audit.alert)
            ).all()
            return {(): sum(n >= 3 for _, n in rows)}


def idle(alert: Alert, now: int) -> bool:
    """Answered, and the news that was due did not come (久未进展)."""
    return alert.state in (State.ANSWERED, State.ACTING) and alert.due is not None and now >= alert.due
