"""What every dashboard shares: uid, zone, variables, links, annotations, and panels that are numbered and placed."""
from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.look import DATASOURCE, ORANGE

ZONE = "Asia/Shanghai"
WIDTH = 24
DESK = "http://127.0.0.1:8080"
Row = tuple[int, list[tuple[int, Any]]]
"""Height, and panels with their widths."""


class Repeat(NamedTuple):
    """Rows of panels under a heading, once for each chosen value of a variable (in titles and queries it is then that one)."""

    by: str
    title: str
    rows: list[Row]


def frame(uid: str, title: str, about: str, desk: str, since: str, refresh: str, rows: Sequence[Row | Repeat],
          variables: Sequence[Any] = ()) -> models.Dashboard:
    """A dashboard with its panels laid out row by row, and variables beside the common ones. ValueError when a row is wider than
    the grid.
    """
    made = (builders.Dashboard(title).uid(uid).description(about).tags(["wanglou"]).timezone(ZONE).readonly()
            .tooltip(models.DashboardCursorSync.CROSSHAIR).time(since, "now").refresh(refresh)
            .with_variable(builders.DatasourceVariable("ds").label("数据源").type("prometheus"))
            .with_variable(_labels("area", "区域")).with_variable(_labels("pack", "领域"))
            .with_variable(builders.ConstantVariable("desk").label("值班台").value(desk))
            .link(_link("值班台 Desk", "${desk}/?area=${area:csv}&pack=${pack:csv}")).annotation(_warnings()))
    for variable in variables:
        made = made.with_variable(variable)
    number = y = 0
    for part in rows:
        if isinstance(part, Repeat):
            number += 1
            made = made.with_row(builders.Row(part.title).repeat(part.by).id(number)
                                 .grid_pos(models.GridPos(h=1, w=WIDTH, x=0, y=y)))
            y += 1
        for height, panels in part.rows if isinstance(part, Repeat) else [part]:
            x = 0
            for width, panel in panels:
                number += 1
                made = made.with_panel(panel.id(number).grid_pos(models.GridPos(h=height, w=width, x=x, y=y)))
                x += width
            if x > WIDTH:
                raise ValueError(f"{uid}: a row is {x} wide, the grid {WIDTH}")
            y += height
    return made.build()


def json_bytes(dashboard: models.Dashboard) -> bytes:
    """The file: the same dashboard is always the same bytes."""
    return (json.dumps(dashboard, cls=JSONEncoder, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _labels(name: str, label: str) -> builders.QueryVariable:
    every = models.VariableOption(selected=True, text=["All"], value=["$__all"])
    return (builders.QueryVariable(name).label(label).datasource(DATASOURCE).multi(True).include_all(True).current(every)
            .query(f"label_values(wanglou_area_level, {name})")
            .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED).sort(models.VariableSort.ALPHABETICAL_ASC))


def _link(title: str, url: str) -> builders.DashboardLink:
    return builders.DashboardLink(title).type(models.DashboardLinkType.LINK).url(url).target_blank(True).icon("external link")


def _warnings() -> builders.AnnotationQuery:
    """Warnings of the desk, orange and red, scope real."""
    return (builders.AnnotationQuery().name("预警 Warnings").datasource(DATASOURCE).enable(True).icon_color(ORANGE)
            .expr('sum by (pack, detector, level) (increase(wanglou_alerts_total{scope="real",level=~"orange|red"}[1m])) > 0')
            .step("1m").title_format("{{level}} {{pack}}/{{detector}}").text_format("{{pack}}/{{detector}}").tag_keys("level"))
