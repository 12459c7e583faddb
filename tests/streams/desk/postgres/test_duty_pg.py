"""Roster, hand-over and the end of an alert's life on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from detectors.pack import Duty
from streams.desk import acts
from streams.desk.alert import Move
from streams.desk.duty import deeds, handover, watch
from streams.desk.duty.roster import charge, shift_id
from streams.desk.duty.sheet import read
from streams.desk.names import Names
from streams.desk.store import broken

H = 3_600_000_000
MIDNIGHT = 1_782_230_400_000_000
ROSTER = """post,from,to,person,label,name,gateway_sms
duty,2026-06-24 00:00,2026-06-24 08:00,P01,夜,某甲,1
duty,2026-06-24 08:00,2026-06-24 16:00,P02,白,某乙,2
duty,2026-06-24 16:00,2026-06-24 24:00,,晚,,
"""


def test_a_night_of_duty(desk: Any, change: Callable[..., Any]) -> None:
    """A sheet into force, a red handed over, verified by another and closed; a gap told; the shift changed by both; the chain whole."""
    desk.names = Names(replace(desk.names.city, duty=Duty(signs=("duty",))))
    duty = desk.names.actor("duty")
    with desk.store.begin() as s:
        deeds.enforce_sheet(s, read(ROSTER.encode(), desk.names.posts, ()).plain(), duty, desk.m)
        swap = deeds.Swap(mine="a", theirs="b", asks="P01", other="P02", reason="x", at=0, state="asked")
        s.add(swap)
        s.flush()
        assert swap.id == 1
    desk.put(red := change("methane", "renmin", 4))
    desk.do(red.alert, "answer_for", "leader", "电话联系上了值班员")
    with desk.store.begin() as s:
        acts.perform(s, red.alert, Move.HANDOVER, desk.names.actor("leader"), desk.m, "主责是值班室", to="duty")
    desk.do(red.alert, "answer", "duty")
    desk.do(red.alert, "news", "duty", "断气完成，通风中")
    desk.now = MIDNIGHT + 8 * H
    with desk.store.begin() as s:
        assert watch.watch(s, desk.m) == 1
        for comes in (False, True):
            handover.sign(s, shift_id("duty", MIDNIGHT + 8 * H), comes, [red.alert], "", duty, desk.m)
        assert charge(s, "duty", desk.now, ("duty",)).person == "P02"
        assert handover.load(s, MIDNIGHT, desk.now).opened == 1 and handover.faults(s, MIDNIGHT, desk.now) == []
    desk.do(red.alert, "verify", "leader", "现场复核无险情", "true")
    desk.do(red.alert, "close", "leader", "浓度已回到正常", "true")
    with desk.store.read() as s:
        assert broken(s) == 0
