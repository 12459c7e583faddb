"""Rights are decided in one pure function: who may do what, where and up to which level."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.pack import Area, City, Post, Site, Text
from streams.desk import acts
from streams.desk.alert import Refused
from streams.desk.names import Names
from streams.desk.people import rights
from streams.desk.people.rights import CITY, LOCAL, Account, Act, Facts, Role, demand, may
from streams.desk.tables import Alert
from streams.desk.words import has

GOLDEN = """
             viewer  duty    leader  analyst admin   auditor
view         x       x       x       x       x       x
sound        x       x       x       x       x       x
answer       .       x       x       .       .       .
answer_for   .       x       x       .       .       .
pass         .       x       x       .       .       .
news         .       x       x       .       .       .
comment      .       x       x       x       .       .
handover     .       x       x       .       .       .
verify       .       x       x       .       .       .
close        .       x       x       .       .       .
reopen       .       x       x       .       .       .
sign         .       x       x       .       .       .
silence      .       yellow  x       .       .       .
submit       .       x       x       .       .       .
release      .       .       x       .       .       .
order        .       x       x       .       .       .
report       .       x       x       x       .       .
lead         .       x       x       x       .       .
resend       .       x       x       .       x       .
drill        .       x       x       .       x       .
roster       .       .       x       .       x       .
people       .       x       x       .       x       .
propose      .       .       .       x       .       .
approve      .       .       .       x       .       .
audit        .       .       .       .       .       x
accounts     .       .       .       .       x       .
"""
LEVELS = {1: "blue", 2: "yellow", 3: "orange", 4: "x"}
TREE = {"jinhua": "", "lanxi": "jinhua", "youbu": "lanxi", "yiwu": "jinhua", "futang": "yiwu"}
PLACES = tuple(f"admin:{id_}" for id_ in TREE)
NAMES = Names(City(
    (),
    {"dam": Site("dam", Text("坝"), agency="兰溪市水利局", areas={"admin": "youbu"}),
     "gauge": Site("gauge", Text("站"), agency="市水文中心", areas={"admin": "lanxi"}),
     "other": Site("other", Text("站"), agency="市水文中心", areas={"admin": "futang"})},
    tuple(Area("admin", id_, Text(id_), parent) for id_, parent in TREE.items()),
    posts=(Post("lanxi", Text("兰溪"), "兰溪市水利局"), Post("hydro", Text("水文"), "市水文中心"), Post("free", Text("无"))),
))
COUNTY = Account("county", (Role.LEADER,), ("admin:lanxi",), posts=("lanxi",))


def cell(role: Role, act: Act) -> str:
    """What the table shows: never, up to a level, always."""
    worst = max((n for n in LEVELS if may(Account("a", (role,)), act, Facts(level=n)) is None), default=0)
    return LEVELS.get(worst, ".")


def test_the_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    """Role x act, as printed, is the table that was agreed."""
    lines = [f"{'':13}" + "".join(f"{role:8}" for role in Role)]
    lines += [f"{act:13}" + "".join(f"{cell(role, act):8}" for role in Role) for act in Act]
    printed = "\n".join(line.rstrip() for line in lines)
    with capsys.disabled():
        print("\n" + printed)
    assert printed == GOLDEN.strip("\n")


def test_every_move_of_a_person_is_an_act() -> None:
    """So that no deed can be asked about without an answer; what nobody may is not there by mistake."""
    assert {m.value for m in acts.MOVES} <= set(Act)
    assert all(rights.needs(act) in Role for act in Act)
    with pytest.raises(ValueError):
        may(LOCAL, "fly")


def test_every_reason_has_words() -> None:
    """And so has every role."""
    assert all(has(f"right.{key}") for key in ("signin", "rights", "area", "agency", "rank"))
    assert all(has(f"role.{role}") for role in Role)


@pytest.mark.parametrize(
    ("act", "site", "area", "reason"),
    [
        (Act.SILENCE, "gauge", "", None),
        (Act.SILENCE, "dam", "", None),                       # a town below the county
        (Act.SILENCE, "other", "", "right.area"),             # the next county
        (Act.SILENCE, "", "admin:jinhua", "right.area"),      # the city's own
        (Act.SILENCE, "", "", "right.area"),                  # a rule over everything
        (Act.CLOSE, "other", "", "right.area"),
        (Act.VIEW, "other", "", None),
    ],
)
def test_a_county_has_its_subtree_and_no_more(act: Act, site: str, area: str, reason: str | None) -> None:
    """Deeds and mutes end at the county's border, upwards too."""
    alert = Alert(id="a", site=site, area=area, pack="basin", level=4, shown=4, scope="real")
    assert may(COUNTY, act, rights.facts_of(alert, NAMES)) == reason


