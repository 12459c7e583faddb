"""Several fields at once: members of so many different packs."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from detectors.holding import Seen, Together
from detectors.step import param

__all__ = ["Domains"]


@dataclass(frozen=True)
class Domains(Together):
    """Members of at least `domains` different packs hold together. For trouble that spreads from one field to others.

    Not for packs that look at the same thing: rain and its runoff are two packs and one cause, which may be what you want.

    In a pack:

        rules:
          - {id: spread, when: {domains: 2, of: {detector: [stage, other/hot]}, level: yellow}, level: orange}

    Source: cross-domain linkage of city emergency plans (own definition); distinct count.

    >>> from detectors.holding import Held, Seen
    >>> up = {"level@a": (0, False), "level@b": (9, False), "road@a": (20, False)}
    >>> seen = Seen(up, 9, domain=lambda name: ["basin" if name.startswith("level") else "road"])
    >>> Domains(domains=2).step(Held(), seen, 20, 60.0)[:4]
    (True, 20, 0, 2.0)
    """

    domains: float = param(None, unit="count", low=1, integer=True, reset=False, doc="how many different packs")

    slots: ClassVar[dict[str, int]] = {}

    def need(self, total: int) -> int:
        """So many packs."""
        return int(self.domains)

    def rises(self, seen: Seen) -> Mapping[str, tuple[int, bool]]:
        """A pack is up since its first member was, and doubtful only if all of its members are."""
        found: dict[str, tuple[int, bool]] = {}
        for name, (rise, doubt) in seen.up.items():
            for pack in seen.domain(name):
                before = found.get(pack, (rise, True))
                found[pack] = min(rise, before[0]), doubt and before[1]
        return found
