"""Signing in elsewhere (OpenID Connect): optional."""

from __future__ import annotations


def title() -> str:
    """Its name on the button; "" = there is none."""
    return ""
