"""Whether a series has a season, and its shape: the M4 competition's test and classical decomposition.

Both are M4's `SeasonalityTest` and R's `decompose(type = "multiplicative")`, for Naive2. Missing values are passed
over: in autocorrelations as by R's `acf(na.action = na.pass)`; in moving averages, of which a window with gaps would
be of some places of the season more than of others, by averaging the seasonally adjusted values in further passes.
"""

from __future__ import annotations

import numpy as np

from forecaster.series.autocorrelation import autocorrelations

__all__ = ["is_seasonal", "seasonal_indices"]

CRITICAL = 1.645
PASSES = 5
"""How often a series with gaps is adjusted to find its season."""


def is_seasonal(history: np.ndarray, season: int) -> bool:
    """M4's test at 90%: is the autocorrelation r[m] at the season m beyond 1.645 of its standard errors?

    The error is Bartlett's, √((1 + 2 (r[1]² + … + r[m−1]²)) / n). A series of less than three seasons has none.

    Args:
        history: Shape (steps,); NaN where missing.
        season: In time steps.
    """
    count = int(np.isfinite(history).sum())
    if season == 1 or count < 3 * season or np.nanmin(history) == np.nanmax(history):
        return False
    correlations = autocorrelations(history, season)
    limit = CRITICAL * np.sqrt((1 + 2 * np.sum(correlations[:-1] ** 2)) / count)
    return bool(abs(correlations[-1]) > limit)


def seasonal_indices(history: np.ndarray, season: int) -> np.ndarray:
    """Mean ratio to the centred moving average for each place of the season, with mean one.

    Args:
        history: Positive; shape (steps,), NaN where missing. Its first value stands at place 0.
        season: In time steps.

    Returns:
        Shape (season,); one at places without any ratio.
    """
    indices = _mean_ratios(history, _trend(history, season), season)
    for _ in range(PASSES if np.isnan(history).any() else 0):
        adjusted = history / np.resize(indices, len(history))
        indices = _mean_ratios(history, _trend(adjusted, season), season)
    return indices


def _mean_ratios(history: np.ndarray, trend: np.ndarray, season: int) -> np.ndarray:
    ratios = np.full(-(-len(history) // season) * season, np.nan)
    inner = slice(season // 2, season // 2 + len(trend))
    ratios[inner] = history[inner] / trend
    cycles = ratios.reshape(-1, season)
    counts = np.isfinite(cycles).sum(axis=0)
    indices = np.where(counts > 0, np.nansum(cycles, axis=0) / np.maximum(counts, 1), 1.0)
    return np.asarray(indices / indices.mean())


def _trend(history: np.ndarray, season: int) -> np.ndarray:
    """Means of what is observed in windows of one season, NaN where nothing is; the ends have none."""
    seen = np.isfinite(history)
    weights = np.round(2 * _moving_sums(seen.astype(np.float64), season)) / 2
    sums = _moving_sums(np.where(seen, history, 0.0), season)
    return np.asarray(np.where(weights > 0, sums / np.maximum(weights, 0.5), np.nan))


def _moving_sums(values: np.ndarray, season: int) -> np.ndarray:
    """Sums over windows of one season; of an even one the two ends count half, so that it has a middle."""
    totals = np.concatenate([[0.0], np.cumsum(values)])
    sums = totals[season:] - totals[:-season]
    return np.asarray((sums[1:] + sums[:-1]) / 2 if season % 2 == 0 else sums)
