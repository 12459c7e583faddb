"""The short form of each drill with an even number. What must hold is the first line of its own file."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

ODD = False


@pytest.mark.timeout(600)
def test_drill(drill: Any, passes: Callable[[Any], None]) -> None:
    """Nothing lost, doubled or wrong against an uninterrupted run, with real processes where the drill has any."""
    passes(drill)
