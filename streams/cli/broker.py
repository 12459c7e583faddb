"""`wanglou broker`: get Apache Kafka for this machine, and run it."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sub = typer.Typer(no_args_is_help=True, help="Get Apache Kafka for this machine, and run it.")
    sub.command("fetch")(fetch)
    sub.command("run")(run)
    app.add_typer(sub, name="broker")


def fetch() -> None:
    """Fetch the jars by Maven into the user's cache folder (44 MB); nothing is done when they are there."""
    from streams.broker import KAFKA, fetch_kafka

    print(f"Apache Kafka {KAFKA} is in {fetch_kafka()}")


def run(port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 9092,
        data: Annotated[Path | None, typer.Option(help="Folder of its data.")] = None) -> None:
    """Run one Apache Kafka on loopback until SIGTERM or Ctrl-C. For one machine; in service run three of your own."""
    import signal
    import sys

    from streams.broker import start_kafka
    from streams.settings import settings

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    broker = start_kafka(data or settings().data / "kafka", port)
    print(broker.what, flush=True)
    try:
        assert broker.process is not None
        raise SystemExit(broker.process.wait())
    except KeyboardInterrupt:
        pass
    finally:
        broker.stop()
