"""`wanglou audit verify` finds every way to tamper with the audit, names the first row, and exits with 1."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from streams.desk.verify import verify

TAMPER = {
    "a word changed": ("UPDATE audit SET post = 'leader' WHERE seq = 3", 3),
    "evidence changed": ("UPDATE audit SET what = '{\"to\": 1}' WHERE seq = 2", 2),
    "a time changed": ("UPDATE audit SET at = at + 1 WHERE seq = 4", 4),
    "a row dropped": ("DELETE FROM audit WHERE seq = 2", 2),
    "the first row dropped": ("DELETE FROM audit WHERE seq = 1", 1),
    "the last row dropped": ("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)", 6),
    "a row moved": ("UPDATE audit SET seq = 99 WHERE seq = 3", 3),
    "a row slipped in": ("INSERT INTO audit (seq, at, alert, act, post, what, prev_hash, hash) SELECT 7, at, alert, act, post, what, hash, "
                         "'00' FROM audit WHERE seq = 6", 7),
    "a hash changed": ("UPDATE audit SET hash = 'ff' WHERE seq = 5", 5),
    "all dropped": ("DELETE FROM audit", 1),
}


@pytest.fixture
def told(bench: Any, change: Callable[..., Any]) -> Any:
    """A desk with six audit rows."""
    bench.put(red := change("river_level", "lanxi", 2))
    bench.deliver()
    bench.do(red.alert, "answer", "duty")
    while bench.store.head() < 6:
        bench.do(red.alert, "news", "duty", "改人工观测，每半小时一报")
    with bench.store.engine.begin() as c:
        c.execute(text("DELETE FROM audit WHERE seq > 6"))
        c.execute(text("UPDATE chain SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)"))
    return bench


@pytest.mark.parametrize(("query", "row"), TAMPER.values(), ids=list(TAMPER))
def test_every_change_is_found_at_its_first_row(told: Any, query: str, row: int) -> None:
    """Whole before, broken after, at that row, with words."""
    with told.store.read() as s:
        before = verify(s)
    assert (before.rows, before.broken, before.why) == (6, 0, "")
    with told.store.engine.begin() as c:
        assert c.execute(text(query)).rowcount
    with told.store.read() as s:
        after = verify(s)
    assert (after.broken, after.rows) == (row, row - 1) and after.why


def run(told: Any, *words: str) -> tuple[int, str]:
    """The command, as a process."""
    url = told.store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", "from streams.cli import main; main()", "audit", "verify", "--url", url, *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=os.environ | {"NO_COLOR": "1"})
    return done.returncode, done.stdout + done.stderr


def test_the_command_says_so(told: Any, tmp_path: Any) -> None:
    """0 and the hash to note; 1 with the row; a chain computed anew does not have the hash that was noted; 2 without an audit."""
    code, said = run(told, "--json")
    head = json.loads(said)["head"]
    assert code == 0 and run(told, "--head", head)[0] == 0
    code, words = run(told, "--head", "0" * 32)
    assert code == 1 and "0" * 32 in words
    with told.store.engine.begin() as c:
        c.execute(text(TAMPER["a word changed"][0]))
    code, said = run(told, "--json")
    assert code == 1 and json.loads(said)["broken"] == 3
    assert "row 3 does not fit" in run(told)[1]
    command = [sys.executable, "-c", "from streams.cli import main; main()", "audit", "verify", "--url", f"sqlite:///{tmp_path}/none.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2 and "no audit" in done.stderr and "Traceback" not in done.stderr
