"""The text of a call: short, whole, with what to do by when. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams.desk.local import local, moment, number
from streams.desk.words import level, say

if TYPE_CHECKING:
    from streams.desk.names import Names
    from streams.desk.tables import Alert


def short(alert: Alert, names: Names, until: int, lang: str = "zh") -> str:
    """One line for a phone, a chat or a webhook; `[演练]` comes first in a drill."""
    title = " ".join(x for x in (subject(alert, names, lang), names.place(alert.site, alert.area, lang)) if x)
    value, bound = measured(alert, names, lang)
    limit = say("msg.limit", lang, limit=bound) if bound else ""
    if alert.as_of:
        limit += say("msg.asof", lang, time=moment(alert.as_of, alert.arrived, lang, False))
    if alert.confidence == "suspect":
        limit += say("msg.suspect", lang)
    text = say(
        "msg.call",
        lang,
        level=level(alert.level or alert.shown, lang),
        title=title,
        value=value,
        limit=limit,
        until=f"{local(until):%H:%M:%S}",
    )
    text = " ".join(text.split())       # an alert by hand has no value
    return (say("msg.exercise", lang) if alert.scope == "exercise" else "") + text


def measured(alert: Alert, names: Names, lang: str) -> tuple[str, str]:
    """The value with its unit, and the limit; "" where there is none.

    What a rule measures is its own: a share, a count. The worst level of its members is left out: two levels in one message are
    taken for one another.
    """
    if alert.value is None or (not alert.indicator and names.rule_kind(alert.rule) == "worst"):
        return "", ""
    if alert.rule and not alert.indicator:
        bound = "" if alert.bound is None else names.ruled(alert.rule, alert.bound, lang)
        return names.ruled(alert.rule, alert.value, lang), bound
    value = f"{number(alert.value, names.decimals(alert.indicator))}{names.unit(alert.indicator)}"
    return value, "" if alert.bound is None else names.figure(alert.detector, alert.indicator, alert.bound)


def subject(alert: Alert, names: Names, lang: str) -> str:
    """What the alert is about: the rule's title, else the indicator's."""
    if alert.pack == "self" and alert.rule == "self/duty-gap":
        return say("duty.gap_title", lang)
    if alert.rule and not alert.indicator:
        rule = names.rules.get(alert.rule)
        return ((rule.title.en if lang == "en" else "") or rule.title.zh or alert.rule) if rule else alert.rule
    return names.indicator(alert.indicator, lang)
