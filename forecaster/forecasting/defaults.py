"""What `auto` becomes: lookback, seasons, segment and validation part, from the fitting part alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecaster.series import Panel, automatic_windows, find_seasons, natural_seasons
from forecaster.series.split import VALIDATION_SHARE

__all__ = ["Resolved", "resolve"]

MOST_LOOKBACK = 1_008
"""Three weeks of half-hours; a longer lookback for the sake of seasons must be asked for."""
WINDOWS_A_STEP = 4
"""Training windows that there must be for every step of an automatic lookback."""
MOST_SEGMENTS = 32
"""The recurrence reads at most about so many segments where the segment is automatic."""


@dataclass(frozen=True)
class Resolved:
    """The values that a fit works with, and why.

    Attributes:
        lookback: Time steps that a network sees.
        seasons: Found or given; empty where the data show none.
        segment: Time steps that the recurrence reads at once.
        validation: Forecast origins of the validation part.
        reasons: For each of them where it came from, to be printed and recorded.
    """

    lookback: int
    seasons: tuple[int, ...]
    segment: int
    validation: int
    reasons: dict[str, str]


def resolve(
    panel: Panel,
    horizon: int,
    lookback: int | Literal["auto"],
    season: int | Sequence[int] | Literal["auto"],
    segment: int | Literal["auto"],
    validation: int | Literal["auto"],
    step: int,
) -> Resolved:
    """Fills in what a definition leaves to the data.

    Args:
        panel: The fitting part: nothing of the test part may have a say.
        horizon: Time steps to forecast.
        lookback: As given, or `auto`; so are the next three.
        season: See `lookback`.
        segment: See `lookback`.
        validation: See `lookback`.
        step: Time steps between forecast origins.
    """
    reasons: dict[str, str] = {}
    seasons = _seasons(panel, horizon, season, reasons)
    origins = _validation(panel, horizon, validation, step, reasons)
    steps = _lookback(panel, horizon, lookback, seasons, origins, step, reasons)
    cycles = seasons or natural_seasons(panel.calendar)
    return Resolved(steps, seasons, _segment(steps, cycles, segment, reasons), origins, reasons)


def _seasons(
    panel: Panel, horizon: int, season: int | Sequence[int] | Literal["auto"], reasons: dict[str, str]
) -> tuple[int, ...]:
    if season != "auto":
        given = (season,) if isinstance(season, int) else tuple(sorted(season))
        reasons["season"] = f"{', '.join(map(str, given))} (as told)"
        return tuple(one for one in given if one > 1)
    found = find_seasons(panel, horizon)
    tried = ", ".join(map(str, natural_seasons(panel.calendar))) or "none"
    if found:
        gains = ", ".join(f"{one} (error {gain:.0%} below the last value's)" for one, gain in found.items())
        reasons["season"] = f"{gains}; found in the fitting part among {tried}"
    else:
        reasons["season"] = f"none pays against the last value; tried {tried}"
    return tuple(found)


def _validation(
    panel: Panel, horizon: int, validation: int | Literal["auto"], step: int, reasons: dict[str, str]
) -> int:
    if validation != "auto":
        reasons["validation"] = f"{validation} forecast origins (as told)"
        return validation
    origins = automatic_windows(panel, horizon, step, VALIDATION_SHARE)
    reasons["validation"] = f"{origins} forecast origins, the last fifth of the fitting part (28 at most)"
    return origins


def _lookback(
    panel: Panel,
    horizon: int,
    lookback: int | Literal["auto"],
    seasons: tuple[int, ...],
    origins: int,
    step: int,
    reasons: dict[str, str],
) -> int:
    """Two of the longest season, at least two horizons and 48 steps, but no more than there are windows to learn from.

    Where no season pays, one of the calendar's longest cycle is seen all the same.

    Training must have four windows for every step of the lookback, and a lookback must fit twice into a series.
    """
    if lookback != "auto":
        reasons["lookback"] = f"{lookback} steps (as told)"
        return lookback
    longest, shortest = max(seasons, default=1), min(seasons, default=1)
    natural = max(natural_seasons(panel.calendar), default=1)
    wanted = max(min(max(2 * longest, natural), MOST_LOOKBACK), 2 * horizon, 48)
    room = int(np.median(panel.lengths)) - 2 * horizon - step * (origins - 1)
    most = max(min(len(panel) * room // (len(panel) + WINDOWS_A_STEP), room // 2), 2)
    steps = min(wanted, most)
    unit = longest if steps >= longest else shortest
    steps = max(steps // unit, 1) * unit
    free, tight = "two of the longest season, at least two horizons", "as much as the training part allows"
    why = free if wanted <= most else tight
    reasons["lookback"] = f"{steps} steps ({why})"
    return steps


def _segment(lookback: int, cycles: Sequence[int], segment: int | Literal["auto"], reasons: dict[str, str]) -> int:
    """One of the shortest cycle, or several where there would be too many; a lookback has two segments at least."""
    if segment != "auto":
        reasons["segment"] = f"{min(segment, lookback)} steps at once (as told)"
        return min(segment, lookback)
    shortest = min((cycle for cycle in cycles if 2 * cycle <= lookback), default=1)
    steps = shortest * -(-lookback // (shortest * MOST_SEGMENTS))
    reasons["segment"] = f"{steps} steps at once, {-(-lookback // steps)} segments"
    return steps
