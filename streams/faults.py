"""Named points where a test may have the process die, as by kill -9. Nothing happens without the setting `fault`."""
from __future__ import annotations

import os
import signal
from collections.abc import Callable

from streams.errors import UsageError

POINTS = ("after_consume", "after_judge", "after_produce", "after_snapshot", "after_ack")
GROWTH = ("grow_topics", "grow_closed", "grow_fence", "grow_fences", "grow_judged", "grow_begun")


def fault(spec: str) -> Callable[[str], None]:
    """What to call at each point: `after_produce:3` ends the process there, the third time; "" never.

    >>> fault("")("after_ack")
    """
    if not spec:
        return lambda point: None
    name, _, times = spec.partition(":")
    if name not in POINTS + GROWTH or not (times or "1").isdigit():
        raise UsageError(f"WANGLOU_FAULT={spec}: one of {', '.join(POINTS + GROWTH)}, with `:n` for the n-th time")
    left = int(times or "1")

    def reach(point: str) -> None:
        nonlocal left
        if point == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return reach
