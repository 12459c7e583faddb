from __future__ import annotations

import pytest

from detectors.kinds.run import Run
from detectors.trial import trial


@pytest.mark.parametrize(("values", "tolerance", "expected"), [
    ("1 2 3 4", 0.0, "0 1 2 3"),
    ("4 3 2 1", 0.0, "0 -1 -2 -3"),
    ("1 2 2 3", 0.0, "0 1 0 1"),
    ("1 2 1 2", 0.0, "0 1 -1 1"),
    ("1 2 2.1 3", 0.2, "0 1 0 1"),
    ("0 -1 -2 5", 0.0, "0 -1 -2 1"),
    ("7", 0.0, "0"),
])
def test_length_of_the_run(values: str, tolerance: float, expected: str) -> None:
    """Rises count up, falls count down, a change within the tolerance ends the run."""
    p, s = trial(Run, tolerance=tolerance)
    assert [Run.step(p, s, 0.0, float(x)) for x in values.split()] == [float(y) for y in expected.split()]
