"""For all tests: no example of Hypothesis is judged by how long a busy machine takes for it; the longest files begin first."""
from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import settings

settings.register_profile("wanglou", deadline=None)
settings.load_profile("wanglou")
LONG = ("drills", "broker", "bench")        # folders of tests with real processes: minutes of waiting for them


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of real processes first, then those with the most tests: no worker is left alone with a long one at the end."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.parent.name not in LONG, -tests[item.path]))
