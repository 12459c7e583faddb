import re
import socket
import urllib.request

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streams.errors import WanglouError
from streams.metrics import CATALOGUE, TABLE, Gauge, Metrics, serve


def scraped(metrics: Metrics) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = generate_latest(metrics.registry).decode()
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for f in text_string_to_metric_families(text) for s in f.samples}


def touch_all(metrics: Metrics) -> None:
    """One sample of everything in the table."""
    for declared in TABLE:
        metric = getattr(metrics, declared.attribute)
        labels = [f"{label}1" for label in declared.labels]
        if isinstance(metric, Gauge):
            metric.set(1, *labels)
            continue
        child = metric.labels(*labels) if labels else metric
        child.observe(1) if hasattr(child, "observe") else child.inc()


def test_what_is_exposed_is_exactly_the_catalogue():
    """Every name and label set of the catalogue reaches /metrics, and nothing else does (no _created series)."""
    metrics = Metrics()
    touch_all(metrics)
    seen: dict[str, set[str]] = {}
    for name, labels in scraped(metrics):
        seen.setdefault(name, set()).update(label for label, _ in labels)
    assert seen == {name: set(labels) for name, labels in CATALOGUE.items()}


def test_names_follow_the_rules():
    """Names start with the product's, use base units, hold no age, and no label could hold a person or a warning."""
    for name, labels in CATALOGUE.items():
        assert re.fullmatch(r"wanglou_[a-z_]+", name), name
        assert not re.search(r"_(ms|minutes|hours|age)(_|$)", name), name
        assert not {"id", "alert", "event", "person", "user", "name", "serial"} & set(labels), name
    for declared in TABLE:
        assert declared.name.endswith("_total") == (declared.kind.__name__ == "Counter"), declared.name
        assert declared.help and declared.help[0] in "1ABCDEFGHIJKLMNOPQRSTUVWXYZ", declared.name


def test_an_untouched_metric_is_not_exposed():
    """A process shows only what it has: an empty gauge or a zero from a process that knows nothing would read as fine."""
    metrics = Metrics()
    metrics.judge_seconds.observe(0.2)
    assert {name for name, _ in scraped(metrics)} == {
        "wanglou_judge_seconds_bucket", "wanglou_judge_seconds_sum", "wanglou_judge_seconds_count"}


def test_gauges_vanish_with_their_owner():
    """Rows of a partition that left are gone from the next scrape; those of the others stay."""
    metrics = Metrics()
    metrics.lag.set(1, "readings", 0, owner=0)
    metrics.lag.set(2, "readings", 1, owner=1)
    metrics.series.put({("basin", "admin:lanxi", "fresh"): 3}, owner=1)
    metrics.leave(1)
    assert scraped(metrics) == {("wanglou_lag_seconds", (("partition", "0"), ("topic", "readings"))): 1}


@pytest.mark.parametrize(("attribute", "labels", "expected"), [
    ("series", ("basin", "admin:lanxi", "stale"), 7),
    ("area_level", ("admin:lanxi", "basin"), 5),
    ("area_fresh", ("admin:lanxi", "basin"), 2),
])
def test_owners_are_merged_as_declared(attribute, labels, expected):
    """Counts of two partitions are added, levels take the worst, ratios and ages the worst as well."""
    gauge = getattr(Metrics(), attribute)
    gauge.set(2, *labels, owner="a")
    gauge.set(5, *labels, owner="b")
    assert gauge.rows() == {labels: expected}


def test_put_replaces_only_the_rows_of_its_owner():
    """A level that is no longer there goes away with the next put; another owner's does not."""
    gauge = Metrics().series_level
    gauge.put({("a", "x", "red"): 1, ("a", "x", "blue"): 1}, owner=1)
    gauge.set(4, "b", "x", "red", owner=2)
    gauge.put({("a", "x", "blue"): 2}, owner=1)
    gauge.remove("a", "y", "blue", owner=1)
    assert gauge.rows() == {("a", "x", "blue"): 2, ("b", "x", "red"): 4}


def test_wrong_labels_are_refused():
    """A row with too few or too many labels raises at once, not at the scrape."""
    gauge = Metrics().lag
    for labels in [("readings",), ("readings", 1, 2)]:
        with pytest.raises(ValueError, match="wanglou_lag_seconds has the labels"):
            gauge.set(1, *labels)
    assert gauge.rows() == {}


def test_a_taken_port_is_named():
    """Who starts a second process on the same port reads which one, and what to set; not where in a library it failed."""
    with socket.create_server(("127.0.0.1", 0)) as taken, \
            pytest.raises(WanglouError, match=rf"127\.0\.0\.1:{taken.getsockname()[1]}: .*WANGLOU_METRICS_PORT"):
        serve(taken.getsockname()[1], Metrics().registry)


def test_a_watch_that_fails_takes_only_its_own_gauge(caplog):
    """/metrics answers on, without that gauge, and the log names it."""
    metrics = Metrics()

    def broken():
        raise OSError("database away")

    metrics.alerts_open.watch(broken)
    metrics.outbox_pending.watch(lambda: {("webhook",): 2})
    assert scraped(metrics) == {("wanglou_outbox_pending", (("channel", "webhook"),)): 2}
    assert "wanglou_alerts_open" in caplog.text


def test_two_processes_in_one_interpreter_do_not_meet():
    """Each Metrics has its own registry, so tests and the demo may make as many as they like."""
    one, two = Metrics(), Metrics()
    one.readings.labels("basin", "http").inc(3)
    assert scraped(two) == {}


def test_serve_is_on_loopback_and_ends():
    """/metrics is served on 127.0.0.1 in a thread, and after close the port can be taken again."""
    metrics = Metrics()
    metrics.desk_leader.set(1)
    server = serve(0, metrics.registry)
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
        assert "wanglou_desk_leader 1.0" in answer.read().decode()
    server.close()
    with socket.create_server(("127.0.0.1", server.port)):
        pass
