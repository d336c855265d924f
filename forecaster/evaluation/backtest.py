"""Rolling-origin backtests: forecasts made at past cutoffs, beside what came.

At each cutoff a forecaster is given a copy of the panel from which everything later has been removed, so it cannot
look ahead, whatever it does.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecaster.forecasting.protocol import Forecaster
from forecaster.series import Panel, automatic_windows, cutoffs
from forecaster.series.split import TEST_SHARE

__all__ = ["backtest", "roll"]

KEYS = ["unique_id", "ds", "cutoff"]


def backtest(
    forecasters: Forecaster | Sequence[Forecaster],
    panel: Panel,
    *,
    windows: int | None = None,
    step: int | None = None,
    refit: bool = False,
    levels: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Fits forecasters on what comes before the test part and lets them forecast through it.

    Args:
        forecasters: One or more, with one horizon; each is fitted here.
        panel: All data; the last `windows` cutoffs are the test part.
        windows: Forecast origins; by default as many as fit into the last quarter, 28 at most.
        step: Time steps between them; the horizon by default.
        refit: Whether to fit again at each cutoff.
        levels: Intervals in per cent; what the forecasters were made for by default.

    Returns:
        unique_id, ds, cutoff, y, and the columns of each forecaster. `y` is NaN where nothing was observed.

    Raises:
        DataError: The series are too short.
    """
    several = [forecasters] if isinstance(forecasters, Forecaster) else list(forecasters)
    horizon = several[0].horizon
    step = step or horizon
    count = windows or automatic_windows(panel, horizon, step, TEST_SHARE)
    origins = cutoffs(panel, horizon, count, step)
    frames = []
    for forecaster in several:
        if not refit:
            forecaster.fit(panel.until(origins[0]))
        frames.append(roll(forecaster, panel, origins, levels=levels, refit=refit))
    return join(frames)


def roll(
    forecaster: Forecaster,
    panel: Panel,
    origins: np.ndarray,
    *,
    levels: Sequence[float] | None = None,
    refit: bool = False,
) -> pd.DataFrame:
    """Forecasts of a fitted forecaster at given cutoffs, beside what came.

    Args:
        forecaster: Fitted, or to be fitted at each cutoff (`refit`).
        panel: All data.
        origins: Ticks of the cutoffs, shape (windows, series); see `series.cutoffs`.
        levels: Intervals in per cent.
        refit: Whether to fit at each cutoff.

    Returns:
        As `backtest`. A series takes part where it has begun by the cutoff and has targets behind it.
    """
    frames = []
    for row in origins:
        alive = np.flatnonzero((panel.first <= row) & (panel.last > row))
        if not len(alive):
            continue
        seen = panel.select(alive).until(row[alive])
        if refit:
            forecaster.fit(seen)
        frame = forecaster.predict(seen, levels)
        frame.insert(3, "y", _truth(panel, seen, forecaster.horizon))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _truth(panel: Panel, seen: Panel, horizon: int) -> np.ndarray:
    """What came behind the cutoffs of `seen`, NaN where nothing was observed; one value a row of the forecast."""
    places = {name: number for number, name in enumerate(panel.ids)}
    truth = np.full((len(seen), horizon), np.nan)
    for number, name in enumerate(seen.ids):
        series = places[name]
        came = panel.history(series)[seen.lengths[number] :][:horizon]
        truth[number, : len(came)] = came
    return truth.reshape(-1)


def join(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Backtests of several models at the same cutoffs side by side."""
    joined = frames[0]
    for frame in frames[1:]:
        joined = joined.merge(frame.drop(columns="y"), on=KEYS, how="outer", sort=False, validate="one_to_one")
    return joined
