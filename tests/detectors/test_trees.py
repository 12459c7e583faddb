"""Rules of conditions inside conditions say at each moment what a naive reading of them says, in any order of arrival."""
from __future__ import annotations

import random
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors import timeline
from detectors.combine import Board
from detectors.event import Change, alert_id, event_id
from detectors.pack import Area, City, Detector, Indicator, Limit, Pack, Report, Rule, Site, Term, Text, Use
from detectors.places import ranked

MINUTE = 60_000_000
SITES = ["s0", "s1", "s2", "s3"]
INDICATORS = {"level": "river", "rain": "rain", "road": "road"}
DETECTORS = {f"{pack}/{name}": Detector(name, pack, name, Use("threshold"), (Limit(1, 1.0), Limit(2, 2.0)))
             for name, pack in INDICATORS.items()}
LEVEL, RAIN, ROAD = DETECTORS


def term(*of: str, at: int = 2, kind: str = "any", **params: float) -> Term:
    """A selection."""
    return Term(kind, of, at, params)


def tree(kind: str, *parts: Term, within: float = float("inf"), **params: float) -> Term:
    """A condition over conditions."""
    return Term(kind, (), 1, params, parts, within)


def rule(id: str, when: Term, **more: Any) -> Rule:
    """A rule of the whole city that says orange, unless told otherwise."""
    of = tuple(dict.fromkeys(path for one in when.walk() for path in one.of))
    return Rule(id, "city", when.kind, of, when.at, {}, when=when, within=when.within, **{"level": 3, "unknown": "worst", **more})


def board(*rules: Rule, detectors: dict[str, Detector] | None = None, sites: dict[str, Site] | None = None, heard: bool = True) -> Board:
    """All packs at four sites in two towns of one county; every series has been heard once."""
    found = detectors or DETECTORS
    indicators = {name: Indicator(name, pack, Text(name), "", tuple(SITES), silent=900.0) for name, pack in INDICATORS.items()}
    areas = (Area("admin", "county", Text("县"), "", "county"), Area("admin", "east", Text("东"), "county", "town"),
             Area("admin", "west", Text("西"), "county", "town"))
    places = sites or {s: Site(s, Text(s), areas={"admin": "east" if i < 2 else "west"}) for i, s in enumerate(SITES)}
    packs = tuple(Pack(pack, Text(pack), (indicators[name],), (found[f"{pack}/{name}"],)) for name, pack in INDICATORS.items())
    city = City((*packs, Pack("city", Text("市"), rules=rules)), places, areas)
    made = Board(SimpleNamespace(city=city, hash="", indicators=indicators, detectors=found))    # type: ignore[arg-type]
    for series in (f"{name}@{site}" for name in INDICATORS for site in SITES) if heard else ():
        made.change(fresh(series, -2000, True))
    return made


def fresh(series: str, time: int, heard: bool) -> Change:
    """A series falls silent or speaks, in minutes."""
    name, site = series.split("@")
    return Change(kind="fresh", time=time * MINUTE, arrived=time * MINUTE, pack=INDICATORS[name], site=site, indicator=name,
                  fresh="fresh" if heard else "stale")


def says(path: str, site: str, time: int, to: int, before: int = 0, onset: int | None = None, seq: int = 1) -> Change:
    """A detector's change of level, in minutes."""
    pack, name = path.split("/")
    onset = time if onset is None else onset
    alert = alert_id(path, f"{name}@{site}", onset)
    return Change(id=event_id(alert, seq), alert=alert, seq=seq, time=time * MINUTE, arrived=time * MINUTE, pack=pack, site=site,
                  indicator=name, detector=path, before=before, to=to, value=1.0, score=1.0, limit=1.0, since=time * MINUTE,
                  onset=onset * MINUTE)


def feed(made: Board, *changes: Change) -> list[Change]:
    """What rules say of levels."""
    return [e for change in changes for e in made.change(change) if e.rule and e.kind == "level"]


def final(events: list[Change]) -> list[tuple[Any, ...]]:
    """The last word on each event, without what depends on the order of arrival."""
    newest = {event.id: event for event in events}
    return sorted((e.rule, e.area, e.time, e.before, e.to, e.onset, e.value, e.members) for e in newest.values() if not e.withdrawn)


