"""Seasons: which cycles a calendar suggests, and which of them the data show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from forecaster.series.calendar import DAY, Calendar, EvenSteps
from forecaster.series.panel import Panel

__all__ = ["find_seasons", "metric_season", "natural_seasons", "season_gain"]


def natural_seasons(calendar: Calendar) -> list[int]:
    """Cycles in ticks that people and weather follow: a day and a week below a day, a week of days, a year of
    weeks, months or quarters; whole-number stamps and years have none, an exchange's sessions have its week.

    Example:
        >>> natural_seasons(EvenSteps("30min", 1_800_000_000, 0))
        [48, 336]
    """
    if not isinstance(calendar, EvenSteps):
        return [season for season in [_cycle(calendar.name)] if season > 1]
    if calendar.numeric:
        return []
    if calendar.width < DAY:
        return [span // calendar.width for span in (DAY, 7 * DAY) if span % calendar.width == 0]
    return {DAY: [7], 7 * DAY: [52]}.get(calendar.width, [])


def metric_season(calendar: Calendar) -> int:
    """M4's season for MASE and Naive2: a day for steps below a day, else as the competition had it.

    Example:
        >>> metric_season(EvenSteps("h", 3_600_000_000, 0)), metric_season(EvenSteps("W-MON", 7 * DAY, 0))
        (24, 1)
    """
    if isinstance(calendar, EvenSteps):
        below_a_day = not calendar.numeric and calendar.width < DAY and DAY % calendar.width == 0
        return DAY // calendar.width if below_a_day else 1
    return _months_a_year(calendar.name)


def _cycle(name: str) -> int:
    """A year of months or quarters, a week of business days or sessions; 1 where steps fill neither evenly."""
    try:
        offset = to_offset(name)
    except ValueError:
        return 7 if "D" in name.split("+") else 5
    if isinstance(offset, pd.offsets.BusinessDay):
        return 5 if offset.n == 1 else 1
    return _months_a_year(name)


MONTHS = (
    (pd.offsets.MonthBegin | pd.offsets.MonthEnd | pd.offsets.BMonthBegin | pd.offsets.BMonthEnd, 1),
    (pd.offsets.QuarterBegin | pd.offsets.QuarterEnd | pd.offsets.BQuarterBegin | pd.offsets.BQuarterEnd, 3),
)


def _months_a_year(name: str) -> int:
    """Steps of whole months that make a year; 1 for all other steps."""
    try:
        offset = to_offset(name)
    except ValueError:
        return 1
    months = next((count * offset.n for kinds, count in MONTHS if isinstance(offset, kinds)), 12)
    return 12 // months if 12 % months == 0 else 1


MOST_SERIES = 200


def find_seasons(panel: Panel, horizon: int, candidates: Sequence[int] | None = None) -> dict[int, float]:
    """Which of the candidate cycles pay: those by which repeating the value of one cycle ago beats the last value.

    Args:
        panel: The fitting part.
        horizon: Steps over which both are compared.
        candidates: Cycles in ticks; those of the calendar by default. One that does not fit three times into
            the median series is not tried.

    Returns:
        For each cycle that pays its gain (`season_gain`), in the order of the candidates.
    """
    candidates = natural_seasons(panel.calendar) if candidates is None else candidates
    room = float(np.median(panel.lengths)) / 3
    gains = {season: season_gain(panel, horizon, season) for season in candidates if season <= room}
    return {season: gain for season, gain in gains.items() if gain > 0}


def season_gain(panel: Panel, horizon: int, season: int) -> float:
    """1 − the mean absolute error of the seasonal naive forecast / that of the last value, over the horizon.

    The errors are those at every step of the fitting part for up to 10 distances spread over the horizon; the
    median over (at most 200) series.
    """
    distances = np.unique(np.linspace(1, horizon, 10).astype(int))
    gains = []
    for one in np.unique(np.linspace(0, len(panel) - 1, MOST_SERIES).astype(int)):
        history = panel.history(int(one))
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
