"""Metrics: a pure statistic of each forecast and its aggregation, both stated wherever a score is shown.

Every metric is a mean over the steps of a forecast, then over the cutoffs of a series, then over the series, of a
pointwise statistic. Steps without an observed value do not count. A step that was observed but not forecast does:
it makes the score NaN, so that no model gains by leaving out what is difficult.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.forecasting.protocol import interval_columns
from forecaster.series import Panel, metric_season

__all__ = [
    "METRICS",
    "Metric",
    "counted",
    "coverage",
    "coverages",
    "definitions",
    "loss_table",
    "losses",
    "scale_season",
    "scales",
    "score",
    "score_one",
    "weighted_quantile_loss",
]

Statistic = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Metric:
    """A metric of point forecasts.

    Args:
        name: Its column.
        definition: What is shown beside it; `{season}` is the season of MASE.
        statistic: Of observed value, forecast and the series' scale, point by point.
        finish: What is done to the mean of a series (the root, for RMSE).
    """

    name: str
    definition: str
    statistic: Statistic
    finish: Callable[[pd.DataFrame], pd.DataFrame] = lambda means: means


def _absolute_scaled(y: np.ndarray, forecast: np.ndarray, scale: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(y - forecast) / scale)


def _smape(y: np.ndarray, forecast: np.ndarray, _scale: np.ndarray) -> np.ndarray:
    size = np.abs(y) + np.abs(forecast)
    return np.asarray(200 * np.abs(y - forecast) / np.where(size == 0, 1.0, size))


def _squared(y: np.ndarray, forecast: np.ndarray, _scale: np.ndarray) -> np.ndarray:
    return np.asarray((y - forecast) ** 2)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "mase",
            "MASE: mean absolute error / mean absolute error of the seasonal naive forecast with season {season} "
            "within the fitting part (Hyndman and Koehler 2006, as in M4). Below 1: better than that forecast was "
            "there. A series that is constant there has no scale and is left out.",
            _absolute_scaled,
        ),
        Metric("smape", "sMAPE: mean of 200 |y - f| / (|y| + |f|), as in M4; from 0 to 200.", _smape),
        Metric(
            "rmse",
            "RMSE: root of the mean squared error of each series, in its own unit, then the mean over the series.",
            _squared,
            lambda means: means**0.5,
        ),
    )
}

COVERAGE = (
    "Coverage: share of the observed values that lie within the interval, mean of the series, each of which counts the "
    "same; it should be the interval's level."
)
WQL = (
    "WQL: weighted quantile loss: 2 Σ pinball loss / Σ |y| over all observed values, the mean over the median and the "
    "bounds of all intervals (Park et al. 2022). Intervals that miss cost, and so do wide ones; 0 at best."
)
SKILL = "Skill: 1 - error / error of the best naive forecast of this run; above 0: better than all of them."


def definitions(season: int) -> dict[str, str]:
    """What each column of a leaderboard means, to be shown beside it."""
    named = {name: metric.definition.format(season=season) for name, metric in METRICS.items()}
    return {**named, "coverage": COVERAGE, "wql": WQL, "skill": SKILL}


def scale_season(panel: Panel) -> int:
    """The season of MASE where none is told: M4's, or 1 where no series is longer than that.

    Args:
        panel: What the scale is computed from.
    """
    season = metric_season(panel.calendar)
    return season if season < panel.lengths.max() else 1


def scales(panel: Panel, season: int) -> pd.Series:
    """The scale of MASE: in-sample mean absolute error of the seasonal naive forecast, by series.

    Args:
        panel: The fitting part.
        season: In time steps.

    Returns:
        Indexed by unique_id, in the unit of each series; NaN where it is zero (a constant series) or where no two
        values are a season apart (a short one).
    """
    values = []
    for series in range(len(panel)):
        history = panel.history(series)
        errors = np.abs(history[season:] - history[:-season])
        errors = errors[np.isfinite(errors)]
        mean = errors.mean() if len(errors) else 0.0
        values.append(mean if mean > 0 else np.nan)
    return pd.Series(values, index=panel.ids, dtype=np.float64)


def loss_table(frame: pd.DataFrame, models: Sequence[str], metric: Metric, scale: pd.Series) -> pd.DataFrame:
    """The mean statistic of each forecast of several models.

    Args:
        frame: A backtest.
        models: Which models' columns.
        metric: One of `METRICS`.
        scale: Of `scales`.

    Returns:
        Indexed by (unique_id, cutoff), a column a model. Forecasts without an observed value, and series without a
        scale where the metric needs one, are left out; a forecast that was not made is NaN.
    """
    y, factor, counts = _points(frame, metric, scale)
    statistics = {model: metric.statistic(y, frame[model].to_numpy(np.float64), factor)[counts] for model in models}
    return _by_forecast(frame[counts], pd.DataFrame(statistics))


def counted(frame: pd.DataFrame, scale: pd.Series) -> dict[str, int]:
    """Of how many series each metric is the mean, coverage included.

    Args:
        frame: A backtest.
        scale: Of `scales`.
    """
    series = {
        name: int(frame.loc[_points(frame, metric, scale)[2], "unique_id"].nunique())
        for name, metric in METRICS.items()
    }
    return {**series, "coverage": int(frame.loc[frame["y"].notna(), "unique_id"].nunique())}


def _points(frame: pd.DataFrame, metric: Metric, scale: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Observed values, the scales of their series, and which of them count."""
    y, factor = frame["y"].to_numpy(np.float64), frame["unique_id"].map(scale).to_numpy(np.float64)
    return y, factor, np.isfinite(metric.statistic(y, y, factor))


