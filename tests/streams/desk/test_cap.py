"""CAP 1.2 and the national form: what we write is valid, what is not valid is found."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.level import Level
from streams.desk.publish import cap, cap_check, national, signing
from streams.desk.publish.bulletin import Bulletin, Reference, Words
from streams.desk.publish.values import SEVERITY

SENT = 1_782_238_640_000_000  # 2026-06-24 02:17:20 in Shanghai
ZH = Words("市防汛防旱指挥部", "洪水", "市防汛防旱指挥部发布洪水橙色预警", "兰溪站水位 29.12m，达到橙色预警标准。", "请做好转移准备。", "兰溪市")
EN = Words("City flood control", "Flood", "Flood orange", "Level 29.12 m at Lanxi.", "Get ready to leave.", "Lanxi")
RING = "29.1,119.4 29.3,119.4 29.3,119.6 29.1,119.4"


def bulletin(**given: object) -> Bulletin:
    """An orange Alert of a flood."""
    plain = Bulletin("wl-a1-1", "Alert", SENT, SENT - 60_000_000, SENT + 3_600_000_000, 3, "real", ZH, EN, "warning@wanglou.example",
                     "Geo", "11A01", "Immediate", "Observed", polygons=(RING,), circle="29.2,119.5 0", geocodes=("330781",),
                     unit="33070041600000", signer="带班领导甲", methods=("SMS", "WEB"))
    return replace(plain, **given)  # type: ignore[arg-type]


def text(document: bytes, path: str, space: str = cap.NAMESPACE) -> list[str]:
    """All texts at a path."""
    steps = "/".join(f"{{{space}}}{step}" for step in path.split("/"))
    return [e.text or "" for e in ET.fromstring(document).iterfind(steps)]


def test_an_alert() -> None:
    """Two infos of the same facts; offset form of times; colour as a parameter, severity as CAP says; the area in three ways."""
    document = cap.document(bulletin())

    assert cap_check.faults(document) == []
    assert text(document, "sent") == ["2026-06-24T02:17:20+08:00"] and text(document, "status") == ["Actual"]
    assert text(document, "info/language") == ["zh-CN", "en-US"] and text(document, "info/severity") == ["Severe", "Severe"]
    assert text(document, "info/headline") == [ZH.headline, EN.headline]
    assert text(document, "info/parameter/value") == ["Orange", "Orange"] and text(document, "info/eventCode/value") == ["11A01"] * 2
    assert text(document, "info/area/polygon") == [RING] * 2 and text(document, "info/area/circle") == ["29.2,119.5 0"] * 2
    assert text(document, "info/expires") == ["2026-06-24T03:17:20+08:00"] * 2


def test_update_cancel_and_exercise() -> None:
    """References name sender, identifier and time of each earlier message; a Cancel is over and all clear; a drill is Exercise."""
    first, second = (Reference("warning@wanglou.example", f"wl-a1-{n}", SENT + n * 60_000_000) for n in (1, 2))
    update = cap.document(bulletin(identifier="wl-a1-2", kind="Update", references=(first,)))
    cancel = cap.document(bulletin(identifier="wl-a1-3", kind="Cancel", references=(first, second), urgency="Past", note="水位已回落",
                                   scope="exercise"))

    assert cap_check.faults(update) == cap_check.faults(cancel) == []
    assert text(update, "references") == ["warning@wanglou.example,wl-a1-1,2026-06-24T02:18:20+08:00"]
    assert len(text(cancel, "references")[0].split()) == 2 and text(cancel, "note") == ["水位已回落"]
    assert text(cancel, "status") == ["Exercise"] and text(cancel, "info/responseType") == ["AllClear"] * 2


@given(st.sampled_from(list(Level)[1:]), st.text(max_size=80), st.text(max_size=80), st.booleans(),
       st.sampled_from(["Alert", "Update", "Cancel"]))
def test_whatever_people_write_is_valid(level: Level, headline: str, note: str, drill: bool, kind: str) -> None:
    """Any level, any words (angle brackets, control characters, emoji): always a message that the rules accept."""
    words = replace(ZH, headline="x" + headline, description="y" + headline)
    references = (Reference("s@x.example", "wl-a1-0", SENT),) if kind != "Alert" else ()
    b = bulletin(level=int(level), zh=words, note=note, scope="exercise" if drill else "real", kind=kind, references=references)

    assert cap_check.faults(cap.document(b)) == []
    assert national.faults(national.document(b)) == []
    assert text(cap.document(b), "info/severity") == [SEVERITY[level]] * 2


GOOD = cap.document(bulletin()).decode()
UPDATE = cap.document(bulletin(kind="Update", references=(Reference("s@x.example", "o", SENT),))).decode()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("02:17:20+08:00</sent>", "02:17:20Z</sent>", "no time"),
        ("02:17:20+08:00</sent>", "02:17:20.5+08:00</sent>", "no time"),
        ("2026-06-24T02:17:20+08:00</sent>", "2026-02-30T02:17:20+08:00</sent>", "no time"),
        ("Severe<", "Orange<", "none of Extreme"), ("Observed<", "VeryLikely<", "none of"), ("Actual<", "actual<", "none of"),
        ("<urgency>Immediate</urgency>", "", "urgency is missing"), ("<areaDesc>兰溪市</areaDesc>", "", "areaDesc is missing"),
        ("<scope>Public</scope>", "<scope>Private</scope>", "without addresses"), ("<status>Actual</status>", "", "status is missing"),
        ("<msgType>Alert</msgType>\n  <source>市防汛防旱指挥部</source>", "<source>市</source>\n<msgType>Alert</msgType>", "too late"),
        (cap.NAMESPACE, "urn:oasis:names:tc:emergency:cap:1.1", "the root is"), (cap.NAMESPACE, national.NAMESPACE, "the root is"),
        ("29.2,119.5 0<", "29.2,119.5<", "not lat,lon radius"), ("29.2,119.5 0<", "119.5,29.2 0<", "not lat,lon radius"),
        ("29.3,119.6 29.1,119.4<", "29.3,119.6 29.1,119.5<", "is open"), ("29.3,119.6 29.1,119.4<", "29.1,119.4<", "4 pairs"),
        ("wl-a1-1<", "wl a1 1<", "has blanks"), ("wl-a1-1<", "wl,a1<", "has blanks"), ("warning@", "warn ing@", "has blanks"),
        ("03:17:20+08:00</expires>", "02:17:20+08:00</expires>", "expires before"), ("zh-CN<", "中文<", "no language"),
        ("<language>zh-CN</language>", "<colour>Orange</colour>", "not an element of info"),
        ("</identifier>", "</identifier><identifier>b</identifier>", "more than once"),
        ("<?xml version='1.0' encoding='utf-8'?>", "<!DOCTYPE alert [<!ENTITY a 'b'>]>", "DTD"), ("</alert>", "", "not XML"),
        ("<msgType>Alert<", "<msgType>Update<", "without references"),
    ],
)
def test_what_is_not_valid_is_found(old: str, new: str, said: str) -> None:
    """What the schema refuses, and what it cannot see: circle, polygon, blanks, references, an end before the beginning."""
    assert old in GOOD
    found = cap_check.faults(GOOD.replace(old, new, 1).encode())

    assert any(said in one for one in found), found


@pytest.mark.parametrize(("old", "new", "said"), [("s@x.example,o,", "s@x.example,o;", "not sender"), ("s@x.example,o,", "s@x.example,wl-a1-1,", "itself"),
                                                  ("<msgType>Update", "<msgType>Alert", "refers to nothing")])
def test_references_that_are_wrong(old: str, new: str, said: str) -> None:
    """Three parts each, of another message, and never in an Alert."""
    assert old in UPDATE
    assert any(said in one for one in cap_check.faults(UPDATE.replace(old, new, 1).encode()))


def test_the_national_form() -> None:
    """Its own namespace, identifier, times, colours, metres; references name the first message alone; its file name."""
    references = tuple(Reference("s@x.example", f"wl-a1-{n}", SENT + n * 60_000_000) for n in (0, 1))
    b = bulletin(kind="Update", references=references, circle="29.2,119.5 1.5")
    document, space = national.document(b), national.NAMESPACE

    assert national.faults(document) == []
    assert text(document, "identifier", space) == ["33070041600000_20260624021720"]
    assert text(document, "references", space) == ["33070041600000_20260624021720"]
    assert text(document, "sendTime", space) == ["2026-06-24 02:17:20+08:00"] and text(document, "info/severity", space) == ["Orange"]
    assert text(document, "info/area/circle", space) == ["29.2,119.5 1500"] and text(document, "info/senderName", space) == ["带班领导甲"]
    assert text(document, "code/method/methodName", space) == ["SMS", "WEB"]
    assert national.filename(b) == "33070041600000_20260624021720_11A01_ORANGE_UPDATE.XML"
    assert cap_check.faults(document) != []                                     # CAP-like, but no CAP
    assert text(national.document(bulletin(scope="exercise")), "status", space) == ["Test"]
    for lacking in ({"unit": ""}, {"code": ""}):
        with pytest.raises(ValueError, match=r"pub\.no_"):
            national.document(bulletin(**lacking))
    assert national.faults(document.replace(b"Orange<", b"Severe<"))[0].startswith("info/severity")


def test_a_signature_is_of_the_canonical_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another order of attributes or quotes changes nothing, another word does; without a key nothing is signed."""
    document = b"<a x='1' y='2'><b>t</b></a>"
    assert signing.signature(document) is None
    monkeypatch.setenv("WANGLOU_SECRET_CAP_SIGNING", "k")
    signed = signing.signature(document)

    assert signed is not None and signed == signing.signature(b'<a y="2"   x="1"><b>t</b></a>')
    assert signing.signature(b"<a x='1' y='2'><b>u</b></a>") != signed
    monkeypatch.setenv("WANGLOU_SECRET_CAP_SIGNING", "other")
    assert (signing.signature(document) or {})["signature"] != signed["signature"]
