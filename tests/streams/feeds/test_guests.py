"""A feed follows the plan in force: whose readings go where as guests, also after a growth."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from detectors.pack import City, Derive, Indicator, Pack, Site, Text, Use
from detectors.reading import GUEST, Block
from streams.codec import decode
from streams.feeds.blocks import Blocker
from streams.feeds.buffer import Buffer
from streams.feeds.intake import Intake, Names
from streams.feeds.plan import PlanWatch
from streams.feeds.producer import Outlet
from streams.feeds.words import Reading
from streams.metrics import Metrics
from streams.shards import partition

SITES = [f"s{n}" for n in range(30)]
UP = next(s for s in SITES if partition(s, 2) == 0 and partition(s, 8) == 0)
DOWN = next(s for s in SITES if partition(s, 2) == 1)
NEAR = next(s for s in SITES if partition(s, 2) == 0 and partition(s, 8) == 4)


def city(*fed: str) -> City:
    """A gauge, and the sites that feed on it."""
    level = Indicator("level", "p", Text("位"), "m", (UP,))
    above = replace(level, id="above", sites=fed, derive=Derive(Use("of"), ("level",), guests={s: (UP,) for s in fed}))
    return City((Pack("p", Text("p"), (level, above) if fed else (level,)),), {s: Site(s, Text(s)) for s in (UP, *fed)})


async def test_guests_follow_the_plan_and_the_partitions(kafka, tmp_path: Path) -> None:
    """No plan, no guests; another plan, other guests; more partitions, and a site that was at home is elsewhere."""
    plans = [("a", city(DOWN)), ("b", city()), ("c", city(NEAR))]
    outlet = Outlet(kafka.connect, Buffer(tmp_path / "b", 1 << 20), patience=2.0, retry=0.01)
    intake = Intake(Names("f", "readings", "rejects"), outlet, Blocker(2), Metrics())
    watch = PlanWatch(lambda: plans[0])
    watch.listeners.append(intake.guide)
    outlet.start()

    async def where() -> dict[int, int]:
        """Partition -> flag of what one push becomes."""
        before = len(kafka.log)
        await intake.push([Reading(f"level@{UP}", UP, "p", 1, 2.0, 0)], "s", "json")
        blocks = [(p, decode(value)) for topic, p, value in kafka.log[before:] if topic.startswith("readings")]
        return {p: int(b.flag[0]) for p, b in blocks if isinstance(b, Block)}

    assert await where() == {0: 0}
    found = []
    while plans:
        assert await watch.look()
        found.append(await where())
        del plans[0]
    assert found == [{0: 0, 1: GUEST}, {0: 0}, {0: 0}]
    intake.move("readings.2", 8)
    assert await where() == {0: 0, 4: GUEST}
    await outlet.close()
