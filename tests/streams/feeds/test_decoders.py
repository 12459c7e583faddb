"""Every bad input gets a clear answer with its place, and costs no other row."""
from __future__ import annotations

import json
from math import isnan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.pack import FeedSource
from streams.errors import UsageError
from streams.feeds.decoders import decode, load, names
from streams.feeds.rules import Rules
from streams.feeds.words import REASONS, Reading, Refused

NOW = 1_781_831_100_000_000        # 2026-06-19T01:05:00Z
T = "2026-06-19T09:05:00+08:00"
GOOD = {"site": "lanxi", "indicator": "river_level", "time": T, "value": 26.5}
HEAD = "time,site,indicator,value\n"
ROW = f"{T},lanxi,river_level,26.5\n"


def split(name: str, data: bytes, rules: Rules, now: int | None = NOW) -> tuple[list[Reading], list[Refused]]:
    """Decode, and part the good from the bad."""
    found = list(decode(name, data, rules, now))
    return [r for r in found if isinstance(r, Reading)], [r for r in found if isinstance(r, Refused)]


@pytest.mark.parametrize(("change", "reason", "place", "says"), [
    ({"site": "lanxj"}, "site", "[1].site", "did you mean lanxi?"),
    ({"site": "square"}, "site", "[1].site", "not measured at 'square'"),
    ({"site": 7}, "field", "[1].site", "7 is no text"),
    ({"site": None}, "field", "[1].site", "None is no text"),
    ({"indicator": "river_levle"}, "indicator", "[1].indicator", "did you mean river_level?"),
    ({"indicator": "rain_12h"}, "indicator", "[1].indicator", "derived"),
    ({"indicator": ["rain"]}, "field", "[1].indicator", "is no text"),
    ({"value": "26.5"}, "number", "[1].value", "'26.5' is no number"),
    ({"value": True}, "number", "[1].value", "True is no number"),
    ({"value": {}}, "number", "[1].value", "is no number"),
    ({"value": 1e308}, "number", "[1].value", "beyond anything measured"),
    ({"value": -2e15}, "number", "[1].value", "beyond anything measured"),
    ({"value": 10 ** 400}, "number", "[1].value", "beyond anything measured"),
    ({"value": float("nan")}, "nan", "[1].value", "is no value"),
    ({"value": float("-inf")}, "nan", "[1].value", "is no value"),
    ({"time": "2026-06-19T09:05:00"}, "zone", "[1].time", "has no zone"),
    ({"time": "2026-06-19"}, "zone", "[1].time", "has no zone"),
    ({"time": "yesterday"}, "time", "[1].time", "is no time"),
    ({"time": "2026-02-30T00:00:00Z"}, "time", "[1].time", "is no time"),
    ({"time": 1781831100}, "time", "[1].time", "ISO 8601"),
    ({"time": ""}, "field", "[1].time", "empty"),
    ({"time": "2026-06-19T01:10:01Z"}, "future", "[1].time", "301 s after its arrival"),
    ({"time": "9999-12-31T23:59:59Z"}, "future", "[1].time", "after its arrival"),
    ({"flag": 5}, "field", "[1].flag", "5 is no flag"),
])
def test_a_bad_object_says_where_and_what(rules: Rules, change: dict, reason: str, place: str, says: str) -> None:
    """Each fault has its reason, its path and its bytes; the rows before and after it are taken."""
    data = json.dumps([GOOD, GOOD | change, GOOD]).encode()
    good, bad = split("json", data, rules)
    assert len(good) == 2
    (one,) = bad
    assert (one.reason, one.place) == (reason, place)
    assert says in one.what
    assert json.loads(one.raw).keys() == (GOOD | change).keys()


@pytest.mark.parametrize("field", GOOD)
def test_a_missing_field_is_named(rules: Rules, field: str) -> None:
    """A field that is not there is told from one that is null."""
    good, bad = split("json", json.dumps({k: v for k, v in GOOD.items() if k != field}).encode(), rules)
    assert not good
    assert (bad[0].reason, bad[0].place, bad[0].what) == ("field", field, f"no field `{field}`")


def test_all_faults_of_one_row_are_told_at_once(rules: Rules) -> None:
    """Whoever mends a push must not mend it three times."""
    row = {"site": "lanxj", "indicator": "river_level", "time": "x", "value": "y"}
    _, (one,) = split("json", json.dumps([row]).encode(), rules)
    assert one.place == "[0].site"
    assert "[0].time: 'x' is no time" in one.what
    assert "[0].value: 'y' is no number" in one.what


