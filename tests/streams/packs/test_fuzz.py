"""Whatever people write, the loader answers with faults or a city, never with a traceback."""
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detectors.plan import Plan
from streams.packs import Checked, check_city

GOOD = Path(__file__).parent / "good"
FILES = ["packs/basin/pack.yaml", "city/ladders.yaml", "city/routes.yaml", "city/posts.yaml", "city/feeds.yaml"]
ODD = st.sampled_from([
    None, True, [], {}, "", "x", -1, 0, 1.5, "5 m/h", "12h", "warning -", [1, "a"], {"zh": 1}, [[1]], {"a": {"b": []}},
    "rain/rain", "stage", "basin/stage", float("inf"), float("nan"), 10 ** 30, "1e999", "@", [None]])


def places(value, path=()):
    """Every place inside a document."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def changed(value, path, odd):
    """The document with something else at one place."""
    if not path:
        return odd
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(copy[path[0]], path[1:], odd)
    return copy


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the good folder that may be spoilt."""
    made = tmp_path_factory.mktemp("fuzz") / "configs"
    shutil.copytree(GOOD, made)
    return made


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_an_odd_value_anywhere_is_a_fault_or_fine(folder, data):
    """Any place of any file may hold a value of another sort: faults with a file and a line, or a plan."""
    name = data.draw(st.sampled_from(FILES))
    good = yaml.safe_load((GOOD / name).read_text("utf-8"))
    path = data.draw(st.sampled_from(list(places(good))))
    try:
        (folder / name).write_text(yaml.safe_dump(changed(good, path, data.draw(ODD)), allow_unicode=True), "utf-8")
        checked = check_city(folder)
    finally:
        shutil.copy(GOOD / name, folder / name)
    assert isinstance(checked, Checked)
    if not checked.faults:
        assert Plan(checked.city).series
    assert all(fault.file.startswith(str(folder)) and fault.line >= 1 and fault.column >= 1 for fault in checked.faults)


@given(text=st.text(max_size=200))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", ["packs/basin/sites.csv", "city/areas.csv", "packs/basin/pack.yaml"])
def test_any_text_as_a_file(folder, name, text):
    """A file of any characters at all is read or refused."""
    try:
        (folder / name).write_text(text, "utf-8")
        assert isinstance(check_city(folder), Checked)
    finally:
        shutil.copy(GOOD / name, folder / name)
