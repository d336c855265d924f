"""Gaps of the target filled in what a model sees, when the data block asks for it, and nowhere else.

A window is filled from its own lookback alone, so nothing from behind its cutoff is used: a gap that reaches up to the
cutoff has no end yet, so `interpolate` leaves it missing there and fills it only in windows that begin to forecast
behind its end. Targets, scores, their scale and the histories of the naive forecasts stay as they were observed.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

__all__ = ["Filling", "filled"]

Filling = Literal["none", "forward", "interpolate"]


def filled(values: np.ndarray, how: Filling) -> np.ndarray:
    """The same values with gaps filled; what comes before the first value of a row stays missing.

    Args:
        values: Shape (windows, steps); NaN: missing.
        how: `forward` repeats the last value; `interpolate` draws a straight line between the values on both sides, so
            that the steps behind the last value stay missing.

    Example:
        >>> seen = np.array([[np.nan, 1.0, np.nan, 3.0, np.nan]])
        >>> filled(seen, "forward").tolist(), filled(seen, "interpolate").tolist()
        ([[nan, 1.0, 1.0, 3.0, 3.0]], [[nan, 1.0, 2.0, 3.0, nan]])
    """
    observed = np.isfinite(values)
    if how == "none" or observed.all():
        return values
    steps = np.arange(values.shape[1])
    before = np.maximum.accumulate(np.where(observed, steps, -1), axis=1)
    last = np.take_along_axis(values, np.maximum(before, 0), axis=1)
    if how == "forward":
        return np.where(before >= 0, last, values)
    behind = np.minimum.accumulate(np.where(observed, steps, len(steps))[:, ::-1], axis=1)[:, ::-1]
    coming = np.take_along_axis(values, np.minimum(behind, len(steps) - 1), axis=1)
    share = (steps - before) / np.maximum(behind - before, 1)
    line = (last + (coming - last) * share).astype(values.dtype)
    return np.where(~observed & (before >= 0) & (behind < len(steps)), line, values)
