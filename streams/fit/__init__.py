"""What kinds learn from history: `fit(readings, asked) -> rows`, one file a kind; the folder is the registry. Pandas lives here.

A fit looks only at what had arrived by its date, so a backtest refits as of each date with what was known then.
"""
from __future__ import annotations

from streams.fit._rows import Asked, derived_to_fit, fit_rows, fitters, frame_of, warm_rows

__all__ = ["Asked", "derived_to_fit", "fit_rows", "fitters", "frame_of", "warm_rows"]
