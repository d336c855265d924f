"""Metrics: a pure statistic of each forecast and its aggregation, both stated wherever a score is shown.

Every metric is a mean over the steps of a forecast, then over the cutoffs of a series, then over the series, of a
pointwise statistic; steps without an observed value do not count.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecaster.forecasting.protocol import interval_columns
from forecaster.series import Panel

__all__ = ["METRICS", "Metric", "coverage", "definitions", "losses", "scales", "score"]


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
    statistic: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
    finish: Callable[[pd.Series], pd.Series] = lambda means: means


def _smape(y: np.ndarray, forecast: np.ndarray, scale: np.ndarray) -> np.ndarray:
    size = np.abs(y) + np.abs(forecast)
    return 200 * np.abs(y - forecast) / np.where(size > 0, size, 1.0)


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "mase",
            "MASE: mean absolute error / mean absolute error of the seasonal naive forecast with season {season} within "
            "the fitting part (Hyndman and Koehler 2006, as in M4). Below 1: better than that forecast was there.",
            lambda y, forecast, scale: np.abs(y - forecast) / scale,
        ),
        Metric(
            "smape",
            "sMAPE: mean of 200 |y − f| / (|y| + |f|), as in M4; from 0 to 200.",
            _smape,
        ),
        Metric(
            "rmse",
            "RMSE: root of the mean squared error of each series, in its own unit, then the mean over the series.",
            lambda y, forecast, scale: (y - forecast) ** 2,
            np.sqrt,
        ),
    )
}

COVERAGE = "Coverage: share of the observed values that lie within the interval; it should be the interval's level."
SKILL = "Skill: 1 − error / error of the best naive forecast of this run; above 0: better than all of them."


def definitions(season: int) -> dict[str, str]:
    """What each column of a leaderboard means, to be shown beside it."""
    named = {name: metric.definition.format(season=season) for name, metric in METRICS.items()}
    return {**named, "coverage": COVERAGE, "skill": SKILL}


def scales(panel: Panel, season: int) -> pd.Series:
    """The scale of MASE: in-sample mean absolute error of the seasonal naive forecast, by series.

    Args:
        panel: The fitting part.
        season: In time steps.

    Returns:
        Indexed by unique_id; NaN where it is zero or nothing can be compared (a constant series, a too short one).
    """
    values = []
    for series in range(len(panel)):
        history = panel.history(series)
        errors = np.abs(history[season:] - history[:-season])
        errors = errors[np.isfinite(errors)]
        values.append(errors.mean() if len(errors) and errors.mean() > 0 else np.nan)
    return pd.Series(values, index=panel.ids)


def losses(frame: pd.DataFrame, model: str, metric: Metric, scale: pd.Series) -> pd.Series:
    """The mean statistic of each forecast.

    Args:
        frame: A backtest.
        model: Which model's column.
        metric: One of `METRICS`.
        scale: Of `scales`.

    Returns:
        Indexed by (unique_id, cutoff); forecasts without an observed value are left out.
    """
    factor = frame["unique_id"].map(scale).to_numpy()
    statistic = metric.statistic(frame["y"].to_numpy(), frame[model].to_numpy(), factor)
    return _by_forecast(frame, statistic)


def coverage(frame: pd.DataFrame, model: str, level: float) -> float:
    """Share of the observed values within an interval: mean over forecasts, cutoffs, series."""
    low, high = interval_columns(model, level)
    y = frame["y"].to_numpy()
    inside = ((frame[low].to_numpy() <= y) & (y <= frame[high].to_numpy())).astype(float)
    return _over_series(_by_forecast(frame, np.where(np.isfinite(y), inside, np.nan)))


def score(frame: pd.DataFrame, models: Sequence[str], names: Sequence[str], scale: pd.Series) -> pd.DataFrame:
    """Scores of models; index: model, one column a metric."""
    table = {name: [score_one(frame, model, METRICS[name], scale) for model in models] for name in names}
    return pd.DataFrame(table, index=pd.Index(models, name="model"))


def score_one(frame: pd.DataFrame, model: str, metric: Metric, scale: pd.Series) -> float:
    """One score of one model."""
    by_series = losses(frame, model, metric, scale).groupby(level="unique_id").mean()
    return float(metric.finish(by_series).mean())


def _by_forecast(frame: pd.DataFrame, statistic: np.ndarray) -> pd.Series:
    means = pd.Series(statistic).groupby([frame["unique_id"].to_numpy(), frame["cutoff"].array]).mean().dropna()
    return means.rename_axis(["unique_id", "cutoff"])


def _over_series(by_forecast: pd.Series) -> float:
    return float(by_forecast.groupby(level="unique_id").mean().mean())
