"""`wanglou roster import`: a roster from CSV or xlsx into the desk's database."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.desk.duty.sheet import Sheet

app = typer.Typer(no_args_is_help=True, help="Who keeps watch.")


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.add_typer(app, name="roster")


@app.callback()
def roster() -> None:
    """Who keeps watch."""


@app.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(help="CSV (UTF-8 or GBK) or xlsx: post,from,to,person[,label,name,CHANNEL…]")],
    configs: Annotated[Path | None, typer.Option(help="Folder of configs, for the posts.")] = None,
    desk_url: Annotated[str | None, typer.Option("--desk", help="The desk's database (WANGLOU_DESK_URL).")] = None,
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong and what would change.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Put rosters into force, all or none. Every fault is told with file, row and column; exit 1 if there is one."""
    import json

    from sqlalchemy import select

    from streams import clock
    from streams.desk.alert import Actor
    from streams.desk.duty.deeds import changes, enforce_sheet
    from streams.desk.duty.sheet import read
    from streams.desk.duty.tables import Person
    from streams.desk.folding.fold import Moment
    from streams.desk.names import Names
    from streams.desk.store import Store
    from streams.packs import find_configs, load_city
    from streams.settings import settings

    city, out = load_city(find_configs(configs)), {"new": 0, "other": 0, "gone": 0, "people": 0}
    store, m, faults = Store(settings(desk_url=desk_url).desk_url), Moment(clock.now(), Names(city)), []
    try:
        with store.begin() as s:
            for file in files:
                sheet = read(_bytes(file), [p.id for p in city.posts], s.scalars(select(Person.code)).all())
                faults += [f"{file}:{line}" for line in told(sheet)]
                done = changes(s, sheet.plain(), m) if check or faults else enforce_sheet(s, sheet.plain(), Actor(), m)
                out = {key: out[key] + getattr(done, key) for key in out}
            if faults:
                s.rollback()
    finally:
        store.close()
    if as_json:
        print(json.dumps({"faults": faults, "applied": not (faults or check), **out}, ensure_ascii=False))
    else:
        print("\n".join([*faults, f"{'would be ' if check or faults else ''}new {out['new']}, changed {out['other']}, "
                         f"removed {out['gone']}, people {out['people']}; {len(faults)} faults"]))
    raise typer.Exit(1 if faults else 0)


def _bytes(file: Path) -> bytes:
    from streams.errors import UsageError

    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def told(sheet: Sheet) -> list[str]:
    """`row:column: what` of each fault, in English; hints are left to the page."""
    from streams.desk.words import say

    return [f"{f.row}:{f.column}: {say(f.key, 'en', **f.values)}" for f in sorted(sheet.faults, key=lambda f: (f.row, f.column))]
