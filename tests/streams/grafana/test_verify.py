import shutil

import pytest

from streams.errors import Unavailable
from streams.grafana import verify
from streams.metrics import TABLE, Gauge, Metrics, serve

needs_prometheus = pytest.mark.skipif(shutil.which("prometheus") is None,
                                      reason="prometheus is missing: apt-get install prometheus")


def sample_everything(metrics: Metrics) -> None:
    """Values of everything in the catalogue with labels as the product would use them."""
    words = {"level": "red", "scope": "real", "fresh": "fresh", "pack": "basin", "area": "admin:lanxi"}
    for declared in TABLE:
        metric, labels = getattr(metrics, declared.attribute), [words.get(label, label) for label in declared.labels]
        if isinstance(metric, Gauge):
            for score in ("pod", "far", "csi") if "score" in labels else ("",):
                metric.set(1, *(score if label == "score" else label for label in labels))
        else:
            child = metric.labels(*labels) if labels else metric
            child.observe(0.01) if hasattr(child, "observe") else child.inc()


@needs_prometheus
def test_every_panel_query_is_answered_by_a_real_prometheus(tmp_path):
    """A process that exposes the whole catalogue leaves no panel empty; one that exposes nothing leaves them all so."""
    metrics = Metrics()
    sample_everything(metrics)
    server = serve(0, metrics.registry)
    try:
        with verify.start_prometheus({"wanglou-judge": [f"127.0.0.1:{server.port}"]}, tmp_path) as url:
            sampled = len(verify.ask(url, "count by (job) (wanglou_readings_total)"))
            asked = verify.query_all(url)
            with pytest.raises(Unavailable, match="parse error"):
                verify.ask(url, "max(")
    finally:
        server.close()
    assert sampled == 1
    assert [(row.panel, row.expr) for row in asked] == [(query.panel, query.expr) for query in verify.queries()]
    only_now = [row for row in asked if "[" not in row.expr]          # a rate needs two scrapes
    assert [row for row in only_now if not row.results and "yellow" not in row.expr and "orange" not in row.expr
            and "blue" not in row.expr] == []


def test_an_empty_panel_without_excuse_is_named():
    """No result is a fault unless the panel stands on the list."""
    asked = [verify.Asked("最高级别 Worst level", "x", 0), verify.Asked("拒收 Rejects", "y", 0), verify.Asked("积压 Lag", "z", 2)]
    assert verify.unexpectedly_empty(asked) == asked[:1]


@needs_prometheus
def test_a_target_that_is_down_is_told_and_leaves_no_process(tmp_path, monkeypatch):
    """A target that never answers ends in Unavailable that names it, and Prometheus is gone."""
    monkeypatch.setattr(verify, "UP_SECONDS", 3.0)
    started = []
    popen = verify.subprocess.Popen
    monkeypatch.setattr(verify.subprocess, "Popen", lambda *a, **k: started.append(popen(*a, **k)) or started[-1])
    down = verify.start_prometheus({"wanglou-feed": ["127.0.0.1:1"]}, tmp_path)
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1"), down:
        pass
    assert [process.poll() is not None for process in started] == [True]


def test_without_the_program_it_says_what_to_install(tmp_path, monkeypatch):
    """No prometheus on the machine: the message names the package."""
    monkeypatch.setattr(verify.shutil, "which", lambda _: None)
    with pytest.raises(Unavailable, match="apt-get install prometheus"), verify.start_prometheus({}, tmp_path):
        pass


def test_no_prometheus_at_the_address_is_unavailable():
    """A closed port is Unavailable, not a stack of urllib."""
    with pytest.raises(Unavailable, match="no Prometheus"):
        verify.ask("http://127.0.0.1:1", "up")
