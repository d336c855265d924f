"""The leaderboard: networks and baselines in one table, each beside the naive forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from forecaster.config.pipeline import NAIVE
from forecaster.evaluation.metrics import METRICS, coverage, scales, score
from forecaster.evaluation.significance import by_cutoff, diebold_mariano, holm
from forecaster.forecasting.protocol import interval_columns
from forecaster.series import Panel, metric_season

__all__ = ["is_naive", "kind_of", "leaderboard", "models_of"]

KEYS = ("unique_id", "ds", "cutoff", "y")


def models_of(frame: pd.DataFrame) -> list[str]:
    """Names of the models in a forecast frame.

    Example:
        >>> models_of(pd.DataFrame(columns=["unique_id", "ds", "cutoff", "y", "lstm", "lstm-lo-80", "lstm-hi-80"]))
        ['lstm']
    """
    columns = [column for column in frame.columns if column not in KEYS]
    bounds = {
        bound
        for model in columns
        for level in _levels(columns, model)
        for bound in interval_columns(model, level)
    }
    return [column for column in columns if column not in bounds]


def _levels(columns: Sequence[str], model: str) -> list[float]:
    start = f"{model}-lo-"
    ends = (column.removeprefix(start) for column in columns if column.startswith(start))
    return sorted(float(end) for end in ends if end.replace(".", "", 1).isdigit())


def is_naive(model: str) -> bool:
    """Whether a model is one of the naive forecasts; `seasonal_naive_336` is a seasonal naive one, too."""
    return model in NAIVE or model.rpartition("_")[0] == "seasonal_naive"


def kind_of(model: str, networks: Sequence[str]) -> str:
    """`network`, `naive` or `rival`."""
    if model in networks:
        return "network"
    return "naive" if is_naive(model) else "rival"


def leaderboard(
    frame: pd.DataFrame,
    fitted_on: Panel,
    *,
    metrics: Sequence[str] = ("mase", "smape", "rmse", "coverage"),
    rank_by: str = "mase",
    season: int | None = None,
    networks: Sequence[str] | None = None,
    significance: float = 0.05,
    overlap: int = 1,
    seconds: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Scores a backtest: every model beside the naive forecasts, with the significance of the difference.

    Args:
        frame: A backtest of networks and baselines together.
        fitted_on: The fitting part, from which MASE takes its scale.
        metrics: Columns to show.
        rank_by: The metric by which models are sorted, skill and significance are computed.
        season: Of MASE; M4's by default.
        networks: Which models are networks; by default all that are neither naive nor `ridge`.
        significance: Level of the test.
        overlap: How many successive forecasts share targets: horizon / step, rounded up.
        seconds: Time that each model took to fit.

    Returns:
        A row a model, best first: model, kind, the metrics (`coverage-80`, … for each level), skill, seconds,
        p (Holm-corrected, one-sided: is it better than each of the naive forecasts?), significant.
    """
    scale = scales(fitted_on, season or metric_season(fitted_on.calendar))
    models = models_of(frame)
    networks = [m for m in models if not is_naive(m) and m != "ridge"] if networks is None else networks
    points = list(dict.fromkeys([rank_by, *(name for name in metrics if name in METRICS)]))
    table = score(frame, models, points, scale)
    if "coverage" in metrics:
        for level in _levels(list(frame.columns), models[0]):
            table[f"coverage-{level:g}"] = [coverage(frame, model, level) for model in models]
    naive = [model for model in models if is_naive(model)]
    table["skill"] = 1 - table[rank_by] / table.loc[naive, rank_by].min()
    table["seconds"] = [(seconds or {}).get(model, np.nan) for model in models]
    curves = {m: by_cutoff(frame, m, METRICS[rank_by], scale, fitted_on.shared_clock) for m in models}
    table["p"] = holm([_beats_all(curves, model, naive, overlap) for model in models])
    table["significant"] = table["p"] < significance
    table.insert(0, "kind", [kind_of(model, networks) for model in models])
    return table.sort_values(rank_by, kind="stable").reset_index()


def _beats_all(curves: Mapping[str, pd.Series], model: str, naive: Sequence[str], overlap: int) -> float:
    """P-value that a model beats every naive forecast: the largest of the single ones. NaN for a naive one."""
    if model in naive or not naive:
        return float("nan")
    pairs = [curves[model].align(curves[rival], join="inner") for rival in naive]
    return max(diebold_mariano(own.to_numpy(), other.to_numpy(), overlap) for own, other in pairs)
