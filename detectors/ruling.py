"""One rule at one place: its members' lines over event time in, the rule's own events out."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from heapq import nsmallest
from typing import Any, NamedTuple

from detectors.event import Change, alert_id, event_id
from detectors.holding import FIRST, Held
from detectors.members import History
from detectors.pack import Rule
from detectors.plain import change_of, plain
from detectors.timeline import Timeline
from detectors.tree import Key, Leaf, State, Tree

__all__ = ["Key", "Ruling", "Turn"]

KEPT = 64
LISTED = 100
"""So many members are named by a rule that only counts them and does not cover them."""
COARSE = 10
"""A storm says its members anew when they are one in so many more or fewer."""


class Turn(NamedTuple):
    """At `time` the rule came to hold, changed its level or its members, or ended (level 0)."""

    time: int
    start: int                      # the first rise that counts
    onset: int                      # since when it holds
    members: tuple[str, ...]        # what makes it hold
    number: float                   # how many (which score) make it hold, or were left when it ended
    suspect: bool                   # without doubtful readings it would not hold
    level: int = 0
    due: int | None = None          # when what is upstream is expected here


class Ruling:
    """A rule applied to one place. Emitted changes are compared with what the members now say (design 9.15)."""

    def __init__(self, rule: Rule, place: str, members: list[dict[Key, int]], histories: dict[Key, History],
                 quiet: dict[str, list[tuple[int, bool]]], rank: int = 0) -> None:
        self.rule, self.place, self.rank = rule, place, rank
        self.area, self.site = ("", place) if rule.by_site else (place, "")
        self.name = f"{rule.path}@{place}"
        self.tree = Tree(rule.term, members, rule.unknown, rule.quorum)
        self.members = self.tree.leaves_of.keys()
        self.line = Timeline(self.tree, lambda key: histories[key].line() if key in histories else
                             quiet.get(key[1], ()) if not key[0] else ())
        self.history = History()                # what it said, for rules over it
        self.emitted: list[tuple[Change, Turn]] = []
        self.seqs: dict[str, int] = {}          # alert -> its last sequence number
        self.floor: int | None = None           # event time that is settled: a plan change
        self.deep: int | None = None            # event time that is settled: what is no longer kept of a member
        self.judged = False                     # nothing has moved yet
        self.known = False                      # nothing has been heard yet
        self.away = set(self.tree.names)        # members that are not fresh
        self.apart = {leaf: set(leaf.names) for leaf in self.tree.leaves} if len(self.tree.leaves) > 1 else {}
        self.spoken = 0                         # changes of kind fresh so far

    @property
    def holds(self) -> bool:
        """Whether it holds after all that was said."""
        return bool(self.emitted and self.emitted[-1][1].level)

    def hear(self, name: str, away: bool) -> None:
        """A member is silent now, or is not."""
        for names in (self.away, *(names for leaf, names in self.apart.items() if name in leaf.names)):
            (names.add if away else names.discard)(name)

    def judge(self, moved: dict[Key, int], floors: Iterable[int | None], cause: Change) -> list[Change]:
        """The events that `cause` makes, revises or withdraws. `moved`: members, and since when (µs) they are otherwise."""
        self.deep = max((f for f in (self.deep, *floors) if f is not None), default=None)
        floor = max((f for f in (self.floor, self.deep) if f is not None), default=None)
        new = not (self.judged or self.emitted or floor is not None)        # it may have come into the plan just now
        since, self.judged = FIRST if new else min(moved.values()), True
        settled = next((i + 1 for i in range(len(self.emitted) - 1, -1, -1) if self.emitted[i][1].time < since or (
            floor is not None and self.emitted[i][1].time <= floor)), 0)
        last = self.emitted[settled - 1][1] if settled else None
        turns: list[Turn] = []
        for time, state in self.line.walk(moved, since, floor, self._settled):
            if time < since or (floor is not None and time <= floor):
                continue
            turn = self._turn(state, time, last)
            if turn is not None:
                turns.append(turn)
                last = turn
        return self._compare(settled, turns, cause)

    def _settled(self, held: Held) -> Held:
        """What was announced up to the floor stands, whatever is still known of it."""
        floor = max((f for f in (self.floor, self.deep) if f is not None), default=None)
        turns = [turn for _, turn in self.emitted if floor is not None and turn.time <= floor]
        if not turns:
            return Held(chain=held.chain) if len(self.emitted) < KEPT else held
        last = turns[-1]
        return held._replace(truth=last.level > 0, since=last.onset, start=last.start, value=last.number)

    def _turn(self, state: State, time: int, last: Turn | None) -> Turn | None:
        """The rule's turn at `time`, if it has one, the tree standing as it was then."""
        held, kind = state[0], self.tree.root.kind
        holding = last is not None and last.level > 0
        if held.truth is None and holding:
            return None                         # what is unknown ends nothing
        level = self._level(held.value) if held.truth else 0
        if level == 0 and not holding:
            return None
        onset, start = (last.onset, last.start) if holding and last else (time, held.start)
        if level == 0:
            return Turn(time, start, onset, (), held.value, False)
        same = last is not None and last.level == level
        if same and last and not kind.follows:
            return None
        if same and last and hasattr(kind, "coarse") and abs(held.value - last.number) * COARSE < last.number:
            return None
        names = self._names(state)
        if same and last and names == last.members:
            return None
        suspect = self._level(held.firm) < level if self.rule.levels else not held.good
        return Turn(time, start, onset, names, held.value, suspect, level, held.due)

    def _level(self, value: float) -> int:
        """What the rule says of a number."""
        if not self.rule.levels:
            return self.rule.level
        return max((level for level, at in self.rule.levels if value >= at), default=0)

    def _names(self, state: State) -> tuple[str, ...]:
        names = self.tree.root.shown(state)
        if not self.tree.root.kind.follows and not self.rule.covers and len(names) > LISTED:
            return tuple(nsmallest(LISTED, names))
        return tuple(sorted(names))

    def _compare(self, settled: int, turns: list[Turn], cause: Change) -> list[Change]:
        """Emitted against said, in order: revise while the levels agree, withdraw the rest, then say what is new."""
        old, out = self.emitted[settled:], []
        same = 0
        while same < min(len(old), len(turns)) and old[same][1].level == turns[same].level:
            same += 1
        for place, turn in enumerate(turns[:same]):
            change, was = old[place]
            if turn != was:
                change = self._change(turn, cause, change)
                out.append(change)
            self.emitted[settled + place] = (change, turn)
        for change, _ in reversed(old[same:]):
            out.append(replace(change, withdrawn=True, revision=change.revision + 1, arrived=cause.arrived, sent=cause.sent))
        del self.emitted[settled + same:]
        for turn in turns[same:]:
            change = self._change(turn, cause, None)
            self.emitted.append((change, turn))
            out.append(change)
        del self.emitted[:-KEPT]
        return out

    def _change(self, turn: Turn, cause: Change, was: Change | None) -> Change:
        rule = self.rule
        before = self.emitted[-1][0] if self.emitted else None
        if was is not None:
            alert, seq, revision, start = was.alert, was.seq, was.revision + 1, was.before
        else:
            goes_on = before is not None and before.to > 0
            alert = before.alert if goes_on and before else alert_id(rule.path, self.place, turn.onset)
            seq, revision, start = self.seqs.get(alert, 0) + 1, 0, before.to if before else 0
            self.seqs[alert] = seq
            for stale in list(self.seqs)[:-KEPT]:
                del self.seqs[stale]
        left = None if turn.due is None else max(0.0, (turn.due - turn.time) / 1e6)
        return Change(
            id=event_id(alert, seq), alert=alert, seq=seq, revision=revision, time=turn.time, arrived=cause.arrived,
            pack=rule.pack, site=self.site, area=self.area, rule=rule.path, before=start, to=turn.level, direction="high",
            confidence="suspect" if turn.suspect else "good", value=float(turn.number), score=float(turn.number),
            limit=self._limit(turn.level), since=turn.onset, onset=turn.onset, members=turn.members, covers=rule.covers,
            forecast=None if left is None else (left, left, left), group=rule.path, scope=rule.scope, plan=cause.plan,
            partition=cause.partition, offset=cause.offset, sent=cause.sent)

    def _limit(self, level: int) -> float:
        """What the number had to reach: that of the level, or of the lowest that there is."""
        if not self.rule.levels:
            return float(self.tree.root.kind.bound(self.tree.root.size))
        return next((at for of, at in self.rule.levels if of == level), self.rule.levels[0][1])

    def freshness(self, time: int, arrived: int) -> list[Change]:
        """A change of kind `fresh` when the rule becomes unknown (stale) or known again (fresh)."""
        known = self.holds or self._decided(time)
        if known == self.known:
            return []
        self.known = known
        self.spoken += 1
        alert, level = alert_id(f"{self.rule.path}/fresh", self.place, time), self.emitted[-1][1].level if self.holds else 0
        share = 1 - len(self.away) / max(1, len(self.tree.names))
        return [Change(kind="fresh", id=event_id(alert, self.spoken), time=time, arrived=arrived, pack=self.rule.pack,
                       site=self.site, area=self.area, rule=self.rule.path, fresh="fresh" if known else "stale", value=share,
                       score=share, limit=self.rule.quorum, since=time, members=() if known else tuple(sorted(self.away)),
                       before=level, to=level, group=self.rule.path, scope=self.rule.scope)]

    def _decided(self, time: int) -> bool:
        """Whether those that are silent now leave the answer open."""
        if self.line.stale:
            self.judge_nothing()
        return self.tree.root.step(self.line.state, time, self._away)[0].truth is not None

    def judge_nothing(self) -> None:
        """Work out how it stands from what is kept, without a word."""
        floor = max((f for f in (self.floor, self.deep) if f is not None), default=None)
        for _ in self.line.walk((), 0, floor, self._settled):
            pass

    def _away(self, leaf: Leaf) -> set[str]:
        return self.apart[leaf] if self.apart else self.away

    def retired(self, now: int) -> list[Change]:
        """The rule has left the plan: what is open is closed by a person, never by the plan (design section 3)."""
        if not self.holds:
            return []
        last = self.emitted[-1][0]
        seq = self.seqs.get(last.alert, last.seq) + 1
        return [replace(last, kind="retired", id=event_id(last.alert, seq), seq=seq, revision=0, arrived=now, before=last.to)]

    def dump(self) -> list[Any]:
        """Plain lists. The fifth was once who is up; that is worked out again."""
        return [[[plain(change), list(turn)] for change, turn in self.emitted], self.seqs, self.floor, self.known, [],
                self.spoken, self.history.dump(), self.deep]

    def load(self, body: list[Any]) -> None:
        """The way back, also from the form of six parts, of rules that knew one level and no rule above them."""
        self.emitted = [(change := change_of(c), Turn(t[0], t[1], t[2], tuple(t[3]), t[4], t[5], change.to, *t[7:]))
                        for c, t in body[0]]
        self.seqs, self.floor, self.known, self.spoken = dict(body[1]), body[2], body[3], body[5]
        self.history = History.of(body[6]) if len(body) > 6 else History()
        self.deep = body[7] if len(body) > 7 else None
        if len(body) <= 6:
            for change, _ in self.emitted:
                self.history.add(change)
        self.line.stale = True
