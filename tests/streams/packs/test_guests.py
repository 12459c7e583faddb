"""Which sites feed on which others: read from links, areas and distance; what cannot be is refused at its place."""
from __future__ import annotations

from pathlib import Path

import pytest

from detectors.pack import Indicator
from streams.feeds.guests import guests
from streams.packs.load import check_city, load_city
from streams.shards import partition

PACK = """
wanglou: 1
pack: river
indicators:
  level: {{unit: m, every: 5min, silent: 15min, checks: [{{range: {{fail: [0, top]}}}}]}}
  rain: {{unit: mm, every: 5min, silent: 15min}}
derive:
  rain_1h: {{sum: rain, over: 1h}}
  made: {made}
detectors:
  - {{id: high, indicator: level, kind: threshold, levels: {{red: {{above: 9}}}}, source: guess}}
"""
SITES = """site,lat,lon,indicators,reach,downstream,travel,top
a,29.0,119.0,level rain,r1,c,1h,50
b,29.1,119.0,level,r1,c,1h,60
c,29.2,119.0,level,r1,d,2h,70
d,29.9,119.0,level rain,r2,,,80
"""
AREAS = "tree,area,zh,en,parent,depth\nreach,all,全,,,basin\nreach,r1,上,,all,reach\nreach,r2,下,,all,reach\n"


def folder(where: Path, made: str) -> Path:
    (where / "packs/river").mkdir(parents=True)
    (where / "city").mkdir()
    (where / "packs/river/pack.yaml").write_text(PACK.format(made=made), "utf-8")
    (where / "packs/river/sites.csv").write_text(SITES, "utf-8")
    (where / "city/areas.csv").write_text(AREAS, "utf-8")
    return where


@pytest.mark.parametrize(("made", "away"), [
    ("{neighbours: level, at: upstream}", {"c": ("a", "b"), "d": ("c",)}),
    ("{neighbours: level, how: max, area: {tree: reach, depth: reach}}", {"a": ("b", "c"), "b": ("a", "c"), "c": ("a", "b")}),
    ("{of: level, at: downstream}", {"a": ("c",), "b": ("c",), "c": ("d",)}),
    ("{of: rain, at: nearest}", {"a": ("a",), "b": ("a",), "c": ("a",), "d": ("d",)}),
])
def test_other_sites_by_links_areas_and_distance(made: str, away: dict[str, tuple[str, ...]], tmp_path: Path) -> None:
    """As sites.csv and areas.csv say; the series is there exactly where it has something to be made of."""
    made_of = indicator(folder(tmp_path, made))
    assert made_of.derive is not None and made_of.derive.guests == away and made_of.sites == tuple(away)


def indicator(where: Path) -> Indicator:
    return next(i for p in load_city(where).packs for i in p.indicators if i.id == "made")


def test_a_foreign_reading_is_checked_by_the_numbers_of_its_own_site(tmp_path: Path) -> None:
    """The check comes along, with the columns of the site that measures."""
    (use,) = indicator(folder(tmp_path, "{of: level, at: downstream}")).checks
    (bad,) = use.params.values()
    assert isinstance(bad, dict) and {s: v[1] for s, v in bad.items()} == {"a": 70.0, "b": 70.0, "c": 80.0}     # type: ignore[index]


@pytest.mark.parametrize(("made", "words"), [
    ("{of: level, at: upstream}", "takes at most 1 other site, and there are more for c; see neighbours"),
    ("{of: rain_1h, at: nearest}", "rain_1h is derived; take rain from there and derive here"),
    ("{of: level}", "needs one of at: upstream, downstream, nearest or area"),
    ("{of: level, at: uptown}", "unknown 'uptown'; allowed: downstream, nearest, upstream"),
    ("{neighbours: level, area: {tree: reach}}", "depth is missing"),
    ("{max: level, over: 1h, at: upstream}", "unknown key of derive made 'at'; allowed"),
])
def test_what_cannot_be_is_refused_at_its_place(made: str, words: str, tmp_path: Path) -> None:
    """One fault, at the line, that says what is allowed."""
    (fault,) = check_city(folder(tmp_path, made)).faults
    assert words in str(fault) and fault.line == 9


def test_the_feed_writes_guests_where_the_plan_names_them(tmp_path: Path) -> None:
    """Partitions other than its own whose sites feed on a series; nothing where they are all at home."""
    city = load_city(folder(tmp_path, "{of: level, at: downstream}"))
    found = guests(city, 8)
    assert found == {f"level@{s}": frozenset(away) for s, by in (("c", "ab"), ("d", "c"))
                     if (away := {partition(b, 8) for b in by} - {partition(s, 8)})}
    assert found and guests(city, 1) == {}


@pytest.mark.parametrize(("check", "words"), [
    ("{neighbours: {with: made, suspect: 1}}", ""),
    ("{neighbours: {suspect: 1}}", "check neighbours: neighbours needs with: 1 to 2 indicators of the site"),
    ("{neighbours: {with: level, suspect: 1}}", "unknown neighbours: indicator (with) 'level'"),
    ("{confirmed: {with: rains, above: 5}}", "unknown confirmed: indicator (with) 'rains'; did you mean rain?"),
    ("{range: {with: rain}}", "unknown key of check range 'with'"),
])
def test_what_a_check_looks_at_beside(check: str, words: str, tmp_path: Path) -> None:
    """`with:` names series of the same site that the pack may name; nothing else, and only where a check looks at one."""
    where = folder(tmp_path, "{neighbours: level, at: upstream}")
    file = where / "packs/river/pack.yaml"
    file.write_text(file.read_text("utf-8").replace("checks: [", f"checks: [{check}, "), "utf-8")
    faults = check_city(where).faults
    assert [words in str(fault) for fault in faults] == [True] * bool(words), faults
    if not words:
        (level,) = (i for p in load_city(where).packs for i in p.indicators if i.id == "level")
        assert level.checks[0].beside == ("made",)
