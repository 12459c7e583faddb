"""A CSV (or JSON) file once, or a folder that is watched: a file is taken when its size has stood still.

A file is taken whole and only then remembered (`{data}/feeds/NAME.taken`), so a kill in between costs duplicates,
which judge ignores, never readings. Files whose name begins with a dot or ends with `.part` or `.tmp` are left alone.
"""
from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from streams import clock
from streams.errors import WanglouError
from streams.feeds.buffer import Full
from streams.feeds.decoders import decode
from streams.feeds.intake import Intake, Receipt
from streams.feeds.rules import Rules

log = logging.getLogger(__name__)
Stamp = tuple[int, int]
"""Size and time of change (ns) of a file."""


def load(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is `.gz`. WanglouError if it cannot be read."""
    try:
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as error:
        raise WanglouError(f"{path} cannot be read: {error}") from None


async def take(path: Path, intake: Intake, rules: Rules, decoder: str) -> Receipt:
    """Send one file; while neither Kafka nor the disk takes more, wait and send it again."""
    body = await asyncio.to_thread(load, path)
    while True:
        now = clock.now()
        intake.sources.heard(rules.source.id, now)
        try:
            return await intake.push(decode(decoder, body, rules, now), rules.source.id, decoder)
        except Full as full:
            log.warning("%s waits: %s", path, full)
            await asyncio.sleep(1)


@dataclass
class Folder:
    """Which files of a folder are ready. Pure but for `look`: a file is ready when two looks saw the same size and time."""

    path: Path
    memory: Path
    taken: dict[str, Stamp] = field(default_factory=dict)
    seen: dict[str, Stamp] = field(default_factory=dict)

    def recall(self) -> None:
        """What an earlier process took."""
        if self.memory.exists():
            self.taken = {name: (stamp[0], stamp[1]) for name, stamp in json.loads(self.memory.read_text()).items()}

    def remember(self, name: str, stamp: Stamp) -> None:
        """A file is done."""
        self.taken[name] = stamp
        fresh = self.memory.with_suffix(".new")
        fresh.write_text(json.dumps(self.taken))
        fresh.replace(self.memory)

    def look(self) -> list[tuple[str, Stamp]]:
        """Files that stand still and were not taken as they are now, by name."""
        now = {f.name: (s.st_size, s.st_mtime_ns) for f in self.path.iterdir()
               if f.is_file() and not f.name.startswith(".") and f.suffix not in (".part", ".tmp") and (s := f.stat())}
        ready = [(name, stamp) for name, stamp in sorted(now.items())
                 if self.seen.get(name) == stamp and self.taken.get(name) != stamp]
        self.seen = now
        self.taken = {name: stamp for name, stamp in self.taken.items() if name in now}
        return ready


async def watch(folder: Folder, intake: Intake, rules: Callable[[], Rules], decoder: str, every: float = 1.0) -> None:
    """Take what comes into a folder, for ever; `rules` are asked for each file, as the plan may change."""
    while True:
        for name, stamp in await asyncio.to_thread(folder.look):
            try:
                receipt = await take(folder.path / name, intake, rules(), decoder)
            except WanglouError as error:
                log.error("%s", error)
                continue
            log.info("%s: %d accepted, %d refused (%s)", name, receipt.accepted, len(receipt.rejected), receipt.where)
            await asyncio.to_thread(folder.remember, name, stamp)
        await asyncio.sleep(every)
