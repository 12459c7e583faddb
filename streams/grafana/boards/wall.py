"""The wall: how bad is it, who waits, where, what is silent. For a big screen in kiosk mode; it shows, the desk acts."""
from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.frame import frame
from streams.grafana.look import LEVELS, NORMAL, ORANGE, RED, SILENT, YELLOW, level_words, steps, words
from streams.grafana.panels import bars, number, query, ribbon, rows

FOLDER = "大屏"
HERE = '{pack=~"$pack",area=~"$area"}'


def build(desk: str) -> models.Dashboard:
    """`desk` is the address of the desk that the links open."""
    return frame("wl-wall", "望楼大屏 Wall", "态势、等待应答、失联。应答在值班台。", desk, "now-6h", "5s", [
        (5, [(5, worst()), *opened(), (7, waiting()), (4, canary())]),
        (13, [(24, districts())]),
        (9, [(8, silent()), (16, stations())]),
    ])


def worst() -> object:
    """The worst level of the city."""
    return number("最高级别 Worst level", "各区域、各领域中最高的一级", [
        query('max(wanglou_area_level{pack=~"$pack"})', "全市", now=True)],
        mappings=level_words())


def opened() -> list[tuple[int, object]]:
    """Open warnings, a panel a level. None open is 0 while a desk says so, and 无数据 when no desk does."""
    return [(2, number(f"{text} 未关闭", f"未关闭的真实预警（不含演练、试运行）Open {level} warnings", [
        query(f'sum(wanglou_alerts_open{{scope="real",level="{level}"}}) or 0 * max(wanglou_desk_leader)', "条", now=True)],
        limits=steps(NORMAL, (1, color)), mappings=words({}))) for level, text, color in LEVELS]


def waiting() -> object:
    """How long the oldest unanswered warning waits; -1 stands for nobody waits while a desk says so."""
    return number("最久未应答 Longest unanswered", "每一级中等待应答最久的一条", [
        query(f'time() - min(wanglou_unanswered_since_timestamp_seconds{{level="{level}"}}) or 0 * max(wanglou_desk_leader) - 1',
              text, ref, now=True) for ref, (level, text, _) in zip("ABCD", LEVELS, strict=True)],
        unit="s", limits=steps(NORMAL, (0, YELLOW), (60, ORANGE), (180, RED)), mappings=words({"-1": ("无人等待", NORMAL)}))


def canary() -> object:
    """Age of the last canary that came through every stage."""
    return number("全链路自检 Canary", "距上次演练站全程走通的时间；超过 20 分钟为异常", [
        query("time() - max(wanglou_canary_last_success_timestamp_seconds)", "距上次成功", now=True)],
        unit="s", limits=steps(NORMAL, (1200, RED)))


def districts() -> object:
    """State timeline by district and domain. Normal with fewer than 7 of 10 series fresh is 失联, never normal."""
    level, fresh = f"wanglou_area_level{HERE}", f"wanglou_area_fresh_ratio{HERE}"
    expr = f"max by (area, pack) ((({level} == 0) and on (area, pack) ({fresh} < 0.7)) - 1 or {level})"
    return ribbon("各区域级别 Level by district", "失联：正常但在报不足七成", [
        query(expr, "{{area}} · {{pack}}")], level_words())


def silent() -> object:
    """Series that are not fresh, by area."""
    every = f"wanglou_series{HERE}"
    some = 'wanglou_series{fresh!="fresh",pack=~"$pack",area=~"$area"}'
    return bars("失联 Silent series", "失联、从未来数、预热中、出错的序列数", [
        query(f"sum by (area) ({some}) or 0 * sum by (area) ({every})", "{{area}}", now=True)], limits=steps(NORMAL, (1, SILENT)))


def stations() -> object:
    """Key stations: value beside its limits."""
    info = "max by (series, title) (wanglou_key_info)"
    value = f"max by (series, title) (wanglou_key_value * on (series) group_left (title) {info})"
    limits = [query(f'max by (series) (wanglou_key_limit{{level="{level}"}})', "", ref, True, True)
              for ref, (level, _, _) in zip("BCDE", LEVELS, strict=True)]
    heads = {f"Value #{ref}": text for ref, (_, text, _) in zip("BCDE", LEVELS, strict=True)}
    return rows("关键站 Key stations", "现值与各级限值，各站自己的单位", [query(value, "", "A", True, True), *limits],
                by="series", columns={"title": "站", "series": "序列", "Value #A": "现值", **heads})
