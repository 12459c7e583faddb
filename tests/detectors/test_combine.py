from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.combine import Board
from detectors.event import Change, alert_id, event_id
from detectors.pack import Area, City, Detector, Indicator, Limit, Pack, Rule, Site, Text, Use
from detectors.reading import Source

MINUTE, HOUR = 60_000_000, 3_600_000_000
SITES = [f"s{i}" for i in range(8)]
LEVEL = Indicator("river_level", "basin", Text("水位"), "m", tuple(SITES), silent=900.0)
STAGE = Detector("stage", "basin", "river_level", Use("threshold"), (Limit(2, 28.0),))
WIDE = Rule("wide", "basin", "at_least", ("basin/stage",), 2, {"n": 3}, level=3, tree="basin", depth="reach",
            within=7200.0, quorum=0.7, covers=True)


def plan(*rules: Rule, detectors: tuple[Detector, ...] = (STAGE,), sites: list[str] = SITES) -> SimpleNamespace:
    """A basin with one reach of eight gauges, its upper half in a reach of its own below it."""
    areas = (Area("basin", "river", Text("江"), "", "basin"), Area("basin", "low", Text("下"), "river", "reach"),
             Area("basin", "creek", Text("溪"), "low", "creek"))
    indicator = replace(LEVEL, sites=tuple(sites))
    city = City((Pack("basin", Text("流域"), (indicator,), detectors, rules or (WIDE,)),),
                {s: Site(s, Text(s), areas={"basin": "creek" if s in SITES[:4] else "low"}) for s in sites}, areas)
    return SimpleNamespace(city=city, hash="", indicators={"river_level": indicator}, detectors={d.path: d for d in detectors})


def heard(plan: SimpleNamespace, **more: object) -> Board:
    """A board whose series have all been heard once."""
    board = Board(plan, **more)     # type: ignore[arg-type]
    for site in plan.indicators["river_level"].sites:
        board.change(silence(site, -2000, "fresh", source="rtu"))
    return board


def said(site: str, time: int, to: int, before: int = 0, onset: int | None = None, seq: int = 1, **more: object) -> Change:
    """A change as judge says it, `time` and `onset` in minutes."""
    onset = time if onset is None else onset
    alert = alert_id("basin/stage", f"river_level@{site}", onset)
    base = Change(id=event_id(alert, seq), alert=alert, seq=seq, time=time * MINUTE, arrived=time * MINUTE, pack="basin",
                  site=site, indicator="river_level", detector="basin/stage", before=before, to=to, value=28.0, score=28.0,
                  limit=28.0, since=time * MINUTE, onset=onset * MINUTE)
    return replace(base, **more)    # type: ignore[arg-type]


def silence(site: str, time: int, fresh: str = "stale", **more: object) -> Change:
    """A change of freshness as judge says it."""
    base = Change(kind="fresh", time=time * MINUTE, arrived=time * MINUTE, pack="basin", site=site, indicator="river_level",
                  fresh=fresh)
    return replace(base, **more)    # type: ignore[arg-type]


def rules(changes: list[Change]) -> list[Change]:
    """Only what rules said of levels."""
    return [c for c in changes if c.rule and c.kind == "level"]


def feed(board: Board, *changes: Change) -> list[Change]:
    """All events that the changes make."""
    return [event for change in changes for event in board.change(change)]


def final(events: list[Change]) -> list[tuple[object, ...]]:
    """Revisions and withdrawals folded, without what depends on the order of arrival (design 9.14)."""
    newest: dict[str, Change] = {}
    for event in rules(events):
        newest[event.id] = event
    stands = [e for e in newest.values() if not e.withdrawn]
    return sorted((e.rule, e.area, e.onset, e.time, e.before, e.to, e.value, e.members) for e in stands)


def test_own_change_passes_on_with_its_group() -> None:
    """A detector's change becomes an event at once, with the group its 预警单 is opened for, or its own if separate."""
    (event,) = heard(plan()).change(said("s0", 0, 2))
    assert (event.group, event.area, event.site) == ("basin/river_level", "", "s0")
    alone = replace(STAGE, separate=True)
    (event,) = heard(plan(detectors=(alone,))).change(said("s0", 0, 2))
    assert event.group == "basin/stage"


