"""200 assignments: no hang, no leak; a partition that is stuck is noticed by the age of its oldest unread record, and said."""
from __future__ import annotations

from time import sleep
from typing import Any

NAME, BROKER = "200 assignments; a stuck partition", True
tools = __import__("sys").modules["wanglou_drills_tools"]
REJOIN = """
import streams.app as a
before = a.Running.__init__
def init(self, *args):
    before(self, *args)
    left = [{times}]
    async def rejoin():
        if left[0]:
            left[0] -= 1
            self.app.consumer._thread._consumer._coordinator.request_rejoin()
    self.app.timer(0.45)(rejoin)
a.Running.__init__ = init
"""
STICK = """
import streams.app as a
from faust.types import TP
before = a.Running.__init__
def init(self, *args):
    before(self, *args)
    done = []
    async def stick():
        if len(self.ledgers.owned) == 2:
            done.append(1)
        if len(done) == 3:                          # Faust's own resuming after the assignment is over
            self.app.consumer.pause_partitions({TP(self.settings.topic("readings"), 1)})
    self.app.timer(2.0)(stick)
a.Running.__init__ = init
"""


def drill(ground: Any, short: bool, row: Any) -> None:
    """One worker is made to join again and again under load; then another one has a partition paused behind its back."""
    lives = tools.here("live")
    times = 10 if short else 200
    live = lives.Live(ground, lives.brisk())
    live.patched("judge", REJOIN.format(times=times))
    live.start("combine")
    live.working("judge", 2)
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as load:
        tools.until(lambda: live.said("judge").count("partition taken") > 6, "it joins again")
        first = live.memory("judge")
        tools.until(lambda: live.said("judge").count("partition taken") >= 2 * times, "it joins again and again", 300)
        row.must(live.memory("judge") < first + 25, f"{first:.0f} MB became {live.memory('judge'):.0f} MB")
        live.saved("readings")
        live.end("judge")
        live.patched("judge", STICK)
        seen = 0.0
        end = lives.clock.monotonic() + 40
        while "stuck: ticks are written" not in live.said("judge") and lives.clock.monotonic() < end:
            ages = live.metric("wanglou_lag_seconds", "judge")
            seen = max([0.0, *(age for labels, age in ages.items() if 'partition="1"' in labels)])
            sleep(0.3)
        row.must("stuck: ticks are written" in live.said("judge"), "nobody says that the partition is stuck")
        row.must(seen > 4, f"its oldest unread record is told to be {seen:.1f} s old")
    live.finish(120)
    live.compare(row, load.written)
    row.note = f"stuck: noticed at {seen:.1f} s"
