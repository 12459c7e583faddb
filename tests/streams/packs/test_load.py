"""A good configs folder becomes a city: every number resolved, every name found."""
import shutil
from math import inf, isnan
from pathlib import Path

import msgspec
import pytest

from detectors.judge import State, judge
from detectors.pack import City, Derive, Limit, Route, Step, Text, Use
from detectors.plan import Plan
from detectors.reading import Block
from streams.errors import ConfigError, UsageError
from streams.packs import check_city, find_configs, load_city, units

GOOD = Path(__file__).parent / "good"
BASE = Path(__file__).parent / "base"


@pytest.fixture(scope="module")
def city():
    """The good folder."""
    return load_city(GOOD)


def indicator(city, name):
    """One indicator of a city."""
    return next(i for p in city.packs for i in p.indicators if i.id == name)


def detector(city, path):
    """One detector of a city."""
    return next(d for p in city.packs for d in p.detectors if d.path == path)


def test_an_indicator_is_in_seconds_and_its_own_unit(city):
    """Durations become seconds, rates per second, quantities the indicator's unit; null is an end that is off."""
    level = indicator(city, "river_level")
    assert (level.every, level.silent, level.lateness, level.wall) == (300.0, 900.0, 1800.0, True)
    assert level.keep == {"raw": 90 * 86400.0, "1h": 3650 * 86400.0}
    checks = {use.kind: use.params for use in level.checks}
    assert checks["range"]["fail"] == (0.0, 60.0)
    assert checks["range"]["suspect"][0] == 15.0 and isnan(checks["range"]["suspect"][1])
    assert checks["rate"] == pytest.approx({"suspect": 1 / 3600, "fail": 5 / 3600})
    assert checks["flat"] == {"suspect": 43200.0, "within": 0.002}
    assert checks["missing"] == {}


def test_a_published_figure_has_its_period(city):
    """Month, due time and revisions to judge again are read; what is made of it has them too."""
    trade, yoy = indicator(city, "trade"), indicator(city, "trade_yoy")
    assert (trade.period, trade.due, trade.rejudge, trade.every) == ("month", 20 * 86400.0, 6, 31 * 86400.0)
    assert (yoy.period, yoy.rejudge, yoy.silent, yoy.unit) == ("month", 6, 60 * 86400.0, "%")


def test_limits_are_worked_out_for_each_site(city):
    """Expressions use the site's own columns; an empty cell leaves the site out, so the level is off there."""
    blue, yellow, orange, red, low = detector(city, "basin/stage").limits
    assert blue == Limit(1, {"lanxi": 27.0, "jinhua": 35.0})
    assert yellow == Limit(2, {"lanxi": 28.0, "jinhua": 36.0}, clear={"lanxi": 27.8, "jinhua": 35.8}, keep=3600.0)
    assert orange == Limit(3, {"lanxi": 30.0, "jinhua": 37.0}, hold=600.0)
    assert red == Limit(4, {"lanxi": 33.0})
    assert low == Limit(4, 16.0, above=False, clear=17.0)


def test_a_detector_carries_what_its_author_said(city):
    """Cap, scope, sites, reason, source, its name before, and the line it stands on."""
    stage, rising = detector(city, "basin/stage"), detector(city, "basin/rising")
    assert (stage.cap, stage.scope, stage.was, stage.source, stage.line) == (3, "real", "level", "guess", 27)
    assert stage.why == Text("超警戒、保证水位", "above the warning or guarantee stage")
    assert (rising.scope, rising.sites, rising.use) == ("shadow", ("lanxi",), Use("forecast", {"within": 21600.0}))
    assert [(limit.level, limit.at) for limit in rising.limits] == [(2, {"lanxi": 28.0}), (3, {"lanxi": 30.0})]


def test_limits_are_in_the_unit_of_the_score(city):
    """A rate's limits are per second; a column may say its unit in brackets."""
    above, below = detector(city, "basin/fast").limits
    assert above.at == pytest.approx(0.3 / 3600)
    assert below.at == pytest.approx({"lanxi": -0.5 / 3600, "jinhua": -0.5 / 3600}) and not below.above


