"""What combining asks of a plan."""
from __future__ import annotations

from typing import Protocol

from detectors.pack import City, Detector, Indicator


class Planned(Protocol):
    """What the board asks of a plan: `detectors.plan.Plan`, or anything with these."""

    @property
    def city(self) -> City: ...
    @property
    def hash(self) -> str: ...
    @property
    def indicators(self) -> dict[str, Indicator]: ...
    @property
    def detectors(self) -> dict[str, Detector]: ...
