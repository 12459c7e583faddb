"""The board of the economy asks a real PostgreSQL: figures as of their newest vintage, lamps by the pack's zones, all vintages."""
from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from sqlalchemy import Engine

from streams.clock import micros
from streams.grafana.boards.economy import ZONES
from streams.grafana.verify import sql_queries
from streams.history.partitions import let_read, prepare
from streams.sql import engine

PACK = Path(__file__).parents[3] / "configs" / "packs" / "economic-index" / "pack.yaml"
ROWS = [("lamp_index@city", "2026-01", "2026-02-15", 36.0), ("lamp_index@city", "2026-02", "2026-03-15", 60.0),
        ("lamp_index@city", "2026-02", "2026-04-15", 84.0), ("composite@city", "2026-02", "2026-03-15", 101.0),
        ("industry_growth@city", "2026-01", "2026-02-15", 5.0), ("industry_growth@city", "2026-02", "2026-03-15", 5.5),
        ("industry_growth@city", "2019-02", "2019-03-15", 7.0), ("rain@a", "2026-03", "2026-03-01", 1.0)]


@pytest.fixture
def reader(url: str) -> Iterator[Engine]:
    """History with a few months, as Grafana's role sees it."""
    made = engine(url)
    prepare(made)
    with made.begin() as connection:
        for series, period, arrived, value in ROWS:
            connection.exec_driver_sql(
                'INSERT INTO reading (series, t, arrived, value, flag, "check", revision) VALUES (%s, %s, %s, %s, 1, %s, 0)',
                (series, micros(f"{period}-01T00:00:00Z"), micros(f"{arrived}T00:00:00Z"), value, ""))
        connection.exec_driver_sql("INSERT INTO reading SELECT series, t + 3600000000, arrived, value, flag, \"check\", 0 "
                                   "FROM reading WHERE series = 'rain@a'")
    let_read(made, "board_reader")
    role = engine(url.replace("desk@", "board_reader@"))
    yield role
    role.dispose()
    with made.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
        connection.exec_driver_sql("DROP OWNED BY board_reader")
        connection.exec_driver_sql("DROP ROLE board_reader")
    made.dispose()


def expand(sql: str) -> str:
    """As Grafana sends it for 2025 to 2027 with two series chosen."""
    sql = re.sub(r"\$__timeFilter\((\w+)\)", r"\1 BETWEEN '2025-01-01T00:00:00Z' AND '2027-01-01T00:00:00Z'", sql)
    return sql.replace("${series:sqlstring}", "'industry_growth@city','composite@city'").replace("%", "%%")


def test_every_query_answers(reader: Engine) -> None:
    """What each query gives, of the variable and of the six panels."""
    with reader.connect() as connection:
        got = {q.panel: [tuple(row)[1:] for row in connection.exec_driver_sql(expand(q.expr))] if q.panel != "月度序列" else
               [tuple(row) for row in connection.exec_driver_sql(expand(q.expr))] for q in sql_queries()}
    assert got["月度序列"] == [("industry_growth@city",), ("lamp_index@city",)], "monthly ones with two times and no others"
    assert got["五灯 Five lamps"] == got["当前灯号 Lamp now"] == [("city", 1), ("city", 5)]
    assert got["预警指数 Early-warning index"] == [("city", 36.0), ("city", 84.0)], "the newest vintage"
    assert got["一致合成指数 Composite index"] == [("city", 101.0)]
    assert [row[1] for row in got["月度指标 Monthly figures"]] == [5.0, 101.0, 5.5] or [
        row[1] for row in got["月度指标 Monthly figures"]] == [5.0, 5.5, 101.0]
    assert len(got["历次公布 Vintages"]) == 3


def test_the_zones_are_those_of_the_pack() -> None:
    """A lamp on the board and a lamp of the detector are the same lamp."""
    lamp = next(d for d in yaml.safe_load(PACK.read_text("utf-8"))["detectors"] if d["id"] == "lamp")
    assert tuple(lamp[key] for key in ("blue", "cyan", "yellow", "red")) == ZONES
