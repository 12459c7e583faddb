"""Histograms that take a block at once."""
from __future__ import annotations

import numpy as np
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from streams.metrics import LATE, Metrics
from streams.spread import Spread


def text(registry: CollectorRegistry) -> list[str]:
    return sorted(line for line in generate_latest(registry).decode().splitlines() if "_created" not in line)


def test_a_block_is_counted_as_each_of_its_readings_would_be() -> None:
    """The same exposition as Prometheus' own histogram gives for the same values, on the edges of buckets too."""
    one, other = CollectorRegistry(), CollectorRegistry()
    plain = Histogram("late_seconds", "Late", ["pack"], registry=one, buckets=LATE)
    ours = Spread("late_seconds", "Late", ["pack"], other, LATE)
    values = np.array([0.0, 0.1, 0.25, 60.0, 60.5, 3600.0, 86_400.0, 1e9])
    which = np.array([0, 1, 0, 0, 1, 1, 0, 1])
    for pack, value in zip(which.tolist(), values.tolist(), strict=True):
        plain.labels("ab"[pack]).observe(value)
    plain.labels("a").observe(7.0)
    plain.labels("b").observe(8.0)
    ours.take(["a", "b", "never"], np.append(which, -1), np.append(values, 5.0))
    ours.labels("a").observe(7.0)
    ours.labels("b").take(np.array([8.0]))

    assert text(one) == text(other)


def test_an_untouched_one_is_not_exposed() -> None:
    """A process that judges nothing says nothing of it."""
    metrics = Metrics()
    assert metrics.arrival_seconds.rows == {}
    assert "wanglou_arrival_seconds" not in generate_latest(metrics.registry).decode()
