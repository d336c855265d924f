"""How much wider intervals are where little was held out to calibrate them by."""

from __future__ import annotations

from collections.abc import Sequence

from scipy.special import ndtri, stdtrit

__all__ = ["caution"]

FEWEST = 2
"""Looks that are counted at least: by a single one a 95% interval would be six times as wide, which tells nothing."""


def caution(levels: Sequence[float], looks: int) -> tuple[float, ...]:
    """By how much distances from the median grow where their scale was learnt from few looks at what was held out.

    An error over a scale that comes from n independent errors follows Student's t with n degrees of freedom, where over
    the true scale it is normal (Student 1908): the factor is the ratio of both quantiles.

    Args:
        levels: Probability of each quantile, the median in the middle.
        looks: Stretches of one horizon that were held out, each counted once, whatever its errors have in common.

    Returns:
        One factor a quantile, 1 for the median.

    Example:
        >>> [round(factor, 2) for factor in caution([0.025, 0.1, 0.5, 0.9, 0.975], looks=5)]
        [1.31, 1.15, 1.0, 1.15, 1.31]
    """
    freedom = max(looks, FEWEST)
    return tuple(1.0 if level == 0.5 else float(stdtrit(freedom, level) / ndtri(level)) for level in levels)
