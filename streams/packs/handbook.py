"""`configs/README.md`: what an analyst writes, made of the grammar and of each algorithm's own file."""
from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from inspect import getdoc
from math import inf
from pathlib import Path
from textwrap import dedent
from typing import Any

from detectors.beside import looks
from detectors.registry import load
from detectors.step import Param
from streams.desk.words import algorithm
from streams.packs import citygrammar, grammar
from streams.packs.grammar import Block
from streams.packs.params import WITH, written
from streams.packs.programs import KEY, coded

EXAMPLE = re.compile(r"^In a pack:\n\n((?: {4}.*\n?|\n)+)", re.MULTILINE)
UNITS = {"": "number", "value": "the indicator's", "time": "time", "value/time": "the indicator's, per time", "count": "count",
         "date": "date"}
FOLDERS = {
    "checks": ("Checks", "`checks:` of an indicator: may the reading be believed? Each gives a flag: good, suspect (judged, its\n"
                         "level capped by `cap`), fail or missing (not judged). The worst flag counts, and its check is told."),
    "derive": ("Derive", "`derive:`, a new indicator made of others: `NAME: {OPERATOR: INPUT, …}`, several inputs in a list."),
    "kinds": ("Kinds", "`kind:` of a detector: turns an indicator into a score; `levels:` says where on it each level begins."),
    "rules": ("Rules", "`when:` of a rule: how levels are combined. A condition stands over members (`{detector: stage}`) or\n"
                       "over a list of conditions. `wanglou check --explain PACK/RULE` prints its truth table.")}


@dataclass(frozen=True)
class Entry:
    """All that the file of an algorithm says: one line, then more, an example, its source, its parameters."""

    folder: str
    name: str
    first: str
    more: str
    example: str
    source: str
    parameters: tuple[Param, ...]
    text: bool                      # it runs an expression that the pack writes
    beside: tuple[int, int]         # how many other series of the site it looks at: least, most
    score: str
    fitted: str

    @property
    def rows(self) -> list[tuple[str, str, str, str, str]]:
        """What a pack writes beside its name: key, unit, default, range, what for."""
        text = [(KEY, "text", "must be given", "", EXPRESSION)] * self.text
        least, most = self.beside
        beside = [(WITH, "names", "must be given" if least else "none", f"{max(least, 1)} to {most}", BESIDE)] if most else []
        return [*text, *beside, *((p.name, unit(p), default(p), bounds(p), p.doc) for p in self.parameters)]

    @property
    def says(self) -> str:
        """Everything for a search."""
        return " ".join((self.folder, self.name, self.first, self.more, self.source, *(p.name for p in self.parameters)))


def entries() -> list[Entry]:
    """Every check, derive operator, kind and rule."""
    return [entry(folder, name, kind) for folder in FOLDERS for name, kind in load(folder).items()]


def entry(folder: str, name: str, kind: Any) -> Entry:
    """What is known of one algorithm."""
    says = (getdoc(kind) or "").partition("\n>>>")[0]
    found = EXAMPLE.search(says)
    example = dedent(found[1]).strip() if found else ""
    says = EXAMPLE.sub("", says)
    says, _, source = says.partition("Source:")
    first, _, more = says.partition("\n\n")
    head, _, rest = first.replace("\n", " ").partition(". ")
    more = "\n\n".join(filter(None, [rest, more.strip()]))
    return Entry(folder, name, head.rstrip(".") + ".", more.strip(), example, " ".join(source.split()), tuple(written(kind)),
                 coded(kind), looks(kind), getattr(kind, "score_unit", ""), str(getattr(kind, "fitted", "") or ""))


def default(param: Param) -> str:
    """What holds where a pack says nothing."""
    value = param.default
    if param.required:
        return "must be given"
    row = value if isinstance(value, tuple) else (value,)
    if all(v != v for v in row):
        return "off"
    words = [word for word, number in param.words if number == value]
    return words[0] if words else ", ".join("off" if v != v else f"{v:g}" for v in row)


def bounds(param: Param) -> str:
    """Its range in words; "" when there is none."""
    words = ", ".join(f"`{word}`" for word, _ in param.words)
    low, high = (None if abs(v) == inf else f"{v:g}" for v in (param.low, param.high))
    said = f"{low} to {high}" if low and high else f"at least {low}" if low else f"at most {high}" if high else ""
    return ", or ".join(filter(None, [" ".join(filter(None, ["whole," if param.integer else "", said])).rstrip(","), words]))


def unit(param: Param) -> str:
    """What its numbers are in."""
    many = f"{param.least} to {param.size}" if param.least else f"{param.size}"
    return (f"{many} × " if param.size > 1 else "") + UNITS.get(param.unit, param.unit)


def handbook() -> str:
    """The whole text."""
    parts = [INTRODUCTION, walk_through(), "## pack.yaml", *map(_block, grammar.BLOCKS.values())]
    parts += ["## CSV files", *map(_block, citygrammar.SHEETS.values()), "## tests.yaml", *map(_block, grammar.TESTED.values())]
    parts += ["## city", *map(_block, citygrammar.CITY.values()), CHANNELS]
    for folder, (title, says) in FOLDERS.items():
        mine = [e for e in entries() if e.folder == folder]
        parts += [f"## {title}", says, " · ".join(f"[{e.name}](#{folder}-{e.name})" for e in mine), *map(_entry, mine)]
    return "\n\n".join(filter(None, parts)) + "\n"


