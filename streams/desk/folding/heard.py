"""Who has ever spoken: a series that was never heard is neither normal nor reporting, though nothing says that it is silent.

Kept from the events themselves (first contact, silence, a level), so it needs no other database and survives a restart.
"""

from __future__ import annotations

from collections import Counter
from threading import Lock

from sqlalchemy import select
from sqlalchemy.orm import Session

from detectors.event import Change
from streams.desk.names import Names
from streams.desk.tables import Heard


def note(s: Session, change: Change) -> None:
    """Remember the series that a change tells of. A drill, a rule or a whole site is no contact."""
    if change.rule or not (change.indicator and change.site) or change.scope != "real" or change.fresh == "never":
        return
    name = f"{change.indicator}@{change.site}"
    if change.kind in ("fresh", "level") and s.scalar(select(Heard.id).where(Heard.series == name)) is None:
        s.add(Heard(series=name))
        s.flush()


def heard(s: Session, series: str) -> bool:
    """Whether the series has ever spoken."""
    return s.scalar(select(Heard.id).where(Heard.series == series)) is not None


class Voices:
    """By (district, pack) how many series of the plan have spoken; only what is new is read again."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._names: Names | None = None
        self._last, self._counts = 0, Counter[tuple[str, str]]()

    def __call__(self, s: Session, names: Names) -> Counter[tuple[str, str]]:
        """As of now, under the plan of `names`."""
        with self._lock:
            if names is not self._names:
                self._names, self._last, self._counts = names, 0, Counter()
            for id_, series in s.execute(select(Heard.id, Heard.series).where(Heard.id > self._last).order_by(Heard.id)):
                self._last = id_
                if (cell := names.cell(series)) is not None:
                    self._counts[cell] += 1
            return Counter(self._counts)
