"""The packs that `make skill` measures with must load, what counts as found or false must be as each set says, a missed aim fails the run."""
from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from streams.packs import load_city

HERE = Path(__file__).resolve().parent
SETS = sorted(path.parent.name for path in HERE.glob("*/measure.py"))


def measure_of(name: str) -> Any:
    """The module of a set."""
    return module_of(f"skill_{name.replace('-', '_')}", HERE / name / "measure.py")


def module_of(name: str, path: Path) -> Any:
    """A file as a module."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    made = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("name", [name for name in SETS if list((HERE / name).glob("**/pack.yaml"))])
def test_packs_of_skill_load(name: str) -> None:
    """The pack of each set is read without a fault."""
    assert load_city(HERE / name).packs


def test_weeks_counted_at_the_allowed_share() -> None:
    """The limit lets just so many false weeks through as are allowed; a lower one lets through more."""
    counts = measure_of("counts")
    scores, label = np.arange(100.0), np.arange(100) >= 80
    limit = counts.at_most(scores, label)
    found, false = counts.share(scores, label, limit)
    assert found == 1.0 and 0.0 < false <= counts.ALLOWED
    assert counts.share(scores, label, limit - 2.0)[1] > counts.ALLOWED


def test_a_series_is_judged_by_the_limit_of_the_others() -> None:
    """Where a series runs ten times higher than the other, its false weeks are many by the other's limit, and the other finds nothing."""
    counts = measure_of("counts")
    scores, label = np.arange(100.0), np.arange(100) >= 80
    told, labels, part = np.concatenate([scores, 10.0 * scores]), np.tile(label, 2), np.repeat([0, 1], 100)
    found, false = counts.unseen(told, labels, part)
    assert (found, false) == (0.5, 72 / 160)
    assert counts.unseen(np.tile(scores, 2), labels, part) == counts.share(scores, label, counts.at_most(scores, label))


def test_faults_of_sensors_counted_by_spell() -> None:
    """A spell flagged within two readings of a fault finds it; one that is far from all is one false spell."""
    sensors = measure_of("sensors")
    bad, on = np.zeros(60, bool), np.zeros(60, bool)
    bad[10:20] = bad[40:42] = True
    on[21] = True           # within two readings of the first fault
    on[55] = on[59] = True  # one spell, of no fault
    one = sensors.Sensor("x", "s", np.arange(60), np.zeros(60), bad, ~bad)
    told = sensors.counted([one], [on])
    assert (told["faults"], told["found"], told["false"], told["f1"]) == (2, 1, 1, 0.5)
    assert told["floods"] == 1000.0 * 3 / 48


def test_a_place_is_judged_by_limits_of_the_others() -> None:
    """The setting that is best at the place itself is not taken for it, but the one that is best at all others."""
    sensors = measure_of("sensors")
    one = sensors.Sensor("x", "s", *(np.zeros(0, dtype) for dtype in (int, float, bool, bool)))
    here, there, creek = (one._replace(place=place) for place in ("here", "there", "sandy"))
    first, second, none = [4, 4, 0, 9, 0], [4, 1, 0, 9, 9], [4, 0, 0, 9, 0]
    tallies = [np.array(rows) for rows in ([first, second, none], [none, first, none], [none, none, first])]
    told = sensors.unseen([here, there, creek], tallies, {"here"}, False)
    assert (told["found"], told["floods"]) == (1, 1000.0)
    assert sensors.unseen([here, there, creek], tallies, {"there"}, True)["found"] == 0
    assert sensors.unseen([here, there, creek], tallies, {"sandy"}, True)["faults"] == 4


def test_a_folder_is_judged_by_the_threshold_of_the_others() -> None:
    """One threshold for all is the best of all; a folder alone gets the best of the others, and may find nothing by it."""
    nab = measure_of("nab")
    quiet, loud = (np.where(np.arange(1000) == 800, height, 0.0) for height in (3.0, 9.0))
    noise = np.where(np.arange(1000) % 10 == 1, 5.0, 0.0)
    found = [nab.File(f"{g}/x.csv", np.arange(1000), np.zeros(1000), [(800, 900)]) for g in "ab"]
    own, others, at = nab.benchmark(found, [quiet, np.maximum(loud, noise)])
    assert own == pytest.approx(50.0) and others < 45.0 and at == 9.0
    own, others, at = nab.benchmark(found, [quiet, quiet])
    assert own == others == pytest.approx(100.0) and at == 3.0


