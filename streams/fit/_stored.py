"""What history.db holds of some series, as a frame of COLUMNS."""
from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from sqlalchemy import Engine, bindparam, text

from streams.fit._rows import COLUMNS
from streams.history.partitions import prepare

SOME = 500              # series asked for at once
_RAW = text("SELECT series, t, arrived, value AS x, flag FROM reading WHERE series IN :names AND t >= :since"
            ).bindparams(bindparam("names", expanding=True))
_OLD = text("""SELECT b.series, b.t, b.t + b.width AS arrived, b.mean AS x, 1 AS flag FROM bucket b
    WHERE b.series IN :names AND b.t >= :since AND b.width = (SELECT min(width) FROM bucket n WHERE n.series = b.series)
    AND b.t < COALESCE((SELECT min(t) FROM reading r WHERE r.series = b.series), b.t + 1)""").bindparams(
        bindparam("names", expanding=True))


def stored(engine: Engine, names: Sequence[str], since: int) -> pd.DataFrame:
    """Readings of these series from `since` (µs UTC) on; where they are gone, the means of their finest buckets.

    Raises what SQL raises.
    """
    prepare(engine)
    frames = []
    with engine.connect().execution_options(reading=True) as connection:
        for first in range(0, len(names), SOME):
            asked = {"names": list(names[first:first + SOME]), "since": since}
            frames += [pd.DataFrame(connection.execute(query, asked).mappings().all()) for query in (_OLD, _RAW)]
    full = [frame for frame in frames if len(frame)]
    whole = pd.concat(full, ignore_index=True) if full else pd.DataFrame({name: [] for name in COLUMNS})
    return whole.astype({"series": "category", "t": "int64", "arrived": "int64", "x": "float64", "flag": "int64"})
