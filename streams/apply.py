"""A configs folder becomes the plan in force: checked, tested, kept in SQL, written to the log. May be run again."""
from __future__ import annotations

from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

from detectors.pack import City
from streams.errors import WanglouError
from streams.generations import Generations
from streams.packs import load_city
from streams.plans import Plans, city_of, plan_bytes
from streams.plantexts import PlanTexts, texts_of
from streams.settings import Settings
from streams.sql import engine
from streams.topics import announce_plan
from streams.warming import warm


@dataclass(frozen=True)
class Applied:
    """What was done."""

    hash: str
    packs: tuple[str, ...]
    tests: int
    records: int
    changed: bool           # whether it is another plan than the one put last
    warmed: int = 0         # rows from history, of kinds that begin anew with it


def apply(settings: Settings, folder: Path, tests: bool = True, by: str = "") -> Applied:
    """Check, test, keep, announce. ConfigError or WanglouError leave everything as it was."""
    city = load_city(folder)
    ran = run_pack_tests(city, folder) if tests else 0
    database = engine(settings.state_url)
    plans, generations = Plans(database), Generations(database)
    settings = generations.current(settings)
    if under_way := generations.unopened():
        raise WanglouError(f"nothing was applied: the topics are growing to {under_way.partitions} partitions; "
                           f"`wanglou topics grow --partitions {under_way.partitions}` finishes that")
    before = plans.newest()
    name = keep(plans, city, by)
    PlanTexts(database).put(name, texts_of(folder, (p.id for p in city.packs)))
    records = announce_plan(settings, name)
    warmed = warm(settings, city_of(before[1]) if before else None, city)
    return Applied(name, tuple(p.id for p in city.packs), ran, records, before is None or before[0] != name, warmed)


def keep(plans: Plans, city: City, by: str = "") -> str:
    """The plan's bytes into SQL; its hash."""
    return plans.put(plan_bytes(city), by or getuser())


def run_pack_tests(city: City, folder: Path) -> int:
    """Each pack's tests.yaml, by the same judge; how many ran. WanglouError when one fails."""
    from streams.packs.tests import run_tests

    reports = [run_tests(city, pack.id, folder / "packs" / pack.id / "tests.yaml") for pack in city.packs]
    failed = [report.pack for report in reports if not report.passed]
    if failed:
        raise WanglouError(f"nothing was applied: the tests of {', '.join(failed)} fail; `wanglou test {failed[0]}` says why")
    return sum(len(report.results) for report in reports)
