"""What an indicator says of figures that are published by a calendar, and of counts that still fill up."""
from __future__ import annotations

from streams.packs.fields import Fields, number
from streams.packs.params import flow

MERGE = "[[jan, feb]]"


def merged(fields: Fields, period: str, default: bool) -> bool:
    """`merge: [[jan, feb]]`: January is published with February, so it is not expected by itself."""
    node = fields.get("merge")
    if node is None:
        return default
    if flow(node) != MERGE:
        fields.faults.add(node.place, f"merge: {flow(node)}; allowed: {MERGE}")
    elif not period:
        fields.faults.add(node.place, "merge: only figures with period: month are published together")
    return True


def complete(fields: Fields, every: float, lateness: float) -> tuple[float, ...]:
    """`complete: [0.6, 0.85, 1.0]`: the share of a count that is known when it arrives 0, 1, 2 … periods after its time.

    The shares rise. A count is judged anew as it fills up, so lateness must reach as far.
    """
    shares: list[float] = []
    for item in fields.items("complete"):
        share = number(item, fields.faults, "complete", 1.0, 0.01, 1.0)
        if shares and share < shares[-1]:
            fields.faults.add(item.place, f"complete: {share:g} after {shares[-1]:g}; what is known of a count only grows")
        shares.append(share)
    while shares and shares[-1] == 1.0:
        shares.pop()
    if shares and lateness < len(shares) * every:
        fields.faults.add(fields.at("complete"), f"complete: counts fill up for {len(shares)} periods; lateness must be as long, "
                          f"{len(shares) * every / 86_400:g}d or more")
    return tuple(shares)
