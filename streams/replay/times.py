"""Columns of time texts to microseconds UTC; a text without a zone needs one by name."""
from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from streams.errors import UsageError

_ZONED = r"[T ]\d{2}.*(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"
_FINE = r"([.,]\d{6})\d+"
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})")


def zone(name: str) -> tzinfo | None:
    """`Asia/Shanghai`, `+08:00` or "" (none); UsageError when there is no such zone."""
    if not name:
        return None
    if fixed := _OFFSET.fullmatch(name):
        minutes = int(fixed[2]) * 60 + int(fixed[3])
        return timezone(timedelta(minutes=minutes if fixed[1] == "+" else -minutes))
    try:
        return UTC if name.upper() in ("Z", "UTC") else ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"--tz {name}: no such time zone; write Asia/Shanghai or +08:00") from None


def moment(text: str, tz: str, option: str) -> int:
    """One time or day of the command line as µs UTC. UsageError names the option."""
    found, wrong = times(pd.Index([text]), zone(tz))
    if wrong[0]:
        raise UsageError(f"{option} {text}: write 2026-06-19T09:05:00+08:00, or 2026-06-19 with --tz")
    return int(found[0])


def times(texts: pd.Index, tz: tzinfo | None) -> tuple[NDArray[np.int64], list[str]]:
    """ISO 8601 texts (best: distinct ones) as µs UTC, and for each the word of what is wrong ("" = nothing).

    `time` = not ISO 8601, `zone` = it names no zone and `tz` is None, `dst` = the clock of `tz` showed it twice
    or never. Fractions finer than a microsecond are cut.
    """
    raw = pd.Series(texts.astype(str), dtype=object).str.strip()
    raw = raw.str.replace(_FINE, r"\1", regex=True)
    zoned = raw.str.contains(_ZONED, regex=True).to_numpy(bool)
    out, wrong = np.zeros(len(raw), np.int64), np.full(len(raw), "", object)
    _fill(out, wrong, raw, zoned, "time", lambda part: pd.to_datetime(part, format="ISO8601", utc=True, errors="coerce"))
    _fill(out, wrong, raw, ~zoned, "time", lambda part: pd.to_datetime(part, format="ISO8601", errors="coerce"), tz)
    return out, [str(w) for w in wrong]


def _fill(out: NDArray[np.int64], wrong: NDArray[np.object_], raw: pd.Series, mask: NDArray[np.bool_], word: str,
          parse: object, tz: tzinfo | None = None) -> None:
    """Parse the masked texts into `out`; what fails gets its word in `wrong`."""
    where = np.flatnonzero(mask)
    if not len(where):
        return
    when = pd.DatetimeIndex(parse(raw.iloc[where]))  # type: ignore[operator]
    when = when.as_unit("us")
    bad = np.asarray(when.isna())
    wrong[where[bad]] = word
    if when.tz is None:
        if tz is None:
            wrong[where[~bad]] = "zone"
            return
        when = when.tz_localize(tz, ambiguous="NaT", nonexistent="NaT")
        wrong[where[np.asarray(when.isna()) & ~bad]] = "dst"
        bad = np.asarray(when.isna())
    out[where] = np.where(bad, 0, when.asi8)
