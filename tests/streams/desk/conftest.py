"""A small city and a night of changes, folded into a desk without Kafka. `python conftest.py 8099` serves it, to look at."""

from __future__ import annotations

import math
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from detectors.event import Change, alert_id, event_id
from detectors.pack import (
    Area,
    City,
    Detector,
    Indicator,
    Ladder,
    Limit,
    Pack,
    Post,
    Route,
    Rule,
    Site,
    Step,
    Text,
    Use,
)
from streams.desk.calling import calls
from streams.desk.folding.consume import apply
from streams.desk.folding.fold import Moment
from streams.desk.names import Names
from streams.desk.publish import muting
from streams.desk.store import Store

MIN = 60_000_000
T0 = 1_782_238_640_000_000  # 2026-06-24 02:17:20 in Shanghai
SITES = {
    "lanxi": ("兰溪站", "Lanxi", "lanxi"),
    "sanhe": ("三河站", "Sanhe", "lanxi"),
    "hengjin": ("横锦水库", "Hengjin", "dongyang"),
    "renmin": ("人民路 W-0417", "Renmin Rd W-0417", "wucheng"),
    "chouzhou": ("稠州路下穿", "Chouzhou Rd", "yiwu"),
    "houzhai": ("后宅", "Houzhai", "yiwu"),
    "fotang": ("佛堂", "Fotang", "yiwu"),
    "dapan": ("大盘山站", "Dapanshan", "panan"),
}
AREAS = {
    "lanxi": ("兰溪市", "Lanxi"),
    "dongyang": ("东阳市", "Dongyang"),
    "wucheng": ("婺城区", "Wucheng"),
    "yiwu": ("义乌市", "Yiwu"),
    "panan": ("磐安县", "Panan"),
}
LEVELS = {
    "river_level": (27.0, 28.0, 29.0, 29.5),
    "reservoir": (163.2, 163.6, 164.0, 165.0),
    "methane": (0.2, 0.5, 0.8, 1.0),
    "water": (5.0, 10.0, 20.0, 40.0),
    "rain": (20.0, 30.0, 50.0, 80.0),
}


def make_city(within: float = 300.0) -> City:
    """Five indicators, a rule that covers, two ladders and four posts."""
    titles = {
        "river_level": ("河道水位", "River level", "m"),
        "reservoir": ("库水位", "Reservoir level", "m"),
        "methane": ("窨井甲烷", "Manhole methane", "%VOL"),
        "water": ("下穿通道积水", "Underpass water", "cm"),
        "rain": ("三小时雨量", "Rain in 3 h", "mm"),
    }
    where = {
        "river_level": ("lanxi", "sanhe"),
        "reservoir": ("hengjin",),
        "methane": ("renmin",),
        "water": ("chouzhou",),
        "rain": ("houzhai", "fotang", "dapan"),
    }
    indicators = tuple(Indicator(i, "basin", Text(zh, en), unit, where[i], silent=900.0) for i, (zh, en, unit) in titles.items())
    detectors = tuple(
        Detector(
            f"{i}-stage",
            "basin",
            i,
            Use("threshold"),
            tuple(Limit(n, at, hold=600.0) for n, at in enumerate(LEVELS[i], 1)),
            why=Text("超过限值", "above the limit"),
            source="GB/T 22482",
            line=24,
        )
        for i in titles
    )
    posts = (
        Post("lanxi-water", Text("兰溪市水利局 值班员丁", "Lanxi Water, officer D"), addresses={"log": "13800000001"}),
        Post("duty", Text("值班员甲", "Officer A"), addresses={"log": "13800000002"}),
        Post("wucheng", Text("婺城区建设局 值班员乙", "Wucheng Construction, officer B"), addresses={"log": "1"}),
        Post("leader", Text("带班领导甲", "Shift leader A"), addresses={"log": "13800000003"}),
    )
    ladders = (
        Ladder("river", Text("河道"), (Step("lanxi-water", ("log",), within), Step("leader", ("log",), within))),
        Ladder(
            "urban",
            Text("城市"),
            (Step("wucheng", ("log",), within), Step("duty", ("log",), within), Step("leader", ("log",), within)),
        ),
        Ladder("plain", Text("一般"), (Step("duty", ("log",), 2 * within),)),
    )
    routes = (Route("plain", levels=(1, 2)), Route("river", areas=("lanxi",)), Route("urban"))
    rules = (
        Rule(
            "rainstorm",
            "basin",
            "at_least",
            ("basin/rain-stage",),
            2,
            {"n": 2},
            title=Text("暴雨", "Rainstorm"),
            tree="admin",
            covers=True,
            why=Text("多站同时", "several stations"),
        ),
    )
    return City(
        (Pack("basin", Text("兰江流域防洪", "Lanjiang basin floods"), indicators, detectors, rules),),
        {i: Site(i, Text(zh, en), areas={"admin": a}) for i, (zh, en, a) in SITES.items()},
        tuple(Area("admin", i, Text(zh, en)) for i, (zh, en) in AREAS.items()),
        ladders,
        routes,
        posts,
    )


