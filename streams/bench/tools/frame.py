"""What a benchmark is given and what it gives back."""
from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from streams.broker import Broker, fetch_kafka, find_java, missing_kafka, start_kafka
from streams.errors import Unavailable


@dataclass(frozen=True)
class Figure:
    """One line: what was measured, what people read, the numbers behind it."""

    name: str
    said: str
    values: dict[str, float]

    def __str__(self) -> str:
        return f"{self.name:<34}{self.said}"


@dataclass
class Bench:
    """One run. `work` is its folder, which the caller removes; `say` is for what is not a figure."""

    quick: bool
    work: Path
    say: Callable[[str], object]
    started: list[Broker] = field(default_factory=list)

    @property
    def rounds(self) -> int:
        """How often everything is measured, in turn; the medians are said."""
        return 1 if self.quick else 3

    @cached_property
    def broker(self) -> str:
        """The address of an Apache Kafka of this run's own. Unavailable where there is none."""
        if not find_java():
            raise Unavailable(missing_kafka())
        fetch_kafka(self.say)
        self.started.append(start_kafka(self.work / "kafka"))
        return self.started[0].address

    def close(self) -> None:
        """No broker stays."""
        for broker in self.started:
            broker.stop()


def names() -> list[str]:
    """Every benchmark, in the order of the alphabet."""
    return sorted(f.stem for f in Path(__file__).parents[1].glob("[a-z]*.py"))


def load(name: str) -> Callable[[Bench], Iterator[Figure]]:
    """The benchmark of a file."""
    module = import_module(f"streams.bench.{name}")
    (only,) = module.__all__
    found: Callable[[Bench], Iterator[Figure]] = getattr(module, only)
    return found


def machine() -> dict[str, Any]:
    """Where this was measured, and how busy it was when it began."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())
    return {"load": [round(x, 1) for x in os.getloadavg()], "cpus": os.cpu_count() or 1, "cpu": model,
            "python": platform.python_version(), **{p: version(p) for p in ("numpy", "numba", "faust-streaming", "aiokafka")}}


def tabled(where: dict[str, Any], lines: Sequence[tuple[str, str]], lacking: Mapping[str, str]) -> str:
    """A run as a Markdown file: the machine, how busy it was, a row a figure."""
    release = dict(line.partition("=")[::2] for line in Path("/etc/os-release").read_text(encoding="utf-8").splitlines())
    system = f"{release.get('NAME', '').strip(chr(34)).partition(' ')[0]} {release.get('VERSION_ID', '').strip(chr(34))}"
    end = " ".join(str(round(x, 1)) for x in os.getloadavg())
    said = [*lines, *((name, f"not measured: {why}") for name, why in lacking.items())]
    rows = "".join(f"| {name} | {words.replace('|', chr(92) + '|')} |\n" for name, words in said)
    return ("# The last whole run of `make bench`\n\nWritten by `wanglou bench --table`; how each figure comes about stands in "
            f"its file of `streams/bench/`.\n\n{where['cpus']} cores, {system}, Python {where['python'].rpartition('.')[0]}; "
            f"load average {' '.join(map(str, where['load']))} before the run, {end} after it (1, 5, 15 minutes): others worked "
            f"on the machine where these are high, so believe the ratios first.\n\n| figure | measured |\n|---|---|\n{rows}")


def middle(values: Sequence[float]) -> float:
    """The median."""
    return float(median(values))


def thousands(rate: float) -> str:
    """Thousand a second, short: `47`, `4 520`."""
    return f"{rate / 1000:,.0f}".replace(",", " ")
