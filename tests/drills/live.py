"""The product as processes under a steady load, and its logs compared with an uninterrupted run over what was accepted."""
from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from math import sin
from pathlib import Path
from threading import Event, Thread
from time import sleep
from typing import Any

from detectors.event import Change
from detectors.reading import Block
from streams import clock
from streams.broker import free_port
from streams.codec import Changes, decode
from streams.topics import lengths
from streams.worker.combining import Combining
from streams.worker.ledger import Place, Taken

tools: Any = __import__("sys").modules["wanglou_drills_tools"]


def storm(k: int, n: int) -> float:
    """Height of gauge k in round n: across the limits and back, sometimes doubtful, sometimes impossible."""
    return 24 + 7 * sin(n / 24 + k) + (20 if (n + k) % 97 == 0 else 0) + (99 if (n + k) % 151 == 0 else 0)


class Load:
    """Readings of all gauges every 40 ms, in a thread; what was written is remembered. `height` None = that gauge is silent."""

    def __init__(self, writer: Any, sites: list[str], height: Callable[[int, int], float | None] = storm, pause: float = 0.04) -> None:
        self.writer, self.sites, self.height, self.pause = writer, sites, height, pause
        self.ended, self.written = Event(), Counter[tuple[str, int]]()
        self.thread = Thread(target=self._blow, daemon=True)

    def _blow(self) -> None:
        for n in count():
            rows = [(site, x) for k, site in enumerate(self.sites) if (x := self.height(k, n)) is not None]
            now = clock.now()
            self.writer.write(rows, now)
            self.written.update((f"level@{site}", now) for site, _ in rows)
            if self.ended.wait(self.pause):
                break
        self.writer.producer.flush()

    def __enter__(self) -> Load:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join()


