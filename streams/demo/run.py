"""`wanglou demo`: start everything, play the storm, let the second post answer, say what came of it, leave nothing running."""
from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import Any

from streams import clock
from streams.broker import Broker, choose_broker, free_port
from streams.demo.processes import Processes
from streams.demo.story import SITE, Seen
from streams.demo.watch import Watch, get, sample
from streams.errors import Unavailable, WanglouError
from streams.settings import Settings, settings

SCENARIO = "city/scenarios/storm.yaml"
LADDERS = "city/scenarios/ladders.yaml"
STAGES = ("judge", "combine", "history", "desk")
PATIENCE = 2.0              # seconds that the second post lets pass before it answers, so that a watcher may be first
Say = Callable[[str], object]


@dataclass
class Demo:
    """One demo. `work` is its folder, emptied first."""

    configs: Path
    work: Path
    desk_port: int
    given: str | None           # a broker's address, else one is started
    say: Say
    ports: dict[str, int] = field(default_factory=dict)
    broker: Broker | None = None

    def run(self, seconds: float | None) -> dict[str, Any]:
        """Until Ctrl-C, or for `seconds` from the first reading; what came of it."""
        self._empty()
        stages: Processes | None = None
        watch: Watch | None = None
        try:
            self.broker = choose_broker(self.given, self.work / "broker", say=self.say)
            ours, stages = self._prepare()
            self._start(stages, ours)
            watch = Watch(ours, f"http://127.0.0.1:{self.desk_port}/metrics")
            self._play(stages)
            return self._watch(stages, watch, ours, seconds)
        finally:
            self.say("stopping")
            killed = stages.stop() if stages else []
            if watch:
                watch.close()
            if self.broker:
                self.broker.stop()
            if killed:
                self.say(f"had to be killed: {', '.join(killed)}")

    def _empty(self) -> None:
        """A new folder; a folder that is there is only removed if a demo made it."""
        mark = self.work / ".wanglou-demo"
        if self.work.exists():
            if not mark.exists() and any(self.work.iterdir()):
                raise WanglouError(f"{self.work} is not empty and was not made by a demo: give another --work")
            shutil.rmtree(self.work)
        self.work.mkdir(parents=True)
        mark.touch()

    def _prepare(self) -> tuple[Settings, Processes]:
        """Topics, the plan with ladders of seconds, the environment of the stages."""
        from streams.apply import apply
        from streams.topics import create_topics

        assert self.broker is not None
        folder = self.work / "configs"
        shutil.copytree(self.configs, folder)
        shutil.copy(folder / LADDERS, folder / "city" / "ladders.yaml")
        prefix = "wanglou." if self.given is None else f"wanglou-demo-{clock.now()}."
        ours = settings(broker=self.broker.address, prefix=prefix, data=self.work, ticks="log", desk_port=self.desk_port)
        create_topics(ours)
        done = apply(ours, folder, False)
        self.say(f"plan {done.hash}: {', '.join(done.packs)}")
        self.ports = {name: free_port() for name in (*STAGES, "play")}
        return ours, Processes(self.work / "logs", {
            "WANGLOU_BROKER": ours.broker, "WANGLOU_PREFIX": prefix, "WANGLOU_DATA": str(self.work), "WANGLOU_TICKS": "log",
            "WANGLOU_SNAPSHOT_SECONDS": "2", "WANGLOU_SESSION_TIMEOUT": "6", "WANGLOU_DESK_PORT": str(self.desk_port),
            "WANGLOU_SCENARIO": "×120"})

    def _start(self, stages: Processes, ours: Settings) -> None:
        """Every stage, then wait until each of them works."""
        for name in STAGES:
            stages.start(name, name, WANGLOU_METRICS_PORT=str(self.ports[name]))
        begun = clock.monotonic()
        while not self._ready(ours):
            stages.check()
            if clock.monotonic() - begun > 90:
                raise Unavailable("not ready after 90 s:\n" + "\n".join(f"{n}: {stages.last_words(n, 400)}" for n in STAGES))
            sleep(0.3)
        self.say(f"all stages work after {clock.monotonic() - begun:.1f} s; logs in {stages.logs}")
        self.say(f"值班台 desk     http://127.0.0.1:{self.desk_port}/")
        for name in STAGES:
            self.say(f"metrics {name:8} http://127.0.0.1:{self.desk_port if name == 'desk' else self.ports[name]}/metrics")

    def _ready(self, ours: Settings) -> bool:
        """The judge has a plan in every partition, combine has its own, history can be read, the desk answers."""
        plans = [sample(f"http://127.0.0.1:{self.ports[n]}/metrics", "wanglou_plan_info") for n in ("judge", "combine")]
        history = sample(f"http://127.0.0.1:{self.ports['history']}/metrics", "wanglou_lag_seconds")
        with suppress(Unavailable):
            return all(plans) and bool(history) and bool(get(f"http://127.0.0.1:{self.desk_port}/readyz"))
        return False

    def _play(self, stages: Processes) -> None:
        """The storm begins."""
        assert self.broker is not None
        idempotent = () if "Tansu" not in self.broker.what else ("--no-idempotent",)
        stages.start("play", "feed", "play", str(self.work / "configs" / SCENARIO), *idempotent,
                     WANGLOU_METRICS_PORT=str(self.ports["play"]))
        begun = clock.monotonic()
        while not self._readings():
            stages.check()
            if clock.monotonic() - begun > 60:
                raise Unavailable(f"no reading after 60 s:\n{stages.last_words('play')}")
            sleep(0.1)
        self.say("the storm begins (invented, scenario time ×120)")

    def _readings(self) -> int:
        return int(sum(v for _, v in sample(f"http://127.0.0.1:{self.ports['play']}/metrics", "wanglou_readings_total")))

    def _watch(self, stages: Processes, watch: Watch, ours: Settings, seconds: float | None) -> dict[str, Any]:
        begun, told, second_since, seen = clock.monotonic(), set[str](), None, Seen()
        readings = 0
        try:
            while seconds is None or clock.monotonic() - begun < seconds:
                stages.check(but=frozenset({"play"}))
                seen, readings = watch.seen(), max(readings, self._readings())
                for part, true in seen.told().items():
                    if true and part not in told:
                        told.add(part)
                        self.say(f"{clock.monotonic() - begun:5.1f} s  {part.replace('_', ' ')}")
                second_since = self._second_post(seen, second_since)
                sleep(0.3)
        except KeyboardInterrupt:
            self.say("")
        seen = watch.seen()
        return self._result(watch, seen, max(readings, self._readings()), told | {p for p, true in seen.told().items() if true})

    def _second_post(self, seen: Seen, since: float | None) -> float | None:
        """When the second post of the red alert at Lanxi has been called, it answers a little later, if nobody else has."""
        for card in seen.cards:
            if card.site == SITE and card.level == 4 and card.open and not card.answered_by:
                second = [s for s in seen.steps if s.alert == card.id and s.n == 2 and s.state == "called"]
                if second and since is None:
                    return clock.monotonic()
                if second and since is not None and clock.monotonic() - since >= PATIENCE:
                    self._answer(card.id, second[-1].post)
                    return None
                return since
        return None

    def _answer(self, alert: str, post: str) -> None:
        """As the page does it: a POST in the name of the post."""
        import httpx2

        page = f"http://127.0.0.1:{self.desk_port}"
        answer = httpx2.post(f"{page}/w/{alert}/answer", json={}, cookies={"post": post}, headers={"Origin": page}, timeout=10)
        if answer.status_code >= 400:
            raise WanglouError(f"the desk refused the answer of {post}: {answer.status_code} {answer.text[:300]}")
        self.say(f"         {post} answers {alert}")

    def _result(self, watch: Watch, seen: Seen, readings: int, told: set[str]) -> dict[str, Any]:
        story = {part: part in told for part in seen.told()}
        delays = sorted(watch.delays)
        at = {f"p{q}": round(delays[min(len(delays) - 1, len(delays) * q // 100)], 1) if delays else None for q in (50, 95, 99)}
        return {"readings": readings, "rejects": watch.count("rejects"), "levels": watch.count("levels"),
                "events": len(seen.events), "alerts": len(seen.cards), "answered": sum(bool(c.answered_by) for c in seen.cards),
                "deliveries": watch.deliveries(), "push_to_event_ms": at, "story": all(story.values()), "parts": story,
                "broker": self.broker.what if self.broker else ""}
