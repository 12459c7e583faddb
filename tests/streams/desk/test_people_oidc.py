"""Single sign-on against a small issuer: code and PKCE; only its signed word counts, for a known subject; without it passwords go on."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from starlette.testclient import TestClient
from werkzeug import Request, Response

from streams.desk.api.app import make_app
from streams.desk.people import accounts
from streams.desk.people.oidc import Foreign, foreign_of, opened, sealed
from streams.desk.tables import Audit
from streams.errors import UsageError
from streams.settings import Settings

pytest.importorskip("authlib", reason="authlib (extra oidc) is not installed")
KEY = "ab" * 32


class Issuer:
    """Just enough of OpenID Connect: metadata, keys, a token for a code whose verifier fits."""

    def __init__(self, server: HTTPServer) -> None:
        from joserfc.jwk import RSAKey

        self.url, self.key, self.wrong = server.url_for("").rstrip("/"), RSAKey.generate_key(2048, {"kid": "1"}), {}
        self.other, self.asked, self.codes = RSAKey.generate_key(2048, {"kid": "1"}), {}, {}
        self.sign_with = self.key
        server.expect_request("/.well-known/openid-configuration").respond_with_json({
            "issuer": self.url, "authorization_endpoint": f"{self.url}/auth", "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys", "id_token_signing_alg_values_supported": ["RS256"],
        })
        server.expect_request("/keys").respond_with_json({"keys": [self.key.as_dict(private=False)]})
        server.expect_request("/token", method="POST").respond_with_handler(self.token)

    def approve(self, location: str) -> dict[str, str]:
        """What the browser brings back after the user agreed at `location`."""
        self.asked = dict(parse_qsl(urlsplit(location).query))
        self.codes["c0de"] = self.asked
        return {"code": "c0de", "state": self.asked["state"]}

    def token(self, request: Request) -> Response:
        """An id token for a code, once, if the verifier is the challenge's."""
        from joserfc import jwt

        form, asked = request.form, self.codes.pop(request.form["code"], None)
        digest = sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or urlsafe_b64encode(digest).decode().rstrip("=") != asked["code_challenge"]:
            return Response(json.dumps({"error": "invalid_grant"}), 400, content_type="application/json")
        now = int(time.time())
        claims = {"iss": self.url, "sub": "u-17", "aud": "wanglou", "exp": now + 60, "iat": now, "nonce": asked["nonce"]}
        id_token = jwt.encode({"alg": "RS256", "kid": "1"}, claims | self.wrong, self.sign_with)
        said = {"access_token": "x", "token_type": "Bearer", "id_token": id_token}
        return Response(json.dumps(said), content_type="application/json")


@pytest.fixture
def desk(tmp_path: Path, night: Any, httpserver: HTTPServer) -> tuple[Any, TestClient, Issuer]:
    """A desk that knows one subject of an issuer."""
    bench, site = night(tmp_path, fill=False)
    issuer = Issuer(httpserver)
    site.rules.foreign = Foreign(issuer.url, "wanglou", "s3cret", "政务统一身份")
    with bench.store.begin() as s:
        accounts.add(s, "zhiban", "", ["duty"], bench.now, posts=["duty"], subject=f"{issuer.url}|u-17")
    return bench, TestClient(make_app(site), follow_redirects=False), issuer


def test_there_and_back(desk: Any) -> None:
    """With code, PKCE, state and nonce; then a session as any other, at the page that was asked for, with no right from there."""
    _, client, issuer = desk
    assert "政务统一身份登录" in client.get("/login").text
    answer = client.get("/login/oidc", params={"next": "/?mine=1"})
    assert answer.status_code == 302 and answer.headers["location"].startswith(f"{issuer.url}/auth?")
    back = issuer.approve(answer.headers["location"])
    asked = issuer.asked
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert asked["redirect_uri"] == "http://testserver/login/oidc/back" and len(asked["nonce"]) >= 16
    answer = client.get("/login/oidc/back", params=back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/?mine=1")
    assert 'data-post="duty"' in client.get("/").text and "统一身份" in client.get("/sessions").text
    assert client.get("/login/oidc/back", params=back).status_code == 401       # once


@pytest.mark.parametrize("wrong", [
    {"iss": "https://evil.example"}, {"aud": "another"}, {"exp": 1}, {"nonce": "another"}, {"sub": "u-18"}, {"sub": ""},
    "key", "state", "cookie", "verifier", "denied",
])
def test_what_does_not_hold_is_refused(desk: Any, wrong: Any) -> None:
    """Another issuer, audience, time, nonce, key, state, browser or subject: no session, and the page does not say which."""
    _, client, issuer = desk
    back = issuer.approve(client.get("/login/oidc").headers["location"])
    if isinstance(wrong, dict):
        issuer.wrong = wrong
    elif wrong == "key":
        issuer.sign_with = issuer.other
    elif wrong == "state":
        back["state"] = "x" * 20
    elif wrong == "cookie":
        client.cookies.clear()
    elif wrong == "verifier":
        issuer.codes["c0de"]["code_challenge"] = "x" * 43
    else:
        back = {"error": "access_denied", "state": back["state"]}
    answer = client.get("/login/oidc/back", params=back)
    assert answer.status_code == 401 and "登录未成功" in answer.text and client.get("/").status_code == 303


def test_a_locked_account_does_not_come_in_that_way(desk: Any) -> None:
    """And it is on record."""
    bench, client, issuer = desk
    back = issuer.approve(client.get("/login/oidc").headers["location"])
    with bench.store.begin() as s:
        accounts.lock(s, "zhiban", True, bench.now)
    assert client.get("/login/oidc/back", params=back).status_code == 401
    with bench.store.read() as s:
        assert [r.what["what"] for r in s.scalars(select(Audit).where(Audit.act == "sign_in"))] == ["refused"]


def test_while_the_issuer_is_away_passwords_go_on(desk: Any) -> None:
    """The form says that it cannot be reached."""
    bench, client, _ = desk
    with bench.store.begin() as s:
        accounts.add(s, "guanli", "correct horse battery", ["admin"], bench.now)
    client.app.state.site.rules.foreign = Foreign("http://127.0.0.1:9", "wanglou", "", "政务统一身份")
    answer = client.get("/login/oidc")
    assert answer.status_code == 200 and "政务统一身份现在连不上" in answer.text
    assert client.post("/login", data={"user": "guanli", "password": "correct horse battery"}).status_code == 303


def test_an_account_without_password_has_none(desk: Any) -> None:
    """No empty password signs in to it."""
    _, client, _ = desk
    for password in ("", " ", "x"):
        assert client.post("/login", data={"user": "zhiban", "password": password}).status_code == 401


def test_the_cookie_of_the_way_is_sealed() -> None:
    """Altered, of another desk, or none: nothing is in it."""
    text = sealed({"to": "/"}, KEY)
    assert opened(text, KEY) == {"to": "/"}
    for bad in (text[:-1], "x" + text, text.replace(".", ".0"), "", "."):
        assert opened(bad, KEY) == {}
    assert opened(text, "cd" * 32) == {}


def test_settings() -> None:
    """None without an issuer; an issuer needs the name of this desk there; the secret is not shown."""
    assert foreign_of(Settings()) is None
    with pytest.raises(UsageError, match="OIDC_CLIENT"):
        foreign_of(Settings(oidc_issuer="https://id.example"))
    settings = Settings(oidc_issuer="https://id.example", oidc_client="w", oidc_secret="s3cret")
    assert foreign_of(settings) is not None and "s3cret" not in repr(settings)
