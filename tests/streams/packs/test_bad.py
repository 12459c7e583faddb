"""Wrong configs are files named by the fault; their first lines say what must be said of them.

`<file>.<fault>.bad.<ext>` replaces one file of base/ (`pack` is that of basin). Each `# ` line before the content is
one expected fault, `line:column: what` (another file's name first where it is said of that one); `…` ends a message
whose list of allowed words grows with the product.
"""
import shutil
from pathlib import Path

import pytest

from streams.errors import ConfigError
from streams.packs import load_city

HERE = Path(__file__).parent
FIXTURES = sorted((HERE / "bad").iterdir())


def place(fixture):
    """The file that a fixture stands for."""
    stem, extension = fixture.name.split(".")[0], fixture.suffix
    return f"packs/basin/{stem}{extension}" if stem in ("pack", "sites") else f"city/{stem}{extension}"


def expected(fixture):
    """The messages in the first lines."""
    lines = fixture.read_text("utf-8").splitlines()
    count = next((i for i, line in enumerate(lines) if not line.startswith("# ")), len(lines))
    return [line[2:] for line in lines[:count]]


def said(folder, at):
    """What the loader says, as fixtures write it."""
    with pytest.raises(ConfigError) as raised:
        load_city(folder)
    texts = [str(fault).replace(f"{folder}/", "") for fault in raised.value.faults]
    return [text.removeprefix(f"{at}:") for text in texts]


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda f: f.name)
def test_each_fault_is_said_with_its_place(fixture, tmp_path):
    """All faults of a wrong config come at once, each with its place, what was got and what is allowed."""
    want = expected(fixture)
    assert want, f"{fixture.name} does not say what is expected of it"
    folder = tmp_path / "configs"
    shutil.copytree(HERE / "base", folder)
    shutil.copy(fixture, folder / place(fixture))
    got = said(folder, place(fixture))
    assert [g if not w.endswith("…") else g[:len(w) - 1] + "…" for g, w in zip(got, want, strict=True)] == want


def test_every_fixture_stands_for_a_file():
    """No fixture is left out because of its name, and the base itself is right."""
    assert all(f.name.count(".") == 3 and f.name.split(".")[2] == "bad" for f in FIXTURES)
    assert len(FIXTURES) > 80
    load_city(HERE / "base")
