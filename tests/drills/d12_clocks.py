"""Device clocks a day ahead, in the year 2000 or 8 h behind: flagged, or judged "as of"; nothing false moves, nobody else is touched."""
from __future__ import annotations

from random import Random
from typing import Any

NAME, BROKER = "device clocks +1 day, year 2000, -8 h", False
tools = __import__("sys").modules["wanglou_drills_tools"]
DAY = 24 * tools.HOUR
WRONG = {"+1 day": DAY, "year 2000": 946_684_800_000_000 - tools.T0, "-8 h": -8 * tools.HOUR}
FROM, TO = 60, 120                      # minutes


def story(machine: Any, shift: int, always: bool) -> None:
    """Four hours of 24 gauges; gauge-0's clock is wrong for one of them (or always), and it shows a red just then."""
    for n in range(240):
        now = tools.T0 + n * tools.MINUTE
        rows = [(f"level@gauge-{k}", now, 20.0 + k * 0.3 + (n % 50) * 0.1) for k in range(1, 24)]
        wrong = always or FROM <= n < TO
        machine.take([("level@gauge-0", now + (shift if wrong else 0), 31.0 if FROM <= n < TO else 20.0), *rows], now)
        machine.tick(now + tools.SECOND)


def drill(ground: Any, short: bool, row: Any) -> None:
    """Each of the three, for an hour and always; against right clocks."""
    machines, city = tools.here("machine"), tools.river(hold=300.0)
    plain = machines.Machine(city)
    story(plain, 0, False)
    others = {tools.told(e) for e in plain.events if e.site not in ("", "gauge-0")}
    row.must(others, "the story is too quiet")
    for name, shift in WRONG.items():
        for always in (False, True):
            machine = machines.Machine(city, chance=None if short else Random(name), often=0.005)
            story(machine, shift, always)
            row.runs, row.readings = row.runs + 1, row.readings + machine.readings
            row.events += len(others ^ {tools.told(e) for e in machine.events if e.site not in ("", "gauge-0")})
            mine = [e for e in machine.events if e.site == "gauge-0"]
            row.events += sum(e.kind == "fresh" and e.fresh == "stale" for e in mine)
            moved = [e for e in mine if e.kind == "level"]
            if name == "-8 h" and always:           # newer than the last judged each time: said as of its own clock
                row.must([e.to for e in moved][-1:] == [0] and 4 in {e.to for e in moved}, "a true red, as of 8 h ago, is lost")
                row.must(all(e.arrived - e.time >= 8 * tools.HOUR for e in moved if e.to > e.before), "as of when?")
                continue
            row.events += len(moved)
            word = {"+1 day": "future", "year 2000": "old", "-8 h": "late"}[name]
            flagged = machine.words().get(word, 0)
            row.lost += abs(flagged - (240 if always else TO - FROM))
    row.note = "contact is kept all the while: never silent"
