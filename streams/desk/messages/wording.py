"""The text of a call for one post over one channel: the installation's own template, else ours. Pure.

Templates stand in `city/messages.yaml`: the first row that fits use, level, pack, the post's role and channel. `[演练]` is put
before whatever they say, and one that cannot be filled is passed over: a fault in words must not cost a call.
"""
from __future__ import annotations

from collections.abc import Mapping

from detectors.pack import Wording
from streams.desk import channels
from streams.desk.local import local, moment, number
from streams.desk.messages import sandbox, short, subject
from streams.desk.names import Names
from streams.desk.tables import Alert
from streams.desk.words import LANGS, ROMAN, say

CALL = ("level", "roman", "title", "place", "value", "limit", "since", "until", "forecast", "reach", "asof", "suspect", "pack",
        "post", "reply")
"""What a template of a call may name."""
PUBLIC = ("issuer", "event", "level", "roman", "title", "place", "value", "limit", "since", "forecast", "reach", "kind",
          "act")
"""And one of a public warning. `kind` is Alert, Update or Cancel, `act` its words."""
USES: Mapping[str, tuple[str, ...]] = {"call": CALL, "headline": PUBLIC, "description": PUBLIC, "instruction": PUBLIC}
SMS = "gateway_sms"
ONE_SMS = 70
"""Characters that one short message carries (GSM 03.38 UCS-2); a longer one is sent and paid in parts."""


def chosen(wordings: tuple[Wording, ...], use: str, level: int, pack: str, role: str = "", channel: str = "") -> Wording | None:
    """The first row that fits."""
    return next((w for w in wordings if w.use == use and (not w.levels or level in w.levels) and (not w.packs or pack in w.packs)
                 and (not w.roles or role in w.roles) and (not w.channels or channel in w.channels)), None)


def filled(wording: Wording | None, values: Mapping[str, object], lang: str) -> str:
    """A row in a language; "" where it says nothing or cannot be filled."""
    source = "" if wording is None else wording.text.zh if lang == "zh" else wording.text.en
    try:
        return sandbox.render(source, values) if source else ""
    except sandbox.Bad:
        return ""


def call(alert: Alert, names: Names, until: int, post: str, channel: str, lang: str = "zh") -> str:
    """What is sent to a post, `[演练]` first in a drill."""
    level = alert.level or alert.shown
    role = getattr(names.posts.get(post), "role", "")
    own = chosen(names.city.outward.wordings, "call", level, alert.pack, role, channel)
    text = filled(own, values(alert, names, until, post, channel, lang), lang)
    if not text and channel == SMS:
        text = sms(alert, names, until, channel, lang)
    if not text:
        return short(alert, names, until, lang)
    return (say("msg.exercise", lang) if alert.scope == "exercise" else "") + text


def sms(alert: Alert, names: Names, until: int, channel: str = SMS, lang: str = "zh") -> str:
    """The short form, one message of 70 characters: the district goes first, then the limit, then the end of the title."""
    known = values(alert, names, until, "", channel, lang)
    for place, limit in ((known["place"], True), (names.site(alert.site, lang) or known["place"], True), (known["place"], False)):
        shown = say("msg.sms_limit", lang, limit=known["limit"]) if limit and known["limit"] else ""
        text = " ".join(say("msg.sms", lang, **(known | {"place": place, "limit": shown})).split())
        if len(text) <= ONE_SMS:
            return text
    title = known["title"][:len(known["title"]) - (len(text) - ONE_SMS) - 1] + "…"
    return text.replace(known["title"], title, 1)


def values(alert: Alert, names: Names, until: int, post: str, channel: str, lang: str) -> dict[str, str]:
    """What a template of a call is filled with: all texts, "" where something does not apply."""
    answers = "answered" in channels.able(channels.declared(channel), names.city.channels.get(channel, {})) \
        if channel in channels.names() else False
    level = alert.level or alert.shown
    return facts(alert, names, lang) | {
        "level": say(f"level.{level}", lang), "roman": ROMAN[level],
        "until": f"{local(until):%H:%M}", "asof": moment(alert.as_of, alert.arrived, lang, False) if alert.as_of else "",
        "suspect": say("conf.suspect", lang) if alert.confidence == "suspect" else "", "pack": names.pack(alert.pack, lang),
        "post": names.post(post, lang), "reply": say("msg.reply", lang) if answers else "",
    }


def facts(alert: Alert, names: Names, lang: str) -> dict[str, str]:
    """What is known of an alert, as texts."""
    digits, unit = names.decimals(alert.indicator), names.unit(alert.indicator)
    value = "" if alert.value is None else f"{number(alert.value, digits)}{unit}"
    limit = names.figure(alert.detector, alert.indicator, alert.bound) if alert.bound is not None and value else ""
    ahead = alert.forecast if alert.forecast and alert.forecast[1] == alert.forecast[1] and alert.forecast[1] < 1e9 else None
    at = f"{local(round(ahead[0] + ahead[1] * 1e6)):%H:%M}" if ahead else ""
    return {"title": subject(alert, names, lang), "place": names.place(alert.site, alert.area, lang), "value": value,
            "limit": limit, "since": f"{local(alert.onset):%m-%d %H:%M}", "forecast": at,
            "reach": names.figure(alert.detector, alert.indicator, ahead[4]) if ahead and len(ahead) > 4 else limit}


def samples(use: str) -> list[dict[str, str]]:
    """Values to try a template with: an ordinary case, one where much is missing, and the longest that is likely."""
    names = USES[use]
    usual = {"level": "红", "roman": "Ⅰ", "title": "河道水位", "place": "兰溪市 兰溪站", "value": "29.62m", "limit": "29.5",
             "since": "06-24 02:17", "until": "02:22", "forecast": "04:10", "reach": "29.5", "asof": "", "suspect": "",
             "pack": "兰江流域防洪", "post": "水利带班领导", "reply": "回1", "issuer": "市防汛防旱指挥部", "event": "洪水",
             "kind": "Alert", "act": "发布"}
    bare = usual | dict.fromkeys(("value", "limit", "forecast", "asof", "suspect", "reply", "since"), "")
    long = usual | {"title": "城市内涝风险综合指数" * 2, "place": "磐安县 大盘山自然保护区综合观测站", "asof": "02:00",
                    "suspect": "核实", "limit": "1.25 mg/m³", "value": "1234.56mg/m³"}
    return [{name: sample[name] for name in names} for sample in (usual, bare, long)]


def fault(wording: Wording) -> tuple[str, str]:
    """`(fault, hint)` of a row for `wanglou check`: what is wrong with it, and what a channel will not carry in one piece."""
    tried = samples(wording.use)
    for lang in LANGS:
        source = wording.text.zh if lang == "zh" else wording.text.en
        if not source:
            continue
        wrong = sandbox.fault(source, USES[wording.use], tried)
        if wrong:
            return f"{lang}: {wrong}", ""
        length = max(len(sandbox.render(source, sample)) for sample in tried) + len(say("msg.exercise", lang))
        for name in wording.channels:
            most = channels.declared(name).longest
            if most and length > most:
                return f"{lang}: {length} characters with the longest sample; {name} carries {most}", ""
        if SMS in wording.channels and length > ONE_SMS:
            return "", f"{lang}: {length} characters with the longest sample: more than one short message of {ONE_SMS}"
    return "", ""
