"""Units: what is written becomes seconds and the indicator's own unit, or a clear refusal."""
import pytest

from streams.packs.units import UnitError, known, scale, seconds


@pytest.mark.parametrize(("text", "value"), [
    ("90s", 90.0), ("5min", 300.0), ("1.5 h", 5400.0), ("12 hours", 43200.0), ("7d", 604800.0), ("2 weeks", 1209600.0),
    ("250ms", 0.25), ("0", 0.0), ("1e3 s", 1000.0),
])
def test_durations(text, value):
    """A duration is a number and one of a closed list of words."""
    assert seconds(text) == value


@pytest.mark.parametrize(("text", "why"), [
    ("12", "with a unit"), ("12 H", "got 'H'"), ("1 month", "no fixed length"), ("2y", "no fixed length"), ("1 W", "got 'W'"),
    ("soon", "not a duration"), ("", "not a duration"), ("5 m", "got 'm'"), ("1h30min", "with a unit"),
    ("12h*2", "with a unit"),
])
def test_what_is_no_duration(text, why):
    """Henry, watt, metres, months and bare numbers are not durations."""
    with pytest.raises(UnitError, match=why):
        seconds(text)


@pytest.mark.parametrize(("unit", "want", "own", "factor"), [
    ("", "value", "m", 1.0), ("m", "value", "m", 1.0), ("cm", "value", "m", 0.01), ("µg/m3", "value", "mg/m3", 0.001),
    ("ug/m3", "value", "µg/m³", 1.0), ("℃", "value", "degC", 1.0), ("亿元", "value", "亿元", 1.0),
    ("% LEL", "value", "%LEL", 1.0),
    ("NTU", "value", "NTU", 1.0), ("m3/s", "value", "L/s", 1000.0), ("%", "value", "%", 1.0),
    ("m/h", "value/time", "m", 1 / 3600), ("cm/min", "value/time", "m", 0.01 / 60),
    ("m3/s/h", "value/time", "m3/s", 1 / 3600),
    ("/h", "value/time", "m", 1 / 3600), ("亿元/d", "value/time", "亿元", 1 / 86400), ("%", "", "m", 0.01),
    ("", "", "m", 1.0),
    ("", "count", "m", 1.0), ("h", "time", "m", 3600.0),
])
def test_factors(unit, want, own, factor):
    """A unit becomes the factor to what is wanted."""
    assert scale(unit, want, own) == pytest.approx(factor, rel=1e-12)


@pytest.mark.parametrize(("unit", "want", "own", "why"), [
    ("s", "value", "m", "does not convert"), ("parsnip", "value", "m", "unknown unit"),
    ("K", "value", "degC", "does not convert"),
    ("万元", "value", "亿元", "does not convert"), ("m", "value", "亿元", "does not convert"),
    ("m", "value/time", "m", "a rate such as m/h"),
    ("", "value/time", "m", "bare number"), ("m/month", "value/time", "m", "no fixed length"),
    ("mm", "count", "mm", "plain number"),
    ("kg/h", "value/time", "m", "does not convert"), ("__import__('os')", "value", "m", "unknown unit"),
])
def test_units_that_do_not_fit(unit, want, own, why):
    """Every other unit is refused with what would fit."""
    with pytest.raises(UnitError, match=why):
        scale(unit, want, own)


@pytest.mark.parametrize(("unit", "fine"), [
    ("m", True), ("m3/s", True), ("", True), ("index", True), ("人", True), ("℃", True), ("%", True), ("pH", True),
    ("metre", True),
    ("foo", False), ("m/", False), ("m3//s", False),
])
def test_units_of_indicators(unit, fine):
    """An indicator is measured in what pint knows, or in a word that is not ASCII."""
    assert known(unit) is fine
