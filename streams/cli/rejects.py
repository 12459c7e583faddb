"""`wanglou rejects show|retry`: what was refused, and once more against today's plan."""
from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from streams.errors import WanglouError

if TYPE_CHECKING:
    from streams.rejects import Reject
    from streams.settings import Settings

app = typer.Typer(no_args_is_help=True, help="Inputs that were refused.")
Broker = Annotated[str | None, typer.Option(help="Kafka's address (WANGLOU_BROKER).")]
Reason = Annotated[str, typer.Option(help="Only of this reason: site, indicator, time, torn …")]
Limit = Annotated[int, typer.Option(min=0, help="Only the newest N; 0 = all.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.add_typer(app, name="rejects")


@app.command("show")
def show(reason: Reason = "", limit: Limit = 50, broker: Broker = None, as_json: Json = False) -> None:
    """What was refused, oldest first, with its place, what is wrong and the input itself."""
    from streams.clock import iso
    from streams.settings import settings

    for row in _rows(settings(broker=broker), reason, limit):
        if as_json:
            print(json.dumps(asdict(row) | {"at": iso(row.at)}, ensure_ascii=False))
            continue
        raw = f"({len(row.bytes())} bytes) {row.raw[:60]}" if row.base64 else one_line(row.raw)
        print(f"{iso(row.at)} {row.feed}/{row.source} {row.reason}: {one_line(row.place)}: {one_line(row.what)}\n    {raw}")


@app.command("retry")
def retry(reason: Reason = "", limit: Limit = 0, broker: Broker = None, as_json: Json = False) -> None:
    """Read each again by today's plan and send what is good now; repeats do no harm. Exit 1 if some are still refused."""
    from streams.feeds.retry import again
    from streams.settings import settings

    chosen = settings(broker=broker)
    rows = _rows(chosen, reason, limit)
    sent, still = again(chosen, rows)
    if as_json:
        refused = [{"offset": row.offset, "reason": r.reason, "place": r.place, "what": r.what} for row, r in still]
        print(json.dumps({"tried": len(rows), "sent": sent, "refused": refused}, ensure_ascii=False))
    else:
        print(f"{len(rows)} tried, {sent} readings sent, {len(still)} refused again")
    if still:
        lines = [f"offset {row.offset}: {one_line(r.place)}: {one_line(r.what)}" for row, r in still[:20]]
        raise WanglouError("\n".join(lines))


def _rows(settings: Settings, reason: str, limit: int) -> list[Reject]:
    from streams.rejects import TOPIC, read

    rows = [r for r in read(settings.broker, settings.topic(TOPIC)) if not reason or r.reason == reason]
    return rows[-limit:] if limit else rows


def one_line(text: str) -> str:
    """One line without control characters: what came from outside must not steer a terminal."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
