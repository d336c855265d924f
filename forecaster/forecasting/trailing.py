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
too. So from half a horizon on they are gone through. Past covariates may be there when the target is not, and
`missing: forward` asks for copies of the last value: of these the network reads up to half a lookback. Behind more,
level and spread would come of next to nothing, or of copies, which do not spread at all.

A network that goes step by step does that by itself, on its own median: that is said of a backtest once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from forecaster.forecasting.gap import MOST_BLOCKS, Begun, quantiles_from
from forecaster.series import Panel

__all__ = ["from_the_end", "tell_own_steps"]

logger = logging.getLogger(__name__)

OF_NUMBERS = "its own medians, not on draws; its intervals may be too narrow there"
OF_SYMBOLS = "what it held to be the likeliest; its probabilities may be too sure there"
"""What a network that goes step by step puts in place of a missing value, and what comes of it."""


def from_the_end(
    panel: Panel,
    call: Callable[[Panel], np.ndarray],
    probabilities: Sequence[float],
    lookback: int,
    horizon: int,
    support: str = "real",
    *,
    framed: int,
) -> np.ndarray:
    """Quantiles from each series' end on, also where what lies before it is missing.

    Where more is missing than 100 horizons, the network reads its mask.

    Args:
        panel: The data.
        call: Forecasts every series of a panel from its end; raw quantiles (series, horizon, quantiles).
        probabilities: Of these quantiles.
        lookback: Steps of history that `call` reads.
        horizon: Steps of a block.
        support: Values that a forecast can have.
        framed: Steps of history that the network takes level and spread from, its lookback.

    Returns:
        Raw quantiles, shape (series, horizon, quantiles).
    """
    missing = _missing_at_the_end(panel)
    reads_on = bool(panel.past) or panel.filling == "forward"
    through = _many(missing, framed if reads_on else horizon) & (missing + horizon <= MOST_BLOCKS * horizon)
    gaps = np.where(through & (missing < panel.lengths), missing, 0)
    if not gaps.any():
        return call(panel)
    start = int(panel.last[gaps.argmax()]) + 1
    begun = Begun(replace(panel, ends=panel.ends - gaps), start, gaps)
    return quantiles_from(begun, call, probabilities, lookback, horizon, support=support)


def tell_own_steps(name: str, panel: Panel, origins: np.ndarray, horizon: int) -> None:
    """Logs, once for all origins, that a network which goes step by step begins behind values that it said itself.

    That is told from half a horizon on, as of networks of blocks, and not where values are filled forward.

    Args:
        name: Of the network.
        panel: All data.
        origins: Ticks of the cutoffs, shape (windows, series).
        horizon: Steps of a forecast.
    """
    if panel.filling == "forward":
        return
    asked, rows = (origins >= panel.first) & (origins < panel.last), panel.offsets[:-1] + origins - panel.first
    unseen = asked & ~np.isfinite(panel.target[np.where(asked, rows, 0)])
    missing = np.zeros(origins.shape, np.int64)
    for row in np.flatnonzero(unseen.any(axis=1)):
        missing[row] = _missing_before(panel, rows[row] + 1)
    missing[~asked | (missing > origins - panel.first)] = 0  # a series that has not begun is not forecast
    through = _many(missing, horizon)
    if not through.any():
        return
    row, one = np.unravel_index(missing.argmax(), missing.shape)
    logger.warning(
        "%s: up to %s in a row before a cutoff not observed (series %r, last seen at %s; forecasts behind such a gap: "
        "%s of %s); it goes through them on %s",
        name, "1 step" if missing.max() == 1 else f"{missing.max():,} steps", panel.ids[one],
        panel.stamps(origins[row, one : one + 1] - missing[row, one])[0], f"{through.sum():,}", f"{asked.sum():,}",
        OF_SYMBOLS if panel.symbols else OF_NUMBERS,
    )  # fmt: skip


def _many(missing: np.ndarray, steps: int) -> np.ndarray:
    """Whether so many are missing that they are gone through: half of the steps that it is held against."""
    return np.asarray((missing > 0) & (2 * missing >= steps))


def _missing_at_the_end(panel: Panel) -> np.ndarray:
    """Steps behind the last observed value of each series; none where its exchange was closed on all of them."""
    return _missing_before(panel, panel.ends)


def _missing_before(panel: Panel, stops: np.ndarray) -> np.ndarray:
    """The same before a row of each series, which is not among them; 0 where that is none of its rows."""
    missing = np.zeros(len(panel), np.int64)
    inside = (stops > panel.offsets[:-1]) & (stops <= panel.ends)
    unseen = inside & ~np.isfinite(panel.target[np.where(inside, stops, 1) - 1])
    for one in map(int, np.flatnonzero(unseen)):
        begin, stop = int(panel.offsets[one]), int(stops[one])
        seen = np.flatnonzero(np.isfinite(panel.target[begin:stop]))
        count = stop - begin - (int(seen[-1]) + 1 if seen.size else 0)
        ticks = panel.first[one] + stop - begin - 1 - np.arange(count)
        missing[one] = count if panel.calendar.trading(panel.ids[[one]], ticks[None]).any() else 0
    return missing
