"""Outliers: single values, or two in a row, that lie far from the values around them.

A running-median (Hampel) filter with a scale of its own. The residual of a value is its distance from the median of
the five observed values around it, itself among them; so trends, seasons and steps to another level are none of its
business. The first and the last two values of a series are not judged: there a step to another level looks the same.

The scale is the 95% quantile of the absolute residuals of about 500 values in a row, or of the 500 before or after
them where that is larger. Sound data have corners, too, and some have many: they are measured by their own, and
prices that grow thirtyfold at each time by what was usual then. Where the quantile is zero (a stretch that mostly does
not move), ten times the mean stands in, so that a glitch counts while it is rarer than one in fifty values.

Source of the filter: Hampel, F. R. (1974), "The influence curve and its role in robust estimation", JASA 69, 383–393.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = ["RULE", "Outliers", "find_outliers", "no_outliers"]

THRESHOLD = 5.0
"""Scales; for normal noise about ten standard deviations."""
AROUND = 5
BLOCK = 500
"""Values over which a scale is measured."""
QUANTILE = 0.95
FEWEST = 30
"""Observed values below which a series is not judged."""
RULE = (
    f"further from the median of the {AROUND} values around it than {THRESHOLD:g} times what {QUANTILE:.0%} of the "
    f"{BLOCK} values there stay within"
)
"""What counts as an outlier, for people."""


@dataclass(frozen=True, eq=False)
class Outliers:
    """Outliers in the order of series and time.

    Attributes:
        series: Number of the series of each; shape (outliers,).
        steps: Its step, counted from the start of the series; shape (outliers,).
        values: What is there; shape (outliers,).
        medians: Of the five values around it; shape (outliers,).
        scores: Distance from that median in scales; shape (outliers,).
    """

    series: np.ndarray
    steps: np.ndarray
    values: np.ndarray
    medians: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.steps)


def no_outliers() -> Outliers:
    """Of what is not judged."""
    places, values = np.zeros(0, np.int64), np.zeros(0)
    return Outliers(places, places, values, values, values)


def find_outliers(values: np.ndarray, offsets: np.ndarray) -> Outliers:
    """Outliers of all series by the rule above.

    Args:
        values: All series, one after the other, NaN where missing; shape (total steps,).
        offsets: First step of each series, and the number of steps; shape (series + 1,).

    Example:
        >>> wave = np.sin(np.arange(100.0))
        >>> wave[40] = 50.0
        >>> find_outliers(wave, np.array([0, 100])).steps.tolist()
        [40]
    """
    places = np.flatnonzero(np.isfinite(values))
    borders = np.searchsorted(places, offsets)
    seen = values[places]
    medians = _medians_around(seen, borders)
    residuals = np.abs(seen - medians)
    scales = _scales(residuals, borders)
    far = np.flatnonzero(residuals > THRESHOLD * scales)
    series = np.searchsorted(borders, far, side="right") - 1
    steps = places[far] - offsets[series]
    return Outliers(series, steps, seen[far], medians[far], residuals[far] / np.maximum(scales[far], 1e-30))


def _medians_around(seen: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """Of each value the median of five; the first and last two of a series stand for themselves."""
    medians = seen.copy()
    reach = AROUND // 2
    if len(seen) >= AROUND:
        shifted = [seen[place : len(seen) - AROUND + 1 + place] for place in range(AROUND)]
        medians[reach:-reach] = _median_of_five(*shifted)
    ends = np.concatenate(
        [borders[:-1] + place for place in range(reach)] + [borders[1:] - 1 - place for place in range(reach)]
    )
    ends = np.clip(ends, 0, len(seen) - 1)
    medians[ends] = seen[ends]
    return medians


def _median_of_five(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, e: np.ndarray) -> np.ndarray:
    """The median of e and the two middle ones of a … d: nothing of them is sorted."""
    low = np.maximum(np.minimum(a, b), np.minimum(c, d))
    high = np.minimum(np.maximum(a, b), np.maximum(c, d))
    return np.asarray(np.maximum(np.minimum(low, high), np.minimum(np.maximum(low, high), e)))


def _scales(residuals: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """The scale at each value; infinite where a series has too few of them."""
    counts = np.diff(borders)
    blocks = np.maximum(counts // BLOCK, 1)
    owner = np.repeat(np.arange(len(counts)), blocks)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(blocks) - blocks, blocks)
    edges = np.append(borders[owner] + number * counts[owner] // blocks[owner], borders[-1])
    scales = np.array([_scale(residuals[start:stop]) for start, stop in pairwise(edges)])
    scales[counts[owner] < FEWEST] = np.inf
    before, after = np.append(0.0, scales[:-1]), np.append(scales[1:], 0.0)
    before[number == 0] = 0.0
    after[number == blocks[owner] - 1] = 0.0
    return np.repeat(np.maximum(scales, np.maximum(before, after)), np.diff(edges)).astype(np.float32)


def _scale(residuals: np.ndarray) -> float:
    """What most of these absolute residuals stay within."""
    if not len(residuals):
        return 0.0
    place = int(QUANTILE * (len(residuals) - 1))
    quantile = float(np.partition(residuals, place)[place])
    return quantile if quantile > 0 else 10 * float(residuals.mean())
