"""How people answer: in time, how fast, by agency; how messages go out."""
from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.frame import frame
from streams.grafana.look import NORMAL, ORANGE, RED, YELLOW, steps
from streams.grafana.panels import bars, lines, number, query

FOLDER = "叫应"


def build(desk: str) -> models.Dashboard:
    """`desk` is the address of the desk that the links open."""
    return frame("wl-answer", "叫应 Answers", "应答是否按时、用时多少、消息是否发出。演练、试运行不计。", desk, "now-7d", "1m", [
        (8, [(12, in_time()), (12, mean())]),
        (8, [(8, waiting()), (8, spread()), (8, agencies())]),
        (8, [(8, deliveries()), (8, slowest()), (8, outbox())]),
    ])


def in_time() -> object:
    """Share of the answers within five minutes, of the last seven days."""
    expr = ('sum by (agency) (rate(wanglou_answer_seconds_bucket{le="300.0"}[7d])) '
            "/ sum by (agency) (rate(wanglou_answer_seconds_count[7d]))")
    return lines("五分钟内应答 Answered in 5 min", "近 7 天首次叫应后 5 分钟内应答的占比，按单位", [query(expr, "{{agency}}")],
                 unit="percentunit")


def mean() -> object:
    """Mean time to answer by level."""
    expr = ("sum by (level) (rate(wanglou_answer_seconds_sum[7d])) "
            "/ sum by (level) (rate(wanglou_answer_seconds_count[7d]))")
    return lines("平均应答用时 Mean time to answer", "近 7 天从叫应到应答的平均时间，按级别", [query(expr, "{{level}}")],
                 unit="s")


def waiting() -> object:
    """How long the oldest unanswered one waits, by level; empty when nobody waits."""
    expr = "time() - min by (level) (wanglou_unanswered_since_timestamp_seconds)"
    return number("正在等待应答 Waiting now", "每一级中等待应答最久的一条；无人等待时为空", [query(expr, "{{level}}", now=True)],
                  unit="s", limits=steps(NORMAL, (1, YELLOW), (60, ORANGE), (180, RED)))


def spread() -> object:
    """P50 and P95 of the time to answer."""
    return lines("应答用时分位 Time to answer", "近 7 天应答用时的中位数与 95 分位", [
        query(f"histogram_quantile({q}, sum by (le) (rate(wanglou_answer_seconds_bucket[7d])))", words, ref)
        for q, words, ref in ((0.5, "P50", "A"), (0.95, "P95", "B"))], unit="s")


def agencies() -> object:
    """How many were answered, by agency."""
    return bars("应答次数 Answers by agency", "近 7 天应答的预警，按单位", [
        query("sum by (agency) (increase(wanglou_answer_seconds_count[7d]))", "{{agency}}", now=True)])


def deliveries() -> object:
    """Deliveries an hour by result."""
    return lines("发送结果 Deliveries by result", "每小时发送尝试，按结果", [
        query("sum by (result) (increase(wanglou_deliveries_total[1h]))", "{{result}}")])


def slowest() -> object:
    """P95 from due to accepted, by channel."""
    expr = "histogram_quantile(0.95, sum by (le, channel) (rate(wanglou_delivery_seconds_bucket[1h])))"
    return lines("送出用时 Delivery P95", "从应发到渠道收下的时间，95 分位，按渠道", [query(expr, "{{channel}}")], unit="s")


def outbox() -> object:
    """What waits and what was given up."""
    return lines("待发与搁置 Outbox", "等待发送的与已放弃、须人工处理的消息", [
        query("sum by (channel) (wanglou_outbox_pending)", "待发 {{channel}}"),
        query("sum by (channel) (wanglou_outbox_parked)", "搁置 {{channel}}", "B")], limits=steps(NORMAL, (20, YELLOW)))
