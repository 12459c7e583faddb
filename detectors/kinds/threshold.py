"""The value itself, against limits."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["Threshold"]


@dataclass(frozen=True)
class Threshold:
    """The value itself. For quantities whose limits are set by a standard, a design or a river authority.

    Not for values with a daily or weekly shape, where a limit that suits noon cries all night.

    In a pack:

        detectors:
          - {id: stage, indicator: level, kind: threshold, levels: {yellow: {above: 28}, red: {above: 30, clear: 29.5}}}

    Source: limit values as used by every warning standard, e.g. GB/T 22482-2008 (river stages).

    >>> Threshold.step(None, None, 0.0, 28.4)
    28.4
    """

    score_unit: ClassVar[str] = "value"
    on_axis: ClassVar[bool] = True       # its limits can be drawn among the readings
    slots: ClassVar[dict[str, int]] = {}

    @staticmethod
    def step(p: Any, s: Any, t: float, x: float) -> float:
        return x
