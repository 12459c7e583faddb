"""A change of what is known of a series, with its evidence."""
from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a detector, a rule or silence changed. Times are int64 µs UTC; levels are ints 0..4; absent = None or "".

    `kind`: `level` (a detector's or rule's level moved, was revised or withdrawn), `fresh` (a series fell silent
    or spoke again; `time` is when contact was last had plus `silent`), `error` (a detector of one series was
    quarantined), `sensor` (a sensor needs a look: `fresh` error or stale; fresh again when
    it does not), `feed` (a source is down or back), `retired` (an open
    alert whose detector left the plan). A `level` change cannot be made without value, score, limit and since.
    """

    kind: str = "level"
    id: str = ""                    # alert + sequence; never holds a plan hash, an offset or a partition
    alert: str = ""                 # hash(detector path, series, announced onset)
    seq: int = 0
    revision: int = 0
    withdrawn: bool = False
    time: int                       # event time of the change
    arrived: int                    # when its evidence arrived (scenario clock in a played history)
    pack: str = ""
    site: str = ""
    area: str = ""                  # set by rules over areas: `tree:area`
    indicator: str = ""
    detector: str = ""              # `pack/id`
    rule: str = ""                  # `pack/id`
    before: int = 0                 # level; `from` in files
    to: int = 0
    direction: str = ""             # high, low
    confidence: str = "good"        # good, suspect
    fresh: str = "fresh"            # fresh, stale, never, warming, error
    cap: int | None = None          # the level that a doubtful reading was capped at
    check: str = ""                 # the check that flagged the deciding reading
    value: float | None = None
    score: float | None = None
    limit: float | None = None
    since: int | None = None        # since when at or beyond this limit
    onset: int | None = None        # since when above normal
    forecast: tuple[float, float, float] | None = None    # seconds left until the limit: median, low, high (80 %)
    members: tuple[str, ...] = ()   # rules: the series that hold (`indicator@site`)
    covers: bool = False            # rules: one message, members keep their own records
    group: str = ""                 # what one 预警单 is opened for: `pack/indicator` or `pack/rule`
    scope: str = "real"
    source: str = ""                # kind feed: the source
    plan: str = ""
    partition: int = -1             # evidence only
    offset: int = -1                # evidence only
    sent: int = 0                   # wall clock µs of the feed, for latency only
    report: str = ""                # "": calls people; lead: a line of a worklist; rest: past the budget of its day, counted only

    def __post_init__(self) -> None:
        if self.kind == "level" and not self.withdrawn and None in (self.value, self.score, self.limit, self.since):
            raise ValueError(f"{self.detector or self.rule}: a level change needs value, score, limit and since")


def alert_id(path: str, series: str, onset: int) -> str:
    """The id of an alert: of what says so, about which series, since when it was announced."""
    return blake2b(f"{path}|{series}|{onset}".encode(), digest_size=8).hexdigest()


def event_id(alert: str, seq: int) -> str:
    """The id of the `seq`-th change of an alert."""
    return f"{alert}-{seq}"
