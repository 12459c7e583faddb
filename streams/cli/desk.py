"""`wanglou desk`: alerts, calls and the pages where people answer."""
from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    @app.command("desk")
    def desk(host: str | None = typer.Option(None, help="Other than this machine only with accounts (`wanglou accounts`)."),
             port: int | None = typer.Option(None, help="Of the pages, the API and /metrics.")) -> None:
        """Run the desk until SIGTERM. Settings come from WANGLOU_… (broker, desk, state and history databases)."""
        from streams.desk.server import run
        from streams.settings import settings

        run(settings(desk_host=host, desk_port=port))
