"""Numenta Anomaly Benchmark, standard profile: one setting, one threshold for all files, online, no look-ahead.

Lavin and Ahmad, Evaluating real-time anomaly detection algorithms, ICMLA 2015: a detection counts by how early in its
window it comes, each row flagged outside costs 0.11; 0 = says nothing, 100 = perfect. The first 15 % (at most 750
rows) are not counted. As there, the one threshold is the best for all files together; told beside it: each folder at the best
threshold of the other folders, which saw nothing of it.
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


def curve(file: File, score: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the file's flags are worth at each threshold; -1 for each window that none finds."""
    weight, window = worth(len(score), file.windows)
    told = ~np.isnan(score) & (np.arange(len(score)) >= int(0.15 * min(len(score), 5000)))
    out = np.zeros(len(at))
    for k in range(-1, len(file.windows)):
        rows = np.flatnonzero(told & (window == k))
        rows = rows[np.argsort(-score[rows], kind="stable")]
        flagged = np.searchsorted(-score[rows], -at, "right")           # so many of them are at the threshold or above
        sums = COST * np.cumsum(weight[rows]) if k < 0 else np.maximum.accumulate(weight[rows])
        out += np.concatenate([[0.0 if k < 0 else -1.0], sums])[flagged]
    return out


def benchmark(found: list[File], scores: list[NDArray[np.float64]]) -> tuple[float, float, float]:
    """The score of the standard profile at its best threshold, the one with the best of the other folders, the best threshold."""
    at = np.unique(np.concatenate([score[~np.isnan(score)] for score in scores]))[::-1]
    n, group = sum(len(file.windows) for file in found), np.array([file.name.partition("/")[0] for file in found])
    curves = np.array([curve(file, score, at) for file, score in zip(found, scores, strict=True)])
    best = int(np.argmax(curves.sum(axis=0)))
    unseen = sum(curves[group == g, int(np.argmax(curves[group != g].sum(axis=0)))].sum() for g in np.unique(group))
    own, others = (100.0 * (float(total) + n) / (2.0 * n) for total in (curves[:, best].sum(), unseen))
    return own, others, float(at[best])


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
    ours, unseen, at = benchmark(found, [tools.scores(city, tools.history({"value@file": (f.t, f.x)}), "nab/unlike") for f in found])
    simple, plain, _ = benchmark(found, [gauss(f.x) for f in found])
    return [tools.Row("nab", "NAB standard profile, one threshold, online", f"{ours:.1f} (threshold {at:.2f})",
                      f"windowed Gaussian {simple:.1f}", "> 60", ours > 60.0, {"score": ours, "threshold": at}),
            tools.Row("nab", "the same, at each of the 7 folders with the threshold of the others", f"{unseen:.1f}",
                      f"windowed Gaussian {plain:.1f}", tools.TOLD, unseen > plain, {"score": unseen, "plain": plain})]
