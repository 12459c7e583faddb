"""What people wrote in config, checked and resolved: every number in SI seconds or the indicator's own unit.

`streams.packs` makes these from YAML and CSV; `plan.py` turns them into arrays. A `Num` is one number for
all sites or a number a site (from columns of sites.csv); NaN or a missing site switches it off there.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from detectors.calendar import Active, Calendar
from detectors.level import Level
from detectors.outward import Hazard, Outward, Unit, Wording
from detectors.rule import Report, Rule, Term
from detectors.text import Text

__all__ = ["Hazard", "Outward", "Report", "Rule", "Term", "Text", "Unit", "Wording"]    # said elsewhere, a pack's words

SELF = "self"
"""The pack whose one station proves the chain by itself: it is no part of the city and counts nowhere."""
Num = float | dict[str, float]
Value = float | tuple[float, ...] | dict[str, float | tuple[float, ...]]
"""A parameter: a number, a fixed row of numbers, or either of them by site."""


@dataclass(frozen=True)
class Site:
    """Where or who: a row of sites.csv. `areas` is tree -> area id."""

    id: str
    title: Text
    lat: float | None = None
    lon: float | None = None
    agency: str = ""
    areas: dict[str, str] = field(default_factory=dict)
    downstream: str = ""            # the next site that its water (smoke, traffic) comes to
    travel: float = 0.0             # seconds until it is there


@dataclass(frozen=True)
class Area:
    """A node of one tree of areas.csv. `depth` counts from 0 at the root and has a name (`reach`, `county`)."""

    tree: str
    id: str
    title: Text
    parent: str = ""
    depth: str = ""
    downstream: str = ""            # the next area of its tree that its water comes to
    travel: float = 0.0             # seconds until it is there


@dataclass(frozen=True)
class Use:
    """One algorithm (a file of checks/, derive/, kinds/) with the parameters it was given.

    `beside`: indicators of the same site that it looks at while it steps (`with:` in a pack).
    """

    kind: str
    params: dict[str, Value] = field(default_factory=dict)
    beside: tuple[str, ...] = ()


@dataclass(frozen=True)
class Derive:
    """How a derived indicator is made. `inputs` are indicator ids of the same site, in the operator's order.

    With `guests` it is made of its one input at other sites: by site, those whose readings come to it as guests (design 9.10).
    With `tree` these are the sites of areas: by `tree:area`, and judged in `combine` (sums.py).
    """

    use: Use
    inputs: tuple[str, ...]
    coverage: float = 1.0           # share of inputs (or of expected readings in a window) that must be there
    grace: float = 0.0              # seconds to wait for the other inputs of one t
    guests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tree: str = ""

    def sources(self, site: str) -> tuple[str, ...]:
        """The series that it is made of at a site."""
        sites = self.guests.get(site, ()) if self.guests else (site,)
        return tuple(f"{name}@{where}" for where in sites for name in self.inputs)


@dataclass(frozen=True)
class Indicator:
    """What is measured. `every`, `silent`, `lateness` in seconds (silent inf = never)."""

    id: str
    pack: str
    title: Text
    unit: str
    sites: tuple[str, ...]
    every: float = 300.0
    silent: float = float("inf")
    lateness: float = 0.0
    oldest: float = 400 * 86400.0   # older than this on arrival is flagged, not judged; inf = off
    period: str = ""                # "month" for published figures: t is the first moment of the period
    due: float = 0.0                # seconds after the period's end by which the figure is expected
    merge: bool = False             # January is published with February
    rejudge: int = 0                # periods kept so that a revised figure is judged again
    complete: tuple[float, ...] = ()            # share of a count that is known after 0, 1, 2 … periods; later all of it
    decimals: int = 2
    checks: tuple[Use, ...] = ()
    derive: Derive | None = None
    keep: dict[str, float] = field(default_factory=dict)      # "raw" or a bucket -> seconds of retention
    wall: bool = False


@dataclass(frozen=True)
class Limit:
    """One of the four levels of a detector, on one side. `clear` is an absolute value (default = `at`)."""

    level: int                      # 1 blue .. 4 red
    at: Num
    above: bool = True
    clear: Num | None = None
    hold: float = 0.0               # seconds it must last before it is announced
    keep: float = 0.0               # seconds it must be clear before it ends


@dataclass(frozen=True)
class Fitting:
    """How a kind is fitted: `shape` is the group of sites that share a shape, by site (empty = each has its own)."""

    season: str = ""
    shape: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Detector:
    """An entry that applies a kind to an indicator, so to all its sites (or those named in `sites`)."""

    id: str
    pack: str
    indicator: str
    use: Use
    limits: tuple[Limit, ...]
    title: Text = Text("")
    cap: int = 2                    # a doubtful reading raises at most this level
    scope: str = "real"
    separate: bool = False          # opts out of one 预警单 per indicator and site
    was: str = ""                   # its id before a rename
    why: Text = Text("")
    source: str = ""
    sites: tuple[str, ...] = ()
    line: int = 0                   # of pack.yaml, shown as evidence
    active: Active | None = None    # outside it neither rises nor clears; None = always
    fit: Fitting | None = None      # what its kind is fitted with from history; None = nothing was asked for
    report: Report | None = None    # a worklist instead of alerts

    @property
    def path(self) -> str:
        """`pack/id`, the name that ids, labels and people use."""
        return f"{self.pack}/{self.id}"

    @property
    def root(self) -> str:
        """The path that alert ids are made of: that before a rename, so an open alert keeps its id."""
        return f"{self.pack}/{self.was or self.id}"

    @property
    def group(self) -> str:
        """What one 预警单 is opened for, at one site: the indicator, or this detector alone if `separate`."""
        return f"{self.pack}/{self.id if self.separate else self.indicator}"


@dataclass(frozen=True)
class Pack:
    """One domain."""

    id: str
    title: Text
    indicators: tuple[Indicator, ...] = ()      # measured and derived
    detectors: tuple[Detector, ...] = ()
    rules: tuple[Rule, ...] = ()
    gates: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One rung of a ladder: a post is told over channels at once and must give `receipt` within `within` seconds."""

    post: str
    channels: tuple[str, ...]
    within: float
    receipt: str = "answered"


