"""Whether a series has a season, and its shape: the M4 competition's test and classical decomposition.

Both are M4's `SeasonalityTest` and R's `decompose(type = "multiplicative")`, for Naive2. Missing values are passed
over: in autocorrelations as by R's `acf(na.action = na.pass)`, in moving averages where at least three quarters of
the window are observed.
"""

from __future__ import annotations

import numpy as np

__all__ = ["autocorrelations", "is_seasonal", "seasonal_indices"]

CRITICAL = 1.645
ENOUGH = 0.75
"""Share of a moving average's window that must be observed."""


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


def autocorrelations(history: np.ndarray, lags: int) -> np.ndarray:
    """Autocorrelations at lags 1 … `lags`, over the pairs of which both values are observed.

    A covariance at lag k is divided by the number of pairs plus k: by n where nothing is missing.

    Example:
        >>> autocorrelations(np.array([1.0, 2.0, 1.0, 2.0]), 2).round(6).tolist()
        [-0.75, 0.5]
    """
    seen = np.isfinite(history)
    centred = np.where(seen, history - np.nanmean(history), 0.0)
    pairs = np.round(_lagged_products(seen.astype(np.float64), lags))
    covariances = _lagged_products(centred, lags) / (pairs + np.arange(lags + 1))
    return np.asarray(covariances[1:] / covariances[0])


def _lagged_products(values: np.ndarray, lags: int) -> np.ndarray:
    """Sums of values[t] × values[t + lag] for lags 0 … `lags`, by Fourier transform."""
    spectrum = np.fft.rfft(values, 2 * len(values))
    return np.asarray(np.fft.irfft(np.abs(spectrum) ** 2, 2 * len(values))[: lags + 1])


def seasonal_indices(history: np.ndarray, season: int) -> np.ndarray:
    """Mean ratio to the centred moving average for each place of the season, with mean one.

    Args:
        history: Positive; shape (steps,), NaN where missing. Its first value stands at place 0.
        season: In time steps.

    Returns:
        Shape (season,); one at places without any ratio.
    """
    seen = np.isfinite(history)
    weights = _moving_sums(seen.astype(np.float64), season)
    sums = _moving_sums(np.where(seen, history, 0.0), season)
    trend = np.where(weights >= ENOUGH * season, sums / np.maximum(weights, 1.0), np.nan)
    ratios = np.full(-(-len(history) // season) * season, np.nan)
    inner = slice(season // 2, season // 2 + len(trend))
    ratios[inner] = history[inner] / trend
    cycles = ratios.reshape(-1, season)
    counts = np.isfinite(cycles).sum(axis=0)
    indices = np.where(counts > 0, np.nansum(cycles, axis=0) / np.maximum(counts, 1), 1.0)
    return np.asarray(indices / indices.mean())


def _moving_sums(values: np.ndarray, season: int) -> np.ndarray:
    """Sums over windows of one season; of an even one the two ends count half, so that it has a middle."""
    totals = np.concatenate([[0.0], np.cumsum(values)])
    sums = totals[season:] - totals[:-season]
    return np.asarray((sums[1:] + sums[:-1]) / 2 if season % 2 == 0 else sums)
