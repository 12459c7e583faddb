"""The month as one HTML page with its own sheet of style, as tables of a workbook, and as plain values for JSON."""
from __future__ import annotations

from dataclasses import asdict
from functools import partial
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from streams.desk.local import MICRO, local, span
from streams.desk.monthly.book import Cell, Sheet, book
from streams.desk.monthly.figures import Month, Skill
from streams.desk.words import say

SKILL = ("month.detector", "month.name", "month.fired", "month.true", "month.false", "month.fault", "month.open",
         "month.precision", "month.missed", "month.episodes")
ANSWERS = ("month.agency", "month.calls", "month.answered", "month.passed", "month.overdue", "month.in_time",
           "month.median_s", "month.slowest_s")
"""Heads of the two sheets."""


def plain(month: Month) -> dict[str, Any]:
    """For JSON."""
    return {"month": month.name, "levels": {str(n): count for n, count in month.levels.items()},
            "skill": [{**asdict(row), "title": row.title[0] or row.title[1], "precision": row.precision} for row in month.skill],
            "answers": [{**asdict(row), "in_time": row.in_time} for row in month.answers]}


def page(month: Month, lang: str) -> str:
    """Self-contained; nothing is fetched, no script."""
    env = Environment(loader=PackageLoader("streams.desk.monthly", ""), autoescape=True, undefined=StrictUndefined,
                      trim_blocks=True)
    sheet = files("streams.desk.pages").joinpath("static/desk.css").read_text("utf-8")
    worst = sorted(month.levels.items(), reverse=True)
    return env.get_template("month.html").render(
        t=partial(_say, lang), lang=lang, sheet=sheet, month=month, worst=worst, total=sum(month.levels.values()),
        first=f"{local(month.start):%Y-%m-%d}", last=f"{local(month.end - MICRO):%Y-%m-%d}", share=share,
        took=partial(took, lang=lang), title=partial(title, lang=lang))


def workbook(month: Month, lang: str) -> bytes:
    """Two sheets of numbers to go on with: seconds and shares as numbers, an unknown figure as an empty cell."""
    t = partial(_say, lang)
    skill: list[list[Cell]] = [[t(key) for key in SKILL]]
    skill += [[row.path, title(row, lang), row.fired, row.true, row.false, row.fault, row.open, row.precision, row.missed,
               row.episodes] for row in month.skill]
    answers: list[list[Cell]] = [[t(key) for key in ANSWERS]]
    answers += [[row.agency or t("month.no_agency"), row.calls, row.answered, row.passed, row.overdue, row.in_time, row.median,
                 row.slowest] for row in month.answers]
    return book([Sheet(t("month.skill"), skill, frozenset({7})), Sheet(t("month.answers"), answers, frozenset({5}))])


def title(row: Skill, lang: str) -> str:
    """The detector's name in the language, or in the other."""
    zh, en = row.title
    return (zh or en) if lang == "zh" else (en or zh)


def share(x: float | None) -> str:
    """A share in per cent; `—` for none.

    >>> share(0.756), share(None)
    ('76 %', '—')
    """
    return "—" if x is None else f"{x * 100:.0f} %"


def took(seconds: float | None, lang: str) -> str:
    """A duration as people read it; `—` for none."""
    return "—" if seconds is None else span(round(seconds * MICRO), lang)


def _say(lang: str, key: str, **values: object) -> str:
    return say(key, lang, **values)
