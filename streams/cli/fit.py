"""`wanglou fit`: what kinds learn from history, made and put into the log."""
from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from detectors.pack import City
    from streams.settings import Settings


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("fit")(fit)


def fit(
    pack: Annotated[str, typer.Argument(help="The pack whose detectors are fitted.")],
    as_of: Annotated[str, typer.Option(help="Only what had arrived before this time (with a zone); default: now, or the newest "
                                            "arrival of the CSV.")] = "",
    history: Annotated[list[Path] | None, typer.Option(help="History CSV instead of history.db; may be given more than once.")
                       ] = None,
    configs: Annotated[Path | None, typer.Option(help="Folder of configs; default: the plan in force.")] = None,
    tz: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be fitted and write nothing.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a detector.")] = False,
) -> None:
    """Fit what the pack's detectors ask for (`fit:`, or a kind that must be fitted) and write the rows into the log.

    Run it every night, or with each published period. A series with too little history stays as it is (warming).
    """
    from msgspec.json import encode

    from streams.clock import now
    from streams.errors import UsageError
    from streams.fit import derived_to_fit, fit_rows, frame_of
    from streams.packs.faults import meant
    from streams.replay.options import history_of
    from streams.settings import settings
    from streams.warming import history as stored
    from streams.warming import send
    from streams.worker.generations import current

    ours = settings(configs=configs)
    city = _city(ours, configs, bool(history) or dry_run)
    chosen = next((p for p in city.packs if p.id == pack), None)
    if chosen is None:
        raise UsageError(f"no pack {pack!r}{meant(pack, [p.id for p in city.packs])}")
    asking = {d.path: (d.use.kind, d.sites, d.indicator) for d in chosen.detectors if d.fit is not None}
    asking |= {i.id: (i.derive.use.kind, i.sites, i.id) for i in derived_to_fit(city) if i.pack == pack and i.derive}
    paths = [d.path for d in chosen.detectors]
    moment = _moment(as_of)
    if history:
        frame = frame_of(history_of(history, tz))
        moment = moment or int(frame["arrived"].max() + 1 if len(frame) else 0)
    else:
        moment = moment or now()
        frame = stored(ours, city, paths, moment)
    found = fit_rows(city, frame, moment, paths)
    written = 0 if dry_run or not found else send(current(ours), found)
    many = Counter(row.detector for row in found)
    sites = {i.id: len(i.sites) for p in city.packs for i in p.indicators}
    for path, (kind, some, indicator) in asking.items():
        of = len(some) or sites[indicator]
        if json:
            print(encode({"detector": path, "kind": kind, "fitted": many[path], "series": of, "as_of": moment,
                          "written": not dry_run and many[path] > 0}).decode())
        else:
            left = f"; {of - many[path]} warming: too little history" if many[path] < of else ""
            print(f"{path} ({kind}): {many[path]} of {of} series fitted{left}")
    if not json:
        print(f"{written} rows written" if not dry_run else "nothing written (dry run)")
        if not asking:
            print(f"nothing in {pack} asks for a fit")


def _city(ours: Settings, configs: Path | None, offline: bool) -> City:
    """The configs folder where one is named or nothing of the service is asked, else the plan in force."""
    from streams.packs import find_configs, load_city
    from streams.plans import Plans, city_of
    from streams.sql import engine

    newest = None if configs is not None or offline else Plans(engine(ours.state_url)).newest()
    return load_city(find_configs(ours.configs)) if newest is None else city_of(newest[1])


def _moment(text: str) -> int:
    """µs UTC; 0 where none is given."""
    from streams.clock import micros
    from streams.errors import UsageError

    try:
        return micros(text) if text else 0
    except ValueError as error:
        raise UsageError(f"--as-of: {error}") from None
