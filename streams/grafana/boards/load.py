"""The load of a watch after EEMUA 191: how many warnings, from what, of which levels; which are idle, which chatter."""
from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.frame import frame
from streams.grafana.look import NORMAL, ORANGE, RED, YELLOW, steps
from streams.grafana.panels import bars, lines, number, query

FOLDER = "值班负荷"
REAL = '{scope="real",pack=~"$pack"}'
SHARES = "80 / 15 / 5"
"""Low, medium and high of all alarms that EEMUA 191 advises; blue and yellow, orange, red here."""


def build(desk: str) -> models.Dashboard:
    """`desk` is the address of the desk that the links open."""
    about = "EEMUA 191：每 10 分钟宜不超过 1 条，10 条以上为洪泛。演练、试运行不计。"
    return frame("wl-load", "值班负荷 Load", about, desk, "now-24h", "30s", [
        (9, [(18, pace()), (6, now())]),
        (8, [(12, top()), (12, shares())]),
        (6, [(8, idle()), (8, chattering()), (8, opened())]),
    ])


def pace() -> object:
    """Warnings in ten minutes, with lines at 1 and 10."""
    return lines("每 10 分钟预警 Warnings in 10 min", "新发与升级的预警；1 条为宜，10 条以上为洪泛", [
        query(f"sum(increase(wanglou_alerts_total{REAL}[10m]))", "条")], limits=steps(NORMAL, (1, YELLOW), (10, RED)))


def now() -> object:
    """The last ten minutes as a figure."""
    return number("近 10 分钟 Last 10 min", "新发与升级的预警", [
        query(f"sum(increase(wanglou_alerts_total{REAL}[10m]))", "条", now=True)], limits=steps(NORMAL, (1, YELLOW), (10, RED)))


def top() -> object:
    """The ten that say most."""
    expr = 'topk(10, sum by (pack, detector) (increase(wanglou_alerts_total{pack=~"$pack"}[24h])))'
    return bars("最多的检测器 Top detectors", "近 24 小时预警最多的十个检测器或规则", [query(expr, "{{detector}}", now=True)])


def shares() -> object:
    """Share by level against what is advised."""
    expr = f"sum by (level) (increase(wanglou_alerts_total{REAL}[24h])) / scalar(sum(increase(wanglou_alerts_total{REAL}[24h])))"
    return bars("级别占比 Share by level", f"近 24 小时各级别占比；EEMUA 191 建议低、中、高为 {SHARES}", [
        query(expr, "{{level}}", now=True)], unit="percentunit")


def idle() -> object:
    """Answered warnings without news for too long."""
    return number("久未进展 Idle", "已应答而逾期没有进展的预警", [query("sum(wanglou_alerts_idle)", "条", now=True)],
                  limits=steps(NORMAL, (1, ORANGE)))


def chattering() -> object:
    """On and off three times in half an hour."""
    return number("反复 Chattering", "30 分钟内反复三次以上的预警", [query("sum(wanglou_alerts_chattering)", "条", now=True)],
                  limits=steps(NORMAL, (1, YELLOW)))


def opened() -> object:
    """Open warnings by state; none is 0 while a desk says so."""
    expr = 'sum by (state) (wanglou_alerts_open{scope="real",pack=~"$pack"}) or 0 * max(wanglou_desk_leader)'
    return bars("未关闭 Open by state", "未关闭的真实预警，按状态", [query(expr, "{{state}}", now=True)])
