"""The pages of detectors: what is in force, how it did, what changed and when, and with what the city may be watched."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from detectors.event import Change
from detectors.pack import City, Limit
from detectors.registry import FOLDERS, load
from streams.desk.api.app import make_app
from streams.desk.catalogue.tally import DAY, DAYS, tallies
from streams.desk.catalogue.versions import Versions
from streams.plans import Plans, plan_bytes
from streams.plantexts import PlanTexts
from streams.replay.match import Row
from streams.skill import Skill
from streams.sql import engine

PATH = "basin/river_level-stage"


@pytest.fixture
def page(tmp_path: Path, night: Callable[..., Any]) -> Iterator[tuple[Any, Any, TestClient]]:
    """An empty desk, its site and a browser."""
    bench, site = night(tmp_path, fill=False)
    with TestClient(make_app(site), follow_redirects=False) as client:
        yield bench, site, client
    bench.store.close()


def close(bench: Any, change: Change, outcome: str) -> None:
    """A warning is opened, answered, and closed with an outcome."""
    bench.put(change)
    for move in ("answer", "news"):
        bench.do(change.alert, move, "duty", "到现场看过了")
    bench.put(replace(change, before=change.to, to=0, seq=1, id=f"{change.alert}-1"))
    bench.do(change.alert, "verify", "leader", "核对了记录", outcome)
    bench.do(change.alert, "close", "leader", "核对了记录", outcome)


def test_how_detectors_did(page: Any, change: Callable[..., Change]) -> None:
    """True and false alarms of thirty days, by how they were closed; a fault of the sensor in neither; what is older only as the last."""
    bench, _, client = page
    for n, (site, outcome) in enumerate((("lanxi", "true"), ("sanhe", "false"), ("lanxi", "fault"), ("sanhe", "true"))):
        bench.now += 60_000_000
        close(bench, change("river_level", site, 2, onset=bench.now + n), outcome)
    with bench.store.read() as s:
        found = tallies(s, bench.now)[PATH]
        later = tallies(s, bench.now + (DAYS + 1) * DAY)[PATH]
    assert (found.fired, found.true, found.false, found.other) == (4, 2, 1, 1)
    assert found.precision == pytest.approx(2 / 3) and found.few
    assert (later.fired, later.precision) == (0, None) and later.last == found.last
    assert "67 %" in client.get("/detectors").text


def test_a_pack_shows_its_limits_and_where_they_are_off(page: Any, city: City) -> None:
    """A limit of one site stands at that site alone; the other says it has none; a name finds a row; no pack is a 404."""
    bench, _, client = page
    (pack,) = city.packs
    stage = replace(pack.detectors[0], limits=(Limit(3, {"lanxi": 29.25}),))
    bench.names = replace(bench.names, city=replace(city, packs=(replace(pack, detectors=(stage, *pack.detectors[1:])),)))
    text = client.get("/detectors/basin").text
    assert '<td class="nw">29.25' in text and text.count("不设") == 1 and "GB/T 22482" in text
    found = client.get("/detectors/basin?site=sanhe").text
    assert '<td class="nw">29.25' not in found and "river_level@sanhe" in found
    assert client.get("/detectors/nowhere").status_code == 404
    assert "off" in client.get("/detectors/basin?lang=en").text


def test_versions_are_compared(page: Any, tmp_path: Path, city: City) -> None:
    """Who put which plan into force; the difference is that of the texts, of what was worked out where no text was kept."""
    bench, site, client = page
    url = f"sqlite:///{tmp_path}/state.db"
    plans, texts = Plans(engine(url)), PlanTexts(engine(url))
    (pack,) = city.packs
    old = plans.put(plan_bytes(replace(city, packs=(replace(pack, detectors=pack.detectors[1:]),))), "first analyst")
    new = plans.put(plan_bytes(city), "second analyst")
    texts.put(new, {"basin": "pack: basin\n# <img onerror=x>\n"})
    site.versions, bench.names = Versions(url), replace(bench.names, hash=new)
    text = client.get("/detectors/basin").text
    assert "first analyst" in text and f"diff={old}" in text and "&lt;img onerror" in text and "<img" not in text
    assert "id: river_level-stage" in client.get(f"/detectors/basin?diff={old}").text
    texts.put(old, {"basin": "pack: basin\n# before\n"})
    assert '<span class="del">-# before</span>' in client.get(f"/detectors/basin?diff={old}").text
    assert client.get("/detectors/basin?diff=0000").status_code == 200


def test_pages_stand_while_the_state_database_is_away(page: Any) -> None:
    """What is in force is shown from the plan; the versions say why they are not."""
    _, site, client = page
    site.versions = Versions("postgresql+psycopg://nobody@127.0.0.1:1/none")
    answer = client.get("/detectors/basin")
    assert answer.status_code == 200 and "river_level-stage" in answer.text and site.versions.fault


def test_the_catalogue_lists_all_and_finds(page: Any) -> None:
    """Each algorithm with its anchor; a word leaves what speaks of it; user text is text."""
    *_, client = page
    text = client.get("/kinds").text
    assert all(f'id="{folder}-{name}"' in text for folder in FOLDERS for name in load(folder))
    found = client.get("/kinds?q=outbreak").text
    assert 'id="kinds-ears"' in found and 'id="kinds-threshold"' not in found
    assert "<b>x" not in client.get("/kinds?q=<b>x").text


def test_skill_is_shown_where_a_backtest_is_stored(page: Any, tmp_path: Path, city: City) -> None:
    """Its figures by level; unproved again as soon as a limit is another one, and without an episode."""
    bench, site, client = page
    site.versions = Versions(f"sqlite:///{tmp_path}/state.db")
    (pack,) = city.packs
    rows = [Row(detector=PATH, level=word, episodes=n, hits=n, misses=0, false_alarms=0, pod=0.8, far=0.1, csi=0.7,
                lead_median_s=7200.0, lead_p10_s=60.0, alarms_per_day=0.1, days=365.0, scored=1000)
            for word, n in (("yellow", 5), ("red", 0))]
    assert "命中" not in client.get("/detectors").text
    Skill(engine(site.versions.url)).put(city, "7c1e9a00", rows, "history")
    text = client.get("/detectors/basin").text
    assert text.count("命中 80 % · 空报 10 % · 提前 2 时") == 1 and "黄 Ⅲ级 命中" in text
    other = replace(pack.detectors[0], limits=(Limit(2, 1.0),))
    changed = replace(city, packs=(replace(pack, detectors=(other, *pack.detectors[1:])),))
    Skill(engine(site.versions.url)).put(changed, "00000000", [replace(rows[0], pod=0.5)], "a candidate, tried later")
    assert "命中 80 %" in client.get("/detectors").text
    another = replace(other, limits=(Limit(2, 2.0),))
    bench.names = replace(bench.names, city=replace(city, packs=(replace(pack, detectors=(another, *pack.detectors[1:])),)))
    assert other.path == PATH and "命中" not in client.get("/detectors").text
