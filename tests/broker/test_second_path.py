"""The second path for red, with a real Prometheus and Alertmanager: the line rings with the desk dead, and with its database dead.

The shipped rules and routes are used; only their times are divided by `SCALE` (1 = as shipped: `WANGLOU_TEST_SCALE=1`, four minutes).
`rules_test.yml` holds what the shipped times mean: called within 90 s.
"""
from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from time import sleep
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import make_url

from detectors.pack import City, Ladder, Post, Route, Step, Text
from streams import clock
from streams.broker import free_port
from streams.grafana import verify
from streams.settings import Settings

DEPLOY = Path(__file__).parents[2] / "deploy"
SCALE = int(os.environ.get("WANGLOU_TEST_SCALE", "15"))
LIMIT = 90 / SCALE + (20 if SCALE > 1 else 0)
"""Seconds from the red to the call; scaled times are rounded up and the machine is what it is, so with a margin there."""
MISSING = [tool for tool in ("prometheus", "prometheus-alertmanager") if shutil.which(tool) is None]
pytestmark = [pytest.mark.broker, pytest.mark.timeout(600),
              pytest.mark.skipif(bool(MISSING), reason=f"apt-get install {' '.join(MISSING)}")]


class Line(ThreadingHTTPServer):
    """The receivers of alertmanager.yml: what came, on which path, when."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Ring)
        self.rang: list[tuple[str, str, str, float]] = []
        Thread(target=self.serve_forever, daemon=True).start()

    def firing(self, name: str, since: float) -> float | None:
        """When an alert of that name rang the red line after `since`."""
        return next((at for path, alert, status, at in list(self.rang)
                     if (path, alert, status) == ("/red", name, "firing") and at >= since), None)


class Ring(BaseHTTPRequestHandler):
    """One notification."""

    server: Line

    def do_POST(self) -> None:
        """Taken."""
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.rang += [(self.path, a["labels"]["alertname"], a["status"], clock.monotonic()) for a in said["alerts"]]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


def scaled(text: str) -> str:
    """Waiting times of rules and routes, divided; windows over which something is remembered stay."""
    def shorter(found: re.Match[str]) -> str:
        seconds = int(found[2]) * (60 if found[3] == "m" else 1)
        return f"{found[1]}{max(1, -(-seconds // SCALE))}s"

    text = re.sub(r"((?:for|interval|group_interval): )(\d+)([sm])\b", shorter, text)
    return re.sub(r"(\) > )(60)()(?=\n)", lambda f: f"{f[1]}{-(-60 // SCALE)}", text)


@contextmanager
def alertmanager(folder: Path, line: Line) -> Iterator[str]:
    """Debian's Alertmanager with the shipped routes; its receivers are `line`."""
    folder.mkdir(parents=True)
    text = scaled((DEPLOY / "alertmanager" / "alertmanager.yml").read_text("utf-8"))
    (folder / "alertmanager.yml").write_text(re.sub(r"127\.0\.0\.1:980\d", f"127.0.0.1:{line.server_port}", text))
    at = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as out:
        process = subprocess.Popen(["prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}",
                                    f"--web.listen-address={at}", "--cluster.listen-address="], stdout=out, stderr=out)
    try:
        yield at
    finally:
        process.terminate()
        process.wait(10)


def postgres(url: str, *words: str) -> None:
    """`pg_ctl` for the server of the fixture."""
    tools, home = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1], f"/tmp/wanglou-pg-{make_url(url).port}"
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    options = f"-p {make_url(url).port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={home} -c fsync=off"
    more = ["-l", f"{home}/log", "-o", options] if "start" in words else []
    subprocess.run([*as_user, f"{tools}/pg_ctl", "-D", f"{home}/data", "-w", *more, *words], check=True, capture_output=True)


def test_red_rings_with_the_desk_or_its_database_dead(bench: Any, writer: Any, city: Callable[..., City], chain: ModuleType,
                                                      postgresql: str, tmp_path: Path) -> None:
    """Desk dead: a red judged meanwhile rings. Desk back, nobody answers: it rings. Database dead: another red rings."""
    posts, step = (Post("duty", Text("值班员"), addresses={"log": "1"}),), Step("duty", ("log",), 600.0)
    bench.settings = Settings(**(bench.settings.model_dump() | {"desk_url": postgresql}))
    bench.plan(replace(city(), ladders=(Ladder("l", Text("叫应"), (step,)),), routes=(Route("l"),), posts=posts))
    run = chain.Chain(bench, ticks="own")
    for stage in ("judge", "combine", "desk"):
        run.start(stage)
    rules = tmp_path / "rules.yml"
    rules.write_text(scaled((DEPLOY / "prometheus" / "rules.yml").read_text("utf-8")), "utf-8")
    targets = {f"wanglou-{name}": [f"127.0.0.1:{run.ports[name]}"] for name in ("judge", "combine", "desk")}
    line, took = Line(), dict[str, float]()

    def rings(name: str, since: float, of: str) -> None:
        at = chain.until(lambda: line.firing(name, since), f"{name} with {of}", LIMIT + 30)
        took[of] = at - since
        assert took[of] < LIMIT, took

    every = f"{max(1, 5 // SCALE)}s"
    with alertmanager(tmp_path / "am", line) as am, verify.start_prometheus(targets, tmp_path / "p", [rules], am, every):
        chain.until(lambda: (chain.http(f"http://127.0.0.1:{run.ports['desk']}/readyz") or {}).get("ready"), "the desk leads")
        sleep(1)
        assert [row for row in line.rang if row[0] == "/red"] == [], "it rings before anything is wrong"
        run.kill("desk")
        red = clock.monotonic()
        writer.write([("gauge-1", 31.0)])
        rings("RedWithoutWarning", red, "the desk dead")

        back = clock.monotonic()
        run.start("desk")
        rings("RedNotTaken", back, "nobody answering")
        chain.until(lambda: any(name == "RedWithoutWarning" and status == "resolved" for _, name, status, _ in line.rang),
                    "the desk is seen to have it", 60)

        postgres(postgresql, "-m", "immediate", "stop")
        try:
            red = clock.monotonic()
            writer.write([("gauge-3", 31.0)])
            rings("RedWithoutWarning", red, "the database dead")
        finally:
            postgres(postgresql, "start")
        assert chain.until(lambda: chain.http(f"http://127.0.0.1:{run.ports['desk']}/readyz"), "the desk lives on")
    print("seconds from the red to the call:", {k: round(x, 1) for k, x in took.items()})
    line.shutdown()
    line.server_close()
    run.stop("judge", "combine", "desk")
