"""Rows of sites.csv inserted, removed and reordered under live state: every site keeps its own state, nobody gets another's."""
from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

NAME, BROKER = "rows of sites.csv inserted, removed, moved", False
tools = __import__("sys").modules["wanglou_drills_tools"]

PACK = """
wanglou: 1
pack: river
title: {zh: 江河, en: Rivers}
indicators:
  level:
    title: {zh: 水位, en: Level}
    unit: m
    every: 1min
    silent: 15min
    lateness: 10min
    checks:
      - range: {fail: [0, 900]}
detectors:
  - id: stage
    indicator: level
    kind: threshold
    levels:
      yellow: {above: warning, clear: warning - 0.5, keep: 3min}
      orange: {above: warning + 2, hold: 4min}
      red: {above: record}
    why: {zh: 超限, en: above}
    source: guess
  - id: drift
    indicator: level
    kind: ewma
    alpha: 0.1
    levels:
      blue: {above: 3}
    why: {zh: 异常, en: unusual}
    source: guess
"""


def city(folder: Path, order: list[int]) -> Any:
    """The folder as its people left it: each site has limits of its own."""
    from streams.packs.load import load_city

    place = folder / "packs" / "river"
    place.mkdir(parents=True, exist_ok=True)
    (place / "pack.yaml").write_text(PACK, "utf-8")
    rows = [f"g{k},站{k},Gauge {k},{25 + k * 0.5},{31 + k * 0.5}" for k in order]
    (place / "sites.csv").write_text("\n".join(["site,zh,en,warning,record", *rows, ""]), "utf-8")
    return load_city(folder)


def drill(ground: Any, short: bool, row: Any) -> None:
    """The rows change every few minutes; against a run in which they stand still."""
    machines, always = tools.here("machine"), list(range(12))
    home = ground.home()
    plain = machines.Machine(city(home, always))
    story(plain, lambda n: None)
    wanted = events(plain)
    row.must({e.to for e in plain.events if e.kind == "level"} >= {0, 1, 2, 3, 4}, "the story is too quiet")
    for seed in range(2 if short else 15):
        rng = Random(seed)
        machine = machines.Machine(city(home, always), chance=Random(seed) if seed else None, often=0.01)

        def change(n: int, rng: Random = rng, machine: Any = machine) -> None:
            if n % 7 == 3:
                strangers = rng.sample(range(100, 130), 8)
                order = always + strangers
                rng.shuffle(order)
                machine.plan(city(home, order))

        story(machine, change)
        got = events(machine)
        row.runs, row.readings = row.runs + 1, row.readings + machine.readings
        row.events += len(wanted ^ got)
        row.must(not [e for e in machine.events if e.kind == "retired"], "retired though its site stays")
        row.must({k: v for k, v in machine.levels().items() if int(k[0].partition("@g")[2]) < 100} == plain.levels(), "levels differ")
    row.note = f"{len(wanted)} events of 12 sites that stay"


def story(machine: Any, change: Any) -> None:
    """Two hours; each site goes its own way, those that stay and (in vain, unless they are in the plan) strangers."""
    rng = Random("heights")
    at = {k: 24.0 + k * 0.5 for k in range(12)}
    for n in range(120):
        now = tools.T0 + n * tools.MINUTE
        change(n)
        for k in at:
            at[k] += rng.gauss(0.05, 0.8) - (at[k] - 27 - k * 0.5) * 0.05
        machine.take([(f"level@g{k}", now, x) for k, x in at.items()], now)
        machine.tick(now + tools.SECOND)


def events(machine: Any) -> set[tuple[Any, ...]]:
    """What was said of the sites that stay, but for the plan's hash."""
    return {(e.id, e.kind, e.detector, e.site, e.time, e.before, e.to, e.value, e.limit, e.onset, e.since, e.fresh)
            for e in machine.events if e.site and int(e.site[1:]) < 100}
