"""Templates to HTML: one environment, the context that every page shares."""

from __future__ import annotations

import json
import re
from functools import cache, partial
from hashlib import blake2b
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup

from streams.desk.local import moment
from streams.desk.pages.chart import WORDS
from streams.desk.pages.nav import entries
from streams.desk.pages.row import Row
from streams.desk.pages.view import View
from streams.desk.people.current import CURRENT
from streams.desk.words import say

STATIC = Path(str(files("streams.desk.pages").joinpath("static")))
SCRIPT = {
    "on": "act.sound_on",
    "off": "act.sound_off",
    "changes": "off.changes",
    "offline": "off.line",
    "live": "strip.live",
    "live_none": "strip.live_none",
    "late": "state.late",
    "picked": "act.picked",
}
"""Words that the script puts on the page."""
SHAPES = {
    "red": ("M10 1h12l9 9v12l-9 9H10l-9-9V10z", "#c4141b", "#fff"),
    "orange": ("M16 2 31 29H1z", "#e06c00", "#1c0f00"),
    "yellow": ("M16 1 31 16 16 31 1 16z", "#f4c400", "#1f1900"),
    "blue": ("M16 1a15 15 0 1 0 .01 0z", "#1d62c4", "#fff"),
    "": ("M4 6h24v20H4z", "#49535b", "#fff"),
}


class Forms(Extension):
    """Every form that posts carries the session's token; no template can forget it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return re.sub(r'(<form\b[^>]*method="post"[^>]*>)', r"\1{{ csrf_field() }}", source)


def _field() -> str:
    token = CURRENT.get().csrf
    return Markup('<input type="hidden" name="csrf" value="{}">').format(token) if token else ""


@cache
def environment() -> Environment:
    """The templates; a name that a page forgot is an error, and everything is escaped."""
    made = Environment(
        loader=PackageLoader("streams.desk.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        extensions=[Forms],
    )
    made.globals |= {"csrf_field": _field, "csrf": lambda: CURRENT.get().csrf}
    return made


@cache
def assets() -> str:
    """Changes when the sheet or the script does, so that browsers may keep both."""
    return blake2b(b"".join(f.read_bytes() for f in sorted(STATIC.iterdir())), digest_size=4).hexdigest()


def favicon(worst: str, n: int) -> str:
    """The tab's icon: the worst shape with the number that waits."""
    path, fill, ink = SHAPES.get(worst, SHAPES[""])
    inner = (
        (
            f'<text x="16" y="23" font-size="{20 if n < 10 else 16}" font-weight="700" font-family="sans-serif" fill="{ink}" '
            f'text-anchor="middle">{min(n, 99)}</text>'
        )
        if n
        else f'<path d="M9 16h14" stroke="{ink}" stroke-width="3"/>'
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="{path}" fill="{fill}"/>{inner}</svg>'
    return "data:image/svg+xml," + quote(svg, safe="/=: ")


def page(name: str, v: View, path: str, theme: str, **context: Any) -> str:
    """A whole page."""
    own = v.account.posts if v.account and v.account.name else None
    posts = [(p.id, v.names.post(p.id, v.lang)) for p in v.names.city.posts if own is None or p.id in own]
    common = {
        "v": v,
        "t": partial(_say, v.lang),
        "path": path,
        "theme": theme,
        "posts": posts,
        "assets": assets(),
        "nav": entries(),
        "wall": moment(v.now, v.now, v.lang),
        "scene": moment(v.clock, v.now, v.lang),
        "notice": "",
        "favicon": favicon("", 0),
        "script_words": json.dumps({k: _raw(key, v.lang) for k, key in SCRIPT.items()}, ensure_ascii=False),
    }
    return environment().get_template(name).render(common | context)


def plain(name: str, lang: str, theme: str, path: str, now: int, **context: Any) -> str:
    """A page without script and without anybody: sign-in, answer links. `path` ends in `?` or `&`, for the other language."""
    common = {"t": partial(_say, lang), "lang": lang, "theme": theme, "path": path, "assets": assets(),
              "wall": moment(now, now, lang), "favicon": favicon("", 0)}
    return environment().get_template(name).render(common | context)


def row_html(r: Row, v: View) -> str:
    """One row, as in the page."""
    return environment().get_template("_row.html").render(r=r, t=partial(_say, v.lang))


def strip_html(tally: dict[str, Any], v: View) -> str:
    """The tally, as in the page."""
    return environment().get_template("_strip.html").render(tally=tally, t=partial(_say, v.lang))


def _say(lang: str, key: str, **values: object) -> str:
    return say(key, lang, **values)


def _raw(key: str, lang: str) -> str:
    """Words with their `{name}` left for the script to fill."""
    from streams.desk.words import table

    return table()[key][lang]


LEVELS = tuple((word, n) for n, word in WORDS.items())
