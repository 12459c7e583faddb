"""Templates of an installation: filled, and able to do nothing else; what is wrong is said by `check`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.pack import Outward, Post, Text, Wording
from streams.desk.messages import sandbox, wording
from streams.desk.names import Names
from streams.packs.faults import Faults
from streams.packs.nodes import read
from streams.packs.outward import FILES, read_outward


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__.__mro__ }}", "{{ a.b }}", "{{ a['b'] }}", "{{ a() }}", "{{ a * 999999999 }}", "{{ a ** a }}", "{{ 9 + 9 }}",
        "{% for x in a %}{% for y in a %}.{% endfor %}{% endfor %}", "{% set x = 1 %}", "{% include 'a' %}", "{% import 'a' as b %}",
        "{% macro m() %}{% endmacro %}", "{{ [1] }}", "{{ {} }}", "{{ -a }}", "{{ a is defined }}", "{{ range(9) }}", "{{ self }}",
        "{{ 'x' | center(999999999) }}", "{{ '%99999999s' | format(1) }}", "{{ a | attr('b') }}", "{{ a | map('upper') }}",
        "{% call a() %}{% endcall %}", "{% filter upper %}{% endfilter %}", "{% block b %}{% endblock %}", "{{ unknown }}", "{{ a",
        "{% if a %}", "{{ " + "(" * 900 + "a" + ")" * 900 + " }}", "x" * 2001, "{{ a | truncate(a) }}",
    ],
)
def test_nothing_but_filling_in(source: str) -> None:
    """No attribute, item, call, arithmetic, loop, assignment, import or foreign filter; each is refused with its reason."""
    with pytest.raises(sandbox.Bad) as refused:
        sandbox.render(source, {"a": "1"})
    assert str(refused.value)


@given(st.text(max_size=60), st.dictionaries(st.sampled_from(["a", "b"]), st.text(max_size=30), min_size=2))
def test_a_value_is_text_and_never_a_template(text: str, values: dict[str, str]) -> None:
    """What is filled in comes out as it is, also when it looks like a template; the output is no longer than all that went in."""
    out = sandbox.render("{% if a %}{{ a }}{% else %}–{% endif %}|{{ b ~ b | trim }}", values | {"a": text})

    assert out == f"{text or '–'}|{values['b']}{values['b'].strip()}".strip()
    assert sandbox.render("{{ a }}", {"a": "{{ b.__class__ }}"}) == "{{ b.__class__ }}"


def test_the_first_row_that_fits(bench: Any, change: Any) -> None:
    """Level, role, channel and pack choose; where none fits, and where one cannot be filled, ours is sent. [演练] is first."""
    rows = (Wording("call", Text("{{ bad.x }}"), levels=(3,), channels=("webhook",)),
            Wording("call", Text("领导：{{ level }} {{ title }} {{ until }}"), roles=("leader",), levels=(3, 4)),
            Wording("call", Text("{{ place }}{% if forecast %}，{{ forecast }}{% endif %}"), packs=("basin",), channels=("email",)))
    city = replace(bench.names.city, outward=Outward(rows))
    bench.names = Names(city)
    bench.put(one := change("river_level", "lanxi", 3))
    alert, until = bench.alert(one.alert), bench.now + 300_000_000

    plain = wording.call(alert, bench.names, until, "duty", "log")
    assert plain == "【望楼】橙 Ⅱ级 河道水位 兰溪市 兰溪站 29.12m（限 29.00） 02:22:20 前应答"
    assert wording.call(alert, bench.names, until, "duty", "webhook") == plain      # its template cannot be filled
    assert wording.call(alert, bench.names, until, "duty", "email") == "兰溪市 兰溪站"
    leads = Post("leader", Text("带班领导甲"))
    bench.names = Names(replace(city, posts=(leads,)))
    assert wording.call(alert, bench.names, until, "leader", "log") == "领导：橙 河道水位 02:22"
    alert.scope = "exercise"
    assert wording.call(alert, bench.names, until, "leader", "log").startswith("[演练] 领导")


def test_a_short_message(bench: Any, change: Any) -> None:
    """The form of screens.md 6.7: level, what, where, value with its limit, until when, and how to reply where replies are read."""
    bench.put(red := change("methane", "renmin", 4))
    alert, until = bench.alert(red.alert), bench.now + 300_000_000

    text = wording.call(alert, bench.names, until, "duty", "gateway_sms")
    assert text == "【望楼】红 窨井甲烷 婺城区 人民路 W-0417 1.12%VOL(限1.00) 02:22前应答"
    options = {"gateway_sms": {"callback": "$WANGLOU_SECRET_BACK", "states": "1=answered"}}
    bench.names = Names(replace(bench.names.city, channels=options))
    assert wording.call(alert, bench.names, until, "duty", "gateway_sms") == text + " 回1"
    alert.rule, alert.indicator = "很长的名称" * 10, ""
    assert len(wording.call(alert, bench.names, until, "duty", "gateway_sms")) <= 70


LONG = "长" * 500
MESSAGES = f"""
- {{for: call, zh: '{{{{ level }}}} {{{{ titel }}}}'}}
- {{for: call, zh: '{{{{ level.x }}}}'}}
- {{for: call, channels: [gateway_sms], zh: '{LONG}{{{{ level }}}}'}}
- {{for: headline, levels: [purple], packs: [sea], channels: [pigeon], zh: '{{{{ issuer }}}}'}}
- {{for: speech, zh: x}}
- {{for: call, zh: '{{% if forecast == "never" %}}x{{% endif %}}'}}
- {{for: call, channels: [gateway_sms], zh: '{{{{ level }}}}{LONG[:80]}'}}
"""
PUBLISH = """
sender: a b
code: '123'
methods: [SMOKE]
valid: {red: 3 apples}
hazards: [{packs: [basin], event: 洪水, code: flood, category: Sea}]
geocodes: {lanxi: '33'}
polygons: {lanxi: '29,119 30,119 30,120'}
"""
UNITS = "- {id: a b, title: 基层, url: ftp://x, secret: open}\n- {id: a, url: 'https://x', secret: $WANGLOU_SECRET_A}\n"


def test_check_says_all_that_is_wrong(tmp_path: Path) -> None:
    """Every fault of the four files with its line; a long short message is only a hint."""
    texts = {"messages": MESSAGES, "publish": PUBLISH, "units": UNITS, "mutes": "longest: {red: 2h}\n"}
    faults, roots = Faults(), {}
    for name in FILES:
        (tmp_path / f"{name}.yaml").write_text(texts[name], "utf-8")
        roots[name] = read(tmp_path / f"{name}.yaml", faults, f"{name}.yaml")
    read_outward(roots, ["basin"], ["lanxi"], faults)

    said = [f"{f.file}:{f.line} {f.what}" for f in faults.items]
    for wanted in ("messages.yaml:2 message for call: zh: unknown name 'titel'", "messages.yaml:3 message for call: zh: line 1: getattr",
                   "messages.yaml:4 message for call: zh: 506 characters", "messages.yaml:5 unknown level 'purple'",
                   "messages.yaml:5 unknown pack 'sea'", "messages.yaml:5 unknown channel 'pigeon'", "messages.yaml:6 for: unknown 'speech'",
                   "messages.yaml:7 message for call: zh: comes out empty", "publish.yaml:2 sender", "publish.yaml:3 code",
                   "publish.yaml:4 unknown method", "publish.yaml:5 red", "publish.yaml:6 code", "publish.yaml:6 category",
                   "publish.yaml:7 geocode", "publish.yaml:8 polygon", "units.yaml:1 unit", "units.yaml:1 url", "units.yaml:1 secret",
                   "mutes.yaml:1 longest: red"):
        assert [s for s in said if s.startswith(wanted)], wanted
    assert [h.line for h in faults.hints] == [8] and "more than one short message" in faults.hints[0].what