def losses(frame: pd.DataFrame, model: str, metric: Metric, scale: pd.Series) -> pd.Series:
    """The mean statistic of each forecast of one model: its column of `loss_table`."""
    return loss_table(frame, [model], metric, scale)[model]


def coverage(frame: pd.DataFrame, model: str, level: float) -> float:
    """Share of the observed values within an interval, bounds included: mean over forecasts, cutoffs, series.

    Args:
        frame: A backtest.
        model: Whose interval.
        level: In per cent.

    Returns:
        From 0 to 1; NaN where a bound is missing or nothing was observed.
    """
    return float(coverages(frame, [model], level)[model])


def coverages(frame: pd.DataFrame, models: Sequence[str], level: float) -> pd.Series:
    """The coverage of several models that all have this level; one number a model."""
    seen = frame[np.isfinite(frame["y"].to_numpy(np.float64))]
    y, inside = seen["y"].to_numpy(np.float64), {}
    for model in models:
        low, high = (seen[bound].to_numpy(np.float64) for bound in interval_columns(model, level))
        inside[model] = np.where(np.isnan(low) | np.isnan(high), np.nan, (low <= y) & (y <= high))
    return _over_series(_by_forecast(seen, pd.DataFrame(inside)))


def weighted_quantile_loss(frame: pd.DataFrame, model: str, levels: Sequence[float]) -> float:
    """2 Σ pinball loss / Σ |y| over all observed values, the mean over the median and the bounds of the levels.

    Of the median alone it is the sum of absolute errors in shares of the values (Park et al. 2022, as in GluonTS).

    Args:
        frame: A backtest.
        model: Whose quantiles.
        levels: In per cent.

    Returns:
        A share, 0 at best; NaN where a quantile is missing, nothing was observed, or nothing but zeros.
    """
    seen = frame[np.isfinite(frame["y"].to_numpy(np.float64))]
    y = seen["y"].to_numpy(np.float64)
    columns = {model: 0.5}
    for level in levels:
        low, high = interval_columns(model, level)
        columns |= {low: (1 - level / 100) / 2, high: (1 + level / 100) / 2}
    losses = []
    for column, probability in columns.items():
        error = y - seen[column].to_numpy(np.float64)
        losses.append(2 * np.maximum(probability * error, (probability - 1) * error).sum())
    size = np.abs(y).sum()
    return float(np.mean(losses) / size) if size else float("nan")


def score(frame: pd.DataFrame, models: Sequence[str], names: Sequence[str], scale: pd.Series) -> pd.DataFrame:
    """Scores of models; index: model, one column a metric."""
    table = {}
    for name in names:
        metric = METRICS[name]
        table[name] = _over_series(loss_table(frame, models, metric, scale), metric.finish)
    return pd.DataFrame(table, index=pd.Index(models, name="model"))


def score_one(frame: pd.DataFrame, model: str, metric: Metric, scale: pd.Series) -> float:
    """One score of one model."""
    return float(_over_series(loss_table(frame, [model], metric, scale), metric.finish)[model])


def _by_forecast(rows: pd.DataFrame, statistics: pd.DataFrame) -> pd.DataFrame:
    """Means over the steps of each forecast; the rows of both tables belong together by position."""
    keys = [pd.Series(rows[name].array, name=name) for name in ("unique_id", "cutoff")]
    return statistics.groupby(keys).mean(skipna=False)


def _over_series(
    by_forecast: pd.DataFrame, finish: Callable[[pd.DataFrame], pd.DataFrame] = lambda means: means
) -> pd.Series:
    """Means over the cutoffs of each series, finished, then over the series; one number a model."""
    return finish(by_forecast.groupby(level="unique_id").mean(skipna=False)).mean(skipna=False)
