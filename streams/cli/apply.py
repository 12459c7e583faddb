"""`wanglou apply`: put a configs folder into force."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("apply")(apply)


def apply(configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
          tests: Annotated[bool, typer.Option(help="Run the packs' tests first.")] = True,
          without_gate: Annotated[str, typer.Option(help="Although a gate is missed on the stored history: why.")] = "",
          json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Check and test the packs, keep the plan in SQL, write it to the log. Each partition switches at its own record."""
    from msgspec.json import encode

    from streams.apply import apply as put
    from streams.packs import find_configs
    from streams.replay.bar import bar
    from streams.settings import settings

    ours = settings(configs=configs)
    with bar("checking, testing, measuring what has a gate"):
        done = put(ours, find_configs(ours.configs), tests, waive=without_gate)
    if json:
        print(encode(done).decode())
    else:
        print(f"plan {done.hash} ({', '.join(done.packs)}) is in {done.records} logs after {done.tests} tests"
              f"{'' if done.changed else '; it was the newest before'}"
              f"{f'; {done.warmed} series filled from history' if done.warmed else ''}")
        for missed in done.missed:
            print(f"gate missed and waived: {missed}")
        for why in dict.fromkeys(done.unproved.values()):
            names = [path for path, reason in done.unproved.items() if reason == why]
            print(f"未验证 unproved ({why}): {', '.join(names)}")
