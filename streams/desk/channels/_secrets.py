"""Secrets of channels: configs name an environment variable, `$WANGLOU_SECRET_DING`; its value is read when a message leaves.

Only names with that prefix are filled in, so a config cannot carry off anything else of the environment.
Values are taken out of whatever is logged or audited.
"""
from __future__ import annotations

import os
import re

PREFIX = "WANGLOU_SECRET_"
NAME = re.compile(r"\$(" + PREFIX + r"[A-Z0-9_]+)")


class Missing(LookupError):
    """A variable that a config names is not set."""

    def __init__(self, name: str) -> None:
        super().__init__(f"environment variable {name} is not set")


def fill(text: str) -> str:
    """The text with its secrets. Missing when one is not set or empty."""
    def value(found: re.Match[str]) -> str:
        got = os.environ.get(found[1], "")
        if not got:
            raise Missing(found[1])
        return got

    return NAME.sub(value, text)


def only_names(text: str) -> bool:
    """Whether each word of an address or option is the name of a secret and nothing else.

    >>> only_names("$WANGLOU_SECRET_A $WANGLOU_SECRET_B"), only_names("SEC89ab"), only_names("$HOME"), only_names("")
    (True, False, False, False)
    """
    return bool(text.split()) and all(NAME.fullmatch(word) for word in text.split())


def hide(text: str, *shown: str) -> str:
    """A text without the values of secrets named in `shown`, and without `shown` themselves (addresses: their end stays).

    >>> hide("user 13800000001 is off", "13800000001")
    'user •••0001 is off'
    """
    for one in shown:
        for name in NAME.findall(one):
            if os.environ.get(name):
                text = text.replace(os.environ[name], "•••")
        if len(one) >= 6 and "$" not in one:
            text = text.replace(one, masked(one))
    return text


def masked(address: str) -> str:
    """An address as logs show it: enough to tell two apart; the name of a secret is no secret.

    >>> masked("13800000001"), masked("duty@example.cn"), masked("$WANGLOU_SECRET_DING"), masked("")
    ('•••0001', 'd•••@example.cn', '$WANGLOU_SECRET_DING', '')
    >>> masked("https://gate.example/hook?token=abc")
    'https://gate.example/•••'
    """
    if not address or only_names(address):
        return address
    if "://" in address:
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{rest.split('/')[0].rpartition('@')[2]}/•••"
    head, at, host = address.partition("@")
    return f"{head[:1]}•••@{host}" if at else f"•••{address[-4:]}" if len(address) >= 6 else "•••"
