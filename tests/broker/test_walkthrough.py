"""An analyst without Python adds a detector for a new indicator, tests it and takes it live: the files and commands of the handbook."""
from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HOME = Path(__file__).parents[2]
WALK = HOME / "streams/packs/walkthrough"
pytestmark = [pytest.mark.broker, pytest.mark.timeout(300)]


def test_from_fifteen_lines_to_a_warning(bench: Any, chain: ModuleType, tmp_path: Path) -> None:
    """The stages run on the shipped plan; check, test, apply and one reading later the desk has the warning with its place and ladder."""
    configs = tmp_path / "configs"
    shutil.copytree(HOME / "configs", configs)
    run = chain.Chain(bench, ticks="own", more={"CANARY_SECONDS": "0"})
    env = bench.environment(DATA=str(bench.settings.data), CONFIGS=str(configs))
    env |= {"FEED": f"http://127.0.0.1:{run.ports['http']}", "PATH": f"{Path(sys.executable).parent}:{env['PATH']}"}
    words = [*chain.WANGLOU, "apply", "--no-tests"]
    subprocess.run(words, env=env, check=True, capture_output=True, timeout=120)
    for stage in ("judge", "combine", "desk"):
        run.start(stage)
    run.start("http", "feed", "http")

    pack = configs / "packs/tunnel"
    pack.mkdir()
    for name in ("pack.yaml", "sites.csv", "tests.yaml"):
        shutil.copy(WALK / name, pack)
    lines = (WALK / "commands.sh").read_text("utf-8").replace("\\\n", " ").splitlines()
    said = [shell(line, env) for line in lines[:-1]]
    assert [code for code, _ in said] == [0, 0, 0], said
    assert "0 faults" in said[0][1] and "0 not covered" in said[1][1] and "tunnel" in said[2][1]

    chain.until(lambda: shell(lines[-1], env)[0] == 0, "the feed has taken up the new plan", 60, 1.0)
    desk = f"http://127.0.0.1:{run.ports['desk']}"
    found = chain.until(lambda: [a for a in chain.http(f"{desk}/api/alerts?open=true") or () if a["pack"] == "tunnel"], "the warning", 60)
    assert [(a["detector"], a["site"], a["level"], a["value"]) for a in found] == [("tunnel/depth", "north", "red", 28.0)]
    assert found[0]["ladder"] == "general"
    run.stop("http", "judge", "combine", "desk")


def shell(line: str, env: dict[str, str]) -> tuple[int, str]:
    """One command as an analyst types it."""
    done = subprocess.run(["bash", "-c", line], env=env, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr
