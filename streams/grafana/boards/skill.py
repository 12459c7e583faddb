"""How good detectors are: by people's close-outs, and by stored backtests. What is not here is unproved (未验证)."""
from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.frame import frame
from streams.grafana.look import NORMAL, ORANGE, steps
from streams.grafana.panels import bars, lines, query, rows

FOLDER = "准确率"


def build(desk: str) -> models.Dashboard:
    """`desk` is the address of the desk that the links open."""
    about = "关闭时的认定与存档回测。没有列出的检测器：未验证。"
    return frame("wl-skill", "准确率 Skill", about, desk, "now-30d", "5m", [
        (9, [(12, precision()), (12, outcomes())]),
        (9, [(14, backtests()), (10, leads())]),
        (8, [(24, scores())]),
    ])


def precision() -> object:
    """True of true and false, of the last thirty days; none true is 0."""
    said = 'sum by (detector) (increase(wanglou_outcomes_total{pack=~"$pack",outcome=~"true|false"}[30d]))'
    true = 'sum by (detector) (increase(wanglou_outcomes_total{pack=~"$pack",outcome="true"}[30d]))'
    return bars("查准率 Precision", "近 30 天认定为属实的占属实与误报之和，按检测器", [
        query(f"({true} or 0 * {said}) / {said}", "{{detector}}", now=True)], unit="percentunit",
        limits=steps(ORANGE, (0.5, NORMAL)))


def outcomes() -> object:
    """Close-outs by outcome."""
    return bars("认定 Outcomes", "近 30 天关闭的预警，按认定", [
        query('sum by (outcome) (increase(wanglou_outcomes_total{pack=~"$pack"}[30d]))', "{{outcome}}", now=True)])


def backtests() -> object:
    """POD, FAR and CSI of the newest stored backtest, a row a detector."""
    def of(score: str, ref: str) -> object:
        chosen = f'{{pack=~"$pack",score="{score}"}}'
        return query(f"max by (detector) (wanglou_skill{chosen})", "", ref, True, True)

    return rows("存档回测 Stored backtests", "最近一次存档回测：命中率 POD、空报率 FAR、临界成功指数 CSI", [
        of("pod", "A"), of("far", "B"), of("csi", "C")], by="detector",
        columns={"detector": "检测器", "Value #A": "POD", "Value #B": "FAR", "Value #C": "CSI"})


def leads() -> object:
    """Median lead."""
    return bars("提前量 Lead", "存档回测的提前量中位数", [
        query('max by (detector) (wanglou_skill_lead_seconds{pack=~"$pack"})', "{{detector}}", now=True)], unit="s")


def scores() -> object:
    """CSI by version over time."""
    return lines("各版本 CSI by version", "临界成功指数，按检测器与规则版本", [
        query('max by (detector, version) (wanglou_skill{pack=~"$pack",score="csi"})', "{{detector}} {{version}}")])
