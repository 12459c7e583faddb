"""What a loop has to say becomes a `Change` with its evidence, its alert and its number."""
from __future__ import annotations

from dataclasses import replace
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any, Protocol

from detectors.event import Change, alert_id, event_id
from detectors.loops import EVENT
from detectors.table import Said, Table

if TYPE_CHECKING:
    from detectors.state import State


class Names(Protocol):
    """The check behind each reading of a batch."""

    def __getitem__(self, place: int, /) -> str: ...


class Checked:
    """Those of an outcome; few are ever asked for."""

    def __init__(self, table: Table, check: Any) -> None:
        self.table, self.check = table, check

    def __getitem__(self, place: int, /) -> str:
        name: str = self.table.check_names[self.check[place]]
        return name


def announce(state: State, table: Table, events: list[Any], names: Names, arrived: int | None) -> list[Change]:
    """Number the events of the live rows and remember what a rewind may revise. `names`: the check behind each reading."""
    changes = []
    for record in events:
        event = plain(record)
        if event["what"] == 2.0:
            changes.append(event_of(state, table, event, names, arrived))
            continue
        row, d = int(event["row"]), int(event["detector"])
        head = table.live.heads[row, d]
        if event["before"] == 0.0:
            head["announced"], head["seq"] = event["onset"], 0.0
        announced, seq = float(head["announced"]), int(head["seq"]) + 1
        head["seq"] = float(seq)
        alert = alert_id(table.group.detectors[d].root, table.name(row), int(announced))
        change = event_of(state, table, event, names, arrived, alert=alert, seq=seq, id=event_id(alert, seq))
        if table.group.ring:
            table.note(row, Said(d, announced, change))
        if change.to == 0:
            head["announced"] = nan
        changes.append(change)
    return changes


def numbered(table: Table, change: Change, row: int, d: int, announced: float, seq: int) -> Change:
    """The same change under its alert and number."""
    alert = alert_id(table.group.detectors[d].root, table.name(row), int(announced))
    return replace(change, alert=alert, seq=seq, id=event_id(alert, seq))


def plain(record: Any) -> dict[str, float]:
    """A record of a loop as plain floats: a field of it is slow to get at."""
    return dict(zip(EVENT.names or (), record.item(), strict=True))


def event_of(state: State, table: Table, event: Any, names: Names, arrived: int | None, **numbers: Any) -> Change:
    """One record of a loop as a change; without `numbers` (alert, seq, id) it is not numbered yet."""
    e = event if isinstance(event, dict) else plain(event)
    row, d, index = int(e["row"]), int(e["detector"]), int(e["index"])
    detector = table.group.detectors[d]
    check = names[index] if index >= 0 else ""
    common: dict[str, Any] = dict(
        time=int(e["t"]), arrived=int(e["t"]) if arrived is None else arrived, pack=detector.pack, site=table.sites[row],
        indicator=detector.indicator,
        detector=detector.path, scope=detector.scope, group=detector.group,
        plan=state.plan.hash, source=state.source(table, row))
    if e["what"] == 2.0:
        return Change(kind="error", fresh="error", value=float(e["value"]), check="score is not finite", **common)
    return Change(
        **numbers, before=int(e["before"]), to=int(e["level"]), direction="low" if e["side"] else "high",
        confidence="suspect" if e["doubt"] else "good", cap=None if isnan(e["cap"]) else int(e["cap"]),
        check=check if e["doubt"] else "", value=float(e["value"]), score=float(e["score"]), limit=float(e["limit"]),
        since=int(e["since"]), onset=None if isnan(e["onset"]) else int(e["onset"]),
        forecast=_forecast(table, row, d, float(e["limit"])), **common)


def freshness(state: State, table: Table, row: int, fresh: str, time: int, arrived: int) -> Change:
    """A series fell silent, or spoke (again)."""
    indicator = table.group.indicator
    value = float(table.live.series["value"][row])
    contact = table.live.series["contact"][row]
    return Change(kind="fresh", time=time, arrived=arrived, pack=indicator.pack, site=table.sites[row], indicator=indicator.id,
                  fresh=fresh, value=value if isfinite(value) else None, since=int(contact) if fresh == "stale" else None,
                  plan=state.plan.hash, source=state.source(table, row))


def sensors(state: State, table: Table, slot: Any, t: Any, x: Any, was: Any, outcome: Any, arrived: int | None) -> list[Change]:
    """A sensor that began or ended to give what cannot be (fail) or nothing (missing)."""
    indicator, changes = table.group.indicator, []
    last = dict(zip(slot.tolist(), was.tolist(), strict=True))
    for i, row in enumerate(slot.tolist()):
        now = float(outcome.flag[i])
        if (now >= 4.0) != (last[row] >= 4.0):
            check = "missing" if now == 9.0 else table.check_names[outcome.check[i]]
            value = float(x[i]) if isfinite(x[i]) else None
            changes.append(Change(
                kind="sensor", time=int(t[i]), arrived=int(t[i]) if arrived is None else arrived, pack=indicator.pack,
                site=table.sites[row], indicator=indicator.id,
                fresh="error" if now >= 4.0 else "fresh", check=check, value=value, plan=state.plan.hash,
                source=state.source(table, row)))
        last[row] = now
    return changes


def _forecast(table: Table, row: int, d: int, limit: float) -> tuple[float, float, float] | None:
    """Seconds left until the limit, where the kind can tell."""
    kind = table.group.kinds[d].algorithm
    if not hasattr(kind, "forecast"):
        return None
    p = table.parameters[len(table.group.checks) + d][row]
    median, low, high = kind.forecast(_Plain(p), _Plain(table.live.kinds[d][row]), limit)
    return float(median), float(low), float(high)


class _Plain:
    """Attribute access to a record, for a function that is called once an event."""

    def __init__(self, record: Any) -> None:
        self._record = record

    def __getattr__(self, name: str) -> Any:
        return self._record[name]