def test_rule_holds_grows_and_ends() -> None:
    """Three of the area within two hours: orange since the third; a fourth is added; fewer than three end it."""
    board = heard(plan())
    assert not rules(feed(board, said("s0", 0, 2), said("s1", 30, 3)))
    (rise,) = rules(feed(board, said("s5", 60, 2)))
    assert (rise.area, rise.before, rise.to, rise.value, rise.limit) == ("basin:low", 0, 3, 3.0, 3.0)
    assert rise.members == ("river_level@s0", "river_level@s1", "river_level@s5")
    assert rise.onset == rise.since == rise.time == 60 * MINUTE and rise.covers and rise.group == "basin/wide"
    assert rise.alert == alert_id("basin/wide", "basin:low", 60 * MINUTE) and rise.id == event_id(rise.alert, 1)
    (more,) = rules(feed(board, said("s6", 90, 4)))
    assert (more.before, more.to, more.value, more.seq, more.alert) == (3, 3, 4.0, 2, rise.alert)
    feed(board, said("s0", 100, 0, 2, onset=0, seq=2))
    (end,) = rules(feed(board, said("s1", 110, 0, 3, onset=30, seq=2)))
    assert (end.before, end.to, end.value, end.alert, end.onset) == (3, 0, 2.0, rise.alert, rise.onset)


@pytest.mark.parametrize("change", [said("s2", 200, 2), said("s2", 60, 1), said("s2", 60, 2, scope="exercise")])
def test_what_does_not_count(change: Change) -> None:
    """A rise too far from the others, a level too low or another scope does not complete the rule."""
    assert not rules(feed(heard(plan()), said("s0", 0, 2), said("s1", 30, 2), change))


def test_old_rise_is_no_member_and_long_floods_go_on() -> None:
    """A gauge up since yesterday is not counted; one that joins much later is."""
    board = heard(plan())
    events = feed(board, said("s7", -1440, 2), said("s0", 0, 2), said("s1", 5, 2), said("s2", 9, 2), said("s3", 900, 2),
                  said("s0", 901, 0, 2, onset=0, seq=2))
    assert "river_level@s7" not in rules(events)[-1].members
    assert rules(events)[-1].members == ("river_level@s1", "river_level@s2", "river_level@s3")


def test_withdrawn_member_withdraws_the_rule() -> None:
    """What rests on a change that was taken back is taken back itself."""
    board = heard(plan())
    third = said("s2", 20, 2)
    events = feed(board, said("s0", 0, 2), said("s1", 10, 2), third, replace(third, withdrawn=True, revision=1))
    assert [e.withdrawn for e in rules(events)] == [False, True]
    assert rules(events)[0].id == rules(events)[1].id and not final(events)


def test_revised_member_revises_the_rule() -> None:
    """A member that rose earlier than first said moves the onset; the ids stay those announced."""
    board = heard(plan())
    third = said("s2", 20, 2)
    events = rules(feed(board, said("s0", 0, 2), said("s1", 10, 2), third, replace(third, time=15 * MINUTE, revision=1)))
    assert [(e.time, e.revision) for e in events] == [(20 * MINUTE, 0), (15 * MINUTE, 1)]
    assert events[0].id == events[1].id and events[1].onset == 15 * MINUTE


def test_repeats_are_dropped_and_nothing_else() -> None:
    """A judge that restarts says its changes again: no event. A new revision or sequence is an event."""
    board, first = heard(plan()), said("s0", 0, 2)
    assert len(board.change(first)) == 1 and board.change(first) == []
    assert len(board.change(replace(first, revision=1))) == 1
    assert len(board.change(said("s0", 5, 3, 2, onset=0, seq=2))) == 1
    assert len(board.change(silence("s0", 9))) == 1 and board.change(silence("s0", 9)) == []


def test_whole_city_and_shadow() -> None:
    """A rule without a tree is one for all; a shadow rule watches real members and says shadow."""
    city = replace(WIDE, tree="", depth="", scope="shadow")
    (rise,) = rules(feed(heard(plan(city)), *(said(s, i, 2) for i, s in enumerate(SITES[:3]))))
    assert (rise.area, rise.scope) == ("", "shadow")


