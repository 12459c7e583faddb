"""`wanglou explain`: one alert worked out again."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.replay.explain import Explanation


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("explain")(explain)


def explain(
    alert: Annotated[str, typer.Argument(help="Id of an alert or of one of its events.")],
    history: Annotated[list[Path], typer.Option(help="History file (CSV or parquet); may be given several times.")],
    configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
    tz: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "",
    time: Annotated[str, typer.Option(help="Name of the time column.")] = "",
    site: Annotated[str, typer.Option(help="Name of the site column, or the one site of a wide file.")] = "",
    map: Annotated[str, typer.Option(help="Wide files: COLUMN=indicator,COLUMN=indicator")] = "",
    arrived: Annotated[str, typer.Option(help="Column of arrival times; without one a reading arrives at its own time.")] = "",
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Judge the history again and show why the alert was given: readings, flags, limits, the entry of the pack."""
    from msgspec.json import encode

    from streams.replay import explain as explaining
    from streams.replay.options import city_of, history_of

    city, name = city_of(configs)
    found = explaining.explain(city, history_of(history, tz, time, site, map, arrived), alert, name)
    if json:
        print(encode(found.plain()).decode())
    else:
        _print(found)


def _print(found: Explanation) -> None:
    plain = found.plain()
    print(f"alert {found.alert}  {plain['path']}")
    print(f"  entry   {found.file}")
    why = "  ".join(filter(None, plain["why"].values()))
    print(f"  why     {why or '-'}" + (f"  [{plain['source']}]" if plain["source"] else ""))
    for limit in found.limits:
        print(f"  limit   {limit}")
    for event in plain["events"]:
        figures = " ".join(f"{k}={event[k]:g}" for k in ("value", "score", "limit") if k in event)
        marks = " ".join(str(event[k]) for k in ("direction", "confidence", "check", "fresh") if k in event)
        more = f" revision {event['revision']}" if event.get("revision") else ""
        print(f"  event   {event['id']}  {event['time']}  {event['from']} → {event['to']}  {figures} {marks}{more}"
              + ("  withdrawn" if event.get("withdrawn") else "") + f"  (arrived {event['arrived']})")
    for seen in plain["readings"]:
        value = "-" if seen["value"] is None else f"{seen['value']:g}"
        print(f"  reading {seen['series']}  {seen['time']}  {value:>10}  {seen['flag']} {seen['check']}".rstrip())
    for line in found.absent:
        print(f"  absent  {line}")
