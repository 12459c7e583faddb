"""`wanglou history`: run the stage history."""
from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    @app.command("history")
    def history() -> None:
        """Run history until SIGTERM. Settings come from WANGLOU_… (broker, databases)."""
        from streams.agents import history_stage
        from streams.app import run
        from streams.settings import settings

        run(history_stage, "history", settings())
