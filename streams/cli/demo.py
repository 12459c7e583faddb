"""`wanglou demo`: the whole product on this machine."""
from __future__ import annotations

import json as js
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(demo)


def demo(seconds: Annotated[float | None, typer.Option(help="End so long after the first reading; default: at Ctrl-C.")] = None,
         json: Annotated[bool, typer.Option("--json", help="One JSON object at the end; words go to stderr.")] = False,
         broker: Annotated[str | None, typer.Option(help="A Kafka that is there; default: one is started here.")] = None,
         port: Annotated[int, typer.Option(help="Port of the page; 0 = any.")] = 8080,
         configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
         work: Annotated[Path, typer.Option(help="Folder for its data; emptied first.")] = Path("var/demo")) -> None:
    """Start every stage and a broker, play a storm at ×120, show the page. Exit 0 when the whole story happened, or at Ctrl-C."""
    from streams.broker import free_port
    from streams.demo.run import Demo
    from streams.packs import find_configs

    signal.signal(signal.SIGTERM, signal.default_int_handler)      # ends as cleanly as Ctrl-C

    def say(text: str) -> None:
        print(text, file=sys.stderr if json else sys.stdout, flush=True)

    result = Demo(find_configs(configs), work.absolute(), port or free_port(), broker, say).run(seconds)
    if json:
        print(js.dumps(result, ensure_ascii=False))
    else:
        say("  ".join(f"{k} {v}" for k, v in result.items() if k not in ("parts", "broker")))
    if seconds is not None and not result["story"]:
        raise typer.Exit(1)
