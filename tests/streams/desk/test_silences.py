"""屏蔽 and maintenance windows: nobody is called, nothing is hidden, and what still stands at the end is called for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from starlette.testclient import TestClient

from detectors.pack import Outward
from streams.desk.alert import Actor, Refused
from streams.desk.api.app import make_app
from streams.desk.names import Names
from streams.desk.people.rights import Account, Role, may
from streams.desk.publish import courier, silences
from streams.desk.publish.tables import Parcel, Silence
from streams.desk.tables import Audit, Delivery

HOUR = 3_600_000_000
LEADER = Actor("leader", "带班领导甲", True)


def mute(bench: Any, level: int = 2, hours: float = 1.0, kind: str = "mute", start: float = 0.0, actor: Actor = LEADER,
         reason: str = "探头更换，厂家在场", **scope: str) -> Silence:
    """A silence from `start` hours on."""
    begin = bench.now + round(start * HOUR)
    with bench.store.begin() as s:
        return silences.mute(s, kind, scope or {"site": "lanxi"}, level, begin, begin + round(hours * HOUR), reason, actor, bench.m)


def called(bench: Any, id_: str) -> int:
    """How many calls there are for an alert."""
    with bench.store.read() as s:
        return len(s.scalars(select(Delivery).where(Delivery.alert == id_, Delivery.state != "dropped")).all())


def test_born_muted(bench: Any, change: Any) -> None:
    """Folded, shown with by whom and until when, not called; when the mute ends and it still stands, its ladder starts."""
    row = mute(bench)
    bench.pass_time(1)
    bench.put(one := change("river_level", "lanxi", 2))
    alert = bench.alert(one.alert)

    assert (alert.open, alert.level, alert.state, alert.muted, alert.muted_by) == (True, 2, "detected", row.id, "leader")
    assert alert.muted_until == row.until and called(bench, one.alert) == 0 and bench.steps(one.alert) == []
    bench.now = row.until - 1
    bench.pass_time(0.5)
    alert = bench.alert(one.alert)
    assert alert.muted is None and bench.steps(one.alert)[0][2] == "called" and called(bench, one.alert) == 1
    assert [a for a in bench.acts(one.alert) if a in ("muted", "unmuted", "ladder")] == ["muted", "unmuted", "ladder"]


def test_what_is_back_or_answered_before_the_end_calls_nobody(bench: Any, change: Any) -> None:
    """Back under its limit: no ladder at the end. Answered meanwhile: no ladder either."""
    row = mute(bench, pack="basin")
    bench.put(back := change("river_level", "lanxi", 2), taken := change("reservoir", "hengjin", 2))
    bench.put(change("river_level", "lanxi", 0, 2, 1, bench.now + 60_000_000, back.onset))
    bench.do(taken.alert, "answer", "duty")
    bench.now = row.until
    bench.pass_time(1)

    assert [called(bench, x.alert) for x in (back, taken)] == [0, 0]
    assert bench.alert(taken.alert).state == "answered" and bench.alert(back.alert).muted is None


def test_worse_than_the_mute_calls_at_once(bench: Any, change: Any) -> None:
    """A mute up to yellow does not hold orange: neither a new one nor one that rises; other sites are not held."""
    mute(bench)
    bench.put(one := change("river_level", "lanxi", 2), other := change("methane", "renmin", 2))
    assert called(bench, one.alert) == 0 and called(bench, other.alert) == 1
    bench.put(change("river_level", "lanxi", 3, 2, 1, bench.now + 60_000_000, one.onset))

    assert called(bench, one.alert) == 1 and bench.alert(one.alert).muted is None


def test_a_ladder_under_way_stops_and_goes_on(bench: Any, change: Any) -> None:
    """A mute that begins while a ladder runs suspends it where it is; ended early, it goes on with fresh time."""
    bench.put(one := change("river_level", "lanxi", 3))
    bench.pass_time(310)
    assert [s for _, _, s in bench.steps(one.alert)] == ["expired", "called"]
    row = mute(bench, 3)
    bench.pass_time(600)
    assert [s for _, _, s in bench.steps(one.alert)] == ["expired", "suspended"]
    with bench.store.begin() as s:
        silences.end(s, row.id, LEADER, "", bench.m)
    bench.pass_time(1)

    assert [s for _, _, s in bench.steps(one.alert)] == ["expired", "called"]
    with bench.store.read() as s:
        assert [r.post for r in s.scalars(select(Delivery).where(Delivery.alert == one.alert, Delivery.state == "pending"))] == ["leader"]


@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.floats(0.02, 1.0), st.floats(0.0, 0.9)), min_size=1, max_size=5), st.booleans())
def test_red_is_never_muted_longer_than_its_hour(tmp_path_factory: pytest.TempPathFactory, bench_at: Any, city: Any, change: Any,
                                                 rows: list[tuple[float, float]], window: bool) -> None:
    """Whatever silences follow or overlap each other, and inside a long window: after an hour a red is called."""
    bench = bench_at(f"sqlite:///{tmp_path_factory.mktemp('red')}/desk.db", city)
    try:
        if window:
            mute(bench, 4, 10.0, "window")
        for hours, start in rows:
            mute(bench, 4, hours, start=start)
        bench.pass_time(1)
        bench.put(red := change("river_level", "lanxi", 4))
        born = bench.now
        assert not (window and called(bench, red.alert))
        for _ in range(62):
            bench.now += 60_000_000
            bench.pass_time(0.001)
            if called(bench, red.alert):
                break
        assert called(bench, red.alert) and bench.now - born <= HOUR + 61_000_000
    finally:
        bench.store.close()


def test_a_window_announces_itself(bench: Any, change: Any) -> None:
    """Before, at the start and at the end, to its owner and to who would have been called; each once, at least once sent."""
    with bench.store.begin() as s:
        row = silences.mute(s, "window", {"site": "lanxi"}, 3, bench.now + HOUR, bench.now + 3 * HOUR, "闸门检修，影响水位", LEADER, bench.m)
    got: dict[str, list[str]] = {}
    for when in (0.4, 0.6, 0.9, 1.1, 2.9, 3.1):
        bench.now = row.made + round(when * HOUR)
        bench.pass_time(1)
        with bench.store.read() as s:
            for p in s.scalars(select(Parcel).where(Parcel.created == bench.now)):
                got.setdefault(f"{when}", []).append(p.body["post"])
    assert {k: sorted(v) for k, v in got.items()} == {k: ["duty", "lanxi-water", "leader"] for k in ("0.6", "1.1", "3.1")}
    sent: list[Any] = []

    class Phone:
        def send(self, message: Any, address: str) -> Any:
            sent.append((message.text, address))
            return courier.Outcome(courier.Result.SENT)

    carrier = courier.Courier(bench.store, {"log": Phone()}, lambda: bench.m, "http://x", lambda rows: None)  # type: ignore[dict-item]
    assert (carrier.pump(), carrier.pump(), len(sent)) == (9, 0, 9)
    assert {t[:9] for t, _ in sent} == {"【望楼】检修预告：", "【望楼】检修开始：", "【望楼】检修结束："}
    assert "兰溪站" in sent[0][0] and "闸门检修" in sent[0][0]


def test_what_cannot_be_muted(bench: Any) -> None:
    """Everything at once, no reason, no post, too long for its level, over already, an unknown place, an end twice."""
    def key(**given: Any) -> str:
        with pytest.raises(Refused) as refused:
            mute(bench, **given)
        return refused.value.key

    with bench.store.begin() as s, pytest.raises(Refused) as refused:
        silences.mute(s, "mute", {}, 2, bench.now, bench.now + HOUR, "理由足够长", LEADER, bench.m)
    assert refused.value.key == "mutes.all"
    assert key(reason="短") == "err.reason" and key(actor=Actor()) == "err.post" and key(hours=-1) == "mutes.past_end"
    assert key(level=4, hours=1.1) == "mutes.long" and key(level=2, hours=12.1) == "mutes.long" and key(level=0) == "mutes.level"
    assert key(kind="window", hours=73) == "mutes.long" and key(site="nowhere") == "mutes.unknown"
    row = mute(bench, kind="window", hours=72)
    with bench.store.begin() as s:
        silences.end(s, row.id, LEADER, "", bench.m)
    bench.pass_time(1)
    with bench.store.begin() as s, pytest.raises(Refused) as refused:
        silences.end(s, row.id, LEADER, "", bench.m)
    assert refused.value.key == "mutes.over"


def test_the_limits_are_the_installation_s(bench: Any) -> None:
    """mutes.yaml says how long; the plan in force decides."""
    bench.names = Names(replace(bench.names.city, outward=Outward(mutes=(7200.0, 60.0, 60.0, 60.0))))
    assert mute(bench, level=1, hours=2).level == 1
    with pytest.raises(Refused):
        mute(bench, level=2, hours=0.1)


def test_covering_and_muting_together(bench: Any, change: Any, rule: Any) -> None:
    """A member that is muted and covered calls only when neither holds it."""
    row = mute(bench, 2, site="houzhai")
    bench.put(member := change("rain", "houzhai", 2))
    bench.put(over := rule(3))
    assert bench.alert(member.alert).covered_by == over.alert and called(bench, member.alert) == 0
    bench.now = row.until
    bench.pass_time(1)
    assert called(bench, member.alert) == 0 and bench.alert(member.alert).muted is None
    bench.put(rule(0, 3, 1, bench.now, ()))

    assert called(bench, member.alert) == 1


def test_the_page(tmp_path: Path, night: Any, change: Any) -> None:
    """A form without script makes one, the list says who and why and how many it holds; the row says so; ended by its button."""
    bench, site = night(tmp_path, fill=False)
    with TestClient(make_app(site), cookies={"post": "leader"}, follow_redirects=False) as web:
        empty = web.post("/mutes", data={"level": "yellow", "until": "2026-06-24T03:00", "reason": "探头更换，厂家在场"})
        assert empty.status_code == 409 and "请至少限定一项范围" in empty.text and "探头更换" in empty.text
        assert web.post("/mutes", data={"site": "lanxi", "level": "yellow", "until": "soon", "reason": "探头更换"}).status_code == 409
        form = {"kind": "mute", "site": "lanxi", "level": "yellow", "until": "2026-06-24T03:00", "reason": "探头<更换>，厂家在场"}
        assert web.post("/mutes", data=form).status_code == 303
        bench.put(one := change("river_level", "lanxi", 2))

        page = web.get("/mutes").text
        assert "探头&lt;更换&gt;" in page and "屏蔽了 1 张" in page and "带班领导甲" in page
        assert "屏蔽：带班领导甲，至 03:00" in web.get("/").text
        with bench.store.read() as s:
            id_ = s.scalar(select(Silence.id))
            assert s.scalar(select(Audit.what).where(Audit.act == "silence"))["reason"] == form["reason"]
        assert web.post(f"/mutes/{id_}/end").status_code == 303
        bench.pass_time(1)
        assert called(bench, one.alert) == 1 and web.post(f"/mutes/{id_}/end").status_code == 409


def test_only_for_what_one_s_rights_cover(city: Any) -> None:
    """Officers mute up to yellow in their own area; the city's and other counties' are not theirs; leaders may mute red."""
    from streams.desk.api.mutes import facts_of_scope

    names = Names(city)
    county = Account("a", (Role.DUTY,), areas=("admin:lanxi",))
    for scope, level, wanted in (({"site": "lanxi"}, 2, None), ({"site": "lanxi"}, 3, "right.rank"), ({"site": "houzhai"}, 1, "right.area"),
                                 ({"area": "admin:lanxi"}, 2, None), ({"pack": "basin"}, 1, "right.area")):
        assert may(county, "silence", facts_of_scope(scope, names, level)) == wanted, (scope, level)
    assert may(Account("b", (Role.LEADER,)), "silence", facts_of_scope({"pack": "basin"}, names, 4)) is None
