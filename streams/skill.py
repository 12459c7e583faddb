"""What backtests have shown, in the state database: the figures by detector, level and version, and gates that were waived.

A figure holds for a detector as it was measured: `fingerprint` covers its kind, limits and sites, its indicator's checks and
period, and what a derived indicator is made of. Titles, sources and lines of the file are left out.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

import msgspec
from sqlalchemy import JSON, BigInteger, Column, Engine, MetaData, String, Table, Text, delete, insert, select
from sqlalchemy.exc import SQLAlchemyError

from detectors.level import LEVELS
from detectors.needs import needs
from detectors.pack import City, Detector
from detectors.pack import Text as Words
from streams import clock
from streams.sql import create, engine

tables = MetaData()
skill = Table("skill", tables,
              Column("detector", String, primary_key=True),           # pack/id
              Column("level", String, primary_key=True),
              Column("version", String(16), primary_key=True),        # plan hash
              Column("pack", String, nullable=False),
              Column("print", String(16), nullable=False),
              Column("at", BigInteger, nullable=False),               # µs UTC
              Column("source", String, nullable=False),               # history, or the names of files
              Column("figures", JSON, nullable=False))                # match.Row
waiver = Table("waiver", tables,
               Column("version", String(16), primary_key=True), Column("at", BigInteger, primary_key=True),
               Column("by", String, nullable=False), Column("reason", Text, nullable=False),
               Column("missed", JSON, nullable=False))


@dataclass(frozen=True)
class Proof:
    """A stored row: when it was measured (µs UTC), in which plan, of what, and the figures by name."""

    detector: str
    level: str
    version: str
    print: str
    at: int
    source: str
    figures: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tells(self) -> bool:
        """Whether it says anything of skill: readings were judged, and an episode is known."""
        return bool(self.figures.get("episodes") and self.figures.get("scored"))


def fingerprint(city: City, detector: Detector) -> str:
    """What the skill of a detector depends on, as 16 hexadecimal digits."""
    seen = {name: replace(one, title=Words(""), keep={}) for name, one in needs(city, [detector]).items()}
    bare = replace(detector, line=0, title=Words(""), why=Words(""), source="")
    data = msgspec.msgpack.encode((bare, [seen[name] for name in sorted(seen)]), order="deterministic")
    return blake2b(data, digest_size=8).hexdigest()


class Skill:
    """The tables `skill` and `waiver` of state.db."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        create(engine, tables)

    def put(self, city: City, version: str, rows: Iterable[Any], source: str) -> int:
        """Keep the rows of a backtest (dataclasses) of that plan; a second time replaces the first. How many."""
        detectors = {d.path: d for pack in city.packs for d in pack.detectors}
        told = [{"detector": row.detector, "level": row.level, "version": version, "pack": row.detector.partition("/")[0],
                 "print": fingerprint(city, detectors[row.detector]), "at": clock.now(), "source": source,
                 "figures": msgspec.to_builtins(row)} for row in rows]
        with self.engine.begin() as connection:
            for row in told:
                connection.execute(delete(skill).where(skill.c.detector == row["detector"], skill.c.level == row["level"],
                                                       skill.c.version == version))
            if told:
                connection.execute(insert(skill), told)
        return len(told)

    def waive(self, version: str, by: str, reason: str, missed: list[str]) -> None:
        """That a plan was put into force although it missed its gates, by whom and why."""
        with self.engine.begin() as connection:
            connection.execute(insert(waiver).values(version=version, at=clock.now(), by=by, reason=reason, missed=missed))

    def waivers(self) -> list[dict[str, Any]]:
        """All of them, the newest first."""
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(waiver).order_by(waiver.c.at.desc())).mappings()]

    def newest(self) -> dict[tuple[str, str], Proof]:
        """By detector and level, the row that was measured last and says anything of skill."""
        return {(proof.detector, proof.level): proof for proof in self._rows()}

    def proofs(self, city: City) -> dict[str, list[Proof]]:
        """By detector the newest rows of it as it stands in this plan, lowest level first; none where it is unproved (未验证).

        Rows of another version (a candidate that was tried later) say nothing of this one.
        """
        stored: dict[str, list[Proof]] = {}
        for proof in self._rows():
            stored.setdefault(proof.detector, []).append(proof)
        found: dict[str, list[Proof]] = {}
        for detector in (d for pack in city.packs for d in pack.detectors if d.path in stored):
            own = fingerprint(city, detector)
            if mine := {p.level: p for p in stored[detector.path] if p.print == own}:
                found[detector.path] = sorted(mine.values(), key=lambda p: LEVELS[p.level])
        return found

    def _rows(self) -> list[Proof]:
        """All that say anything of skill, the oldest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(skill).order_by(skill.c.at)).mappings().all()
        found = [Proof(**{k: v for k, v in row.items() if k != "pack"}) for row in rows]
        return [proof for proof in found if proof.tells]


class Scores:
    """The newest figures for /metrics, one row a detector: of its lowest level that has episodes. Asked at each scrape."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._kept: Skill | None = None

    def shares(self) -> dict[tuple[str, ...], float]:
        """(pack, detector, version, score) -> pod, far or csi."""
        return {(*key, name): float(p.figures[name]) for key, p in self._rows().items() for name in ("pod", "far", "csi")
                if p.figures.get(name) is not None}

    def leads(self) -> dict[tuple[str, ...], float]:
        """(pack, detector, version) -> median lead in seconds."""
        return {key: float(p.figures["lead_median_s"]) for key, p in self._rows().items()
                if p.figures.get("lead_median_s") is not None}

    def _rows(self) -> dict[tuple[str, str, str], Proof]:
        try:
            self._kept = self._kept or Skill(engine(self.url))
            rows = self._kept.newest()
        except SQLAlchemyError:
            return {}                   # absent reads as no data
        best: dict[str, Proof] = {}
        for (path, _), proof in sorted(rows.items(), key=lambda row: LEVELS[row[0][1]]):
            best.setdefault(path, proof)
        return {(path.partition("/")[0], path, proof.version[:8]): proof for path, proof in best.items()}
