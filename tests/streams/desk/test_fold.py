"""What changes of the log mean for alerts and their ladders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from detectors.event import Change
from streams.desk.folding.consume import apply
from streams.desk.folding.fold import Moment
from streams.desk.names import Names
from streams.desk.tables import Alert, Delivery, Item

MIN = 60_000_000
Make = Callable[..., Change]


def count(bench: Any, table: Any, *where: Any) -> int:
    """Rows."""
    with bench.store.read() as s:
        return int(s.scalar(select(func.count()).select_from(table).where(*where)) or 0)


def test_one_alert_for_indicator_site_and_scope(bench: Any, change: Make) -> None:
    """Two detectors on one indicator of one site are one 预警单 with the first one's id; another site, or a drill, is another."""
    first = change("river_level", "lanxi", 2)
    bench.put(first, change("river_level", "lanxi", 3, detector="basin/rising"))
    bench.put(change("river_level", "sanhe", 2), change("river_level", "lanxi", 2, detector="basin/drill", scope="exercise"))

    assert count(bench, Alert) == 3
    alert = bench.alert(first.alert)
    assert (alert.level, alert.detector) == (3, "basin/rising")


def test_a_detector_that_stands_alone_has_its_own(bench: Any, change: Make) -> None:
    """`separate: true` opts out of the common 预警单."""
    pack = bench.names.city.packs[0]
    alone = replace(pack.detectors[0], id="alone", separate=True)
    bench.names = Names(replace(bench.names.city, packs=(replace(pack, detectors=(*pack.detectors, alone)),)))
    bench.put(change("river_level", "lanxi", 2), change("river_level", "lanxi", 2, detector="basin/alone"))

    assert count(bench, Alert) == 2


def test_only_a_rise_begins_a_new_ladder(bench: Any, change: Make) -> None:
    """Up: a new ladder. Same, down, another member below: none. The level is the highest member's."""
    first = change("river_level", "lanxi", 2)
    bench.put(first)
    assert bench.alert(first.alert).run == 1
    bench.put(change("river_level", "lanxi", 3, 2, 1, onset=first.time, time=first.time + MIN))
    assert (bench.alert(first.alert).run, bench.alert(first.alert).ladder) == (2, "river")
    bench.put(change("river_level", "lanxi", 2, detector="basin/rising"))
    bench.put(change("river_level", "lanxi", 0, 3, 2, onset=first.time, time=first.time + 2 * MIN))
    alert = bench.alert(first.alert)
    assert (alert.run, alert.level, alert.detector) == (2, 2, "basin/rising")
    assert bench.steps(first.alert)[0] == (1, "lanxi-water", "called")  # it stops on its receipt, not on a fall


def test_all_members_normal_again_waits_for_a_person(bench: Any, change: Make) -> None:
    """Back under the limit is not closed: the row keeps its last level and says since when."""
    first = change("river_level", "lanxi", 2)
    bench.put(first, change("river_level", "lanxi", 0, 2, 1, onset=first.time, time=first.time + MIN))

    alert = bench.alert(first.alert)
    assert (alert.open, alert.level, alert.shown, alert.back) == (True, 0, 2, first.time + MIN)


def test_a_red_that_is_told_late_is_over_if_normal_was_said_of_a_later_time(bench: Any, change: Make) -> None:
    """A rewind numbers on: the end of the alert has a lower number than the peak before it, and is the end all the same."""
    first = change("river_level", "lanxi", 2)
    bench.put(first, change("river_level", "lanxi", 0, 2, 1, onset=first.time, time=first.time + 9 * MIN))
    bench.put(change("river_level", "lanxi", 4, 2, 2, onset=first.time, time=first.time + 3 * MIN),
              change("river_level", "lanxi", 2, 4, 3, onset=first.time, time=first.time + 6 * MIN))

    alert = bench.alert(first.alert)
    assert (alert.open, alert.level, alert.back) == (True, 0, first.time + 9 * MIN)


def test_a_normal_change_of_an_unknown_alert_opens_nothing(bench: Any, change: Make) -> None:
    """An end without a beginning (older than the desk) is no alert."""
    bench.put(change("river_level", "lanxi", 0, 2, 5))

    assert count(bench, Alert) == 0


