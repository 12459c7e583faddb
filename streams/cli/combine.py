"""`wanglou combine`: run the stage combine."""
from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    @app.command("combine")
    def combine() -> None:
        """Run combine until SIGTERM. Settings come from WANGLOU_… (broker, state database, snapshots)."""
        from streams.agents import combine_stage
        from streams.settings import settings
        from streams.worker.app import run

        run(combine_stage, "combine", settings())
