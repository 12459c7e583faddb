"""Labelled episodes: `site,level,start,end[,indicator][,outcome][,note]`; an empty level = any above normal.

With an indicator only its detectors should have caught the episode. A row with the outcome `fault` is a fault of a sensor: its
checks should have told it, no detector. One with the outcome `false` says what did not happen; it stands there for people.
"""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from detectors.level import LEVELS, Level
from streams.errors import WanglouError
from streams.packs.faults import meant
from streams.replay.lines import records
from streams.replay.times import times, zone

OUTCOMES = ("", "true", "false", "fault")


@dataclass(frozen=True)
class Episode:
    """Something that really happened at a site, from `start` to `end` (µs UTC). `level` 0 = any above normal."""

    site: str
    level: int
    start: int
    end: int
    note: str = ""
    indicator: str = ""         # "" = of every indicator of the site
    fault: bool = False         # of a sensor: the checks should have told it


def read(path: Path, tz: str = "") -> list[Episode]:
    """All episodes of a file; WanglouError names every bad line (an episode left out would flatter the detector)."""
    place, episodes, faults = zone(tz), [], []
    for line, row, torn in records(path):
        lacking = [name for name in ("site", "start", "end") if not row.get(name)]
        moments, wrong = times(pd.Index([row.get("start", ""), row.get("end", "")]), place)
        word, outcome = row.get("level", "").lower(), row.get("outcome", "").lower()
        if torn is not None:
            faults.append(str(torn))
        elif lacking:
            faults.append(f"{path}:{line}: no {', '.join(lacking)}")
        elif any(wrong):
            faults.append(f"{path}:{line}: start and end need ISO 8601 times with a zone, or give --tz")
        elif word and (word not in LEVELS or not LEVELS[word]):
            faults.append(f"{path}:{line}: unknown level {word!r}{meant(word, [w for w in LEVELS if w != 'normal'])}")
        elif moments[1] < moments[0]:
            faults.append(f"{path}:{line}: ends before it starts")
        elif outcome not in OUTCOMES:
            faults.append(f"{path}:{line}: unknown outcome {outcome!r}{meant(outcome, OUTCOMES[1:])}")
        elif outcome != "false":
            episodes.append(Episode(row["site"], int(LEVELS.get(word, Level.NORMAL)), int(moments[0]), int(moments[1]),
                                    row.get("note", ""), row.get("indicator", ""), outcome == "fault"))
    if faults:
        raise WanglouError("\n".join(faults))
    return episodes