def make_change(
    indicator: str = "river_level",
    site: str = "lanxi",
    to: int = 3,
    before: int = 0,
    seq: int = 0,
    time: int = T0,
    onset: int | None = None,
    **more: Any,
) -> Change:
    """A detector's level change as combine passes it on."""
    onset = time if onset is None else onset
    path = more.pop("detector", f"basin/{indicator}-stage")
    alert = more.pop("alert", alert_id(path, f"{indicator}@{site}", onset))
    limit = LEVELS[indicator][max(to, 1) - 1]
    given: dict[str, Any] = {
        "value": limit + 0.12 if to else limit - 0.4,
        "score": limit + 0.12,
        "limit": limit,
        "since": time,
        "arrived": time,
    }
    return Change(
        id=event_id(alert, seq),
        alert=alert,
        seq=seq,
        time=time,
        onset=onset,
        pack="basin",
        site=site,
        indicator=indicator,
        detector=path,
        before=before,
        to=to,
        direction="high",
        group=f"basin/{indicator}",
        plan="7c1e9a00",
        partition=1,
        offset=48113,
        **(given | more),
    )


def make_rule(
    to: int = 3,
    before: int = 0,
    seq: int = 0,
    time: int = T0,
    members: tuple[str, ...] = ("rain@houzhai", "rain@fotang"),
    **more: Any,
) -> Change:
    """A covering rule over Yiwu."""
    alert = alert_id("basin/rainstorm", "admin:yiwu", T0)
    return Change(
        id=event_id(alert, seq),
        alert=alert,
        seq=seq,
        time=time,
        onset=more.pop("onset", T0),
        arrived=time,
        pack="basin",
        area="admin:yiwu",
        rule="basin/rainstorm",
        before=before,
        to=to,
        value=float(len(members)),
        score=float(len(members)),
        limit=2.0,
        since=time,
        members=members,
        covers=True,
        group="basin/rainstorm",
        **more,
    )


class Phone:
    """A channel that takes everything and remembers it."""

    def __init__(self) -> None:
        self.took: list[Any] = []

    def send(self, message: Any, address: str) -> Any:
        from streams.desk.channels import Outcome, Result

        self.took.append(message)
        return Outcome(Result.SENT)


@cache
def empty_desk() -> bytes:
    """The SQLite file of a desk without rows, made by its migrations once: each test begins with a copy."""
    with TemporaryDirectory() as folder:
        Store(f"sqlite:///{folder}/desk.db").close()
        return Path(folder, "desk.db").read_bytes()


