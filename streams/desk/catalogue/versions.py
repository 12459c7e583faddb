"""Plans in force and before, from the state database: read only, and absent without harm."""
from __future__ import annotations

from difflib import unified_diff
from functools import cached_property
from typing import Any

import msgspec
import yaml
from sqlalchemy.exc import SQLAlchemyError

from detectors.pack import City, Pack
from streams.desk.catalogue.differences import Difference, differences
from streams.plans import Plans, city_of
from streams.plantexts import PlanTexts, Version
from streams.skill import Proof, Skill
from streams.sql import engine

MOST = 20
"""So many versions are shown."""
SOME = 8
"""So many sites of a number that differs from site to site."""


class Versions:
    """What was in force when. `fault` says why nothing comes, when nothing comes."""

    def __init__(self, url: str = "") -> None:
        self.url, self.fault = url, ""
        self._pair: tuple[tuple[str, str], list[Difference]] = (("", ""), [])

    @cached_property
    def _tables(self) -> tuple[Plans, PlanTexts, Skill]:
        made = engine(self.url)
        return Plans(made), PlanTexts(made), Skill(made)

    def newest(self) -> list[Version]:
        """The plans, the newest first; none where the database is away."""
        return self._ask(lambda _, texts, __: texts.versions(MOST)) or []

    def texts(self, pack: str, names: list[str]) -> dict[str, str]:
        """By plan the pack.yaml of one pack as it was written."""
        return self._ask(lambda _, texts, __: texts.of(pack, names)) or {}

    def resolved(self, pack: str, name: str) -> str:
        """One pack of a plan as it was worked out; "" where there is none."""
        data = self._ask(lambda plans, _, __: plans.get(name))
        return resolved(pack, city_of(data)) if data else ""

    def differences(self, old: str, new: str) -> list[Difference] | None:
        """What differs between two plans, entry by entry; None where one of them is not there. The last pair is kept: a plan of
        many sites takes a second to read.
        """
        if old == new:
            return []
        if (old, new) != self._pair[0]:
            both = [self._ask(lambda plans, _, __, name=name: plans.get(name)) for name in (old, new)]
            if not all(both):
                return None
            self._pair = (old, new), differences(city_of(both[0]), city_of(both[1]))
        return self._pair[1]

    def in_force(self, at: int) -> str:
        """The plan that had been put last by then (µs UTC), as far as is known; "" = none."""
        return next((x.hash for x in self.newest() if x.at <= at), "")

    def diff(self, pack: str, old: str, new: str) -> list[str]:
        """The lines that changed: of what was written, or of what was worked out where the writing does not say it."""
        written = self.texts(pack, [old, new])
        if len(written) == 2 and written[old] != written[new]:
            return changed(written[old], written[new])
        return changed(self.resolved(pack, old), self.resolved(pack, new))

    def proofs(self, city: City) -> dict[str, list[Proof]]:
        """By detector the newest stored backtest of it as it stands in this plan; one that is not there is unproved."""
        found: dict[str, list[Proof]] = self._ask(lambda _, __, skill: skill.proofs(city)) or {}
        return found

    def _ask(self, what: Any) -> Any:
        if not self.url:
            return None
        try:
            found = what(*self._tables)
        except SQLAlchemyError as error:
            self.fault = str(getattr(error, "orig", error))
            return None
        self.fault = ""
        return found


def changed(old: str, new: str) -> list[str]:
    """A unified diff without its head."""
    return list(unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=2))[2:]


def resolved(pack: str, city: City) -> str:
    """What a plan holds of one pack, as YAML; numbers by site are cut after a few."""
    found = next((p for p in city.packs if p.id == pack), None)
    return yaml.safe_dump(_short(msgspec.to_builtins(_plain(found))), sort_keys=False, allow_unicode=True) if found else ""


def _plain(pack: Pack) -> dict[str, Any]:
    return {"title": pack.title, "indicators": pack.indicators, "detectors": pack.detectors, "rules": pack.rules}


def _short(value: Any) -> Any:
    """Without what says nothing, and without long lists."""
    if isinstance(value, dict):
        kept = {k: _short(v) for k, v in list(value.items())[:max(SOME, 30)] if v not in (None, "", [], {}, False)}
        return kept | ({"…": len(value)} if len(value) > 30 else {})
    if isinstance(value, list | tuple):
        return [_short(v) for v in value[:200]] + ([f"… {len(value)}"] if len(value) > 200 else [])
    return value
