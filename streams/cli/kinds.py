"""`wanglou kinds`: the checks, derive operators, kinds and rules that exist, from their own files."""
from __future__ import annotations

import json
from inspect import getdoc
from math import inf
from pathlib import Path
from typing import Annotated, Any

import typer

from streams.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("kinds")(kinds)


def kinds(name: Annotated[str | None, typer.Argument(help="explain this one, or list those that speak of this word")] = None,
          write: Annotated[bool, typer.Option(help="Write README.md and schema.json of the configs folder.")] = False,
          configs: Annotated[Path | None, typer.Option(help="Folder of configs.")] = None,
          as_json: Annotated[bool, typer.Option("--json", help="JSON")] = False) -> None:
    """List what packs may use: checks, derive operators, kinds, rules; with a name, its parameters, units and defaults."""
    from detectors.registry import FOLDERS, load
    from streams.packs.faults import meant

    if write:
        print("\n".join(map(str, written_into(configs))))
        return
    every = [(folder, word, kind) for folder in FOLDERS for word, kind in load(folder).items()]
    exact = [entry for entry in every if name in (None, entry[1])]
    found = exact or [entry for entry in every if str(name).lower() in json.dumps(document(*entry), ensure_ascii=False).lower()]
    if not found:
        raise UsageError(f"unknown kind {name!r}{meant(str(name), [word for _, word, _ in every])}")
    documents = [document(*entry) for entry in found]
    if as_json:
        print(json.dumps(documents, ensure_ascii=False))
    elif name is None or not exact:
        print("\n".join(listing(documents)))
    else:
        print("\n\n".join(map(explained, documents)))


def written_into(configs: Path | None) -> list[Path]:
    """The generated files of a configs folder, written anew."""
    from streams.packs import find_configs
    from streams.packs.handbook import handbook
    from streams.packs.schema import document_text

    folder = find_configs(configs)
    made = {folder / "README.md": handbook(), folder / "schema.json": document_text()}
    for path, text in made.items():
        path.write_text(text, "utf-8")
    return list(made)


def document(folder: str, word: str, kind: Any) -> dict[str, Any]:
    """All that is known of one algorithm."""
    from streams.desk.words import LANGS, algorithm
    from streams.packs.params import written
    from streams.packs.programs import KEY, coded

    text = [{"name": KEY, "unit": "text", "size": 1, "required": True, "default": None, "low": None, "high": None,
             "resets": True, "words": [],
             "doc": "+ - * / ( ) < <= > >= and functions, over the names it may use"}] if coded(kind) else []
    title = {lang: algorithm(folder, word, lang) for lang in LANGS}
    return {"folder": folder, "name": word, "title": title, "says": (getdoc(kind) or "").partition("\n>>>")[0].strip(),
            "score": getattr(kind, "score_unit", None), "fitted": getattr(kind, "fitted", None),
            "parameters": text + [{"name": p.name, "unit": p.unit or "plain", "size": p.size, "required": p.required,
                            "default": _plain(p.default), "low": _plain(p.low), "high": _plain(p.high), "resets": p.reset,
                            "words": [word for word, _ in p.words],
                            "doc": p.doc} for p in written(kind)]}


def listing(documents: list[dict[str, Any]]) -> list[str]:
    """One line each, under the folder's name."""
    lines, width = [], max(len(d["name"]) for d in documents) + 2
    for i, each in enumerate(documents):
        if not i or documents[i - 1]["folder"] != each["folder"]:
            lines += [""] * bool(i) + [each["folder"]]
        lines.append(f"  {each['name']:<{width}}{_zh(each)}{each['says'].splitlines()[0]}")
    return lines


def explained(each: dict[str, Any]) -> str:
    """One algorithm with its parameters."""
    fitted = {"must": "must be fitted from history (`wanglou fit`)", "may": "may be fitted from history (`fit:`)"}
    says = [fitted[each["fitted"]], ""] if each["fitted"] else []
    lines = [f"{each['name']}  {_zh(each)}({each['folder']})", "", each["says"], "", *says]
    for p in each["parameters"]:
        default = "must be given" if p["required"] else "off" if p["default"] is None else f"default {p['default']}"
        bounds = [f"{word} {p[key]:g}" for word, key in (("at least", "low"), ("at most", "high")) if p[key] is not None]
        size = f"{p['size']} × " if p["size"] > 1 else ""
        kept = "" if p["resets"] else "a change keeps the state"
        words = f"or {', '.join(p['words'])}" if p["words"] else ""
        lines.append("; ".join(filter(None, [f"  {p['name']}: {size}{p['unit']}", default, *bounds, words, kept, p["doc"]])))
    return "\n".join(lines if each["parameters"] else [*lines, "  no parameters"])


def _zh(each: dict[str, Any]) -> str:
    """Its Chinese title where it has one."""
    zh = str(each["title"]["zh"])
    return "" if zh == each["name"] else f"{zh}  "


def _plain(value: Any) -> Any:
    """JSON has no infinity and no NaN: both are null."""
    if isinstance(value, tuple):
        row = [_plain(v) for v in value]
        return None if all(v is None for v in row) else row
    return None if value is None or value in (inf, -inf) or value != value else value
