"""Every door of the desk, found by itself: nobody comes in unsigned, a viewer changes nothing, a number is read by who may read it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from streams.desk.api.app import make_app
from streams.desk.pages.nav import parts
from streams.desk.people import accounts, passwords, sessions
from streams.desk.people.gate import FREE, OPEN, OWN_TOKEN
from streams.desk.tables import Base

PASSWORD = "correct horse battery"
MINE = ("/login", "/logout", "/sessions", "/prefs")
"""Doors of one's own session, where nothing of the desk is changed."""
FIELDS = {
    "reason": "写明理由的文字", "disposition": "true", "to": "leader", "seconds": "60", "receipt": "read", "title": "标题文字",
    "post": "duty", "shift": "x", "area": "admin:yiwu", "pack": "basin", "site": "houzhai", "indicator": "rain", "level": "2",
    "value": "3", "until": "2026-06-24T12:00", "from": "2026-06-24T08:00", "start": "2026-06-24T08:00", "end": "2026-06-24T12:00",
    "text": "正文文字", "headline": "标题文字", "description": "正文文字", "instruction": "做法文字", "unit": "141", "what": "要做的事",
    "kind": "mute", "hours": "1", "minutes": "60", "person": "甲", "day": "2026-06-24", "name": "甲", "ids": "", "act": "answer",
}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory, night: Any) -> Any:
    """The night behind a sign-in, with a viewer, an administrator and a duty officer of one county's post."""
    kept, passwords._HASHER = passwords._HASHER, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    bench, site = night(tmp_path_factory.mktemp("doors"))
    site.rules.now = lambda: bench.now / 1e6
    with bench.store.begin() as s:
        for name, role in (("kan", "viewer"), ("zhiban", "duty")):
            accounts.add(s, name, PASSWORD, [role], bench.now, posts=["duty"])
        accounts.add(s, "wai", PASSWORD, ["duty"], bench.now, agencies=["外单位"], posts=["duty"])
    yield bench, site
    passwords._HASHER = kept


def signed(doors: Any, name: str) -> TestClient:
    """A browser that signed in."""
    client = TestClient(make_app(doors[1]), follow_redirects=False)
    assert client.post("/login", data={"user": name, "password": PASSWORD}).status_code == 303
    return client


def routes(method: str) -> list[str]:
    """The paths of all modules of the desk for a method."""
    found = (r for part in parts() for r in part.router.routes if isinstance(r, APIRoute) and method in r.methods)
    return sorted({r.path for r in found})


def filled(path: str, bench: Any, client: TestClient) -> list[str]:
    """A path with real ids in its places: each open warning and delivery."""
    alerts = client.get("/api/alerts").json() if "{" in path else []
    ids = [a["id"] for a in alerts if a["open"]][:2] or ["x"]
    if "deliver" in path or "outbox" in path:
        ids = [d["key"] for a in alerts[:2] for d in client.get(f"/api/alerts/{a['id']}").json()["deliveries"]][:2] or ["x"]
    moves = ["answer", "answer_for", "pass", "news", "close", "reopen", "verify", "handover", "comment"] if "{act}" in path else ["x"]
    return [re.sub(r"\{[^}]*\}", id_, path.replace("{act}", move)) for id_ in ids for move in moves]


def everything(bench: Any) -> dict[str, list[Any]]:
    """All rows of all tables but the record itself and the sessions."""
    with bench.store.read() as s:
        tables = (t for t in Base.metadata.sorted_tables if t.name not in ("audit", "chain", "session"))
        return {t.name: list(s.execute(t.select())) for t in tables}


def test_every_path_that_is_open_is_meant_to_be(doors: Any) -> None:
    """Unsigned: the sign-in, health, what has its own token, and what a module declares; all else asks who it is."""
    bench, site = doors
    client = TestClient(make_app(site), follow_redirects=False)
    meant = (*FREE, *OPEN, *OWN_TOKEN, *(path for part in parts() for path in getattr(part, "OPEN", ())))
    asked = 0
    for method in ("GET", "POST"):
        for path in routes(method):
            if path.startswith(meant) or path == "/events":
                continue
            bench.now += 5_000_000
            answer = client.request(method, re.sub(r"\{[^}]*\}", "x", path))
            assert answer.status_code in (303, 401), (method, path, answer.status_code)
            assert answer.status_code == 401 or answer.headers["location"].startswith("/login?next="), path
            asked += 1
    assert asked > 20


def test_a_viewer_changes_nothing_anywhere(doors: Any) -> None:
    """Whatever is posted to whatever door of the desk, with all ids right and the token too: only the record may grow."""
    bench, _ = doors
    client = signed(doors, "kan")
    token = sessions.csrf_of(client.cookies[sessions.COOKIE])
    tried, before = 0, everything(bench)
    for path in routes("POST"):
        if path.startswith((*MINE, *OWN_TOKEN)) or path == "/mute":
            continue
        for url in filled(path, bench, client):
            bench.now += 5_000_000
            if tried % 2:
                answer = client.post(url, json=FIELDS, headers={"X-CSRF-Token": token, "Accept": "application/json"})
            else:
                answer = client.post(url, data=FIELDS | {"csrf": token})
            assert 400 <= answer.status_code < 500 or answer.status_code == 303, url
            tried += 1
        assert everything(bench) == before, path
    assert tried > 20


def test_without_the_token_a_leader_changes_nothing_either(doors: Any) -> None:
    """403 at every door, before anything is read."""
    bench, _ = doors
    with bench.store.begin() as s:
        accounts.change(s, "zhiban", bench.now, {"roles": ["leader", "admin"]})
    client, before = signed(doors, "zhiban"), everything(bench)
    for path in routes("POST"):
        if not path.startswith(("/login", *OWN_TOKEN)):
            for url in filled(path, bench, client)[:2]:
                bench.now += 5_000_000
                assert client.post(url, data=FIELDS).status_code == 403, url
    assert everything(bench) == before


def test_numbers_are_read_by_who_may_read_them(doors: Any) -> None:
    """No page, row or JSON shows a viewer or another agency's officer the address of a post."""
    bench, _ = doors
    numbers = [x for p in bench.names.city.posts for x in p.addresses.values() if len(x) > 3]
    assert numbers
    for name in ("kan", "wai"):
        client = signed(doors, name)
        for path in routes("GET"):
            if path.startswith(("/static", "/events", "/a/")):
                continue
            for url in filled(path, bench, client)[:1]:
                bench.now += 5_000_000
                text = client.get(url).text
                assert not [n for n in numbers if n in text], (name, url)
