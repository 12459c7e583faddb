"""Times and numbers as people of the city read them."""
from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
MICRO = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SPANS = {"zh": (" 天 ", " 时 ", " 分 ", " 秒"), "en": (" d ", " h ", " min ", " s")}


def local(t: int) -> datetime:
    """µs UTC as a time of the city's zone; before 1970 too."""
    return (_EPOCH + timedelta(microseconds=t)).astimezone(ZONE)


def moment(t: int | None, now: int, lang: str = "zh", seconds: bool = True) -> str:
    """`02:17:20` today, `昨 18:00` yesterday, `06-19 09:05` this year, else with its year; `—` for none."""
    if t is None:
        return "—"
    when, today = local(t), local(now)
    days = (today.date() - when.date()).days
    if days == 0:
        return f"{when:%H:%M:%S}" if seconds else f"{when:%H:%M}"
    if days == 1:
        return f"昨 {when:%H:%M}" if lang == "zh" else f"yesterday {when:%H:%M}"
    return f"{when:%m-%d %H:%M}" if when.year == today.year else f"{when:%Y-%m-%d}"


def span(micros: int, lang: str = "zh") -> str:
    """A duration in its two largest units: `9 分 10 秒`, `1 时 5 分`, `43 分`."""
    seconds = max(0, micros) // MICRO
    parts = (seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
    first = next((i for i, p in enumerate(parts) if p), 3)
    last = first + (1 if first in (0, 1) or (first == 2 and parts[2] < 10) else 0)
    return "".join(f"{parts[i]}{_SPANS[lang][i]}" for i in range(first, last + 1) if parts[i] or i == first).strip()


def number(x: float | None, decimals: int) -> str:
    """A value with its digits; `—` for none; never `-0`."""
    if x is None or x != x:
        return "—"
    said = f"{x:.{decimals}f}" if abs(x) < 1e9 else f"{x:.3g}"
    return said.lstrip("-") if float(said) == 0 else said
