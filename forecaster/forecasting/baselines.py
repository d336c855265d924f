"""The naive forecasts: what every network stands beside, under the same protocol.

Intervals are those of the textbook for normal errors (Hyndman and Athanasopoulos, Forecasting: Principles and
Practice, 3rd edition, section 5.5): σ is the root mean square of the method's one-step errors within the history
(divided by one less where a slope or a mean was estimated), and grows with the step k as the method's own error
does. Missing values are passed over, never filled: a change over a gap of g steps counts as g changes of which the
sum is known, and k counts from the last observed value. Where a history is too short to tell σ, it is 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecaster.config.arguments import whole
from forecaster.forecasting.protocol import checked_levels, forecast_frame, levels_to_quantiles
from forecaster.forecasting.seasonality import is_seasonal, seasonal_indices
from forecaster.series import Panel

__all__ = ["NAIVE_RULES", "NaiveForecaster", "drift", "mean", "naive", "naive2", "seasonal_naive"]

Forecast = tuple[np.ndarray, np.ndarray]
"""Centre and standard deviation of the forecast for steps 1 … horizon."""


@dataclass
class NaiveForecaster:
    """One of the naive rules as a Forecaster; there is nothing to fit.

    Args:
        rule: History, horizon, season to centre and standard deviation; see the functions below.
        horizon: Time steps to forecast.
        season: In time steps; 1 for none.
        name: The rule's by default.
        levels: Default intervals, in per cent; any others can be asked for.

    Raises:
        DefinitionError: Horizon or season is no whole number from one on.
        LevelError: A level is none.

    Example:
        >>> from forecaster import panel_from_frame
        >>> panel = panel_from_frame(pd.DataFrame({"ds": [1, 2, 3], "y": [5.0, 7.0, 6.0]}))
        >>> NaiveForecaster(naive, horizon=2).predict(panel, levels=[])
          unique_id  ds  cutoff  naive
        0         y   4       3    6.0
        1         y   5       3    6.0
    """

    rule: Callable[[np.ndarray, int, int], Forecast]
    horizon: int
    season: int = 1
    name: str = ""
    levels: Sequence[float] = (80, 95)

    def __post_init__(self) -> None:
        self.name = self.name or self.rule.__name__
        self.horizon, self.season = whole("horizon", self.horizon), whole("season", self.season)
        self.levels = checked_levels(self.levels)

    def fit(self, panel: Panel) -> Self:
        """Nothing to learn."""
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """The rule applied to each series' history; see the protocol."""
        levels = self.levels if levels is None else checked_levels(levels)
        scores = ndtri(levels_to_quantiles(levels))
        rows = []
        for series in range(len(panel)):
            centre, deviation = self.rule(panel.history(series), self.horizon, self.season)
            rows.append(centre[:, None] + deviation[:, None] * scores)
        return forecast_frame(panel, self.name, np.stack(rows), levels)


def naive(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The last observed value; σ √k."""
    places = np.flatnonzero(np.isfinite(history))
    values = history[places]
    changes = np.diff(values) / np.sqrt(np.diff(places))
    sigma = np.sqrt(np.mean(changes**2)) if len(changes) else 0.0
    steps = np.arange(1, horizon + 1) + len(history) - 1 - places[-1]
    return np.full(horizon, values[-1]), sigma * np.sqrt(steps)


def seasonal_naive(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The last observed value at the same place of the season; σ √(number of seasons ahead).

    A history shorter than a season, and a place of the season at which nothing was observed, are forecast by the
    last value; where no two seasons can be compared, σ is the naive forecast's.
    """
    if len(history) < season:
        return naive(history, horizon)
    centre, deviation = _repeat(history, horizon, season)
    unknown = np.isnan(centre)
    if not (unknown | np.isnan(deviation)).any():
        return centre, deviation
    plain = naive(history, horizon)
    return np.where(unknown, plain[0], centre), np.where(unknown | np.isnan(deviation), plain[1], deviation)


def drift(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The line through the first and the last observed value; σ √(k (1 + k / (steps between the two)))."""
    places = np.flatnonzero(np.isfinite(history))
    values, gaps = history[places], np.diff(places)
    span = max(int(places[-1] - places[0]), 1)
    slope = (values[-1] - values[0]) / span
    errors = (np.diff(values) - slope * gaps) / np.sqrt(gaps)
    sigma = np.sqrt(np.sum(errors**2) / max(len(errors) - 1, 1))
    steps = np.arange(1, horizon + 1) + len(history) - 1 - places[-1]
    return values[-1] + slope * steps, sigma * np.sqrt(steps * (1 + steps / span))


def mean(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The mean of all n observed values; σ √(1 + 1 / n)."""
    seen = history[np.isfinite(history)]
    sigma = seen.std(ddof=1) if len(seen) > 1 else 0.0
    return np.full(horizon, seen.mean()), np.full(horizon, sigma * np.sqrt(1 + 1 / len(seen)))


def naive2(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The naive forecast of the seasonally adjusted series, as in the M4 competition.

    The series is adjusted by classical multiplicative decomposition if it passes M4's test of seasonality at 90%.
    A series with values of zero or below has no multiplicative season and is not adjusted.
    """
    if not is_seasonal(history, season) or np.nanmin(history) <= 0:
        return naive(history, horizon)
    indices = seasonal_indices(history, season)
    coming = indices[(len(history) + np.arange(horizon)) % season]
    centre, deviation = naive(history / np.resize(indices, len(history)), horizon)
    return centre * coming, deviation * coming


NAIVE_RULES = {
    "naive": naive,
    "seasonal_naive": seasonal_naive,
    "drift": drift,
    "mean": mean,
    "naive2": naive2,
}


def _repeat(history: np.ndarray, horizon: int, season: int) -> Forecast:
    """Each place of the season as a random walk of its own, of one step a season; NaN where nothing is known."""
    cycles = np.full((-(-len(history) // season), season), np.nan)
    cycles.reshape(-1)[cycles.size - len(history) :] = history
    place, cycle = np.nonzero(np.isfinite(cycles.T))
    values = cycles[cycle, place]
    together = place[1:] == place[:-1]
    changes = np.diff(values)[together] / np.sqrt(np.diff(cycle)[together])
    sigma = np.sqrt(np.mean(changes**2)) if len(changes) else np.nan
    latest, age = np.full(season, np.nan), np.zeros(season)
    last = np.flatnonzero(np.append(~together, True))
    latest[place[last]], age[place[last]] = values[last], len(cycles) - 1 - cycle[last]
    steps = np.arange(horizon)
    return latest[steps % season], sigma * np.sqrt(steps // season + 1 + age[steps % season])
