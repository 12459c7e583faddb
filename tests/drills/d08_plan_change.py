"""A plan change under load: no clear, the open red and the running hold go on, each partition switches at its own record."""
from __future__ import annotations

from time import sleep
from typing import Any

from detectors.reading import PlanRecord
from streams.codec import encode

NAME, BROKER = "plan change under load, open red, running hold", True
tools = __import__("sys").modules["wanglou_drills_tools"]
HOLD = 4.0


def drill(ground: Any, short: bool, row: Any) -> None:
    """gauge-1 is red throughout; gauge-2 reaches orange's limit 2 s before the plan changes and must be orange when its hold is over."""
    lives = tools.here("live")
    for n in range(1 if short else 5):
        live = lives.Live(ground, lives.brisk(hold=HOLD))
        live.start("judge", "judge2", "combine", "desk")
        live.sharing("judge", "judge2")
        live.working("desk")
        high = [20.0]
        with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)],
                        lambda k, n, high=high: 35.0 if k == 1 else high[0] if k == 2 else lives.storm(k, n)) as load:
            sleep(1.5)
            high[0] = 27.5
            sleep(HOLD / 2)
            live.writer.bytes(0, encode(PlanRecord("f" * 16)))      # nobody has this one: the old plan stays, loudly
            changed = lives.clock.now()
            live.apply(lives.brisk(hold=HOLD, red=32.0, sites=30))
            sleep(HOLD / 2 + 1.5)
        live.finish()
        events = live.compare(row, load.written)
        live.calls(row, events)
        row.must("unknown plan: the old one stays" in live.said("judge"), "nobody shouted")
        red = [e for e in events if e.site == "gauge-1" and e.kind == "level"]
        row.must([e.to for e in red] == [4], f"the open red: {[e.to for e in red]}")
        rises = [e for e in events if e.site == "gauge-2" and e.kind == "level"]
        row.must([e.to for e in rises] == [2, 3] and rises[1].time == rises[0].time + HOLD * 1e6 > changed, f"the hold: {rises}")
        row.must(len({e.plan for e in events if e.kind == "level" and e.detector}) == 2, "one of the plans said nothing")
