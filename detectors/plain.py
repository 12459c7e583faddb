"""Words of ours as plain lists and back, for snapshots: what MessagePack, JSON and SQL can hold."""
from __future__ import annotations

from dataclasses import fields
from typing import Any

from detectors.event import Change

_NAMES = tuple(f.name for f in fields(Change))
_DEFAULT = {f.name: f.default for f in fields(Change)}


def plain(change: Change) -> dict[str, Any]:
    """A change by field name, without what is at its default; tuples become lists."""
    found = {name: getattr(change, name) for name in _NAMES}
    return {name: list(value) if isinstance(value, tuple) else value
            for name, value in found.items() if value != _DEFAULT[name]}


def change_of(body: dict[str, Any]) -> Change:
    """The way back; fields that this program does not know are left out."""
    known: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value
                             for name, value in body.items() if name in _DEFAULT}
    return Change(**known)