def test_people_of_another_agency_are_not_read() -> None:
    """An agency lies where all its sites lie; one's own posts are always readable; without area and agency, everybody's are."""
    read = lambda who, post: may(who, Act.PEOPLE, rights.facts_of_post(post, NAMES))  # noqa: E731
    assert [read(COUNTY, p) for p in ("lanxi", "hydro", "free")] == [None, "right.area", "right.area"]
    water = Account("w", (Role.DUTY,), agencies=("兰溪市水利局",), posts=("free",))
    assert [read(water, p) for p in ("lanxi", "hydro", "free")] == [None, "right.agency", None]
    assert [read(Account("c", (Role.DUTY,)), p) for p in ("lanxi", "hydro", "free")] == [None, None, None]
    assert read(Account("v", (Role.VIEWER,)), "lanxi") == "right.rights"


def test_who_was_called_may_answer_wherever_it_is() -> None:
    """A county called for a warning upstream answers it; it does not close or mute it, and a viewer answers nothing."""
    alert = Alert(id="a", site="other", area="", pack="basin", level=4, shown=4, scope="real")
    called = rights.facts_of(alert, NAMES, called=True)
    assert [may(COUNTY, act, called) for act in (Act.ANSWER, Act.PASS, Act.NEWS)] == [None] * 3
    assert [may(COUNTY, act, called) for act in (Act.CLOSE, Act.SILENCE)] == ["right.area"] * 2
    assert may(replace(COUNTY, roles=(Role.VIEWER,)), Act.ANSWER, called) == "right.rights"


def test_nobody_and_everybody() -> None:
    """Who did not sign in may nothing; without accounts this machine may everything."""
    assert {may(None, act) for act in Act} == {"right.signin"}
    assert {may(LOCAL, act, Facts(level=4)) for act in Act} == {None}


def test_a_refusal_names_the_role_that_is_needed() -> None:
    """So that the button can say it."""
    with pytest.raises(Refused) as no:
        demand(Account("d", (Role.DUTY,)), Act.SILENCE, Facts(level=4))
    assert (no.value.key, no.value.values) == ("right.rank", {"role": "leader"})
    no = rights.refusal(Account("v", (Role.VIEWER,)), Act.CLOSE)
    assert no is not None and (no.key, no.values) == ("right.rights", {"role": "duty"})
    demand(Account("d", (Role.DUTY,)), Act.SILENCE, Facts(level=4, scope="exercise"))


roles = st.lists(st.sampled_from(list(Role)), unique=True).map(tuple)
areas = st.lists(st.sampled_from(PLACES), unique=True).map(tuple)
agencies = st.lists(st.sampled_from(("甲", "乙", "丙")), unique=True).map(tuple)
facts = st.builds(
    Facts, areas=st.sampled_from(("", *PLACES)).map(lambda a: rights.facts_of_area(a, NAMES).areas),
    agency=st.sampled_from(("", "甲", "乙")), level=st.integers(0, 4), scope=st.sampled_from(("real", "exercise")),
    called=st.booleans(), post=st.sampled_from(("", "p")),
)


@st.composite
def nested(draw: st.DrawFn) -> tuple[Account, Account]:
    """Two accounts, the first with no more of anything: fewer roles, areas below, fewer agencies."""
    large = Account("l", draw(roles), draw(areas), draw(agencies), draw(st.sampled_from(((), ("p",)))))
    below = {a for a in PLACES if not large.areas or rights.facts_of_area(a, NAMES).areas & set(large.areas)}
    inside = draw(st.lists(st.sampled_from(sorted(below)), unique=True, min_size=1).map(tuple))
    fewer = draw(st.lists(st.sampled_from(large.agencies or ("甲", "乙")), unique=True, min_size=1).map(tuple))
    small = Account(
        "s", tuple(r for r in large.roles if draw(st.booleans())), draw(st.sampled_from((large.areas, inside))),
        draw(st.sampled_from((large.agencies, fewer))), large.posts if draw(st.booleans()) else (),
    )
    return small, large


@given(nested(), st.sampled_from(list(Act)), facts)
def test_less_never_may_more(pair: tuple[Account, Account], act: Act, about: Facts) -> None:
    """The rights of a smaller account never exceed those of the larger one."""
    small, large = pair
    if may(small, act, about) is None:
        assert may(large, act, about) is None


@given(roles, st.sampled_from(list(Act)))
def test_the_city_as_a_whole_is_not_a_countys(held: tuple[Role, ...], act: Act) -> None:
    """Whatever is about no place needs an account without limits of place."""
    limited = Account("a", held, ("admin:lanxi",))
    assert may(limited, act, CITY) in (None, "right.rights", "right.area")
    assert may(limited, act, CITY) is not None or act in rights.EVERYWHERE
