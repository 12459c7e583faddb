"""Storm folding: many calls to one post over one channel become few messages, none is lost. Pure; time is an argument (µs UTC).

In a window (30 s) a post gets at most `more` (3) messages over a channel while nothing is red. The last of them waits for the
window's end and takes all that came; until it is known whether more come, the others go at once and alone. A call is held for
no longer than the window, nor for more than a quarter of the time it has for an answer. Red is never held: it goes at once,
alone while there is room, else at the head of all that wait.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from streams.desk.words import say

RED = 4
MICRO = 1_000_000
NAMED = 3
"""So many are named, the worst first."""


@dataclass(frozen=True, slots=True)
class Due:
    """A call that has not left yet. `held` = it already waits for the end of a window, until `at`."""

    key: str
    level: int
    created: int
    until: int
    at: int
    held: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A message that went out at `at` for `count` calls."""

    at: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Gathered:
    """`now`: messages to send at once, each the keys of its calls, the worst first. `held`: key -> when it goes at the latest."""

    now: tuple[tuple[str, ...], ...]
    held: dict[str, int]


def gather(waiting: Sequence[Due], told: Sequence[Told], now: int, more: int = 3, window: float = 30.0) -> Gathered:
    """What to do with the calls that wait for one post on one channel, given what it was told lately."""
    span = round(window * MICRO)
    recent = [t for t in told if t.at > now - span]
    queue = sorted(waiting, key=lambda d: (-d.level, d.created, d.key))
    room = max(more - 1 - len(recent), 0 if recent else 1)      # but for the window's last message
    ripe = any(d.held and d.at <= now for d in queue)           # the window of some is over: they share one message
    if len(queue) <= room and not ripe:
        return Gathered(tuple((d.key,) for d in queue), {})
    alone = [d for d in queue if d.level >= RED][:room]
    rest = queue[len(alone):]
    room -= len(alone)
    storm = sum(t.count for t in recent) + len(queue) > more
    if ripe or any(d.level >= RED for d in rest) or (storm and room):
        return Gathered((*((d.key,) for d in alone), *([tuple(d.key for d in rest)] if rest else [])), {})
    alone += rest[:room]
    end = min([t.at for t in recent] or [now]) + span
    held = {d.key: d.at if d.held else min(end, max(now, d.created + (d.until - d.created) // 4)) for d in rest[room:]}
    return Gathered(tuple((d.key,) for d in alone), held)


def folded(calls: Sequence[tuple[int, str]], until: str, exercise: bool, lang: str = "zh") -> str:
    """The text of a message for many calls: `(level, subject)` each, the worst first. Counts by level, names the worst three.

    >>> folded([(4, "兰溪站 水位"), (2, "三河站 水位"), (2, "佛堂 雨量"), (2, "后宅 雨量")], "02:20:00", True)
    '[演练] 【望楼】4 条预警：红 1、黄 3；最重：红 兰溪站 水位；黄 三河站 水位；黄 佛堂 雨量 等，02:20:00 前应答'
    """
    counts = Counter(level for level, _ in calls)
    joint = say("msg.joint", lang)
    by_level = joint.join(f"{say(f'level.{n}', lang)} {counts[n]}" for n in sorted(counts, reverse=True))
    worst = say("msg.between", lang).join(f"{say(f'level.{n}', lang)} {subject}" for n, subject in calls[:NAMED])
    rest = say("msg.others", lang) if len(calls) > NAMED else ""
    text = say("msg.folded", lang, n=len(calls), levels=by_level, worst=worst, others=rest, until=until)
    return (say("msg.exercise", lang) if exercise else "") + text
