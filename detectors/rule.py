"""How levels are combined: a rule and its condition, as a pack has them."""
from __future__ import annotations

from dataclasses import dataclass, field

from detectors.text import Text


@dataclass(frozen=True)
class Report:
    """Leads 线索 instead of alerts: a worklist. `budget` a day and group (0 = no end); the rest is only counted."""

    budget: int = 0
    tree: str = ""                  # leads are grouped by the area of this tree; "" = all together
    depth: str = ""                 # at this depth; "" = the area that the site itself names


@dataclass(frozen=True)
class Term:
    """A condition: a file of rules/ over the members that some detectors and rules have at a place (`of`), or over `parts`."""

    kind: str
    of: tuple[str, ...] = ()        # paths of detectors and rules
    at: int = 1                     # members count when their level is at least this
    params: dict[str, float | tuple[float, ...]] = field(default_factory=dict)
    parts: tuple[Term, ...] = ()
    within: float = float("inf")    # seconds of event time in which what must hold has come to hold
    weight: float = 1.0             # as a part of an index

    def walk(self) -> tuple[Term, ...]:
        """The condition itself and all inside it."""
        return (self, *(term for part in self.parts for term in part.walk()))


@dataclass(frozen=True)
class Rule:
    """An entry that combines levels: `kind` is a file of rules/, applied once for each area of `tree` at `depth`.

    `when` is its condition; without one it is `kind` with `params` over `of` at `at`, within `within`.
    """

    id: str
    pack: str
    kind: str                       # at_least
    of: tuple[str, ...]             # detector paths
    at: int                         # members count when their level is at least this
    params: dict[str, float] = field(default_factory=dict)    # at_least: {"n": 3}
    level: int = 3                  # what the rule says when it holds
    tree: str = ""                  # "" = once for the whole city
    depth: str = ""
    within: float = float("inf")    # seconds of event time in which the members must have risen
    unknown: str = "quorum"         # worst, ignore or quorum
    quorum: float = 0.7             # fewer fresh members than this: the rule is unknown
    covers: bool = False
    scope: str = "real"
    was: str = ""
    title: Text = Text("")
    why: Text = Text("")
    source: str = ""
    line: int = 0
    when: Term | None = None
    levels: tuple[tuple[int, float], ...] = ()      # (level, from which number on), lowest first: a rule of several levels
    by_site: bool = False           # once for each site
    report: Report | None = None
    more: tuple[tuple[str, str], ...] = ()          # (tree, depth) of further areas

    @property
    def path(self) -> str:
        """`pack/id`."""
        return f"{self.pack}/{self.id}"

    @property
    def term(self) -> Term:
        """The condition."""
        return self.when or Term(self.kind, self.of, self.at, dict(self.params), within=self.within)

    @property
    def named(self) -> tuple[str, ...]:
        """Every detector and rule that the condition names."""
        return tuple(dict.fromkeys(path for term in self.term.walk() for path in term.of))