def test_a_revision_changes_the_row_and_a_withdrawal_takes_back(bench: Any, change: Make) -> None:
    """The revised value shows; a withdrawn rise falls back to what stands; all of it is audited."""
    first = change("river_level", "lanxi", 2)
    rise = change("river_level", "lanxi", 4, 2, 1, onset=first.time, time=first.time + MIN)
    bench.put(first, rise)
    bench.put(replace(rise, revision=1, value=30.5))
    assert (bench.alert(first.alert).value, bench.alert(first.alert).revised) == (30.5, 1)
    bench.put(replace(rise, revision=2, withdrawn=True))

    alert = bench.alert(first.alert)
    assert (alert.level, alert.value, alert.withdrawn) == (2, first.value, False)
    bench.put(replace(first, revision=1, withdrawn=True))
    assert (bench.alert(first.alert).level, bench.alert(first.alert).withdrawn) == (0, True)
    assert bench.acts(first.alert)[-2:] == ["withdrawn", "withdrawn"] and "revised" in bench.acts(first.alert)


def test_a_red_that_dies_stays_red(bench: Any, change: Make) -> None:
    """Silence is a second fact beside the level: since when contact was last had; heard again, it goes."""
    red = change("river_level", "lanxi", 4)
    bench.put(red)
    stale = Change(
        kind="fresh",
        time=red.time + 30 * MIN,
        arrived=red.time + 30 * MIN,
        pack="basin",
        site="lanxi",
        indicator="river_level",
        fresh="stale",
        since=red.time + 15 * MIN,
    )
    bench.put(stale)
    alert = bench.alert(red.alert)
    assert (alert.level, alert.open, alert.silent_since) == (4, True, red.time + 15 * MIN)
    assert count(bench, Item) == 1

    bench.put(replace(stale, fresh="fresh", time=red.time + 40 * MIN))
    assert bench.alert(red.alert).silent_since is None and count(bench, Item) == 0


def test_sources_and_sensors_are_a_worklist(bench: Any) -> None:
    """One feed down is one item, not five hundred; back again it goes; nobody is called."""
    down = Change(kind="feed", time=0, arrived=0, source="hydro", fresh="stale")
    site = Change(
        kind="sensor", time=0, arrived=0, site="lanxi", indicator="river_level", fresh="stale", members=("river_level@lanxi",)
    )
    fails = replace(site, members=(), fresh="error", check="range")
    rule = Change(kind="fresh", time=0, arrived=0, rule="basin/rainstorm", area="admin:yiwu", fresh="stale")
    bench.put(down, site, fails, rule)
    assert (count(bench, Item), count(bench, Alert), count(bench, Delivery)) == (4, 0, 0)
    bench.put(replace(down, fresh="fresh"), replace(fails, fresh="fresh"))
    assert count(bench, Item, Item.kind.in_(("sensor", "rule"))) == count(bench, Item) == 2
    bench.put(replace(site, fresh="fresh"), replace(rule, fresh="fresh"))
    assert count(bench, Item) == 0


def test_shadow_calls_nobody_and_a_drill_says_so_first(bench: Any, change: Make) -> None:
    """Shadow has no ladder; every message of a drill opens with its mark."""
    shadow = change("river_level", "lanxi", 4, scope="shadow")
    drill = change("river_level", "sanhe", 4, scope="exercise")
    bench.put(shadow, drill)

    assert bench.alert(shadow.alert).run == 0 and bench.steps(shadow.alert) == []
    with bench.store.read() as s:
        texts = list(s.scalars(select(Delivery.text)))
    assert len(texts) == 1 and texts[0].startswith("[演练] 【望楼】红 Ⅰ级 河道水位 兰溪市 三河站 29.62m（限 29.50）")


def test_a_forecast_without_an_end_is_kept(bench: Any, change: Make) -> None:
    """Infinity and not-a-number in a band are a very long time, which every database and browser can hold."""
    bench.put(blue := change("river_level", "lanxi", 1, forecast=(3600.0, float("nan"), float("inf"))))

    assert bench.alert(blue.alert).forecast == [blue.time, 3600.0, 1e12, 1e12, blue.limit]


def test_a_retired_detector_leaves_its_alert_to_a_person(bench: Any, change: Make) -> None:
    """A reload never clears."""
    red = change("river_level", "lanxi", 4)
    bench.put(red, Change(kind="retired", time=red.time, arrived=red.time, alert=red.alert, detector=red.detector))

    assert (bench.alert(red.alert).retired, bench.alert(red.alert).level, bench.alert(red.alert).open) == (True, 4, True)


def test_a_closed_alert_whose_detector_says_more_is_the_same_again(bench: Any, change: Make) -> None:
    """Closed by the leader while over the limit, it rises: reopened, with a new ladder. It falls: noted, still closed."""
    first = change("river_level", "lanxi", 2)
    bench.put(first)
    bench.do(first.alert, "answer", "duty")
    bench.do(first.alert, "close", "leader", "上级已接管处置", "true")
    bench.put(change("river_level", "lanxi", 0, 2, 1, onset=first.time))
    assert not bench.alert(first.alert).open and bench.acts(first.alert)[-1] == "after"
    bench.put(change("river_level", "lanxi", 3, 0, 2, onset=first.time))

    alert = bench.alert(first.alert)
    assert (alert.open, alert.state, alert.run, alert.answered) == (True, "calling", 2, None)


