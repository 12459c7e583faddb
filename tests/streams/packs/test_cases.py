"""`tests.yaml`: what is read, what is refused, and how what fired is compared with what was expected."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detectors.pack import City, Detector, Fitting, Indicator, Ladder, Limit, Pack, Post, Route, Rule, Site, Step, Text, Use
from streams.errors import ConfigError
from streams.packs.cases import load_cases
from streams.replay.packtests import run_tests

START = "start: 2026-06-19T08:00:00+08:00"
RISE = "river_level@lanxi: '27.8+0.1x5 27x2'"


def city(**level: object) -> City:
    """One gauge, one threshold, one rule that needs it twice as high."""
    indicator = Indicator("river_level", "basin", Text("水位"), "m", ("lanxi", "zhuge"), 300.0, 900.0)
    figure = Indicator("trade", "basin", Text("贸易"), "%", ("lanxi",), 2_678_400.0, period="month")
    limits = (Limit(2, 28.0), Limit(3, {"lanxi": float("nan")}))
    detector = Detector("stage", "basin", "river_level", Use("threshold"), limits)
    rule = Rule("wide", "basin", "at_least", ("basin/stage",), 2, {"n": 1}, level=3, quorum=0.0)
    sites = {name: Site(name, Text(name)) for name in ("lanxi", "zhuge")}
    return City((Pack("basin", Text("x"), (indicator, figure), (detector,), (rule,)),), sites)


def write(folder: Path, *cases: str) -> Path:
    """A tests file of these cases, each a block of `key: value` lines."""
    path = folder / "tests.yaml"
    path.write_text("tests:\n" + "".join("  - " + case.strip().replace("\n", "\n    ") + "\n" for case in cases), "utf-8")
    return path


QUIET = f"name: calm\n{START}\nseries: {{river_level@lanxi: 20x5}}\nquiet: true"
FLOOD = f"""name: flood
{START}
series: {{{RISE}}}
expect:
  - {{at: 10min, detector: stage, site: lanxi, level: yellow}}
  - {{at: 30min, detector: basin/stage, site: lanxi, level: normal}}
  - {{at: 10min, rule: wide, level: orange}}
  - {{at: 30min, rule: wide, level: normal}}"""


def test_all_as_expected(tmp_path: Path) -> None:
    """A file whose changes all come, with a quiet case and everything covered, passes; a level that is off is no gap."""
    report = run_tests(city(), "basin", write(tmp_path, FLOOD, QUIET), compiled=False)
    assert [r.missing + r.unexpected for r in report.results] == [(), ()]
    assert report.passed and not report.uncovered


@pytest.mark.parametrize(("old", "new", "missing", "unexpected"), [
    ("at: 10min, detector", "at: 15min, detector", "15min (2026-06-19T00:15:00Z) stage at lanxi: yellow", "10min"),
    ("lanxi, level: yellow", "lanxi, level: red", "stage at lanxi: red", "stage at lanxi: yellow high (value 28, limit 28)"),
    ("lanxi, level: yellow", "lanxi, level: yellow, direction: low", "yellow low", "yellow high"),
    ("lanxi, level: yellow", "lanxi, level: yellow, confidence: suspect", "yellow suspect", "yellow high"),
    ("lanxi, level: yellow", "zhuge, level: yellow", "stage at zhuge", "stage at lanxi"),
])
def test_a_difference_fails(tmp_path: Path, old: str, new: str, missing: str, unexpected: str) -> None:
    """Another time, level, side, confidence or site is shown as what was expected, with its line, beside what came."""
    path = write(tmp_path, FLOOD.replace(old, new, 1), QUIET)
    result = run_tests(city(), "basin", path, compiled=False).results[0]
    assert not result.passed
    assert missing in result.missing[0] and result.missing[0].startswith(f"{path}:6: ")
    assert unexpected in result.unexpected[0]


def test_a_change_too_many_fails(tmp_path: Path) -> None:
    """All changes of a detector that is named must be listed; those of one that is not named need not, unless strict."""
    short = FLOOD.replace("\n  - {at: 30min, detector: basin/stage, site: lanxi, level: normal}", "")
    alone = "\n".join(line for line in FLOOD.splitlines() if "rule" not in line)
    report = run_tests(city(), "basin", write(tmp_path, short, alone, alone + "\nstrict: true", QUIET), compiled=False)
    assert [len(r.unexpected) for r in report.results] == [1, 0, 2, 0]
    assert "30min" in report.results[0].unexpected[0]


def test_quiet_means_nothing(tmp_path: Path) -> None:
    """In a quiet case neither a level nor silence nor a broken sensor may show."""
    loud = QUIET.replace("20x5", "28x5")
    silent = QUIET + "\nuntil: 3h"
    broken = QUIET.replace("20x5", "20 nan")
    report = run_tests(city(), "basin", write(tmp_path, loud, silent, broken), compiled=False)
    assert [r.passed for r in report.results] == [False, False, False]
    assert "stage at lanxi: yellow" in report.results[0].unexpected[0]
    assert "fresh river_level at lanxi: stale" in report.results[1].unexpected[0]
    assert "sensor river_level at lanxi: missing" in report.results[2].unexpected[0]


def test_silence_is_expected(tmp_path: Path) -> None:
    """A change of freshness can be expected at its due time; then all of that series must be listed."""
    case = QUIET.replace("quiet: true", "until: 1h\nexpect:\n  - {at: 40min, site: lanxi, indicator: river_level, fresh: stale}")
    back = case.replace("20x5", "20x5 _x9 20")
    wrong = case.replace("40min", "45min")
    report = run_tests(city(), "basin", write(tmp_path, case, back, wrong), compiled=False)
    assert [r.passed for r in report.results] == [True, True, False]


def test_gaps_are_named(tmp_path: Path) -> None:
    """A level and a rule that never fire, and a file without a quiet case, are said."""
    case = QUIET.replace("quiet: true", "expect: [{at: 0, detector: stage, level: red}]")
    report = run_tests(city(), "basin", write(tmp_path, case), compiled=False)
    assert report.uncovered == ["detector stage yellow", "rule wide orange"]
    assert "quiet" in report.faults[0] and not report.passed


def test_what_is_fitted_is_fitted_from_the_readings_before(tmp_path: Path) -> None:
    """A kind that must be fitted says nothing in a case until `fit`, and then what its own history lets it say."""
    cases = Indicator("cases", "health", Text("病例"), "person", ("yiwu",), 86_400.0)
    detector = Detector("outbreak", "health", "cases", Use("farrington"), (Limit(2, 1.0),), fit=Fitting())
    found = City((Pack("health", Text("x"), (cases,), (detector,)),), {"yiwu": Site("yiwu", Text("义乌"))})
    outbreak = "name: wave\nstart: 2022-11-07T00:00:00+08:00\nseries: {cases@yiwu: '3x1115 30x2'}"
    said = outbreak + "\nfit: 1110d\nexpect:\n  - {at: 1116d, detector: outbreak, site: yiwu, level: yellow}"
    assert run_tests(found, "health", write(tmp_path, said, outbreak + "\nquiet: true"), compiled=False).passed


def test_no_file_is_a_failure(tmp_path: Path) -> None:
    """A pack without tests does not pass."""
    assert not run_tests(city(), "basin", tmp_path / "tests.yaml").passed


def test_months_step_by_the_calendar(tmp_path: Path) -> None:
    """Figures of months lie a calendar month apart, before 1970 too; a case may give its own step."""
    case = "name: m\nstart: 1969-11-01T00:00:00+08:00\nseries: {trade@lanxi: 1+1x3}\nquiet: true"
    months, days = load_cases(write(tmp_path, case, case.replace("series", "every: 1d\nseries")), city(), "basin")
    assert [(t // 86_400_000_000, x) for _, t, x in months.readings] == [(-62, 1), (-32, 2), (-1, 3), (30, 4)]
    assert [t // 86_400_000_000 for _, t, _ in days.readings] == [-62, -61, -60, -59]


@pytest.mark.parametrize(("old", "new", "line", "column", "what"), [
    ("name: flood", "nam: flood", 2, 5, "unknown key 'nam'; did you mean name?"),
    ("08:00:00+08:00", "08:00:00", 3, 12, "has no zone"),
    ("27.8+0.1x5 27x2", "27.8+0.1x5 27y2", 4, 45, "'27y2' is none of"),
    ("river_level@lanxi", "river_levl@lanxi", 4, 14, "unknown indicator 'river_levl'; did you mean river_level?"),
    ("river_level@lanxi", "river_level@lanxy", 4, 26, "unknown site of river_level 'lanxy'; did you mean lanxi?"),
    ("detector: stage", "detector: stag", 6, 31, "unknown detector 'stag'; did you mean stage?"),
    ("level: yellow", "level: yelow", 6, 58, "unknown level 'yelow'; did you mean yellow?"),
    ("at: 10min, det", "at: 10 minuten, det", 6, 14, "no length of time"),
    ("level: yellow", "direction: low", 6, 9, "needs `level`, or `fresh`"),
    ("detector: stage, ", "", 6, 9, "needs `detector` or `rule`"),
    ("expect:", "quiet: true\n  expect:", 2, 5, "either `expect` or `quiet: true`"),
])
def test_faults_have_their_place(tmp_path: Path, old: str, new: str, line: int, column: int, what: str) -> None:
    """Each fault of a tests file is told with file, line and column, and the nearest allowed word."""
    text = FLOOD.replace(old, new.replace("\n  ", "\n"), 1)
    with pytest.raises(ConfigError) as found:
        load_cases(write(tmp_path, text), city(), "basin")
    fault = next(f for f in found.value.faults if what in f.what)
    assert (fault.line, fault.column) == (line, column)


CALLED = FLOOD.replace("level: yellow}", "level: yellow, ladder: flood, message: '黄 Ⅲ级 水位 lanxi 28.00m（限 28.00）', calls: [duty, "
                       "{post: chief, after: 5min, channels: [log, webhook], within: 10min, receipt: answered}]}")


def calling_city() -> City:
    """The same gauge, a ladder of two steps by night and another by day."""
    posts = (Post("duty", Text("值班员")), Post("chief", Text("带班领导")))
    ladders = (Ladder("flood", Text("防汛"), (Step("duty", ("log",), 300.0), Step("chief", ("log", "webhook"), 600.0))),
               Ladder("night", Text("夜"), (Step("chief", ("log",), 300.0),)))
    return replace(city(), posts=posts, ladders=ladders, routes=(Route("night", hours=((1320, 360),)), Route("flood", levels=(2,))))


@pytest.mark.parametrize(("old", "new", "said"), [
    ("ladder: flood", "ladder: night", "ladder night: got flood"),
    ("calls: [duty", "calls: [chief", "call 1 of flood: post chief: got duty"),
    ("after: 5min", "after: 6min", "call 2 of flood: after 360 s: got 300 s"),
    ("channels: [log, webhook]", "channels: [log]", "call 2 of flood: channels log: got log, webhook"),
    ("receipt: answered}", "receipt: read}", "call 2 of flood: receipt read: got answered"),
    ("receipt: answered}]", "receipt: answered}, duty]", "call 3 of flood: post duty: the ladder has no such step"),
    ("黄 Ⅲ级", "红 Ⅰ级", "message '红 Ⅰ级 水位 lanxi 28.00m（限 28.00）': got '【望楼】黄 Ⅲ级 水位 lanxi 28.00m（限 28.00） 08:15:00 前应答'"),
    ("08:00:00+08:00", "23:00:00+08:00", "ladder flood: got night"),
])
def test_tests_of_packs_say_who_is_called(tmp_path: Path, old: str, new: str, said: str) -> None:
    """Ladder, steps and the text of the first call are compared; the event's own time decides the route."""
    right = run_tests(calling_city(), "basin", write(tmp_path, CALLED, QUIET), compiled=False)
    assert right.passed, right
    wrong = run_tests(calling_city(), "basin", write(tmp_path, CALLED.replace(old, new), QUIET), compiled=False).results[0]
    assert said in " ".join(wrong.missing) and not wrong.unexpected
    assert ":6: " in wrong.missing[0]


def test_calls_are_of_what_rises(tmp_path: Path) -> None:
    """An unknown ladder or post is told with its place; a change of freshness calls nobody."""
    with pytest.raises(ConfigError) as raised:
        load_cases(write(tmp_path, CALLED.replace("ladder: flood", "ladder: flod").replace("calls: [duty", "calls: [duti")), calling_city(),
                   "basin")
    assert [f.what for f in raised.value.faults] == ["ladder: unknown 'flod'; did you mean flood? allowed: flood, night, none",
                                                     "post: unknown 'duti'; did you mean duty? allowed: chief, duty"]
