"""A PostgreSQL of the tests' own, on loopback, one for a session."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.broker import free_port


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
NONE = "no PostgreSQL server on this machine: nothing was tried on it"


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """A server on a loopback port; it refuses to run as root, so then it runs as its own user."""
    if BIN is None or (os.geteuid() == 0 and not _postgres_user()):
        pytest.skip(NONE)
    folder = Path("/tmp") / f"wl-pg-{os.getpid()}"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    before = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    port = free_port()
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
