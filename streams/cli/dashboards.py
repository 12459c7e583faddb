"""`wanglou dashboards build | push`: the generated Grafana dashboards as files, or into a running Grafana."""
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from streams.errors import UsageError, WanglouError

Json = Annotated[bool, typer.Option("--json", help="One JSON object for programs.")]
Desk = Annotated[str, typer.Option(help="Address of the desk that links open.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    sub = typer.Typer(no_args_is_help=True, help="Dashboards for Grafana: files for provisioning, or a push.")
    sub.command("build")(build)
    sub.command("push")(push)
    app.add_typer(sub, name="dashboards")


def build(
    out: Annotated[Path, typer.Option(help="Folder for provisioning/ and dashboards/.")] = Path("deploy/grafana"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 when the folder differs.")] = False,
    desk: Desk = "", as_json: Json = False,
) -> None:
    """Write the dashboards and Grafana's provisioning files; the same source gives the same bytes."""
    from streams.grafana.build import drift, files, write

    if check:
        faults = drift(out, desk)
        if as_json:
            typer.echo(json.dumps({"drift": faults}, ensure_ascii=False))
        if faults:
            raise WanglouError("\n".join([*faults, f"{out} is not what `wanglou dashboards build` makes: run it and commit"]))
        if not as_json:
            typer.echo(f"{out} is up to date")
        return
    try:
        changed = [str(path) for path in write(out, desk)]
    except OSError as error:
        raise WanglouError(f"cannot write to {out}: {error}") from error
    if as_json:
        typer.echo(json.dumps({"changed": changed}, ensure_ascii=False))
    else:
        typer.echo("\n".join(changed) if changed else f"nothing to change, {len(files(desk))} files in {out}")


def push(
    url: Annotated[str, typer.Option(help="Grafana's address, such as http://127.0.0.1:3000.")],
    token_env: Annotated[str, typer.Option(help="Environment variable that holds a token.")] = "WANGLOU_GRAFANA_TOKEN",
    desk: Desk = "", as_json: Json = False,
) -> None:
    """Put the same dashboards into a running Grafana through its API. File provisioning is the first way; this is the second."""
    from streams.grafana.build import boards
    from streams.grafana.push import Grafana

    token = os.environ.get(token_env, "")
    if not token:
        raise UsageError(f"no token in ${token_env}: make a service account with the role Editor in Grafana and export its token")
    with Grafana(url, token) as grafana:
        grafana.check()
        pushed = [grafana.put(board) for board in boards(desk)]
    if as_json:
        typer.echo(json.dumps({"pushed": pushed}, ensure_ascii=False))
    else:
        typer.echo("\n".join(pushed))
