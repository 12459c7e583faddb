"""`wanglou history`: run the stage history; `history import` and `export` move readings between its database and CSV."""
from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from streams.history.take import Chosen

app = typer.Typer(invoke_without_command=True, help="Run history until SIGTERM; with a command below, look after what it holds.")
Json = Annotated[bool, typer.Option("--json", help="One JSON object.")]
Configs = Annotated[Path | None, typer.Option(help="Folder of configs.")]


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.add_typer(app, name="history")


@app.callback()
def history(context: typer.Context) -> None:
    """Run history until SIGTERM. Settings come from WANGLOU_… (broker, databases)."""
    if context.invoked_subcommand:
        return
    from streams.agents import history_stage
    from streams.settings import settings
    from streams.worker.app import run

    run(history_stage, "history", settings())


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV (.csv.gz) or parquet: time,site,indicator,value[,flag][,arrived].")],
    configs: Configs = None,
    tz: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "",
    time: Annotated[str, typer.Option(help="Name of the time column.")] = "",
    site: Annotated[str, typer.Option(help="Name of the site column, or the one site of a wide file.")] = "",
    map: Annotated[str, typer.Option(help="Wide files: COLUMN=indicator,COLUMN=indicator")] = "",
    arrived: Annotated[str, typer.Option(help="Column of arrival times; without one a reading arrives at its own time.")] = "",
    any: Annotated[bool, typer.Option("--any", help="Take series that no pack has as well.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Where an arrival has another value, take the file's.")] = False,
    json: Json = False,
) -> None:
    """Write old readings into the history database; no warning comes of them. May be run again: nothing is there twice."""
    from dataclasses import asdict

    from streams.replay.bar import bar
    from streams.replay.bring import bring
    from streams.replay.options import city_of, history_of, known

    past = history_of(files, tz, time, site, map, arrived)
    if not any:
        city, _ = city_of(configs)
        past = known(past, {f"{i.id}@{s}" for p in city.packs for i in p.indicators for s in i.sites})
    with bar("writing", len(past)) as progress:
        done = bring(_database(past.t.tolist()), past, replace, progress)
    for reject in past.rejects[:20]:
        print(reject, file=sys.stderr)
    if json:
        _say({**asdict(done), "rejects": len(past.rejects), "series": len({past.series[n] for n in set(past.index.tolist())})})
        return
    fate = "replaced" if replace else "with another value left as they were (--replace takes the file's)"
    print(f"{done.read} readings: {done.new} new, {done.there} there already"
          f"{f', {done.other} {fate}' if done.other else ''}"
          f"{f', {done.repeated} repeated in the files' if done.repeated else ''}; {len(past.rejects)} rejects")


@app.command("export")
def export(
    out: Annotated[Path | None, typer.Option(help="File to write (.csv or, with the extra, .parquet); default: stdout.")] = None,
    series: Annotated[list[str] | None, typer.Option(help="indicator@site; may be given several times.")] = None,
    pack: Annotated[str, typer.Option(help="All series of this pack.")] = "",
    site: Annotated[list[str] | None, typer.Option(help="Only of these sites.")] = None,
    since: Annotated[str, typer.Option(help="Event time from (ISO 8601 with a zone, or a day in --tz).")] = "",
    until: Annotated[str, typer.Option(help="Event time before.")] = "",
    as_of: Annotated[str, typer.Option(help="As it was known then: nothing that arrived later.")] = "",
    vintages: Annotated[bool, typer.Option("--vintages", help="Every arrival of a reading, not only its newest.")] = False,
    tz: Annotated[str, typer.Option(help="Zone of times that name none.")] = "",
    configs: Configs = None,
    json: Json = False,
) -> None:
    """Readings of the history database as CSV or parquet that `history import`, `replay` and `backtest` read."""
    from streams.history.take import take
    from streams.replay.sheets import ready, write

    database = _database()
    chosen = _chosen(database, (series or [], pack, site or [], configs), (since, until, as_of, tz), vintages)
    count = write(take(database, chosen), ready(out) if out else None)
    if json and out:
        _say({"rows": count, "series": len(chosen.series), "file": str(out)})
    else:
        print(f"{count} rows of {len(chosen.series)} series", file=sys.stderr)


@app.command("grant")
def grant(name: Annotated[str, typer.Argument(help="A role of PostgreSQL; made without a password if there is none.")]) -> None:
    """Let a role read the history database and nothing else: for Grafana's SQL panels. PostgreSQL only."""
    from streams.history.partitions import let_read

    print(let_read(_database(), name))


def _chosen(database: Engine, what: tuple[list[str], str, list[str], Path | None], when: tuple[str, str, str, str],
            vintages: bool) -> Chosen:
    from streams.errors import UsageError
    from streams.history.take import FIRST, LAST, Chosen
    from streams.history.take import series as every
    from streams.packs.faults import meant
    from streams.replay.options import city_of
    from streams.replay.times import moment

    names, pack, sites, configs = what
    there = every(database)
    if lost := [name for name in names if name not in there]:
        raise UsageError(f"history has no series {lost[0]!r}{meant(lost[0], there)}")
    if pack:
        packs = city_of(configs)[0].packs
        if pack not in [p.id for p in packs]:
            raise UsageError(f"no pack {pack!r}{meant(pack, [p.id for p in packs])}")
        own = {f"{i.id}@{s}" for p in packs if p.id == pack for i in p.indicators for s in i.sites}
        there = [name for name in there if name in own]
    there = [name for name in there if (not names or name in names) and (not sites or name.partition("@")[2] in sites)]
    since, until, as_of, tz = when
    return Chosen(tuple(there), moment(since, tz, "--since") if since else FIRST, moment(until, tz, "--until") if until else LAST,
                  moment(as_of, tz, "--as-of") if as_of else LAST, vintages)


def _database(also: Sequence[int] = ()) -> Engine:
    """The history database with its tables (and those of the months of `also`). Unavailable when it does not answer."""
    from streams.history.partitions import prepare
    from streams.settings import settings
    from streams.sql import wait_for_database

    database = wait_for_database(settings().history_url, lambda said: print(said, file=sys.stderr), 5.0)
    prepare(database, also)
    return database


def _say(said: dict[str, Any]) -> None:
    from msgspec.json import encode

    print(encode(said).decode())
