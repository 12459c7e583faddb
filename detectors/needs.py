"""What detectors need to be judged: what they look at, what that is made of, and what is looked at beside it."""
from __future__ import annotations

from collections.abc import Iterable

from detectors.beside import asked
from detectors.pack import City, Detector, Indicator


def needs(city: City, detectors: Iterable[Detector]) -> dict[str, Indicator]:
    """The indicators by name, those that the detectors look at first. A name that the city does not have is left out."""
    indicators = {i.id: i for pack in city.packs for i in pack.indicators}
    waiting = [name for d in detectors for name in (d.indicator, *d.use.beside)]
    found: dict[str, Indicator] = {}
    while waiting:
        name = waiting.pop(0)
        if name in indicators and name not in found:
            one = found[name] = indicators[name]
            waiting += [*(one.derive.inputs if one.derive else ()), *asked(one.checks)]
    return found
