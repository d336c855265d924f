"""Stretches of the past that a fit is not shown, so that intervals are calibrated by all seasons.

The validation part is the newest of what may be seen, a month of days at most. How far a network errs there is how far
it errs in that month: intervals of electricity demand that were right for a calm June are too narrow for the summer.
Where the past is long, stretches all over it are kept from the fit, too, as in blocked cross-validation (Racine 2000),
and intervals are calibrated by both, one half each. Like the validation part they are learnt from in the finish.
"""

from __future__ import annotations

import numpy as np

from forecaster.series import Batch, Panel, Windows, training_windows

__all__ = ["EVERY", "FEWEST", "STRETCH", "calibration_windows", "learnt", "spared_stretches"]

STRETCH = 2
"""Horizons that a stretch is long: one and a window more for every step of another."""
EVERY = 32
"""Horizons to a stretch; with the windows that reach into it, a tenth of the past is not learnt from."""
FEWEST = 8
"""Stretches that tell more than the validation part by itself does."""
GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it lie evenly between whole numbers however many they are, so that no hour or weekday is preferred."""


def spared_stretches(first: int, last: int, horizon: int) -> tuple[int, ...]:
    """Where the stretches of a past begin.

    They lie where they lie, whatever else is seen: as data come in, and a network goes on from earlier weights, what it
    was not shown before it is not shown now.

    Args:
        first: Tick at which the past begins.
        last: Tick with which it ends.
        horizon: Steps to forecast.

    Returns:
        Ticks, in order; none where there would be fewer than eight.

    Example:
        >>> spared_stretches(0, 400, horizon=1)
        (0, 50, 71, 121, 142, 162, 213, 233, 284, 304, 325, 375, 396)
        >>> spared_stretches(0, 200, horizon=1)
        ()
    """
    turns = np.arange(first // (EVERY * horizon), last // (EVERY * horizon) + 1)
    free = (EVERY - STRETCH) * horizon
    begins = turns * EVERY * horizon + (turns * GOLDEN % 1 * free).astype(np.int64)
    inside = begins[(begins >= first) & (begins + STRETCH * horizon - 1 <= last)]
    return tuple(inside.tolist()) if len(inside) >= FEWEST else ()


def learnt(windows: Windows, spared: tuple[int, ...]) -> Windows:
    """The windows none of whose targets lie in a stretch that is spared.

    Args:
        windows: Of the training part.
        spared: Ticks at which the stretches begin.
    """
    if not spared:
        return windows
    begins = np.array(spared)
    far = np.iinfo(np.int64).max
    return windows.between(
        np.append(-far, begins + STRETCH * windows.horizon), np.append(begins - windows.horizon + 1, far)
    )


def calibration_windows(
    panel: Panel, border: np.ndarray, lookback: int, horizon: int, spared: tuple[int, ...], most: int
) -> tuple[Batch, int]:
    """The windows by which intervals are calibrated: of the validation part, and of the stretches that were spared.

    Args:
        panel: The fitting part.
        border: Ticks behind which it validates.
        lookback: Steps before an origin.
        horizon: Steps to forecast.
        spared: Ticks at which the stretches begin.
        most: Windows of each of the two, evenly spread.

    Returns:
        The windows, and how many there were to choose from.
    """
    parts = [training_windows(panel, lookback, horizon).after(border)]
    if spared:
        begins = np.array(spared)
        stops = begins + (STRETCH - 1) * horizon + 1
        parts.append(training_windows(panel.until(border), lookback, horizon).between(begins, stops))
    batches = [one.gather(one.spread(most)) for one in parts if len(one)]
    return batches[0].followed_by(*batches[1:]), sum(len(one) for one in parts)
