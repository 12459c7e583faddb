"""The keys of pack.yaml and tests.yaml, declared once for the loader, `configs/schema.json` and `configs/README.md`.

A key's `takes` says what may stand there, alternatives apart by ` | `: a word of `schema.TYPES` (duration, quantity, text …),
`[words]` literally, `{block}` a mapping of this grammar, `list T`, `full T` (not empty), `some T` (one or a list), `map T`
(names to T), or a definition that the schema makes of the registry (check, derive, detector, condition).
"""
from __future__ import annotations

from dataclasses import dataclass

from detectors.calendar import CLASSES
from detectors.level import LEVELS, Confidence, Direction, Fresh, Scope
from streams.desk.calling.ladder import RECEIPTS


@dataclass(frozen=True)
class Key:
    """One key: what it takes, what for. `must`: it cannot be left out; `shared`: the defaults block may say it for all."""

    name: str
    takes: str
    doc: str
    must: bool = False
    shared: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """The words that may stand there literally."""
        inside = self.takes.partition("[")[2].partition("]")[0]
        return tuple(inside.split())


@dataclass(frozen=True)
class Block:
    """A mapping with the keys it may have."""

    doc: str
    keys: tuple[Key, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What the loader allows."""
        return tuple(key.name for key in self.keys)

    @property
    def shared(self) -> tuple[str, ...]:
        """What a defaults block may say."""
        return tuple(key.name for key in self.keys if key.shared)

    def words(self, name: str) -> tuple[str, ...]:
        """The words of one key."""
        return next(key.words for key in self.keys if key.name == name)


def block(doc: str, *keys: tuple[str, str, str]) -> Block:
    """`!` after a name: it must be given; `*`: defaults may say it."""
    return Block(doc, tuple(Key(name.rstrip("!*"), takes, words, "!" in name, "*" in name) for name, takes, words in keys))


def words(names: object) -> str:
    """Words that stand literally."""
    return f"[{' '.join(names)}]"  # type: ignore[arg-type]


COLOURS = tuple(word for word, level in LEVELS.items() if level)
SCOPES, NAMES = words(Scope), "some text"

PACK = block(
    "`pack.yaml`: what one domain measures, derives and judges.",
    ("wanglou!", "[1]", "version of this grammar"),
    ("pack!", "id", "the pack's id, as the folder is called; letters, digits, `_ - .`"),
    ("title", "title", "what people call it"),
    ("use", "list text", "indicators that other packs own: `air/pm25`"),
    ("defaults", "{defaults}", "what holds for every entry that does not say it itself"),
    ("indicators", "map {indicator}", "what is measured; an id has letters, digits and `_` (expressions name it)"),
    ("derive", "map derive", "indicators made of others, see Derive below"),
    ("detectors", "list detector", "what looks at an indicator, see Kinds below"),
    ("rules", "list rule", "what combines levels, see Rules below"),
    ("skill", "map {gate}", "by detector: what a backtest must reach before it goes live"))
DEFAULTS = block(
    "`defaults:`, by sort of entry.",
    ("indicator", "{indicator}", "for all indicators"), ("detector", "{detector.shared}", "for all detectors"),
    ("level", "{level.shared}", "for all levels of detectors"), ("rule", "{rule.shared}", "for all rules"))
INDICATOR = block(
    "`indicators:`, one measured quantity; one of `derive:` may have a title, unit and checks here.",
    ("title*", "title", "what people call it"),
    ("unit*", "unit", 'of every reading, must be known: `m`, `m3/s`, `mm`, `µg/m3`, `℃`, `%`, `亿元`; "" is a plain number'),
    ("every*", "duration", "time between two readings; 300 s when not given"),
    ("silent*", "duration | [never]", "no reading for so long: 失联"),
    ("lateness*", "duration", "readings so late are still put into their place, and judged anew"),
    ("oldest*", "duration | [never]", "older ones are refused"),
    ("period*", "[month]", "figures of a calendar month; `every` is then not needed"),
    ("due*", "duration", "so long after the month's end it is published; later is overdue"),
    ("merge*", "merge", "January is published with February"),
    ("complete*", "list share", "share of a count known 0, 1, 2 … periods after its time; it only rises"),
    ("revisions*", "text | {revisions}", "`rejudge`, `rejudge 12` (periods) or `ignore` what is revised"),
    ("decimals*", "count", "digits after the point, for people"),
    ("wall*", "flag", "shown on the wall, with its own metrics; at most 300 series in all"),
    ("keep*", "keep", "how long history stays: `{raw: 90d, 1h: 10y}`"),
    ("checks*", "list check", "is the reading itself to be believed? See Checks below"))
REVISIONS = block("`revisions:` spelt out.", ("rejudge", "count", "so many periods back"))
DERIVED = block(
    "Beside the operator of a `derive:` entry and its parameters.",
    ("coverage", "share", "so much of the expected readings must be there; 1 when not given"),
    ("grace", "duration", "wait so long for inputs of the same moment"))
GUEST = block(
    "Operators that take the readings of other sites have one of these.",
    ("at", words(("upstream", "downstream", "nearest")), "the site that `downstream` of sites.csv, or the distance, says"),
    ("area", "{area}", "all other sites of the same area"))
SUMMED = block(
    "`sum`, `mean`, `max`, `min` and `count` with `area`: over all sites of each area, a series of the area, with no parameters.",
    ("area!", "{area}", "one series for each area of this depth, called `tree:area`"),
    ("coverage", "share", "share of the area's sites that must be there; 0.8"))
AREA = block("An area tree of areas.csv.", ("tree!", "text", "which tree"), ("depth!", "text", "which depth of it"))
DETECTOR = block(
    "`detectors:`, one kind looking at one indicator. The kind's own parameters stand beside these keys.",
    ("id!", "id", "its name inside the pack"),
    ("indicator!", "text", "what it looks at: of this pack, or of `use:`"),
    ("kind!", "kind", "how, see Kinds below"),
    ("levels", "levels", "where each level begins, on the kind's score"),
    ("reach", "reach", "of a kind that forecasts, instead of levels: the value that will be reached"),
    ("title", "title", "what people call it"), ("why", "title", "why it speaks, for those who are called"),
    ("source*", "text", "the standard or paper that the limits are from; `guess` where they are none"),
    ("sites", "some text", "only these; all sites of the indicator when not given"),
    ("cap*", words(LEVELS), "highest level of a doubtful reading; yellow when not given"),
    ("scope*", SCOPES, "`shadow` is on trial: recorded, nobody is called"),
    ("separate*", "flag", "its own alert, not one with others of the same indicator and site"),
    ("was", "text", "its id before, so that open alerts stay the same"),
    ("active", "{active}", "when it judges at all"),
    ("fit", "{fit}", "of a kind that is fitted from history: which sites share a shape"),
    ("report", "[alert lead] | {report}", "`lead` 线索: a worklist, nobody is called"),
    ("budget", "count", "leads a day and group; the rest is only counted"))
LEVEL = block(
    "A level: a number in the score's unit, or an expression over columns of sites.csv; an empty cell switches it off there.",
    ("above", "quantity", "it begins above (or at) this"), ("below", "quantity", "or below this"),
    ("clear", "quantity", "it ends back over this; at the limit itself when not given"),
    ("clear_above", "quantity", "the same of `above`, where both sides are given"),
    ("clear_below", "quantity", "the same of `below`"),
    ("hold*", "duration", "it begins after so long over the limit"), ("keep*", "duration", "it lasts at least so long"))
ACTIVE = block(
    "`active:`: all that is given must hold.",
    ("months", "some months", "1 to 12, or jan to dec"), ("season", "some text", "of calendar.csv"),
    ("days", "some " + words(CLASSES), "class of the day, with make-up days"),
    ("hours", "text", "06:00-22:00; 22:00-06:00 runs over midnight"))
FIT = block(
    "`fit:`, learnt by `wanglou fit`.",
    ("season", "[hour_of_week]", "shape of the week"),
    ("shape", "text", "`all`, `category`, an area tree or a column of sites.csv: these share one shape"),
    ("level", "[site]", "each site at its own level"))
REPORT = block(
    "`report:` spelt out.",
    ("as!", "[alert lead]", "alerts that call somebody, or leads"),
    ("group", "text | {area}", "budget for each area of a tree"), ("top", "count", "leads a day and group"),
    ("per", "[day]", "a day"))
RULE = block(
    "`rules:`, levels of detectors and rules combined.",
    ("id!", "id", "its name inside the pack"),
    ("when!", "condition", "its condition, see Rules below"),
    ("for_each", "[site] | {for_each}", "once for each site or area; once for the city when not given"),
    ("level", words(COLOURS), "what it says when it holds"),
    ("levels", "rule_levels", "or from which number on which level: `{blue: 2, yellow: 4}`"),
    ("within*", "duration", "what must hold has come to hold within so long"),
    ("unknown*", "[quorum worst ignore] | {quorum}", "what silent members mean; quorum 0.7 when not given"),
    ("covers", "[members]", "the alerts of its members are shown under its own"),
    ("title", "title", "what people call it"), ("why", "title", "why it speaks"),
    ("source*", "text", "where it is from; or `guess`"),
    ("scope*", SCOPES, "`shadow` is on trial"), ("was", "text", "its id before"),
    ("report*", "[alert lead] | {report}", "`lead`: a worklist"), ("budget*", "count", "leads a day"))
FOR_EACH = block("`for_each:` of areas.", ("area!", "some {area}", "which areas; several trees in a list"))
QUORUM = block("`unknown:` with a number.", ("quorum!", "share", "fewer reporting members than this: the rule is unknown"))
GATE = block(
    "`skill:` of a detector (`stage`) or of one of its levels (`stage/red`).",
    ("pod", "share", "hits of all episodes, at least"), ("far", "share", "false ones of all alarms, at most"),
    ("csi", "share", "critical success index, at least"), ("lead", "duration", "median lead time, at least"),
    ("alarms_per_day", "number", "at most"))
SELECTION = block(
    "A selection of members: detectors, rules or whole packs, at a level or above.",
    ("detector", NAMES, "ids of this pack, or `pack/id`"), ("rule", NAMES, "the same of rules"),
    ("pack", NAMES, "all detectors of packs"),
    ("level", words(COLOURS), "they count from this level on"))

TESTS = block("`tests.yaml`: what the pack must do, run by `wanglou test` and before every `wanglou apply`.",
              ("tests!", "full {case}", "cases: one is `quiet: true`, and every level of every detector fires somewhere"))
CASE = block(
    "One case: readings, and the changes that must come of them.",
    ("name!", "text", "what must hold"), ("start!", "text", "time of the first reading, ISO 8601 with a zone"),
    ("every", "offset", "time between two values; the indicator's own when not given"),
    ("series!", "map values", "`indicator@site: '26.5+0.1x12 _x3 28.9'`: thirteen values rising by 0.1, three missing, one more"),
    ("until", "text", "a last tick at start + this"),
    ("expect", "list {expect}", "the changes that must come"), ("quiet", "flag", "nothing at all may fire"),
    ("strict", "flag", "nothing but what is listed may change"),
    ("fit", "offset", "what the pack fits is fitted then, from the readings before"))
EXPECT = block(
    "One change that must come.",
    ("at!", "offset", "offset from start, or a time"), ("detector", "text", "who says it"), ("rule", "text", "or which rule"),
    ("site", "text", "where"), ("area", "text", "of a rule"), ("indicator", "text", "of a change of freshness"),
    ("level", words(LEVELS), "the level it comes to; without it the entry is a change of freshness"),
    ("fresh", words(Fresh), "freshness"), ("confidence", words(Confidence), "good or suspect"),
    ("direction", words(Direction), "side"),
    ("ladder", "text", "the ladder that is called; `none`: nobody"), ("calls", "list called", "its first steps"),
    ("message", "text", "text that the first message holds"))
CALL = block(
    "One step of a ladder that must be called.",
    ("post!", "text", "who"), ("after", "duration", "since the first call, if nobody answers"), ("channels", NAMES, "over what"),
    ("within", "duration", "time to answer"), ("receipt", words(RECEIPTS[1:]), "what ends the step"))

BLOCKS = {"pack": PACK, "defaults": DEFAULTS, "indicator": INDICATOR, "revisions": REVISIONS, "derived": DERIVED, "guest": GUEST,
          "summed": SUMMED, "area": AREA, "detector": DETECTOR, "level": LEVEL, "active": ACTIVE, "fit": FIT, "report": REPORT,
          "rule": RULE, "for_each": FOR_EACH, "quorum": QUORUM, "gate": GATE, "selection": SELECTION}
TESTED = {"tests": TESTS, "case": CASE, "expect": EXPECT, "call": CALL}
"""By the name that `{…}` and the definitions of the schema have."""
