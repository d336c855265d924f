"""What `auto` becomes: lookback, seasons, segment and validation part, from the fitting part alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecaster.config.model import Support
from forecaster.forecasting.scale_of_changes import choose_transform
from forecaster.forecasting.sparing import STRETCH, spared_stretches
from forecaster.series import Panel, automatic_windows, find_seasons, natural_seasons
from forecaster.series.split import VALIDATION_SHARE
from forecaster.words import plural

__all__ = ["Resolved", "resolve"]

MOST_LOOKBACK = 2_016
"""A week of five minutes, two of ten; a longer lookback must be asked for, by itself or by a horizon of half of it."""
WINDOWS_A_STEP = 4
"""Training windows that there must be for every step of an automatic lookback."""
LONG = 0.75
"""Share of the series that may be too short for an automatic lookback."""
MOST_SEGMENTS = 32
"""The recurrence reads at most about so many segments where the segment is automatic."""
FEWEST_SEGMENTS = 4
ENOUGH_STRETCHES = 128
"""Stretches of one horizon from which on a network can tell which of the past cycles is like the coming one."""
ZEROS = 0.01
"""Share of the values that are zero from which on zero is their floor, where none is below."""
SHORT = 48
"""Steps of lookback up to which a window's own spread is too poor a unit to compare errors of different windows by, and
mixtures of two take more from a window's trend than they add; the Theta method then knows what the network does not.
"""
MANY = 30
"""Series from which on mixtures of two keep a network from learning long lookbacks by heart."""
MIXED = 0.5
"""Share of the windows that are mixtures then."""
HIDDEN = 0.1
"""Share of the lookback's segments that a network does not see in training."""
STAND_INS = 4
"""Cycles that a lookback must hold for one to stand in for another that is hidden."""
REMEMBERED = 128
"""Steps that the Theta method reads at most, where the networks' lookback is not longer: ten years of months."""
ENOUGH_LOOKS = 100
"""Stretches of one horizon that intervals are calibrated by, from which on an error's spread counts as known: with a
hundred Student's t would make 95% intervals 1% wider, and what is usual would weigh a twenty-fifth.
"""
STRETCHES_A_WINDOW = 16
"""Stretches of one horizon in the data for each window of an automatic batch."""


@dataclass(frozen=True)
class Resolved:
    """The values that a fit works with, and why.

    Attributes:
        lookback: Time steps that a network sees.
        seasons: Found or given; empty where the data show none.
        segment: Time steps that the recurrence reads at once.
        batch_size: Windows a step, where a model file leaves that open.
        cycle: Time steps of the shortest season of which the lookback holds two, also of one that the calendar
            suggests but that does not pay as a forecast by itself; 1 for none. The network weighs such past cycles.
        transform: What a network makes of the values.
        relative: Whether an error on logarithms counts as it is, as a share of the value, not in units of its window.
        mixing: Share of the windows in training that are a mixture of two, where a model file leaves that open.
        masking: Share of the lookback's segments that are hidden in training, where a model file leaves that open.
        support: Values that a forecast can have, where a model file leaves that open.
        theta: Whether forecasts have a share of the Theta method, where a model file leaves that open.
        memory: Time steps that the Theta method reads; at least the lookback.
        rhythm: Its season, in time steps; 1 for none.
        spared: Ticks at which stretches begin that intervals are calibrated by; see `forecaster.forecasting.sparing`.
        validation: Forecast origins of the validation part.
        looks: Stretches of one horizon by which intervals are calibrated, where these are few; 0 where they are enough.
        reasons: For each of them where it came from, to be printed and recorded.
    """

    lookback: int
    seasons: tuple[int, ...]
    segment: int
    cycle: int
    batch_size: int
    transform: str
    relative: bool
    mixing: float
    masking: float
    support: Support
    theta: bool
    memory: int
    rhythm: int
    spared: tuple[int, ...]
    validation: int
    looks: int
    reasons: dict[str, str]


