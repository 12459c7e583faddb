"""The keys of the YAML files of `city/`, and the columns of all CSV files, in the notation of `grammar.py`."""
from __future__ import annotations

from detectors.level import LEVELS
from streams.desk import channels
from streams.desk.calling.ladder import RECEIPTS
from streams.desk.publish.values import CATEGORIES, METHODS
from streams.packs.grammar import COLOURS, Block, block, words

CHANNELS = words(channels.names())
BY_LEVEL = "{by_level}"

POST = block(
    "`city/posts.yaml`, a list: posts, never persons.",
    ("id!", "id", "ladders name it"), ("title", "title", "what people call it; 带班领导 in it makes it a leader's post"),
    ("agency", "text", "whose"),
    ("addresses", "addresses", "by channel: a number, a URL, or names of secrets `$WANGLOU_SECRET_…`"))
LADDER = block(
    "`city/ladders.yaml`, a list: 叫应, who is called in which order.",
    ("id!", "id", "routes name it"), ("title", "title", "what people call it"),
    ("steps!", "full {step}", "in order; the last one needs an answer of a person"),
    ("repeat", "count", "so many rounds; 1 when not given"))
STEP = block(
    "One step of a ladder.",
    ("post!", "text", "who"), ("channels!", "some " + CHANNELS, "over what, all at once"),
    ("within", "duration", "then the next step; 5 min when not given"),
    ("receipt", words(RECEIPTS[1:]), "what ends it; answered"))
ROUTE = block(
    "`city/routes.yaml`, a list: the first row whose every given field matches says the ladder.",
    ("ladder!", "text", "of ladders.yaml"), ("packs", "some text", "of these packs"),
    ("levels", "some " + words(LEVELS), "at"),
    ("areas", "some text", "in these areas"), ("agencies", "some text", "of these agencies"),
    ("days", "some days", "mon to sun, or mon-fri"), ("hours", "some text", "22:00-06:00"),
    ("office", "flag", "in office hours, or not"))
FEED = block(
    "`city/feeds.yaml`, a list: where readings come from.",
    ("id!", "id", "its name"), ("transport", "transport", "how they come; http when not given"),
    ("decoder", "decoder", "what they are written in; json when not given"),
    ("silent", "duration | [never]", "nothing at all for so long: the source is down"),
    ("options", "map text", "of the transport and decoder"),
    ("scale", "map number", "by indicator: what a value is multiplied with"),
    ("token", "text", "name of the variable with the push token"))
FOLD = block(
    "`fold:` of channels.yaml: calls in a storm become one message.",
    ("more", "count", "from so many messages on"), ("within", "duration", "to one post within this"))
DUTY = block(
    "`city/duty.yaml`: how the city keeps watch.",
    ("idle", BY_LEVEL, "answered and no news for so long: 久未进展"), ("handed", "duration", "to take what is handed over"),
    ("office", "{office}", "when offices are open"),
    ("signs", "some text", "posts whose shift changes only when both have signed"),
    ("cover", "some text", "posts that must be manned without a hole"),
    ("gap", "duration", "a hole that begins so soon is an alert"))
OFFICE = block("Office hours.", ("days", "some days", "mon to sun, or mon-fri"), ("hours", "some text", "08:30-12:00"))
MESSAGE = block(
    "`city/messages.yaml`, a list: texts of one's own; the first row that fits is taken.",
    ("for!", "[call headline description instruction]", "a call to a post, or a part of a public warning"),
    ("zh!", "text", "the text, with `{{ names }}`"), ("en", "text", "the same in English"),
    ("levels", "some " + words(COLOURS), "only at these"), ("packs", "some text", "only of these"),
    ("roles", "some [duty leader]", "only to these"), ("channels", "some " + CHANNELS, "only over these"))
PUBLISH = block(
    "`city/publish.yaml`: public warnings (CAP 1.2 and the national form).",
    ("sender", "text", "name@domain"), ("code", "text", "14 digits of the issuing unit"),
    ("name", "title", "of the issuing unit"),
    ("valid", BY_LEVEL, "how long a warning holds"), ("methods", "some " + words(METHODS), "how it is spread"),
    ("hazards", "list {hazard}", "what packs warn of"), ("geocodes", "map text", "by area: GB/T 2260"),
    ("polygons", "map text", "by area: CAP polygon, lat,lon pairs"))
