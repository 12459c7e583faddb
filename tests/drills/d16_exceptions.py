"""An exception in a kind puts that series × detector in error and nothing else; one in the agent's body is retried, then refused."""
from __future__ import annotations

from dataclasses import dataclass, replace
from time import sleep
from typing import Any, ClassVar

from detectors.pack import Detector, Limit, Use
from detectors.reading import Block
from detectors.registry import load
from detectors.step import floats, param
from streams import clock
from streams.codec import decode

NAME, BROKER = "exception in a kind; in the agent's body", True
tools = __import__("sys").modules["wanglou_drills_tools"]
PATCH = """
import streams.worker.judging as judging
real, failed = judging.judge, []
def judge(plan, state, block):
    changes = real(plan, state, block)          # half done: the state has moved
    if (block.x == 33.25).any() and len(failed) < 2:
        failed.append(1)
        raise ValueError("a passing fault")
    if (block.x == 44.75).any():
        raise RuntimeError("poison")
    return changes
judging.judge = judge
"""


@dataclass(frozen=True)
class Faulty:
    """A kind that divides by zero at `pole`: an exception where it is interpreted, no finite score where it is compiled."""

    pole: float = param(22.0)
    PARAMS: ClassVar[Any]
    STATE: ClassVar[Any]

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        """1 / (x - pole)."""
        return 1.0 / (x - p.pole)


def drill(ground: Any, short: bool, row: Any) -> None:
    """Half in a State, half in a real worker."""
    kind(row)
    lives = tools.here("live")
    live = lives.Live(ground, lives.brisk())
    live.patched("judge", PATCH)
    live.start("combine")
    live.working("judge", 2)
    lost = []
    with lives.Load(live.writer, [f"gauge-{n}" for n in range(24)]) as wind:
        for x in (33.25, 44.75) * (1 if short else 5):
            sleep(1)
            now = clock.now()
            live.writer.write([("gauge-3", x)], now)
            wind.written.update([("level@gauge-3", now)])
            lost += [now] if x == 44.75 else []
            sleep(1)
        tools.until(lambda: len(refused(live)) == len(lost), "the poison is refused")
        sleep(1)
    live.finish()
    live.compare(row, wind.written, refused=poisonous)
    row.must(len(refused(live)) == len(lost), f"refused: {refused(live)}")
    row.must(live.said("judge").count("a passing fault") >= 2, "the passing fault did not happen")
    row.note = f"{len(lost)} block refused after three tries, told in rejects"


def refused(live: Any) -> set[str]:
    """Records that `rejects` says were refused by the judge."""
    return {f"{r['source']} {r['place']}" for r in live.run.rejects() if r["feed"] == "judge"}


def poisonous(value: bytes) -> bool:
    """Whether the patched worker cannot bear this record."""
    record = decode(value)
    return isinstance(record, Block) and bool((record.x == 44.75).any())


def kind(row: Any) -> None:
    """1 / (x - 22): at 22 it has no value. Compiled and interpreted; the other gauges and detectors know nothing of it."""
    Faulty.PARAMS, Faulty.STATE = floats(pole=1), floats(none=1)
    load("kinds")["faulty"] = Faulty
    try:
        compared(row)
    finally:
        del load("kinds")["faulty"]


def compared(row: Any) -> None:
    """A state with the faulty detector beside one without."""
    from detectors.judge import State, judge, tick
    from detectors.plan import Plan

    city = tools.river()
    pack = city.packs[0]
    bad = Detector("bad", "river", "level", Use("faulty"), (Limit(1, 1000.0),))
    with_bad = Plan(replace(city, packs=(replace(pack, detectors=(*pack.detectors, bad)),)))
    plain = Plan(city)
    for compiled in (True, False):
        states = {name: State(plan, compiled=compiled) for name, plan in (("bad", with_bad), ("plain", plain))}
        told: dict[str, list[Any]] = {"bad": [], "plain": []}
        for n in range(90):
            now = tools.T0 + n * tools.MINUTE
            rows = [(f"level@gauge-{k}", now, 22.0 if k == 5 and n == 30 else 20.0 + ((n * 7 + k * 3) % 120) / 10 + 0.013)
                    for k in range(24)]
            for name, state in states.items():
                told[name] += judge(state.plan, state, Block.of(rows, arrived=now))
                told[name] += tick(state.plan, state, now + 1)
        errors = [c for c in told["bad"] if c.kind == "error"]
        row.must([(c.site, c.detector) for c in errors] == [("gauge-5", "river/bad")], f"in error: {errors}")
        ours, theirs = ({tools.told(replace(c, plan="")) for c in told[name] if c.kind != "error" and c.detector != "river/bad"}
                        for name in ("bad", "plain"))
        row.events += len(ours ^ theirs)
        row.readings += 90 * 24
    row.runs += 2
