"""A real Prometheus scrapes every process while the storm is played: no panel is empty, and the second path for red is loaded."""
from __future__ import annotations

import json
import shutil
import urllib.request
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from streams.grafana import verify
from streams.packs.load import load_city

HOME = Path(__file__).parents[2]
STAGES = ("judge", "combine", "history", "desk")
pytestmark = [pytest.mark.broker, pytest.mark.skipif(shutil.which("prometheus") is None,
                                                     reason="prometheus is missing: apt-get install prometheus")]


def loaded(url: str) -> dict[str, dict[str, Any]]:
    """The alerting rules that Prometheus has, by name."""
    with urllib.request.urlopen(f"{url}/api/v1/rules", timeout=10) as answer:
        groups = json.load(answer)["data"]["groups"]
    return {rule["name"]: rule for group in groups for rule in group["rules"] if rule["type"] == "alerting"}


def test_every_panel_shows_the_storm(chain: ModuleType, bench: Any, tmp_path: Path) -> None:
    """Each query of both walls answers with something while the storm is played; a red not taken is seen; rules evaluate."""
    folder = tmp_path / "configs"
    shutil.copytree(HOME / "configs", folder)
    shutil.copy(folder / "city" / "scenarios" / "ladders.yaml", folder / "city" / "ladders.yaml")
    bench.plan(load_city(folder))
    run = chain.Chain(bench)
    for stage in STAGES:
        run.start(stage)
    run.start("play", "feed", "play", str(folder / "city" / "scenarios" / "storm.yaml"), "--speed", "600")
    targets = {f"wanglou-{'feed' if name == 'play' else name}": [f"127.0.0.1:{run.ports[name]}"] for name in (*STAGES, "play")}
    empty: dict[str, str] = {query.expr: query.panel for query in verify.queries() if query.panel not in verify.MAY_BE_EMPTY}
    assert len(empty) > 15

    def all_answered() -> bool:
        for asked in verify.query_all(url):
            if asked.results:
                empty.pop(asked.expr, None)
        return not empty

    with verify.start_prometheus(targets, tmp_path / "prometheus", [HOME / "deploy" / "prometheus" / "rules.yml"]) as url:
        try:
            chain.until(all_answered, "every panel has something to show", 45, 1.0)
        except AssertionError:
            raise AssertionError(f"panels without a value: {empty}") from None
        red = chain.until(lambda: verify.ask(url, 'time() - min(wanglou_unanswered_since_timestamp_seconds{level="red"})'),
                          "a red that nobody has taken is seen")
        rules = loaded(url)
        open_now = verify.ask(url, 'sum(wanglou_alerts_open{level="red", scope="real"})')
    assert float(red[0]["value"][1]) >= 0 and float(open_now[0]["value"][1]) >= 1
    assert {"RedNotTaken", "RedWithoutWarning", "ProcessDown"} <= set(rules)
    assert {rule["health"] for rule in rules.values()} <= {"ok", "unknown"} and rules["RedNotTaken"]["health"] == "ok"
    run.stop("play", *STAGES)
