"""What people said of warnings when they closed them, as labels for the backtest: true, false or fault. Read only."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine, inspect, make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from streams.desk.alert import Disposition
from streams.desk.exercise.mark import HIDDEN
from streams.desk.tables import Alert
from streams.sql import engine

SAID = (Disposition.TRUE.value, Disposition.FALSE.value, Disposition.FAULT.value)


@dataclass(frozen=True)
class Label:
    """A warning that was closed: where, from its onset until it was back under its limit (event time, µs UTC).

    `level` is the worst that the warning had. One that was closed while over its limit ends with its newest event.
    """

    alert: str
    outcome: str            # true, false, fault
    indicator: str
    detector: str
    site: str
    level: int
    start: int
    end: int
    reason: str


def desk_at(url: str) -> Engine | None:
    """The desk's database, where there is one with tables in it; it is never made by looking."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite" and not Path(where.database or "").is_file():
        return None
    made = engine(url).execution_options(reading=True)
    try:
        return made if inspect(made).has_table("alert") else None
    except SQLAlchemyError:
        return None


def labels(s: Session, pack: str, since: int, until: int) -> list[Label]:
    """Closed warnings of scope real at a site, with an onset in [since, until), oldest first."""
    rows = s.scalars(select(Alert).where(
        Alert.pack == pack, ~Alert.open, Alert.scope == "real", Alert.disposition.in_(SAID), Alert.site != "", ~HIDDEN,
        Alert.onset >= since, Alert.onset < until).order_by(Alert.onset, Alert.id))
    return [Label(a.id, a.disposition, a.indicator, a.detector or a.rule, a.site, a.peak or a.first, a.onset,
                  max(a.onset, a.back or a.time), a.reason) for a in rows]
