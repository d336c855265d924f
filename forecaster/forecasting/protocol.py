"""The Forecaster protocol and the forecast frame: what every model answers, network or baseline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import pandas as pd

from forecaster.config.pipeline import LEVELS
from forecaster.errors import LevelError
from forecaster.series import Panel

__all__ = [
    "Forecaster",
    "checked_levels",
    "choose_quantiles",
    "chosen_levels",
    "dated",
    "forecast_frame",
    "interval_columns",
    "levels_to_quantiles",
]


@runtime_checkable
class Forecaster(Protocol):
    """Anything that is fitted on a panel and forecasts from its end.

    Attributes:
        name: Its column in the forecast frame.
        horizon: Time steps that it forecasts.
    """

    name: str
    horizon: int

    def fit(self, panel: Panel) -> Self:
        """Learns from all that may be seen of the panel."""

    def predict(self, panel: Panel, levels: Sequence[float] | None = None) -> pd.DataFrame:
        """Forecasts every series of the panel from its cutoff; see `forecast_frame`."""


def checked_levels(levels: Any) -> list[float]:
    """Levels of intervals, in order; one that is named twice counts once.

    Args:
        levels: In per cent, as a user gave them.

    Raises:
        LevelError: They are no list of numbers, or one is beyond what a pipeline file may say.

    Example:
        >>> checked_levels([95, 80, 95])
        [80.0, 95.0]
    """
    return [_within(level) for level in _numbers(levels)]


def _numbers(levels: Any) -> list[float]:
    """Levels in order, each once."""
    if isinstance(levels, str) or not isinstance(levels, Iterable):
        raise LevelError(f"levels should be a list of numbers in per cent, as [80, 95]; found {levels!r}")
    given = list(levels)
    if wrong := [level for level in given if isinstance(level, bool) or not isinstance(level, Real)]:
        raise LevelError(f"level {wrong[0]!r} is no number; write per cent, as 80")
    return sorted({float(level) for level in given})


def _within(level: float) -> float:
    lowest, highest = LEVELS
    if not lowest <= level <= highest:
        raise LevelError(
            f"level {level:.9g} is no level of an interval; write per cent from {lowest} to {highest}, as 80"
        )
    return level


def levels_to_quantiles(levels: Sequence[float]) -> tuple[float, ...]:
    """Probabilities of the bounds of central intervals, and of the median in the middle.

    Args:
        levels: In per cent, in any order; one that is named twice counts once.

    Raises:
        LevelError: One is none; see `checked_levels`.

    Example:
        >>> levels_to_quantiles([80, 95])
        (0.025, 0.1, 0.5, 0.9, 0.975)
    """
    below = [round((1 - level / 100) / 2, 6) for level in reversed(checked_levels(levels))]
    return (*below, 0.5, *(round(1 - probability, 6) for probability in reversed(below)))


def interval_columns(model: str, level: float) -> tuple[str, str]:
    """Names of the lower and the upper bound of an interval.

    Example:
        >>> interval_columns("lstm", 80.0)
        ('lstm-lo-80', 'lstm-hi-80')
    """
    return f"{model}-lo-{level:g}", f"{model}-hi-{level:g}"


def chosen_levels(levels: Sequence[float] | None, trained: Sequence[float]) -> list[float]:
    """The levels asked for, or all trained ones; in order, each once.

    Raises:
        LevelError: One was not trained, or is no number.

    Example:
        >>> chosen_levels([95, 80, 95], trained=[80, 90, 95])
        [80.0, 95.0]
    """
    if levels is None:
        return sorted(set(trained))
    wanted = _numbers(levels)
    if absent := [level for level in wanted if level not in trained]:
        known = ", ".join(f"{one:g}" for one in sorted(trained))
        raise LevelError(f"level {absent[0]:g} was not trained; the trained levels are {known}")
    return wanted


def choose_quantiles(quantiles: np.ndarray, trained: Sequence[float], wanted: Sequence[float]) -> np.ndarray:
    """Picks the wanted intervals' bounds out of the trained ones', along the last axis.

    Example:
        >>> choose_quantiles(np.array([0.025, 0.1, 0.5, 0.9, 0.975]), trained=[80, 95], wanted=[80]).tolist()
        [0.1, 0.5, 0.9]
    """
    keep = [place for place, level in enumerate(sorted(trained, reverse=True)) if level in wanted]
    places = [*keep, len(trained), *(-1 - place for place in reversed(keep))]
    return quantiles[..., places]


def forecast_frame(
    panel: Panel, model: str, quantiles: np.ndarray, levels: Sequence[float], start: int | None = None
) -> pd.DataFrame:
    """Lays forecasts out in the one shape that the program knows.

    Args:
        panel: Whose ends are the cutoffs.
        model: Name of the model.
        quantiles: Shape (series, horizon, 2 × levels + 1), in the order of `levels_to_quantiles`.
        levels: In per cent.
        start: Tick of the first row of every series; the step behind its cutoff by default.

    Returns:
        unique_id, ds, cutoff, `<model>`, and `<model>-lo-<level>`, `<model>-hi-<level>` for each level; a row for
        every series and step, in the order of the panel and of time. Where exchanges are mixed, a series has no row
        for a day on which its own is closed.
    """
    _, horizon, _ = quantiles.shape
    levels = sorted(set(levels), reverse=True)
    columns = {model: quantiles[:, :, len(levels)].reshape(-1)}
    for place in range(len(levels) - 1, -1, -1):
        low, high = interval_columns(model, levels[place])
        columns[low] = quantiles[:, :, place].reshape(-1)
        columns[high] = quantiles[:, :, -1 - place].reshape(-1)
    return dated(panel, columns, horizon, start)


def dated(panel: Panel, columns: Mapping[str, np.ndarray], horizon: int, start: int | None = None) -> pd.DataFrame:
    """Forecasts behind their series, time stamps and cutoffs; without the days on which a series' exchange is closed.

    Args:
        panel: Whose ends are the cutoffs.
        columns: Of what was forecast, in the order of series and steps; shape (series × horizon,) each.
        horizon: Time steps.
        start: Tick of the first row of every series; the step behind its cutoff by default.
    """
    begin = panel.last + 1 if start is None else np.full(len(panel), start)
    ticks = begin[:, None] + np.arange(horizon)
    keys = {
        "unique_id": np.repeat(panel.ids, horizon),
        "ds": panel.stamps(ticks.reshape(-1)),
        "cutoff": panel.stamps(np.repeat(panel.last, horizon)),
    }
    frame = pd.DataFrame({**keys, **columns})
    open_then = panel.calendar.trading(panel.ids, ticks).reshape(-1)
    return frame if open_then.all() else frame[open_then].reset_index(drop=True)
