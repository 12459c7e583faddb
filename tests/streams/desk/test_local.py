"""Times and numbers as people read them."""

from __future__ import annotations

import pytest

from streams.clock import micros
from streams.desk.local import moment, number, span
from streams.desk.words import LANGS, level, say, table

NOW = micros("2026-06-24T02:17:20+08:00")


@pytest.mark.parametrize(
    ("when", "zh"),
    [
        ("2026-06-24T01:05:09+08:00", "01:05:09"),
        ("2026-06-23T18:00:00+08:00", "昨 18:00"),
        ("2026-06-19T09:05:00+08:00", "06-19 09:05"),
        ("1965-01-31T16:00:00Z", "1965-02-01"),
    ],
)
def test_moments(when: str, zh: str) -> None:
    """Today by the second, yesterday, this year, any year; before 1970 too."""
    assert moment(micros(when), NOW) == zh


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0, "0 秒", "0 s"),
        (9, "9 秒", "9 s"),
        (550, "9 分 10 秒", "9 min 10 s"),
        (2580, "43 分", "43 min"),
        (3900, "1 时 5 分", "1 h 5 min"),
        (7200, "2 时", "2 h"),
        (90000, "1 天 1 时", "1 d 1 h"),
        (-5, "0 秒", "0 s"),
    ],
)
def test_spans(seconds: int, zh: str, en: str) -> None:
    """The two largest units, never negative."""
    assert (span(seconds * 1_000_000), span(seconds * 1_000_000, "en")) == (zh, en)


def test_numbers() -> None:
    """Missing is a dash, minus nought is nought, the huge stay short."""
    assert [number(x, 2) for x in (None, float("nan"), -0.001, 29.125, 1e308)] == ["—", "—", "0.00", "29.12", "1e+308"]


def test_levels() -> None:
    """Roman numerals are for people: Ⅰ is the worst."""
    assert [level(n, "zh") for n in range(5)] == ["正常", "蓝 Ⅳ级", "黄 Ⅲ级", "橙 Ⅱ级", "红 Ⅰ级"]
    assert level(4, "en") == "Red" and say("level.limit", "zh", roman="Ⅱ", limit="29.00") == "Ⅱ级限值 29.00"


def test_every_word_is_there_in_both_languages() -> None:
    """Same keys, same places to fill, nothing empty."""
    import re

    fields = re.compile(r"\{(\w+)\}")
    for key, words in table().items():
        assert set(words) == set(LANGS), key
        assert all(words[lang].strip() for lang in LANGS), key
        assert set(fields.findall(words["en"])) <= set(fields.findall(words["zh"])), key


def test_no_word_is_without_use() -> None:
    """A key that no page, message or timeline names is left over."""
    from pathlib import Path

    import streams.desk
    from streams.desk.publish import silences, work

    folder = Path(streams.desk.__path__[0])
    said = "\n".join(p.read_text("utf-8") for p in [*folder.rglob("*.py"), *folder.rglob("*.html")])
    made = (
        "level.",
        "log.",
        "flag.",
        "step.",
        "sent.",
        "out.",
        "scope.",
        "sect.",
        "state.",
        "act.",
        "dir.",
        "channel.",
        "fresh.",
        "app.theme_",
        "role.",
        "plans.",       # kinds of entries and names of fields
        "bt.",          # said by the report of a backtest
        "day.",
        "swap.",
        "rules.f_",
        "algo.",        # of an algorithm by folder and name
        "rules.fitted_",
        *(f"pub.{x}" for x in ("act_", "f_", "headline", "description", "instruction", "alert", "update", "cancel", "proposed", "published",
                               "refused", "retracted")),
        *(f"work.{x}" for x in work.STATES),
        *(f"mutes.{x}" for x in (*silences.SCOPE, "mute", "window", "planned", "told", "running", "over", "tell_")),
        *(f"report.{x}" for x in ("pending", "sent", "parked")),
    )  # put together from a state's own word
    assert [k for k in table() if f'"{k}"' not in said and not k.startswith(made)] == []
