"""The text of a call for one post over one channel: the installation's own template, else ours. Pure.

Templates stand in `city/messages.yaml`: the first row that fits use, level, pack, the post's role and channel. `[演练]` is put
before whatever they say, and one that cannot be filled is passed over: a fault in words must not cost a call.
"""
from __future__ import annotations

from collections.abc import Mapping

from detectors.pack import Wording
from streams.desk import channels
from streams.desk.local import local, moment
from streams.desk.messages import measured, sandbox, short, subject
from streams.desk.messages.checked import ONE_SMS, SMS
from streams.desk.names import Names
from streams.desk.tables import Alert
from streams.desk.words import ROMAN, say


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
    role = "leader" if names.actor(post).leader else "duty"
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
    value, limit = measured(alert, names, lang)
    ahead = alert.forecast if alert.forecast and alert.forecast[1] == alert.forecast[1] and alert.forecast[1] < 1e9 else None
    at = f"{local(round(ahead[0] + ahead[1] * 1e6)):%H:%M}" if ahead else ""
    return {"title": subject(alert, names, lang), "place": names.place(alert.site, alert.area, lang), "value": value,
            "limit": limit, "since": f"{local(alert.onset):%m-%d %H:%M}", "forecast": at,
            "reach": names.figure(alert.detector, alert.indicator, ahead[4]) if ahead and len(ahead) > 4 else limit}
