"""How one reader sees the desk now."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from streams.desk.alert import Actor
from streams.desk.names import Names
from streams.desk.people.rights import LOCAL, Account
from streams.desk.series import Readings


@dataclass(frozen=True)
class View:
    """Who looks, when, with which words. `clock` = the log's own now (scenario time in a played history).

    `account` says what may be done; without sign-in that is everything.
    """

    lang: str
    actor: Actor
    now: int
    clock: int
    names: Names
    readings: Readings
    played: str = ""
    account: Account | None = LOCAL
    heard: Counter[tuple[str, str]] = field(default_factory=Counter)      # (district, pack) -> series that have spoken
