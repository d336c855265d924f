"""Directional accuracy: how often the sign of the change from the cutoff's value is forecast right.

For each forecast the value that was last observed at its cutoff is taken off both the observed value and the
forecast. The forecast is right where both changes have one sign. An observed change of zero has no sign and does
not count; a forecast of no change at all, such as the naive one, is half right, as a coin would be.

The unit is the cutoff, as in `significance`: series move together, and forecasts that share targets are no two
observations. At each cutoff the share of right series is taken, and the mean of those is the accuracy. Its interval
is Wilson's (1927) for as many independent trials as there are cutoffs / overlap. That assumes independent cutoffs
once the overlap is taken off, and counts all series of a cutoff as one trial: where the series do not move together
the true interval is narrower.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecaster.errors import ForecasterError
from forecaster.series import Panel

__all__ = ["CONFIDENCE", "DEFINITION", "direction_by_step", "directions", "wilson"]

CONFIDENCE = 0.95
SAME = 1e-6
"""Changes below this share of the value are rounding errors of float32, hence no forecast of a change."""
DEFINITION = (
    "Direction: share of the forecasts that have the sign of the change from the cutoff's value to the last step of "
    "the horizon right; a forecast of no change is half right, a value that did not change does not count. lo and hi: "
    "Wilson's 95 % interval, counting each forecast origin once (whatever the number of series), and origins that "
    "share targets as one. A coin has 0.5."
)


def wilson(share: float, trials: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Wilson's score interval of a proportion.

    Args:
        share: That was observed, 0 to 1.
        trials: Independent ones, not necessarily a whole number.
        confidence: Of the two-sided interval.

    Returns:
        Lower and upper bound; NaN where there is no trial.

    Raises:
        ForecasterError: The confidence is not between 0 and 1.

    Example:
        >>> [round(bound, 4) for bound in wilson(0.5, 10)]
        [0.2366, 0.7634]
    """
    if not 0 < confidence < 1:
        raise ForecasterError(f"confidence is {confidence}; write a number between 0 and 1, as 0.95")
    if not trials > 0 or math.isnan(share):
        return math.nan, math.nan
    z2 = float(ndtri((1 + confidence) / 2)) ** 2
    centre = share + z2 / (2 * trials)
    reach = math.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials**2)))
    return max(0.0, (centre - reach) / (1 + z2 / trials)), min(1.0, (centre + reach) / (1 + z2 / trials))


def directions(
    frame: pd.DataFrame, models: Sequence[str], panel: Panel, overlap: int = 1, confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """Directional accuracy at the last step of each forecast.

    Args:
        frame: A backtest.
        models: Which models' columns.
        panel: The data that were forecast, for the values at the cutoffs.
        overlap: How many successive forecasts share targets: horizon / step, rounded up.
        confidence: Of the interval.

    Returns:
        Indexed by model: `direction`, `direction-lo`, `direction-hi` (0 to 1) and `cutoffs`, those that counted. A
        model that left out a forecast has NaN.
    """
    last = frame.groupby(["unique_id", "cutoff"], sort=False).cumcount(ascending=False) == 0
    return _summary(frame[last.to_numpy()], models, panel, overlap, confidence)


def direction_by_step(
    frame: pd.DataFrame, model: str, panel: Panel, overlap: int = 1, confidence: float = CONFIDENCE
) -> pd.DataFrame:
    """Directional accuracy of one model at each step of the horizon.

    Args:
        frame: A backtest.
        model: Whose column.
        panel: As for `directions`; so are the following two.
        overlap: See `directions`. It is taken for every step, though near steps may overlap less.
        confidence: See `directions`.

    Returns:
        As `directions`, indexed by step, from 1 on.
    """
    step = frame.groupby(["unique_id", "cutoff"], sort=False).cumcount().to_numpy() + 1
    rows = [_summary(frame[step == one], [model], panel, overlap, confidence) for one in np.unique(step)]
    return pd.concat(rows, ignore_index=True).set_index(pd.Index(np.unique(step), name="step"))


def _summary(rows: pd.DataFrame, models: Sequence[str], panel: Panel, overlap: int, confidence: float) -> pd.DataFrame:
    """The accuracy of some rows of a backtest, one row a forecast."""
    base = _at_cutoff(rows, panel)
    actual = np.sign(rows["y"].to_numpy(np.float64) - base)
    counts = np.isfinite(actual) & (actual != 0)
    clusters = _clusters(rows, panel)[counts]
    found = []
    for model in models:
        right = _right(rows[model].to_numpy(np.float64)[counts], base[counts], actual[counts])
        shares = pd.Series(right).groupby(clusters).mean(skipna=False)
        share = float(shares.mean(skipna=False)) if len(shares) else math.nan
        low, high = wilson(share, len(shares) / overlap, confidence)
        found.append({"direction": share, "direction-lo": low, "direction-hi": high, "cutoffs": len(shares)})
    return pd.DataFrame(found, index=pd.Index(models, name="model"))


def _right(forecast: np.ndarray, base: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """1 where the sign is right, 0 where it is wrong, 0.5 where none is told, NaN where nothing was forecast."""
    change = forecast - base
    none = np.abs(change) <= SAME * np.abs(base)
    right = np.where(none, 0.5, (np.sign(change) == actual).astype(np.float64))
    return np.asarray(np.where(np.isnan(forecast), np.nan, right))


def _at_cutoff(rows: pd.DataFrame, panel: Panel) -> np.ndarray:
    """The value of each row's series that was last observed at its cutoff."""
    history = panel.frame()[["unique_id", "ds", "y"]]
    history["y"] = history.groupby("unique_id", sort=False)["y"].ffill()
    values = history.set_index(["unique_id", "ds"])["y"]
    wanted = pd.MultiIndex.from_frame(rows[["unique_id", "cutoff"]])
    return values.reindex(wanted).to_numpy(np.float64)


def _clusters(rows: pd.DataFrame, panel: Panel) -> np.ndarray:
    """Which cutoff a row belongs to; on clocks of their own, by how many stand before the last one of the series."""
    if panel.shared_clock:
        return np.asarray(pd.factorize(rows["cutoff"])[0])
    made = rows[["unique_id", "cutoff"]].drop_duplicates().sort_values(["unique_id", "cutoff"])
    made["place"] = made.groupby("unique_id").cumcount(ascending=False)
    place = made.set_index(["unique_id", "cutoff"])["place"]
    return place.reindex(pd.MultiIndex.from_frame(rows[["unique_id", "cutoff"]])).to_numpy()
