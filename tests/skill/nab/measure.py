"""Numenta Anomaly Benchmark, standard profile: one setting, one threshold for all files, online, no look-ahead.

Lavin and Ahmad, Evaluating real-time anomaly detection algorithms, ICMLA 2015: a detection counts by how early in its
window it comes, each row flagged outside costs 0.11; 0 = says nothing, 100 = perfect. The first 15 % (at most 750
rows) are not counted. As there, the one threshold is the best for all files together.
"""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

COST = 0.11


class File(NamedTuple):
    """One file: times in µs UTC, values, windows as [first row, last row]."""

    name: str
    t: NDArray[np.int64]
    x: NDArray[np.float64]
    windows: list[tuple[int, int]]


def files(tools: Any, folder: Path) -> list[File]:
    """All files of a folder laid out as the benchmark's own, with their labels."""
    labels = json.loads((folder / "combined_windows.json").read_text("utf-8"))
    out = []
    for path in sorted(folder.glob("*/*.csv.gz")):
        name = f"{path.parent.name}/{path.name.removesuffix('.gz')}"
        rows = [(tools.micros(r["timestamp"]), float(r["value"])) for r in tools.rows(path)]
        t = np.array([r[0] for r in rows], np.int64)
        windows = [(int(np.searchsorted(t, tools.micros(a))), int(np.searchsorted(t, tools.micros(b), "right")) - 1)
                   for a, b in labels[name]]
        out.append(File(name, t, np.array([r[1] for r in rows]), windows))
    return out


def sigmoid(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 at the start of a window, 0 at its end, towards -1 after it."""
    return np.where(y > 3.0, -1.0, 2.0 / (1.0 + np.exp(5.0 * np.minimum(y, 9.0))) - 1.0)


def worth(n: int, windows: list[tuple[int, int]]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What a detection at each row is worth, and in which window it lies (-1 = in none)."""
    weight, window = np.full(n, -1.0), np.full(n, -1)
    for k, (first, last) in enumerate(windows):
        width = last - first + 1
        rows = np.arange(first, last + 1)
        weight[rows], window[rows] = sigmoid(-(last - rows + 1.0) / width) / sigmoid(np.array(-1.0)), k
        after = np.arange(last + 1, windows[k + 1][0] if k + 1 < len(windows) else n)
        weight[after] = sigmoid((after - last) / max(width - 1.0, 1.0))
    return weight, window


def benchmark(found: list[File], scores: list[NDArray[np.float64]]) -> tuple[float, float]:
    """The score of the standard profile at its best threshold, and that threshold."""
    said = []
    for k, (file, score) in enumerate(zip(found, scores, strict=True)):
        weight, window = worth(len(score), file.windows)
        for i in np.flatnonzero(~np.isnan(score)):
            if i >= int(0.15 * min(len(score), 5000)):
                said.append((-score[i], k, window[i], weight[i]))
    said.sort()
    n = sum(len(file.windows) for file in found)
    total, best = -float(n), (-float(n), np.inf)
    hits: dict[tuple[int, int], float] = {}
    for place, (minus, k, window, weight) in enumerate(said):
        if window < 0:
            total += COST * weight
        else:
            had = hits.get((k, window))
            total += max(weight, had) - had if had is not None else 1.0 + weight
            hits[k, window] = weight if had is None else max(weight, had)
        if place + 1 == len(said) or said[place + 1][0] != minus:
            best = max(best, (total, -minus))
    return 100.0 * (best[0] + n) / (2.0 * n), best[1]


def gauss(x: NDArray[np.float64], window: int = 1000, every: int = 50) -> NDArray[np.float64]:
    """The simple rule: deviations from the mean of the last readings (renewed every 50)."""
    out, mean, deviation = np.zeros(len(x)), 0.0, 1.0
    for i in range(window, len(x)):
        if i % every == 0 or i == window:
            past = x[i - window:i]
            mean, deviation = past.mean(), max(past.std(), 1e-6)
        out[i] = abs(x[i] - mean) / deviation
    return out


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    found, city = files(tools, tools.folder("nab")), tools.configs("nab")
    ours, at = benchmark(found, [tools.scores(city, tools.history({"value@file": (f.t, f.x)}), "nab/unlike") for f in found])
    simple, _ = benchmark(found, [gauss(f.x) for f in found])
    return [tools.Row("nab", "NAB standard profile, one threshold, online", f"{ours:.1f} (threshold {at:.2f})",
                      f"windowed Gaussian {simple:.1f}", "> 60", ours > 60.0, {"score": ours, "threshold": at})]
