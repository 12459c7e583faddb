"""The story of a demo is true only where each of its parts happened."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from detectors.event import Change
from streams.demo.processes import Processes
from streams.demo.run import Demo
from streams.demo.story import Called, Card, Seen
from streams.errors import Unavailable, WanglouError


def stage(time: int, to: int, detector: str = "basin/stage", **more: object) -> Change:
    return Change(time=time, arrived=time, site="lanxi", detector=detector, to=to, value=1.0, score=1.0, limit=1.0, since=time, **more)  # type: ignore[arg-type]


WHOLE = Seen(
    rain=(0.0, 0.5, 4.0),
    events=(stage(1, 2, "basin/forecast", forecast=(60.0, 50.0, 70.0)), stage(2, 2), stage(3, 3), stage(4, 4),
            Change(kind="fresh", fresh="stale", time=3, arrived=3, site="wuyi")),
    cards=(Card("a", "lanxi", "river_level", 4, True, False, "hydro-lead"), Card("b", "wuyi", "river_level", 4, True, True, "")),
    steps=(Called("a", 1, 1, "hydro-desk", "expired"), Called("a", 1, 2, "hydro-lead", "answered")),
    open_by_metrics={"red": 2})


def test_the_whole_story_is_told() -> None:
    """With every part seen, every part is true."""
    assert all(WHOLE.told().values())


@pytest.mark.parametrize(("part", "seen"), [
    ("rain_rises", replace(WHOLE, rain=(4.0, 3.0))),
    ("forecast_before_the_stage", replace(WHOLE, events=WHOLE.events[1:])),
    ("yellow_orange_red", replace(WHOLE, events=(WHOLE.events[0], WHOLE.events[3], WHOLE.events[2], WHOLE.events[1]))),
    ("silent_gauge_stays_red", replace(WHOLE, cards=(WHOLE.cards[0], replace(WHOLE.cards[1], level=0)))),
    ("first_post_does_not_answer", replace(WHOLE, steps=(replace(WHOLE.steps[0], state="answered"), WHOLE.steps[1]))),
    ("someone_answers", replace(WHOLE, cards=(replace(WHOLE.cards[0], answered_by=""), WHOLE.cards[1]))),
    ("metrics_agree", replace(WHOLE, open_by_metrics={"red": 1})),
])
def test_each_part_can_be_missing(part: str, seen: Seen) -> None:
    """What did not happen is not told."""
    assert not seen.told()[part]


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """A demo empties only a folder that a demo made."""
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(WanglouError, match="was not made by a demo"):
        Demo(tmp_path, tmp_path, 0, None, print).run(1)

    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_a_stage_that_ends_is_told_with_its_last_words_and_none_is_left(tmp_path: Path) -> None:
    """A stage that fails at start stops the demo with what it said; stopping leaves no process."""
    stages = Processes(tmp_path, {})
    stages.start("wrong", "nosuchcommand")
    stages.running["wrong"].wait(30)
    with pytest.raises(Unavailable, match=r"wrong ended with 2"):
        stages.check()

    stages.start("kinds", "kinds")
    assert stages.stop() == []
    assert all(p.poll() is not None for p in stages.running.values())
