from __future__ import annotations

from pathlib import Path

import pytest

from detectors.pack import Pack, Text
from streams.clock import MICRO, micros
from streams.errors import WanglouError
from streams.packs import load_city
from streams.replay.backtest import backtest, failures, strangers
from streams.replay.episodes import Episode, read
from streams.replay.history import read as read_history
from streams.replay.judged import Span
from streams.replay.match import Row, Window, match, merge

CONFIGS = Path(__file__).parent / "configs"
HOUR = 3600 * MICRO


def tally(episodes: list[Episode], alarms: list[Span], window: int = 24 * HOUR, gap: int = HOUR) -> Row:
    """The row of one site."""
    return match("lanxi", episodes, alarms, Window(window, 0, gap)).row("basin/stage", 2, 10.0, 100)


def episode(start: int, end: int) -> Episode:
    """An episode of any level, in hours."""
    return Episode("lanxi", 0, start * HOUR, end * HOUR)


def span(start: float, end: float) -> Span:
    """An alarm, in hours."""
    return Span(round(start * HOUR), round(end * HOUR))


def test_counts_and_shares() -> None:
    """Hits, misses and false alarms are what one counts by hand, and so are POD, FAR and CSI."""
    row = tally([episode(100, 110), episode(200, 210)], [span(97, 105), span(300, 301), span(400, 401)])
    assert (row.episodes, row.hits, row.misses, row.false_alarms) == (2, 1, 1, 2)
    assert (row.pod, row.far, row.csi) == (0.5, 2 / 3, 0.25)
    assert (row.lead_median_s, row.alarms_per_day) == (3 * 3600.0, 0.3)


@pytest.mark.parametrize(("alarm", "hit", "lead"), [
    (span(76, 77), True, 24.0), (span(70, 75.9), False, None), (span(109, 120), True, -9.0), (span(110.1, 120), False, None),
    (span(50, 105), True, None),
])
def test_the_window(alarm: Span, hit: bool, lead: float | None) -> None:
    """An alarm counts from the window before an episode to its end; one that was on before all that has no lead."""
    row = tally([episode(100, 110)], [alarm])
    assert (row.hits, row.false_alarms) == ((1, 0) if hit else (0, 1))
    assert row.lead_median_s == (None if lead is None else lead * 3600)


def test_close_alarms_are_one() -> None:
    """Alarms within the gap are merged before they are counted; the lead is from the first."""
    row = tally([episode(100, 110)], [span(98, 99), span(99.5, 100.5), span(300, 301), span(301.9, 302), span(304, 305)])
    assert (row.hits, row.false_alarms, row.lead_median_s) == (1, 2, 7200.0)
    assert merge([], HOUR) == []


def test_one_alarm_may_hit_two_episodes() -> None:
    """Both are hits, and it is no false alarm."""
    row = tally([episode(100, 101), episode(103, 104)], [span(100, 104)])
    assert (row.hits, row.misses, row.false_alarms, row.far) == (2, 0, 0, 0.0)


def test_absent_figures_are_null() -> None:
    """With nothing to divide by a figure is None, never NaN."""
    row = tally([], [])
    assert [row.pod, row.far, row.csi, row.lead_median_s, row.lead_p10_s] == [None] * 5
    assert row.alarms_per_day == 0.0


def test_a_history(tmp_path: Path) -> None:
    """From files to rows: an orange episode is one of yellow too, a yellow one is none of orange; alarms count by arrival."""
    path = tmp_path / "h.csv"
    start = micros("2026-06-19T00:00:00Z")
    value = [27.0] * 12 + [28.5] * 12 + [31.0] * 12 + [27.0] * 13
    lines = [f"2026-06-19T{n // 12:02}:{n % 12 * 5:02}:00Z,lanxi,river_level,{x},2026-06-19T{n // 12 + 1:02}:{n % 12 * 5:02}:00Z"
             for n, x in enumerate(value)]
    path.write_text("time,site,indicator,value,arrived\n" + "\n".join(lines), "utf-8")
    labels = [Episode("lanxi", 3, start + 3 * HOUR, start + 4 * HOUR),
              Episode("lanxi", 2, start + 100 * HOUR, start + 101 * HOUR), Episode("zhuge", 0, start, start + HOUR)]
    yellow, orange, _ = backtest(load_city(CONFIGS), read_history([path]), labels, "basin")
    assert (yellow.episodes, yellow.hits, yellow.misses, yellow.false_alarms) == (3, 1, 2, 0)
    assert (orange.episodes, orange.hits, orange.misses) == (2, 1, 1)
    assert yellow.lead_median_s == 3600.0, "known at 02:00, an hour after it was measured"
    assert orange.lead_median_s == -600.0, "30 m for 10 minutes at 02:10, known at 03:10"
    assert (yellow.scored, yellow.days) == (49, 5 / 24)


def test_episodes(tmp_path: Path) -> None:
    """Labels are read with levels, zones and notes."""
    path = tmp_path / "e.csv"
    path.write_text("site,level,start,end,note\nlanxi,,1955-06-18,1955-06-23,the great flood\nlanxi,red,2026-06-19T00:00:00Z,"
                    "2026-06-20T00:00:00Z,\n", "utf-8")
    first, second = read(path, "Asia/Shanghai")
    assert (first.level, first.start, first.note) == (0, micros("1955-06-17T16:00:00Z"), "the great flood")
    assert (second.level, second.end) == (4, micros("2026-06-20T00:00:00Z"))


def test_bad_episodes_are_all_told(tmp_path: Path) -> None:
    """A label that cannot be read stops the backtest, all of them in one go: one left out would flatter."""
    path = tmp_path / "e.csv"
    good = "2026-06-19T00:00:00Z,2026-06-20T00:00:00Z"
    path.write_text(f"site,level,start,end\nlanxi,yelow,{good}\nlanxi,,2026-06-19,2026-06-20\n"
                    f"lanxi,,2026-06-19T00:00:00Z,2026-06-18T00:00:00Z\nlanxi,red\n,,{good}\n", "utf-8")
    with pytest.raises(WanglouError) as found:
        read(path)
    text = str(found.value)
    assert [f"e.csv:{n}: " in text for n in range(2, 7)] == [True] * 5
    assert "did you mean yellow?" in text and "ends before it starts" in text


def test_gates() -> None:
    """A pack's own gate names a detector, or one of its levels, and the least (for false alarms the most) that it asks."""
    row = tally([episode(100, 110), episode(200, 210)], [span(97, 105), span(300, 301)])
    fine = Pack("basin", Text("x"), gates={"stage": {"pod": 0.5, "far": 0.5}, "stage/red": {"pod": 1.0}})
    short = Pack("basin", Text("x"), gates={"stage/yellow": {"pod": 0.8, "far": 0.4, "csi": 0.1}})
    assert failures(fine, [row]) == []
    assert [f.split(": ")[1].split(" ")[0] for f in failures(short, [row])] == ["pod", "far"]


def test_strangers_are_told() -> None:
    """Labels at sites that the pack does not have, and of times that the history does not cover, are said."""
    pack = load_city(CONFIGS).packs[0]
    assert strangers(pack, [episode(1, 2)], span(0, 9)) == []
    assert "2 episodes at 'nowhere'" in strangers(pack, [Episode("nowhere", 0, 0, 1)] * 2, span(0, 9))[0]
    assert strangers(pack, [episode(1, 2), episode(11, 12)], span(0, 9)) == [
        "1 episodes lie outside the history: they count as misses"]
