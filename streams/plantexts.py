"""The packs as they were written, beside the plans made of them: for people who ask what is in force, and since when."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Column, Engine, MetaData, String, Table, Text, delete, insert, select

from streams.plans import plan
from streams.sql import create

tables = MetaData()
plan_text = Table("plan_text", tables, Column("hash", String(16), primary_key=True), Column("pack", String, primary_key=True),
                  Column("text", Text, nullable=False))


@dataclass(frozen=True)
class Version:
    """One plan that was put into force: by whom, when it was last (µs UTC)."""

    hash: str
    by: str
    at: int


class PlanTexts:
    """The table `plan_text` of state.db."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        create(engine, tables)

    def put(self, name: str, texts: Mapping[str, str]) -> None:
        """Keep what the packs of a plan say; put again it is the newest writing of the same plan."""
        with self.engine.begin() as connection:
            connection.execute(delete(plan_text).where(plan_text.c.hash == name))
            if texts:
                connection.execute(insert(plan_text), [{"hash": name, "pack": p, "text": text} for p, text in texts.items()])

    def of(self, pack: str, names: Iterable[str]) -> dict[str, str]:
        """By plan the pack.yaml of one pack, for those plans that have it."""
        query = select(plan_text.c.hash, plan_text.c.text).where(plan_text.c.pack == pack, plan_text.c.hash.in_(list(names)))
        with self.engine.connect() as connection:
            return {name: text for name, text in connection.execute(query)}

    def versions(self, most: int) -> list[Version]:
        """The plans that were put, the newest first."""
        query = select(plan.c.hash, plan.c.by, plan.c.at).order_by(plan.c.at.desc()).limit(most)
        with self.engine.connect() as connection:
            return [Version(*row) for row in connection.execute(query)]


def texts_of(folder: Path, packs: Iterable[str]) -> dict[str, str]:
    """pack.yaml of each pack of a configs folder."""
    files = {pack: folder / "packs" / pack / "pack.yaml" for pack in packs}
    return {pack: path.read_text("utf-8-sig") for pack, path in files.items() if path.is_file()}
