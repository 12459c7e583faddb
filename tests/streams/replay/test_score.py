from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from detectors.pack import City, Derive, Use
from detectors.program import INPUT, encode
from streams.packs import load_city
from streams.replay.history import History, read
from streams.replay.score import score

CITY = load_city(Path(__file__).parent / "configs")


def history(folder: Path, rows: list[str]) -> History:
    """A history of `minutes,site,indicator,value[,minutes of arrival]` rows on one day."""
    path = folder / "h.csv"
    lines = ["time,site,indicator,value,arrived"]
    for row in rows:
        minute, site, indicator, value, *came = row.split(",")
        lines.append(f"{_at(minute)},{site},{indicator},{value},{_at(came[0]) if came else ''}")
    path.write_text("\n".join(lines), "utf-8")
    return read([path])


def _at(minute: str) -> str:
    return f"2026-06-19T{int(minute) // 60:02}:{int(minute) % 60:02}:00Z"


def test_in_the_order_of_the_input(tmp_path: Path) -> None:
    """Whatever the order of arrival, a score stands at its own row, with the level after that reading."""
    found = score(CITY, history(tmp_path, ["10,lanxi,river_level,28.5", "0,lanxi,river_level,26", "5,zhuge,river_level,27.5",
                                           "5,lanxi,rain,3", "5,lanxi,river_level,27.9"]), "basin/stage", compiled=False)
    np.testing.assert_array_equal(found.score, [28.5, 26, 27.5, np.nan, 27.9])
    assert found.level.tolist() == [2, 0, 2, -1, 0]
    assert found.flag.tolist() == [1] * 5


def test_what_arrives_together(tmp_path: Path) -> None:
    """Readings of one series that arrive at once each have their own score and level."""
    rows = [f"{5 * n},{site},river_level,{x},60" for n, x in enumerate([26, 28.5, 26]) for site in ("lanxi", "zhuge")]
    found = score(CITY, history(tmp_path, rows), "basin/stage", compiled=False)
    assert found.level.tolist() == [0, 0, 2, 2, 0, 0]


def test_a_sum_stands_where_it_was_made(tmp_path: Path) -> None:
    """The score of a derived series stands at the reading that made it."""
    rows = [f"{5 * n},lanxi,rain,{2 if n > 11 else 0}" for n in range(30)] + ["10,lanxi,river_level,20"]
    found = score(CITY, history(tmp_path, rows), "basin/wet", compiled=False)
    assert np.isnan(found.score[[0, 1, -1]]).all(), "an hour is not covered yet; another indicator"
    assert found.score[11:26].tolist() == [0.0, *np.arange(2.0, 25.0, 2.0), 24.0, 24.0]
    assert found.level[[20, 21, 25]].tolist() == [0, 2, 2]


def test_what_is_revised_is_told_as_it_was_last(tmp_path: Path) -> None:
    """Rain that comes late changes the sums after it: their scores and levels are those of a history in which it came in time."""
    pack = CITY.packs[0]
    city = replace(CITY, packs=(replace(pack, indicators=tuple(replace(i, lateness=1800.0) for i in pack.indicators)),))
    rain = [f"{5 * n},lanxi,rain,{9 if n == 16 else 1}" for n in range(24)]
    late, in_time = ([f"{row},{90 if late and n == 16 else 5 * n}" for n, row in enumerate(rain)] for late in (True, False))
    one, two = (score(city, history(tmp_path, rows), "basin/wet", compiled=False) for rows in (late, in_time))
    np.testing.assert_array_equal(one.score, two.score)
    assert one.level.tolist() == two.level.tolist() and two.level.max() > 0 and np.nanmax(two.score) == 20.0


NEAR = """wanglou: 1
pack: near
indicators: {level: {unit: m, every: 5min, silent: never}}
derive:
  near: {neighbours: level, area: {tree: admin, depth: city}}
  apart: {expr: level - near}
detectors: [{id: odd, indicator: apart, kind: threshold, levels: {yellow: {above: 3}}, source: guess}]
"""


def test_each_site_beside_its_neighbours(tmp_path: Path) -> None:
    """What other sites measure completes nothing at a site: each of its own readings has the score, whoever speaks last."""
    (tmp_path / "packs/near").mkdir(parents=True)
    (tmp_path / "city").mkdir()
    (tmp_path / "packs/near/pack.yaml").write_text(NEAR, "utf-8")
    (tmp_path / "packs/near/sites.csv").write_text("site,admin\n" + "".join(f"{s},town\n" for s in "abc"), "utf-8")
    (tmp_path / "city/areas.csv").write_text("tree,area,zh,en,parent,depth\nadmin,town,城,Town,,city\n", "utf-8")
    rows = [f"{5 * n},{site},level,{x}" for n in range(2) for site, x in (("a", 1), ("b", 5 + n), ("c", 2))]
    found = score(load_city(tmp_path), history(tmp_path, rows), "near/odd", compiled=False)
    np.testing.assert_array_equal(found.score, [-2.5, 3.5, -1.0, -3.0, 4.5, -1.5])
    assert found.level.tolist() == [0, 2, 0, 0, 2, 0]


@pytest.mark.parametrize("first", ["river_level", "rain"])
def test_an_index_stands_at_its_last_input(tmp_path: Path, first: str) -> None:
    """With several inputs it is the one that arrived last, whichever that is."""
    second = "rain" if first == "river_level" else "river_level"
    found = score(_index(), history(tmp_path, [f"0,lanxi,{second},3,9", f"0,lanxi,{first},4,1"]), "basin/wet", compiled=False)
    np.testing.assert_array_equal(found.score, [7.0, np.nan])


def _index() -> City:
    """The city with a derived series that is the sum of two inputs of one time."""
    code = encode(("+", ("name", "river_level"), ("name", "rain")), {"river_level": INPUT, "rain": INPUT + 1})
    made = Derive(Use("expr", {"code": tuple(code)}), ("river_level", "rain"))
    pack = CITY.packs[0]
    changed = tuple(replace(i, derive=made) if i.id == "rain_1h" else i for i in pack.indicators)
    return replace(CITY, packs=(replace(pack, indicators=changed),))
