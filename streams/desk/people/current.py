"""Who asks, for the length of one request: pages, the audit and messages of refusal read it; the gate alone sets it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from streams.desk.people.rights import CITY, LOCAL, Account, Act, Facts, demand


@dataclass(frozen=True, slots=True)
class Current:
    """`account` None = nobody signed in. `session` = the id of its row, `csrf` = what its forms must carry.

    `how`: password, oidc, token, link, receipt; "" where there are no accounts.
    """

    account: Account | None = LOCAL
    session: str = ""
    csrf: str = ""
    how: str = ""


NOBODY = Current(None)
DESK = Current()
"""Outside of a request: the desk itself, which may everything."""
CURRENT: ContextVar[Current] = ContextVar("current", default=DESK)


def permit(act: Act | str, facts: Facts = CITY) -> None:
    """Refused where the one who asks may not. An answer link or a receipt has its right from the call."""
    now = CURRENT.get()
    if now.how not in ("link", "receipt"):
        demand(now.account, act, facts)


def on_record() -> dict[str, str]:
    """What every audit row of this request says besides its post."""
    now = CURRENT.get()
    name = now.account.name if now.account else ""
    return {k: v for k, v in (("account", name), ("via", now.how if now.how in ("link", "receipt", "token") else "")) if v}
