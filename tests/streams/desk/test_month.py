"""The monthly report counts what people counted: outcomes by detector, answers by agency; the page stands alone, the workbook opens."""
from __future__ import annotations

import json
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from streams.cli import main
from streams.desk.monthly.book import Sheet, book
from streams.desk.monthly.figures import bounds, figures
from streams.desk.monthly.report import page, workbook
from streams.desk.names import Names
from streams.desk.publish import xlsx
from streams.errors import UsageError
from streams.plans import Plans, plan_bytes
from streams.replay.episodes import Episode
from streams.sql import engine

MIN, T = 60_000_000, 1_782_238_640_000_000        # 2026-06-24 02:17:20 in Shanghai


@pytest.fixture
def night(bench: Any, change: Callable[..., Any]) -> Any:
    """Four warnings: one true (taken after a minute), one false, one that nobody has answered yet, and one of July."""
    posts = tuple(replace(p, agency="水务局" if "water" in p.id else "应急局") for p in bench.names.city.posts)
    bench.names = Names(replace(bench.names.city, posts=posts), "7c1e9a00")
    flood, leak = change("river_level", "lanxi", 3), change("reservoir", "hengjin", 2)
    bench.put(flood, leak)
    for up in (flood, leak):
        bench.now += 59_000_000
        bench.pass_time(1)
        post = next(post for _, post, state in bench.steps(up.alert) if state == "called")
        bench.do(up.alert, "answer", post)
        bench.put(change(up.indicator, up.site, 0, up.to, 1, T + 30 * MIN, onset=T))
        if up is flood:
            bench.do(up.alert, "news", post, "on the levee now")
            bench.do(up.alert, "verify", "leader", "water is falling", "true")
        bench.do(up.alert, "close", "duty", "water is falling", "true" if up is flood else "false")
    bench.put(change("methane", "renmin", 2, time=T + MIN))
    for _ in range(4):
        bench.now += 900_000_000            # nobody answers: step by step it is overdue
        bench.pass_time(1)
    bench.now = bounds("2026-07")[0]
    bench.put(change("water", "chouzhou", 2, time=bench.now))
    return bench


def test_the_figures(night: Any) -> None:
    """Fired, true, false and open by detector; missed only where episodes are labelled; calls by the agency of the post."""
    happened = {"basin": [Episode("lanxi", 0, T + MIN, T + 2 * MIN), Episode("sanhe", 2, T, T + MIN, indicator="river_level"),
                          Episode("sanhe", 2, T, T + MIN, indicator="rain"), Episode("sanhe", 0, bounds("2026-07")[0], 1 << 60)]}
    with night.store.read() as s:
        june, july = (figures(s, night.names, month, happened) for month in ("2026-06", "2026-07"))
        bare = figures(s, night.names, "2026-06", {})
    rows = {r.path: (r.fired, r.true, r.false, r.open, r.precision, r.missed, r.episodes) for r in june.skill}
    assert rows["basin/river_level-stage"] == (1, 1, 0, 0, 1.0, 1, 2)
    assert rows["basin/reservoir-stage"] == (1, 0, 1, 0, 0.0, 0, 0)
    assert rows["basin/methane-stage"][:5] == (1, 0, 0, 1, None) and rows["basin/water-stage"][0] == 0
    assert {r.missed for r in bare.skill} == {None} and june.levels == {3: 1, 2: 2}
    assert {r.path: r.fired for r in july.skill if r.fired} == {"basin/water-stage": 1}
    calls = {r.agency: r for r in june.answers}
    assert sum(r.answered for r in june.answers) == 2 and sum(r.overdue for r in june.answers) >= 1
    assert {r.median for r in calls.values() if r.answered} <= {60.0, 90.0, 120.0} and set(calls) <= {"水务局", "应急局"}
    assert all(r.calls >= r.answered + r.overdue + r.passed for r in june.answers)


def test_months_are_those_of_the_city() -> None:
    """From midnight to midnight in Shanghai; what is no month is a wrong call."""
    assert bounds("2026-12") == (1_796_054_400_000_000, 1_798_732_800_000_000)
    for wrong in ("2026-13", "June", "2026-06-01"):
        with pytest.raises(UsageError):
            bounds(wrong)


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_page_and_workbook(night: Any, lang: str, tmp_path: Path) -> None:
    """The page fetches nothing and runs nothing; the workbook is read again by our own reader, numbers as numbers."""
    with night.store.read() as s:
        month = figures(s, night.names, "2026-06", {})
    html = page(month, lang)
    assert "<script" not in html
    assert not re.search(r"(src|href)=|url\(\"?(?!data:|#)", html) and "basin/river_level-stage" in html
    assert ("预警月报" if lang == "zh" else "Monthly report") in html and "month." not in html
    data = workbook(month, lang)
    lines = xlsx.as_csv(data).decode().splitlines()
    assert lines[1].startswith("basin/methane-stage,") and len(lines) == 1 + len(month.skill)
    (tmp_path / "m.xlsx").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "m.xlsx") as opened:
        assert all(ET.fromstring(opened.read(name)) is not None for name in opened.namelist())
    assert data == workbook(month, lang)


def test_cells_hold_any_text() -> None:
    """Quotes, markup and control characters come back as text, or are left out; empty stays empty."""
    nasty = '<b>&"\x07 a\'=1'
    read = xlsx.as_csv(book([Sheet("x & <y>", [["h", "n"], [nasty, None], [None, 0.25]])])).decode()
    assert read == 'h,n\n"<b>&"" a\'=1",\n,0.25\n'


def test_the_command(night: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Files and JSON in one call; without a desk it says so."""
    Plans(engine(f"sqlite:///{tmp_path}/state.db")).put(plan_bytes(night.names.city))
    monkeypatch.setenv("WANGLOU_DATA", str(tmp_path))

    def run(*words: str, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["wanglou", "report", "--month", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == code, said
        return said.out + said.err

    files = ["--xlsx", str(tmp_path / "m.xlsx"), "--html", str(tmp_path / "m.html")]
    said = json.loads(run("2026-06", *files, "--json"))
    assert {r["path"]: r["true"] for r in said["skill"]}["basin/river_level-stage"] == 1
    assert (tmp_path / "m.xlsx").stat().st_size > 1000 and "水务局" in (tmp_path / "m.html").read_text("utf-8")
    assert "river_level-stage" in run("2026-06")
    monkeypatch.setenv("WANGLOU_DESK_URL", f"sqlite:///{tmp_path}/none.db")
    assert "no warning in the desk" in run("2026-06", code=1) and not (tmp_path / "none.db").exists()
