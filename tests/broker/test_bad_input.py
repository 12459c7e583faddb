"""Bad input through the running product: a clear answer with the place, a row in `rejects`, and no other reading lost."""
from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx2
import pytest

from detectors.reading import Block
from streams import clock
from streams.packs.load import load_city

pytestmark = pytest.mark.broker
CONFIGS = Path(__file__).parents[2] / "configs"
LEVEL = 26.0


class Sender:
    """Pushes with good readings among the bad; every good one has a value of its own."""

    def __init__(self, url: str) -> None:
        self.client = httpx2.Client(base_url=url, timeout=30)
        self.good: list[float] = []
        self.refused: list[tuple[str, str]] = []
        self.now = clock.now()

    def value(self) -> float:
        """The next good value: a calm river, a millimetre higher than before."""
        self.good.append(round(LEVEL + len(self.good) / 1000, 3))
        return self.good[-1]

    def row(self, **other: Any) -> dict[str, Any]:
        """A good row, or what `other` makes of it."""
        made = {"site": "lanxi", "indicator": "river_level", "time": self.time()} | other
        return made if "value" in made or other else made | {"value": self.value()}

    def time(self) -> str:
        """Each row a second later than the one before; all of them lie behind now."""
        self.now += 1000
        return clock.iso(self.now - 60_000_000)

    def push(self, body: bytes, kind: str, status: int, accepted: int, *refused: tuple[str, str]) -> None:
        """Push; status, count and the places of all faults must be as said."""
        answer = self.client.post("/readings", content=body, headers={"content-type": kind})
        said = answer.json()
        assert (answer.status_code, said["accepted"]) == (status, accepted), answer.text[:500]
        assert [(r["reason"], r["place"]) for r in said["rejected"]] == list(refused), answer.text[:500]
        assert all(len(r["what"]) > 10 for r in said["rejected"])
        self.refused += refused


def test_bad_input_takes_nothing_with_it(chain: ModuleType, bench: Any, writer: Any) -> None:
    """Ten kinds of bad input among good readings: all good ones are in the log and in history, all bad ones in `rejects`."""
    bench.plan(load_city(CONFIGS))
    run = chain.Chain(bench, ticks="own")
    for stage in ("judge", "history"):
        run.start(stage)
    run.start("http", "feed", "http")
    url = f"http://127.0.0.1:{run.ports['http']}"
    chain.until(lambda: (chain.http(f"{url}/readyz") or {}).get("kafka"), "the feed answers")
    s = Sender(url)

    s.push(b"hello", "application/json", 422, 0, ("json", "line 1, column 1"))
    s.push(json.dumps(s.row()).encode() + b"\n{oops\n" + json.dumps(s.row()).encode() + b"\n", "application/x-ndjson", 202, 2,
           ("json", "line 2, column 2"))
    bad = [s.row(site="lanxj", value=1.0), s.row(indicator="river_lvl", value=1.0), s.row(value="26.5"),
           s.row(value=float("nan")), s.row(value=1e308), s.row(time="2999-01-01T00:00:00Z", value=1.0), s.row(time="2026-06-19T09:05:00", value=1.0)]
    mixed = [row for one in bad for row in (one, s.row())]
    s.push(json.dumps(mixed).encode(), "application/json", 202, 7, ("site", "[0].site"), ("indicator", "[2].indicator"),
           ("number", "[4].value"), ("nan", "[6].value"), ("number", "[8].value"), ("future", "[10].time"), ("zone", "[12].time"))
    s.push(b"[" + b" " * 10_000_001 + b"]", "application/json", 413, 0, ("size", ""))
    head = "time,site,indicator,value\n"
    lines = (f"{s.time()},lanxi,river_level,{s.value()}", f"{s.time()},兰溪站,river_level,1", f"{s.time()},lanxi,river_level,{s.value()}")
    gbk = head + "\n".join(lines) + "\n"
    s.push(gbk.encode("gbk"), "text/csv", 202, 2, ("site", "line 3, site"))
    torn = head + f"{s.time()},lanxi,river_level,{s.value()}\n{s.time()},lanxi,riv"
    s.push(torn.encode(), "text/csv", 202, 1, ("torn", "line 3"))
    writer.bytes(1, b"no record of ours")
    writer.producer.flush()
    s.push(json.dumps([s.row()]).encode(), "application/json", 202, 1)

    found = [float(x) for _, _, r in bench.records_readable("readings") if isinstance(r, Block) for x in r.x]
    assert found == s.good
    chain.until(lambda: [r[0] for r in chain.rows(bench.settings.history_url, "SELECT value FROM reading ORDER BY t")] == s.good,
                "every good reading in history")
    chain.until(lambda: len(run.rejects()) == len(s.refused) + 1, "every bad one in rejects")
    by_feed = [(r["reason"], r["place"]) for r in run.rejects() if r["feed"] == "http"]
    by_judge = [r for r in run.rejects() if r["feed"] != "http"]
    assert by_feed == s.refused
    assert by_judge[0]["reason"] == "undecodable" and by_judge[0]["source"].endswith("readings/1")
    s.client.close()
    run.stop("http", "judge", "history")