class Bench:
    """A desk's store with a hand-turned clock and a log of its own."""

    def __init__(self, url: str, city: City, now: int = T0) -> None:
        if url.startswith("sqlite:///") and not (file := Path(url.removeprefix("sqlite:///"))).exists():
            file.write_bytes(empty_desk())
        self.store, self.names, self.now, self.offset, self.live = Store(url), Names(city, "7c1e9a00"), now, 0, True

    @property
    def m(self) -> Moment:
        """Now."""
        return Moment(self.now, self.names)

    def put(self, *changes: Change) -> None:
        """One record of the log."""
        apply(self.store, "events", self.offset, changes, self.m, self.live)
        self.offset += 1

    def receipts(self, *got: str) -> None:
        """What the network tells of the deliveries sent so far, in turn."""
        from sqlalchemy import select

        from streams.desk import acts
        from streams.desk.tables import Delivery

        with self.store.begin() as s:
            for n, key in enumerate(
                s.scalars(select(Delivery.key).where(Delivery.receipt == "sent").order_by(Delivery.created)).all()
            ):
                acts.receipt(s, key, got[n % len(got)], self.m)

    def pass_time(self, seconds: float) -> None:
        """The clock goes on, and the ladders with it, a second at a time at most."""
        end = self.now + round(seconds * 1e6)
        while self.now < end:
            self.now = min(end, self.now + 1_000_000)
            with self.store.begin() as s:
                calls.walk(s, self.m)
                muting.walk(s, self.m)

    def deliver(self, **given: Any) -> int:
        """One round of the outbox, over the log phone unless channels are given."""
        from streams.desk.calling.deliver import Deliverer
        from streams.metrics import Metrics

        deliverer = Deliverer(self.store, given or {"log": Phone()}, lambda: self.m, "http://127.0.0.1:8080", Metrics())
        try:
            return deliverer.pump()
        finally:
            deliverer.close()

    def acts(self, id_: str) -> list[str]:
        """The acts of an alert's audit rows, in order."""
        from sqlalchemy import select

        from streams.desk.tables import Audit

        with self.store.read() as s:
            return list(s.scalars(select(Audit.act).where(Audit.alert == id_).order_by(Audit.seq)))

    def do(self, id_: str, move: str, post: str, reason: str = "", disposition: str = "") -> Any:
        """One deed of a post."""
        from streams.desk import acts
        from streams.desk.alert import Move

        with self.store.begin() as s:
            return acts.perform(s, id_, Move(move), self.names.actor(post), self.m, reason, disposition)

    def steps(self, id_: str) -> list[tuple[int, str, str]]:
        """`(n, post, state)` of the ladder under way."""
        with self.store.read() as s:
            return [(x.n, x.post, x.state.value) for x in calls.steps_of(s, self.alert(id_))]

    def alert(self, id_: str) -> Any:
        """A row as it is now."""
        from streams.desk.tables import Alert

        with self.store.read() as s:
            return s.get(Alert, id_)


def write_history(url: str, now: int) -> None:
    """Two hours of readings, a reading every five minutes, with a hole, a suspect and a failed one."""
    from sqlalchemy import text

    from streams.sql import engine

    made = engine(url)
    with made.begin() as c:
        c.execute(
            text(
                "CREATE TABLE IF NOT EXISTS reading (series TEXT, t BIGINT, arrived BIGINT, value DOUBLE PRECISION, "
                'flag INTEGER, "check" TEXT, PRIMARY KEY (series, t, arrived))'
            )
        )
        for indicator, sites in {
            "river_level": ("lanxi", "sanhe"),
            "reservoir": ("hengjin",),
            "methane": ("renmin",),
            "water": ("chouzhou",),
            "rain": ("houzhai", "fotang", "dapan"),
        }.items():
            low, high = LEVELS[indicator][0], LEVELS[indicator][3]
            for n in range(97):
                if (site_gap := "sanhe" in sites and 60 < n < 68) and indicator != "river_level":
                    continue
                for site in sites:
                    if (site == "sanhe" and n > 86) or (site == "lanxi" and site_gap) or (site == "dapan" and n > 80):
                        continue
                    x = low * 0.97 + (high - low) * 1.05 / (1 + math.exp(-(n - 66) / 9)) + 0.01 * (high - low) * math.sin(n * 1.7)
                    flag, check = (
                        (3, "rate") if site == "lanxi" and n == 72 else (4, "range") if site == "lanxi" and n == 40 else (1, "")
                    )
                    t = now - (96 - n) * 5 * MIN
                    c.execute(
                        text("INSERT OR REPLACE INTO reading VALUES (:s,:t,:t,:x,:f,:c)"),
                        {
                            "s": f"{indicator}@{site}",
                            "t": t,
                            "x": x + (0.5 if flag == 3 else 5 if flag == 4 else 0),
                            "f": flag,
                            "c": check,
                        },
                    )
    made.dispose()


