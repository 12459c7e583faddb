"""An algorithm in the hand: plain parameters and an empty state, for examples, tests and a debugger."""
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from detectors.step import params


def trial(kind: Any, **given: Any) -> tuple[SimpleNamespace, SimpleNamespace]:
    """The parameters (defaults, then `given`) and the empty state of one algorithm, as plain objects.

    TypeError where a parameter without a default is not given, or one is given that does not exist.
    """
    declared = {p.name: p for p in params(kind)}
    if set(given) - set(declared):
        raise TypeError(f"{kind.__name__} has no parameter {', '.join(sorted(set(given) - set(declared)))}")
    values = {name: given.get(name, p.default) for name, p in declared.items()}
    if None in values.values():
        raise TypeError(f"{kind.__name__} must be given {', '.join(n for n, v in values.items() if v is None)}")
    plain = {name: [float(v) for v in value] if declared[name].size > 1 else float(value) for name, value in values.items()}
    state = {name: [0.0] * size if size > 1 else 0.0 for name, size in kind.slots.items()}
    return SimpleNamespace(**plain), SimpleNamespace(**state)
