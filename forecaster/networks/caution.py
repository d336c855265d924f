"""How wide intervals are where little was held out to calibrate them by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.special import ndtri, stdtrit

__all__ = ["caution", "cautious", "drawn", "least", "usual_distances"]

WORTH = 4
"""Looks that the errors of the naive forecast are worth: they are many, but another forecast's."""


def caution(levels: Sequence[float], looks: int) -> tuple[float, ...]:
    """By how much distances from the median grow where their scale was learnt from few looks at what was held out.

    An error over a scale that comes from n independent errors follows Student's t with n degrees of freedom, where over
    the true scale it is normal (Student 1908): the factor is the ratio of both quantiles. What is usual counts in n.

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


def drawn(distances: Any, usual: Any, looks: int) -> Any:
    """Distances drawn towards those that are usual: a mean of both, which weigh as many looks as they are worth.

        d′ = 1 / ((1 − w) / d + w / u), where w = 4 / (looks + 4)

    What few looks say counts little beside what is known of many, as in credibility theory (Bühlmann 1967). It is the
    mean of what is learnt per distance, so that one that is far too large has little say.

    Args:
        distances: d, of any shape, not below zero; arrays or tensors.
        usual: u, above zero.
        looks: See `caution`.

    Example:
        >>> drawn(1.0, 3.0, looks=4), round(drawn(100.0, 1.0, looks=1), 2)
        (1.5, 1.25)
    """
    weight = WORTH / (looks + WORTH)
    return distances * usual / ((1 - weight) * usual + weight * distances)


def least(candidates: Iterable[np.ndarray]) -> np.ndarray:
    """The errors of that forecast of several whose typical one is the smallest.

    Args:
        candidates: Errors, NaN where missing, all of the same targets.
    """

    def typical(errors: np.ndarray) -> float:
        known = np.abs(errors[np.isfinite(errors)])
        return float(np.median(known)) if len(known) else np.inf

    return min(candidates, key=typical)


def usual_distances(errors: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Distances from the median that the naive forecast's errors ask for: quantiles of their size, step by step.

    Args:
        errors: Shape (windows, horizon); NaN where missing.
        levels: Probability of each quantile, the median in the middle.

    Returns:
        Shape (horizon, quantiles), the same above the median as below; zeros at steps where it is hit again and again,
        or nothing is known: there nothing is usual.
    """
    size = np.abs(errors)
    known = np.isfinite(size).any(axis=0)
    inside = np.abs(2 * np.asarray(levels) - 1)
    found = np.nanquantile(np.where(known, size, 0.0), inside, axis=0).T
    found[:, inside == 0] = 0.0
    return np.where((found[:, inside > 0] > 0).all(axis=1, keepdims=True), found, 0.0)


def cautious(distances: np.ndarray, usual: np.ndarray, levels: Sequence[float], looks: int) -> np.ndarray:
    """Distances of quantiles from their median, drawn towards what is usual and wider by `caution`.

    Args:
        distances: Shape (horizon, quantiles), not below zero.
        usual: The same; see `usual_distances`.
        levels: Probability of each quantile.
        looks: See `caution`; 0 for enough, which leaves all as it is.
    """
    if not looks:
        return distances
    known = usual > 0
    towards = np.where(known, drawn(distances, np.where(known, usual, 1.0), looks), distances)
    return np.asarray(caution(levels, looks)) * towards
