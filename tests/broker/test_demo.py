"""The demo as a newcomer starts it: the whole story within a minute, and nothing is left behind."""
from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.broker
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(240)
def test_a_minute_of_storm(tmp_path: Path, kafka: Any) -> None:
    """`wanglou demo --seconds 60 --json` exits 0, each part of the story happened, and no process of it is left."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WANGLOU_")}
    done = subprocess.run([sys.executable, "-m", "streams", "demo", "--seconds", "60", "--json", "--port", "0",
                           "--work", str(tmp_path / "demo"), "--configs", str(ROOT / "configs")],
                          capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    told = json.loads(done.stdout)

    assert told["story"] is True and all(told["parts"].values())
    assert told["rejects"] == 0 and min(told[k] for k in ("readings", "levels", "events", "alerts", "answered", "deliveries")) > 0
    assert done.stderr.startswith("Broker: Apache Kafka")
    left = subprocess.run(["pgrep", "-f", str(tmp_path / "demo")], capture_output=True, text=True, check=False)
    assert left.stdout == ""