def test_defaults_fill_what_an_entry_does_not_say(city):
    """The defaults block is read for indicators, detectors and levels; the entry itself wins."""
    heavy = detector(city, "rain/heavy")
    assert (indicator(city, "rain").silent, heavy.source) == (900.0, "guess")
    assert [(limit.at, limit.keep) for limit in heavy.limits] == [(50.0, 1800.0), (80.0, 3600.0)]


def test_a_derived_indicator_is_like_its_inputs(city):
    """Unit, sites and period come from the inputs; coverage and grace stand beside the operator."""
    rain = indicator(city, "rain_12h")
    assert rain.derive == Derive(Use("sum", {"over": 43200.0}), ("rain",), 0.8, 60.0)
    assert (rain.unit, rain.decimals, rain.title.zh) == ("mm", 1, "雨量")
    load = indicator(city, "load")
    assert (load.unit, load.decimals, load.every, load.silent) == ("", 3, 300.0, inf)
    assert load.derive.inputs == ("flow", "river_level")
    assert load.derive.use.params["c0"] == {"lanxi": 4000.0, "jinhua": 1000.0}


def test_a_site_measures_what_it_names(city):
    """An empty cell means all indicators of the pack; a pack's site may name one that the pack uses."""
    assert indicator(city, "river_level").sites == ("lanxi", "jinhua")
    assert indicator(city, "trade").sites == ("lanxi",)
    assert set(indicator(city, "rain").sites) == {"lanxi", "longyou", "jinhua"}
    assert set(detector(city, "basin/wet").limits[0].at) == {"lanxi"}


def test_a_site_of_two_packs_is_one_site(city):
    """GBK is read; what one pack leaves empty the other fills; areas are kept by tree."""
    assert city.sites["lanxi"].title == Text("兰溪", "Lanxi")
    assert (city.sites["lanxi"].lat, city.sites["lanxi"].areas) == (29.2, {"basin": "lower"})
    assert city.sites["longyou"].title.zh == "龙游"


def test_a_rule_names_detectors_of_other_packs(city):
    """Members are paths, the kind's first parameter is its value, unknown and covers are read."""
    (rule,) = next(p for p in city.packs if p.id == "basin").rules
    assert (rule.kind, rule.params, rule.of, rule.at, rule.level) == (
        "at_least", {"n": 2.0}, ("basin/stage", "rain/heavy"), 2, 3)
    assert (rule.tree, rule.depth, rule.within, rule.unknown, rule.quorum, rule.covers) == (
        "basin", "reach", 7200.0, "quorum", 0.6, True)


def test_the_city_says_who_is_called(city):
    """Areas, posts, ladders, routes, feeds and gates are read."""
    assert [a.id for a in city.areas] == ["all", "lower", "upper"] and city.areas[1].parent == "all"
    assert city.ladders[0].steps[0] == Step("duty", ("log", "webhook"), 15.0) and city.ladders[0].repeat == 2
    assert city.routes[0] == Route("flood", ("basin",), (3, 4), (), ("water",))
    assert city.posts[0].addresses == {"webhook": "http://127.0.0.1:9/hook"}
    assert city.feeds[0].scale == {"flow": 0.001}
    assert next(p for p in city.packs if p.id == "basin").gates == {"stage": {"pod": 0.8, "far": 0.3, "lead": 7200.0}}


def test_the_plan_of_a_city_judges(city):
    """What is loaded can be judged: a reading at Lanxi's warning stage is yellow."""
    plan = Plan(city)
    state = State(plan, compiled=False)
    changes = judge(plan, state, Block.of([("river_level@lanxi", 0, 26.5), ("river_level@lanxi", 14_400_000_000, 28.0)]))
    assert {(c.detector, c.to) for c in changes if c.kind == "level"} == {("basin/stage", 2)}


