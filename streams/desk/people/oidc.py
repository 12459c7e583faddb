"""Signing in elsewhere: OpenID Connect, authorization code with PKCE (RFC 7636), by authlib (extra `oidc`). Optional.

The foreign service says who somebody is (`issuer|sub`), never what they may do: that stands in the account. While it is
away, account and password go on working.
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.util import find_spec
from typing import Any

from httpx2 import HTTPError, InvalidURL
from starlette.requests import Request
from starlette.responses import Response

from streams.errors import Unavailable, UsageError
from streams.settings import Settings

COOKIE = "wanglou_oidc"
LASTS = 600
"""Seconds that somebody has for signing in there."""
AWAY = (HTTPError, InvalidURL, OSError, ValueError, LookupError, RuntimeError, TypeError)
"""No connection, no TLS, no metadata, no JSON or another shape of it: all the same to who wants to sign in."""


class Refusal(Exception):
    """The foreign service did not say who it is, or what it said does not hold."""


@dataclass
class Foreign:
    """One issuer. `client` and `secret` as registered there, with the address `…/login/oidc/back`."""

    issuer: str
    client: str
    secret: str = field(repr=False)
    title: str
    _app: Any = field(default=None, repr=False)

    def app(self) -> Any:
        """Its client; the issuer is asked for its addresses at the first use."""
        if self._app is None:
            from authlib.integrations.starlette_client import OAuth

            self._app = OAuth().register(
                "oidc", server_metadata_url=f"{self.issuer.rstrip('/')}/.well-known/openid-configuration",
                client_id=self.client, client_secret=self.secret or None,
                client_kwargs={"scope": "openid", "code_challenge_method": "S256", "timeout": 10.0,
                               "token_endpoint_auth_method": "client_secret_basic" if self.secret else "none"},
            )
        return self._app

    async def begin(self, request: Request, back: str, to: str, key: str) -> Response:
        """Off to the issuer; what must be remembered until then is in a signed cookie. Unavailable when it does not answer."""
        request.scope["session"] = {"to": to}
        try:
            answer: Response = await self.app().authorize_redirect(request, back)
        except AWAY as error:
            raise Unavailable(f"{self.issuer}: {type(error).__name__}: {error}") from error
        answer.set_cookie(COOKIE, sealed(request.session, key), max_age=LASTS, httponly=True, samesite="lax",
                          secure=back.startswith("https:"))
        return answer

    async def finish(self, request: Request, key: str) -> tuple[str, str]:
        """`(issuer|sub, where to go)`. Refusal where state, nonce, signature, issuer, audience or time do not fit."""
        from authlib.integrations.starlette_client import OAuthError
        from joserfc.errors import JoseError

        request.scope["session"] = opened(request.cookies.get(COOKIE, ""), key)
        to = str(request.session.get("to", "/"))
        try:
            token = await self.app().authorize_access_token(request)
        except (OAuthError, JoseError) as error:
            raise Refusal(str(error)) from error
        except AWAY as error:
            raise Unavailable(f"{self.issuer}: {type(error).__name__}: {error}") from error
        said = token.get("userinfo") or {}
        if said.get("iss") != self.issuer or not said.get("sub"):
            raise Refusal(f"issuer {said.get('iss')!r}")
        return f"{self.issuer}|{said['sub']}", to


def foreign_of(settings: Settings) -> Foreign | None:
    """From WANGLOU_OIDC_…; None where no issuer is given. UsageError where something is missing."""
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client:
        raise UsageError("WANGLOU_OIDC_ISSUER without WANGLOU_OIDC_CLIENT: the name under which this desk is registered there")
    if find_spec("authlib") is None:
        raise UsageError("WANGLOU_OIDC_ISSUER: pip install 'wanglou[oidc]'")
    return Foreign(settings.oidc_issuer, settings.oidc_client, settings.oidc_secret, settings.oidc_title)


def sealed(values: dict[str, Any], key: str) -> str:
    """A small dictionary for a cookie, signed."""
    body = urlsafe_b64encode(json.dumps(values).encode()).decode()
    return f"{body}.{_mark(body, key)}"


def opened(text: str, key: str) -> dict[str, Any]:
    """What `sealed` made; empty where it was altered. Its time is checked by authlib (`exp` of its entry)."""
    body, _, mark = text.partition(".")
    if not body or not hmac.compare_digest(mark.encode(), _mark(body, key).encode()):
        return {}
    values = json.loads(urlsafe_b64decode(body))
    return values if isinstance(values, dict) else {}


def _mark(body: str, key: str) -> str:
    return hmac.new(bytes.fromhex(key), f"oidc\n{body}".encode(), sha256).hexdigest()
