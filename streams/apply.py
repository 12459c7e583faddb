"""A configs folder becomes the plan in force: checked, tested, kept in SQL, written to the log. May be run again."""
from __future__ import annotations

from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path

from detectors.pack import City
from streams.errors import UsageError, WanglouError
from streams.gates import weigh
from streams.packs import load_city
from streams.plans import Plans, city_of, plan_bytes
from streams.plantexts import PlanTexts, texts_of
from streams.settings import Settings
from streams.skill import Skill
from streams.sql import engine
from streams.topics import announce_plan
from streams.warming import warm
from streams.worker.generations import Generations

LEAST = 5
"""Characters of a reason."""


@dataclass(frozen=True)
class Applied:
    """What was done."""

    hash: str
    packs: tuple[str, ...]
    tests: int
    records: int
    changed: bool           # whether it is another plan than the one put last
    warmed: int = 0         # rows from history, of kinds that begin anew with it
    missed: tuple[str, ...] = ()                            # gates that were missed and waived
    unproved: dict[str, str] = field(default_factory=dict)  # detector -> why nobody can say how good it is (未验证)


def apply(settings: Settings, folder: Path, tests: bool = True, by: str = "", waive: str = "") -> Applied:
    """Check, test, measure, keep, announce. ConfigError or WanglouError leave everything as it was.

    A gate that is missed on the stored history refuses the plan, unless `waive` says why not; that is kept with the plan.
    """
    if waive and len(waive.strip()) < LEAST:
        raise UsageError(f"--without-gate {waive!r}: give a reason of {LEAST} characters or more")
    city = load_city(folder)
    ran = run_pack_tests(city, folder) if tests else 0
    database = engine(settings.state_url)
    plans, generations = Plans(database), Generations(database)
    settings = generations.current(settings)
    if under_way := generations.unopened():
        raise WanglouError(f"nothing was applied: the topics are growing to {under_way.partitions} partitions; "
                           f"`wanglou topics grow --partitions {under_way.partitions}` finishes that")
    before, skill = plans.newest(), Skill(database)
    verdict = weigh(settings, city, folder, skill)
    if verdict.missed and not waive:
        raise WanglouError("\n".join(["nothing was applied: a gate is missed on the stored history", *verdict.missed,
                                      "--without-gate REASON puts it into force all the same, and is recorded"]))
    name = keep(plans, city, by)
    skill.put(city, name, verdict.rows, "history")
    if verdict.missed:
        skill.waive(name, by or getuser(), waive.strip(), list(verdict.missed))
    PlanTexts(database).put(name, texts_of(folder, (p.id for p in city.packs)))
    records = announce_plan(settings, name)
    warmed = warm(settings, city_of(before[1]) if before else None, city)
    return Applied(name, tuple(p.id for p in city.packs), ran, records, before is None or before[0] != name, warmed,
                   verdict.missed, verdict.unproved)


def keep(plans: Plans, city: City, by: str = "") -> str:
    """The plan's bytes into SQL; its hash."""
    return plans.put(plan_bytes(city), by or getuser())


def run_pack_tests(city: City, folder: Path) -> int:
    """Each pack's tests.yaml, by the same judge; how many ran. WanglouError when one fails."""
    from streams.replay.packtests import run_tests

    reports = [run_tests(city, pack.id, folder / "packs" / pack.id / "tests.yaml") for pack in city.packs]
    failed = [report.pack for report in reports if not report.passed]
    if failed:
        raise WanglouError(f"nothing was applied: the tests of {', '.join(failed)} fail; `wanglou test {failed[0]}` says why")
    return sum(len(report.results) for report in reports)
