"""A histogram that takes a whole block at once: Prometheus' own costs a microsecond a value, as much as judging one."""
from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from math import inf

import numpy as np
from numpy.typing import NDArray
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Row:
    """Counts by bucket, and the sum."""

    def __init__(self, edges: list[float]) -> None:
        self.edges, self.counts, self.sum = edges, np.zeros(len(edges) + 1, np.int64), 0.0

    def observe(self, value: float) -> None:
        """One value."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.sum += value

    def take(self, values: NDArray[np.float64]) -> None:
        """Many."""
        self.counts += np.bincount(np.searchsorted(self.edges, values), minlength=len(self.counts))
        self.sum += float(values.sum())


class Spread(Collector):
    """Counts by label and bucket. One thread writes; the scraping thread may see a block counted and not yet summed."""

    def __init__(self, name: str, help_: str, labels: Sequence[str], registry: CollectorRegistry,
                 buckets: Sequence[float]) -> None:
        self.name, self.help, self.names = name, help_, tuple(labels)
        self.edges = np.array(buckets)
        self._edges, self._ends = list(buckets), [*map(floatToGoString, (*buckets, inf))]
        self.rows: dict[str, Row] = {}
        registry.register(self)

    def labels(self, label: str) -> Row:
        """The counts of one label, which take single values."""
        if label not in self.rows:
            self.rows[label] = Row(self._edges)
        return self.rows[label]

    def take(self, labels: Sequence[str], which: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        """Many: `which` points into `labels`; below 0 it is left out."""
        size = len(self._ends)
        if (which < 0).any():
            which, values = which[which >= 0], values[which >= 0]
        place = which * size + np.searchsorted(self.edges, values)
        counts = np.bincount(place, minlength=len(labels) * size).reshape(len(labels), size)
        sums = np.bincount(which, values, minlength=len(labels))
        for n in np.flatnonzero(counts.any(axis=1)).tolist():
            mine = self.labels(labels[n])
            mine.counts += counts[n]
            mine.sum += float(sums[n])

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Nothing before the first value."""
        family = HistogramMetricFamily(self.name, self.help, labels=self.names)
        for label, row in list(self.rows.items()):
            below = np.cumsum(row.counts).tolist()
            family.add_metric([label], list(zip(self._ends, map(float, below), strict=True)), row.sum)
        if self.rows:
            yield family

    def describe(self) -> list[HistogramMetricFamily]:
        """Nothing is known before the first scrape."""
        return []
