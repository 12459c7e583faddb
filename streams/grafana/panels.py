"""The panel shapes that our dashboards use, each with its data source, its thresholds and its look for no data."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, statetimeline, timeseries
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import table as tables
from grafana_foundation_sdk.models import common as kinds
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models import prometheus as query_kinds

from streams.grafana.look import DATASOURCE, NO_DATA, by_steps, shades, steps


def query(expr: str, legend: str = "", ref: str = "A", now: bool = False, as_table: bool = False) -> prometheus.Dataquery:
    """One PromQL query. `now` asks for the newest value only."""
    made = (prometheus.Dataquery().datasource(DATASOURCE).expr(expr).ref_id(ref).legend_format(legend)
            .editor_mode(query_kinds.QueryEditorMode.CODE)
            .format(query_kinds.PromQueryFormat.TABLE if as_table else query_kinds.PromQueryFormat.TIME_SERIES))
    return made.instant() if now else made.range()


def _common(panel: Any, title: str, about: str, targets: Sequence[Any], unit: str) -> Any:
    panel = panel.title(title).description(about).datasource(DATASOURCE).targets(targets).no_value(NO_DATA)
    return panel.unit(unit) if unit else panel


def number(title: str, about: str, targets: Sequence[Any], *, unit: str = "",
           limits: builders.ThresholdsConfig | None = None, mappings: list[models.ValueMapping] | None = None) -> Any:
    """Big figures, one for each series."""
    last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    panel = _common(stat.Panel(), title, about, targets, unit).reduce_options(last)
    return (panel.thresholds(limits or steps()).color_scheme(by_steps()).mappings(mappings or [])
            .color_mode(kinds.BigValueColorMode.BACKGROUND_SOLID if mappings else kinds.BigValueColorMode.VALUE)
            .graph_mode(kinds.BigValueGraphMode.NONE).text_mode(kinds.BigValueTextMode.VALUE_AND_NAME)
            .justify_mode(kinds.BigValueJustifyMode.CENTER).orientation(kinds.VizOrientation.VERTICAL))


def ribbon(title: str, about: str, targets: Sequence[Any], mappings: list[models.ValueMapping]) -> Any:
    """State timeline: one ribbon a series, equal neighbours merged, holes left open."""
    legend = (common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.LIST).placement(kinds.LegendPlacement.BOTTOM)
              .show_legend(True).calcs([]))
    return (_common(statetimeline.Panel(), title, about, targets, "").mappings(mappings).thresholds(steps())
            .color_scheme(by_steps()).merge_values(True).show_value(kinds.VisibilityMode.AUTO).row_height(0.85)
            .align_value(kinds.TimelineValueAlignment.LEFT).fill_opacity(90).line_width(0).span_nulls(False).legend(legend)
            .tooltip(_tooltip()))


def lines(title: str, about: str, targets: Sequence[Any], *, unit: str = "",
          limits: builders.ThresholdsConfig | None = None, zero: bool = True) -> Any:
    """Time series; limits are drawn as lines; holes stay holes."""
    legend = (common.VizLegendOptions().display_mode(kinds.LegendDisplayMode.TABLE).placement(kinds.LegendPlacement.RIGHT)
              .show_legend(True).calcs(["lastNotNull", "max"]))
    panel = _common(timeseries.Panel(), title, about, targets, unit).color_scheme(shades()).line_width(1).fill_opacity(0)
    panel = panel.legend(legend).tooltip(_tooltip()).show_points(kinds.VisibilityMode.AUTO).span_nulls(False)
    panel = panel.thresholds(limits or steps())
    if limits:
        panel = panel.thresholds_style(common.GraphThresholdsStyleConfig().mode(kinds.GraphThresholdsStyleMode.DASHED))
    return panel.min(0) if zero else panel


def bars(title: str, about: str, targets: Sequence[Any], *, unit: str = "",
         limits: builders.ThresholdsConfig | None = None) -> Any:
    """One bar a series, now."""
    last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
    return (_common(bargauge.Panel(), title, about, targets, unit).reduce_options(last).thresholds(limits or steps())
            .color_scheme(by_steps()).orientation(kinds.VizOrientation.HORIZONTAL).min(0)
            .display_mode(kinds.BarGaugeDisplayMode.BASIC).value_mode(kinds.BarGaugeValueMode.TEXT).show_unfilled(True))


def rows(title: str, about: str, targets: Sequence[Any], *, by: str, columns: dict[str, str]) -> Any:
    """A table joined on label `by`; `columns` is field -> heading, in order, nothing else is shown."""
    panel = _common(tables.Panel(), title, about, targets, "").thresholds(steps()).color_scheme(by_steps())
    for change, options in (
        ("joinByField", {"byField": by, "mode": "outer"}),
        ("filterFieldsByName", {"include": {"names": list(columns)}}),
        ("organize", {"indexByName": {name: at for at, name in enumerate(columns)}, "renameByName": columns}),
    ):
        panel = panel.with_transformation(models.DataTransformerConfig(id_val=change, options=options))
    return panel.show_header(True).cell_height(kinds.TableCellHeight.MD)


def table(title: str, about: str, targets: Sequence[Any], columns: dict[str, str]) -> Any:
    """A table as the query gives it; `columns` is field -> heading, in order, nothing else is shown."""
    panel = _common(tables.Panel(), title, about, targets, "").thresholds(steps()).color_scheme(by_steps())
    options = {"indexByName": {name: at for at, name in enumerate(columns)}, "renameByName": columns}
    return (panel.with_transformation(models.DataTransformerConfig(id_val="organize", options=options))
            .show_header(True).cell_height(kinds.TableCellHeight.SM))


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions().mode(kinds.TooltipDisplayMode.MULTI).sort(kinds.SortOrder.DESCENDING)
