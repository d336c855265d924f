"""Forecasts of windows that end in missing values: through them on the network's own forecasts, and that is said.

A panel as it was read ends with an observed value; one that is cut at a forecast origin (a backtest) may not. A network
of blocks knows by its mask that a value is missing, and that is enough for a few. Half-hourly electricity demand, 14
origins, a GRU that says a day, mean absolute error in megawatts by the number of missing steps before the origin:

=====================  ====  ====  ====  ====  ====  ======  ======
missing                   6    12    24    48    96     336     672
masked                  586   634   807  1074  1312  28,730  28,730
gone through            623   679   715   778   807     975   1,031
=====================  ====  ====  ====  ====  ====  ======  ======

The lookback has 336 steps: behind such a gap there is nothing left to read. A decoder (seq2seq) gains from 24 steps on,
too. So from half a horizon on they are gone through.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from forecaster.forecasting.gap import MOST_BLOCKS, Begun, quantiles_from
from forecaster.series import Panel

__all__ = ["from_the_end"]


def from_the_end(
    panel: Panel, call: Callable[[Panel], np.ndarray], probabilities: Sequence[float], lookback: int, horizon: int
) -> np.ndarray:
    """Quantiles from each series' end on, also where what lies before it is missing.

    Where the values were filled forward, where there are past covariates (which may be there when the target is not),
    and where more is missing than 100 horizons, the network reads its mask.

    Args:
        panel: The data.
        call: Forecasts every series of a panel from its end; raw quantiles (series, horizon, quantiles).
        probabilities: Of these quantiles.
        lookback: Steps of history that `call` reads.
        horizon: Steps of a block.

    Returns:
        Raw quantiles, shape (series, horizon, quantiles).
    """
    missing = _missing_at_the_end(panel)
    through = (2 * missing >= horizon) & (missing + horizon <= MOST_BLOCKS * horizon)
    gaps = np.where(through & (missing > 0) & (missing < panel.lengths), missing, 0)
    if not gaps.any() or panel.past or panel.filling == "forward":
        return call(panel)
    start = int(panel.last[gaps.argmax()]) + 1
    begun = Begun(replace(panel, ends=panel.ends - gaps), start, gaps)
    return quantiles_from(begun, call, probabilities, lookback, horizon)


def _missing_at_the_end(panel: Panel) -> np.ndarray:
    """Steps behind the last observed value of each series; none where its exchange was closed on all of them."""
    missing = np.zeros(len(panel), np.int64)
    for one in map(int, np.flatnonzero(~np.isfinite(panel.target[panel.ends - 1]))):
        seen = np.flatnonzero(np.isfinite(panel.history(one)))
        count = int(panel.lengths[one]) - (int(seen[-1]) + 1 if seen.size else 0)
        ticks = panel.last[one] - np.arange(count)
        missing[one] = count if panel.calendar.trading(panel.ids[[one]], ticks[None]).any() else 0
    return missing
