"""The processes of a demo: started as a newcomer would, watched, and ended by pid; none is left behind."""
from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from streams import clock
from streams.errors import Unavailable


@dataclass
class Processes:
    """Stages by name. Their words go to `logs/NAME.log`."""

    logs: Path
    environment: Mapping[str, str]
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *arguments: str, **environment: str) -> None:
        """Start `wanglou ARGUMENTS…` as a stage of its own."""
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", "streams", *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment, **environment}, start_new_session=True)

    def check(self, but: frozenset[str] = frozenset()) -> None:
        """Unavailable with its last words if a stage has ended by itself."""
        for name, process in self.running.items():
            if name not in but and process.poll() is not None:
                raise Unavailable(f"{name} ended with {process.returncode}:\n{self.last_words(name)}")

    def last_words(self, name: str, length: int = 1500) -> str:
        """The end of a stage's log."""
        return (self.logs / f"{name}.log").read_text("utf-8", "replace")[-length:].strip()

    def stop(self, limit: float = 10.0) -> list[str]:
        """SIGTERM in the reverse order of the start, then wait; the names of those that had to be killed."""
        killed = []
        for process in reversed(self.running.values()):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        end = clock.monotonic() + limit
        for name, process in self.running.items():
            try:
                process.wait(max(0.1, end - clock.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed.append(name)
        return killed