def test_depth_chooses_the_areas() -> None:
    """A site counts in every area above it: the creek's gauges make both the creek and the reach hold."""
    creek = replace(WIDE, id="creek", depth="creek")
    events = rules(feed(heard(plan(WIDE, creek)), *(said(s, i, 2) for i, s in enumerate(SITES[:3]))))
    assert {e.area for e in events} == {"basin:low", "basin:creek"}


def test_unknown_with_too_few_fresh_members() -> None:
    """Below the quorum of fresh members the rule says that it does not know; a rule that holds goes on."""
    board = heard(plan())
    events = feed(board, *(silence(s, 10 + i) for i, s in enumerate(SITES[5:])))
    (unknown,) = [e for e in events if e.rule]
    assert (unknown.kind, unknown.fresh, unknown.area, unknown.group) == ("fresh", "stale", "basin:low", "basin/wide")
    (known,) = [e for e in feed(board, silence("s7", 30, "fresh")) if e.rule]
    assert known.fresh == "fresh" and known.id != unknown.id
    feed(board, said("s0", 31, 2), said("s1", 32, 2), said("s2", 33, 2))
    assert not [e for e in feed(board, *(silence(s, 40) for s in SITES[3:])) if e.rule]


def test_unheard_is_unknown() -> None:
    """A rule is unknown, not quiet, until enough of its members were heard; then it says that it knows."""
    board = Board(plan())
    events = feed(board, *(silence(s, 1, "fresh") for s in SITES))
    (known,) = [e for e in events if e.rule]
    assert (known.fresh, known.value) == ("fresh", 6 / 8)


def test_stale_red_member_still_holds() -> None:
    """A gauge that dies at its peak keeps its level, so the rule that rests on it holds."""
    board = heard(plan())
    events = feed(board, said("s0", 0, 4), said("s1", 1, 2), said("s2", 2, 2), silence("s0", 15), silence("s1", 15))
    assert [e.to for e in rules(events)] == [3]


def test_worst_and_ignore() -> None:
    """`worst`: unknown as soon as the silent ones could complete it; `ignore`: never unknown."""
    for policy, told in (("worst", 1), ("ignore", 0)):
        board = heard(plan(replace(WIDE, unknown=policy)))
        events = feed(board, said("s0", 0, 2), said("s1", 0, 2), silence("s2", 5))
        assert len([e for e in events if e.rule]) == told


def test_lagging_partition_makes_members_stale() -> None:
    """A partition 60 s behind the newest counts as silent; combine's clock is the slowest partition's."""
    board = heard(plan(), where=lambda site: int(site[1:]) % 2)
    assert board.tick(0, HOUR) == [] and board.now == HOUR
    assert board.tick(1, HOUR + 59_000_000) == []
    (unknown,) = board.tick(1, HOUR + 60_000_000)
    assert (unknown.kind, unknown.fresh) == ("fresh", "stale") and board.now == HOUR
    (known,) = board.tick(0, HOUR + 60_000_000)
    assert known.fresh == "fresh"


def test_coarse_ticks_are_no_lag() -> None:
    """With a minute between ticks (a played history) partitions some ticks apart are not behind; an hour apart they are."""
    board = heard(plan(), where=lambda site: int(site[1:]) % 2)
    board.tick(0, HOUR)
    said_of = [e for i in range(60) for e in board.tick(1, HOUR + i * MINUTE)]
    assert said_of == []
    assert [e.fresh for e in board.tick(1, 2 * HOUR)] == ["stale"]


def test_old_copies_of_a_source_record() -> None:
    """A source record comes by every partition; the copy of a slow one does not bring a dead source back."""
    board = heard(plan())
    assert [e.fresh for e in board.source(Source("rtu", False, 0, 50 * MINUTE))] == ["stale"]
    assert board.source(Source("rtu", False, 0, 50 * MINUTE)) == []
    assert board.source(Source("rtu", True, 0, 40 * MINUTE)) == []
    assert [e.fresh for e in board.source(Source("rtu", True, 0, 60 * MINUTE))] == ["fresh"]