def walk_through() -> str:
    """The files of `walkthrough/`, which a test takes live, as text."""
    parts = [WALKTHROUGH]
    for name in ("pack.yaml", "sites.csv", "tests.yaml", "commands.sh"):
        text = (WALK / name).read_text("utf-8").rstrip()
        title = "Then" if name == "commands.sh" else f"`configs/packs/tunnel/{name}`"
        parts.append(f"{title}:\n\n```{Path(name).suffix[1:]}\n{text}\n```")
    return "\n\n".join([*parts, AFTER])


def _block(block: Block) -> str:
    rows = [(f"`{key.name}`" + (" **must**" if key.must else ""), _takes(key.takes), key.doc) for key in block.keys]
    return f"{block.doc}\n\n{_table(('key', 'takes', 'what for'), rows)}"


def _takes(word: str) -> str:
    return " or ".join(_plain(part.strip()) for part in word.split(" | "))


def _plain(word: str) -> str:
    head, _, rest = word.partition(" ")
    if word.startswith("["):
        return ", ".join(f"`{w}`" for w in word[1:-1].split())
    if word.startswith("{"):
        return word[1:-1].replace(".shared", "").replace("_", " ")
    said = {"list": "list of ", "full": "list of ", "some": "one or a list of ", "map": "by name: "}.get(head)
    return said + _plain(rest) if said else word.replace("_", " ")


def _entry(e: Entry) -> str:
    rows = [(f"`{name}`", *row) for name, *row in e.rows]
    fitted = FITTED.get(e.fitted, "")
    score = f"Score: {UNITS[e.score]}." if e.folder == "kinds" else ""
    return "\n\n".join(filter(None, [
        f'<a id="{e.folder}-{e.name}"></a>\n### {_headed(e)}', f"**{e.first}** {score}".rstrip(), _escaped(e.more), fitted,
        _table(("parameter", "unit", "default", "range", "what for"), rows) if rows else "",
        f"```yaml\n{e.example}\n```" if e.example else "", f"Source: {e.source}" if e.source else ""]))


def _headed(e: Entry) -> str:
    zh = algorithm(e.folder, e.name, "zh")
    return e.name if zh == e.name else f"{e.name} · {zh}"


def _escaped(text: str) -> str:
    """Paragraphs as they are; indented parts are code to Markdown anyway."""
    return text.replace("*", "\\*")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head), tuple("---" for _ in tuple(head)), *map(tuple, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


BESIDE = "indicators of the same site that it looks at as well"
EXPRESSION = "+ - * / ( ) < <= > >= and functions, over the names it may use"
FITTED = {"must": "It must be fitted from history: `wanglou fit`.", "may": "It may be fitted from history: `fit:`."}
WALK = Path(__file__).parent / "walkthrough"

INTRODUCTION = """# configs: what the city watches

Made by `wanglou kinds --write` from the declarations that `wanglou check` uses; a test fails when it is not up to
date. Do not edit it.

A folder of configs is `packs/PACK/` (`pack.yaml`, `sites.csv`, `tests.yaml`, perhaps `episodes.csv`) for each domain,
and `city/` for what all of them share. No entry needs Python. `wanglou check` names every fault with file, line,
column and what is allowed; `wanglou test` runs the packs' own tests; `wanglou apply` puts all of it into force.
`wanglou kinds WORD` says what is below on a terminal, and the desk shows it at `/kinds`.

**Editors** complete and check with `schema.json`. The first line of a file names its part:

```yaml
# yaml-language-server: $schema=../../schema.json#/$defs/pack
```

or `tests`; under `city/` it is `../schema.json#/$defs/posts`, `ladders`, `routes`, `feeds`, `channels`, `duty`,
`messages`, `publish`, `mutes` or `units`.

**Numbers** are plain, with a unit (`5 cm`, `0.5 m/h`, `80 %`), or an expression over columns of sites.csv such as
`warning - 0.2` or `"rise * 2 [m/h]"`, so a limit may differ from site to site; where a cell is empty, it is off.
**Times** are `90s`, `5min`, `12h`, `7d`; a month has no fixed length and is refused.
**Text for people** is `{zh: 中文, en: English}`."""

WALKTHROUGH = """## A new indicator, watched and live

Three small files and four commands. A test runs exactly these against the whole product."""

AFTER = """The feed takes up a new plan within seconds; then the warning stands on the desk, and its post is called.
`wanglou kinds` lists the other ways to look at a series; `scope: shadow` puts a detector on trial before it may call
anybody."""

CHANNELS = """`city/channels.yaml` has `fold:` and, by channel, the options that its own file `streams/desk/channels/NAME.py`
declares; `per_minute` stands beside them. A secret is written as the name of an environment variable,
`$WANGLOU_SECRET_…`."""
