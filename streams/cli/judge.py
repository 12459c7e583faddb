"""`wanglou judge`: run the stage judge."""
from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    @app.command("judge")
    def judge() -> None:
        """Run judge until SIGTERM. Settings come from WANGLOU_… (broker, state database, snapshots)."""
        from streams.agents import judge_stage
        from streams.settings import settings
        from streams.worker.app import run

        run(judge_stage, "judge", settings())
