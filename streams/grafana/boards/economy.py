"""Monthly figures from the history database, each as of its newest vintage, and the vintages themselves.

Prometheus has no place for figures of months ago that are revised; they are asked of PostgreSQL through a role that only reads.
"""
from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.frame import frame
from streams.grafana.look import BLUE, CALM, NORMAL, RED, YELLOW, steps, words
from streams.grafana.panels import lines, number, ribbon, table
from streams.grafana.sql import HISTORY, Query, newest, of, variables

FOLDER = "经济"
ZONES = (37, 50, 70, 83)
"""Where the lamps change, as in configs/packs/economic-index (a test compares them); a city's own zones are changed in both."""
LAMPS = {"1": ("蓝灯 过冷", BLUE), "2": ("浅蓝灯 趋冷", CALM), "3": ("绿灯 稳定", NORMAL), "4": ("黄灯 趋热", YELLOW),
         "5": ("红灯 过热", RED)}
WHEN = "value IS NOT NULL AND $__timeFilter(period) ORDER BY 1"
STEPS = " + ".join(f"(value >= {zone})::int" for zone in ZONES)
LAMP = f"""SELECT period AS "time", split_part(series, '@', 2) AS metric, 1 + {STEPS} AS value
FROM {newest(of("lamp_index"))} WHERE {WHEN}"""


def build(desk: str) -> models.Dashboard:
    """`desk` is the address of the desk that the links open."""
    about = "月度指标、五灯预警指数、合成指数与历次修订，来自历史库（PostgreSQL，只读账户）。"
    return frame("wl-economy", "经济 Economy", about, desk, "now-5y", "15m", [
        (6, [(18, lamps()), (6, lamp())]),
        (9, [(12, index()), (12, composite())]),
        (10, [(24, figures())]),
        (10, [(24, vintages())]),
    ], variables())


def lamps() -> object:
    """The strip of five lamps."""
    return ribbon("五灯 Five lamps", "预警指数所在的灯区", [Query(LAMP)], words(LAMPS)).datasource(HISTORY)


def lamp() -> object:
    """The lamp of the newest month."""
    return number("当前灯号 Lamp now", "最近一期预警指数的灯区", [Query(LAMP)], mappings=words(LAMPS)).datasource(HISTORY)


def index() -> object:
    """The index with its zones."""
    cold, cool, warm, hot = ZONES
    return lines("预警指数 Early-warning index", "20 至 100；虚线为灯区边界", [Query(_of("lamp_index"))], zero=False,
                 limits=steps(BLUE, (cold, CALM), (cool, NORMAL), (warm, YELLOW), (hot, RED))).datasource(HISTORY)


def composite() -> object:
    """The composite index."""
    return lines("一致合成指数 Composite index", "起点为 100", [Query(_of("composite"))], zero=False).datasource(HISTORY)


def figures() -> object:
    """The chosen series, as of their newest vintage."""
    sql = f'SELECT period AS "time", series AS metric, value FROM {newest("series IN (${series:sqlstring})")} WHERE {WHEN}'
    return lines("月度指标 Monthly figures", "所选序列，每期取最近一次公布", [Query(sql)], zero=False).datasource(HISTORY)


def vintages() -> object:
    """Every publication of a figure, newest first."""
    sql = """SELECT series, period, to_timestamp(arrived / 1000000.0) AS published, value, revision, flag FROM (
 SELECT *, to_timestamp(t / 1000000.0) AS period FROM reading WHERE series IN (${series:sqlstring})) every
WHERE $__timeFilter(period) ORDER BY period DESC, series, arrived DESC LIMIT 500"""
    return table("历次公布 Vintages", "同一期数值的历次公布与修订次数", [Query(sql, series=False)], {
        "series": "序列", "period": "所属期", "published": "公布", "value": "数值", "revision": "修订", "flag": "标记"}
                 ).datasource(HISTORY)


def _of(indicator: str) -> str:
    return f"""SELECT period AS "time", split_part(series, '@', 2) AS metric, value FROM {newest(of(indicator))} WHERE {WHEN}"""
