"""What people said of closed warnings comes out as episodes: true from onset to back under, false and faults as such."""
from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from streams.cli import main
from streams.replay.episodes import Episode, read
from streams.replay.stores import closed, episodes

MIN = 60_000_000
T = 1_782_238_640_000_000


WHY = "crew on site, water is falling"


def close(bench: Any, id_: str, outcome: str, note: str) -> None:
    """Taken by who was called; from orange on acted on and verified by the leader; closed by the duty officer."""
    post = next(post for _, post, state in bench.steps(id_) if state == "called")
    bench.do(id_, "answer", post)
    if bench.alert(id_).peak > 2:
        bench.do(id_, "news", post, WHY)
        bench.do(id_, "verify", "leader", note, outcome)
    bench.do(id_, "close", "duty", note, outcome)


def test_close_outs_become_episodes(bench: Any, change: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                    capsys: pytest.CaptureFixture[str]) -> None:
    """Onset to back under; the level is the worst it had; an open warning is none."""
    url = f"sqlite:///{tmp_path}/desk.db"
    ups = [change("river_level", "lanxi", 3), change("reservoir", "hengjin", 2, time=T + MIN)]
    bench.put(*ups, change("methane", "renmin", 2))
    bench.put(change("river_level", "lanxi", 0, 3, 1, T + 30 * MIN, onset=T),
              change("reservoir", "hengjin", 0, 2, 1, T + 40 * MIN, onset=T + MIN))
    close(bench, ups[0].alert, "true", "flood, levee 3")
    close(bench, ups[1].alert, "false", "the sensor's cable")
    said = closed(url, "basin")
    assert [(x.site, x.outcome, x.level, x.start, x.end) for x in said] == [
        ("lanxi", "true", 3, T, T + 30 * MIN), ("hengjin", "false", 2, T + MIN, T + 40 * MIN)]
    monkeypatch.setenv("WANGLOU_DESK_URL", url)
    monkeypatch.setattr(sys, "argv", ["wanglou", "episodes", "export", "basin", "--from", "2026-06-24T02:00:00+08:00"])
    with pytest.raises(SystemExit) as ended:
        main()
    out = capsys.readouterr()
    assert not ended.value.code and "1 true, 1 false" in out.err
    rows = list(csv.DictReader(io.StringIO(out.out)))
    assert [(r["site"], r["level"], r["indicator"], r["outcome"]) for r in rows] == [
        ("lanxi", "orange", "river_level", "true"), ("hengjin", "yellow", "reservoir", "false")]
    assert "flood, levee 3" in rows[0]["note"]
    file = tmp_path / "episodes.csv"
    file.write_text(out.out, "utf-8")
    one, = read(file)
    assert one == replace(episodes(said)[0], note=one.note) and one.indicator == "river_level", "a false warning is no episode"


def test_an_episode_that_is_known_is_not_counted_twice(bench: Any, change: Callable[..., Any], tmp_path: Path) -> None:
    """A close-out that overlaps a labelled episode of the site is that episode; no desk = no label, and none is made."""
    bench.put(up := change("river_level", "lanxi", 2))
    bench.put(change("river_level", "lanxi", 0, 2, 1, T + 30 * MIN, onset=T))
    close(bench, up.alert, "true", "flood again")
    said = closed(f"sqlite:///{tmp_path}/desk.db", "basin")
    known = Episode("lanxi", 0, said[0].start - MIN, said[0].start)
    assert episodes(said, [known]) == [] and len(episodes(said, [Episode("sanhe", 0, 0, 1 << 60)])) == 1
    assert closed(f"sqlite:///{tmp_path}/none.db", "basin") == [] and not (tmp_path / "none.db").exists()
