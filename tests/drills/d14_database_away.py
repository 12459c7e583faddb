"""Database away in a red, once with a rebalance in it: judging goes on or pauses and says so; then the backlog is re-evaluated."""
from __future__ import annotations

from time import sleep
from typing import Any

NAME, BROKER = "PostgreSQL away in a red, with a rebalance too", True
tools = __import__("sys").modules["wanglou_drills_tools"]


def drill(ground: Any, short: bool, row: Any) -> None:
    """gauge-1 is red before; gauge-2 turns red and is normal again meanwhile: nobody is called for it; gauge-3 turns red and stays.

    Long: 20 minutes, longer than the judge may go on without a snapshot; then it pauses. With a rebalance two minutes.
    """
    lives, server = tools.here("live"), ground.postgres()
    url = server.url()
    live = lives.Live(ground, lives.brisk(within=4.0), state_url=url, history_url=url, desk_url=server.url("desk"))
    live.run.more = {"DESK_URL": live.bench.settings.desk_url}
    live.start("judge", "judge2", UNSAVED="20000" if short else "4000")
    live.start("combine", "desk")
    live.sharing("judge", "judge2")
    live.working("desk")
    height = {1: 20.0, 2: 20.0, 3: 20.0}
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)],
                    lambda k, n: height.get(k, lives.storm(k, n) if k > 12 else 21.0), 0.04 if short else 0.2) as load:
        sleep(1)
        height[1] = 31.0
        tools.until(lambda: [1 for e in live.run.events() if e.site == "gauge-1" and e.to == 4], "gauge-1 is red")
        sleep(1)
        for rebalance in (False, True):
            server.stop()
            if rebalance:
                live.run.kill("judge2")
                del live.run.running["judge2"]
            before = len(live.run.events())
            height[2] = 31.0
            sleep(1.5 if short else 20)
            height[2] = 20.0
            if not rebalance:
                height[3] = 31.0
            sleep(3 if short else 100 if rebalance else 1180)
            goes_on = len(live.run.events()) > before
            row.must(goes_on or rebalance, "judging did not go on without its database")
            words = "no state for the partition yet" if rebalance else "snapshot waits"
            row.must(words in live.said("judge"), f"the judge does not say {words!r}")
            row.must(short or rebalance or "too far ahead of the snapshot" in live.said("judge"), "the judge did not pause at its limit")
            server.start()
            tools.until(lambda n=before: len(live.run.events()) > n + 2, "judging goes on", 120)
            sleep(2)
    live.finish(300 if short else 900)
    events = live.compare(row, load.written)
    calls = live.calls(row, events)
    away = [e for e in events if e.site == "gauge-2" and e.to == 4]
    row.must(len(away) == 2, f"gauge-2 was red twice, the log says {len(away)}")
    called = {site: [c for c in calls if c["alert"] in {e.alert for e in events if e.site == site}] for site in ("gauge-2", "gauge-3")}
    row.calls += len(called["gauge-2"])             # over before anybody could be told
    row.calls += abs(len([c for c in called["gauge-3"] if c["post"] == "first"]) - 1)
    row.note = f"{len(calls)} calls in all"
