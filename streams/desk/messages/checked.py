"""What a template of `messages.yaml` may name, and whether it holds: rendered against samples when a configs folder is checked.

Pure, and without the desk's tables: packs are read where there is no database.
"""
from __future__ import annotations

from collections.abc import Mapping

from detectors.pack import Wording
from streams.desk import channels
from streams.desk.messages import sandbox
from streams.desk.words import LANGS, say

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
