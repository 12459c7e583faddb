"""Another limit and what it would have done: copies of a detector with moved limits, judged together in one pass."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from detectors.pack import City, Detector, Limit, Num
from streams.replay import halves
from streams.replay.backtest import Study, alone, says, sites, wanted
from streams.replay.episodes import Episode
from streams.replay.match import Account, match

if TYPE_CHECKING:
    from streams.replay.history import History

FACTORS = (-3.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0)
"""Steps by which a limit is moved; a step is a tenth of the range of what it is compared with."""


@dataclass(frozen=True)
class Advice:
    """`text`: the limit that would have had the best CSI; how many false alarms fewer and episodes more missed than now."""

    moved: float
    text: str
    csi: float
    fewer: int
    missed: int


def suggest(city: City, history: History, episodes: list[Episode], pack: str, study: Study) -> dict[tuple[str, int], Advice]:
    """For each detector and level whose CSI a moved limit would have raised: that limit and its projected effect."""
    chosen = next(p for p in city.packs if p.id == pack)
    tried = {f"{d.path}~{level}~{k}": (d, level, step * factor)
             for d in chosen.detectors for level, step in _steps(d, history).items() for k, factor in enumerate(FACTORS)}
    copies = tuple(_moved(d, level, by, f"{d.id}~{level}~{path.rsplit('~', 1)[1]}") for path, (d, level, by) in tried.items())
    if not copies:
        return {}
    cut = alone(city, pack)
    moved = replace(cut, packs=tuple(replace(p, detectors=copies if p.id == pack else ()) for p in cut.packs))
    judged = halves.judged(moved, history)
    out: dict[tuple[str, int], Advice] = {}
    for path, (detector, level, by) in tried.items():
        key, best = (detector.path, level), out.get((detector.path, level))
        account = sum((match(site, wanted(episodes, site, level, detector.indicator), judged.alarms(path, site, level),
                             study.window) for site in sites(city, detector) if says(detector, level, site)), Account())
        csi, now = account.row(*key, 1.0, 0).csi, study.rows[key]
        always = any(m.kind == "hit" and m.lead is None for m in account.matches)      # on before any episode: no warning
        if csi is not None and not always and csi > max(best.csi if best else 0.0, now.csi or 0.0):
            text = _text(next(limit for limit in detector.limits if limit.level == level).at, by)
            out[key] = Advice(by, text, csi, now.false_alarms - account.count("false"), account.count("miss") - now.misses)
    return out


def _steps(detector: Detector, history: History) -> dict[int, float]:
    """Level -> one step: a tenth of the range of values (0.1 to 99.9 %), or of the limit where a kind has a score of its own."""
    if detector.use.kind == "threshold":
        series = [n for n, name in enumerate(history.series) if name.startswith(f"{detector.indicator}@")]
        x = history.x[np.isin(history.index, series)]
        spread = float(np.subtract(*np.nanpercentile(x, [99.9, 0.1]))) if np.isfinite(x).any() else 0.0
        return {limit.level: spread / 10.0 for limit in detector.limits if spread > 0.0}
    return {limit.level: abs(limit.at) / 10.0 for limit in detector.limits if isinstance(limit.at, float) and limit.at}


def _moved(detector: Detector, level: int, by: float, id: str) -> Detector:
    """A copy with this one level, its limit and its end moved."""
    limits: Iterable[Limit] = (limit for limit in detector.limits if limit.level == level)
    return replace(detector, id=id, was="", limits=tuple(
        replace(limit, at=_plus(limit.at, by), clear=None if limit.clear is None else _plus(limit.clear, by))
        for limit in limits))


def _plus(at: Num, by: float) -> Num:
    return {site: value + by for site, value in at.items()} if isinstance(at, dict) else at + by


def _text(at: Num, by: float) -> str:
    return f"{by:+.3g}" if isinstance(at, dict) else f"{at + by:.4g} ({by:+.3g})"
