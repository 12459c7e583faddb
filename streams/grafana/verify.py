"""Asks a real Prometheus every query of every dashboard: what a panel would show, without a Grafana.

    with start_prometheus({"wanglou-judge": ["127.0.0.1:9102"]}, tmp_path) as url:      # returns once each target is up == 1
        empty = [row for row in query_all(url) if not row.results and row.panel not in MAY_BE_EMPTY]

An empty answer to a wrong metric looks like calm, so each panel must answer with something or stand on `MAY_BE_EMPTY`.
"""
from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from streams import clock
from streams.errors import Unavailable
from streams.grafana.build import boards

MAY_BE_EMPTY = {
    "关键站 Key stations": "no pack marks a series with `wall: true`, or one of the four limits is not used there",
    "全链路自检 Canary": "no canary has come through yet",
    "拒收 Rejects": "nothing was refused",
    "缓存 Feed buffer": "only feeds with a buffer on disk have one",
    "待发 Outbox": "no channel is configured",
    "已搁置消息 Parked": "no channel is configured",
    "发送 Deliveries": "nothing was sent yet",
    "判别到事件 Judged to event": "no level moved in the last minute",
    "事件到预警台 Event to desk": "no event came in the last minute",
    "预警到送达 Alert to delivered": "no channel is configured, or nobody was called in the last minute",
    "五分钟内应答 Answered in 5 min": "nobody has answered yet",
    "平均应答用时 Mean time to answer": "nobody has answered yet",
    "应答用时分位 Time to answer": "nobody has answered yet",
    "应答次数 Answers by agency": "nobody has answered yet",
    "正在等待应答 Waiting now": "nobody waits",
    "发送结果 Deliveries by result": "nothing was sent yet",
    "送出用时 Delivery P95": "nothing was sent yet",
    "待发与搁置 Outbox": "no channel is configured",
    "查准率 Precision": "no warning was closed yet",
    "认定 Outcomes": "no warning was closed yet",
    "存档回测 Stored backtests": "no backtest is stored: every detector is unproved (未验证)",
    "提前量 Lead": "no backtest is stored: every detector is unproved (未验证)",
    "各版本 CSI by version": "no backtest is stored: every detector is unproved (未验证)",
    "数值与限值 Value and limits": "no pack marks a series with `wall: true`, or one of the four limits is not used there",
    "质控标记 Flags": "every reading was good",
    "预警 Warnings": "no orange or red warning was opened in the last minute",
}
"""Panel (or annotation) -> why it may have nothing to show."""
UP_SECONDS = 30.0
SQL = "grafana-postgresql-datasource"


class Query(NamedTuple):
    """One query of a dashboard as it is written there."""

    board: str
    panel: str
    expr: str


class Asked(NamedTuple):
    """What a Prometheus answered to one query: how many series."""

    panel: str
    expr: str
    results: int


def queries() -> list[Query]:
    """Every PromQL query of every dashboard: targets of panels, then annotations."""
    found = []
    for board in boards():
        dashboard = json.loads(board.json)
        for panel in dashboard["panels"]:
            found += [Query(board.uid, panel["title"], target["expr"]) for target in panel.get("targets", []) if "expr" in target]
        found += [Query(board.uid, mark["name"], mark["expr"]) for mark in dashboard["annotations"]["list"] if "expr" in mark]
    return found


def sql_queries() -> list[Query]:
    """Every query of the history database: of variables, then of panels."""
    found = []
    for board in boards():
        dashboard = json.loads(board.json)
        found += [Query(board.uid, one["label"], one["query"]) for one in dashboard["templating"]["list"]
                  if one.get("datasource", {}).get("type") == SQL]
        found += [Query(board.uid, panel["title"], target["rawSql"]) for panel in dashboard["panels"]
                  for target in panel.get("targets", []) if "rawSql" in target]
    return found


def expand(expr: str, every: str = ".*", window: str = "1m") -> str:
    """The query as Grafana would send it with All chosen: `$pack` is `.*`, `$__rate_interval` is `window`."""
    expr = re.sub(r"\$\{?__(rate_interval|interval|range)\}?", window, expr)
    return re.sub(r"\$\{(\w+)(:\w+)?\}|\$(\w+)", lambda _: every, expr)


def ask(url: str, expr: str) -> list[dict[str, Any]]:
    """The instant value of `expr`. Unavailable when Prometheus does not answer, or refuses it (with its words)."""
    body = urllib.parse.urlencode({"query": expr}).encode()
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query", body, timeout=10) as answer:
            return list(json.load(answer)["data"]["result"])
    except urllib.error.HTTPError as error:
        raise Unavailable(f"Prometheus refuses {expr}: {error.read().decode(errors='replace')[:300]}") from error
    except OSError as error:
        raise Unavailable(f"no Prometheus at {url}: {error}") from error


def query_all(url: str) -> list[Asked]:
    """Run every query of every dashboard, in their order."""
    return [Asked(query.panel, query.expr, len(ask(url, expand(query.expr)))) for query in queries()]


def unexpectedly_empty(asked: Sequence[Asked]) -> list[Asked]:
    """Queries that answered with nothing and have no excuse."""
    return [row for row in asked if not row.results and row.panel not in MAY_BE_EMPTY]


@contextmanager
def start_prometheus(targets: Mapping[str, Sequence[str]], folder: Path, rules: Sequence[Path] = (), alerts: str = "",
                     every: str = "1s") -> Iterator[str]:
    """Debian's `prometheus` on a free loopback port, scraping `job -> addresses` `every` second, with `rules`; its address.
    `alerts` = an Alertmanager (`127.0.0.1:9093`).

    Waits until every target has been scraped (`up == 1`): the first scrape comes seconds after it is ready, and a query
    before that answers false zeros. Unavailable when the program is missing, ends, or a target stays down.
    """
    program = shutil.which("prometheus")
    if program is None:
        raise Unavailable("no `prometheus` on this machine: apt-get install prometheus")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [{"job_name": job, "static_configs": [{"targets": list(at)}]} for job, at in targets.items()]
    config = folder / "prometheus.yml"
    to = {"alerting": {"alertmanagers": [{"static_configs": [{"targets": [alerts]}]}]}} if alerts else {}
    config.write_text(json.dumps({"global": {"scrape_interval": every, "scrape_timeout": "1s"}, "scrape_configs": jobs,
                                  "rule_files": [str(one.absolute()) for one in rules], **to}))
    url, log = f"http://127.0.0.1:{port}", folder / "prometheus.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [program, f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{port}"], stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_up(process, url, targets, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_up(process: subprocess.Popen[bytes], url: str, targets: Mapping[str, Sequence[str]], log: Path) -> None:
    want = {(job, address) for job, addresses in targets.items() for address in addresses}
    end = clock.monotonic() + UP_SECONDS
    up: set[tuple[str, str]] = set()
    while clock.monotonic() < end:
        if process.poll() is not None:
            raise Unavailable(f"prometheus ended with {process.returncode}: {log.read_text(errors='replace')[-500:]}")
        try:
            up = {(row["metric"]["job"], row["metric"]["instance"]) for row in ask(url, "up == 1")}
        except Unavailable:
            up = set()
        if want <= up:
            return
        Event().wait(0.2)
    raise Unavailable(f"Prometheus could not scrape {sorted(want - up)} within {UP_SECONDS:.0f} s")
