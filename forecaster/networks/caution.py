"""How wide intervals are where little was held out to calibrate them by."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

__all__ = ["FAR", "FARTHEST", "caution", "cautious", "naive_errors", "usual_distances", "usual_share"]

WORTH = 4
"""Looks that the errors of the naive forecast are worth: they are many, but another forecast's."""
FARTHEST = 8.0
"""How many times larger or smaller than a distance what is usual is taken to be, at most."""
FAR = 3.0
"""Mean distance of a target from its window's level, in spreads, from which on it counts less, in a loss, too."""
LEAST_SPREAD = 1e-5
"""Share of a window's largest value under which its spread tells nothing."""


def caution(levels: Sequence[float], looks: int) -> tuple[float, ...]:
    """By how much distances from the median grow where their scale was learnt from few looks at what was held out.

    An error over a scale that comes from n independent errors follows Student's t with n degrees of freedom, where over
    the true scale it is normal (Student 1908): the factor is the ratio of both quantiles. There are as many degrees of
    freedom as looks, and four that what is usual is worth.

    Args:
        levels: Probability of each quantile, the median in the middle.
        looks: Stretches of one horizon that were held out, each counted once, whatever its errors have in common.

    Returns:
        One factor a quantile, 1 for the median.

    Example:
        >>> [round(factor, 2) for factor in caution([0.025, 0.1, 0.5, 0.9, 0.975], looks=1)]
        [1.31, 1.15, 1.0, 1.15, 1.31]
    """
    freedom = looks + WORTH
    return tuple(1.0 if level == 0.5 else float(stdtrit(freedom, level) / ndtri(level)) for level in levels)


def usual_share(looks: int) -> float:
    """What is usual weighs so much beside so many looks, as in credibility theory (Bühlmann 1967).

    Example:
        >>> usual_share(4), usual_share(1)
        (0.5, 0.8)
    """
    return WORTH / (looks + WORTH)


def naive_errors(past: np.ndarray, target: np.ndarray, seasons: Sequence[int]) -> np.ndarray:
    """Errors of the naive forecast that repeats best: the last value, a season, or the mean of several.

    Args:
        past: Windows, shape (windows, lookback), NaN where missing.
        target: What came, in the same units, shape (windows, horizon), NaN where missing.
        seasons: In time steps; those longer than the lookback are left out.

    Returns:
        Shape (windows, horizon), NaN where target or forecast is missing.
    """
    count, steps = past.shape[1], np.arange(target.shape[1])
    seen = np.where(np.isfinite(past), np.arange(count), 0).max(axis=1)
    said = [np.take_along_axis(past, seen[:, None], axis=1)]
    cycles = [past[:, count + steps - one * (steps // one + 1)] for one in seasons if 1 < one <= count]
    said += [*cycles, *([np.mean(cycles, axis=0)] if len(cycles) > 1 else [])]

    def typical(errors: np.ndarray) -> float:
        known = np.abs(errors[np.isfinite(errors)])
        return float(np.median(known)) if len(known) else np.inf

    return min((target - one for one in said), key=typical)


def usual_distances(
    past: np.ndarray, target: np.ndarray, seasons: Sequence[int], levels: Sequence[float]
) -> np.ndarray:
    """Distances from the median that the naive forecast's errors ask for: quantiles of their size, step by step.

    Windows without a spread have no unit to measure errors in, and are left out; those whose target lies far outside
    of what was seen count less, as in a network's loss.

    Args:
        past: Windows in units of their own spread, from their own level; see `naive_errors`.
        target: What came, in these units.
        seasons: See `naive_errors`.
        levels: Probability of each quantile; of the median the distance is zero.

    Returns:
        Shape (horizon, quantiles), the same above the median as below; zeros at steps where nothing is known.
    """
    widths = np.zeros((target.shape[1], len(levels)))
    counts = np.isfinite(past).sum(axis=1)
    largest = np.where(np.isfinite(past), np.abs(past), 0.0).max(axis=1)
    spread = np.nanstd(np.where(counts[:, None] > 0, past, 0.0), axis=1)
    keep = (counts > 1) & (spread > LEAST_SPREAD * largest)
    size = np.abs(naive_errors(past[keep], target[keep], seasons))
    weights = FAR / np.maximum(_mean_size(target[keep]), FAR)
    inside = np.abs(2 * np.asarray(levels) - 1)
    for step, errors in enumerate(size.T):
        known = np.isfinite(errors)
        if known.any():
            widths[step] = np.where(inside > 0, _quantiles(errors[known], weights[known], inside), 0.0)
    return widths


def _mean_size(values: np.ndarray) -> np.ndarray:
    """Of each row, over what is known; 0 where nothing is."""
    known = np.isfinite(values)
    return np.asarray(np.where(known, np.abs(values), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1))


def _quantiles(values: np.ndarray, weights: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Of weighted values: each stands in the middle of its share."""
    order = np.argsort(values)
    shares = np.cumsum(weights[order])
    return np.asarray(np.interp(levels, (shares - weights[order] / 2) / shares[-1], values[order]))


def cautious(distances: np.ndarray, usual: np.ndarray, levels: Sequence[float], looks: int) -> np.ndarray:
    """Distances of quantiles from their median, drawn towards what is usual and wider by `caution`.

        d′ = caution / ((1 − w) / d + w / u), where w = 4 / (looks + 4) and u is between d / 8 and 8 d

    It is the harmonic mean, in which a distance that is far too large has little say.

    Args:
        distances: d, shape (horizon, quantiles), not below zero.
        usual: u, the same; see `usual_distances`.
        levels: Probability of each quantile.
        looks: See `caution`.
    """
    share, known = usual_share(looks), usual.max(axis=1, keepdims=True, initial=0.0) > 0
    bounded = np.clip(usual, distances / FARTHEST, distances * FARTHEST)
    ratio = np.divide(distances, bounded, out=np.ones_like(distances), where=bounded > 0)
    divisors = np.where(known, 1 - share + share * ratio, 1.0)
    return np.asarray(np.asarray(caution(levels, looks)) * distances / divisors)
