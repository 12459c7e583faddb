"""What is wrong with an installation: broker, databases, topics, plan, lag; each looked at by itself."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import inspect, make_url, select

from streams import clock
from streams.broker import wait_for_broker
from streams.errors import WanglouError
from streams.plans import Plans
from streams.settings import Settings
from streams.sql import engine, wait_for_database
from streams.topics import check_topics, lengths
from streams.worker.generations import Generations
from streams.worker.snapshots import position


@dataclass(frozen=True)
class Finding:
    """One line of the report."""

    part: str
    ok: bool
    what: str


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings; what depends on a part that is not there is left out."""
    broker = list(_look("broker", lambda: _broker(settings)))
    yield from broker
    for name in ("state", "history", "desk"):
        yield from _look(f"{name} database", lambda name=name: _database(getattr(settings, f"{name}_url")))  # type: ignore[misc]
    yield from _look("plan", lambda: _plan(settings))
    if broker[0].ok:
        settings, growing = _generation(settings)
        faults = check_topics(settings)
        yield from (Finding("topics", False, fault) for fault in (*growing, *faults))
        if not faults:
            yield Finding("topics", True, f"all there, prefix {settings.prefix}, {settings.partitions} partitions"
                          + (f", generation {settings.generation}" if settings.generation > 1 else ""))
            yield from _lag(settings)


def _look(part: str, at: Callable[[], str]) -> Iterator[Finding]:
    try:
        yield Finding(part, True, at())
    except WanglouError as error:
        yield Finding(part, False, str(error))


def _broker(settings: Settings) -> str:
    wait_for_broker(settings.broker, lambda _: None, limit=3)
    return settings.broker


def _database(url: str) -> str:
    wait_for_database(url, lambda _: None, limit=3)
    return make_url(url).render_as_string(hide_password=True)


def _plan(settings: Settings) -> str:
    newest = Plans(wait_for_database(settings.state_url, lambda _: None, limit=3)).newest()
    if newest is None:
        raise WanglouError("there is none; run `wanglou apply`")
    return f"{newest[0]}, {len(newest[1])} bytes"


def _generation(settings: Settings) -> tuple[Settings, list[str]]:
    """The settings for the generation in force, and what is wrong with it. A database that is away has been told of already."""
    try:
        generations = Generations(wait_for_database(settings.state_url, lambda _: None, limit=3))
    except WanglouError:
        return settings, []
    row = generations.unopened()
    faults = [] if row is None else [f"a growth to {row.partitions} partitions is not done yet, feeds write to their disks: "
                                     f"`wanglou topics grow --partitions {row.partitions}` finishes it"]
    return generations.current(settings), faults


def _lag(settings: Settings) -> Iterator[Finding]:
    """How far each stage's snapshot is behind the log; a stage that never ran is a fault."""
    ends = {f"{settings.topic(name)}/{p}": end for (name, p), (_, end) in lengths(settings).items()}
    for stage, url in (("judge", settings.state_url), ("combine", settings.state_url), ("history", settings.history_url)):
        made = engine(url)
        rows = []
        if inspect(made).has_table("position"):
            with made.connect() as connection:
                rows = list(connection.execute(select(position).where(position.c.stage == stage)))
        rows = [row for row in rows if f"{row.topic}/{row.partition}" in ends]
        if not rows:
            yield Finding(stage, False, "has never saved a snapshot here")
            continue
        behind = {f"{row.topic}/{row.partition}": ends[f"{row.topic}/{row.partition}"] - row.applied - 1 for row in rows}
        saved = max(row.saved for row in rows)
        age = "never saved" if not saved else f"last snapshot {(clock.now() - saved) / 1e6:.0f} s ago"
        plans = ", ".join(sorted({row.plan for row in rows if row.plan})) or "none"
        if ahead := [place for place, records in behind.items() if records < 0]:
            yield Finding(stage, False, f"its snapshot is ahead of {', '.join(ahead)}: this is not the log it was made from")
        else:
            yield Finding(stage, bool(saved), f"{sum(behind.values())} records behind, {age}, plan {plans}")
