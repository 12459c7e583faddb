"""The generated catalogue is up to date, says all that the loader allows, and refuses what a schema can refuse."""
from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from detectors.registry import FOLDERS, load
from streams.cli import main
from streams.packs import nodes
from streams.packs.faults import Faults
from streams.packs.handbook import entries, handbook, walk_through
from streams.packs.nodes import Node
from streams.packs.schema import document_text, schema

HOME = Path(__file__).parents[3]
CONFIGS = HOME / "configs"
HERE = Path(__file__).parent
WHOLE = schema()
VALIDATORS = {name: jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": WHOLE["$defs"]}) for name in WHOLE["$defs"]}
GOOD = [path for root in (CONFIGS, HERE / "good", HERE / "base") for path in sorted(root.glob("*/**/*.yaml"))
        if path.parent.name != "scenarios"]
REFUSED = {"pack.check_list_too_short", "pack.check_parameter", "pack.check_twelve_numbers", "pack.clear_of_both",
           "pack.clear_without_side", "pack.default_unknown", "pack.derive_coverage", "pack.derive_missing_parameter",
           "pack.expr_missing", "pack.indicator_key", "pack.indicator_name", "pack.keep", "pack.kind_parameter",
           "pack.kind_parameter_missing", "pack.kind_parameter_bounds", "pack.kind_parameter_not_whole", "pack.level_key",
           "pack.level_without_side", "pack.month_as_duration", "pack.name_with_slash", "pack.no_grammar", "pack.no_id",
           "pack.no_kind", "pack.no_levels", "pack.not_a_mapping", "pack.other_grammar", "pack.reach_of_no_forecast",
           "pack.rule_incomplete", "channels.unknown_option", "duty.unknown_words", "feeds.unknown_transport",
           "ladders.no_step", "ladders.not_a_list", "ladders.unknown_channel"}
"""Faults of tests/streams/packs/bad that need no knowledge of the city: an editor shows them while one types."""


def plain(node: Node) -> Any:
    """A node as JSON has it."""
    if isinstance(node.value, dict):
        return {key: plain(inside) for key, inside in node.fields.items()}
    return [plain(item) for item in node.items] if isinstance(node.value, list) else node.value


def wrong(path: Path) -> list[str]:
    """What the schema says against a file."""
    node = nodes.read(path, Faults())
    assert node is not None
    return [f"{'/'.join(map(str, e.absolute_path))}: {e.message}" for e in VALIDATORS[path.name.split(".")[0]].iter_errors(plain(node))]


@pytest.mark.parametrize(("name", "made"), [("README.md", handbook), ("schema.json", document_text)])
def test_what_is_shipped_is_what_is_made(name: str, made: Any) -> None:
    """`wanglou kinds --write` was run after the last change."""
    assert (CONFIGS / name).read_text("utf-8") == made(), "run wanglou kinds --write"


def test_it_is_a_schema() -> None:
    """Draft 2020-12 knows every word of it, and every reference leads somewhere."""
    jsonschema.Draft202012Validator.check_schema(WHOLE)
    asked = {ref for ref in references(WHOLE) if ref.startswith("#/$defs/")}
    assert {ref.removeprefix("#/$defs/") for ref in asked} <= set(WHOLE["$defs"])


def references(value: Any) -> Iterator[str]:
    """Every `$ref` in it."""
    if isinstance(value, dict):
        yield from (v for k, v in value.items() if k == "$ref")
        yield from (ref for v in value.values() for ref in references(v))
    elif isinstance(value, list):
        yield from (ref for v in value for ref in references(v))


@pytest.mark.parametrize("path", GOOD, ids=lambda p: "/".join(p.parts[-3:]))
def test_every_good_file_passes(path: Path) -> None:
    """What is shipped, and what the loader takes in its own tests."""
    assert wrong(path) == []


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_broken_file_is_refused(name: str) -> None:
    """Where no knowledge of the city is needed."""
    assert wrong(HERE / "bad" / f"{name}.bad.yaml")


def test_every_algorithm_says_all() -> None:
    """Each of the registry is there with a source, an example and a limit to its use, and names each of its parameters."""
    found, text = entries(), handbook()
    assert {(e.folder, e.name) for e in found} == {(folder, name) for folder in FOLDERS for name in load(folder)}
    lacking = [e.name for e in found if not (e.source and e.example and "not" in f"{e.first} {e.more}".lower())]
    assert lacking == []
    assert all(f"### {e.name}" in text and e.example in text for e in found)


def test_the_command_writes_searches_and_explains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                  capsys: pytest.CaptureFixture[str]) -> None:
    """--write makes both files; a word that is no name lists what speaks of it; JSON for programs."""
    def said(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["wanglou", "kinds", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    said("--write", "--configs", str(tmp_path))
    assert (tmp_path / "README.md").read_text("utf-8") == handbook()
    json.loads((tmp_path / "schema.json").read_text("utf-8"))
    assert "outbreak" not in load("kinds")
    listed = said("outbreak")
    assert "  ears " in listed and "  threshold " not in listed
    assert {d["folder"] for d in json.loads(said("flood", "--json"))} >= {"kinds", "rules"}


def test_the_walk_through_is_in_the_text_and_short() -> None:
    """An analyst's first detector is at most fifteen lines of YAML, and stands in the handbook as it is run."""
    lines = (HOME / "streams/packs/walkthrough/pack.yaml").read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip() and not line.startswith("#")]) <= 15
    assert walk_through() in handbook()
