"""The naive forecasts: what every network stands beside, under the same protocol.

Intervals are those of the textbook for normal errors (Hyndman and Athanasopoulos, Forecasting: Principles and
Practice, section 5.5): σ is the root mean square of the method's one-step errors within the history, and grows
with the step k as the method's own error does. Missing values are passed over, never filled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from scipy.stats import norm

from forecaster.forecasting.protocol import forecast_frame, levels_to_quantiles
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

    Example:
        >>> rule = NaiveForecaster(naive, horizon=2)
        >>> rule.name
        'naive'
    """

    rule: Callable[[np.ndarray, int, int], Forecast]
    horizon: int
    season: int = 1
    name: str = ""
    levels: Sequence[float] = (80, 95)

    def __post_init__(self) -> None:
        self.name = self.name or self.rule.__name__

    def fit(self, panel: Panel) -> Self:
        """Nothing to learn."""
        return self

    def predict(self, panel: Panel, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """The rule applied to each series' history; see the protocol."""
        levels = self.levels if levels is None else levels
        scores = norm.ppf(levels_to_quantiles(levels))
        rows = []
        for series in range(len(panel)):
            centre, deviation = self.rule(panel.history(series), self.horizon, self.season)
            rows.append(centre[:, None] + deviation[:, None] * scores)
        return forecast_frame(panel, self.name, np.stack(rows), levels)


def naive(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The last observed value; σ √k."""
    steps = np.arange(1, horizon + 1)
    return np.full(horizon, _observed(history)[-1]), _rms(np.diff(history)) * np.sqrt(steps)


def seasonal_naive(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The last observed value at the same place of the season; σ √(number of seasons ahead)."""
    if season == 1 or len(history) < season:
        return naive(history, horizon)
    places = np.arange(horizon) % season
    cycles = np.full((-(-len(history) // season), season), np.nan)
    cycles.reshape(-1)[-len(history) :] = history
    latest = np.full(season, _observed(history)[-1])
    for cycle in cycles:
        latest = np.where(np.isnan(cycle), latest, cycle)
    deviation = _rms(history[season:] - history[:-season])
    return latest[places], deviation * np.sqrt(np.arange(horizon) // season + 1)


def drift(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The line through the first and the last observed value; σ √(k (1 + k / (n − 1)))."""
    places = np.flatnonzero(np.isfinite(history))
    span = max(int(places[-1] - places[0]), 1)
    slope = (history[places[-1]] - history[places[0]]) / span
    steps = np.arange(1, horizon + 1)
    ahead = steps + len(history) - 1 - places[-1]
    return history[places[-1]] + slope * ahead, _rms(np.diff(history) - slope) * np.sqrt(steps * (1 + steps / span))


def mean(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The mean of all observed values; σ √(1 + 1 / n)."""
    seen = _observed(history)
    return np.full(horizon, seen.mean()), np.full(horizon, seen.std() * np.sqrt(1 + 1 / len(seen)))


def naive2(history: np.ndarray, horizon: int, season: int = 1) -> Forecast:
    """The naive forecast of the seasonally adjusted series, as in the M4 competition.

    The series is adjusted by classical multiplicative decomposition if it passes M4's test of seasonality at 90%.
    A series with values of zero or below has no multiplicative season and is not adjusted.
    """
    if not _is_seasonal(history, season) or np.nanmin(history) <= 0:
        return naive(history, horizon)
    indices = _seasonal_indices(history, season)
    adjusted = history / np.resize(indices, len(history))
    coming = indices[(len(history) + np.arange(horizon)) % season]
    centre, deviation = naive(adjusted, horizon)
    return centre * coming, deviation * coming


NAIVE_RULES = {"naive": naive, "seasonal_naive": seasonal_naive, "drift": drift, "mean": mean, "naive2": naive2}


def _observed(history: np.ndarray) -> np.ndarray:
    return history[np.isfinite(history)]


def _rms(errors: np.ndarray) -> float:
    seen = _observed(errors)
    return float(np.sqrt(np.mean(np.square(seen)))) if len(seen) else 0.0


def _is_seasonal(history: np.ndarray, season: int) -> bool:
    """M4's test: is the autocorrelation at the season beyond 1.645 of its standard errors?"""
    if season == 1 or len(history) < 3 * season:
        return False
    centred = history - np.nanmean(history)
    variance = np.nansum(centred**2)
    if variance <= 0:
        return False
    correlations = np.array([np.nansum(centred[lag:] * centred[:-lag]) for lag in range(1, season + 1)]) / variance
    limit = 1.645 * np.sqrt((1 + 2 * np.sum(correlations[:-1] ** 2)) / len(history))
    return bool(abs(correlations[-1]) > limit)


def _seasonal_indices(history: np.ndarray, season: int) -> np.ndarray:
    """Mean ratio to the centred moving average for each place of the season, with mean one."""
    weights = np.full(season + 1 - season % 2, 1.0)
    if season % 2 == 0:
        weights[[0, -1]] = 0.5
    half = len(weights) // 2
    ratios = np.full(len(history), np.nan)
    ratios[half : len(history) - half] = history[half : len(history) - half] / (
        np.convolve(history, weights, mode="valid") / season
    )
    padded = np.full(-(-len(history) // season) * season, np.nan)
    padded[: len(history)] = ratios
    cycles = padded.reshape(-1, season)
    counts = np.isfinite(cycles).sum(axis=0)
    indices = np.where(counts > 0, np.nansum(cycles, axis=0) / np.maximum(counts, 1), 1.0)
    return np.asarray(indices / indices.mean())
