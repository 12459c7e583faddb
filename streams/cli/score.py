"""`wanglou score`: what one detector makes of every row of a history."""
from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score")(score)


def score(
    files: Annotated[list[Path], typer.Argument(metavar="CSV...", help="time,site,indicator,value[,flag][,arrived]")],
    detector: Annotated[str, typer.Option(help="PACK/ID")],
    out: Annotated[Path, typer.Option(help="CSV: time,site,indicator,value,score,flag,level; a row for every input row.")],
    configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
    tz: Annotated[str, typer.Option(help="Zone of times that name none, such as Asia/Shanghai.")] = "",
    time: Annotated[str, typer.Option(help="Name of the time column.")] = "",
    site: Annotated[str, typer.Option(help="Name of the site column, or the one site of a wide file.")] = "",
    map: Annotated[str, typer.Option(help="Wide files: COLUMN=indicator,COLUMN=indicator")] = "",
    arrived: Annotated[str, typer.Option(help="Column of arrival times; without one a reading arrives at its own time.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Write the score, the flag (QARTOD) and the level of one detector beside each row, in the input's order."""
    import numpy as np
    from msgspec.json import encode

    from streams.replay import score as scoring
    from streams.replay.options import city_of, history_of, parts, writable

    city, _ = city_of(configs)
    parts(detector, city)
    history = history_of(files, tz, time, site, map, arrived)
    target = writable(out)
    scores = scoring.score(city, history, detector)
    scoring.write(history, scores, target)
    counts = {"rows": len(history.frame), "scored": int(np.isfinite(scores.score).sum()), "rejects": len(history.rejects)}
    for reject in history.rejects[:20]:
        print(reject, file=sys.stderr)
    if json:
        print(encode(counts).decode())
    print(f"{counts['rows']} rows, {counts['scored']} scored, {counts['rejects']} rejects", file=sys.stderr)
