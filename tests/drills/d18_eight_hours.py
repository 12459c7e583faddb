"""Eight hours compressed: memory flat, files bounded, every event as in an uninterrupted run."""
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import sleep
from typing import Any

from streams import clock

NAME, BROKER = "eight hours compressed", True
tools = __import__("sys").modules["wanglou_drills_tools"]
STAGES = ("judge", "combine", "history", "desk")
MORE = 1.15                             # times that memory and files may be what they were after the first quarter, and some MB


def drill(ground: Any, short: bool, row: Any) -> None:
    """24 gauges, a reading a minute, played at ×120 (short: as fast as it goes); history keeps raw readings for an hour."""
    lives = tools.here("live")
    city = tools.river(silent=900.0)
    pack = city.packs[0]
    level = replace(pack.indicators[0], keep={"raw": 3600.0, "1h": 1e8})
    live = lives.Live(ground, replace(city, packs=(replace(pack, indicators=(level,)),)), ticks="log")
    live.start(*STAGES)
    for stage in STAGES:
        live.working(stage, {"judge": 2, "history": 4}.get(stage, 1))
    sizes, sent = [], 0
    parts = 2 if short else 4
    for part in range(parts):
        path = live.bench.folder / f"part{part}.csv"
        path.write_text(story(part * 480 // parts, 480 // parts), "utf-8")
        sent += play(live, path, short)
        live.run.settled(240)
        thinned(live)                   # as history does every hour by the wall clock
        sizes.append(({s: live.memory(s) for s in STAGES}, files(Path(live.bench.settings.data))))
    (before, disk), (after, later) = sizes[0], sizes[-1]
    for stage in STAGES:
        row.must(after[stage] < before[stage] * MORE + 8, f"{stage}: {before[stage]:.0f} MB became {after[stage]:.0f} MB")
    row.must(later < disk * MORE + 8, f"files: {disk:.1f} MB became {later:.1f} MB")
    live.finish()
    live.calls(row, live.compare(row, None))
    row.lost += sent - row.readings
    row.note = "MB: " + ", ".join(f"{s} {before[s]:.0f}→{after[s]:.0f}" for s in STAGES) + f", files {disk:.1f}→{later:.1f}"


def story(first: int, minutes: int) -> str:
    """Part of the eight hours as a table."""
    storm = tools.here("live").storm
    rows = [f"{clock.iso(tools.T0 + n * tools.MINUTE)},gauge-{k},level,{min(99.0, storm(k, n)):.3f}"
            for n in range(first, first + minutes) for k in range(24)]
    return "\n".join(["time,site,indicator,value", *rows, ""])


def play(live: Any, path: Path, short: bool) -> int:
    """To its end."""
    if short:
        return int(live.run.play(path)["accepted"])
    process = live.run.start("play", "feed", "play", str(path), "--speed", "120")
    while process.poll() is None:
        sleep(0.5)
    del live.run.running["play"]
    return 120 * 24


def thinned(live: Any) -> None:
    """The hourly house-keeping of history."""
    from streams.history.keep import thin
    from streams.sql import engine

    database = engine(live.bench.settings.history_url)
    thin(database, live.city)
    database.dispose()


def files(folder: Path) -> float:
    """MB of all files but the desk's, which keeps its audit for good."""
    return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file() and not p.name.startswith("desk.db")) / 1e6
