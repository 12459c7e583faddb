"""`wanglou check`: read a configs folder and print all its faults. Offline."""
from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.packs import Checked

SHOWN = 10
"""So many hints are printed; --json has all."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(pack: Annotated[str | None, typer.Argument(help="one pack and those it stands on; all if left out")] = None,
          configs: Annotated[Path | None, typer.Option(help="the configs folder")] = None,
          as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False) -> None:
    """Check a configs folder: every fault with file:line:column, then one line of summary. Exit 1 if there are faults."""
    from streams.packs import check_city, find_configs

    checked = check_city(find_configs(configs), pack)
    print(json.dumps(document(checked), ensure_ascii=False) if as_json else text(checked))
    raise typer.Exit(1 if checked.faults else 0)


def document(checked: Checked) -> dict[str, object]:
    """What --json prints."""
    return {**counts(checked), "faults": [asdict(f) for f in checked.faults], "hints": [asdict(h) for h in checked.hints]}


def text(checked: Checked) -> str:
    """What people read."""
    lines = [str(fault) for fault in checked.faults]
    lines += [f"hint: {hint}" for hint in checked.hints[:SHOWN]]
    summary = ", ".join(f"{n} {noun}" for noun, n in counts(checked).items())
    return "\n".join([*lines, f"{summary}, {len(checked.faults)} faults, hints: {len(checked.hints) or 'none'}"])


def counts(checked: Checked) -> dict[str, int]:
    """How much there is of what."""
    packs = checked.city.packs
    return {"packs": len(packs), "sites": len(checked.city.sites),
            "series": sum(len(i.sites) for p in packs for i in p.indicators),
            "detectors": sum(len(p.detectors) for p in packs), "rules": sum(len(p.rules) for p in packs)}
