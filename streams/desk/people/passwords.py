"""Passwords: argon2id (RFC 9106) by argon2-cffi. 64 MiB and about a quarter of a second each, so two at a time at most."""

from __future__ import annotations

from threading import Semaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from streams.errors import UsageError

SHORTEST, LONGEST = 10, 200
"""Characters. The longest keeps a login from hashing megabytes."""
_HASHER, _TURN = PasswordHasher(), Semaphore(2)
_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$" + "A" * 22 + "$" + "A" * 43
"""Checked when there is no such account, so that its absence takes as long as a wrong password."""


def hashed(password: str, name: str = "") -> str:
    """The text to keep. UsageError for a password that is too short, too long or the account's own name."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"password: {len(password)} characters; take {SHORTEST} to {LONGEST}")
    if name and name.casefold() in password.casefold():
        raise UsageError("password: it holds the name of the account")
    with _TURN:
        return _HASHER.hash(password)


def fits(kept: str, password: str) -> bool:
    """Whether it is the password of this hash; "" is never fitted, in the same time."""
    with _TURN:
        try:
            _HASHER.verify(kept or _NOBODY, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return bool(kept)


def stale(kept: str) -> bool:
    """Whether it was made with weaker parameters than today's, and is to be made anew at the next sign-in."""
    return _HASHER.check_needs_rehash(kept)
