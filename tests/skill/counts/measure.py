"""Weeks of outbreaks found at most 5 false weeks in a hundred, beside EARS C2 and the improved Farrington algorithm.

Found = the share of outbreak weeks with an alarm (POD by week). False = the share of the other weeks with an alarm, as A. Noufaily et
al. count it (Statistics in Medicine 32, 2013, 1206-1222). Each method has one limit for a whole set: the one that leaves 5 %, and
for the two published ones their own limit as well; beside it each series (of one series each half of its years) with the limit of
the others. The first 130 weeks of a series only teach, for all.

Outbreak weeks: where the data mark them, theirs (hepatitis A, Berlin 2006 and Germany 2004); on German counts without
any, cases added as Noufaily et al. do (section 3: size Poisson with k times the deviation, spread lognormal(0, 0.5), one a year); for the
named epidemics of dengue (1994-95, 1998, 2007) their weeks above nine tenths of all others; for influenza and deaths two or more weeks
above the upper 95 % limit of a seasonal baseline over the whole series (R. E. Serfling, Public Health Reports 78, 1963, 494-506).
"""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WEEK = 7 * 86_400_000_000
FIRST = 130             # weeks that only teach
ALLOWED = 0.05
AHEAD = 4               # weeks that a fit is asked for: the next fit of a played history comes after four


class Series(NamedTuple):
    """One weekly count: Mondays in µs UTC, counts (NaN = missing), 1 in an outbreak."""

    t: NDArray[np.int64]
    x: Floats
    label: NDArray[np.bool_]


def weekly(start: str, x: Any, label: Any) -> Series:
    """Counts of week after week from a Monday on."""
    first = pd.Timestamp(start).value // 1000
    return Series(first + WEEK * np.arange(len(x)), np.asarray(x, float), np.asarray(label, bool))


def above_season(x: Floats) -> NDArray[np.bool_]:
    """Two or more weeks above the 95 % limit of a trend and two waves of the year, fitted again without what was above."""
    w = np.arange(len(x))
    waves = [f(2 * np.pi * k * w / 52.1775) for k in (1, 2) for f in (np.sin, np.cos)]
    design = np.column_stack([np.ones(len(x)), w / 52.1775, *waves])
    kept = np.isfinite(x)
    high = np.zeros(len(x), bool)
    for _ in range(2):
        left = x - design @ np.linalg.lstsq(design[kept], x[kept], rcond=None)[0]
        high = np.nan_to_num(left, nan=-np.inf) > 1.645 * left[kept].std()
        kept = np.isfinite(x) & ~high
    return high & (np.roll(high, 1) | np.roll(high, -1))


def marked(tools: Any) -> list[Series]:
    """Hepatitis A in Berlin (the twelve districts together) and in Germany, where outbreaks are named."""
    folder = tools.folder("surveillance-counts")
    berlin, state = (pd.read_csv(folder / f"ha_sts{end}.csv") for end in ("", "_outbreak_state"))
    whole = pd.read_csv(folder / "hepatitisA.csv")
    return [weekly("2001-01-01", berlin.iloc[:, 2:].sum(axis=1), state.iloc[:, 2:].max(axis=1)),
            weekly("2001-01-01", whole["observed"], (whole["year"] == 2004) & whole["week"].between(33, 40))]


def added(tools: Any) -> list[Series]:
    """Real counts with an outbreak added in each year after the second; always the same ones."""
    folder, chance = tools.folder("surveillance-counts"), np.random.default_rng(1)
    momo = pd.read_csv(folder / "momo.csv")
    real = [("1990-01-01", pd.read_csv(folder / "salmonella_agona.csv")["c0"]),
            ("2001-01-01", pd.read_csv(folder / "influMen.csv")["meningococcus"]),
            ("2001-01-01", pd.read_csv(folder / "salmAllOnset.csv")["observed1"][:-4]),
            *(("1994-01-03", momo[age]) for age in ("[1,5)", "[15,45)")),
            *(("2001-01-01", pd.read_csv(folder / f"{name}.csv")["c0"]) for name in ("k1", "m1"))]
    return [weekly(start, *_with_outbreaks(np.asarray(x, float), chance)) for start, x in real]