def tell(quiet: Bench) -> None:
    """The night: two to answer, one overdue, some in progress, one silent, one back, a group and a drill."""
    from streams.desk import acts
    from streams.desk.alert import Move

    class Told:
        """The bench, delivering what it folds."""

        def __getattr__(self, name: str) -> Any:
            return getattr(quiet, name)

        def __setattr__(self, name: str, value: Any) -> None:
            setattr(quiet, name, value)

        def put(self, *changes: Change) -> None:
            quiet.put(*changes)
            quiet.deliver()
            quiet.receipts("received", "read", "sent")

    bench, end = Told(), quiet.now
    say = bench.names.actor

    def act(change: Change, move: Move, post: str, reason: str = "") -> None:
        with bench.store.begin() as s:
            acts.perform(s, change.alert, move, say(post), bench.m, reason)

    at = lambda minutes: end - round(minutes * MIN)  # noqa: E731
    bench.now = at(65)
    bench.put(sanhe := make_change("river_level", "sanhe", 2, time=at(65)))
    bench.now = at(63)
    act(sanhe, Move.ANSWER, "duty")
    act(sanhe, Move.NEWS, "duty", "改人工观测，每半小时一报")
    bench.now = at(43)
    river = make_change("river_level", "lanxi", 2, time=at(90), arrived=at(43))
    bench.put(river)
    bench.put(make_change("river_level", "lanxi", 3, 2, 1, at(43), at(90)))
    bench.put(
        make_change(
            "river_level",
            "lanxi",
            2,
            0,
            0,
            at(40),
            detector="basin/rising",
            value=29.1,
            forecast=(3600.0, 2400.0, 6600.0),
            limit=29.5,
            score=29.9,
        )
    )
    bench.now = at(41)
    act(river, Move.ANSWER, "lanxi-water")
    act(river, Move.NEWS, "lanxi-water", "巡堤 3 组已出发")
    bench.now = at(57)
    bench.put(make_change("rain", "houzhai", 3, time=at(57)), make_change("rain", "fotang", 2, time=at(57)))
    bench.put(rule := make_rule(time=at(57), onset=at(57)))
    act(rule, Move.ANSWER_FOR, "duty", "电话联系义乌市应急局值班员")
    bench.now = at(30)
    bench.put(back := make_change("reservoir", "hengjin", 1, time=at(50)))
    bench.put(make_change("reservoir", "hengjin", 0, 1, 1, at(30), at(50)))
    act(back, Move.ANSWER, "duty")
    bench.put(
        Change(
            kind="fresh",
            time=at(22),
            arrived=at(22),
            pack="basin",
            site="sanhe",
            indicator="river_level",
            fresh="stale",
            since=at(37),
        )
    )
    bench.put(
        Change(
            kind="fresh", time=at(27), arrived=at(27), pack="basin", site="dapan", indicator="rain", fresh="stale", since=at(42)
        )
    )
    bench.put(
        Change(
            kind="sensor",
            members=("rain@dapan",),
            since=at(42),
            time=at(12),
            arrived=at(12),
            pack="basin",
            site="dapan",
            fresh="stale",
        )
    )
    bench.now = at(9.1)
    bench.put(make_change("water", "chouzhou", 3, time=at(9.1), confidence="suspect", cap=3, check="rate"))
    bench.pass_time(8 * 60)
    bench.now = at(4.4)
    bench.put(make_change("methane", "renmin", 4, time=at(4.4)))
    bench.put(make_change("river_level", "sanhe", 1, time=at(4), detector="basin/exercise", scope="exercise"))
    bench.now = at(0.2)
    bench.pass_time(12)
    quiet.deliver()