def test_single_sensor_after_twice_silent() -> None:
    """A silent site becomes one worklist item after 2 × silent, at that very moment, and it ends when it speaks."""
    board = heard(plan())
    feed(board, said("s3", 0, 4), silence("s3", 15))
    assert board.tick(0, 29 * MINUTE) == []
    (item,) = board.tick(0, 55 * MINUTE)
    assert (item.kind, item.site, item.time, item.fresh, item.since) == ("sensor", "s3", 30 * MINUTE, "stale", 0)
    assert board.tick(0, 56 * MINUTE) == []
    events = feed(board, silence("s3", 60, "fresh"))
    assert [(e.kind, e.fresh) for e in events] == [("fresh", "fresh"), ("sensor", "fresh")]
    assert events[1].alert == item.alert and events[1].id != item.id
    assert not [e for e in events if e.kind == "level"], "silence and its end never clear anything"


def test_many_silent_at_once_are_one_feed() -> None:
    """Five and half of a source's series within one `silent`: one feed change, no sensor items; its end is told too."""
    board = heard(plan())
    events = feed(board, *(silence(s, 15 + i, source="rtu") for i, s in enumerate(SITES[:5])))
    assert [(e.source, e.fresh) for e in events if e.kind == "feed"] == [("rtu", "stale")]
    assert board.tick(0, 60 * MINUTE) == []
    events = feed(board, *(silence(s, 70, "fresh", source="rtu") for s in SITES[:5]))
    assert [(e.source, e.fresh) for e in events if e.kind == "feed"] == [("rtu", "fresh")]


def test_a_feed_that_is_back_gives_its_sensors_their_time() -> None:
    """Those that have not spoken yet when their feed is back are no items at once, but after `silent` more; then they are."""
    board = heard(plan())
    feed(board, *(silence(s, 15, source="rtu") for s in SITES[:5]))
    board.tick(0, 100 * MINUTE)
    events = feed(board, *(silence(s, 101, "fresh", source="rtu") for s in SITES[:3]))
    assert [(e.source, e.fresh) for e in events if e.kind == "feed"] == [("rtu", "fresh")]
    loaded = Board(board.plan)
    loaded.load(msgspec.msgpack.decode(msgspec.msgpack.encode(board.dump()), strict=False))
    for one in (board, loaded):
        assert [e for e in one.tick(0, 115 * MINUTE) if e.kind == "sensor"] == []
        assert [(e.site, e.time) for e in one.tick(0, 117 * MINUTE)] == [(s, 116 * MINUTE) for s in SITES[3:5]]


def test_spread_silence_is_not_a_feed() -> None:
    """The same five, an hour apart, are five sensors."""
    board = heard(plan())
    for i, site in enumerate(SITES[:5]):
        assert not [e for e in feed(board, silence(site, 15 + 60 * i, source="rtu")) if e.kind == "feed"]
    assert [e.site for e in board.tick(0, 400 * MINUTE)] == SITES[:5]


def test_source_records() -> None:
    """A source that says down, or that no record names for 90 s of ticks, is one feed change; up again ends it."""
    board = heard(plan())
    assert board.source(Source("rtu", True, 0, 0)) == [] and board.tick(0, 90_000_000) == []
    (lost,) = board.tick(0, 200_000_000)
    assert (lost.kind, lost.source, lost.time, lost.check) == ("feed", "rtu", 90_000_000, "lost")
    (back,) = board.source(Source("rtu", True, 200_000_000, 200_000_000))
    assert back.fresh == "fresh" and back.alert == lost.alert
    (down,) = board.source(Source("rtu", False, 200_000_000, 210_000_000))
    assert (down.fresh, down.check, down.since) == ("stale", "said", 200_000_000)
    feed(board, silence("s0", 15, source="rtu"))
    assert not [e for e in board.tick(0, 40 * MINUTE) if e.kind == "sensor"], "its feed is down: no item of its own"


def test_move_never_clears() -> None:
    """A plan without the rule retires its open alert; one with fewer members or a higher limit says nothing by itself."""
    board = heard(plan())
    feed(board, said("s0", 0, 2), said("s1", 1, 2), said("s2", 2, 2))
    _, events = board.move(plan(replace(WIDE, id="other", was="")))
    assert [(e.kind, e.rule, e.to) for e in events if e.kind != "fresh"] == [("retired", "basin/wide", 3)]
    renamed, events = board.move(plan(replace(WIDE, id="other", was="wide")))
    assert events == [] and renamed.rulings["basin/other", "basin:low"].holds
    fewer, events = board.move(plan(sites=SITES[1:]))
    assert events == []
    (end,) = rules(feed(fewer, said("s1", 9, 0, 2, onset=1, seq=2)))
    assert (end.to, end.value) == (0, 1.0) and not end.withdrawn


