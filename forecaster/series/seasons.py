"""Seasons: which cycles a calendar suggests, and which of them the data show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecaster.series.calendar import Calendar, EvenSteps
from forecaster.series.panel import Panel

__all__ = ["find_seasons", "metric_season", "natural_seasons", "season_gain"]

DAY = 86_400_000_000
M4 = {"B": 1, "D": 1, "MS": 12, "ME": 12, "QS": 4, "QE": 4, "YS": 1, "YE": 1}
CYCLES = {"B": (5,), "MS": (12,), "ME": (12,), "QS": (4,), "QE": (4,)}


def natural_seasons(calendar: Calendar) -> list[int]:
    """Cycles in ticks that people and weather follow: a day and a week below a day, a week of days, a year of
    weeks, months or quarters; whole-number stamps and years have none, an exchange's sessions have its week.

    Example:
        >>> natural_seasons(EvenSteps("30min", 1_800_000_000, 0))
        [48, 336]
    """
    if not isinstance(calendar, EvenSteps):
        alias = calendar.name.split("-")[0]
        return list(CYCLES.get(alias, () if alias in M4 else (5,)))
    if calendar.numeric:
        return []
    if calendar.width < DAY:
        return [DAY // calendar.width, 7 * DAY // calendar.width] if DAY % calendar.width == 0 else []
    return {DAY: [7], 7 * DAY: [52]}.get(calendar.width, [])


def metric_season(calendar: Calendar) -> int:
    """M4's season for MASE and Naive2: a day for steps below a day, else as the competition had it.

    Example:
        >>> metric_season(EvenSteps("h", 3_600_000_000, 0)), metric_season(EvenSteps("7D", 7 * DAY, 0))
        (24, 1)
    """
    if isinstance(calendar, EvenSteps):
        below_a_day = not calendar.numeric and calendar.width < DAY and DAY % calendar.width == 0
        return DAY // calendar.width if below_a_day else 1
    return M4.get(calendar.name.split("-")[0], 1)


def find_seasons(panel: Panel, horizon: int, candidates: Sequence[int] | None = None) -> dict[int, float]:
    """Which of the candidate cycles pay: those by which repeating the value of one cycle ago beats the last value.

    Args:
        panel: The fitting part.
        horizon: Steps over which both are compared.
        candidates: Cycles in ticks; those of the calendar by default. One that does not fit three times into
            the median series is not tried.

    Returns:
        For each cycle that pays its gain (`season_gain`), shortest first.
    """
    candidates = natural_seasons(panel.calendar) if candidates is None else candidates
    room = float(np.median(panel.lengths)) / 3
    gains = {season: season_gain(panel, horizon, season) for season in candidates if season <= room}
    return {season: gain for season, gain in gains.items() if gain > 0}


MOST_SERIES = 200


def season_gain(panel: Panel, horizon: int, season: int) -> float:
    """1 − the mean absolute error of the seasonal naive forecast / that of the last value, over the horizon.

    The errors are those at every step of the fitting part for up to 10 distances spread over the horizon; the
    median over (at most 200) series.
    """
    gains = []
    for one in np.unique(np.linspace(0, len(panel) - 1, MOST_SERIES).astype(int)):
        history = panel.history(int(one))
        distances = np.unique(np.linspace(1, horizon, 10).astype(int))
        last, back = 0.0, 0.0
        for distance in distances:
            lag = season * -(-int(distance) // season)
            if lag >= len(history):
                continue
            now = history[lag:]
            pairs = np.isfinite(now) & np.isfinite(history[:-lag]) & np.isfinite(history[lag - distance : -distance])
            last += np.abs(now - history[lag - distance : -distance])[pairs].sum()
            back += np.abs(now - history[:-lag])[pairs].sum()
        if last > 0:
            gains.append(1 - back / last)
    return float(np.median(gains)) if gains else 0.0
