"""`wanglou doctor`: what is wrong with this installation."""
from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor)


def doctor(json: Annotated[bool, typer.Option("--json", help="A list of findings.")] = False) -> None:
    """Look at broker, databases, topics, plan and lag; exit 1 when something is wrong."""
    from msgspec.json import encode

    from streams.doctor import examine
    from streams.settings import settings

    findings = []
    for finding in examine(settings()):
        findings.append(finding)
        if not json:
            print(f"{'ok   ' if finding.ok else 'FAULT'}  {finding.part}: {finding.what}", flush=True)
    if json:
        print(encode(findings).decode())
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)
