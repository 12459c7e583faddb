"""`wanglou drill`: call a drill and see who answers."""
from __future__ import annotations

import json as js
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("drill")(drill)


def drill(pack: Annotated[str, typer.Option(help="Whose warning is played.")] = "basin",
          site: Annotated[str, typer.Option(help="One station; default: any of the pack's.")] = "",
          level: Annotated[str, typer.Option(help="blue, yellow, orange or red.")] = "red",
          count: Annotated[int, typer.Option(help="So many stations.")] = 1,
          minutes: Annotated[float, typer.Option(help="It ends by itself after so long.")] = 30.0,
          wait: Annotated[bool, typer.Option(help="Follow it to its end; Ctrl-C leaves it to itself.")] = True,
          report: Annotated[str, typer.Option(help="Only print the report of this drill.")] = "",
          json: Annotated[bool, typer.Option("--json", help="The report as one JSON object.")] = False) -> None:
    """Run the calling chain in earnest, marked [演练] and counted nowhere: people are called. The leading desk carries it out.

    Exit 0 when every warning was answered, 1 when not.
    """
    from time import sleep

    from detectors.level import LEVELS
    from streams import clock
    from streams.desk.alert import Actor, Refused
    from streams.desk.exercise import drill as drills
    from streams.desk.exercise.report import report as found
    from streams.desk.exercise.report import report_json
    from streams.desk.folding.fold import Moment
    from streams.desk.names import Plan, from_state
    from streams.desk.store import Store
    from streams.desk.words import say
    from streams.errors import UsageError
    from streams.settings import settings

    ours = settings()
    store = Store(ours.desk_url)
    try:
        id_ = report
        if not id_:
            moment = Moment(clock.now(), Plan(from_state(ours.state_url))())
            try:
                with store.begin() as s:
                    number = int(LEVELS.get(level, 0))
                    id_ = drills.ask(s, moment, Actor(), pack, site, number, count, minutes, by_command=True).id
            except Refused as no:
                raise UsageError(say(no.key, "zh", **no.values) + " · " + say(no.key, "en", **no.values)) from None
            typer.echo(f"drill {id_}", err=True)
        while True:
            with store.read() as s:
                now = found(s, id_)
            if now is None:
                raise UsageError(f"no drill {id_!r}")
            if report or not wait or now.state == "ended":
                break
            sleep(0.5)
    except KeyboardInterrupt:
        return
    finally:
        store.close()
    if json:
        print(js.dumps(report_json(now), ensure_ascii=False))
    else:
        print(f"{now.id} {now.pack}/{now.indicator} {now.state}: {now.opened} of {now.warnings} warnings, {now.answered} answered"
              f"{'' if now.first_answer is None else f', the first after {now.first_answer} s'}{now.fault and f'; {now.fault}'}")
        for c in now.calls:
            print(f"  {c.site:<16} {c.n} {c.post:<16} {c.channel:<12} {c.result or '—':<8} {c.state:<10} "
                  f"{'—' if c.seconds is None else f'{c.seconds} s'} {c.detail}")
    if now.answered < now.warnings and (wait or report):
        raise typer.Exit(1)
