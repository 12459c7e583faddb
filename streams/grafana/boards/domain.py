"""One row of panels for each pack: levels by area, how many series at which level, flags; then key stations with their limits."""
from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.frame import Repeat, frame
from streams.grafana.look import DATASOURCE, LEVELS, NORMAL, level_words, steps
from streams.grafana.panels import bars, lines, query, ribbon

FOLDER = "领域"
HERE = '{pack=~"$pack",area=~"$area"}'


def build(desk: str) -> models.Dashboard:
    """`desk` is the address of the desk that the links open."""
    about = "每个领域一行：各区域级别、各级别序列数、质控标记；其后为关键站。"
    return frame("wl-domain", "领域 Domains", about, desk, "now-24h", "10s", [
        Repeat("pack", "领域 $pack", [(9, [(12, areas()), (5, counts()), (7, flags())])]),
        Repeat("series", "关键站 $series", [(8, [(24, station())])]),
    ], [stations()])


def stations() -> builders.QueryVariable:
    """The key series that a pack marks with `wall: true`."""
    every = models.VariableOption(selected=True, text=["All"], value=["$__all"])
    return (builders.QueryVariable("series").label("关键站").datasource(DATASOURCE).multi(True).include_all(True).current(every)
            .query("label_values(wanglou_key_value, series)").refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(models.VariableSort.ALPHABETICAL_ASC))


def areas() -> object:
    """State timeline by area; normal with fewer than 7 of 10 series fresh is 失联."""
    level, fresh = f"wanglou_area_level{HERE}", f"wanglou_area_fresh_ratio{HERE}"
    expr = f"max by (area) ((({level} == 0) and on (area, pack) ({fresh} < 0.7)) - 1 or {level})"
    return ribbon("区域级别 Level by area", "失联：正常但在报不足七成", [query(expr, "{{area}}")], level_words())


def counts() -> object:
    """Series by level."""
    return bars("各级别序列 Series by level", "处于各级别的序列数", [
        query(f"sum by (level) (wanglou_series_level{HERE})", "{{level}}", now=True)])


def flags() -> object:
    """Flags a second by check."""
    expr = 'sum by (check, flag) (rate(wanglou_flags_total{pack=~"$pack"}[$__rate_interval]))'
    return lines("质控标记 Flags", "每秒打上的非正常标记，按检查", [query(expr, "{{check}} {{flag}}")], unit="cps")


def station() -> object:
    """A key series with its limits as lines, in its own unit."""
    limits = [query(f'max(wanglou_key_limit{{series=~"$series",level="{level}"}})', text, ref)
              for ref, (level, text, _) in zip("BCDE", LEVELS, strict=True)]
    return lines("数值与限值 Value and limits", "现值与各级限值，本站自己的单位", [
        query('max by (series) (wanglou_key_value{series=~"$series"})', "{{series}}"), *limits], limits=steps(NORMAL), zero=False)
