"""calendar.csv, `active:`, `merge`, `complete` and words of parameters, as a pack's author writes them."""
from __future__ import annotations

from pathlib import Path

import pytest

from detectors.calendar import Active, Season
from streams.packs.calendars import EPOCH, read_calendar
from streams.packs.faults import Faults
from streams.packs.load import check_city

ROOT = Path(__file__).parents[3]
HEAD = "from,to,class,name,zh,note\n"


def faults(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "calendar.csv").write_text(HEAD + text, "utf-8")
    found = Faults()
    read_calendar(tmp_path / "calendar.csv", "calendar.csv", found)
    return [f.what for f in found.items]


def test_the_shipped_one() -> None:
    """The shipped calendar is whole: eight years by notice; every year has its seven feasts, exchanged days are weekend days."""
    found = Faults()
    calendar = read_calendar(ROOT / "configs" / "city" / "calendar.csv", "calendar.csv", found)
    assert not found.items and {"flood-season", "plum-rain", "typhoon"} <= {s.name for s in calendar.seasons}
    exchanged = [s for s in calendar.special if s.kind == 2]
    assert len(exchanged) == 53 and all((s.first + 3) % 7 >= 5 for s in exchanged)
    assert sum(s.kind == 3 for s in calendar.special) == 9 and len(calendar.row()) == 193


@pytest.mark.parametrize(("text", "says"), [
    ("04-31,10-15,season,wet,,\n", "month-day"), ("2026-02-15,2026-02-10,holiday,x,,\n", "before"),
    ("2026-02-15,2026-02-20,feast,x,,\n", "unknown class"), ("02-15,,holiday,x,,\n", "has dates"),
    ("2026-02-15,2026-02-20,holiday,x,,\n2026-02-20,,workday,y,,\n", "inside x"), ("04-15,05-15,,a,,\n05-01,05-02,,a,,\n", "again"),
    ("1999-02-15,,holiday,x,,\n2026-02-20,,workday,y,,\n", "spans"),
])
def test_faults_have_a_place(tmp_path: Path, text: str, says: str) -> None:
    """What is wrong in a calendar is said, and never guessed."""
    assert [says in fault for fault in faults(tmp_path, text)] == [True]


PACK = """
wanglou: 1
pack: p
indicators:
  cases: {{unit: "", every: 1d, silent: 3d, {indicator}}}
{derive}
detectors:
  - {{id: many, indicator: cases, kind: threshold, source: guess, {detector} levels: {{blue: {{above: 3}}}}}}
"""


def checked(tmp_path: Path, indicator: str = "decimals: 0", detector: str = "", derive: str = "") -> tuple[object, list[str]]:
    folder = tmp_path / "packs" / "p"
    folder.mkdir(parents=True)
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / "calendar.csv").write_text(HEAD + "04-15,10-15,season,flood-season,,\n", "utf-8")
    (folder / "sites.csv").write_text("site,zh,category\na,甲,shoes\n", "utf-8")
    (folder / "pack.yaml").write_text(PACK.format(indicator=indicator, detector=detector, derive=derive), "utf-8")
    done = check_city(tmp_path)
    return done.city, [f.what for f in done.faults]


def test_active(tmp_path: Path) -> None:
    """Months, seasons, days and hours are read into what the judge works with."""
    city, wrong = checked(tmp_path, detector="active: {months: [apr, 5], season: flood-season, days: [workday], hours: 06:00-22:00},")
    assert not wrong
    assert city.packs[0].detectors[0].active == Active((4, 5), (Season("flood-season", 415, 1015),), (0,), (21600.0, 79200.0))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("detector", "says"), [
    ("active: {season: flood},", "unknown season 'flood'"), ("active: {hours: 25:00-26:00},", "06:00-22:00"),
    ("active: {months: [13]},", "1 to 12"), ("active: {days: weekday},", "unknown class of days"),
    ("fit: {shape: category},", "learns by itself"),
])
def test_active_faults(tmp_path: Path, detector: str, says: str) -> None:
    """A word that is none is named, with what is allowed."""
    assert [says in fault for fault in checked(tmp_path, detector=detector)[1]] == [True]


@pytest.mark.parametrize(("indicator", "says"), [
    ("complete: [0.6, 0.8]", "lateness must be as long, 2d"), ("complete: [0.8, 0.6], lateness: 3d", "only grows"),
    ("merge: [[jan, feb]]", "period: month"), ("period: month, due: 22d, merge: [[feb, mar]]", "allowed: [[jan, feb]]"),
])
def test_published_faults(tmp_path: Path, indicator: str, says: str) -> None:
    """So is what cannot hold for published figures and counts that fill up."""
    assert [says in fault for fault in checked(tmp_path, indicator)[1]] == [True]


def test_published(tmp_path: Path) -> None:
    """A count's shares end before it is whole."""
    city, wrong = checked(tmp_path, "complete: [0.6, 0.85, 1.0], lateness: 3d")
    assert not wrong and city.packs[0].indicators[0].complete == (0.6, 0.85)  # type: ignore[attr-defined]


def test_epoch() -> None:
    """Days count from 1970."""
    assert EPOCH == 719163


def test_words_of_parameters(tmp_path: Path) -> None:
    """Words, dates and short rows stand for numbers; what stands for none is told."""
    derive = ("derive:\n  line: {rebase: cases, at: 2026-01, factor: 0.5}\n  change: {yoy_day: cases, align: spring_festival}\n"
              "  odd: {together: [cases, line], low: [null, 1], high: [3, 4]}\n  year: {yoy: cases, merge: [[jan, feb]]}\n")
    city, wrong = checked(tmp_path, derive=derive)
    assert not wrong
    made = {i.id: i.derive.use.params for i in city.packs[0].indicators if i.derive}  # type: ignore[attr-defined]
    assert made["line"] == {"at": 1767196800.0, "factor": 0.5} and made["change"] == {"align": 1.0} and made["year"] == {"merge": 1.0}
    assert made["odd"]["high"] == (3.0, 4.0)


@pytest.mark.parametrize(("derive", "says"), [
    ("line: {rebase: cases, at: soon, factor: 1}", "a date such as 2026-01-01"), ("x: {yoy: cases, merge: [[mar]]}", "allowed: [[jan, feb]]"),
    ("x: {together: [cases, cases2], low: [1], high: [1, 2]}", "unknown indicator"),
])
def test_words_that_are_none(tmp_path: Path, derive: str, says: str) -> None:
    """A word that stands for no number is a fault at its place."""
    assert any(says in fault for fault in checked(tmp_path, derive=f"derive:\n  {derive}\n")[1])