def resolve(
    panel: Panel,
    horizon: int,
    lookback: int | Literal["auto"],
    season: int | Sequence[int] | Literal["auto"],
    segment: int | Literal["auto"],
    validation: int | Literal["auto"],
    step: int,
    transform: str = "none",
    sparing: bool = True,
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
        transform: As given, or `auto`.
        sparing: Whether stretches of a long past may be kept from the fit.
    """
    reasons: dict[str, str] = {}
    seasons = _seasons(panel, horizon, season, reasons)
    origins = _validation(panel, horizon, validation, step, reasons)
    steps = _lookback(panel, horizon, lookback, seasons, origins, step, reasons)
    cycles = seasons or natural_seasons(panel.calendar)
    memory, rhythm = max(steps, min(int(panel.lengths.max()), REMEMBERED)), min(cycles, default=1)
    cycle = min((one for one in cycles if 2 * one <= steps), default=1)
    pace, hidden = _segment(steps, cycle, segment, reasons), _masking(steps, cycle, reasons)
    cycle = _cycle(panel, horizon, cycle, steps, reasons)
    batch, form = _batch_size(panel, horizon, reasons), _transform(panel, transform, reasons)
    relative = form == "log" and steps <= SHORT
    if relative:
        reasons["errors"] = f"count as shares of the value ({steps} steps of lookback say little of a series' spread)"
    mixing = _mixing(panel, steps, reasons)
    theta = _theta(panel, steps, reasons)
    spared = _spared(panel, horizon, origins, step, memory, reasons) if sparing else ()
    looks = _looks(panel, horizon, origins, step, memory, spared, reasons)
    return Resolved(
        steps, seasons, pace, cycle, batch, form, relative, mixing, hidden, _support(panel, reasons), theta, memory,
        rhythm, spared, origins, looks, reasons,
    )  # fmt: skip


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

    The calendar's longest cycle is seen twice also where it does not pay as a forecast by itself.

    Training must have four windows for every step of the lookback; a quarter of the series, which are longer than the
    others, must have a third more than the lookback besides what is held out. Shorter ones are padded.
    """
    if lookback != "auto":
        reasons["lookback"] = f"{lookback} steps (as told)"
        return lookback
    natural = natural_seasons(panel.calendar)
    longest = max((*seasons, *natural), default=1)
    wanted = max(min(2 * longest, MOST_LOOKBACK), 2 * horizon, 48)
    room = int(np.quantile(panel.lengths, LONG)) - 2 * horizon - step * (origins - 1)
    most = max(min(len(panel) * room // (len(panel) + WINDOWS_A_STEP), 3 * room // 4), 2)
    steps = min(wanted, most)
    shortest = max(min(seasons, default=1), min(natural, default=1))
    unit = max((one for one in (longest, shortest, *natural) if one <= steps), default=1)
    steps -= steps % unit
    if wanted > most:
        why = "as much as the training part allows"
    elif 2 * longest > wanted:
        limit = "two horizons" if wanted > MOST_LOOKBACK else f"of {MOST_LOOKBACK:,} at most"
        why = limit + (f", whole cycles of {unit:,}" if unit > 1 else "")
    else:
        why = "two of the longest season, at least two horizons"
    reasons["lookback"] = f"{steps} steps ({why})"
    return steps


def _segment(lookback: int, cycle: int, segment: int | Literal["auto"], reasons: dict[str, str]) -> int:
    """One cycle, or several where there would be too many segments, or an eighth of the lookback where too few."""
    if segment != "auto":
        reasons["segment"] = f"{plural(min(segment, lookback), 'step')} at once (as told)"
        return min(segment, lookback)
    steps = cycle * -(-lookback // (cycle * MOST_SEGMENTS))
    if lookback < FEWEST_SEGMENTS * steps:
        steps = max(one for one in range(1, cycle + 1) if cycle % one == 0 and (one == 1 or 8 * one <= lookback))
    reasons["segment"] = f"{plural(steps, 'step')} at once, {plural(-(-lookback // steps), 'segment')}"
    return steps


def _cycle(panel: Panel, horizon: int, cycle: int, lookback: int, reasons: dict[str, str]) -> int:
    """The cycle whose past turns the network weighs; 1 where it would only learn the few that it has seen by heart."""
    if cycle == 1:
        return 1
    stretches, turns = int(panel.lengths.sum()) // horizon, lookback // cycle
    if stretches < ENOUGH_STRETCHES:
        few = f"{plural(stretches, 'stretch')} of {plural(horizon, 'step')} in the data, fewer than {ENOUGH_STRETCHES}"
        reasons["past cycles"] = f"not weighed ({few})"
        return 1
    reasons["past cycles"] = f"{turns} of {cycle} steps, weighed anew in every window"
    return cycle


def _transform(panel: Panel, transform: str, reasons: dict[str, str]) -> str:
    if transform != "auto":
        reasons["transform"] = f"{transform} (as told)"
        return transform
    chosen, why = choose_transform(panel)
    reasons["transform"] = f"{chosen} ({why})"
    return chosen


def _batch_size(panel: Panel, horizon: int, reasons: dict[str, str]) -> int:
    """A power of two from 64 to 256: much data of many kinds are told apart from larger batches."""
    stretches = int(panel.lengths.sum()) // horizon
    size = 64
    while size < 256 and stretches >= 2 * size * STRETCHES_A_WINDOW:
        size *= 2
    reasons["batch size"] = f"{size} windows ({plural(stretches, 'stretch')} of {plural(horizon, 'step')} in the data)"
    return size


def _mixing(panel: Panel, lookback: int, reasons: dict[str, str]) -> float:
    """Half of the windows where series are many, what is seen of them is long, and it is nothing but their values."""
    if len(panel) < MANY or lookback <= SHORT or panel.past or panel.known_inputs or panel.static:
        return 0.0
    reasons["mixtures"] = f"{MIXED:.0%} of the windows in training ({len(panel):,} series without covariates)"
    return MIXED


def _masking(lookback: int, cycle: int, reasons: dict[str, str]) -> float:
    """A tenth where the lookback holds several cycles, which stand in for each other."""
    if cycle == 1 or lookback < STAND_INS * cycle:
        return 0.0
    reasons["masking"] = f"{HIDDEN:.0%} of the segments hidden in training ({lookback // cycle} cycles in the lookback)"
    return HIDDEN


def _theta(panel: Panel, lookback: int, reasons: dict[str, str]) -> bool:
    """Whether lookbacks are short, and there is nothing but the series' own values."""
    if lookback > SHORT or panel.past or panel.known_inputs or panel.static:
        return False
    reasons["theta"] = f"has a share in the forecasts ({lookback} steps of lookback are few)"
    return True


def _support(panel: Panel, reasons: dict[str, str]) -> Support:
    """What values the series have: zeros again and again with nothing below are a floor that forecasts respect."""
    values = panel.target[np.isfinite(panel.target)]
    zeros = float(np.mean(values == 0)) if len(values) else 0.0
    if zeros < ZEROS or (values < 0).any():
        return "real"
    whole = bool((values == np.round(values)).all())
    kind, so = ("whole numbers", "forecasts are rounded") if whole else ("values", "no forecast is below, either")
    told = f"({zeros:.0%} of the fitting part are zeros, none is below)"
    reasons["support"] = f"{kind} from zero on {told}: {so}"
    return "whole" if whole else "nonnegative"


def _lasts(panel: Panel, horizon: int, origins: int, step: int) -> np.ndarray:
    """Ticks of the last targets before the validation part; shape (series,)."""
    ends = np.full(len(panel), panel.last.max()) if panel.shared_clock else panel.last
    return np.asarray(np.minimum(panel.last, ends - horizon - step * (origins - 1)))


def _spared(
    panel: Panel, horizon: int, origins: int, step: int, memory: int, reasons: dict[str, str]
) -> tuple[int, ...]:
    """Among the targets before the validation part that have all before them that is read."""
    spared = spared_stretches(panel.first + memory, _lasts(panel, horizon, origins, step), horizon)
    if spared:
        told = f"{len(spared)} stretches of {STRETCH * horizon} steps all over the training part"
        reasons["intervals"] = f"calibrated by {told}, besides the validation part"
    return spared


def _looks(
    panel: Panel,
    horizon: int,
    origins: int,
    step: int,
    memory: int,
    spared: tuple[int, ...],
    reasons: dict[str, str],
) -> int:
    """How many stretches of one horizon are held out, of all series that reach into them."""
    lasts = _lasts(panel, horizon, origins, step)
    turns, begins = (horizon + step * (origins - 1)) // horizon, np.array(spared, np.int64)[:, None]
    within = (begins >= panel.first + memory) & (begins + STRETCH * horizon - 1 <= lasts)
    looks = turns * int((panel.last > lasts).sum()) + STRETCH * int(within.sum())
    if looks >= ENOUGH_LOOKS:
        return 0
    told = f"only {plural(looks, 'stretch')} of {plural(horizon, 'step')} to calibrate them by"
    reasons["caution"] = f"intervals drawn towards the naive forecast's, and wider: {told}"
    return max(looks, 1)
