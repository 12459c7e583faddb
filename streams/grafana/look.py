"""How a dashboard of Wanglou looks: the dark colours of the screens, level mappings with words, no green anywhere.

Colour is never alone: every mapped value carries its words. Null is 无数据, a look of its own. Source: screens.md 3 and 10.
"""
from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

SILENT, NORMAL, NOTHING, CALM = "#c3aef0", "#3b454c", "#21282d", "#8fc0ff"
BLUE, YELLOW, ORANGE, RED = "#6eabff", "#ffd84d", "#ff9b3f", "#ff625c"
LEVELS = (("red", "红 Ⅰ", RED), ("orange", "橙 Ⅱ", ORANGE), ("yellow", "黄 Ⅲ", YELLOW), ("blue", "蓝 Ⅳ", BLUE))
"""Word of the label, words for people, colour; worst first."""
NO_DATA = "无数据"

DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${ds}")


def words(table: dict[str, tuple[str, str]]) -> list[models.ValueMapping]:
    """Value -> (words, colour), and null -> 无数据."""
    options = {value: models.ValueMappingResult(text=text, color=color, index=index)
               for index, (value, (text, color)) in enumerate(table.items())}
    null = models.DashboardSpecialValueMapOptions(
        match=models.SpecialValueMatch.NULL_AND_NAN,
        result=models.ValueMappingResult(text=NO_DATA, color=NOTHING, index=len(options)))
    known: list[models.ValueMapping] = [models.ValueMap(options=options)] if options else []
    return [*known, models.SpecialValueMap(options=null)]


def level_words() -> list[models.ValueMapping]:
    """The integers of `wanglou_area_level` as people read them; they never appear on a screen."""
    ranks = {str(4 - rank): (text, color) for rank, (_, text, color) in enumerate(LEVELS)}
    return words({"-1": ("失联", SILENT), "0": ("正常", NORMAL), **ranks})


def steps(base: str = CALM, *above: tuple[float, str]) -> builders.ThresholdsConfig:
    """Colour from a value on. Always given: Grafana's own default is green."""
    rows = [models.Threshold(value=None, color=base), *(models.Threshold(value=value, color=color) for value, color in above)]
    return builders.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(rows)


def by_steps() -> builders.FieldColor:
    """Colour by threshold."""
    return builders.FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def shades() -> builders.FieldColor:
    """Lines as shades of one calm colour: Grafana's palette has greens and reds that would mean nothing here."""
    return builders.FieldColor().mode(models.FieldColorModeId.SHADES).fixed_color(CALM)
