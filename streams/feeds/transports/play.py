"""A scenario or a history, played at a speed: its readings, its sources and its clock go into the log.

Judges of such a log run with `--ticks log`: the only clock they see is the one written here, into every partition.
A step is half a second of wall time (`--speed max`: a two-thousandth of the story). In a step first the source says that
it lives up to the step's end, then come the readings with the times at which they arrived, then the tick: so a wide step
never looks like a dead feed. The same file at the same speed gives the same records, but for `sent`.
"""
from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from detectors.reading import Source, Tick
from streams import clock
from streams.errors import Unavailable, UsageError
from streams.feeds.buffer import Full
from streams.feeds.intake import Intake
from streams.feeds.sources import EVERY
from streams.feeds.story import Step, Story

log = logging.getLogger(__name__)
AHEAD = 256
"""Records that may be under way at once."""


def width(story: Story, speed: float | None) -> int:
    """The step in µs of scenario time; `speed` None = as fast as it goes."""
    if speed is None:
        return max(1_000_000, (story.end - story.start) // 2000 // 1_000_000 * 1_000_000)
    return max(1000, round(speed * 500_000))


def speed_of(text: str) -> float | None:
    """`--speed`: a factor, or `max` (None)."""
    try:
        speed = None if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if speed is not None and not 0 < speed < 1e9:
        raise UsageError(f"--speed {text}: a number above 0, or max")
    return speed


class Player:
    """Plays one story. `done` counts the steps that are safe; `memory` (with --resume) keeps that count over a kill."""

    def __init__(self, story: Story, intake: Intake, source: str, speed: float | None, memory: Path | None = None,
                 step: int = 0) -> None:
        self.story, self.intake, self.source, self.speed = story, intake, source, speed
        self.width = step or width(story, speed)    # µs of scenario time
        self.memory = memory
        self.done = 0
        self._under_way: deque[tuple[int, Step, list[asyncio.Future[str]]]] = deque()

    async def run(self, say: Callable[[str], object] = lambda text: None) -> int:
        """Play to the end; the number of readings sent."""
        for one in self.story.refused:
            await self._room(lambda one=one: [self.intake.refuse(one, self.source, "csv")])  # type: ignore[misc]
        self.done = self._recall()
        if self.done:
            say(f"going on after step {self.done}")
        loop = asyncio.get_running_loop()
        began, first, count = loop.time(), self.story.start + self.done * self.width, 0
        for number, step in enumerate(islice(self._steps(), self.done, None), self.done + 1):
            if self.speed is not None:
                await asyncio.sleep(max(0.0, began + (step.at - first) / 1e6 / self.speed - loop.time()))
            await self._step(number, step)
            count += len(step.readings)
        await self._settle(0)
        if self.memory:
            self.memory.unlink(missing_ok=True)
        return count

    def _steps(self) -> Iterator[Step]:
        return self.story.steps(self.width)

    async def _step(self, number: int, step: Step) -> None:
        """Write one step, in this order: source, readings, tick."""
        kept: list[asyncio.Future[str]] = []
        spoken = max(1, EVERY // self.width)
        if (number - 1) % spoken == 0:
            word = Source(self.source, True, step.at, step.at)
            kept += await self._room(lambda: self.intake.say([word]))
        heard = clock.now()
        self.intake.sources.heard(self.source, heard)
        self.intake.gauge_sources(heard)
        for reading in step.readings:
            self.intake.blocker.add(reading, self.source, step.at)
        kept += await self._room(self.intake.flush)
        kept += await self._room(lambda: self.intake.say([Tick(step.at)]))
        self._under_way.append((number, step, kept))
        await self._settle(AHEAD)

    async def _room(self, put: Callable[[], list[asyncio.Future[str]]]) -> list[asyncio.Future[str]]:
        """Put, when there is room: a story can wait."""
        while self.intake.outlet.full:
            await asyncio.sleep(0.2)
        return put()

    async def _settle(self, most: int) -> None:
        """Wait until at most `most` records are under way; count the steps that are safe, and remember how far that is."""
        while self._under_way:
            number, step, kept = self._under_way[0]
            if not all(future.done() for future in kept):
                if sum(len(k) for _, _, k in self._under_way) <= most:
                    return
                await asyncio.wait(kept)
            for future in kept:
                try:
                    future.result()
                except Full as full:
                    raise Unavailable(f"step {number} could not be kept: {full}") from full
            self._under_way.popleft()
            for pack, n in Counter(r.pack for r in step.readings).items():
                self.intake.metrics.readings.labels(pack, self.intake.names.feed).inc(n)
            self.done = number
            self._remember()

    def _key(self) -> str:
        digest = blake2b(repr((self.story.start, self.width, self.source)).encode(), digest_size=8)
        for r in self.story.readings:
            digest.update(f"{r.series} {r.t} {r.x!r} {r.arrived}\n".encode())
        return digest.hexdigest()

    def _recall(self) -> int:
        if self.memory is None:
            return 0
        self._name = self._key()
        try:
            kept = json.loads(self.memory.read_text())
        except (OSError, ValueError):
            return 0
        return int(kept["step"]) if kept.get("story") == self._name else 0

    def _remember(self) -> None:
        if self.memory is not None:
            fresh = self.memory.with_suffix(".new")
            fresh.write_text(json.dumps({"story": self._name, "step": self.done}))
            fresh.replace(self.memory)
