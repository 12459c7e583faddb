"""The same desk on a real PostgreSQL: tables, races, one leader."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from streams.desk.alert import Refused
from streams.desk.consume import position
from streams.desk.engine import Leader
from streams.desk.store import Store, broken
from streams.desk.tables import Base
from streams.sql import engine


def _tools() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def _postgres_user() -> bool:
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return False
    return shutil.which("runuser") is not None


BIN = _tools()
NONE = "no PostgreSQL server on this machine: the desk was not tried on it"
pytestmark = pytest.mark.skipif(BIN is None or (os.geteuid() == 0 and not _postgres_user()), reason=NONE)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server on a loopback port; it refuses to run as root, so then it runs as its own user."""
    folder = Path("/tmp") / f"wl-desk-pg-{os.getpid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = str(folder / "data")

    def run(tool: str, *words: str) -> None:
        subprocess.run([*before, f"{BIN}/{tool}", *words], check=True, cwd="/tmp", stdout=subprocess.DEVNULL, timeout=60)

    try:
        run("initdb", "-D", data, "-U", "desk", "--auth=trust", "--no-sync", "-E", "UTF8")
        run("pg_ctl", "-D", data, "-w", "-l", str(folder / "log"), "-o", f"-p {port} -h 127.0.0.1 -k {folder} -F", "start")
        yield f"postgresql+psycopg://desk@127.0.0.1:{port}/postgres"
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def desk(url: str, bench_at: Any, city: Any) -> Iterator[Any]:
    """An empty desk on it; the tables go afterwards."""
    bench = bench_at(url, city)
    yield bench
    with bench.store.engine.begin() as c:
        c.exec_driver_sql("DROP SCHEMA public CASCADE")
        c.exec_driver_sql("CREATE SCHEMA public")
    bench.store.close()


def test_two_desks_that_start_at_once_make_one_set_of_tables(desk: Any, url: str) -> None:
    """Migrations run one after the other; models and tables agree here too."""
    with ThreadPoolExecutor(3) as pool:
        for store in list(pool.map(lambda _: Store(url), range(3))):
            store.close()
    with desk.store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_a_whole_story_with_a_race(desk: Any, change: Callable[..., Any], rule: Callable[..., Any]) -> None:
    """Fold, cover, call, deliver, answer at once from many: one wins, the chain is whole, the offset moved with the rows."""
    desk.put(low := change("rain", "houzhai", 2), red := change("river_level", "lanxi", 4))
    desk.put(rule(3))
    desk.put(red)
    desk.pass_time(301)
    assert desk.alert(low.alert).covered_by == rule().alert and desk.deliver() >= 2

    def answer(post: str) -> bool:
        try:
            desk.do(red.alert, "answer_for", post, "电话联系上了值班员")
        except Refused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(answer, ["duty", "leader", "wucheng"] * 4)) == 1
    with desk.store.read() as s:
        assert broken(s) == 0
    assert position(desk.store, "events") == 3


def test_one_desk_leads_and_the_other_takes_over(desk: Any, url: str) -> None:
    """The lock is held by one connection; when that is gone the other desk has it."""
    one, two = Leader(desk.store.engine), Leader(other := engine(url))
    assert one.hold() and not two.hold() and one.hold()
    one.release()
    assert two.hold() and not one.hold()
    two.release()
    one.release()
    other.dispose()


def test_a_storm_is_folded_by_two_desks_at_once(desk: Any, change: Callable[..., Any]) -> None:
    """Each call is in exactly one message, whoever of the two gathers it; all rows end as sent."""
    from dataclasses import replace

    from sqlalchemy import select

    from streams.desk.channels import Outcome, Result
    from streams.desk.tables import Delivery

    class Phone:
        took: list[Any] = []  # noqa: RUF012 - one for both desks

        def send(self, message: Any, address: str) -> Outcome:
            self.took.append(message)
            return Outcome(Result.SENT)

    desk.put(*(replace(change("river_level", "lanxi", 2, detector=f"basin/d{n}"), group=f"basin/g{n}") for n in range(40)))
    phone = Phone()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: desk.deliver(log=phone), range(2)))
    for _ in range(3):
        desk.now += 31_000_000
        desk.deliver(log=phone)

    with desk.store.read() as s:
        rows = s.scalars(select(Delivery)).all()
        assert len(rows) == 40 and {d.state for d in rows} == {"sent"} and broken(s) == 0
    told = [m.key for m in phone.took]
    assert len(told) == len(set(told)) <= 3 and set(told) == {d.folded or d.key for d in rows}