def moves(events: list[Change], path: str = "city/r") -> list[tuple[int, int]]:
    """(minute, level) wherever the level of a rule moved."""
    return [(e[2] // MINUTE, e[4]) for e in final(events) if e[0] == path and e[3] != e[4]]


# ---- against a naive reading

TERMS = st.recursive(
    st.builds(lambda path, at: term(path, at=at), st.sampled_from(list(DETECTORS)), st.integers(1, 2))
    | st.builds(lambda path, n: term(path, kind="at_least", n=float(n)), st.sampled_from(list(DETECTORS)), st.integers(1, 3)),
    lambda inner: st.builds(lambda parts: tree("all", *parts), st.lists(inner, min_size=1, max_size=3))
    | st.builds(lambda parts: tree("any", *parts), st.lists(inner, min_size=1, max_size=3))
    | st.builds(lambda part: tree("not", part), inner)
    | st.builds(lambda parts, n: tree("at_least", *parts, n=float(n)), st.lists(inner, min_size=2, max_size=3), st.integers(1, 3)),
    max_leaves=6)


@st.composite
def stories(draw: st.DrawFn) -> list[Change]:
    """Members rise, climb and fall; series fall silent and speak, but never while they say something; each in its own order."""
    out: list[Change] = []
    for path in DETECTORS:
        for site in SITES[:3]:
            time = draw(st.integers(0, 5))
            for _ in range(draw(st.integers(0, 2))):
                onset = time = time + draw(st.integers(1, 12))
                to = draw(st.integers(1, 2))
                out.append(says(path, site, time, to, 0, onset, 1))
                time += draw(st.integers(1, 12))
                out.append(says(path, site, time, 0, to, onset, 2))
                if draw(st.booleans()):
                    name = f"{path.split('/')[1]}@{site}"
                    out += [fresh(name, time + 1, False), fresh(name, time := time + draw(st.integers(2, 9)), True)]
    return out


def naive(when: Term, now: dict[tuple[str, str], int], silent: set[str], denied: bool = False) -> bool | None:
    """The condition at one moment, straight from its words. Silence matters where something is denied."""
    if when.of:
        (path,) = when.of
        up = sum(level >= when.at for (p, _), level in now.items() if p == path)
        quiet = sum(now.get((path, s), 0) < when.at for s in SITES if f"{path.split('/')[1]}@{s}" in silent) if denied else 0
        parts: list[bool | None] = [True] * up + [None] * quiet + [False] * (4 - up - quiet)
    else:
        parts = [naive(part, now, silent, denied != (when.kind == "not")) for part in when.parts]
    if when.kind == "not":
        return None if parts[0] is None else not parts[0]
    need = {"any": 1, "all": len(parts)}.get(when.kind) or int(when.params["n"])
    yes, open_ = parts.count(True), parts.count(None)
    return True if yes >= need else None if yes + open_ >= need else False


def expected(when: Term, story: list[Change]) -> list[tuple[int, int]]:
    """Moment by moment: it rises on yes, falls on no, and stays as it is on unknown."""
    now: dict[tuple[str, str], int] = {}
    silent: set[str] = set()
    out, level = [], 0
    start = [fresh(f"{name}@{site}", -2000, True) for name in INDICATORS for site in SITES]
    for time in sorted({c.time for c in (*start, *story)}):
        for c in (c for c in (*start, *story) if c.time == time):
            if c.kind == "level":
                now[c.detector, c.site] = c.to
            else:
                (silent.discard if c.fresh == "fresh" else silent.add)(f"{c.indicator}@{c.site}")
        truth = naive(when, now, silent)
        to = level if truth is None else 3 if truth else 0
        if to != level:
            out.append((time // MINUTE, to))
            level = to
    return out


@settings(max_examples=200, deadline=None)
@given(TERMS, stories(), st.randoms(use_true_random=False), st.sampled_from([2, 256]))
def test_a_tree_says_what_it_reads(when: Term, story: list[Change], shuffle: random.Random, kept: int) -> None:
    """In any order of arrival between series, also where almost no moments are kept and all is run again."""
    runs = sorted(story, key=lambda c: c.time), mixed(story, shuffle)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timeline, "KEPT", kept)
        ends = [feed(made, *run) for run in runs for made in [board(rule("r", when))]]
        start = [feed(board(rule("r", when), heard=False), *(fresh(f"{n}@{s}", -2000, True) for n in INDICATORS for s in SITES))]
    wanted = expected(when, story)
    assert moves(start[0] + ends[0]) == moves(start[0] + ends[1]) == wanted
    assert final(ends[0]) == final(ends[1])


def mixed(story: list[Change], shuffle: random.Random) -> list[Change]:
    """The series in turns, each in its own order."""
    queues: dict[str, list[Change]] = {}
    for change in story:
        queues.setdefault(f"{change.indicator}@{change.site}", []).append(change)
    order = [name for name, queue in queues.items() for _ in queue]
    shuffle.shuffle(order)
    return [queues[name].pop(0) for name in order]


COUNTED = [
    Rule("r", "city", "count", (LEVEL, RAIN), 1, {"n": 1.0}, levels=((1, 1.0), (2, 2.0), (4, 5.0)), level=4),
    Rule("r", "city", "share", (LEVEL,), 1, {"n": 0.2}, levels=((2, 0.2), (3, 0.5)), level=3, tree="admin", depth="town"),
    Rule("r", "city", "worst", (LEVEL, ROAD), 1, {}, levels=((1, 1.0), (2, 2.0)), level=2),
    Rule("r", "city", "domains", tuple(DETECTORS), 1, {"domains": 2.0}, within=600.0),
    Rule("r", "city", "at_least", (LEVEL, RAIN), 1, {"n": 3.0}, within=600.0),
    rule("r", tree("index", term(LEVEL, at=1), replace(term(RAIN, at=1), weight=3.0), n=10.0), levels=((1, 10.0), (3, 40.0))),
    rule("r", tree("sequence", term(RAIN, at=1), term(LEVEL, at=1), term(ROAD, at=1), within=1200.0)),
]


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(COUNTED), stories(), st.randoms(use_true_random=False))
def test_other_rules_in_any_order(one: Rule, story: list[Change], shuffle: random.Random) -> None:
    """What counts, measures or follows gives the same final events whatever arrived first, and through a snapshot in the middle."""
    straight = final(feed(board(one), *sorted(story, key=lambda c: c.time)))
    run, made = mixed(story, shuffle), board(one)
    events = feed(made, *run[:len(run) // 2])
    loaded = board(one, heard=False)
    loaded.load(msgspec.msgpack.decode(msgspec.msgpack.encode(made.dump()), strict=False))
    assert final(events + feed(loaded, *run[len(run) // 2:])) == straight == final(feed(board(one), *run))


# ---- one by one

def test_levels_of_its_own() -> None:
    """Blue at one, yellow at two, red at five; down again the same way; each change names the limit that it passed."""
    made = board(COUNTED[0])
    rises = feed(made, *(says(LEVEL, s, i, 1) for i, s in enumerate(SITES)), says(RAIN, "s0", 9, 1))
    assert [(e.to, e.value, e.limit) for e in rises if e.to != e.before] == [(1, 1.0, 1.0), (2, 2.0, 2.0), (4, 5.0, 5.0)]
    falls = feed(made, *(says(LEVEL, s, 20 + i, 0, 1, i, 2) for i, s in enumerate(SITES)))
    assert [e.to for e in falls] == [2, 1] and falls[0].alert == rises[0].alert
    assert [e.to for e in feed(made, says(RAIN, "s1", 30, 2))] == [2]


def test_two_selections_at_one_site_are_two_series() -> None:
    """Rain and level of one site count as two, and as one domain each."""
    events = feed(board(COUNTED[3]), says(LEVEL, "s0", 0, 1), says(LEVEL, "s1", 3, 1), says(RAIN, "s0", 8, 1))
    assert [(e.time // MINUTE, e.to, e.value) for e in events] == [(8, 3, 2.0)]
    assert events[0].members == ("level@s0", "level@s1", "rain@s0")
    assert not feed(board(COUNTED[3]), says(LEVEL, "s0", 0, 1), says(RAIN, "s0", 11, 1))


def test_share_by_area() -> None:
    """One of two is half of the east and nothing of the west."""
    events = feed(board(COUNTED[1]), says(LEVEL, "s0", 0, 1))
    assert [(e.area, e.to, e.value) for e in events] == [("admin:east", 3, 0.5)]


def test_several_trees_at_once() -> None:
    """One rule for towns and for the county: each of them has its own."""
    both = replace(COUNTED[1], more=(("admin", "county"),))
    events = feed(board(both), says(LEVEL, "s0", 0, 1))
    assert [(e.area, e.to, e.value) for e in events] == [("admin:county", 2, 0.25), ("admin:east", 3, 0.5)]


def test_what_came_first_may_be_over() -> None:
    """Rain that has ended and then the river within the time is a sequence; the other way round, or too late, is none."""
    one = rule("r", tree("sequence", term(RAIN, at=1), term(LEVEL, at=1), within=3600.0))
    rain = [says(RAIN, "s0", 0, 1), says(RAIN, "s0", 20, 0, 1, 0, 2)]
    assert moves(feed(board(one), *rain, says(LEVEL, "s1", 50, 1), says(LEVEL, "s1", 90, 0, 1, 50, 2))) == [(50, 3), (90, 0)]
    assert not feed(board(one), *rain, says(LEVEL, "s1", 61, 1))
    assert not feed(board(one), says(LEVEL, "s1", 5, 1), says(RAIN, "s0", 6, 1))
    late = feed(board(one), says(LEVEL, "s1", 50, 1), *rain)
    assert moves(late) == [(50, 3)], "the order is that of event times"


def test_a_silent_member_is_not_denied() -> None:
    """Rain without a flooded road: with the road's gauge silent the rule does not begin; one that holds does not end."""
    one = rule("r", tree("all", term(RAIN, at=1), tree("not", term(ROAD, at=1))))
    made = board(one)
    feed(made, fresh("road@s0", 0, False))
    assert not feed(made, says(RAIN, "s0", 5, 1))
    assert moves(feed(made, fresh("road@s0", 9, True))) == [(9, 3)]
    assert not feed(made, fresh("road@s0", 30, False))
    assert [e.to for e in feed(made, says(ROAD, "s1", 40, 1))] == [0]


def test_unknown_is_told_of_trees() -> None:
    """Kleene over what is silent now: it is unknown only as long as the silent ones could change the answer."""
    made = board(rule("r", tree("all", term(RAIN, at=1), term(ROAD, at=1))))
    assert not [e for e in made.change(fresh("road@s0", 0, False)) if e.rule], "no rain: no, whatever the road"
    told = [e for e in made.change(says(RAIN, "s0", 5, 1)) if e.rule]
    assert [(e.kind, e.fresh, e.members) for e in told] == [("fresh", "stale", ("road@s0",))]
    assert [e.fresh for e in made.change(fresh("road@s0", 9, True)) if e.rule] == ["fresh"]


def test_rules_over_rules() -> None:
    """The rule above is judged once, after all that it is made of; it names them as members; a withdrawal goes all the way up."""
    low = Rule("low", "city", "at_least", (LEVEL,), 2, {"n": 2.0}, level=2, tree="admin", depth="town", unknown="ignore")
    wet = Rule("wet", "city", "any", (LEVEL, RAIN), 2, {}, level=1, unknown="ignore")
    high = rule("high", tree("all", term("city/low"), term("city/wet", at=1)), tree="admin", depth="county", unknown="ignore")
    made = board(high, low, wet)
    events = feed(made, says(LEVEL, "s0", 0, 2), second := says(LEVEL, "s1", 5, 2))
    assert [(e.rule, e.area, e.to) for e in events] == [
        ("city/wet", "", 1), ("city/low", "admin:east", 2), ("city/wet", "", 1), ("city/high", "admin:county", 3)]
    assert events[-1].members == ("city/low@admin:east", "city/wet@") and events[-1].time == 5 * MINUTE
    back = feed(made, replace(second, withdrawn=True, revision=1))
    assert {(e.rule, e.withdrawn) for e in back} == {("city/wet", True), ("city/low", True), ("city/high", True)}
    again = board(high, low, wet, heard=False)
    again.load(msgspec.msgpack.decode(msgspec.msgpack.encode(made.dump()), strict=False))
    assert feed(again, says(LEVEL, "s1", 7, 2)) == feed(made, says(LEVEL, "s1", 7, 2))


def test_a_rule_that_is_new_finds_what_is_already_so() -> None:
    """Its first word, at the next change of a member, tells since when it holds; a plan that takes a condition back clears nothing."""
    made = board()
    feed(made, *(says(LEVEL, s, i, 1) for i, s in enumerate(SITES[:3])))
    with_it, quiet = made.move(board(COUNTED[4]).plan)
    assert not [e for e in quiet if e.kind == "level"]
    assert [(e.time // MINUTE, e.to, e.value) for e in feed(with_it, says(RAIN, "s0", 9, 1))] == [(2, 3, 3.0), (9, 3, 4.0)]
    stricter = replace(COUNTED[4], params={"n": 5.0})
    harder, quiet = with_it.move(board(stricter).plan)
    assert not [e for e in quiet if e.kind == "level"] and harder.rulings["city/r", ""].holds
    assert [e.to for e in feed(harder, says(LEVEL, "s0", 20, 0, 1, 0, 2))] == [0]


def test_circles_are_named() -> None:
    """Rules that are made of each other have no order; the way round is told."""
    with pytest.raises(ValueError, match="p/a -> p/b -> p/a"):
        ranked([Rule("a", "p", "any", ("p/b",), 1), Rule("b", "p", "any", ("p/a", "p/x"), 1)])


def test_expected_downstream() -> None:
    """The gauge two steps down hears of the wave with the time that is left, and loses it when it is over upstream."""
    sites = {"s0": Site("s0", Text("a"), downstream="s1", travel=3600.0), "s1": Site("s1", Text("b"), downstream="s2", travel=1800.0),
             "s2": Site("s2", Text("c"))}
    one = Rule("r", "city", "upstream", (LEVEL,), 2, {"steps": 2.0}, level=1, by_site=True, unknown="ignore")
    made = board(one, sites=sites)
    events = feed(made, says(LEVEL, "s0", 0, 2))
    assert [(e.site, e.area, e.to, e.forecast, e.members) for e in events] == [
        ("s1", "", 1, (3600.0,) * 3, ("level@s0",)), ("s2", "", 1, (5400.0,) * 3, ("level@s0",))]
    assert {e.alert for e in events} == {alert_id("city/r", s, 0) for s in ("s1", "s2")}
    assert [(e.site, e.to) for e in feed(made, says(LEVEL, "s0", 30, 0, 2, 0, 2))] == [("s1", 0), ("s2", 0)]


def test_a_storm_is_one_event_that_covers() -> None:
    """Four in ten minutes; it goes on until fewer than two are left."""
    storm = Rule("r", "city", "storm", tuple(DETECTORS), 1, {"storm": 4.0}, within=600.0, covers=True, unknown="ignore")
    made = board(storm)
    events = feed(made, *(says(LEVEL, s, i, 1) for i, s in enumerate(SITES)))
    assert [(e.time // MINUTE, e.covers, len(e.members)) for e in events] == [(3, True, 4)]
    falls = feed(made, *(says(LEVEL, s, 20 + i, 0, 1, i, 2) for i, s in enumerate(SITES)))
    assert [(e.to, e.value) for e in falls] == [(3, 3.0), (3, 2.0), (0, 1.0)]


def test_leads() -> None:
    """A lead is marked, two a day and town are worked on, the rest is counted; all that follows of one goes with it."""
    leads = {**DETECTORS, LEVEL: replace(DETECTORS[LEVEL], report=Report(1, "admin"))}
    made = board(rule("r", term(LEVEL, at=1)), detectors=leads)
    said = [e for i, s in enumerate(SITES) for e in made.change(says(LEVEL, s, i, 1)) if e.detector]
    assert [e.report for e in said] == ["lead", "rest", "lead", "rest"]
    loaded = board(rule("r", term(LEVEL, at=1)), detectors=leads, heard=False)
    loaded.load(msgspec.msgpack.decode(msgspec.msgpack.encode(made.dump()), strict=False))
    for one in (made, loaded):
        assert [e.report for e in one.change(says(LEVEL, "s1", 9, 0, 1, 1, 2)) if e.detector] == ["rest"]
        assert [e.report for e in one.change(says(LEVEL, "s1", 60 * 24, 1)) if e.detector] == ["lead"]
    assert {e.report for e in feed(made, says(LEVEL, "s0", 99, 0, 1, 0, 2))} == {""}, "the rule above them calls"
    assert {row[2] for row in made.areas() if row[1] == "river"} == {0}, "a lead is no level of its area"


def test_a_snapshot_of_the_older_form_goes_on() -> None:
    """Six parts, turns of six, no quiet and no leads: an open rule stays open and ends when its members do."""
    one = Rule("r", "city", "at_least", (LEVEL,), 2, {"n": 2.0}, level=3, within=3600.0, covers=True)
    made = board(one)
    opened = feed(made, says(LEVEL, "s0", 0, 2), says(LEVEL, "s1", 5, 2))
    body = msgspec.msgpack.decode(msgspec.msgpack.encode(made.dump()), strict=False)
    del body["quiet"], body["leads"]
    for row in body["rulings"]:
        row[2] = [[[change, turn[:6]] for change, turn in row[2][0]], *row[2][1:4], ["level@s0", "level@s1"], row[2][5]]
    again = board(one, heard=False)
    again.load(body)
    assert again.rulings["city/r", ""].holds and not again.rulings["city/r", ""].freshness(0, 0)
    assert [(e.to, e.alert) for e in feed(again, says(LEVEL, "s0", 30, 0, 2, 0, 2))] == [(0, opened[0].alert)]


def test_the_cost_of_a_change_is_not_that_of_all_rules() -> None:
    """A change is put before the rules that contain its member and no others."""
    made = board(*(replace(COUNTED[0], id=f"r{i}", of=(RAIN,)) for i in range(20)), COUNTED[0])
    asked: list[str] = []
    for ruling in made.rulings.values():
        ruling.judge = lambda *args, of=ruling.rule.id, was=ruling.judge: (asked.append(of), was(*args))[1]   # type: ignore[method-assign]
    made.change(says(LEVEL, "s0", 0, 1))
    assert asked == ["r"]