def test_a_good_row_is_what_was_sent(rules: Rules) -> None:
    """Series, time in µs UTC, value; null is a missing value; 1959 is legal."""
    rows = [GOOD, GOOD | {"value": None, "flag": "suspect"}, GOOD | {"time": "1959-01-01T00:00:00Z", "value": 3}]
    (a, b, c), bad = split("json", json.dumps(rows).encode(), rules)
    assert not bad
    assert (a.series, a.site, a.pack, a.t, a.x, a.flag) == ("river_level@lanxi", "lanxi", "basin", NOW, 26.5, 0)
    assert isnan(b.x) and b.flag == 3
    assert c.t == -347_155_200_000_000 and c.x == 3.0


def test_one_object_a_list_and_lines_are_the_same(rules: Rules) -> None:
    """Three ways to write one thing; a BOM does not matter."""
    one = json.dumps(GOOD).encode()
    for data in (one, b"[" + one + b"]", one + b"\n", one + b"\n" + one + b"\n", b"\xef\xbb\xbf" + one):
        good, bad = split("json", data, rules)
        assert good and not bad


@pytest.mark.parametrize(("data", "place"), [
    (b"", "line 1, column 1"), (b"hello", "line 1, column 1"), (b'[{"site": "lanxi",]', "line 1, column 19"),
    (b'[\n{"site": "lanxi"\n', "line 3, column 1"),
])
def test_what_is_no_json_says_line_and_column(rules: Rules, data: bytes, place: str) -> None:
    """As a whole: a torn list says nothing of what its rest was."""
    good, bad = split("json", data, rules)
    assert not good
    assert [(b.reason, b.place) for b in bad] == [("json", place)]
    assert bad[0].raw == data


def test_json_that_is_no_utf8_or_too_deep(rules: Rules) -> None:
    """Neither an exception nor a crash."""
    assert split("json", b'{"site": "\xb9\xc5"}', rules)[1][0].reason == "encoding"
    assert split("json", b"[" * 100_000, rules)[1][0].reason == "json"
    assert split("json", b"9" * 10_000, rules)[1][0].reason in ("json", "field")


def test_a_bad_line_of_ndjson_costs_only_itself(rules: Rules) -> None:
    """And a last line that is cut off is called torn."""
    one = json.dumps(GOOD).encode()
    good, bad = split("json", one + b"\nnonsense\n" + one + b"\n" + one[:20], rules)
    assert len(good) == 2
    assert [(b.reason, b.place) for b in bad] == [("json", "line 2, column 1"), ("torn", "line 4, column 19")]


def test_a_list_of_other_things(rules: Rules) -> None:
    """Each is refused by its place."""
    _, bad = split("json", b'[1, "x", null, []]', rules)
    assert [b.place for b in bad] == ["[0]", "[1]", "[2]", "[3]"]
    assert {b.reason for b in bad} == {"field"}


@pytest.mark.parametrize(("row", "reason", "place", "says"), [
    (f"{T},lanxj,river_level,26.5", "site", "line 3, site", "did you mean lanxi?"),
    (f"{T},lanxi,river,26.5", "indicator", "line 3, indicator", "did you mean river_level?"),
    (f"{T},lanxi,river_level,high", "number", "line 3, value", "'high' is no number"),
    (f"{T},lanxi,river_level,1_000", "number", "line 3, value", "is no number"),
    (f"{T},lanxi,river_level,0x1A", "number", "line 3, value", "is no number"),
    (f"{T},lanxi,river_level,\uff12\uff16", "number", "line 3, value", "is no number"),
    (f"{T},lanxi,river_level,1e308", "number", "line 3, value", "beyond anything measured"),
    (f"{T},lanxi,river_level,1e999", "nan", "line 3, value", "is no value"),
    (f"{T},lanxi,river_level,NaN", "nan", "line 3, value", "is no value"),
    (f"{T},lanxi,river_level,-inf", "nan", "line 3, value", "is no value"),
    ("2026-06-19 09:05,lanxi,river_level,26.5", "zone", "line 3, time", "has no zone"),
    ("19/06/2026,lanxi,river_level,26.5", "time", "line 3, time", "is no time"),
    (",lanxi,river_level,26.5", "field", "line 3, time", "empty"),
    ("2026-06-19T09:35:00+08:00,lanxi,river_level,26.5", "future", "line 3, time", "1800 s after"),
    (f"{T},lanxi,river_level", "field", "line 3", "3 cells, the header has 4"),
    (f"{T},lanxi,river_level,26.5,x", "field", "line 3", "5 cells, the header has 4"),
    (f'{T},"lanxi,river_level,26.5', "field", "line 3", "never closed"),
])
def test_a_bad_line_of_csv_says_where_and_what(rules: Rules, row: str, reason: str, place: str, says: str) -> None:
    """Each fault has its reason, line and column; the lines before and after it are taken; the raw can be read again."""
    good, bad = split("csv", (HEAD + ROW + row + "\n" + ROW).encode(), rules)
    assert len(good) == 2
    (one,) = bad
    assert (one.reason, one.place) == (reason, place)
    assert says in one.what
    assert [b.reason for b in split("csv", one.raw, rules)[1]] == [reason]


