"""Words for people."""
from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Text:
    """Words for people, Chinese first."""

    zh: str
    en: str = ""