@pytest.fixture
def city() -> City:
    """The small city."""
    return make_city()


@pytest.fixture
def change() -> Callable[..., Change]:
    """Makes detector changes."""
    return make_change


@pytest.fixture
def rule() -> Callable[..., Change]:
    """Makes changes of the covering rule."""
    return make_rule


@pytest.fixture
def bench(tmp_path: Path, city: City) -> Iterator[Bench]:
    """An empty desk."""
    made = Bench(f"sqlite:///{tmp_path}/desk.db", city)
    yield made
    made.store.close()


@cache
def night_desk(now: int) -> tuple[bytes, bytes, int]:
    """The files of the desk and of the history after the night that ends now, told once; and how far the desk has read."""
    with TemporaryDirectory() as folder:
        bench = Bench(f"sqlite:///{folder}/desk.db", make_city(120.0), now)
        write_history(f"sqlite:///{folder}/history.db", now)
        tell(bench)
        bench.store.close()
        assert bench.now == now
        return Path(folder, "desk.db").read_bytes(), Path(folder, "history.db").read_bytes(), bench.offset


def make_site(folder: Path, now: int | None = None, fill: bool = True) -> tuple[Bench, Any]:
    """A desk with the night on it and a history beside it."""
    from streams.desk.series import Readings
    from streams.desk.site import Site

    folder.mkdir(parents=True, exist_ok=True)
    history, offset = f"sqlite:///{folder}/history.db", 0
    if fill:
        desk, readings, offset = night_desk(now or T0)
        (folder / "desk.db").write_bytes(desk)
        (folder / "history.db").write_bytes(readings)
    bench = Bench(f"sqlite:///{folder}/desk.db", make_city(120.0), now or T0)
    bench.offset = offset
    return bench, Site(bench.store, lambda: bench.names, Readings(history), now=lambda: bench.now)


@pytest.fixture(scope="session")
def bench_at() -> type[Bench]:
    """Makes a desk on a database by its URL."""
    return Bench


@pytest.fixture(scope="session")
def night() -> Callable[..., tuple[Bench, Any]]:
    """Makes a desk in a folder, with the night on it or empty."""
    return make_site


@contextmanager
def served(site: Any) -> Iterator[str]:
    """The pages of a desk behind a port, in a thread: their address."""
    import uvicorn

    from streams.broker import free_port
    from streams.desk.api.app import make_app

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(make_app(site), port=port, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.02)
    yield f"http://127.0.0.1:{port}"
    site.closing = server.should_exit = True
    thread.join(5)


@pytest.fixture(scope="session")
def serve() -> Callable[[Any], AbstractContextManager[str]]:
    """Puts a desk behind a port."""
    return served


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """One Chromium for the tests of a file: Playwright's loop stays in this thread until it ends, and other files have their own."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: no page was looked at")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("no chromium on this machine: no page was looked at")
    with sync_api.sync_playwright() as p:
        made = p.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield made
        made.close()


if __name__ == "__main__":
    import sys
    import tempfile

    import uvicorn

    from streams import clock
    from streams.desk.api.app import make_app

    bench, site = make_site(Path(tempfile.mkdtemp()), clock.now(), "empty" not in sys.argv)
    site.now = clock.now
    uvicorn.run(make_app(site), port=int(sys.argv[1]), log_level="warning")