@pytest.mark.parametrize("end", ["2026-06-19T09:05:00+08:00,lanxi,river_le", f"{T},lanxi", f"{T},lanxi,river_level,",
                                 f"{T},lanxi,river_level,-", f"{T},lanxi,river_level,2e", f'{T},"lan', "2026-06"])
def test_a_torn_last_line_is_called_torn(rules: Rules, end: str) -> None:
    """Wherever it is cut: never a wrong value, never another line lost."""
    good, bad = split("csv", (HEAD + ROW + ROW + end).encode(), rules)
    assert len(good) == 2
    assert [(b.reason, b.place.split(",")[0]) for b in bad] == [("torn", "line 4")]


def test_a_last_line_without_end_is_taken_unless_the_source_says_otherwise(city) -> None:
    """Many programs end their files so; a source that is known to tear can be read strictly."""
    data = (HEAD + ROW + ROW.strip()).encode()
    assert len(split("csv", data, Rules(city))[0]) == 2
    strict = Rules(city, FeedSource("ftp", options={"final_newline": "required"}))
    good, bad = split("csv", data, strict)
    assert len(good) == 1 and bad[0].reason == "torn"


@pytest.mark.parametrize("encode", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_csv_in_every_encoding_of_the_trade(rules: Rules, encode: str) -> None:
    """UTF-8 with and without BOM, GBK; CRLF or not."""
    text = (HEAD + f"{T},古婺,river_level,26.5\n" + ROW).replace("\n", "\r\n")
    good, bad = split("csv", text.encode(encode), rules)
    assert [g.site for g in good] == ["古婺", "lanxi"] and not bad


def test_bytes_of_no_encoding_cost_only_their_line(rules: Rules) -> None:
    """A file of mixed encodings is read line by line; UTF-16 is refused in words."""
    data = (HEAD + ROW).encode() + b"\xff\xff,\xff,river_level,1\n" + ROW.encode()
    good, bad = split("csv", data, rules)
    assert len(good) == 2
    assert (bad[0].reason, bad[0].place) == ("encoding", "line 3")
    assert "UTF-16" in split("csv", (HEAD + ROW).encode("utf-16"), rules)[1][0].what


def test_a_header_that_is_none(rules: Rules) -> None:
    """Every column that lacks is named, with what was probably meant."""
    _, (one,) = split("csv", b"time,site,indicater,val\n" + ROW.encode(), rules)
    assert (one.reason, one.place) == ("field", "line 1")
    assert "no column `indicator`, did you mean indicater?" in one.what and "no column `value`" in one.what
    assert split("csv", b"", rules)[1][0].reason == "field"


def test_empty_cells_flags_arrivals_and_semicolons(rules: Rules) -> None:
    """An empty value is a missing one; quotes and blanks are as usual."""
    text = ("time;site;indicator;value;flag;arrived\n\n"
            f'{T}; lanxi ;"river_level";;9;\n{T};lanxi;rain;1.5;good;2026-06-19T04:00:00Z\n')
    good, bad = split("csv", text.encode(), rules)
    assert not bad and isnan(good[0].x) and good[0].flag == 9 and good[0].arrived is None
    assert (good[1].x, good[1].flag, good[1].arrived) == (1.5, 1, NOW + 10_500_000_000)


def test_a_wide_table_with_units_zone_and_missing_words(city) -> None:
    """Columns by map, time from several columns, a factor from the source: as real data come."""
    source = FeedSource("beijing", options={"time": "year,month,day,hour", "site": "square", "map": "CO=co", "tz": "+08:00",
                                            "missing": "na"}, scale={"co": 0.001})
    data = b"year,month,day,hour,CO,wd\n2013,3,1,0,300.0,NW\n2013,3,1,1,NA,N\n2013,3,1,2,x,N\n"
    good, bad = split("csv", data, Rules(city, source))
    assert [g.series for g in good] == ["co@square"] * 2
    assert good[0].x == pytest.approx(0.3) and isnan(good[1].x)
    assert good[0].t == 1_362_067_200_000_000       # 2013-02-28T16:00:00Z
    assert [(b.reason, b.place) for b in bad] == [("number", "line 4, CO")]


def test_an_hour_that_the_clock_showed_twice_is_refused(city) -> None:
    """Rather than taken for the wrong one of the two."""
    rules = Rules(city, FeedSource("uk", options={"tz": "Europe/London"}))
    data = (HEAD + "2016-10-30T01:30:00,lanxi,river_level,1\n2016-10-30T03:30:00,lanxi,river_level,1\n").encode()
    good, bad = split("csv", data, rules)
    assert len(good) == 1 and bad[0].reason == "time" and "twice" in bad[0].what


def test_a_played_history_is_measured_by_its_own_arrivals(rules: Rules) -> None:
    """Without a clock, future means later than it says it arrived."""
    text = ("time,site,indicator,value,arrived\n2030-01-01T00:00:00Z,lanxi,river_level,1,\n"
            "2030-01-01T00:00:00Z,lanxi,river_level,1,2029-12-31T23:00:00Z\n")
    good, bad = split("csv", text.encode(), rules, None)
    assert len(good) == 1 and [b.reason for b in bad] == ["future"]


def test_guessing_is_bounded(rules: Rules) -> None:
    """A push of many unknown sites must not cost a search through all names each."""
    _, bad = split("json", json.dumps([GOOD | {"site": f"lanx{i}"} for i in range(200)]).encode(), rules)
    assert len(bad) == 200
    assert 0 < sum("did you mean" in b.what for b in bad) <= 50


def test_the_folder_is_the_registry() -> None:
    """A name that is no file gets a suggestion."""
    assert {"csv", "json"} <= set(names())
    with pytest.raises(UsageError, match="did you mean json"):
        load("jsn")


ANYTHING = st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
                        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                        max_leaves=6)
