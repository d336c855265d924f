"""Splitting by time: which cutoffs a part is judged at.

A part is a list of cutoffs. From a cutoff c the targets at c + 1 … c + horizon (both inclusive) are forecast.
The test part holds the last cutoffs; everything up to and including its first cutoff is the fitting part, from
whose end the validation part is cut in the same way; training targets end at the validation part's first
cutoff. So a target belongs to one part, while inputs may reach back over a border.
"""

from __future__ import annotations

import numpy as np

from forecaster.errors import DataError
from forecaster.series.panel import Panel

__all__ = [
    "TEST_SHARE", "VALIDATION_SHARE", "automatic_windows", "cutoffs", "forecastable", "foreseen", "held_out",
    "taking_part",
]  # fmt: skip

TEST_SHARE = 0.25
VALIDATION_SHARE = 0.2
MOST_WINDOWS = 28
TEXT_SHARE = 0.1
"""Of a text, for a part of every symbol of which a forecast is made."""
MOST_SYMBOLS = 50_000


def automatic_windows(panel: Panel, horizon: int, step: int, share: float) -> int:
    """How many cutoffs fit into the last `share` of the (median) series; from 1 to 28."""
    room = share * float(np.median(panel.lengths)) - horizon
    return int(np.clip(room // step + 1, 1, MOST_WINDOWS))


def held_out(panel: Panel) -> int:
    """Cutoffs of a part in which every symbol of a text is forecast: its last tenth, 50,000 at most."""
    return int(np.clip(float(np.median(panel.lengths)) * TEXT_SHARE, 1, MOST_SYMBOLS))


def cutoffs(panel: Panel, horizon: int, windows: int, step: int) -> np.ndarray:
    """The last `windows` cutoffs of a panel, `step` apart, that leave `horizon` targets behind them.

    On a shared clock they are the same moments for all series and end with the latest; else each series is
    cut from its own end.

    Args:
        panel: The panel, seen up to its ends.
        horizon: Steps to forecast from a cutoff.
        windows: How many cutoffs.
        step: Steps between them.

    Returns:
        Ticks, oldest first; shape (windows, series).

    Raises:
        DataError: The series are too short for that; says how many steps are needed.
    """
    last = np.full(len(panel), panel.last.max()) if panel.shared_clock else panel.last
    behind = horizon + step * np.arange(windows - 1, -1, -1)
    ticks = last[None, :] - behind[:, None]
    left = (ticks[0] - panel.first + 1).max()
    if left < 2:
        needed = int(behind[0]) + 2
        raise DataError(
            f"{windows} forecast origins {step} steps apart with a horizon of {horizon} need at least {needed} steps, "
            f"but the longest series has {int(panel.lengths.max())} here; give more data, a shorter horizon or fewer "
            "windows"
        )
    return np.asarray(ticks)


def taking_part(panel: Panel, ticks: np.ndarray) -> np.ndarray:
    """Which series have observed values by a cutoff and targets behind it.

    Args:
        panel: The panel.
        ticks: Of the cutoffs, shape (windows, series).

    Returns:
        Boolean, of that shape.
    """
    return np.asarray((panel.first <= ticks) & (panel.last > ticks))


def forecastable(panel: Panel, ticks: np.ndarray, horizon: int) -> np.ndarray:
    """Which of those that take part have all of their known covariates over the horizon behind a cutoff, too.

    Args:
        panel: The panel.
        ticks: Of the cutoffs, shape (windows, series).
        horizon: Steps behind each.

    Returns:
        Boolean, of that shape.
    """
    return np.asarray(taking_part(panel, ticks) & foreseen(panel, ticks, ticks + horizon))


def foreseen(panel: Panel, ticks: np.ndarray, until: np.ndarray) -> np.ndarray:
    """Which series have all of their known covariates from behind a cutoff up to a later step.

    Args:
        panel: The panel.
        ticks: Of the cutoffs, shape (windows, series) or (series,).
        until: Ticks of the last steps (inclusive), of that shape.

    Returns:
        Boolean, of that shape.
    """
    if not panel.known:
        return np.ones(ticks.shape, bool)
    absent = np.isnan(panel.values[:, panel.known_columns]).any(axis=1)
    before = np.concatenate([[0], np.cumsum(absent)])
    moved = panel.offsets[:-1] - panel.first + 1
    begin, stop = (np.clip(moved + part, panel.offsets[:-1], panel.offsets[1:]) for part in (ticks, until))
    return np.asarray((stop - begin == until - ticks) & (before[stop] == before[begin]))
