"""A rule's condition at one place: who is up in each part of it now, and whether it holds."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from detectors.holding import FIRST, Held, Seen
from detectors.members import NORMAL, Standing
from detectors.pack import Term
from detectors.registry import load

Key = tuple[str, str]
"""A member: (path of a detector or rule, its name: `indicator@site` of a series, `path@place` of a rule)."""
State = tuple[Held, tuple[Any, ...]]
"""A condition and the parts of it, at one moment."""


class Leaf:
    """The members of one selection. One name judged by two detectors is one member."""

    def __init__(self, at: int, keys: Iterable[Key], travel: Mapping[str, int]) -> None:
        self.at, self.travel = at, travel
        self.names = frozenset(name for _, name in keys)
        self.clear()

    def clear(self) -> None:
        """All normal, none heard of."""
        self.held: dict[str, dict[str, Standing]] = {}      # name -> path -> standing, above normal
        self.up: dict[str, tuple[int, bool]] = {}
        self.tops, self.firm = [0] * 5, [0] * 5
        self.quiet = set(self.names)                        # by the line of events: who is not fresh

    def put(self, path: str, name: str, standing: Standing) -> None:
        """A member is now so."""
        paths = self.held.setdefault(name, {})
        self._count(paths, -1)
        if standing.level:
            paths[path] = standing
        else:
            paths.pop(path, None)
        self._count(paths, 1)
        rises = [(s.rises[self.at - 1], s.doubts[self.at - 1]) for s in paths.values() if s.level >= self.at]
        if rises:
            self.up[name] = min(rise for rise, _ in rises), all(doubt for _, doubt in rises)
        else:
            self.up.pop(name, None)
        if not paths:
            del self.held[name]

    def _count(self, paths: dict[str, Standing], by: int) -> None:
        if paths:
            self.tops[max(s.level for s in paths.values())] += by
            self.firm[max(s.firm for s in paths.values())] += by

    def domains(self, name: str) -> set[str]:
        """The packs in which a member is up."""
        return {path.partition("/")[0] for path, s in self.held.get(name, {}).items() if s.level >= self.at}


class Node:
    """One condition of the tree. `members` are those of its place; `denied`: it stands under an odd number of nots."""

    def __init__(self, term: Term, leaves: Iterator[Leaf], unknown: str, quorum: float, denied: bool = False) -> None:
        self.kind: Any = load("rules")[term.kind](**term.params)
        self.within, self.denied, self.weight = term.within * 1e6, denied, term.weight
        inner = denied != (term.kind == "not")
        self.leaf = next(leaves) if term.of else None
        self.parts = [Node(part, leaves, unknown, quorum, inner) for part in term.parts]
        self.weights = tuple(part.weight for part in self.parts)
        self.policy = (unknown, quorum) if self.leaf is not None or hasattr(self.kind, "measure") else ("worst", 0.0)
        self.start: State = Held(), tuple(part.start for part in self.parts)

    def step(self, was: State, time: int, away: Callable[[Leaf], set[str]] | None = None) -> State:
        """The condition at `time`. `away`: who is silent now; without it those under a not, by the line of events."""
        leaf = self.leaf
        states: tuple[State, ...] = ()
        if leaf is not None:
            silent = away(leaf) if away else leaf.quiet if self.denied else ()
            seen = Seen(leaf.up, len(leaf.names), len(silent) - _both(silent, leaf.up), *self.policy, leaf.tops, leaf.firm,
                        leaf.travel, leaf.domains)
        else:
            states = tuple(node.step(old, time, away) for node, old in zip(self.parts, was[1], strict=True))
            parts = tuple(state[0] for state in states)
            up = {str(i): (part.since, not part.good) for i, part in enumerate(parts) if part.truth}
            tops = [0] * 5
            for part in parts:
                tops[part.level if part.truth else 0] += 1
            seen = Seen(up, len(parts), sum(part.truth is None for part in parts), *self.policy, tops, tops, parts=parts,
                        weights=self.weights)
        held: Held = self.kind.step(was[0], seen, time, self.within)
        return held, states

    def shown(self, state: State) -> set[str]:
        """The members that make it hold."""
        held = state[0]
        if not held.truth or not self.kind.shows:
            return set()
        start = FIRST if hasattr(self.kind, "measure") or self.kind.follows is False else held.start
        if self.leaf is not None:
            return {name for name, (rise, _) in self.leaf.up.items() if rise >= start}
        out: set[str] = set()
        for node, part in zip(self.parts, state[1], strict=True):
            if part[0].truth:
                out |= node.shown(part)
        return out

    @property
    def size(self) -> int:
        """Of how many it is made."""
        return len(self.leaf.names) if self.leaf is not None else len(self.parts)


def _both(some: Iterable[str], up: Mapping[str, Any]) -> int:
    """How many are in both: by the smaller."""
    if not isinstance(some, set) or not some or not up:
        return 0
    return sum(name in up for name in some) if len(some) < len(up) else sum(name in some for name in up)


class Tree:
    """The whole of it, and which leaves a member counts in. `members`: of each leaf, key -> travel."""

    def __init__(self, term: Term, members: list[dict[Key, int]], unknown: str, quorum: float) -> None:
        leaves = [Leaf(one.at, keys, {name: far for (_, name), far in keys.items() if far})
                  for one, keys in zip([t for t in term.walk() if t.of], members, strict=True)]
        self.root = Node(term, iter(leaves), unknown, quorum)
        self.leaves = leaves
        self.leaves_of: dict[Key, tuple[Leaf, ...]] = {}
        for leaf, keys in zip(leaves, members, strict=True):
            alone = (leaf,)
            for key in keys:
                before = self.leaves_of.get(key)
                self.leaves_of[key] = alone if before is None else (*before, leaf)
        self.names = leaves[0].names if len(leaves) == 1 else frozenset(name for leaf in leaves for name in leaf.names)
        self.denied = [node.leaf for node in nodes(self.root) if node.denied and node.leaf is not None]
        self.heard = frozenset(name for leaf in self.denied for name in leaf.names)
        """Names whose silence is a part of the line of events."""
        self.now: dict[Key, Any] = {}

    def clear(self) -> None:
        """All normal, none heard of."""
        self.now = {}
        for leaf in self.leaves:
            leaf.clear()

    def get(self, key: Key) -> Any:
        """How a member stands now; of ("", name) whether it is heard."""
        return self.now.get(key, NORMAL if key[0] else False)

    def put(self, key: Key, to: Any) -> None:
        """A member moves."""
        if to == (NORMAL if key[0] else False):
            self.now.pop(key, None)
        else:
            self.now[key] = to
        if key[0]:
            for leaf in self.leaves_of[key]:
                leaf.put(*key, to)
            return
        for leaf in self.denied:
            if key[1] in leaf.names:
                (leaf.quiet.discard if to else leaf.quiet.add)(key[1])


def nodes(root: Node) -> Iterator[Node]:
    """The conditions of a tree, from the root down."""
    yield root
    for part in root.parts:
        yield from nodes(part)