def _with_outbreaks(x: Floats, chance: np.random.Generator) -> tuple[Floats, NDArray[np.bool_]]:
    y, label = x.copy(), np.zeros(len(x), bool)
    for year in range(len(x) // 52 - 2):
        start = len(x) - 52 * (year + 1) + int(chance.integers(8, 36))
        deviation = max(float(np.std(x[max(start - 52, 0):start])), 1.0)
        size = chance.poisson(chance.uniform(2, 10) * deviation)
        weeks = start + np.floor(chance.lognormal(0.0, 0.5, size)).astype(int)
        np.add.at(y, weeks[weeks < len(x)], 1.0)
        label[weeks[weeks < len(x)]] = True
    return y, label


def influenza(tools: Any) -> list[Series]:
    """Influenza-like illness a 10 000 visits, the nation and every second region (the fits take their time)."""
    frame = pd.read_csv(tools.folder("us-flu") / "ilinet_weekly.csv.gz")
    out = []
    for _, part in list(frame.groupby(["REGION TYPE", frame["REGION"].fillna("")]))[::2]:
        days = [pd.Timestamp.fromisocalendar(int(y), min(int(w), 52), 1) for y, w in zip(part["YEAR"], part["WEEK"], strict=True)]
        rate = pd.Series(pd.to_numeric(part["%UNWEIGHTED ILI"], errors="coerce").to_numpy() * 100.0, index=days)
        x = rate[~rate.index.duplicated()].sort_index().asfreq("7D")
        out.append(weekly(str(x.index[0]), x, above_season(x.to_numpy(float))))
    return out


def dengue(tools: Any) -> list[Series]:
    """San Juan."""
    frame = pd.read_csv(tools.folder("dengue") / "dengue_weekly_sj.csv.gz", parse_dates=["week_start_date"])
    day, x = frame["week_start_date"], frame["total_cases"]
    named = day.between("1994-07-01", "1995-06-30") | day.between("1998-01-01", "1998-12-31") | day.between("2007-01-01", "2007-12-31")
    return [weekly(str(day[0]), x, named & (x > x[~named].quantile(0.9)))]


def deaths(tools: Any) -> list[Series]:
    """Deaths in Chicago: all, of the heart, of the lungs."""
    frame = pd.read_csv(tools.folder("chicago-deaths") / "chicago_daily.csv.gz", parse_dates=["date"]).set_index("date")
    out = []
    for cause in ("death", "cvd", "resp"):
        x = frame[cause].resample("W-MON", closed="left", label="left").sum()[1:-1]
        out.append(weekly(str(x.index[0]), x, above_season(x.to_numpy(float))))
    return out


SETS = {"surveillance-counts": (marked, "season", "marked"), "surveillance-counts, added": (added, "season", "added (simulated)"),
        "us-flu": (influenza, "wave", "above the season"), "dengue": (dengue, "wave", "of the named epidemics"),
        "chicago-deaths": (deaths, "season", "above the season")}
"""Reader, detector that is ours, what an outbreak week is."""


def share(scores: Floats, label: NDArray[np.bool_], limit: float) -> tuple[float, float]:
    """Shares of the outbreak weeks and of the other weeks at or above the limit."""
    return float((scores[label] >= limit).mean()), float((scores[~label] >= limit).mean())


def at_most(scores: Floats, label: NDArray[np.bool_]) -> float:
    """The lowest limit that at most ALLOWED of the weeks without outbreak reach."""
    others = np.sort(scores[~label])[::-1]
    return float(np.nextafter(others[int(ALLOWED * len(others))], np.inf))


def unseen(scores: Floats, label: NDArray[np.bool_], part: NDArray[np.int64]) -> tuple[float, float]:
    """Shares of the outbreak weeks and of the others at or above, in each part, the limit of all other parts."""
    limits = np.empty(len(scores))
    for k in np.unique(part):
        limits[part == k] = at_most(scores[part != k], label[part != k])
    return float((scores >= limits)[label].mean()), float((scores >= limits)[~label].mean())


def soon() -> None:
    """Only the fits that are asked for: of the next four weeks (then comes the next fit), and after the weeks that only teach."""
    from streams.fit import farrington

    whole = farrington.predicted
    if getattr(whole, "soon", False):
        return

    def predicted(counts: Any, week: int, now: int, p: Any) -> Any:
        return None if week > now + AHEAD or len(counts) < FIRST - AHEAD else whole(counts, week, now, p)

    predicted.soon = True                                           # type: ignore[attr-defined]
    farrington.predicted = predicted


def measure(tools: Any) -> list[Any]:
    """The rows of the table."""
    soon()
    city, rows = tools.configs("counts"), []
    for name, (read, ours, what) in SETS.items():
        cases = read(tools)
        history = tools.history({f"cases@s{k}": (c.t, c.x) for k, c in enumerate(cases)})
        judged = np.concatenate([(np.arange(len(c.x)) >= FIRST) & np.isfinite(c.x) for c in cases])
        label = np.concatenate([c.label for c in cases])[judged]
        part = np.repeat(np.arange(len(cases)), [len(c.x) for c in cases])[judged]
        if len(cases) == 1:
            part = np.arange(len(label)) * 2 // len(label)
        told = {d: np.nan_to_num(tools.scores(city, history, f"counts/{d}"))[judged] for d in ("c2", "farrington", ours)}
        found = {d: share(s, label, at_most(s, label)) for d, s in told.items()}
        own = {"c2": share(told["c2"], label, 3.0), "farrington": share(told["farrington"], label, 1.0)}
        better = all(found[ours][0] >= found[d][0] and (found[ours][0] >= own[d][0] or own[d][1] > ALLOWED) for d in own)
        plain = "; ".join(f"{d} {found[d][0]:.2f} (published limit {p:.2f} at {f:.3f})" for d, (p, f) in own.items())
        rows.append(tools.Row(name, f"{int(label.sum())} outbreak weeks {what}, share found, at most {ALLOWED:g} of other weeks false",
                              f"{found[ours][0]:.2f} ({ours})", plain, "at least EARS C2 and Farrington", better,
                              {"found": found, "published": own, "weeks": len(label)}))
        there = {d: unseen(s, label, part) for d, s in told.items()}
        rows.append(tools.Row(name, f"the same, each {'series' if len(cases) > 1 else 'half of the years'} with the limit of the others",
                              f"{there[ours][0]:.2f} at {there[ours][1]:.3f}", "; ".join(f"{d} {there[d][0]:.2f} at {there[d][1]:.3f}" for d in own),
                              tools.TOLD, all((there[ours][0], there[d][1]) > (there[d][0], there[ours][1]) for d in own), {"found": there}))
    return rows
