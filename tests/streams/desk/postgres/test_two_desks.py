"""Two desks at one PostgreSQL: no deed waits for another in a circle, a step is claimed by one, a leader that dies or freezes is followed."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from time import sleep
from typing import Any

from sqlalchemy import select, text

from streams import clock
from streams.desk.calling import calls
from streams.desk.engine import LOST, Leader
from streams.desk.store import alert_for, audit, broken
from streams.desk.tables import Rung
from streams.sql import engine

HOLDER = """
import sys
from time import sleep
from streams.desk.engine import Leader
from streams.sql import engine
leader = Leader(engine(sys.argv[1]))
while True:
    print("leads" if leader.hold() else "", flush=True)
    sleep(0.2)
"""


def test_deeds_never_wait_for_one_another_in_a_circle(desk: Any, change: Callable[..., Any]) -> None:
    """One has alert A and the audit and wants B, the other has B and wants the audit: both come through."""
    desk.put(a := change("river_level", "lanxi", 2), b := change("river_level", "sanhe", 2))
    meet = Barrier(2)

    def deed(*ids: str) -> None:
        with desk.store.begin() as s:
            for n, id_ in enumerate(ids):
                alert = alert_for(s, id_)
                if len(ids) > 1:
                    audit(s, desk.now, "test", alert)
                if n == 0:
                    with suppress(BrokenBarrierError):
                        meet.wait(2)
            audit(s, desk.now, "test", alert)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(deed, a.alert, b.alert), pool.submit(deed, b.alert)]:
            done.result(20)
    with desk.store.read() as s:
        assert broken(s) == 0


def test_a_step_that_another_holds_is_passed_over(desk: Any, change: Callable[..., Any]) -> None:
    """A ladder under somebody's lock delays none of the others; it is walked at the next look."""
    desk.put(a := change("river_level", "lanxi", 2), b := change("river_level", "sanhe", 2))
    desk.now += 700_000_000
    with desk.store.engine.connect() as other:
        other.execute(text("SELECT 1 FROM alert WHERE id = :id FOR UPDATE"), {"id": a.alert})
        with desk.store.begin() as s:
            s.execute(text("SET LOCAL lock_timeout = '5s'"))
            calls.walk(s, desk.m)
        other.rollback()
    assert (desk.alert(a.alert).state, desk.alert(b.alert).state) == ("calling", "overdue")
    with desk.store.begin() as s:
        calls.walk(s, desk.m)
    assert desk.alert(a.alert).state == "overdue"


def test_two_walkers_call_each_step_once(desk: Any, change: Callable[..., Any]) -> None:
    """Both look at the same moment, again and again: each rung is called once."""
    desk.put(*(change(name, site, 3) for name, site in (("river_level", "lanxi"), ("water", "chouzhou"), ("reservoir", "hengjin"))))
    for _ in range(4):
        desk.now += 301_000_000

        def walk(_: int) -> None:
            with desk.store.begin() as s:
                calls.walk(s, desk.m)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(walk, range(4)))
    with desk.store.read() as s:
        assert {r.calls for r in s.scalars(select(Rung))} == {1} and broken(s) == 0


def test_a_leader_that_is_killed_or_frozen_is_followed(desk: Any, url: str) -> None:
    """Killed: the lock is free at once. Frozen: the database lets go of it within seconds, and the old one knows when it wakes."""
    other = Leader(made := engine(url))
    try:
        for number, limit in ((signal.SIGKILL, 4.0), (signal.SIGSTOP, LOST + 4.0)):
            process = subprocess.Popen([sys.executable, "-c", HOLDER, url], stdout=subprocess.PIPE, text=True)
            assert process.stdout is not None
            while process.stdout.readline().strip() != "leads":
                pass
            assert not other.hold()
            os.kill(process.pid, number)
            begun = clock.monotonic()
            while not other.hold():
                assert clock.monotonic() - begun < limit
                sleep(0.05)
            if number == signal.SIGSTOP:
                os.kill(process.pid, signal.SIGCONT)
                for _ in range(50):
                    if process.stdout.readline() == "\n":
                        break
                else:
                    raise AssertionError("the old leader still believes that it leads")
            process.kill()
            process.communicate()
            other.release()
    finally:
        other.release()
        made.dispose()
