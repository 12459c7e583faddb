"""The pages of the desk: the folder `api` is the registry of routes and of the entries of the main navigation."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

FAR = 60
"""Entries from this place on are far."""


@cache
def parts() -> tuple[ModuleType, ...]:
    """Every module of `streams.desk.api` that has a `router`."""
    package = import_module("streams.desk.api")
    found = (import_module(f"streams.desk.api.{m.name}") for m in iter_modules(package.__path__))
    return tuple(module for module in found if hasattr(module, "router"))


@cache
def entries() -> tuple[tuple[str, str, bool], ...]:
    """(path, key of its words, whether it is far) of each page in the navigation, from `NAV = (place, path, key)` of its module.

    What is far stands behind "more" where the window is too narrow for all in one line.
    """
    return tuple((path, key, place >= FAR) for place, path, key in sorted(m.NAV for m in parts() if hasattr(m, "NAV")))
