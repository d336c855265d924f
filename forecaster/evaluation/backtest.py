"""Rolling-origin backtests: forecasts made at past cutoffs, beside what came.

At each cutoff a forecaster is given a copy of the panel from which everything later has been removed, so it
cannot look ahead, whatever it does. One that says how far back it `reads` is asked for several cutoffs at once; of one
that is `stepwise` it is told where it begins behind missing values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from forecaster.config.arguments import whole
from forecaster.errors import DataError, ForecasterError
from forecaster.forecasting.protocol import Forecaster, forecast_frame
from forecaster.forecasting.trailing import tell_own_steps
from forecaster.series import Panel, automatic_windows, cutoffs, forecastable, stacked
from forecaster.series.split import TEST_SHARE

__all__ = ["backtest", "join", "roll"]

KEYS = ["unique_id", "ds", "cutoff"]
TOGETHER = 1_024
"""Forecasts asked for at once, about, of a forecaster that says how far back it reads."""


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
        DefinitionError: `windows`, `step` or the horizon is no whole number from one on.
        ForecasterError: The forecasters have no common horizon, or two have one name.

    Example:
        >>> from forecaster import NaiveForecaster, naive, panel_from_frame
        >>> steps = pd.date_range("2024-01-01", periods=6, freq="D")
        >>> panel = panel_from_frame(pd.DataFrame({"ds": steps, "y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}))
        >>> frame = backtest(NaiveForecaster(naive, horizon=2), panel, windows=2, levels=[])
        >>> frame[["y", "naive"]].to_numpy().tolist()
        [[3.0, 2.0], [4.0, 2.0], [5.0, 4.0], [6.0, 4.0]]
    """
    several = [forecasters] if isinstance(forecasters, Forecaster) else list(forecasters)
    horizon = whole("horizon", _common_horizon(several))
    step = horizon if step is None else whole("step", step)
    count = automatic_windows(panel, horizon, step, TEST_SHARE) if windows is None else whole("windows", windows)
    origins = cutoffs(panel, horizon, count, step)
    frames = []
    for forecaster in several:
        if not refit:
            forecaster.fit(panel.until(origins[0]))
        frames.append(roll(forecaster, panel, origins, levels=levels, refit=refit))
    return join(frames)


def _common_horizon(forecasters: Sequence[Forecaster]) -> int:
    horizons = {forecaster.horizon for forecaster in forecasters}
    if len(horizons) != 1:
        found = ", ".join(f"{one.name}: {one.horizon}" for one in forecasters) or "no forecaster"
        raise ForecasterError(f"a backtest needs forecasters of one horizon; found {found}")
    names = [forecaster.name for forecaster in forecasters]
    if doubled := [name for name in names if names.count(name) > 1]:
        raise ForecasterError(f"two forecasters are called {doubled[0]!r}; give one of them another `name`")
    return horizons.pop()


def roll(
    forecaster: Forecaster,
    panel: Panel,
    origins: np.ndarray,
    *,
    levels: Sequence[float] | None = None,
    refit: bool = False,
    heed: Callable[[], None] = lambda: None,
) -> pd.DataFrame:
    """Forecasts of a fitted forecaster at given cutoffs, beside what came.

    Args:
        forecaster: Fitted, or to be fitted at each cutoff (`refit`).
        panel: All data.
        origins: Ticks of the cutoffs, shape (windows, series); see `series.cutoffs`.
        levels: Intervals in per cent.
        refit: Whether to fit at each cutoff.
        heed: Called before each cutoff, or some together; ends the backtest by what it raises.

    Returns:
        As `backtest`. A series takes part in a cutoff by which something of it was observed, with targets behind and
        known covariates over the horizon.

    Raises:
        DataError: That holds for no series at any cutoff.
        ForecasterError: The forecaster did not answer with one row for each series and step, in this order.
    """
    if getattr(forecaster, "stepwise", False):
        tell_own_steps(forecaster.name, panel, origins, forecaster.horizon)
    reads: int | None = None if refit else getattr(forecaster, "reads", None)
    frames = []
    for series, ticks in _together(panel, origins, forecaster.horizon, reads):
        heed()
        if reads is None:
            seen = panel.select(series).until(ticks)
        else:
            seen = stacked(panel, series, ticks, reads, forecaster.horizon)
        truth = _truth(panel, series, ticks, seen, forecaster)
        if refit:
            forecaster.fit(seen)
        frame = forecaster.predict(seen, levels).copy(deep=False)
        _check_rows(frame, truth, forecaster.name)
        frame.insert(len(KEYS), "y", truth["y"].to_numpy())
        frames.append(frame)
    if not frames:
        raise DataError(
            f"no series has observed values before and behind any of {len(origins)} forecast origins"
            f"{', with its known covariates over the horizon' if panel.known else ''}; give other origins or more data"
        )
    return pd.concat(frames, ignore_index=True)


def _together(
    panel: Panel, origins: np.ndarray, horizon: int, reads: int | None
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Series and their cutoffs that are forecast at once: of one row of origins, or of several, in their order."""
    series: list[np.ndarray] = []
    ticks: list[np.ndarray] = []
    for row, part in zip(origins, forecastable(panel, origins, horizon), strict=True):
        alive = np.flatnonzero(part)
        series, ticks = [*series, alive], [*ticks, row[alive]]
        if reads is None or sum(map(len, series)) >= TOGETHER:
            if sum(map(len, series)):
                yield np.concatenate(series), np.concatenate(ticks)
            series, ticks = [], []
    if sum(map(len, series)):
        yield np.concatenate(series), np.concatenate(ticks)


def _truth(panel: Panel, series: np.ndarray, ticks: np.ndarray, seen: Panel, forecaster: Forecaster) -> pd.DataFrame:
    """What came behind the cutoffs of `seen`, NaN where nothing was observed: keys and y of the forecast's rows."""
    truth = np.full((len(series), forecaster.horizon), np.nan)
    begin = panel.offsets[series] + ticks - panel.first[series] + 1
    stop = np.minimum(begin + forecaster.horizon, panel.ends[series])
    for number in range(len(series)):
        came = panel.target[begin[number] : stop[number]]
        truth[number, : len(came)] = came
    return forecast_frame(seen, "y", truth[:, :, None], [])


def _check_rows(frame: pd.DataFrame, truth: pd.DataFrame, name: str) -> None:
    kept = list(frame.columns[: len(KEYS)]) == KEYS and len(frame) == len(truth)
    if not kept or any((frame[key].to_numpy() != truth[key].to_numpy()).any() for key in KEYS):
        raise ForecasterError(
            f"{name}: its forecast has not the columns {', '.join(KEYS)} and one row for each series and step in "
            f"the order of the panel ({len(truth)} rows; found {len(frame)}); make it with `forecast_frame`"
        )


def join(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Backtests of several models at the same cutoffs side by side.

    Raises:
        ForecasterError: They are not of the same cutoffs and series, or a column occurs in two of them.
    """
    first, *others = frames
    parts = [first]
    for frame in others:
        if not frame[KEYS].equals(first[KEYS]):
            raise ForecasterError(
                f"the forecasts of {frame.columns[len(KEYS) + 1]} are not of the same series and cutoffs as those of "
                f"{first.columns[len(KEYS) + 1]}; make both at the same cutoffs"
            )
        parts.append(frame.drop(columns=[*KEYS, "y"]))
    joined = pd.concat(parts, axis=1)
    if joined.columns.has_duplicates:
        doubled = joined.columns[joined.columns.duplicated()][0]
        raise ForecasterError(f"two models have a column {doubled!r}; give one of them another `name`")
    return joined