class Live:
    """Judges, combine and desk over one set of topics; the desk's ladders run on the wall clock."""

    def __init__(self, ground: Any, city: Any, partitions: int = 2, ticks: str = "own", **settings: Any) -> None:
        self.ground, self.bench = ground, ground.bench(partitions, **settings)
        self.city, self.cities = city, [city]
        self.run = ground.chain.Chain(self.bench, ticks)
        self.plan = self.bench.plan(city)
        self.writer = ground.writer(self.bench)

    def start(self, *names: str, **env: str) -> None:
        """Stages by name; `judge2` is another judge. Several at once start together."""
        for name in names:
            self.run.ports.setdefault(name, free_port())
            self.run.start(name, name.rstrip("0123456789"), **env)

    def patched(self, name: str, code: str, **env: str) -> None:
        """A stage with something done to it first."""
        self.run.ports.setdefault(name, free_port())
        stage = name.rstrip("0123456789")
        given = {"DATA": str(self.bench.settings.data), "TICKS": self.run.ticks, "METRICS_PORT": str(self.run.ports[name])} | env
        with (self.bench.folder / f"{stage}.log").open("ab") as log:
            command = [sys.executable, "-c", f"{code}\nfrom streams.cli import main; main()", stage]
            process = subprocess.Popen(command, stdout=log, stderr=log, env=self.bench.environment(**given))
        self.bench.started.append(process)
        self.run.running[name], self.run.words[name] = process, (stage,)

    def metric(self, name: str, of: str) -> dict[str, float]:
        """Values of a metric of one process, by its labels."""
        import httpx2

        try:
            text = httpx2.get(f"http://127.0.0.1:{self.run.ports[of]}/metrics", timeout=5).text
        except httpx2.TransportError:
            return {}
        rows = [line.rpartition(" ") for line in text.splitlines() if line.startswith(name)]
        return {labels: float(value) for labels, _, value in rows}

    def memory(self, name: str) -> float:
        """MB that a process holds."""
        text = Path(f"/proc/{self.run.running[name].pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def apply(self, city: Any) -> str:
        """Another plan, under way."""
        self.cities.append(city)
        return str(self.bench.plan(city))

    def said(self, stage: str) -> str:
        """Its log."""
        return str(self.bench.said(stage))

    def working(self, stage: str = "judge", taken: int = 1) -> None:
        """Wait until that stage has taken partitions so often."""
        words = "caught up with the log" if stage == "desk" else "partition taken"
        tools.until(lambda: (self.bench.folder / f"{stage}.log").exists() and self.said(stage).count(words) >= taken, f"{stage} works")

    def sharing(self, *names: str) -> None:
        """Wait until each of these owns a partition and reads it."""
        tools.until(lambda: all(self.metric("wanglou_lag_seconds{", name) for name in names), f"{names} share the work")

    def send(self, name: str, what: signal.Signals) -> None:
        """A signal to one process."""
        self.run.running[name].send_signal(what)

    def saved(self, topic: str, seconds: float = 180.0) -> None:
        """Wait until what is in the topic now is applied and saved by its stage."""
        ends = {p: end for (t, p), (_, end) in lengths(self.bench.settings).items() if t == topic}
        tools.until(lambda: all(self.applied().get((topic, p), -1) >= end - 1 for p, end in ends.items()),
                    f"{topic} applied up to {ends}", seconds)

    def applied(self) -> dict[tuple[str, int], int]:
        """The last offset applied and saved of judge and combine."""
        plain = {self.bench.settings.topic(name): name for name in ("readings", "levels")}      # of the generation in force
        rows = self.ground.chain.rows(self.bench.settings.state_url,
                                      "SELECT topic, partition, applied FROM position WHERE stage <> 'history'")
        return {(plain[row[0]], row[1]): row[2] for row in rows if row[0] in plain}

    def finish(self, seconds: float = 300.0) -> dict[str, float]:
        """What is in the logs is worked off and each stage ended in turn; how long each took to end."""
        took = {}
        judges = [n for n in self.run.running if n.startswith("judge")]
        self.saved("readings", seconds)
        took |= self.end(*judges)
        if "combine" in self.run.running:
            self.saved("levels", seconds)
        took |= self.end(*[n for n in ("combine", "history") if n in self.run.running])
        if "desk" in self.run.running:
            url, end = self.bench.settings.desk_url, lengths(self.bench.settings)["events", 0][1]
            asked = f"""SELECT "offset" FROM position WHERE topic = '{self.bench.settings.topic("events")}'"""
            tools.until(lambda: [1 for (at,) in self.ground.chain.rows(url, asked) if at >= end] or end == 0,
                        "the desk has folded all", seconds)
            tools.until(lambda: not self.ground.chain.rows(url, "SELECT id FROM alert WHERE open AND owed > 0"),
                        "the desk owes nobody a ladder", seconds)
            sleep(0.5)
            took |= self.end("desk")
        return took

    def end(self, *names: str) -> dict[str, float]:
        """SIGTERM together; the seconds until each was gone. A status other than 0 raises."""
        took, begun = {}, clock.monotonic()
        processes: dict[str, subprocess.Popen[bytes]] = {name: self.run.running.pop(name) for name in names}
        for process in processes.values():
            process.terminate()
        while len(took) < len(processes) and clock.monotonic() < begun + 60:
            took |= {name: clock.monotonic() - begun for name, p in processes.items() if name not in took and p.poll() is not None}
            sleep(0.02)
        for name, process in processes.items():
            status = process.wait(5)
            stage = name.rstrip("0123456789")
            assert status == 0, f"{name} ended with {status}: {self.said(stage)[-1500:]}"
        return took

    # ---- comparing -----------------------------------------------------------------------------------

    def compare(self, row: Any, written: Counter[tuple[str, int]] | None, must: bool = True,
                events: bool = True, refused: Callable[[bytes], bool] = lambda value: False) -> list[Change]:
        """The logs against an uninterrupted run over them, as far as they were applied; the events that it says."""
        row.runs += 1
        done = self.applied()
        readings, levels = ([r for r in self.bench.read(t) if r[1] <= done.get((t, r[0]), r[1])] for t in ("readings", "levels"))
        in_log = Counter((record.series[i], int(t)) for _, _, value in readings if isinstance(record := decode(value), Block)
                         for i, t in zip(record.index, record.t, strict=True))
        row.readings += in_log.total()
        if written is not None:
            row.lost += (written - in_log).total()              # accepted, and not in the log
            row.doubled += (in_log - written).total()
        machine = tools.here("machine").Machine(self.city, self.bench.settings.partitions, plain=True)
        for city in self.cities:
            machine.know(city)
        wanted = {tools.told(c) for p, _, value in readings if not refused(value)
                  for c in machine.said(p, value)}
        got = {tools.told(c) for _, _, value in levels if isinstance(record := decode(value), Changes) for c in record.changes}
        row.events += len(wanted ^ got)
        if wanted ^ got:
            row.faults.append(f"levels: {len(wanted - got)} missing, {len(got - wanted)} extra, as {sorted(wanted ^ got)[:2]}")
        if not events:                  # combine did not run
            return []
        place = Place(self.bench.settings.topic("levels"), 0)
        board = Combining(place, Taken(1), machine.library, self.bench.settings, machine.metrics)
        theirs = [c for _, offset, value in levels for out in board.apply(offset, value) if out.topic.endswith("events")
                  for c in decode(out.value).changes]
        row.events += tools.wrong([c for _, _, r in self.bench.records("events") for c in r.changes], theirs)
        loud = (any(e.to == 4 for e in theirs), any(e.rule for e in theirs))
        row.must(not must or all(loud), f"the load was too quiet to prove anything: red, rule {loud}")
        return theirs

    def calls(self, row: Any, events: list[Change]) -> list[dict[str, Any]]:
        """Alerts and calls of the desk against what the events imply; the calls that were not dropped, as the outbox has them.

        Whether calls share a message, and how fast they may go, is the desk's affair: here it counts that each is owed once.
        """
        url, rows = self.bench.settings.desk_url, self.ground.chain.rows
        implied = self.ground.chain.groups(events)
        alerts = self.run.alerts()
        row.calls += len({k: v for k, (_, v) in alerts.items()}.items() ^ implied.items())
        calls = [dict(zip(("key", "alert", "run", "n", "post", "state"), r, strict=True))
                 for r in rows(url, "SELECT key, alert, run, n, post, state FROM delivery")]
        first = {(c["alert"], c["run"]) for c in calls if c["n"] == 1}
        row.calls += len({(id_, run) for id_, run in rows(url, "SELECT id, run FROM alert WHERE level > 0")} - first)
        file = Path(self.bench.settings.data) / "calls.jsonl"
        sent = [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []
        again: set[str] = set()
        for one in sent:
            row.calls += one["key"] in again and not one["again"]
            again.add(one["key"])
        return [c for c in calls if c["state"] != "dropped"]


def brisk(**more: Any) -> Any:
    """The river at the pace of seconds."""
    return tools.river(**({"every": 1.0, "silent": 4.0, "hold": 0.3, "within": 30.0} | more))


def quiet(value: Change) -> Change:
    """Without the wall clock."""
    return replace(value, sent=0)
