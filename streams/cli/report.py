"""`wanglou report`: the month in figures, for the command line, a spreadsheet or a page."""
from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.desk.monthly.figures import Month
    from streams.desk.names import Names
    from streams.replay.episodes import Episode


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("report")(report)


def report(
    month: Annotated[str, typer.Option(help="The month, in the city's zone: 2026-06.")],
    xlsx: Annotated[Path | None, typer.Option(help="Workbook to write, two sheets.")] = None,
    html: Annotated[Path | None, typer.Option(help="One HTML page to write.")] = None,
    lang: Annotated[str, typer.Option(help="Language of both: zh or en.")] = "zh",
    configs: Annotated[Path | None, typer.Option(help="Folder of configs, for the packs' episodes.csv.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Skill by detector (fired, true, false, fault, precision, missed) and answer times by agency, from the desk's database."""
    from msgspec.json import encode
    from sqlalchemy.orm import Session

    from streams.desk.labels import desk_at
    from streams.desk.monthly.figures import bounds, figures
    from streams.desk.monthly.report import page, plain, workbook
    from streams.desk.names import Names, from_state
    from streams.errors import UsageError, WanglouError
    from streams.replay.options import writable
    from streams.settings import settings

    if lang not in ("zh", "en"):
        raise UsageError(f"--lang {lang}: zh or en")
    bounds(month)
    ours = settings(configs=configs)
    found = from_state(ours.state_url)()
    desk = desk_at(ours.desk_url)
    if found is None or desk is None:
        raise WanglouError(f"there is no {'plan in the state' if found is None else 'warning in the desk'} database yet")
    names = Names(found[1], found[0])
    with Session(desk) as s:
        said = figures(s, names, month, _happened(names, ours.configs))
    if xlsx:
        writable(xlsx).write_bytes(workbook(said, lang))
    if html:
        writable(html).write_text(page(said, lang), "utf-8")
    if json:
        print(encode(plain(said)).decode())
    elif not (xlsx or html):
        _tables(said)


def _happened(names: Names, configs: Path | None) -> dict[str, list[Episode]]:
    """The labelled episodes of each pack that has any."""
    from streams.packs import find_configs
    from streams.replay.episodes import read

    folder = find_configs(configs) / "packs"
    return {pack: read(file) for pack in names.packs if (file := folder / pack / "episodes.csv").is_file()}


def _tables(month: Month) -> None:
    from rich.console import Console
    from rich.table import Table

    from streams.desk.monthly.report import share

    skill = Table("detector", "fired", "true", "false", "fault", "open", "precision", "missed", box=None, title=month.name)
    for row in month.skill:
        missed = "—" if row.missed is None else f"{row.missed} of {row.episodes}"
        skill.add_row(row.path, *map(str, (row.fired, row.true, row.false, row.fault, row.open)), share(row.precision), missed)
    answers = Table("agency", "calls", "answered", "passed on", "overdue", "in time", "median s", box=None)
    for agency in month.answers:
        answers.add_row(agency.agency or "—", *map(str, (agency.calls, agency.answered, agency.passed, agency.overdue)),
                        share(agency.in_time), "—" if agency.median is None else f"{agency.median:.0f}")
    for table in (skill, answers):
        Console().print(table)
