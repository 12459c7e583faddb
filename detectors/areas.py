"""How bad and how fresh each area is, kept as things move: looking costs what has moved, not what there is."""
from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

Cell = tuple[str, str]
"""`tree:area`, pack."""


class Areas:
    """`cells`: (pack, series) -> where it counts. `away`: whether a series cannot be believed to be of now."""

    def __init__(self, cells: dict[tuple[str, str], tuple[Cell, ...]], away: Callable[[str], bool]) -> None:
        self.cells, self.away = cells, away
        self.total = Counter(cell for some in cells.values() for cell in some)
        self.gone = Counter(self.total)                                 # nothing was heard of yet
        self.lost = set(cells)
        self.stirred: set[str] = set()                                  # sites to be looked at
        self.at: dict[str, list[tuple[str, str]]] = {}
        for key in cells:
            self.at.setdefault(key[1].split("@", 1)[1], []).append(key)

    def settle(self, sites: Iterable[str] | None = None) -> None:
        """Look again at these sites (None: at all); without this, at those that were stirred."""
        for site in self.at if sites is None else sites:
            for key in self.at.get(site, ()):
                away = self.away(key[1])
                if away != (key in self.lost):
                    (self.lost.add if away else self.lost.discard)(key)
                    for cell in self.cells[key]:
                        self.gone[cell] += 1 if away else -1
        self.stirred = set()

    def rows(self, raised: Iterable[tuple[str, str, int]]) -> Iterator[tuple[str, str, int, float]]:
        """(`tree:area`, pack, worst level, share of its series that are fresh); `raised`: (pack, series, level)."""
        worst: dict[Cell, int] = {}
        for pack, series, level in raised:
            for cell in self.cells.get((pack, series), ()):
                worst[cell] = max(level, worst.get(cell, 0))
        for cell in sorted(self.total):
            yield *cell, worst.get(cell, 0), 1 - self.gone[cell] / self.total[cell]
