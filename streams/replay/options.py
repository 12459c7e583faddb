"""What the commands over histories share: options as people type them, the city, the history."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from streams.errors import UsageError

if TYPE_CHECKING:
    from detectors.pack import City
    from streams.replay.history import History
    from streams.replay.raw import Columns


def city_of(configs: Path | None, pack: str | None = None) -> tuple[City, str]:
    """The city of a configs folder and its plan hash. ConfigError with all faults."""
    from streams.packs import find_configs, load_city
    from streams.plans import plan_bytes, plan_hash

    city = load_city(find_configs(configs), pack)
    return city, plan_hash(plan_bytes(city))


def columns(time: str, site: str, map: str, arrived: str) -> Columns:
    """`--time COL --site NAME --arrived COL --map COL=indicator,COL=indicator`."""
    from streams.replay.raw import Columns

    values: dict[str, str] = {}
    for pair in filter(None, map.split(",")):
        column, equals, indicator = (part.strip() for part in pair.partition("="))
        if not (column and equals and indicator):
            raise UsageError(f"--map {pair}: write COLUMN=indicator, separated by commas")
        values[column] = indicator
    return Columns(time or "time", site or "site", arrived or "arrived", values)


def history_of(files: Sequence[Path], tz: str, time: str = "", site: str = "", map: str = "", arrived: str = "",
               texts: bool = True) -> History:
    """Read history files; WanglouError or UsageError says what is wrong with them."""
    from streams.replay.history import read

    return read(files, tz, columns(time, site, map, arrived), texts)


def writable(path: Path) -> Path:
    """A file to be written, made now, so that a wrong name is told before the work."""
    try:
        path.write_bytes(b"")
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror}") from None
    return path


def known(history: History, series: frozenset[str] | set[str]) -> History:
    """Only the readings of these series; the others become rejects with their place."""
    import numpy as np

    from streams.replay.lines import Reject

    there = np.array([name in series for name in history.series], bool)
    if there.all():
        return history
    keep = there[history.index]
    frame = history.frame.iloc[np.sort(history.row[~keep])]
    for row in frame[["file", "line", "time", "site", "indicator", "value"]].itertuples(index=False):
        what = f"{row.indicator}@{row.site}: no such series in these configs"
        text = ",".join(str(c) for c in (row.time, row.site, row.indicator, row.value))
        history.rejects.append(Reject(str(row.file), int(str(row.line)), "unknown", what, text))
    history.rejects.sort(key=lambda reject: (reject.file, reject.line))
    return history.pick(keep)


def parts(path: str, city: City) -> tuple[str, str]:
    """`pack/id` of a detector, checked against the city."""
    from streams.packs.faults import meant

    paths = [d.path for p in city.packs for d in p.detectors]
    if path not in paths:
        raise UsageError(f"no detector {path!r}{meant(path, paths)}")
    pack, _, name = path.partition("/")
    return pack, name
