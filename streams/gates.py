"""Gates at the door: a pack's `skill:` measured on the stored history before a plan is put into force.

What cannot be measured (no history, no episodes, no such extra) does not stop a plan: it goes as 未验证 (unproved), and says so.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from detectors.pack import City, Pack
from streams.settings import Settings
from streams.skill import Skill

if TYPE_CHECKING:
    from streams.replay.match import Row


@dataclass(frozen=True)
class Verdict:
    """`missed`: gates with the figure and what was asked; `unproved`: detector -> why; `rows`: what was measured."""

    missed: tuple[str, ...] = ()
    unproved: dict[str, str] = field(default_factory=dict)
    rows: tuple[Row, ...] = ()


def weigh(settings: Settings, city: City, folder: Path, stored: Skill) -> Verdict:
    """Measure the packs that have gates; of all others say what no stored backtest has shown."""
    missed: list[str] = []
    rows: list[Row] = []
    why: dict[str, str] = {}
    for pack in (p for p in city.packs if p.gates):
        try:
            got, reason = _measure(settings, city, pack, folder / "packs" / pack.id / "episodes.csv")
        except SQLAlchemyError as error:
            missed.append(f"{pack.id}: its gate could not be measured: {getattr(error, 'orig', error)}")
            continue
        rows += got
        why |= {d.path: reason for d in pack.detectors if reason}
        missed += _failures(pack, got)
    proved = {*stored.proofs(city), *(row.detector for row in rows if tells(row))}
    unproved = {d.path: why.get(d.path, _reason(pack, d.id, rows)) for pack in city.packs for d in pack.detectors
                if d.path not in proved}
    return Verdict(tuple(missed), unproved, tuple(rows))


def _failures(pack: Pack, rows: list[Row]) -> list[str]:
    """A level of which no episode is known says nothing of its gate, nor does one without a reading."""
    if not rows:
        return []
    from streams.replay.backtest import failures

    return failures(pack, [row for row in rows if tells(row)])


def tells(row: Row) -> bool:
    """Whether a row says anything of skill: readings were judged, and an episode is known."""
    return row.episodes > 0 and row.scored > 0


def _reason(pack: Pack, detector: str, rows: Iterable[Row]) -> str:
    if any(row.detector == f"{pack.id}/{detector}" for row in rows):
        return "no episode is known, or no reading"
    return "neither a gate nor a stored backtest" if detector not in {n.partition("/")[0] for n in pack.gates} else "not measured"


def _measure(settings: Settings, city: City, pack: Pack, file: Path) -> tuple[list[Row], str]:
    """The rows of a pack; none, and why, where there is nothing to measure with."""
    if not find_spec("pandas"):
        return [], "its gate needs the extra `history`"
    from streams.replay.backtest import backtest
    from streams.replay.stores import past

    found = past(settings, city, pack.id, file)
    if not len(found.history):
        return [], "history holds no reading of it"
    if not found.episodes:
        return [], "no episode is known in its history"
    return backtest(city, found.history, found.episodes, pack.id), ""
