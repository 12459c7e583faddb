"""What all drills share: the row of the table, the city, the desk without a broker, and where real Kafka and PostgreSQL come from.

Modules by path (`here`), as tests have no packages.
"""
from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from detectors.event import Change
from detectors.pack import Area, City, Detector, Indicator, Ladder, Limit, Pack, Post, Route, Rule, Site, Step, Text, Use
from streams import broker, clock
from streams.settings import Settings

HERE = Path(__file__).parent
SECOND, MINUTE, HOUR = 1_000_000, 60_000_000, 3_600_000_000
T0 = 1_782_238_640_000_000              # 2026-06-23T18:17:20Z


@dataclass
class Row:
    """One line of the table. `lost`, `doubled`, `events`, `calls` are 0 where all is well; `faults` say what else is not."""

    drill: int = 0
    name: str = ""
    runs: int = 0
    readings: int = 0
    lost: int = 0
    doubled: int = 0
    events: int = 0                     # wrong events, against an uninterrupted run
    calls: int = 0                      # wrong calls
    seconds: float = 0.0
    note: str = ""
    faults: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong, and something was done."""
        return not (self.lost or self.doubled or self.events or self.calls or self.faults) and self.runs > 0 and self.readings > 0

    def must(self, holds: object, what: str) -> None:
        """Something else that must hold."""
        if not holds:
            self.faults.append(what)

    def add(self, other: Row) -> None:
        """Another run of the same drill."""
        for name in ("runs", "readings", "lost", "doubled", "events", "calls"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults += other.faults
        self.note = other.note or self.note

    def text(self) -> str:
        """For people."""
        return (f"{self.drill:>2} {self.name:<44} {self.runs:>5} {self.readings:>9} {self.lost:>5} {self.doubled:>7} "
                f"{self.events:>6} {self.calls:>5} {self.seconds:>6.0f} s  {'passed' if self.passed else 'FAILED'}  {self.note}")


HEAD = f"{'':>2} {'drill':<44} {'runs':>5} {'readings':>9} {'lost':>5} {'doubled':>7} {'events':>6} {'calls':>5} {'took':>8}"


def here(name: str, path: Path | None = None) -> ModuleType:
    """A file of this folder (or another) as a module, once."""
    known = f"wanglou_drills_{name}"
    if known not in sys.modules:
        spec = importlib.util.spec_from_file_location(known, path or HERE / f"{name}.py")
        assert spec and spec.loader
        made = sys.modules[known] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(made)
    return sys.modules[known]


@dataclass(frozen=True)
class Drill:
    """A file of this folder: `dNN_name.py`. Its docstring says what must hold; BROKER whether it needs Kafka."""

    number: int
    name: str
    says: str
    broker: bool
    run: Callable[[Ground, bool, Row], None]


def drills() -> list[Drill]:
    """The folder is the registry."""
    found = []
    for path in sorted(HERE.glob("d[0-9][0-9]_*.py")):
        module = here(path.stem)
        found.append(Drill(int(path.stem[1:3]), module.NAME, (module.__doc__ or "").strip().splitlines()[0], module.BROKER, module.drill))
    return found


def perform(one: Drill, ground: Ground, short: bool) -> Row:
    """One drill; whatever it raises is a fault of its row."""
    row, begun = Row(one.number, one.name), clock.monotonic()
    try:
        with ground.only():
            one.run(ground, short, row)
    except Exception as error:
        import traceback

        row.faults.append(f"{type(error).__name__}: {str(error)[:1500]}\n{traceback.format_exc(limit=-4)[-1500:]}")
    row.seconds = clock.monotonic() - begun
    return row


class Ground:
    """A folder, and a Kafka and a PostgreSQL that start when they are first asked for. `only` ends what one drill started."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.stack = folder, ExitStack()
        self.mine = ExitStack()
        self._kafka: broker.Broker | None = None
        self._benches = here("bench", HERE.parent / "broker" / "conftest.py")
        self.chain = here("chain", HERE.parent / "broker" / "chain.py")

    @contextmanager
    def only(self) -> Iterator[None]:
        """What is started meanwhile is ended after it."""
        with ExitStack() as self.mine:
            yield

    def close(self) -> None:
        """No process stays."""
        self.stack.close()

    def kafka(self) -> broker.Broker:
        """The shared one."""
        if self._kafka is None:
            broker.fetch_kafka()
            self._kafka = broker.start_kafka(self.folder / "kafka")
            self.stack.callback(self._kafka.stop)
        return self._kafka

    def home(self) -> Path:
        """A new folder."""
        made = self.folder / uuid4().hex[:8]
        made.mkdir(parents=True)
        return made

    def bench(self, partitions: int = 2, address: str = "", disk: str = "", **more: Any) -> Any:
        """Topics with a prefix of their own on the shared Kafka (or another), a folder, processes. `disk`: its data on a tmpfs so large."""
        from streams.topics import create_topics

        home = self.home()
        if disk:
            (home / "var").mkdir()
            subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={disk}", "tmpfs", str(home / "var")], check=True)
            self.mine.callback(subprocess.run, ["umount", "-l", str(home / "var")], check=False)
        settings = Settings(broker=address or self.kafka().address, prefix=f"t{uuid4().hex[:8]}.", data=home / "var",
                            partitions=partitions, **more)
        create_topics(settings)
        made = self._benches.Bench(settings, home)
        self.mine.callback(made.close)
        return made

    def own_kafka(self, port: int = 0, folder: Path | None = None) -> Any:
        """A broker of the drill's own; started again on the same folder and port it has its data."""
        made = broker.start_kafka(folder or self.home(), port)
        self.mine.callback(made.stop)
        return made

    def writer(self, bench: Any) -> Any:
        """A producer of blocks."""
        made = self._benches.Writer(bench.settings)
        self.mine.callback(made.producer.close, 5)
        return made

    def postgres(self) -> Postgres:
        """A server of the drill's own."""
        made = Postgres()
        self.mine.callback(made.close)
        made.start()
        return made


