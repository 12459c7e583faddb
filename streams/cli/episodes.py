"""`wanglou episodes`: what people said of closed warnings, as labelled episodes for the backtest."""
from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Labelled episodes from the close-outs of the desk.")


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.add_typer(app, name="episodes")


@app.callback()
def episodes() -> None:
    """Labelled episodes from the close-outs of the desk."""


@app.command("export")
def export(
    pack: Annotated[str, typer.Argument(help="The pack whose warnings are listed.")],
    since: Annotated[str, typer.Option("--from", help="Onset from (ISO 8601 with a zone, or a day in --tz).")] = "",
    until: Annotated[str, typer.Option("--to", help="Onset before.")] = "",
    out: Annotated[Path | None, typer.Option(help="File to write; default: stdout.")] = None,
    tz: Annotated[str, typer.Option(help="Zone of times that name none.")] = "",
) -> None:
    """Write an episodes CSV: true warnings from onset to back under the limit; false ones and faults listed as such."""
    from streams.history.take import FIRST, LAST
    from streams.replay.options import writable
    from streams.replay.stores import closed, counts, lines
    from streams.replay.times import moment
    from streams.settings import settings

    said = closed(settings().desk_url, pack, moment(since, tz, "--from") if since else FIRST,
                  moment(until, tz, "--to") if until else LAST)
    stream = writable(out).open("w", encoding="utf-8", newline="") if out else sys.stdout
    try:
        made = csv.writer(stream, lineterminator="\n")
        made.writerow(("site", "level", "start", "end", "indicator", "outcome", "note"))
        made.writerows(lines(said))
    finally:
        if out:
            stream.close()
    print(f"{len(said)} closed warnings of {pack}: {counts(said)}", file=sys.stderr)
