"""A series as it stood at an earlier forecast origin."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecaster.series import Panel

__all__ = ["as_of"]


def as_of(one: Panel, step: int) -> tuple[Panel, str | int]:
    """What was known at a step, and the start of a forecast from it.

    Later values are gone before a forecaster gets to see them, so it has nothing to say about leaving them out: that is
    for a start that somebody asked for.

    Args:
        one: A panel of one series.
        step: The last one to be seen, counted from the start of the series.

    Returns:
        The panel up to that step, and the time stamp of the step behind it.

    Raises:
        DataError: Nothing was observed by then.
    """
    origin = int(one.first[0]) + step
    stamp = one.stamps(np.array([origin + 1]))[0]
    return one.until(origin), stamp.isoformat() if isinstance(stamp, pd.Timestamp) else int(stamp)
