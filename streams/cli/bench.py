"""`wanglou bench`: every figure that this project claims, measured on this machine."""
from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from streams.errors import Unavailable, UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench)


def bench(name: Annotated[list[str] | None, typer.Argument(help="these only; all if left out")] = None,
          quick: Annotated[bool, typer.Option("--quick", help="one short round: whether they run")] = False,
          table: Annotated[Path | None, typer.Option(help="write all figures into this Markdown file")] = None,
          as_json: Annotated[bool, typer.Option("--json", help="one JSON object; words go to stderr")] = False) -> None:
    """Print one line a figure, as ratios where there is something to compare, and all of it as a JSON object last.

    The first line says how busy the machine is.
    """
    if name == ["job"]:
        from streams.bench.tools.job import job

        job()                                   # not a figure: a comparison with others starts it and watches it from outside
        return
    from tempfile import TemporaryDirectory

    from streams.bench.tools.frame import Bench, load, machine, names, tabled
    from streams.packs.faults import meant

    for unknown in (n for n in name or () if n not in names()):
        raise UsageError(f"no benchmark {unknown!r}{meant(unknown, names())}")

    if table and (name or quick):
        raise UsageError("--table keeps a whole run: without names and without --quick")

    def say(text: object) -> None:
        print(text, file=sys.stderr if as_json else sys.stdout, flush=True)

    where = machine()
    say(f"load average {' '.join(map(str, where['load']))} on {where['cpus']} CPUs ({where['cpu']}); "
        + ", ".join(f"{what} {where[what]}" for what in ("python", "numpy", "numba", "faust-streaming", "aiokafka")))
    figures, lacking, lines = [], {}, []
    with TemporaryDirectory(prefix="wanglou-bench-", ignore_cleanup_errors=True) as folder:
        run = Bench(quick, Path(folder), say)
        try:
            for one in name or names():
                try:
                    for figure in load(one)(run):
                        say(figure)
                        lines.append((figure.name, figure.said))
                        figures.append({"bench": one, "name": figure.name, **figure.values})
                except Unavailable as error:
                    lacking[one] = str(error)
                    say(f"{one:<34}not measured: {error}")
        finally:
            run.close()
    print(json.dumps({"machine": where, "quick": quick, "figures": figures, "not_measured": lacking}, ensure_ascii=False))
    if table:
        table.write_text(tabled(where, lines, lacking), encoding="utf-8")
