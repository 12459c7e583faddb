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
          explain: Annotated[str, typer.Option(metavar="PACK/RULE", help="the truth table of a rule")] = "",
          as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False) -> None:
    """Check a configs folder: every fault with file:line:column, then one line of summary. Exit 1 if there are faults."""
    from streams.packs import check_city, find_configs

    checked = check_city(find_configs(configs), pack or explain.partition("/")[0] or None)
    if explain and not checked.faults:
        table(checked, explain, as_json)
        return
    print(json.dumps(document(checked), ensure_ascii=False) if as_json else text(checked))
    raise typer.Exit(1 if checked.faults else 0)


def table(checked: Checked, path: str, as_json: bool) -> None:
    """What a rule says for every state of its members."""
    from streams.errors import UsageError
    from streams.packs import truth
    from streams.packs.faults import meant

    rules = {rule.path: rule for pack in checked.city.packs for rule in pack.rules}
    if path not in rules:
        raise UsageError(f"unknown rule {path!r}{meant(path, rules)}")
    try:
        found = truth.explain(rules[path], truth.places_of(checked.city)[path])
    except ValueError as error:
        raise UsageError(str(error)) from error
    print(json.dumps(found, ensure_ascii=False) if as_json else truth.text(found))


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
