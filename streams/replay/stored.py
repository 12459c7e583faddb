"""What history.db holds, as a history that the backtest judges."""
from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd
from sqlalchemy import Engine

from streams.history.take import FIRST, LAST, OWN, Chosen, take
from streams.replay.history import History


def history(engine: Engine, names: Collection[str], since: int = FIRST, until: int = LAST, as_of: int = LAST) -> History:
    """The readings of these series with all their vintages, in order of arrival, as files would give them.

    A flag that one of our own checks has set is left out: the judge says it again, by the checks that hold now.
    """
    found = list(take(engine, Chosen(tuple(names), since, until, as_of, True)))
    place = {name: n for n, name in enumerate(dict.fromkeys(row.series for row in found))}
    arrived = np.array([row.arrived for row in found], np.int64)
    order = np.argsort(arrived, kind="stable")
    index = np.array([place[row.series] for row in found], np.int32)
    t = np.array([row.t for row in found], np.int64)
    x = np.array([np.nan if row.value is None else row.value for row in found], np.float64)
    flag = np.array([row.flag if row.check in OWN else 0 for row in found], np.uint8)
    return History(pd.DataFrame(), [], tuple(place), order, index[order], t[order], x[order], flag[order], arrived[order])
