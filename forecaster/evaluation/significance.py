"""Is a difference more than luck? Diebold-Mariano on cutoffs, corrected for few of them and for many models.

The unit is the cutoff: one loss difference a cutoff, averaged over the horizon and the series. The 48 errors of one
forecast are not 48 observations.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import t as student

from forecaster.evaluation.metrics import Metric, losses

__all__ = ["by_cutoff", "diebold_mariano", "holm"]

FEWEST = 3


def diebold_mariano(model: np.ndarray, rival: np.ndarray, overlap: int = 1) -> float:
    """One-sided p-value that a model's expected loss is smaller than its rival's.

    The test of Diebold and Mariano (1995) with the correction of Harvey, Leybourne and Newbold (1997) for few
    observations: Student's t with n − 1 degrees of freedom, and autocovariances up to `overlap` − 1. Where these
    give no positive variance, Bartlett's weights are used, which always do.

    Args:
        model: Loss at each cutoff, in the order of time.
        rival: The rival's losses at the same cutoffs.
        overlap: How many successive forecasts share targets: horizon / step, rounded up; 1 if none do.

    Returns:
        p; 1.0 for fewer than three cutoffs, and NaN-free: 0.5 where both are equal everywhere.

    Example:
        >>> round(diebold_mariano(np.array([1.0, 2.0, 1.5, 1.2]), np.array([2.0, 2.9, 2.7, 2.0])), 4)
        0.0006
    """
    difference = np.asarray(model, float) - np.asarray(rival, float)
    difference = difference[np.isfinite(difference)]
    count = len(difference)
    if count < FEWEST:
        return 1.0
    if np.ptp(difference) == 0:
        return 0.5 if difference[0] == 0 else float(difference[0] > 0)
    overlap = min(overlap, count - 1)
    variance = _long_run_variance(difference, overlap)
    correction = (count + 1 - 2 * overlap + overlap * (overlap - 1) / count) / count
    statistic = difference.mean() / np.sqrt(variance / count) * np.sqrt(max(correction, 1 / count))
    return float(student.cdf(statistic, df=count - 1))


def _long_run_variance(difference: np.ndarray, overlap: int) -> float:
    centred = difference - difference.mean()
    covariances = np.array([centred[lag:] @ centred[: len(centred) - lag] for lag in range(overlap)]) / len(centred)
    plain = covariances[0] + 2 * covariances[1:].sum()
    if plain > 0:
        return float(plain)
    weights = 1 - np.arange(1, overlap) / overlap
    return float(covariances[0] + 2 * (weights * covariances[1:]).sum())


def holm(p_values: Sequence[float]) -> np.ndarray:
    """P-values corrected for that there are several (Holm 1979); NaN stays NaN and does not count.

    Example:
        >>> holm([0.01, 0.04, 0.03]).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, float)
    corrected = np.full(len(p), np.nan)
    valid = np.flatnonzero(np.isfinite(p))
    order = valid[np.argsort(p[valid], kind="stable")]
    factors = len(order) - np.arange(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * factors), 1.0)
    return corrected


def by_cutoff(frame: pd.DataFrame, model: str, metric: Metric, scale: pd.Series, shared_clock: bool) -> pd.Series:
    """Loss at each cutoff, averaged over the series, oldest first.

    Series with a clock of their own are matched by how many cutoffs each stands before its own last one.
    """
    table = losses(frame, model, metric, scale)
    if shared_clock:
        return table.groupby(level="cutoff").mean().sort_index()
    table = table.sort_index()
    before_last = table.groupby(level="unique_id").cumcount(ascending=False)
    return table.groupby(-before_last.to_numpy()).mean().sort_index()