@pytest.mark.parametrize(
    ("played", "late", "as_of"), [(False, 20, False), (False, 90, True), (True, 20, False), (True, 90, True)]
)
def test_old_evidence_is_as_of_and_calls_quietly(bench: Any, change: Make, played: bool, late: float, as_of: bool) -> None:
    """Older than an hour: marked 截至, yellow's ladder. In a played history the log's own arrival decides, not the wall clock."""
    red = change("river_level", "lanxi", 4)
    red = replace(red, arrived=red.time + round(late * MIN) if played else red.time)
    wall = red.time + (10**15 if played else round(late * MIN))
    apply(bench.store, "events", 0, [red], Moment(wall, bench.names, played), True)

    alert = bench.alert(red.alert)
    assert (alert.as_of == red.time, alert.ladder) == (as_of, "plain" if as_of else "river")


def test_catching_up_calls_only_for_what_is_still_open(bench: Any, change: Make) -> None:
    """While the log is read up to its end nobody is called; then one ladder each for what still stands, at its level of then."""
    from streams.desk.calling import calls

    gone, here = change("river_level", "sanhe", 4), change("river_level", "lanxi", 4)
    bench.live = False
    bench.put(gone, here)
    bench.put(change("river_level", "sanhe", 0, 4, 1, onset=gone.time), change("river_level", "lanxi", 2, 4, 1, onset=here.time))
    assert count(bench, Delivery) == 0
    with bench.store.begin() as s:
        assert calls.settle_all(s, bench.m) == 1

    assert bench.alert(gone.alert).run == 0
    assert (bench.alert(here.alert).run, bench.alert(here.alert).ladder) == (1, "plain")


class TestCovers:
    """Design 9.20: one message for many."""

    def test_unanswered_steps_of_members_are_suspended(self, bench: Any, change: Make, rule: Make) -> None:
        """While the covering alert is open, members at or below its level call nobody; those above it do."""
        low, high = change("rain", "houzhai", 2), change("rain", "fotang", 4)
        bench.put(low, high)
        bench.put(rule(3))

        assert bench.alert(low.alert).covered_by == rule().alert and bench.steps(low.alert) == [(1, "duty", "suspended")]
        assert bench.alert(high.alert).covered_by is None and bench.steps(high.alert)[0][2] == "called"
        bench.pass_time(3600)
        assert bench.alert(low.alert).state == "calling"

    def test_a_member_that_comes_later_is_covered_from_the_start(self, bench: Any, change: Make, rule: Make) -> None:
        """Nobody is called for it."""
        bench.put(rule(3))
        bench.put(late := change("rain", "houzhai", 3))

        assert bench.steps(late.alert)[0][2] == "suspended" and count(bench, Delivery, Delivery.alert == late.alert) == 0

    def test_answering_the_covering_alert_answers_its_members(self, bench: Any, change: Make, rule: Make) -> None:
        """In the same act; each with its own audit row."""
        bench.put(low := change("rain", "houzhai", 2))
        bench.put(rule(3))
        bench.do(rule().alert, "answer_for", "duty", "电话联系值班员")

        alert = bench.alert(low.alert)
        assert (alert.state, alert.answered_by) == ("answered", "duty") and bench.acts(low.alert)[-1] == "answered"

    def test_when_it_ends_the_members_ladder_resumes_with_fresh_time(self, bench: Any, change: Make, rule: Make) -> None:
        """The covering alert falls back unanswered: the member is called at its step, with all its time."""
        bench.put(low := change("rain", "houzhai", 3))
        bench.pass_time(310)
        assert bench.steps(low.alert)[1][2] == "called"
        bench.put(rule(3))
        bench.pass_time(1000)
        bench.put(rule(0, 3, 1))

        assert bench.alert(low.alert).covered_by is None
        assert [x[2] for x in bench.steps(low.alert)] == ["expired", "called", "waiting"]
        with bench.store.read() as s:
            from streams.desk.calling import calls

            assert calls.steps_of(s, bench.alert(low.alert))[1].until == bench.now + 300 * 1_000_000

    def test_a_member_that_rises_above_it_calls_again(self, bench: Any, change: Make, rule: Make) -> None:
        """Red under an orange roof has its own ladder."""
        bench.put(low := change("rain", "houzhai", 2))
        bench.put(rule(3))
        bench.put(change("rain", "houzhai", 4, 2, 1, onset=low.time))

        assert bench.alert(low.alert).covered_by is None and bench.steps(low.alert)[0] == (1, "wucheng", "called")
