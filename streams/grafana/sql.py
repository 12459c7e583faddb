"""Queries of the history database (PostgreSQL) for panels: through a role that may only read, `wanglou history grant grafana`.

The SDK has no builder for SQL sources, so the target is set by hand as Grafana's own editor writes it.
"""
from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as models

KIND = "grafana-postgresql-datasource"
HISTORY = common.DataSourceRef(type_val=KIND, uid="${sql}")
# Every series once, by steps over the index.
_EVERY = """WITH RECURSIVE s(series) AS (SELECT min(series) FROM reading UNION ALL
 SELECT (SELECT min(series) FROM reading WHERE series > s.series) FROM s WHERE s.series IS NOT NULL)
SELECT s.series FROM s"""
MONTHLY = f"""{_EVERY} CROSS JOIN LATERAL (SELECT max(t) - min(t) AS gap FROM (SELECT DISTINCT t FROM reading r
 WHERE r.series = s.series ORDER BY t DESC LIMIT 2) two) last WHERE last.gap >= 20 * 86400000000 ORDER BY 1"""
"""Series whose last two times lie at least twenty days apart."""


def of(indicator: str) -> str:
    """A condition: the series of one indicator. Not LIKE over the table, for only some collations let an index answer that."""
    return f"series = ANY(ARRAY({_EVERY} WHERE split_part(s.series, '@', 1) = '{indicator}'))"


def newest(which: str) -> str:
    """A table `newest` of series, period and value: of each time the newest publication."""
    return f"""(SELECT DISTINCT ON (series, t) series, to_timestamp(t / 1000000.0) AS period, value FROM reading
 WHERE {which} AND flag <= 3 ORDER BY series, t, arrived DESC) newest"""


class Query(variants.Dataquery):
    """One SQL query: `series` = a time series (columns time, metric, value), else a table. It is its own builder."""

    def __init__(self, sql: str, series: bool = True, ref: str = "A") -> None:
        self.sql, self.series, self.ref = sql, series, ref

    def build(self) -> Query:
        """As the panel's builder asks."""
        return self

    def to_json(self) -> dict[str, object]:
        """The target."""
        return {"refId": self.ref, "datasource": HISTORY, "editorMode": "code", "rawQuery": True, "rawSql": self.sql,
                "format": "time_series" if self.series else "table"}


def variables() -> list[Any]:
    """The data source, and the monthly series that it has."""
    first = models.VariableOption(selected=True, text=["All"], value=["$__all"])
    return [builders.DatasourceVariable("sql").label("历史库").type(KIND),
            builders.QueryVariable("series").label("月度序列").datasource(HISTORY).query(MONTHLY).multi(True).include_all(True)
            .current(first).refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)]
