"""`wanglou audit verify`: nobody changed, dropped or slipped in a row of the desk's audit."""
from __future__ import annotations

import json as js
from dataclasses import asdict
from typing import Annotated

import typer

audit = typer.Typer(no_args_is_help=True, help="The audit of the desk.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(audit, name="audit")


@audit.callback()
def _commands() -> None:
    """One command so far, which keeps its name."""


@audit.command("verify")
def verify(url: Annotated[str | None, typer.Option(help="The desk's database; default: WANGLOU_DESK_URL.")] = None,
           head: Annotated[str, typer.Option(help="A hash that was noted outside: it must be one of the chain's.")] = "",
           json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
    """Go through the chain of hashes, read only. Exit 1 with the first row that does not fit.

    Who may write to the database may also compute a whole chain anew: print the newest hash now and then, keep it elsewhere,
    and give it here as --head.
    """
    from sqlalchemy import select
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.orm import Session

    from streams.desk.tables import Audit
    from streams.desk.verify import verify as look
    from streams.errors import UsageError
    from streams.settings import settings
    from streams.sql import wait_for_database

    database = wait_for_database(settings(desk_url=url).desk_url, lambda said: None, 10).execution_options(reading=True)
    try:
        with Session(database) as s:
            found = look(s)
            known = not head or s.scalar(select(Audit.seq).where(Audit.hash == head)) is not None
    except DBAPIError as error:
        raise UsageError(f"this database has no audit: {str(error.orig).strip()}") from error
    finally:
        database.dispose()
    said = asdict(found) | ({} if known else {"why": found.why or f"no row has the hash {head}"})
    if json:
        print(js.dumps(said, ensure_ascii=False))
    elif found.broken:
        print(f"row {found.broken} does not fit: {said['why']} ({found.rows} rows before it are whole)")
    else:
        print(f"{found.rows} rows are whole, the newest hash is {found.head or '—'}" if known else said["why"])
    if found.broken or not known:
        raise typer.Exit(1)
