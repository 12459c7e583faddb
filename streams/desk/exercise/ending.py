"""An exercise ends by itself: closed with the disposition drill, by nobody's hand."""

from __future__ import annotations

from sqlalchemy.orm import Session

from streams.desk.alert import Disposition, State
from streams.desk.calling import calls
from streams.desk.folding.fold import Moment
from streams.desk.store import audit
from streams.desk.tables import Alert


def end(s: Session, alert: Alert, m: Moment, post: str = "") -> None:
    """Close an open warning of scope exercise; its ladder stops in the same transaction. ValueError for any other."""
    if alert.scope != "exercise":
        raise ValueError(f"{alert.id} is no exercise")
    alert.state, alert.open, alert.closed, alert.closed_by = State.CLOSED, False, m.now, post
    alert.disposition, alert.covered_by, alert.offered, alert.due, alert.idle_at = Disposition.DRILL, None, "", None, None
    calls.stop(s, alert, m, False)
    audit(s, m.now, "closed", alert, post, disposition=Disposition.DRILL.value, level=alert.level or None)
