"""200 assignments: no hang, no leak; a partition that is stuck is noticed by the age of its oldest unread record, and said."""
from __future__ import annotations

from typing import Any

NAME, BROKER = "200 assignments; a stuck partition", True
tools = __import__("sys").modules["wanglou_drills_tools"]
REJOIN = """
import streams.worker.app as a
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
import streams.worker.app as a
from faust.types import TP
before = a.Running.__init__
def init(self, *args):
    before(self, *args)
    done = []
    async def stick():
        if len(self.ledgers.owned) == {owned}:
            done.append(1)
        if len(done) == 3:                          # Faust's own resuming after the assignment is over
            self.app.consumer.pause_partitions({{TP(self.settings.topic({topic!r}), {partition})}})
    self.app.timer(1.0)(stick)
a.Running.__init__ = init
"""
STUCK = {"judge": ("readings", 1, 2), "combine": ("levels", 0, 1)}
WORDS = "stuck: there are records"


def drill(ground: Any, short: bool, row: Any) -> None:
    """A worker is made to join again and again under load; then, with nothing but ticks to read, partitions are paused behind its back."""
    lives = tools.here("live")
    times = 10 if short else 200
    live = lives.Live(ground, lives.brisk())
    live.patched("judge", REJOIN.format(times=times))
    live.start("combine")
    live.working("judge", 2)
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as load:
        tools.until(lambda: live.said("judge").count("partition taken") > 6, "it joins again")
        first = live.memory("judge")
        tools.until(lambda: live.said("judge").count("partition taken") >= 2 * times, "it joins again and again", 600)
        row.must(live.memory("judge") < first + 25, f"{first:.0f} MB became {live.memory('judge'):.0f} MB")
    live.saved("readings")
    live.end("judge", "combine")
    for stage, (topic, p, owned) in STUCK.items():
        live.patched(stage, STICK.format(topic=topic, partition=p, owned=owned))
    oldest = dict.fromkeys(STUCK, 0.0)

    def noticed() -> bool:
        for stage, (_, p, _) in STUCK.items():
            ages = live.metric("wanglou_lag_seconds", stage)
            oldest[stage] = max([oldest[stage], *(age for labels, age in ages.items() if f'partition="{p}"' in labels)])
        return all(WORDS in live.said(stage) for stage in STUCK)

    tools.until(noticed, "it is said that a partition is stuck")
    for stage, age in oldest.items():
        row.must(age > 4, f"{stage}: its oldest unread record is told to be {age:.1f} s old")
    live.finish()
    live.compare(row, load.written)
    row.note = "stuck: noticed at " + ", ".join(f"{age:.1f} s ({stage})" for stage, age in oldest.items())
