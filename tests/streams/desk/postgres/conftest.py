"""An empty desk on the tests' PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def desk(url: str, bench_at: Any, city: Any) -> Iterator[Any]:
    """An empty desk on it; the tables go afterwards."""
    bench = bench_at(url, city)
    yield bench
    with bench.store.engine.begin() as c:
        c.exec_driver_sql("DROP SCHEMA public CASCADE")
        c.exec_driver_sql("CREATE SCHEMA public")
    bench.store.close()
