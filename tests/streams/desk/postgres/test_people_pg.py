"""Accounts, sessions and answer links on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select
from starlette.testclient import TestClient

from streams.desk.alert import Move, Refused
from streams.desk.api.app import make_app
from streams.desk.people import accounts, links, passwords
from streams.desk.series import Readings
from streams.desk.site import Site
from streams.desk.store import Store, broken
from streams.desk.tables import Delivery


def test_of_many_that_press_one_answers(desk: Any, url: str, change: Callable[..., Any]) -> None:
    """Two desks, one secret; a link that comes eight times at once is taken once, everything else is on record."""
    desk.put(red := change("methane", "renmin", 4))
    other = Store(url)
    with desk.store.read() as s, other.read() as o:
        assert links.secret_of(s) == links.secret_of(o)
        row = s.scalars(select(Delivery)).one()
        token = links.token_of(links.secret_of(s), row)

    def press(n: int) -> str:
        try:
            with (desk.store, other)[n % 2].begin() as s:
                return links.use(s, token, (Move.ANSWER, Move.PASS)[n % 3 == 2], desk.m).why
        except Refused as no:
            return no.key

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(press, range(8)))
    assert sorted(said) == [""] + ["used"] * 7
    with desk.store.read() as s:
        assert broken(s) == 0
    assert desk.acts(red.alert).count("link") == 7
    other.close()


def test_sessions_over_two_desks(desk: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who signs in at one is known to the other, and who signs out everywhere is out at both; rubbish is no fault."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with desk.store.begin() as s:
        accounts.add(s, "zhiban", "correct horse battery", ["duty"], desk.now, posts=["duty"])
    other = Store(url)
    here, there = (TestClient(make_app(Site(x, lambda: desk.names, Readings("sqlite://"), now=lambda: desk.now)), follow_redirects=False)
                   for x in (desk.store, other))
    assert here.post("/login", data={"user": "zhiban", "password": "correct horse battery"}).status_code == 303
    there.cookies = here.cookies
    csrf = there.get("/sessions").text.split('name="csrf" value="')[1].split('"')[0]
    assert here.post("/sessions/end", data={"csrf": csrf}).status_code == 303
    assert there.get("/sessions").status_code == 303
    for bad in ("%00" * 30, "x" * 40, "\N{SNOWMAN}" * 20):
        assert there.post(f"/a/{bad}", data={"act": "answer"}).status_code == (400 if "%00" in bad else 410)
        assert there.post("/login", data={"user": "\x00" + bad, "password": "\x00"}).status_code == 401
    other.close()
