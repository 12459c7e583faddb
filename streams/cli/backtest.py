"""`wanglou backtest`: how good the detectors of a pack are against what really happened."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from detectors.pack import City
    from streams.replay.backtest import Study
    from streams.replay.episodes import Episode
    from streams.replay.history import History
    from streams.replay.judged import Span
    from streams.replay.match import Row
    from streams.replay.suggest import Advice


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("backtest")(backtest)


def backtest(
    pack: Annotated[str, typer.Argument(help="The pack whose detectors are measured.")],
    history: Annotated[list[Path] | None, typer.Option(help="CSV or parquet, also several; default: history.db.")] = None,
    episodes: Annotated[Path | None, typer.Option(help="CSV: site,level,start,end[,indicator][,outcome][,note]; empty level = "
                                                  "any above normal. Default: the pack's and the desk's close-outs.")] = None,
    configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
    window: Annotated[str, typer.Option(help="An alarm counts for an episode from so long before its start.")] = "24h",
    merge: Annotated[str, typer.Option(help="Alarms of one site so close together are one.")] = "1h",
    tz: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "",
    time: Annotated[str, typer.Option(help="Name of the time column.")] = "",
    site: Annotated[str, typer.Option(help="Name of the site column, or the one site of a wide file.")] = "",
    map: Annotated[str, typer.Option(help="Wide files: COLUMN=indicator,COLUMN=indicator")] = "",
    arrived: Annotated[str, typer.Option(help="Column of arrival times; without one a reading arrives at its own time.")] = "",
    after: Annotated[str, typer.Option(help="And to so long after its end.")] = "0s",
    against: Annotated[Path | None, typer.Option(help="Another folder of configs with the same pack, side by side.")] = None,
    report: Annotated[Path | None, typer.Option(help="One HTML file with pictures and the same numbers as JSON.")] = None,
    lang: Annotated[str, typer.Option(help="Language of the report: zh or en.")] = "zh",
    suggest: Annotated[bool, typer.Option("--suggest", help="Look for limits that would have done better.")] = False,
    desk: Annotated[bool | None, typer.Option(help="Episodes of warnings closed as true as well; default: without --episodes.")
                    ] = None,
    store: Annotated[bool, typer.Option("--store", help="Keep the figures in the state database: pages and metrics show them.")
                     ] = False,
    json: Annotated[bool, typer.Option("--json", help="A JSON list, one object per detector and level.")] = False,
) -> None:
    """Judge a history and compare the alarms with labelled episodes; exit 1 below the pack's own gates."""
    from dataclasses import asdict

    from msgspec.json import encode

    from streams.errors import UsageError, WanglouError
    from streams.packs.faults import meant
    from streams.packs.offsets import micros
    from streams.replay import backtest as testing
    from streams.replay.bar import bar
    from streams.replay.match import Window
    from streams.replay.options import city_of, writable

    by = Window(*(micros(text, name) for text, name in ((window, "--window"), (after, "--after"), (merge, "--merge"))))
    if lang not in ("zh", "en"):
        raise UsageError(f"--lang {lang}: zh or en")
    target = writable(report) if report else None
    city, version = city_of(configs)
    chosen = next((p for p in city.packs if p.id == pack), None)
    if chosen is None:
        raise UsageError(f"no pack {pack!r}{meant(pack, [p.id for p in city.packs])}")
    other, was = city_of(against, pack) if against else (None, "")
    with bar("reading"):
        past, labels, notes = _past(city, chosen.id, configs, history, episodes, desk, (tz, time, site, map, arrived))
    with bar("judging", len(past) * (2 if other else 1)) as progress:
        study = testing.study(city, past, labels, pack, by, progress=progress)
        before = testing.study(other, past, labels, pack, by, progress=progress) if other else None
    rows = list(study.rows.values())
    print(f"{len(past)} readings, {len(past.rejects)} rejects, {len(labels)} episodes", file=sys.stderr)
    for note in [*notes, *past.rejects[:20], *testing.strangers(chosen, labels, testing.covered(past))]:
        print(note, file=sys.stderr)
    advice = _advice(city, past, labels, pack, study) if suggest else {}
    if json:
        print(encode([asdict(row) for row in rows]).decode())
    else:
        _table(rows)
        _pictures(study, testing.covered(past))
        for (path, level), found in advice.items():
            print(f"{path} level {level}: with {found.text} CSI {found.csi:.2f}, "
                  f"{found.fewer} fewer false alarms, {found.missed} more missed")
    if target is not None:
        from streams.replay.report.page import Told, page

        target.write_text(page(Told(city, chosen, past, study, version[:8], before, was[:8], advice), lang), "utf-8")
    if store:
        _store(city, version, rows, ", ".join(f"{f}" for f in history) if history else "history")
    short = testing.failures(chosen, rows)
    if short:
        raise WanglouError("\n".join(short))


def _past(city: City, pack: str, configs: Path | None, files: list[Path] | None, labels: Path | None, desk: bool | None,
          named: tuple[str, str, str, str, str]) -> tuple[History, list[Episode], list[str]]:
    """Readings and episodes, each from the file that was given or from the stores."""
    from streams.errors import WanglouError
    from streams.packs import find_configs
    from streams.replay.episodes import read
    from streams.replay.options import history_of
    from streams.replay.stores import closed, past, within
    from streams.replay.stores import episodes as true_ones
    from streams.settings import settings

    own = find_configs(configs) / "packs" / pack / "episodes.csv"
    asked = labels is None if desk is None else desk
    if files:
        given = read(labels, named[0]) if labels else []        # all of them count, also where no reading is
        kept = read(own, named[0]) if not labels and own.is_file() else []
        kept += true_ones(closed(settings().desk_url, pack), given + kept) if asked else []
        told = within(history_of(files, *named, texts=False), kept)
        found, known, notes = told.history, given + told.episodes, told.notes
    else:
        stored = past(settings(), city, pack, labels or own, asked)
        found, known, notes = stored.history, stored.episodes, stored.notes
    if not len(found) or not known:
        lack = "history holds no reading of it: give --history, or `wanglou history import`" if not len(found) else \
            f"no episode is known in that time: give --episodes, or write {own}"
        raise WanglouError("\n".join([f"pack {pack}: {lack}", *notes]))
    return found, known, notes


def _store(city: City, version: str, rows: list[Row], source: str) -> None:
    from streams.settings import settings
    from streams.skill import Skill
    from streams.sql import engine

    print(f"{Skill(engine(settings().state_url)).put(city, version, rows, source)} rows stored", file=sys.stderr)


def _advice(city: City, past: History, labels: list[Episode], pack: str, study: Study) -> dict[tuple[str, int], Advice]:
    from streams.replay.suggest import suggest

    return suggest(city, past, labels, pack, study)


def _pictures(study: Study, whole: Span) -> None:
    """Each detector and level as one line: ● hit, ○ missed, ✕ false."""
    from streams.replay.report.picture import terminal

    width = max((len(f"{row.detector} {row.level}") for row in study.rows.values()), default=0)
    for key, row in study.rows.items():
        print(f"{row.detector + ' ' + row.level:<{width}} {terminal(study.account(key).matches, whole)}")


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