HAZARD = block(
    "One hazard.",
    ("packs!", "some text", "of which packs"), ("event!", "title", "what people call it"),
    ("category", words(CATEGORIES), "CAP category"),
    ("code", "text", "national classification, 11B03"))
MUTES = block(
    "`city/mutes.yaml`: 屏蔽, how long one may keep quiet.",
    ("longest", BY_LEVEL, "by the worst level it covers; red 1 h at most"), ("windows", "duration", "longest maintenance window"),
    ("ahead", "duration", "a window announces itself so long before"))
UNIT = block(
    "`city/units.yaml`, a list: 派单, who takes work orders.",
    ("id!", "id", "its name"), ("title", "title", "what people call it"), ("url!", "text", "where orders are posted"),
    ("secret!", "text", "`$WANGLOU_SECRET_…`, the key that signs both ways"))
BY_LEVELS = block("A time for each level.", *((word, "duration", f"of {word}") for word in COLOURS))

CITY: dict[str, Block] = {
    "post": POST, "ladder": LADDER, "step": STEP, "route": ROUTE, "feed": FEED, "fold": FOLD, "duty": DUTY, "office": OFFICE,
    "message": MESSAGE, "publish": PUBLISH, "hazard": HAZARD, "mutes": MUTES, "work_unit": UNIT, "by_level": BY_LEVELS}
FILES = {"posts": "list {post}", "ladders": "list {ladder}", "routes": "list {route}", "feeds": "list {feed}",
         "channels": "channels",
         "duty": "{duty}", "messages": "list {message}", "publish": "{publish}", "mutes": "{mutes}", "units": "list {work_unit}"}
"""What each file of `city/` takes."""

SITES = block(
    "`sites.csv` of a pack: where or who, a row each. A column named as a tree of areas.csv is an area; every other one is "
    "numbers that limits and parameters may name. Lines that begin with # are notes.",
    ("site!", "text", "its id, the same in every pack"), ("zh", "text", "Chinese name"), ("en", "text", "English name"),
    ("lat", "number", "degrees"), ("lon", "number", "degrees"), ("agency", "text", "whose it is; routes may ask for it"),
    ("indicators", "text", "ids apart by blanks; empty = all measured ones of the pack"),
    ("datum", "text", "of levels, for people"),
    ("note", "text", "for people"), ("category", "text", "sites alike, which may share a fitted shape"),
    ("downstream", "text", "the site where its water comes to"), ("travel", "duration", "and how long that takes"))
AREAS = block(
    "`city/areas.csv`: trees of areas.",
    ("tree!", "text", "admin, basin …"), ("area!", "text", "its id"), ("zh", "text", "Chinese name"),
    ("en", "text", "English name"),
    ("parent", "text", "the area around it"), ("depth", "text", "county, reach …: rules say for which depth they stand"),
    ("downstream", "text", "the area where its water comes to"), ("travel", "duration", "and how long that takes"))
CALENDAR = block(
    "`city/calendar.csv`: seasons and holidays.",
    ("from!", "text", "04-15 of every year, or 2026-02-15"), ("to!", "text", "the last day, inside"),
    ("class", "[season holiday workday festival]", "season when not given; workday: a weekend worked in exchange"),
    ("name!", "text", "what `active:` names"), ("zh", "text", "Chinese name"), ("note", "text", "for people"))
EPISODES = block(
    "`episodes.csv` beside a pack, for `wanglou backtest`: what really happened.",
    ("site!", "text", "where"), ("level", "text", "the least that should have been said; empty = any"),
    ("start!", "text", "ISO 8601 with a zone"), ("end!", "text", "the same"),
    ("indicator", "text", "only its detectors should have said so; empty = all of the site's"),
    ("outcome", "[true false fault]", "of a warning that was closed; only true is an episode, as is empty"),
    ("note", "text", "source, for people"))
SHEETS = {"sites.csv": SITES, "episodes.csv": EPISODES, "city/areas.csv": AREAS, "city/calendar.csv": CALENDAR}
