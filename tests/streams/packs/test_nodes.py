"""Strict YAML: the core schema's words, and a place for each node."""
import pytest

from streams.packs.faults import Faults, Place
from streams.packs.nodes import parse, read


def value(text):
    """The plain value of `x: text`."""
    faults = Faults()
    node = parse(f"x: {text}\n", "f", faults)
    assert not faults.items
    return node.fields["x"].value


@pytest.mark.parametrize(("text", "want"), [
    ("on", "on"), ("yes", "yes"), ("12:30", "12:30"), ("2026-01-01", "2026-01-01"), ("1_000", "1_000"), ("true", True),
    ("null", None),
    ("~", None), ("", None), ("12", 12), ("-3", -3), ("1.5", 1.5), ("1e3", 1000.0), (".inf", float("inf")),
    ("-.inf", float("-inf")),
    ("'12'", "12"), ("0", 0), ("0.5", 0.5), ("0x10", "0x10"), ("5 m/h", "5 m/h"),
])
def test_scalars(text, want):
    """Only what the core schema calls a number, a boolean or null is one; all other words are text."""
    got = value(text)
    assert got == want and type(got) is type(want)


def test_places():
    """Lines and columns count from 1, in characters; a quoted text starts one column later."""
    node = parse("河道: {水位: 5, a: '6'}\nb:\n  - 7\n", "f", Faults())
    inner = node.fields["河道"]
    assert inner.keys["水位"] == Place("f", 1, 6)
    assert inner.fields["水位"].place == Place("f", 1, 10)
    assert (inner.fields["a"].place, inner.fields["a"].inside) == (Place("f", 1, 16), 1)
    assert node.fields["b"].items[0].place == Place("f", 3, 5)


@pytest.mark.parametrize(("text", "what"), [
    ("a: 012\n", "leading zero"), ("a: -00.5\n", "leading zero"),
    ("a: 1\na: 2\n", "duplicate key 'a', first at line 1"), ("[1]: 2\n", "a key must be"),
    ("a: !x 1\n", "tags"), ("a: &a [*a]\n", "alias"), ("a: *b\n", "not YAML"), ("--- 1\n--- 2\n", "not YAML"),
    ("", "empty file"),
    ("a: [1\n", "not YAML"), ("a: {<<: {b: 1}}\n", "merge keys"), ("\ta: 1\n", "not YAML"), ("[" * 20000, ""),
])
def test_what_is_refused(text, what):
    """What YAML would quietly take, and what is no YAML, is a fault with its place."""
    faults = Faults()
    parse(text, "f", faults)
    assert any(what in fault.what for fault in faults.items)


def test_a_file_that_cannot_be_read(tmp_path):
    """Not UTF-8, and not there, are faults of the file."""
    (tmp_path / "gbk.yaml").write_bytes("a: 河道水位站\n".encode("gbk"))
    faults = Faults()
    assert read(tmp_path / "gbk.yaml", faults) is None and read(tmp_path / "none.yaml", faults) is None
    assert ["not UTF-8" in f.what or "cannot be read" in f.what for f in faults.items] == [True, True]
