"""What an installation may choose, from the environment (`WANGLOU_BROKER`, `WANGLOU_STATE_URL` …).

Every field has a default that suits one machine.
"""
from __future__ import annotations

import os
import sys
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from streams.errors import UsageError

PREFIX = "WANGLOU_"
WIDE = ("readings", "judged")
"""Topics of many partitions, which come in generations: `topics grow` begins `readings.2` and `judged.2`."""


class Settings(BaseSettings):
    """Where things are. A database URL that is not given is a SQLite file in `data`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True)

    broker: str = "127.0.0.1:9092"
    prefix: str = "wanglou."                        # of every topic and consumer group
    partitions: int = Field(4, ge=1, le=256)        # of `readings` and `judged` as they begin: a power of two
    replication: int = Field(1, ge=1)               # of topics that `topics create` makes; 3 in service
    data: Path = Path("var")
    state_url: str = ""                             # plans and snapshots
    history_url: str = ""
    desk_url: str = ""
    configs: Path | None = None
    metrics_port: int = Field(0, ge=0, le=65535)    # /metrics of this process on 127.0.0.1; 0 = off
    desk_host: str = "127.0.0.1"
    desk_port: int = 8080
    desk_public: str = Field("", pattern=r"^(https?://[^\s/?#]+)?$")    # where people reach it: for answer links
    desk_proxies: str = ""                          # proxies whose X-Forwarded-For and -Proto are believed: "10.0.0.7, …"
    desk_cert: Path | None = None                   # TLS: certificate and key as PEM files
    desk_key: Path | None = None
    desk_idle: float = Field(12.0, gt=0)            # hours without use after which a session ends
    desk_longest: float = Field(168.0, gt=0)        # hours after which it ends in any case
    oidc_issuer: str = ""                           # single sign-on (OpenID Connect): its address; "" = none
    oidc_client: str = ""
    oidc_secret: str = Field("", repr=False)
    oidc_title: str = "统一身份"                    # the words on its button
    feed_port: int = 8081
    feed_buffer: int = Field(256 << 20, ge=1 << 12)     # bytes that a feed keeps on disk while Kafka is away; then it refuses
    ticks: Literal["own", "log"] = "own"            # log: a played history writes the ticks
    snapshot_seconds: float = Field(10.0, gt=0)
    session_timeout: float = Field(10.0, ge=1)      # seconds until Kafka gives up a worker
    unsaved: int = Field(20_000, ge=1)              # records a partition may be ahead of its snapshot before judging waits
    canary_seconds: float = Field(600.0, ge=0)      # between two canaries of the pack `self`; 0 = none
    canary_feed: str = ""                           # the feed's door for them; default: this machine's feed
    scenario: str = ""                              # "×120": a history is being played, and the pages say so
    fault: str = ""                                 # tests only: `after_produce:3` kills the process there, the third time

    _generation: int = PrivateAttr(1)               # which generation of these topics: state.db knows (worker/generations)

    def model_post_init(self, context: Any, /) -> None:
        """Fill in the databases."""
        if self.partitions & (self.partitions - 1):
            raise UsageError(f"{PREFIX}PARTITIONS={self.partitions}: take a power of two up to 256")
        for name in ("state", "history", "desk"):
            if not getattr(self, f"{name}_url"):
                object.__setattr__(self, f"{name}_url", f"sqlite:///{self.data / name}.db")

    @property
    def generation(self) -> int:
        """Which generation of the wide topics these settings speak of."""
        return self._generation

    def of(self, generation: int, partitions: int) -> Settings:
        """The same installation, for another generation of its wide topics."""
        made = self.model_copy(update={"partitions": partitions})
        made._generation = generation
        return made

    def topic(self, name: str) -> str:
        """The topic's full name: `wanglou.readings`; of later generations `wanglou.readings.2`."""
        return self.prefix + name + (f".{self._generation}" if self._generation > 1 and name in WIDE else "")


def plain(topic: str) -> str:
    """A topic's name without its generation.

    >>> plain("wanglou.readings.2"), plain("wanglou.levels")
    ('wanglou.readings', 'wanglou.levels')
    """
    name, _, last = topic.rpartition(".")
    return name if last.isdigit() and name.endswith(WIDE) else topic


def settings(**given: Any) -> Settings:
    """Settings of this process. What is given, and is not None, comes before the environment.

    UsageError names every value that is wrong.
    """
    for name in os.environ:
        hint = mistyped(name)
        if hint:
            print(f"{name} is not a setting; did you mean {hint}?", file=sys.stderr)
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        faults = [f"{PREFIX}{str(e['loc'][0]).upper()}={e['input']!r}: {e['msg']}" for e in error.errors(include_url=False)]
        raise UsageError("\n".join(faults)) from None


def mistyped(name: str) -> str:
    """The setting that an environment variable probably meant; "" when it is one, or is nothing like one.

    >>> mistyped("WANGLOU_BROKR"), mistyped("WANGLOU_BROKER"), mistyped("HOME")
    ('WANGLOU_BROKER', '', '')
    """
    known = [PREFIX + field.upper() for field in Settings.model_fields]
    if not name.startswith(PREFIX) or name in known:
        return ""
    return next(iter(get_close_matches(name, known, n=1, cutoff=0.9)), "")
