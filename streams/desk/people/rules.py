"""How signing in works on this desk: from the settings, with the counters that go with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers

from streams import clock
from streams.desk.people import accounts
from streams.desk.people.limits import Limits
from streams.desk.people.oidc import Foreign, foreign_of
from streams.desk.store import Store
from streams.errors import UsageError
from streams.settings import Settings

log = structlog.get_logger("wanglou.desk")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
AGAIN = 1.0
"""Seconds between two looks whether there is an account now."""
HOUR = 3_600_000_000


@dataclass
class Rules:
    """`always`: signing in is demanded even without accounts (the desk is reached from elsewhere).

    `public`: where people reach it (`https://desk.example.cn`), "" = unknown, then messages carry no answer links.
    `proxies`: addresses of proxies that may say who asked (`X-Forwarded-For`) and how (`X-Forwarded-Proto`).
    """

    always: bool = False
    public: str = ""
    proxies: tuple[str, ...] = ()
    foreign: Foreign | None = None
    idle: int = 12 * HOUR
    longest: int = 168 * HOUR
    limits: Limits = field(default_factory=Limits)
    now: Callable[[], float] = clock.monotonic
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    _demanded: bool = False
    _looked: float = float("-inf")

    def accounts_there(self, store: Store) -> bool:
        """Whether there is an account."""
        with store.read() as s:
            return accounts.any_there(s)

    def demanded(self, store: Store) -> bool:
        """Whether one must sign in: there is an account, or the desk serves more than this machine."""
        if not (self.always or self._demanded) and clock.monotonic() - self._looked >= AGAIN:
            self._looked = clock.monotonic()
            self._demanded = self.accounts_there(store)
        return self.always or self._demanded

    def proven(self, path: str) -> bool:
        """Whether a deed there must carry what another site cannot know: an answer link, or the token of a session."""
        return path.startswith("/a/") or self.always or self._demanded

    def asker(self, scope: Mapping[str, Any], headers: Headers) -> tuple[str, bool]:
        """The address that asks, and whether it asks over TLS: the proxy's word for it only if the proxy is trusted."""
        peer = (scope.get("client") or ("",))[0]
        if peer not in self.proxies:
            return peer, scope.get("scheme") == "https"
        hops = [h.strip() for h in headers.get("x-forwarded-for", "").split(",") if h.strip()]
        address = next((h for h in reversed(hops) if h not in self.proxies), peer)
        return cast(str, address), headers.get("x-forwarded-proto", "").split(",")[-1].strip() == "https"

    def hosts(self, host: str) -> tuple[str, ...]:
        """The names that the desk answers to, when it listens on `host`; () = any, where none was given."""
        own = [host] if host not in ("0.0.0.0", "::", *LOOPBACK) else []
        named = [urlsplit(self.public).hostname or ""] if self.public else []
        if host in ("0.0.0.0", "::") and not named:
            return ()
        return ("127.0.0.1", "localhost", "[::1]", *(f"[{h}]" if ":" in h else h for h in (*own, *named)))


def rules_of(settings: Settings, store: Store) -> Rules:
    """From the settings. UsageError where the desk could be reached by others and has no accounts."""
    proxies = tuple(x.strip() for x in settings.desk_proxies.split(",") if x.strip())
    elsewhere = (urlsplit(settings.desk_public).hostname or "localhost") not in LOOPBACK
    far = settings.desk_host not in LOOPBACK or elsewhere or bool(proxies)
    idle, longest = round(settings.desk_idle * HOUR), round(settings.desk_longest * HOUR)
    rules = Rules(far, settings.desk_public, proxies, foreign_of(settings), idle, longest)
    if far and not rules.accounts_there(store):
        raise UsageError(
            f"WANGLOU_DESK_HOST={settings.desk_host} WANGLOU_DESK_PUBLIC={settings.desk_public}: without accounts the desk "
            "serves this machine only; first `wanglou accounts add NAME --role admin`"
        )
    if bool(settings.desk_cert) != bool(settings.desk_key):
        raise UsageError("WANGLOU_DESK_CERT and WANGLOU_DESK_KEY: take both or neither")
    if far and not (settings.desk_cert or proxies):
        log.warning("passwords travel unencrypted: set WANGLOU_DESK_CERT and WANGLOU_DESK_KEY, or WANGLOU_DESK_PROXIES")
    return rules
