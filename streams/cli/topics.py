"""`wanglou topics`: make, check and grow the topics."""
from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from streams.errors import WanglouError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    sub = typer.Typer(no_args_is_help=True, help="Make, check and grow the topics.")
    sub.command("create")(create)
    sub.command("check")(check)
    sub.command("grow")(grow)
    app.add_typer(sub, name="topics")


def create(configs: Annotated[Path | None, typer.Option(help="Folder of configs for the first plan.")] = None,
           plan: Annotated[bool, typer.Option(help="Write the first plan as offset 0.")] = True) -> None:
    """Make what is missing; the first record of each partition of readings, and of levels, is the plan."""
    from streams.apply import keep
    from streams.packs import find_configs, load_city
    from streams.plans import Plans
    from streams.settings import settings
    from streams.sql import engine
    from streams.topics import announce_plan, create_topics
    from streams.worker.generations import current

    ours = current(settings(configs=configs))
    made = create_topics(ours)
    print(f"made {', '.join(made)}" if made else "all topics are there")
    if plan:
        plans = Plans(engine(ours.state_url))
        newest = plans.newest() if configs is None else None
        name = newest[0] if newest else keep(plans, load_city(find_configs(ours.configs)))
        print(f"plan {name} begins {announce_plan(ours, name, only_empty=True)} logs")


def check() -> None:
    """Compare the topics with what they must be; exit 1 when one is not."""
    from streams.settings import settings
    from streams.topics import check_topics
    from streams.worker.generations import current

    if faults := check_topics(current(settings())):
        raise WanglouError("\n".join(faults))
    print("all topics are as they should be")


def grow(partitions: Annotated[int, typer.Option(help="How many there shall be: a power of two up to 256, more than there are.")]
         ) -> None:
    """More partitions for readings, under load: a pause, no loss. Says what it does and waits for; run again, it goes on.

    Judges (and combine) must be running. Feeds keep what comes on their disk meanwhile.
    """
    from streams.settings import settings
    from streams.worker.grow import grow as work

    work(settings(), partitions, lambda text: print(text, flush=True))
