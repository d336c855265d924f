"""Lagged copies: forecasts that repeat the last value, and look right in a plot only because they follow the series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.series import Panel

__all__ = ["Likeness", "lagged_copies", "likeness"]

FEWEST_ORIGINS = 3
FAR_ABOVE = 0.1
"""What the last value leaves unexplained of a copy, at most, in shares of what the truth leaves unexplained."""
LITTLE = 0.05
"""Gain over repeating the last value below which a forecast is no better, for this purpose."""


@dataclass(frozen=True)
class Likeness:
    """What forecasts resemble.

    Attributes:
        last: Their correlation with the last value before them: the series, shifted.
        truth: Their correlation with what came.
        gain: Share by which their mean absolute error is below that of repeating the last value.
    """

    last: float
    truth: float
    gain: float

    @property
    def copy(self) -> bool:
        """Whether they are a lagged copy: hardly anything but the last value is in them, and nothing that pays."""
        return (
            self.gain < LITTLE and self.last > 0 and 1 - self.last**2 < FAR_ABOVE * (1 - self.truth * abs(self.truth))
        )

    @property
    def words(self) -> str:
        """The same as a sentence about a model."""
        return (
            f"its forecasts are a lagged copy of the series: their correlation with the last value before them is "
            f"{self.last:.3f}, with what came {self.truth:.3f}, and repeating that value would do as well"
        )


def lagged_copies(frame: pd.DataFrame, panel: Panel, models: Sequence[str]) -> dict[str, Likeness]:
    """Those of the models whose forecasts are lagged copies.

    Args:
        frame: A backtest.
        panel: All data.
        models: Which models' columns.
    """
    found = likeness(frame, panel, models)
    return {model: one for model, one in found.items() if one.copy}


def likeness(frame: pd.DataFrame, panel: Panel, models: Sequence[str]) -> dict[str, Likeness]:
    """What forecasts resemble, over the forecast origins of each series and lead.

    Values of one lead at successive origins form a series of their own, which is compared with the truth at the same
    time stamps and with the last value that was observed before each origin, which for one step ahead is the series
    shifted by one step. Each is taken from its mean; a series weighs by its own spread.

    Args:
        frame: A backtest.
        panel: All data.
        models: Which models' columns.

    Returns:
        By model; none where no series has three origins, or nothing varies.

    Example:
        >>> from forecaster import NaiveForecaster, backtest, naive, panel_from_frame
        >>> steps = pd.date_range("2024-01-01", periods=9, freq="D")
        >>> panel = panel_from_frame(pd.DataFrame({"ds": steps, "y": [1.0, 4, 2, 8, 5, 7, 3, 9, 6]}))
        >>> said = backtest(NaiveForecaster(naive, horizon=1), panel, windows=6, levels=[])
        >>> round(likeness(said, panel, ["naive"])["naive"].last, 3)
        1.0
    """
    keys = [frame["unique_id"], frame.groupby(["unique_id", "cutoff"]).cumcount()]
    values = frame[["y", *models]].astype(np.float64).assign(last=_last_values(frame, panel))
    values = values.where(values.notna().all(axis=1))
    enough = values["y"].groupby(keys).transform("count") >= FEWEST_ORIGINS
    values, keys = values[enough], [key[enough] for key in keys]
    apart = values - values.groupby(keys).transform("mean")
    spread = apart["y"].groupby(keys[0]).transform("std")
    spread = spread.where(spread > 0)
    apart = apart.div(spread, axis=0).dropna()
    errors = values.sub(values["y"], axis=0).div(spread, axis=0).abs().sum()
    told = {}
    for model in models:
        with_last, with_truth = (_correlation(apart[model], apart[other]) for other in ("last", "y"))
        if np.isfinite(with_last) and np.isfinite(with_truth):
            told[model] = Likeness(with_last, with_truth, _gain(errors[model], errors["last"]))
    return told


def _gain(own: float, last: float) -> float:
    return 1 - own / last if last > 0 else 0.0


def _correlation(one: pd.Series, other: pd.Series) -> float:
    size = float(np.sqrt((one**2).sum() * (other**2).sum()))
    return float((one * other).sum()) / size if size > 0 else float("nan")


def _last_values(frame: pd.DataFrame, panel: Panel) -> np.ndarray:
    """The last value observed by the cutoff of each row."""
    pairs = frame[["unique_id", "cutoff"]].drop_duplicates()
    numbers = {name: number for number, name in enumerate(panel.ids)}
    ticks = panel.ticks(pd.Index(pairs["cutoff"]))
    values = np.full(len(pairs), np.nan)
    series = pairs["unique_id"].map(numbers).to_numpy()
    for number in np.unique(series):
        history = pd.Series(panel.history(int(number))).ffill().to_numpy()
        own = series == number
        values[own] = history[np.clip(ticks[own] - panel.first[number], 0, len(history) - 1)]
    pairs = pairs.assign(last=values)
    return frame[["unique_id", "cutoff"]].merge(pairs, how="left", on=["unique_id", "cutoff"])["last"].to_numpy()