OBJECT = st.fixed_dictionaries({}, optional={
    "site": st.sampled_from(["lanxi", "yiwu", "x"]) | ANYTHING, "indicator": st.sampled_from(["river_level", "rain"]) | ANYTHING,
    "time": st.sampled_from([T, "2026-06-19T09:05", "2999-01-01T00:00:00Z"]) | ANYTHING, "value": st.floats() | ANYTHING,
    "flag": ANYTHING, "arrived": ANYTHING})


@settings(max_examples=150, deadline=None)
@given(st.lists(OBJECT | ANYTHING, max_size=8))
def test_accepted_and_refused_are_all_that_was_sent_json(rows: list) -> None:
    """Whatever is in a push, every row is answered for, in one of the words, and never by an exception."""
    rules = Rules(make())
    good, bad = split("json", json.dumps(rows).encode(), rules)
    assert len(good) + len(bad) == len(rows)
    assert {b.reason for b in bad} <= set(REASONS)
    good, bad = split("json", b"".join(json.dumps(r).encode() + b"\n" for r in rows),
                      Rules(make(), FeedSource("x", options={"format": "ndjson"})))
    assert len(good) + len(bad) == len(rows)


CELL = st.sampled_from([T, "lanxi", "river_level", "26.5", "", "nan", "1e308", '"', "古婺", "x"]) | st.text(
    st.characters(exclude_characters="\n\r,;\t\0", exclude_categories=["Cs"]), max_size=6)
LINE = st.sampled_from([ROW.strip()]) | st.lists(CELL, min_size=1, max_size=6).map(",".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(LINE.filter(str.strip), max_size=8), st.sampled_from(["utf-8", "gb18030"]))
def test_accepted_and_refused_are_all_that_was_sent_csv(lines: list[str], encode: str) -> None:
    """Every line that is not blank is answered for once."""
    data = (HEAD + "".join(line + "\n" for line in lines)).encode(encode)
    good, bad = split("csv", data, Rules(make()))
    assert len(good) + len(bad) == len(lines)
    assert {b.reason for b in bad} <= set(REASONS)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(["csv", "json"]))
def test_bytes_never_raise(data: bytes, name: str) -> None:
    """A decoder has an answer to anything."""
    found = list(decode(name, data, Rules(make()), NOW))
    assert all(isinstance(f, Reading | Refused) for f in found)
    if name == "json" or data.strip():
        assert found


def make():
    """The plan of conftest, for Hypothesis (which wants no fixtures)."""
    from detectors.pack import City, Indicator, Pack, Site, Text

    river = Indicator("river_level", "basin", Text("河道水位"), "m", ("lanxi", "yiwu", "古婺"))
    return City((Pack("basin", Text("b"), (river,)),), {s: Site(s, Text(s)) for s in river.sites})