class Postgres:
    """A PostgreSQL on loopback that can go away and come back."""

    def __init__(self) -> None:
        tools, self.port = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1], broker.free_port()
        self.home = Path("/tmp") / f"wanglou-pg-{self.port}"
        self.user = ["runuser", "-u", "postgres", "--"] if Path.home() == Path("/root") else []
        subprocess.run([*self.user, "mkdir", "-p", str(self.home)], check=True)
        self._run(str(tools / "initdb"), "-D", str(self.home / "data"), "-A", "trust", "-U", "wanglou", "--no-sync")
        self.control = [str(tools / "pg_ctl"), "-D", str(self.home / "data"), "-w"]

    def _run(self, *command: str) -> None:
        subprocess.run([*self.user, *command], check=True, capture_output=True)

    def start(self) -> None:
        """Let it answer."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.home} -c fsync=off"
        self._run(*self.control, "-l", str(self.home / "log"), "-o", options, "start")

    def url(self, name: str = "postgres") -> str:
        """A database by name, made if it is not there."""
        import psycopg

        with psycopg.connect(host="127.0.0.1", port=self.port, user="wanglou", dbname="postgres", autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://wanglou@127.0.0.1:{self.port}/{name}"

    def stop(self) -> None:
        """Away, at once, as by a fault."""
        self._run(*self.control, "-m", "immediate", "stop")

    def close(self) -> None:
        """Nothing stays."""
        subprocess.run([*self.user, *self.control, "-m", "immediate", "stop"], check=False, capture_output=True)
        shutil.rmtree(self.home)


def lacks() -> str:
    """What this machine has not got for the drills with real processes; "" when nothing."""
    return broker.missing_kafka() or ("" if sorted(Path("/usr/lib/postgresql").glob("*/bin")) and shutil.which("runuser")
                                      else "no PostgreSQL: install postgresql (Debian)")


# ---- the city -----------------------------------------------------------------------------------------

POSTS = tuple(Post(p, Text(p), addresses={"log": p}) for p in ("first", "second", "third"))


def ladders(within: float = 300.0) -> tuple[Ladder, ...]:
    """Three posts one after the other."""
    return (Ladder("l", Text("叫应"), tuple(Step(p.id, ("log",), within) for p in POSTS)),)


def river(sites: int = 24, every: float = 60.0, silent: float = 900.0, lateness: float = 0.0, hold: float = 600.0,
          red: float = 30.0, within: float = 300.0) -> City:
    """Gauges on two reaches: a check, three levels (orange with a hold), a rule of three on each reach, a ladder of three posts."""
    names = tuple(f"gauge-{n}" for n in range(sites))
    level = Indicator("level", "river", Text("水位"), "m", names, every=every, silent=silent, lateness=lateness,
                      checks=(Use("range", {"fail": (0.0, 60.0), "suspect": (5.0, 45.0)}),))
    stage = Detector("stage", "river", "level", Use("threshold"),
                     (Limit(2, 25.0, clear=24.0), Limit(3, 27.0, hold=hold), Limit(4, red)), Text("水位超限"))
    wide = Rule("wide", "river", "at_least", ("river/stage",), 2, {"n": 3.0}, 3, "basin", "reach", within=hold * 10)
    areas = tuple(Area("basin", reach, Text(reach), depth="reach") for reach in ("upper", "lower"))
    where = {s: Site(s, Text(s), areas={"basin": "upper" if n % 2 else "lower"}) for n, s in enumerate(names)}
    return City((Pack("river", Text("江河"), (level,), (stage,), (wide,)),), where, areas, ladders=ladders(within),
                routes=(Route("l"),), posts=POSTS)


# ---- comparing ----------------------------------------------------------------------------------------

def told(change: Change) -> str:
    """All of a change but the wall clock."""
    return str(replace(change, sent=0))


def said(events: Iterable[Change]) -> list[str]:
    """What a reader who drops what he has (detector, series, seq, revision) sees, in order."""
    return list(dict.fromkeys(map(told, events)))


def wrong(events: Iterable[Change], wanted: Iterable[Change]) -> int:
    """Events that only one of two runs has; where both have the same, those whose place differs."""
    ours, theirs = said(events), said(wanted)
    different = len(set(ours) ^ set(theirs))
    return different or sum(a != b for a, b in zip(ours, theirs, strict=True))


class Desk:
    """A desk over SQLite without a broker: what it is told, whom it calls, on a clock that is given."""

    def __init__(self, city: City, folder: Path, now: int = T0) -> None:
        from streams.desk.names import Names
        from streams.desk.store import Store

        self.names, self.now, self.offset = Names(city), now, 0
        self.store = Store(f"sqlite:///{folder}/desk-{uuid4().hex[:6]}.db")

    def moment(self) -> Any:
        """Now."""
        from streams.desk.folding.fold import Moment

        return Moment(self.now, self.names)

    def take(self, events: Iterable[Change], now: int, live: bool = True) -> None:
        """A record of events."""
        from streams.desk.folding.consume import apply

        self.now = now
        apply(self.store, "events", self.offset, tuple(events), self.moment(), live)
        self.offset += 1

    def walk(self, now: int) -> None:
        """What is due on ladders by then."""
        from streams.desk.calling import calls

        self.now = now
        with self.store.begin() as s:
            calls.walk(s, self.moment())

    def alerts(self) -> list[Any]:
        """All of them."""
        from sqlalchemy import select

        from streams.desk.tables import Alert

        with self.store.read() as s:
            return list(s.scalars(select(Alert)))

    def calls(self) -> list[Any]:
        """Every message to people."""
        from sqlalchemy import select

        from streams.desk.tables import Delivery

        with self.store.read() as s:
            return list(s.scalars(select(Delivery).order_by(Delivery.created)))

    def close(self) -> None:
        """Let go."""
        self.store.close()


def slowness() -> float:
    """How many times longer a second of work takes on this machine now, because others have the processors too; 1 = it is ours."""
    from time import process_time

    begun, used = clock.monotonic(), process_time()
    while process_time() - used < 0.2:
        pass
    return max(1.0, (clock.monotonic() - begun) / 0.2)


def until(holds: Callable[[], Any], what: str, seconds: float = 180.0, every: float = 0.2) -> Any:
    """What `holds` gives once it is true; a failure says what did not come."""
    from time import sleep

    end = clock.monotonic() + seconds
    while not (found := holds()):
        assert clock.monotonic() < end, f"not within {seconds} s: {what}"
        sleep(every)
    return found
