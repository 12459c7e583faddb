"""Is the chain of audit rows whole? Each row holds the hash of the one before it, and one row says where the chain ends."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from streams.desk.store import digest
from streams.desk.tables import Audit, Chain

BATCH = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rows` that fit, from the first on; `broken` = the number of the first that does not (0 = all fit), and `why`."""

    rows: int
    head: str
    broken: int = 0
    why: str = ""


def verify(s: Session) -> Verdict:
    """Go through the whole chain. Nothing is written."""
    rows, before = 0, ""
    for row in s.scalars(select(Audit).order_by(Audit.seq).execution_options(yield_per=BATCH)):
        why = fault(row, rows + 1, before)
        if why:
            return Verdict(rows, before, rows + 1, why)
        rows, before = rows + 1, row.hash
    end = s.get(Chain, 1)
    if (end.seq, end.hash) != (rows, before) if end else rows:
        return Verdict(rows, before, rows + 1, f"the chain ends at row {end.seq if end else 0}, the rows end at {rows}")
    return Verdict(rows, before)


def fault(row: Audit, n: int, before: str) -> str:
    """Why this row is not the `n`-th one after the one with the hash `before`; "" when it is."""
    if row.seq != n:
        return f"row {n} is missing, row {row.seq} stands in its place"
    if row.prev_hash != before:
        return "it does not follow from the row before it"
    return "" if row.hash == digest(row) else f"its content was changed: {row.act} at {row.at} does not give its hash"
