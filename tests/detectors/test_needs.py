"""What a pack needs of others when it is judged alone."""
from __future__ import annotations

from detectors.needs import needs
from detectors.pack import City, Derive, Detector, Indicator, Limit, Pack, Text, Use


def indicator(name: str, pack: str, **more: object) -> Indicator:
    return Indicator(name, pack, Text(name), "m", ("a",), **more)       # type: ignore[arg-type]


def test_made_of_and_looked_at() -> None:
    """What a derived series is made of, what a check or a kind looks at beside, and so on; nothing else, each once, the judged first."""
    city = City((
        Pack("river", Text("r"), (indicator("level", "river", checks=(Use("confirmed", beside=("rain_3h",)),)), indicator("flow", "river"),
                                  indicator("level_6h", "river", derive=Derive(Use("mean"), ("level",)))),
             (Detector("ahead", "river", "level_6h", Use("outlook", beside=("above",)), (Limit(1, 1.0),)),)),
        Pack("rain", Text("w"), (indicator("rain", "rain"), indicator("rain_3h", "rain", derive=Derive(Use("sum"), ("rain",))),
                                 indicator("wind", "rain"), indicator("above", "rain", derive=Derive(Use("neighbours"), ("level",)))))))
    detectors = [d for p in city.packs for d in p.detectors]

    assert list(needs(city, detectors)) == ["level_6h", "above", "level", "rain_3h", "rain"]
    assert list(needs(city, [])) == []
