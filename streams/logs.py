"""Logs: one JSON object a line on stderr, of our own code and of libraries; a library that repeats itself is held back."""
from __future__ import annotations

import logging
import sys

import structlog

from streams import clock

CHATTY = ("aiokafka", "kafka", "faust", "mode")
"""With the broker away aiokafka writes some fifty lines a second for each client."""


class Sparing(logging.Filter):
    """Lets a message text of one logger through once in `every` seconds, and says how many were held back."""

    def __init__(self, every: float = 30.0) -> None:
        super().__init__()
        self.every = every
        self.last: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is to be written."""
        if not record.name.startswith(CHATTY):
            return True
        key = (record.name, str(record.msg))
        when, held = self.last.get(key, (float("-inf"), 0))
        now = clock.monotonic()
        if now - when < self.every:
            self.last[key] = (when, held + 1)
            return False
        self.last[key] = (now, 0)
        if held:
            record.msg = f"{record.msg} [{held} more like this]"
        return True


def configure(level: str = "INFO") -> None:
    """Set up logging of this process; may be called again."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[structlog.typing.Processor] = [structlog.contextvars.merge_contextvars, structlog.stdlib.add_logger_name,
                                               structlog.stdlib.add_log_level, stamp]
    hand_over = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
    structlog.configure(processors=[structlog.stdlib.filter_by_level, *shared, hand_over],
                        logger_factory=structlog.stdlib.LoggerFactory(),
                        wrapper_class=structlog.stdlib.BoundLogger, cache_logger_on_first_use=False)
    out = logging.StreamHandler(sys.__stderr__)
    out.addFilter(Sparing())
    out.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[
        structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.format_exc_info,
        structlog.processors.EventRenamer("message"), _severity, structlog.processors.JSONRenderer(ensure_ascii=False)]))
    logging.basicConfig(handlers=[out], level=level, force=True)
    for name in CHATTY:
        logging.getLogger(name).setLevel("WARNING")
    logging.getLogger("faust.app.base").setLevel("ERROR")      # it warns of its own sensors at every start


def _severity(_: object, __: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """`level` is our own word (red, orange …): the log's is called severity."""
    if "level" in event:
        event["severity"] = event.pop("level")
    return event
