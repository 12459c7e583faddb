"""The product's own health: does data come, is it judged in time, does the desk lead, do messages leave."""
from __future__ import annotations

from grafana_foundation_sdk.models import dashboard as models

from streams.grafana.frame import frame
from streams.grafana.look import NORMAL, ORANGE, RED, YELLOW, steps, words
from streams.grafana.panels import bars, lines, number, query

FOLDER = "自身"


def build(desk: str) -> models.Dashboard:
    """`desk` is the address of the desk that the links open."""
    about = "数据是否在来、是否及时判、预警台是否有主、消息是否发出。"
    return frame("wl-health", "望楼自身 Health", about, desk, "now-1h", "10s", [
        (5, [(6, processes()), (5, leader()), (5, parked()), (8, plans())]),
        (8, [(12, sources()), (12, lag())]),
        (8, [(12, judging()), (12, snapshots())]),
        (8, [(12, readings()), (12, rejects())]),
        (8, [(8, freshness()), (8, flags()), (8, outbox())]),
        (8, [(12, deliveries()), (12, buffers())]),
        (8, [(8, arrival()), (8, judged()), (8, events())]),
        (8, [(12, taken()), (12, delivered())]),
    ])


def processes() -> object:
    """Processes that answer a scrape."""
    return number("进程 Processes", "每个进程是否应答；0 为不应答", [
        query('min by (job) (up{job=~"wanglou-.*"})', "{{job}}", now=True)],
        mappings=words({"0": ("不在", RED), "1": ("在", NORMAL)}))


def leader() -> object:
    """Exactly one desk leads."""
    return number("预警台 Desk leader", "有且只有一个预警台叫应", [query("sum(wanglou_desk_leader)", "有主", now=True)],
                  mappings=words({"0": ("无主：叫应未运行", RED), "1": ("有主", NORMAL), "2": ("多主", RED)}),
                  limits=steps(NORMAL, (2, RED)))


def parked() -> object:
    """Deliveries that were given up: a person must look."""
    return number("已搁置消息 Parked", "发送放弃、须人工处理的消息", [
        query("sum by (channel) (wanglou_outbox_parked)", "{{channel}}", now=True)],
        limits=steps(NORMAL, (1, RED)))


def plans() -> object:
    """Plans in force: two at once only during a change."""
    return number("现行规则 Plans in force", "各进程现行的规则版本；多于一个说明正在切换", [
        query("count by (hash, version) (wanglou_plan_info)", "{{version}} {{hash}}", now=True)])


def sources() -> object:
    """Age of the newest contact of each source."""
    return lines("数据源静默 Source age", "距上次收到的时间", [
        query("time() - max by (feed, source) (wanglou_source_last_timestamp_seconds)", "{{feed}} {{source}}")],
        unit="s", limits=steps(NORMAL, (90, ORANGE)))


def lag() -> object:
    """Age of the record each topic's slowest reader works on."""
    return lines("积压 Lag", "各主题最慢一处的落后时间", [query("max by (topic) (wanglou_lag_seconds)", "{{topic}}")],
                 unit="s", limits=steps(NORMAL, (30, ORANGE)))


def judging() -> object:
    """P99 of the time to judge one block."""
    expr = "histogram_quantile(0.99, sum by (le) (rate(wanglou_judge_seconds_bucket[$__rate_interval])))"
    return lines("判别耗时 Judge P99", "一块读数的判别时间，99 分位", [query(expr, "P99")], unit="s")


def snapshots() -> object:
    """Age of the oldest stored state."""
    expr = "time() - min by (job) (max by (job, shard) (wanglou_snapshot_timestamp_seconds))"
    return lines("快照 Snapshot age", "最旧一份状态快照的年龄；数据库不在时会一直变老", [query(expr, "{{job}}")],
                 unit="s", limits=steps(NORMAL, (120, ORANGE)))


def readings() -> object:
    """Readings a second by pack."""
    return lines("读数 Readings", "每秒收到并写入日志的读数", [
        query('sum by (pack) (rate(wanglou_readings_total{pack=~"$pack"}[$__rate_interval]))', "{{pack}}")], unit="cps")


def rejects() -> object:
    """Refused inputs a second by reason."""
    return lines("拒收 Rejects", "每秒拒收的输入，按原因", [
        query("sum by (feed, reason) (rate(wanglou_rejects_total[$__rate_interval]))", "{{feed}} {{reason}}")], unit="cps")


def freshness() -> object:
    """Series by freshness."""
    return bars("序列 Series by freshness", "在报、失联、从未来数、预热中、出错", [
        query('sum by (fresh) (wanglou_series{pack=~"$pack",area=~"$area"})', "{{fresh}}", now=True)])


def flags() -> object:
    """Flags a second by check."""
    return lines("质控标记 Flags", "每秒打上的非正常标记，按检查", [
        query('sum by (check, flag) (rate(wanglou_flags_total{pack=~"$pack"}[$__rate_interval]))', "{{check}} {{flag}}")],
        unit="cps")


def outbox() -> object:
    """Deliveries that wait."""
    return lines("待发 Outbox", "各渠道等待发送的消息", [query("sum by (channel) (wanglou_outbox_pending)", "{{channel}}")],
                 limits=steps(NORMAL, (20, YELLOW)))


def deliveries() -> object:
    """Deliveries a second by channel and result."""
    return lines("发送 Deliveries", "每秒发送尝试，按渠道与结果", [
        query("sum by (channel, result) (rate(wanglou_deliveries_total[$__rate_interval]))", "{{channel}} {{result}}")],
        unit="cps")


def buffers() -> object:
    """Bytes that feeds hold on disk while the broker is away."""
    return lines("缓存 Feed buffer", "接入端暂存、尚未写入日志的字节", [
        query("max by (feed) (wanglou_feed_buffer_bytes)", "{{feed}}")], unit="bytes")


def arrival() -> object:
    """How late readings are when they come."""
    return _way("迟到 Event to arrival", "读数的时刻到收到它的时间；回放时按场景时钟", "wanglou_arrival_seconds",
                '{pack=~"$pack"}')


def judged() -> object:
    """From the feed to judged."""
    return _way("收到到判别 Arrival to judged", "接入端发出到判完的时间", "wanglou_judged_seconds")


def events() -> object:
    """From judged to an event."""
    return _way("判别到事件 Judged to event", "级别变化写入日志到成为事件的时间", "wanglou_event_seconds")


def taken() -> object:
    """From an event to the desk."""
    return _way("事件到预警台 Event to desk", "事件写入日志到预警台收下的时间", "wanglou_taken_seconds")


def delivered() -> object:
    """From the desk to the first call that a channel has accepted."""
    return _way("预警到送达 Alert to delivered", "预警单发出或升级到首次叫应被渠道收下的时间", "wanglou_delivered_seconds")


def _way(title: str, about: str, metric: str, chosen: str = "") -> object:
    """One leg of a reading's way: P50, P95 and P99."""
    return lines(title, about, [
        query(f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{chosen}[$__rate_interval])))", words, ref)
        for q, words, ref in ((0.5, "P50", "A"), (0.95, "P95", "B"), (0.99, "P99", "C"))], unit="s")
