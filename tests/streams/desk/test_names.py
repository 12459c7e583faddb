"""Numbers and names are said as people read them: no level is a bare number, no unit is written for machines."""
from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from detectors.pack import Rule, Term, Text
from streams.desk.messages import measured, short
from streams.desk.names import Names
from streams.desk.tables import Alert


@pytest.fixture
def names(city: Any) -> Names:
    """The small city, with rules of several kinds."""
    (pack,) = city.packs
    kinds = {kind: Rule(kind, "basin", kind, (), 1, title=Text(kind)) for kind in ("share", "at_least")}
    kinds["worst"] = Rule("worst", "basin", "", (), 1, when=Term("worst"), title=Text("县域告急"))
    return Names(replace(city, packs=(replace(pack, rules=tuple(kinds.values())),)))


def test_what_a_rule_measured(names: Names) -> None:
    """The worst level by its name, a share in per cent, a count as it is."""
    assert names.ruled("basin/worst", 4.0, "zh") == "红 Ⅰ级" and names.ruled("basin/worst", 3.0, "en") == "Orange"
    assert names.ruled("basin/share", 0.334, "zh") == "33 %" and names.ruled("basin/at_least", 2.0, "zh") == "2"
    assert names.ruled("basin/gone", 2.5, "zh") == "2.5" and names.ruled("basin/worst", None, "zh") == "—"


def test_a_call_says_no_level_as_a_number(names: Names) -> None:
    """A rule over levels says its own level and no other: two in one message are taken for one another."""
    alert = Alert(id="x", rule="basin/worst", indicator="", detector="", pack="basin", site="", area="admin:lanxi", level=2, shown=2,
                  value=4.0, bound=3.0, as_of=None, confidence="good", scope="real")
    text = short(alert, names, 0)
    assert measured(alert, names, "zh") == ("", "") and "黄 Ⅲ级" in text and "红" not in text and "4.0" not in text
    alert.rule, alert.value, alert.bound = "basin/share", 0.5, 0.3
    assert measured(alert, names, "zh") == ("50 %", "30 %")


@pytest.mark.parametrize(("unit", "said"), [("m3/s", "m³/s"), ("µg/m3", "µg/m³"), ("km2", "km²"), ("mm", "mm"), ("m", "m"),
                                           ("m2s", "m2s"), ("", "")])
def test_units_are_written_for_people(city: Any, unit: str, said: str) -> None:
    """Powers of the metre are raised; what only looks like one is not."""
    (pack,) = city.packs
    made = Names(replace(city, packs=(replace(pack, indicators=(replace(pack.indicators[0], unit=unit),)),)))
    assert made.unit(pack.indicators[0].id) == said