def test_areas_show_the_worst_and_the_fresh() -> None:
    """Worst real level and fresh share by area and pack; shadow is left out."""
    shadow = replace(STAGE, id="trial", scope="shadow")
    board = heard(plan(detectors=(STAGE, shadow)))
    feed(board, said("s0", 0, 3), said("s7", 0, 4, detector="basin/trial", scope="shadow"), silence("s1", 15))
    found = {place: (worst, share) for place, pack, worst, share in board.areas()}
    assert found == {"basin:river": (3, 7 / 8), "basin:low": (3, 7 / 8), "basin:creek": (3, 3 / 4)}


def test_dump_and_load() -> None:
    """A board from a snapshot goes on exactly as the one that was not interrupted; the snapshot is plain."""
    changes = [said("s0", 0, 2), silence("s4", 15), said("s1", 20, 3), said("s2", 30, 2)]
    rest = [said("s3", 40, 2), said("s1", 50, 0, 3, onset=20, seq=2), silence("s4", 60, "fresh"), changes[0]]
    for cut in range(len(changes) + 1):
        board = heard(plan())
        feed(board, *changes[:cut])
        board.tick(0, 31 * MINUTE)
        body = board.dump()
        again = Board(plan())
        again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(body)))
        assert json.loads(json.dumps(again.dump())) == json.loads(json.dumps(body))
        assert feed(again, *changes[cut:], *rest) == feed(board, *changes[cut:], *rest)


def test_many_changes_of_one_member_stay_bounded() -> None:
    """A member that flaps for weeks costs a fixed number of entries, and the rule goes on to follow it."""
    board = heard(plan())
    feed(board, said("s0", 0, 2), said("s1", 1, 2))
    for i in range(200):
        at = 2 + 10 * i
        feed(board, said("s2", at, 2), said("s2", at + 5, 0, 2, onset=at, seq=2))
    assert len(board.histories["basin/stage", "river_level@s2"].said) <= 32
    assert len(board.rulings["basin/wide", "basin:low"].emitted) <= 64
    assert rules(feed(board, said("s3", 2010, 2), said("s4", 2011, 2), said("s5", 2012, 2)))[-1].to == 3


@st.composite
def stories(draw: st.DrawFn) -> list[Change]:
    """Members that rise, climb, fall and rise again, some with a revised or withdrawn change."""
    out: list[Change] = []
    for site in SITES[:6]:
        time = 0
        for _ in range(draw(st.integers(0, 3))):
            onset = time = time + draw(st.integers(1, 90))
            level = 0
            for seq in range(1, 1 + draw(st.integers(1, 4))):
                to = draw(st.integers(1, 4).filter(lambda v, b=level: v != b)) if seq < 4 else 0
                change = said(site, time, to, level, onset=onset, seq=seq)
                out.append(change)
                kind = draw(st.sampled_from(["", "", "", "late", "withdrawn"]))
                if kind:
                    out.append(replace(change, revision=1, time=change.time + (MINUTE // 2 if kind == "late" else 0),
                                       withdrawn=kind == "withdrawn"))
                level, time = to, time + draw(st.integers(1, 60))
    return out


@settings(max_examples=150, deadline=None)
@given(stories(), st.randoms(use_true_random=False), st.integers(0, 40))
def test_any_order_of_arrival_gives_the_same_final_events(story: list[Change], random: object, repeats: int) -> None:
    """Rules rest on event times: shuffled, repeated arrival folds to the same final events (design 9.14, 9.18)."""
    straight = feed(heard(plan()), *story)
    mixed = story + story[:repeats]
    random.shuffle(mixed)       # type: ignore[attr-defined]
    assert final(feed(heard(plan()), *mixed)) == final(straight)


@settings(max_examples=60, deadline=None)
@given(stories())
def test_final_events_alternate(story: list[Change]) -> None:
    """The events that stand follow each other: each starts at the level where the one before ended."""
    level = 0
    newest = {e.id: e for e in rules(feed(heard(plan()), *story))}
    for event in sorted((e for e in newest.values() if not e.withdrawn), key=lambda e: e.time):
        assert event.before == level
        level = event.to
