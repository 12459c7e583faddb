"""An audit row in words."""

from __future__ import annotations

from typing import Any

from streams.desk.local import moment, span
from streams.desk.pages.view import View
from streams.desk.tables import Alert, Audit
from streams.desk.words import has, level, say


def told(row: Audit, alert: Alert, v: View) -> str:
    """One line of the timeline; "" for what is no news to people (a first attempt that went out)."""
    w, lang = row.what, v.lang
    key = f"log.{row.act}"
    if not has(key) or (row.act == "delivery" and w.get("result") == "sent" and w.get("attempt") == 1):
        return ""
    values: dict[str, Any] = {
        "post": v.names.post(row.post, lang),
        "detector": w.get("detector", ""),
        "ladder": w.get("ladder", ""),
        "n": w.get("n", ""),
        "of": w.get("of", ""),
        "revision": w.get("revision", ""),
        **{name: w.get(name, "") for name in ("kind", "headline", "text")},
        "unit": v.names.unit_title(w.get("unit", ""), lang),
        "channels": "、".join(_channel(c, lang) for c in w.get("channels", ())),
        "until": moment(w.get("until"), row.at, lang),
        "when": moment(w.get("time"), v.clock, lang, False),
    }
    values |= {
        "level": level(w.get("to", 0), lang),
        "before": level(w.get("from", 0), lang),
        "says": level(w.get("says", 0), lang),
    }
    if row.act in ("news", "handed", "resent"):
        values["due"] = moment(w.get("due"), row.at, lang, False)
        values["to"] = v.names.post(w.get("to_post", ""), lang)
        key = "log.news_next" if "due" in w else key
    if row.act == "taken":
        values["giver"] = v.names.post(w.get("giver", ""), lang)
    if row.act in ("closed", "verified"):
        values["disposition"] = say(f"out.{w.get('disposition', 'true')}", lang)
    if row.act in ("receipt", "delivery", "resent"):
        values |= {
            "channel": _channel(w.get("channel", ""), lang),
            "receipt": say(f"sent.{w.get('receipt', 'sent')}", lang),
            "result": say(f"sent.{w.get('result', 'sent')}", lang),
        }
    if row.act == "answered":
        values["took"] = span(w.get("took", 0), lang)
        key = "log.answered_under" if "under" in w else "log.answered_in" if "took" in w else key
    text = say(key, lang, **values)
    said = str(w.get("reason") or w.get("detail") or "")
    return f"{text}：{said}" if said and lang == "zh" else f"{text}: {said}" if said else text


def _channel(name: str, lang: str) -> str:
    return say(f"channel.{name}", lang) if has(f"channel.{name}") else name
