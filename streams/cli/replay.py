"""`wanglou replay`: a history through the same judge and rules, offline."""
from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.replay.lines import Reject


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay)


def replay(
    files: Annotated[list[Path], typer.Argument(metavar="CSV...", help="time,site,indicator,value[,flag][,arrived]")],
    out: Annotated[Path, typer.Option(help="Events, one JSON object a line; what was refused goes to OUT.rejects.jsonl.")],
    configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
    tz: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "",
    time: Annotated[str, typer.Option(help="Name of the time column.")] = "",
    site: Annotated[str, typer.Option(help="Name of the site column, or the one site of a wide file.")] = "",
    map: Annotated[str, typer.Option(help="Wide files: COLUMN=indicator,COLUMN=indicator")] = "",
    arrived: Annotated[str, typer.Option(help="Column of arrival times; without one a reading arrives at its own time.")] = "",
    until: Annotated[str, typer.Option(help="A last tick at this time (with a zone), later than the newest arrival.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Judge histories as the service would have done, reading by reading as it arrived, and write the events."""
    from msgspec.json import encode

    from detectors.plan import Plan
    from streams.events import event_json
    from streams.replay.offline import run
    from streams.replay.options import city_of, history_of, known, writable
    from streams.replay.refit import records

    end = _end(until)
    city, name = city_of(configs)
    history = known(history_of(files, tz, time, site, map, arrived), set(Plan(city).series))
    events, unjudged = 0, Counter[str]()
    with writable(out).open("wb") as file:
        for event in run(city, records(city, history), name, until=end, unjudged=unjudged):
            file.write(encode(event_json(event)) + b"\n")
            events += 1
    reasons = _write_rejects(Path(f"{out}.rejects.jsonl"), history.rejects)
    counts = {"readings": len(history), "events": events, "rejects": sum(reasons.values()), "reasons": dict(reasons),
              "not_judged": dict(unjudged)}
    if json:
        print(encode(counts).decode())
    print(f"{len(history)} readings, {events} events, {counts['rejects']} rejects{_listed(reasons)}, "
          f"{unjudged.total()} not judged{_listed(unjudged)}", file=sys.stderr)


def _listed(counts: Counter[str]) -> str:
    """` (3 late, 1 future)`, or nothing."""
    return f" ({', '.join(f'{count} {word}' for word, count in counts.most_common())})" if counts else ""


def _end(until: str) -> int | None:
    from streams.clock import micros
    from streams.errors import UsageError

    try:
        return micros(until) if until else None
    except ValueError as error:
        raise UsageError(f"--until: {error}") from None


def _write_rejects(path: Path, rejects: Iterable[Reject]) -> Counter[str]:
    """One JSON object a line; no file when there is nothing to say (an older one goes)."""
    from dataclasses import asdict

    from msgspec.json import encode

    rows = list(rejects)
    if rows:
        path.write_bytes(b"".join(encode(asdict(row)) + b"\n" for row in rows))
    else:
        path.unlink(missing_ok=True)
    return Counter(row.reason for row in rows)
