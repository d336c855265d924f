"""Autocorrelation: what repeats in a series, and after how many steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from forecaster.series.outliers import find_outliers
from forecaster.series.panel import Panel
from forecaster.series.seasons import natural_seasons

__all__ = ["Cycles", "autocorrelations", "find_cycles"]

MOST_SERIES = 200
MOST_LAGS = 1_000
"""More only where a cycle of the calendar is longer."""
MOST_STEPS = 50_000
"""Of each series, from its end."""
WEAKEST = 0.15
SHARE = 0.5
"""Of the highest peak; what lies lower is a harmonic of it."""
DIP = 0.9
"""Share of a peak's height to which the curve falls on either side; else it is a bump on a smooth one."""
FALL = 1.5
"""Of what the highest of chance correlations reaches; this far apart are seldom the highest and the lowest of them."""


@dataclass(frozen=True, eq=False)
class Cycles:
    """What the autocorrelation shows.

    Attributes:
        correlations: At lags 1, 2, …; the mean over the series; shape (lags,). Empty where the series are too short.
        limits: What chance stays below at each lag; shape (lags,).
        found: Cycle in steps -> its autocorrelation, shortest first.
        of: What was correlated, for people.
    """

    correlations: np.ndarray
    limits: np.ndarray
    found: dict[int, float]
    of: str


def find_cycles(panel: Panel) -> Cycles:
    """Cycles that the autocorrelation shows: of the changes from step to step or of the values.

    Changes, since a trend makes all lags of the values alike; values, freed of a straight line, since the changes of a
    long and noisy cycle are mostly noise. Whichever shows the higher peak is told. Both are measured up to a third of
    the median series, without outliers, and averaged over (at most 200) series.

    A cycle is a lag of 2 or more with the highest correlation within a quarter of itself to either side. Within half
    of itself the correlations fall on both sides, by a tenth and by 1.5 (√(2 ln lags) + 0.3) / √n at least, since
    noise makes bumps on a smooth curve, too. It lies above 0.15 and √(2 ln lags) + 0.3 of Bartlett's standard errors,
    √((1 + 2 (r[1]² + … + r[m−1]²)) / n), which the largest of so many chance correlations seldom reaches; above that
    of every shorter cycle by 3 / √n, or a multiple of it would count as well; and it is at least half as high as the
    highest. Where a cycle is smooth and the values are noisy it may be a few per cent off.

    Args:
        panel: The data.

    Example:
        >>> import pandas as pd
        >>> from forecaster.series import panel_from_frame
        >>> week = [5.0, 6.0, 7.0, 6.0, 8.0, 2.0, 1.0]
        >>> frame = pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=70, freq="D"), "y": week * 10})
        >>> list(find_cycles(panel_from_frame(frame)).found)
        [7]
    """
    steps = int(np.median(panel.lengths))
    lags = min(max(MOST_LAGS, int(1.1 * max(natural_seasons(panel.calendar), default=1))), steps // 3)
    chosen = np.unique(np.linspace(0, len(panel) - 1, MOST_SERIES).astype(int))
    histories = [_without_outliers(panel.history(int(one))[-max(MOST_STEPS, 3 * lags) :]) for one in chosen]
    changes = _cycles([np.diff(history) for history in histories], lags, "changes from step to step")
    values = _cycles([_levelled(history) for history in histories], lags, "values without a straight line")
    return max(changes, values, key=lambda cycles: max(cycles.found.values(), default=0.0))


def _cycles(histories: Sequence[np.ndarray], lags: int, of: str) -> Cycles:
    """The mean over those that are long enough and not constant, and its peaks."""
    usable = [one for one in histories if np.isfinite(one).sum() > lags > 1 and np.nanmin(one) < np.nanmax(one)]
    if not usable:
        return Cycles(np.zeros(0), np.zeros(0), {}, of)
    steps = int(np.median([len(one) for one in usable]))
    whole = np.mean([autocorrelations(one, lags) for one in usable], axis=0)
    correlations = whole * steps / (steps - np.arange(1, lags + 1))
    before = np.cumsum(np.append(0.0, correlations[:-1] ** 2))
    errors = np.sqrt(2 * np.log(lags)) + 0.3
    limits = np.maximum(errors * np.sqrt((1 + 2 * before) / steps), WEAKEST)
    found = _peaks(correlations, limits, FALL * errors / np.sqrt(steps), 3 / np.sqrt(steps))
    return Cycles(correlations, limits, found, of)


def _peaks(correlations: np.ndarray, limits: np.ndarray, fall: float, margin: float) -> dict[int, float]:
    """Lag -> autocorrelation of the peaks that are cycles."""
    found: dict[int, float] = {}
    for place in np.flatnonzero(correlations > limits):
        lag, height = int(place) + 1, float(correlations[place])
        near, wide = max(lag // 4, 1), max(lag // 2, 1)
        if place < near or place + near >= len(correlations):
            continue
        highest = correlations[place - near : place + near + 1].max()
        sides = correlations[place - wide : place], correlations[place + 1 : place + wide + 1]
        deepest = max(side.min() for side in sides)
        stands_out = height == highest and deepest <= min(DIP * height, height - fall)
        if stands_out and height > max(found.values(), default=-margin) + margin:
            found[lag] = height
    highest = max(found.values(), default=0.0)
    return {lag: height for lag, height in found.items() if height >= SHARE * highest}


def _without_outliers(history: np.ndarray) -> np.ndarray:
    """One value of a thousand can drown the correlations of all others."""
    history = history.copy()
    history[find_outliers(history, np.array([0, len(history)])).steps] = np.nan
    return history


def _levelled(history: np.ndarray) -> np.ndarray:
    """Without its straight line, by least squares over what is observed."""
    places = np.flatnonzero(np.isfinite(history))
    if len(places) < 2:
        return history
    slope, level = np.polyfit(places, history[places], 1)
    return np.asarray(history - level - slope * np.arange(len(history)))


def autocorrelations(history: np.ndarray, lags: int) -> np.ndarray:
    """Autocorrelations at lags 1 … `lags`, over the pairs of which both values are observed.

    A covariance at lag k is divided by the number of pairs plus k: by n where nothing is missing.

    Args:
        history: Shape (steps,); NaN where missing.
        lags: At most steps − 1.

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
    """Sums of values[t] × values[t + lag] for lags 0 … `lags`, by Fourier transform.

    So many zeros follow the values that none of these lags reaches round to the first ones, and then as many as make a
    length of small prime factors: one of large ones takes ten times as long.
    """
    length = next_fast_len(len(values) + lags, real=True)
    return np.asarray(irfft(np.abs(rfft(values, length)) ** 2, length)[: lags + 1])
