"""`wanglou backtest`: how good the detectors of a pack are against what really happened."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.replay.backtest import Row


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    pack: Annotated[str, typer.Argument(help="The pack whose detectors are measured.")],
    history: Annotated[list[Path], typer.Option(help="History CSV; may be given several times.")],
    episodes: Annotated[Path, typer.Option(help="CSV: site,level,start,end[,note]; empty level = any above normal.")],
    configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
    window: Annotated[str, typer.Option(help="An alarm counts for an episode from so long before its start.")] = "24h",
    merge: Annotated[str, typer.Option(help="Alarms of one site so close together are one.")] = "1h",
    tz: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "",
    time: Annotated[str, typer.Option(help="Name of the time column.")] = "",
    site: Annotated[str, typer.Option(help="Name of the site column, or the one site of a wide file.")] = "",
    map: Annotated[str, typer.Option(help="Wide files: COLUMN=indicator,COLUMN=indicator")] = "",
    arrived: Annotated[str, typer.Option(help="Column of arrival times; without one a reading arrives at its own time.")] = "",
    json: Annotated[bool, typer.Option("--json", help="A JSON list, one object per detector and level.")] = False,
) -> None:
    """Judge a history and compare the alarms with labelled episodes; exit 1 below the pack's own gates."""
    from dataclasses import asdict

    from msgspec.json import encode

    from streams.errors import UsageError, WanglouError
    from streams.packs.faults import meant
    from streams.packs.offsets import micros
    from streams.replay import backtest as testing
    from streams.replay.episodes import read
    from streams.replay.options import city_of, history_of

    widths = micros(window, "--window"), micros(merge, "--merge")
    city, _ = city_of(configs)
    chosen = next((p for p in city.packs if p.id == pack), None)
    if chosen is None:
        raise UsageError(f"no pack {pack!r}{meant(pack, [p.id for p in city.packs])}")
    labels = read(episodes, tz)
    past = history_of(history, tz, time, site, map, arrived)
    rows = testing.backtest(city, past, labels, pack, *widths)
    print(f"{len(past)} readings, {len(past.rejects)} rejects, {len(labels)} episodes", file=sys.stderr)
    for note in [*past.rejects[:20], *testing.strangers(chosen, labels, testing.covered(past))]:
        print(note, file=sys.stderr)
    if json:
        print(encode([asdict(row) for row in rows]).decode())
    else:
        _table(rows)
    short = testing.failures(chosen, rows)
    if short:
        raise WanglouError("\n".join(short))




def _table(rows: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    for name in ("detector", "level"):
        table.add_column(name)
    for name in ("episodes", "hits", "misses", "false", "POD", "FAR", "CSI", "lead", "lead p10", "alarms/day", "days", "scored"):
        table.add_column(name, justify="right")
    for row in rows:
        figures = [f"{v:.2f}" if v is not None else "-" for v in (row.pod, row.far, row.csi)]
        leads = [_hours(v) for v in (row.lead_median_s, row.lead_p10_s)]
        daily = f"{row.alarms_per_day:.3f}" if row.alarms_per_day is not None else "-"
        counts = map(str, (row.episodes, row.hits, row.misses, row.false_alarms))
        table.add_row(row.detector, row.level, *counts, *figures, *leads,
                      daily, f"{row.days:.1f}", str(row.scored))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _hours(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds / 3600:.1f} h"
