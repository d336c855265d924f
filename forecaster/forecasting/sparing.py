"""Stretches of the past that a fit is not asked to forecast, so that intervals are calibrated by all seasons.

The validation part is the newest of what may be seen, a month of days at most. How far a network errs there is how far
it errs in that month: intervals of electricity demand that were right for a calm June are too narrow for the summer.
Where the past is long, targets in stretches all over it are kept from the fit, too (one turn of a cross-validation in
blocks), and intervals are calibrated by these and the validation part. Like the latter they are learnt from in the
finish.
"""

from __future__ import annotations

import numpy as np

from forecaster.series import Batch, Panel, Windows, training_windows

__all__ = ["EVERY", "FEWEST", "MOST", "STRETCH", "calibration_windows", "learnt", "spared_stretches"]

STRETCH = 2
"""Horizons that a stretch is long: one and a window more for every step of another."""
EVERY = 16
"""Horizons to a stretch at least; with the windows that reach into it, at most a fifth of the past is spared."""
FEWEST, MOST = 16, 64
"""Stretches: fewer tell no more than the validation part by itself, more tell nothing new."""
GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it lie evenly between whole numbers however many they are, so that no hour or weekday is preferred."""


def spared_stretches(firsts: np.ndarray, lasts: np.ndarray, horizon: int) -> tuple[int, ...]:
    """Where the stretches of a past begin.

    Args:
        firsts: Tick of the first target of each series, shape (series,).
        lasts: Tick of its last one, the same shape.
        horizon: Steps to forecast.

    Returns:
        Ticks, in order, of stretches that lie in one series at least; none where there are fewer than 16, or the
        middle one of the series is too short for these.

    Example:
        >>> spared_stretches(np.array([0]), np.array([259]), horizon=1)
        (0, 24, 35, 60, 71, 82, 106, 118, 142, 153, 164, 189, 200, 211, 236, 247)
        >>> spared_stretches(np.array([0]), np.array([249]), horizon=1)
        ()
    """
    first, length, long = int(firsts.min()), int(lasts.max() - firsts.min()) + 1, STRETCH * horizon
    count = min(length // (EVERY * horizon), MOST)
    if count < FEWEST or np.median(lasts - firsts + 1) < FEWEST * EVERY * horizon:
        return ()
    turns, width = np.arange(count), length / count
    begins = first + (turns * width + turns * GOLDEN % 1 * (width - long - horizon)).astype(np.int64)
    held = ((begins[:, None] >= firsts) & (begins[:, None] + long - 1 <= lasts)).any(axis=1)
    return tuple(begins[held].tolist()) if held.sum() >= FEWEST else ()


def learnt(windows: Windows, spared: tuple[int, ...]) -> Windows:
    """The windows none of whose targets lie in a stretch that is spared; there may be none.

    Args:
        windows: Of the training part.
        spared: Ticks at which the stretches begin.
    """
    if not spared:
        return windows
    begins, far = np.array(spared), np.iinfo(np.int64).max
    stops = np.append(begins - windows.horizon + 1, far)
    return windows.between(np.append(-far, begins + STRETCH * windows.horizon), stops)


def calibration_windows(
    panel: Panel, border: np.ndarray, lookback: int, horizon: int, spared: tuple[int, ...], most: int
) -> tuple[Batch, int]:
    """The windows by which intervals are calibrated: of the validation part, and of the stretches that are spared.

    Args:
        panel: The fitting part.
        border: Ticks behind which it validates.
        lookback: Steps before an origin.
        horizon: Steps to forecast.
        spared: Ticks at which the stretches begin.
        most: Windows of both at most, and of each no more than half of it where there are both, evenly spread.

    Returns:
        The windows, and how many there were to choose from.
    """
    windows = training_windows(panel, lookback, horizon)
    begins = np.array(spared, np.int64)
    within = windows.between(begins, begins + (STRETCH - 1) * horizon + 1)
    parts = [part for part in (windows.after(border), within) if len(part)]
    batches = [part.gather(part.spread(most // len(parts))) for part in parts]
    return batches[0].followed_by(*batches[1:]), sum(len(part) for part in parts)