def test_the_bytes_of_a_city_are_the_same_each_time(city):
    """Loading twice gives the same canonical bytes, and they give a city that has the same bytes again."""
    first = msgspec.msgpack.encode(city, order="deterministic")
    assert msgspec.msgpack.encode(load_city(GOOD), order="deterministic") == first
    again = msgspec.msgpack.decode(first, type=City)
    assert msgspec.msgpack.encode(again, order="deterministic") == first


def test_one_pack_brings_those_it_stands_on(tmp_path):
    """With a pack asked for, only it and the packs it names are read; faults of others do not matter."""
    shutil.copytree(BASE, tmp_path / "c")
    assert [p.id for p in load_city(GOOD, "rain").packs] == ["rain"]
    assert [p.id for p in load_city(GOOD, "basin").packs] == ["basin", "rain"]
    (tmp_path / "c/packs/basin/pack.yaml").write_text("wanglou: 1\npack: basin\nindicators: {x: {}}\n")
    assert [p.id for p in load_city(tmp_path / "c", "rain").packs] == ["rain"]
    with pytest.raises(UsageError, match="unknown pack 'rian'; did you mean rain"):
        load_city(GOOD, "rian")


def test_a_folder_may_be_one_pack(tmp_path):
    """A single pack needs no packs/ and no city/; inside a whole folder it still knows the city's areas."""
    shutil.copytree(GOOD / "packs/rain", tmp_path / "rain")
    sheet = (tmp_path / "rain/sites.csv").read_bytes().replace(b"basin", b"note")
    (tmp_path / "rain/sites.csv").write_bytes(sheet)
    assert [p.id for p in load_city(tmp_path / "rain").packs] == ["rain"]
    assert [p.id for p in load_city(tmp_path).packs] == ["rain"]
    assert load_city(GOOD / "packs/rain").sites["lanxi"].areas == {"basin": "lower"}


def test_the_same_pack_twice_is_a_fault(tmp_path):
    """Two folders of one name are refused, and the first is named."""
    shutil.copytree(BASE, tmp_path / "c")
    shutil.copytree(BASE / "packs/rain", tmp_path / "c/packs/rain2")
    with pytest.raises(ConfigError, match=r"pack 'rain' again, first in .*packs/rain/pack.yaml"):
        load_city(tmp_path / "c")


def test_where_configs_are_found(tmp_path, monkeypatch):
    """The option, the variable, ./configs, in this order; nothing found says how to give it."""
    monkeypatch.delenv("WANGLOU_CONFIGS", raising=False)
    monkeypatch.setattr("sys.prefix", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--configs"):
        find_configs(None)
    (tmp_path / "configs").mkdir()
    assert find_configs(None) == Path("configs")
    monkeypatch.setenv("WANGLOU_CONFIGS", str(GOOD))
    assert find_configs(None) == GOOD and find_configs(BASE) == BASE
    with pytest.raises(UsageError, match="no configs folder at"):
        find_configs(tmp_path / "other")
    with pytest.raises(UsageError, match="no packs in"):
        load_city(tmp_path / "configs")


def test_hints_are_no_faults():
    """What is only worth a look (a level that is off, nobody looks at it) is a hint and the folder still loads."""
    checked = check_city(GOOD)
    texts = " | ".join(hint.what for hint in checked.hints)
    assert not checked.faults
    assert "red is off at 1 of 2 sites, where a cell of 'record' is empty: jinhua" in texts
    assert "indicator wet: no detector looks at it" in texts


def test_a_long_pack_loads_at_once(tmp_path):
    """Each pair of units is worked out once, however many numbers are written in it."""
    shutil.copytree(BASE, tmp_path / "c")
    path = tmp_path / "c/packs/basin/pack.yaml"
    entry = """  - {{id: d{0}, indicator: river_level, kind: rate, over: 1h, source: guess,
       levels: {{blue: {{above: {0} fathom/h}}}}}}\n"""
    path.write_text(path.read_text() + "detectors:\n" + "".join(entry.format(i) for i in range(500)))
    before = units._convert.cache_info().misses
    city = load_city(tmp_path / "c")
    assert len(city.packs[0].detectors) == 500
    assert units._convert.cache_info().misses == before + 1