@dataclass(frozen=True)
class Ladder:
    """叫应: who must answer, how, within how long, and who is next."""

    id: str
    title: Text
    steps: tuple[Step, ...]
    repeat: int = 1


@dataclass(frozen=True)
class Route:
    """Which ladder an alert climbs: the first row whose every given field matches."""

    ladder: str
    packs: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()
    areas: tuple[str, ...] = ()
    agencies: tuple[str, ...] = ()
    days: tuple[int, ...] = ()                      # weekdays, 0 = Monday, of the city's time
    hours: tuple[tuple[int, int], ...] = ()         # minutes of the day, from-to; to <= from runs over midnight
    office: bool | None = None                      # True: only in office hours, False: only outside of them


@dataclass(frozen=True)
class Post:
    """A post (never a person): its words and its address in each channel."""

    id: str
    title: Text
    agency: str = ""
    addresses: dict[str, str] = field(default_factory=dict)   # channel -> address


@dataclass(frozen=True)
class FeedSource:
    """Where readings come from: `transport` is a file of feeds/transports, `decoder` one of feeds/decoders."""

    id: str
    transport: str = "http"
    decoder: str = "json"
    silent: float = 90.0
    options: dict[str, str] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)     # indicator -> factor applied at the feed (units)
    token: str = ""                 # name of the environment variable that holds the push token


@dataclass(frozen=True)
class Fold:
    """Storm folding: a post gets at most `more` messages over a channel in `within` seconds while nothing is red."""

    more: int = 3
    within: float = 30.0


@dataclass(frozen=True)
class Duty:
    """How the city keeps watch (`city/duty.yaml`). Spans in seconds, hours as minutes of the local day.

    `idle`: level -> after so long without news an answered warning comes up again. `handed`: time to take what is handed over.
    `office`: when people are at their desks: weekdays (0 = Monday), and spans of the day. `signs`: posts whose shift changes
    only when both have signed. `cover`: posts that must be manned without a hole; a hole nearer than `gap` is an alert.
    """

    idle: dict[str, float] = field(default_factory=dict)        # by `Level.word`, for a plan's keys are text
    handed: float = 600.0
    office_days: tuple[int, ...] = (0, 1, 2, 3, 4)
    office_hours: tuple[tuple[int, int], ...] = ((510, 720), (810, 1050))
    signs: tuple[str, ...] = ()
    cover: tuple[str, ...] = ()
    gap: float = 43_200.0

    def idle_of(self, level: int) -> float:
        """Seconds for a level; blue's below blue."""
        return self.idle.get(Level(max(level, 1)).word, IDLE[max(level, 1)])


IDLE = {4: 1800.0, 3: 3600.0, 2: 14_400.0, 1: 86_400.0}
"""30 minutes, 1, 4 and 24 hours."""


@dataclass(frozen=True)
class City:
    """All of a configs folder: what one plan hash stands for."""

    packs: tuple[Pack, ...]
    sites: dict[str, Site] = field(default_factory=dict)
    areas: tuple[Area, ...] = ()
    ladders: tuple[Ladder, ...] = ()
    routes: tuple[Route, ...] = ()
    posts: tuple[Post, ...] = ()
    feeds: tuple[FeedSource, ...] = ()
    grammar: int = 1
    channels: dict[str, dict[str, str]] = field(default_factory=dict)     # channel -> its options; of secrets only the names
    fold: Fold = field(default_factory=Fold)
    duty: Duty = field(default_factory=Duty)
    outward: Outward = field(default_factory=Outward)
    calendar: Calendar = field(default_factory=Calendar)
