"""One rule over one area: its members' lines over event time in, the rule's own events out."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from detectors.event import Change, alert_id, event_id
from detectors.members import Crossing, History
from detectors.pack import Rule
from detectors.plain import change_of, plain

KEPT = 64
Key = tuple[str, str]
"""A member: (detector path, series)."""


class Turn(NamedTuple):
    """At `time` the rule came to hold, changed its members, or ended (`members` empty = it does not hold)."""

    time: int
    start: int                      # the first rise that counts
    onset: int                      # since when it holds
    members: tuple[str, ...]        # series that hold
    number: int                     # how many hold, or still held when it ended
    suspect: bool                   # without doubtful readings it would not hold


class Ruling:
    """A rule applied to one area. Emitted changes are compared with what the members now say (design 9.15)."""

    def __init__(self, rule: Rule, kind: Any, area: str, members: Iterable[Key]) -> None:
        self.rule, self.kind, self.area = rule, kind, area
        self.members = frozenset(members)
        self.series = frozenset(series for _, series in self.members)
        self.emitted: list[tuple[Change, Turn]] = []
        self.seqs: dict[str, int] = {}          # alert -> its last sequence number
        self.floor: int | None = None           # event time that is settled: a plan change
        self.known = False                      # nothing has been heard yet
        self.away = set(self.series)            # series that are not fresh
        self.up: frozenset[str] = frozenset()   # series at the level now
        self.spoken = 0                         # changes of kind fresh so far

    @property
    def holds(self) -> bool:
        """Whether it holds after all that was said."""
        return bool(self.emitted and self.emitted[-1][1].members)

    def judge(self, histories: dict[Key, History], cause: Change, since: int) -> list[Change]:
        """The events that `cause` makes, revises or withdraws; nothing before `since` (µs, event time) has moved."""
        found = {key: histories[key] for key in self.members if key in histories}
        floors = [h.floor for h in found.values() if h.floor is not None]
        floors += [self.floor] if self.floor is not None else []
        kept = [i for i, (_, turn) in enumerate(self.emitted)
                if turn.time < since or (floors and turn.time <= max(floors))]
        settled = kept[-1] + 1 if kept else 0
        start = max([*floors, self.emitted[settled - 1][1].time] if settled else floors, default=None)
        return self._compare(settled, self._turns(found, start, settled), cause)

    def _turns(self, histories: dict[Key, History], start: int | None, settled: int) -> list[Turn]:
        """What the members say after `start`, given the `settled` events."""
        last = self.emitted[settled - 1][1] if settled else None
        up: dict[Key, Crossing] = {}
        moves: list[tuple[int, Key, Crossing]] = []
        for key, history in histories.items():
            for crossing in history.crossings(self.rule.at):
                if start is None or crossing.time > start:
                    moves.append((crossing.time, key, crossing))
                elif crossing.up:
                    up[key] = crossing
                else:
                    up.pop(key, None)
        moves.sort(key=lambda move: move[:2])
        out: list[Turn] = []
        for i, (time, key, crossing) in enumerate(moves):
            if crossing.up:
                up[key] = crossing
            else:
                up.pop(key, None)
            if i + 1 < len(moves) and moves[i + 1][0] == time:
                continue                        # all that moves at one moment moves together
            turn = self._turn(up, time, last)
            if turn is not None:
                out.append(turn)
                last = turn
        self.up = frozenset(series for _, series in up)
        return out

    def _turn(self, up: dict[Key, Crossing], time: int, last: Turn | None) -> Turn | None:
        """The rule's turn at `time`, if it has one, with these members up."""
        first: dict[str, int] = {}              # one series judged by two detectors is one member
        for (_, series), crossing in up.items():
            first[series] = min(crossing.time, first.get(series, crossing.time))
        holds = last is not None and bool(last.members)
        start = last.start if last and holds else self.kind.begins(first.values(), self.rule.within * 1e6)
        if start is None:
            return None
        names = tuple(sorted(series for series, rise in first.items() if rise >= start))
        onset = last.onset if last and holds else time
        if holds and not self.kind.lasts(len(names)):
            return Turn(time, start, onset, (), len(names), False)
        if last and names == last.members:
            return None
        good = {series for (_, series), crossing in up.items() if not crossing.suspect}
        return Turn(time, start, onset, names, len(names), not self.kind.lasts(len(good.intersection(names))))

    def _compare(self, settled: int, turns: list[Turn], cause: Change) -> list[Change]:
        """Emitted against said, in order: revise while the levels agree, withdraw the rest, then say what is new."""
        old, out = self.emitted[settled:], []
        same = 0
        while same < min(len(old), len(turns)) and bool(old[same][1].members) == bool(turns[same].members):
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
        rule, holds = self.rule, bool(turn.members)
        before = self.emitted[-1][0] if self.emitted else None
        if was is not None:
            alert, seq, revision, start = was.alert, was.seq, was.revision + 1, was.before
        else:
            goes_on = before is not None and before.to > 0
            alert = before.alert if goes_on and before else alert_id(rule.path, self.area, turn.onset)
            seq, revision, start = self.seqs.get(alert, 0) + 1, 0, before.to if before else 0
            self.seqs[alert] = seq
            for stale in list(self.seqs)[:-KEPT]:
                del self.seqs[stale]
        return Change(
            id=event_id(alert, seq), alert=alert, seq=seq, revision=revision, time=turn.time, arrived=cause.arrived,
            pack=rule.pack, area=self.area, rule=rule.path, before=start, to=rule.level if holds else 0, direction="high",
            confidence="suspect" if turn.suspect else "good", value=float(turn.number), score=float(turn.number),
            limit=float(self.kind.n), since=turn.onset, onset=turn.onset, members=turn.members, covers=rule.covers,
            group=rule.path, scope=rule.scope, plan=cause.plan, partition=cause.partition, offset=cause.offset, sent=cause.sent)

    def freshness(self, time: int, arrived: int) -> list[Change]:
        """A change of kind `fresh` when the rule becomes unknown (stale) or known again (fresh)."""
        away = self.away
        silent = len(away) - sum(series in away for series in self.up)
        known = self.holds or self.kind.known(len(self.up), silent, len(self.series), self.rule.unknown, self.rule.quorum)
        if known == self.known:
            return []
        self.known = known
        self.spoken += 1
        alert, level = alert_id(f"{self.rule.path}/fresh", self.area, time), self.rule.level if self.holds else 0
        share = 1 - len(away) / max(1, len(self.series))
        return [Change(kind="fresh", id=event_id(alert, self.spoken), time=time, arrived=arrived, pack=self.rule.pack,
                       area=self.area, rule=self.rule.path, fresh="fresh" if known else "stale", value=share, score=share,
                       limit=self.rule.quorum, since=time, members=() if known else tuple(sorted(away)),
                       before=level, to=level, group=self.rule.path, scope=self.rule.scope)]

    def retired(self, now: int) -> list[Change]:
        """The rule has left the plan: what is open is closed by a person, never by the plan (design section 3)."""
        if not self.holds:
            return []
        last = self.emitted[-1][0]
        seq = self.seqs.get(last.alert, last.seq) + 1
        return [replace(last, kind="retired", id=event_id(last.alert, seq), seq=seq, revision=0, arrived=now, before=last.to)]

    def dump(self) -> list[Any]:
        """Plain lists."""
        return [[[plain(change), list(turn)] for change, turn in self.emitted], self.seqs, self.floor, self.known,
                sorted(self.up), self.spoken]

    def load(self, body: list[Any]) -> None:
        """The way back."""
        self.emitted = [(change_of(c), Turn(t[0], t[1], t[2], tuple(t[3]), t[4], t[5])) for c, t in body[0]]
        self.seqs, self.floor, self.known = dict(body[1]), body[2], body[3]
        self.up, self.spoken = frozenset(body[4]), body[5]
