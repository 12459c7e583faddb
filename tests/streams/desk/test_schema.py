"""The desk's JSON API keeps to its own OpenAPI schema for whatever is asked of it: no 500, no undocumented status, no other shape."""
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from streams.desk.api.app import make_app

ROUNDS = settings(max_examples=8, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def api(night: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The schema of a desk with a night on it, over the application itself."""
    bench, site = night(tmp_path_factory.mktemp("api"))
    yield schemathesis.openapi.from_asgi("/openapi.json", make_app(site))
    bench.store.close()


def test_the_api_keeps_to_its_schema(api: Any) -> None:
    """Every operation, with legal and illegal parameters, bodies and methods. Lax numbers (`"1"`) are taken on purpose."""
    done = []
    for found in api.get_all_operations():
        operation = found.ok()

        @given(case=operation.as_strategy())
        @ROUNDS
        def holds(case: Any) -> None:
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        holds()
        done.append(operation.label)
    assert {"GET /api/alerts", "GET /api/drills/{id_}", "POST /api/deliveries/{key}/receipt"} <= set(done)
