"""A backtest as an analyst runs it: a year of five-minute readings of 100 sites, from CSV, with two checks and five detectors.

Beside it, in turn: pandas alone, which reads the same file and works out one EWMA a site, with no check, alarm or episode.
"""
from __future__ import annotations

import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from streams import clock
from streams.bench.tools.frame import Bench, Figure, middle
from streams.clock import MICRO, iso

__all__ = ["backtest"]

START = clock.micros("2025-01-01T00:00:00Z")
PACK = """wanglou: 1
pack: year
title: {zh: 一年, en: A year}
indicators:
  level:
    {unit: m, every: 5min, silent: never, checks: [{range: {fail: [-100, 1000]}}, {rate: {suspect: 5 m/h}}]}
detectors:
  - {id: high, indicator: level, kind: threshold, levels: {yellow: {above: 12}, red: {above: 14}}, source: guess}
  - {id: usual, indicator: level, kind: ewma, levels: {yellow: {above: 6}}, source: guess}
  - {id: fast, indicator: level, kind: rate, over: 30min, levels: {yellow: {above: 30 m/h}}, source: guess}
  - {id: shift, indicator: level, kind: cusum, levels: {yellow: {above: 800}}, source: guess}
  - {id: season, indicator: level, kind: seasonal, levels: {yellow: {above: 8}}, source: guess}
"""
PANDAS = """import sys
import pandas as pd
frame = pd.read_csv(sys.argv[1], parse_dates=["time"], dtype={"site": "category", "indicator": "category"})
for _, x in frame.groupby("site", observed=True)["value"]:
    usual = x.ewm(alpha=0.05)
    ((x - usual.mean().shift()) / usual.std().shift() > 6).sum()
"""


def backtest(bench: Bench) -> Iterator[Figure]:
    """Each in a process of its own, from its start to its end."""
    sites, days = (5, 20) if bench.quick else (100, 365)
    files = written(bench.work / "backtest", sites, days)
    ours = (sys.executable, "-m", "streams", "backtest", "year", "--configs", str(files), "--history", str(files / "h.csv"),
            "--episodes", str(files / "episodes.csv"), "--json")
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(bench.rounds):
        found["ours"].append(spent(ours))
        found["pandas"].append(spent((sys.executable, "-c", PANDAS, str(files / "h.csv"))))
    wall, cpu = (middle([one[k] for one in found["ours"]]) for k in (0, 1))
    plain = middle([one[0] for one in found["pandas"]])
    ratio = middle([a[0] / b[0] for a, b in zip(found["ours"], found["pandas"], strict=True)])
    yield Figure(f"backtest, {sites} sites, {days} days",
                 f"{wall:.1f} s, {cpu:.1f} s of CPU for {sites * days * 288 / 1e6:.1f} M readings; "
                 f"pandas alone, reading and one EWMA, {plain:.1f} s: {ratio:.2f} × as long",
                 {"seconds": wall, "cpu": cpu, "pandas": plain, "ratio": ratio})


def spent(command: Sequence[str]) -> tuple[float, float]:
    """Wall and CPU seconds of a process and its children."""
    begun, before = clock.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock.monotonic() - begun, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def written(folder: Path, sites: int, days: int) -> Path:
    """Pack, history and labels: a level with noise, a day and a flood of a day every 45 days at each site."""
    folder.mkdir()
    names = [f"s{n}" for n in range(sites)]
    (folder / "pack.yaml").write_text(PACK, "utf-8")
    (folder / "sites.csv").write_text("site,zh\n" + "".join(f"{name},站\n" for name in names), "utf-8")
    chance, labels = np.random.default_rng(1), ["site,level,start,end\n"]
    phase, step = chance.integers(0, 45 * 288, sites), 300 * MICRO
    with (folder / "h.csv").open("w", encoding="utf-8") as file:
        file.write("time,site,indicator,value\n")
        for n in range(days * 288):
            at = (n + phase) % (45 * 288)
            x = 10.0 + np.sin(n / 288 * 2 * np.pi) * 0.3 + chance.normal(0.0, 0.3, sites) + 3.0 * (at < 288)
            time = iso(START + n * step)
            file.writelines(f"{time},{name},level,{value:.3f}\n" for name, value in zip(names, x.tolist(), strict=True))
            labels += [f"{names[k]},yellow,{time},{iso(START + (n + 287) * step)}\n" for k in np.flatnonzero(at == 0).tolist()]
    (folder / "episodes.csv").write_text("".join(labels), "utf-8")
    return folder
