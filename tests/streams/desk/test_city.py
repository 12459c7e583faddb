"""The city at a glance: the worst level of each district and pack, and never a normal that nobody measured."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from detectors.event import Change
from streams.desk.api.app import make_app
from streams.desk.folding.heard import Voices
from streams.desk.pages import ask
from streams.desk.pages.city import Cell, cells, placed

T0 = 1_782_238_640_000_000


@pytest.fixture
def page(tmp_path: Path, night: Callable[..., Any]) -> Iterator[tuple[Any, TestClient]]:
    """An empty desk and a browser."""
    bench, site = night(tmp_path, fill=False)
    with TestClient(make_app(site), follow_redirects=False) as client:
        yield bench, client
    bench.store.close()


def stale(site: str, indicator: str) -> Change:
    """A series falls silent."""
    return Change(kind="fresh", time=T0, arrived=T0, pack="basin", site=site, indicator=indicator, fresh="stale", since=T0 - 60_000_000)


def speaks(site: str, indicator: str) -> Change:
    """A series is heard for the first time, or again."""
    return Change(kind="fresh", time=T0, arrived=T0, pack="basin", site=site, indicator=indicator, fresh="fresh")


def now(bench: Any) -> dict[tuple[str, str], Cell]:
    """The cells as they are."""
    with bench.store.read() as s:
        return cells(bench.names, ask.open_alerts(s), ask.items(s), Voices()(s, bench.names))


def test_a_cell_is_the_worst_in_it(page: Any, change: Callable[..., Change]) -> None:
    """Two stations of Lanxi: the worst level, how many; a drill and a trial are not counted; back to normal it is normal again."""
    bench, client = page
    up = change("river_level", "lanxi", 2)
    bench.put(up, change("river_level", "sanhe", 4), speaks("hengjin", "reservoir"),
              change("reservoir", "hengjin", 4, scope="exercise"))
    found = now(bench)
    assert (found["admin:lanxi", "basin"].word, sorted(found["admin:lanxi", "basin"].levels)) == ("red", [2, 4])
    assert found["admin:dongyang", "basin"].word == ""
    text = client.get("/city").text
    assert 'class="tile red"' in text and 'class="cell red"' in text and "红 Ⅰ级" in text and "无" not in re.findall("<h1>.*?</h1>", text)[0]


def test_silence_is_never_normal(page: Any, change: Callable[..., Change]) -> None:
    """Where too few report it is not known; a level stands over its silence; what is not connected is neither."""
    bench, client = page
    bench.put(stale("hengjin", "reservoir"), stale("lanxi", "river_level"), change("river_level", "sanhe", 1))
    found = now(bench)
    assert found["admin:dongyang", "basin"].word == "unk"
    assert (found["admin:lanxi", "basin"].word, found["admin:lanxi", "basin"].silent) == ("blue", 1)
    assert Cell().word == "none" and Cell(10, 10, 3).word == "" and Cell(10, 10, 4).word == "unk"
    assert Cell(10, 10, unsure=True).word == Cell(10, unsure=True).word == "unk"
    text = client.get("/city?lang=en").text
    assert 'class="tile unk"' in text and "not enough data" in text and "0 / 1 reporting" in text and "?1" in text


def test_what_was_never_heard_is_neither_normal_nor_reporting(page: Any, change: Callable[..., Change]) -> None:
    """On an empty log no district is normal and nothing reports; one that speaks is; too few of a cell are not enough; a drill is no contact."""
    bench, client = page
    bench.put(change("reservoir", "hengjin", 4, scope="exercise"))
    assert {c.word for c in now(bench).values()} == {"none"}
    text = client.get("/city").text
    assert "从未来数" in text and "正常" not in text and f"在报 0 / {bench.names.series}" in text
    assert f"在报 0 / {bench.names.series}" in client.get("/").text

    bench.put(speaks("hengjin", "reservoir"), speaks("hengjin", "reservoir"), speaks("lanxi", "river_level"))
    found = now(bench)
    assert found["admin:dongyang", "basin"].word == "" and found["admin:dongyang", "basin"].quiet == 0
    assert (found["admin:lanxi", "basin"].word, found["admin:lanxi", "basin"].reporting) == ("unk", 1)
    assert f"在报 2 / {bench.names.series}" in client.get("/").text
    bench.put(stale("hengjin", "reservoir"))
    assert f"在报 1 / {bench.names.series}" in client.get("/").text
    assert "从未来数" in client.get("/series/river_level@sanhe").text and "从未来数" not in client.get("/series/river_level@lanxi").text


def test_the_wall_turns_its_pages_until_a_red_waits(page: Any, change: Callable[..., Change]) -> None:
    """No control and no script needed; with a red that nobody has answered it stays with the districts."""
    bench, client = page
    first = client.get("/city?wall=1")
    assert "page=matrix" in first.headers["refresh"] and "<form" not in first.text and 'class="tiles"' in first.text
    assert "page=open" in client.get("/city?wall=1&page=matrix").headers["refresh"]
    bench.put(up := change("river_level", "lanxi", 4))
    held = client.get("/city?wall=1&page=open")
    assert "page=map" in held.headers["refresh"] and 'class="tiles"' in held.text
    bench.do(up.alert, "answer", "lanxi-water")
    assert "page=matrix" in client.get("/city?wall=1").headers["refresh"]
    assert "refresh" not in client.get("/city").headers


def test_a_rule_shows_what_holds(page: Any, change: Callable[..., Change], rule: Callable[..., Change]) -> None:
    """The rule's warning with its members by name; what it covers still colours its district."""
    bench, client = page
    bench.put(change("rain", "houzhai", 2), rule(3))
    text = client.get("/city").text
    assert "暴雨" in text and "后宅" in text and now(bench)["admin:yiwu", "basin"].word == "orange"
    bench.names = replace(bench.names, city=replace(bench.names.city, areas=()))
    assert client.get("/city").status_code == 200


def test_by_compass() -> None:
    """North above south, west left of east; a district without a place comes last."""
    at: dict[str, tuple[float, float] | None] = {"s": (28.9, 119.8), "n": (29.5, 119.9), "w": (29.2, 119.5), "e": (29.3, 120.2)}
    assert placed(at, 2) == [["n", "e"], ["w", "s"]] and placed(at | {"x": None}, 2)[-1] == ["x"] and placed({}, 1) == []