def test_two_sensors_at_once() -> None:
    """The score of two sensors is the second highest at each moment; of one it is its own."""
    events = measure_of("events")
    told = events.of_several([np.array([[9.0, 0.0, 5.0], [1.0, 8.0, 6.0]]), np.array([[4.0, 3.0]])], 2)
    assert told[0].tolist() == [1.0, 0.0, 5.0] and told[1].tolist() == [4.0, 3.0]


def test_events_are_counted_by_part_and_judged_by_the_limit_of_the_others() -> None:
    """A file alone is cut between its events; a limit too high for one part finds nothing there, and may be right for all together."""
    events = measure_of("events")
    label = np.zeros(2000, bool)
    label[[500, 700, 900, 1100, 1300, 1500, 1700]] = True
    case = events.Case(np.arange(2000) * 3_600_000_000, {"a": np.zeros(2000)}, label)
    parts = events.cut([case])
    assert parts == [[200, 600, 800, 1000, 1200, 1400, 1600]]
    score = np.where(label, 9.0, 0.0)
    score[:30] = 1.0                                                  # of what only teaches
    score[500], score[610] = 2.0, 3.0                                 # the first event is low, and a false alarm is higher than it
    told, days = events.counts([case], [score], parts), events.lengths([case], parts)
    assert days.sum() == pytest.approx((2000 - 1 - 200) / 24)
    assert told.best(days, 0.0, days > 0.0) == (0, 6)
    low = int(np.argmax(told.found.sum(axis=1)))
    assert (told.found[low].tolist(), told.false[low].tolist()) == ([1] * 7, [0, 1, 0, 0, 0, 0, 0])
    assert told.best(days, 1.0, days > 0.0) == (low, 7)
    assert events.unseen([told], days, 1.0) == (6, pytest.approx(1 / days.sum()))      # only the first part needs the low limit


def test_halves_of_a_gauge_are_cut_between_its_events() -> None:
    """Each event counts in one half alone, and the halves together are as long as the whole."""
    rivers = measure_of("rivers")
    x = np.zeros(1000)
    x[[at + k for at in (100, 200, 600, 900) for k in range(3)]] = 5.0
    gauge = rivers.Gauge(3600.0 * np.arange(1000), x)
    whole, first, second = (rivers.front([gauge], [gauge.x], 3600.0 * 3, half) for half in (None, 0, 1))
    assert rivers.middle(gauge, 5.0, 3600.0 * 3) == pytest.approx(401, abs=1)
    assert (whole.events, first.events, second.events) == (4, 2, 2)
    assert first.years + second.years == pytest.approx(whole.years, rel=0.01)


def test_dead_spells_are_those_put_in() -> None:
    """So many spells are put in, each of a day, and nothing else is made flat."""
    days = measure_of("days")
    t = np.arange(20_000) * days.HOUR
    (_, x), spans = days.stuck((t, np.arange(20_000.0)), np.random.default_rng(3))
    assert len(spans) == days.PUT_IN and all(end - start >= 22 * days.HOUR for start, end in spans)
    assert (np.diff(x) == 0.0).sum() == days.PUT_IN * 23


@pytest.mark.parametrize(("reach", "better", "code", "mark"), [
    ("tools.TOLD", True, 0, "better"), ("tools.TOLD", False, 0, "**not better than the plain rule**"),
    ("'above 60'", True, 0, "reached"), ("'above 60'", False, 1, "**not reached**"), ("''", None, 0, "")])
def test_only_a_missed_aim_fails_the_run(reach: str, better: bool | None, code: int, mark: str, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A row that is to be told beside the plain rule says so when it is not better; one that misses its aim ends the run with 1."""
    run = module_of("skill_run", HERE / "run.py")
    shutil.copy(HERE / "tools.py", tmp_path)
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "measure.py").write_text(
        f"def measure(tools):\n    return [tools.Row('d', 'm', '1', '2', {reach}, {better})]\n", encoding="utf-8")
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert run.main() == code
    assert capsys.readouterr().out.splitlines()[-1].endswith(f"| {mark} |")
