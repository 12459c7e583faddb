"""The shipped pack platform-economy with 200 000 shops: what its plan, its states and an hour and a day of all shops cost."""
from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from shutil import copytree

from detectors.combine import Board
from detectors.judge import State, judge
from detectors.plan import Plan
from streams.bench.tools.cities import Readings
from streams.bench.tools.frame import Bench, Figure
from streams.bench.tools.many import ms, resident
from streams.packs import find_configs, load_city
from streams.plans import plan_bytes
from streams.worker.app import tune

__all__ = ["shops"]

SHOPS, QUICK = 200_000, 2_000
COUNTIES = ("wucheng", "jindong", "lanxi", "yiwu", "dongyang", "yongkang", "wuyi", "pujiang", "panan")
TRADES = ("small", "clothes", "tools", "food", "devices")
HOURLY, DAILY = ("shop_sales", "shop_price"), ("shop_orders", "shop_refunds", "shop_complaints")


def shops(bench: Bench) -> Iterator[Figure]:
    """In a process of its own, without Kafka; in service the states are spread over the judges' partitions."""
    many = QUICK if bench.quick else SHOPS
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as fresh:
        found = fresh.submit(measure, many, bench.work / "shops").result()
    for name, words in ((f"plan of {many} shops", "{check:.1f} s of CPU to check, {bytes:.0f} MB"),
                        ("memory of them", "{states:.0f} MB the states of all judges, {board:.0f} MB the board"),
                        ("an hour of all shops", "{hour:.2f} s of CPU, {hourly:.1f} µs a reading"),
                        ("a day's figures of all shops", "{day:.2f} s of CPU, {daily:.1f} µs a reading")):
        named = [part.partition(":")[0] for part in words.replace("}", "{").split("{")[1::2]]
        yield Figure(name, words.format(**found), {key: found[key] for key in named})


def measure(many: int, folder: Path) -> dict[str, float]:
    """Seconds of CPU, MB, µs a reading. All speak once before anything is counted, so that every row is there."""
    tune()
    write_configs(folder, many)
    found: dict[str, float] = {}
    found["check"] = ms(lambda: load_city(folder)) / 1000
    city = load_city(folder)
    found["bytes"] = len(plan_bytes(city)) / 1e6
    plan = Plan(city)
    before = resident()
    state = State(plan)
    readings = {name: Readings([f"{name}@{site}" for site in plan.indicators[name].sites], 3600.0 if name in HOURLY else 86_400.0)
                for name in (*HOURLY, *DAILY)}

    def speak(names: tuple[str, ...]) -> int:
        spoken = 0
        for name in names:
            left = many
            while left > 0:
                block = readings[name].block(min(4096, left))
                judge(plan, state, block)
                left, spoken = left - len(block), spoken + len(block)
        return spoken

    speak((*HOURLY, *DAILY))
    found["states"] = (resident() - before) / 1e6
    for names, whole, each in ((HOURLY, "hour", "hourly"), (DAILY, "day", "daily")):
        spent = ms(lambda names=names: speak(names)) / 1000         # type: ignore[misc]
        found[whole], found[each] = spent, spent * 1e6 / (many * len(names))
    before = resident()
    board = Board(plan)
    found["board"] = max(0.1, (resident() - before) / 1e6)
    del board
    return found


def write_configs(folder: Path, many: int) -> None:
    """The shipped configs with so many shops in place of the few, and the pack's own topics."""
    copytree(find_configs(None), folder)
    sheet = folder / "packs" / "platform-economy" / "sites.csv"
    head, *rows = sheet.read_text("utf-8").splitlines()
    topics = [row for row in rows if row.startswith("topic-")]
    made = (f"shop-{n:06},网店{n},Shop {n},市市场监管局,{COUNTIES[n % 9]},platform-{'abc'[n % 3]},,{TRADES[n % 5]},"
            f"{' '.join((*HOURLY, *DAILY))}," for n in range(many))
    sheet.write_text("\n".join([head, *made, *topics]) + "\n", "utf-8")
