"""The leaderboard: networks and baselines in one table, each beside the naive forecast."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from forecaster.config.arguments import whole
from forecaster.config.pipeline import CHEAP, NAIVE
from forecaster.errors import ForecasterError
from forecaster.evaluation.metrics import METRICS, coverages, scale_season, scales, score, weighted_quantile_loss
from forecaster.evaluation.significance import curves, diebold_mariano, holm
from forecaster.forecasting.protocol import interval_columns
from forecaster.series import Panel

__all__ = ["is_naive", "kind_of", "leaderboard", "models_of"]

KEYS = ("unique_id", "ds", "cutoff", "y")
LOWER = re.compile(r"(.+)-lo-(\d+(?:\.\d+)?)")
SEASONAL = re.compile(r"seasonal_naive_\d+")


def models_of(frame: pd.DataFrame) -> list[str]:
    """Names of the models in a forecast frame; a bound of an interval is known by its model and its other bound.

    Example:
        >>> models_of(pd.DataFrame(columns=["unique_id", "ds", "cutoff", "y", "gru", "gru-lo-80", "gru-hi-80"]))
        ['gru']
    """
    levels = _levels(frame)
    bounds = {bound for model in levels for level in levels[model] for bound in interval_columns(model, level)}
    return [column for column in frame.columns if column not in KEYS and column not in bounds]


def _levels(frame: pd.DataFrame) -> dict[str, list[float]]:
    """The intervals' levels of each column that has any."""
    columns = set(frame.columns)
    levels: dict[str, list[float]] = {}
    for lower in filter(None, (LOWER.fullmatch(str(column)) for column in frame.columns)):
        model, level = lower[1], float(lower[2])
        if {model, *interval_columns(model, level)} <= columns:
            levels.setdefault(model, []).append(level)
    return levels


def is_naive(model: str) -> bool:
    """Whether a model is one of the naive forecasts; `seasonal_naive_336` is a seasonal naive one, too."""
    return model in NAIVE or SEASONAL.fullmatch(model) is not None


def kind_of(model: str, networks: Sequence[str]) -> str:
    """`network`, `naive` or `rival`."""
    if model in networks:
        return "network"
    return "naive" if is_naive(model) else "rival"


def leaderboard(
    frame: pd.DataFrame,
    panel: Panel,
    *,
    metrics: Sequence[str] = ("mase", "smape", "rmse", "coverage", "wql"),
    rank_by: str = "mase",
    season: int | None = None,
    networks: Sequence[str] | None = None,
    significance: float = 0.05,
    overlap: int | None = None,
    seconds: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Scores a backtest: every model beside the naive forecasts, with the significance of the difference.

    Args:
        frame: A backtest of networks and baselines together.
        panel: All data; MASE takes its scale from what lies up to each series' first cutoff.
        metrics: Columns to show.
        rank_by: The metric by which models are sorted, skill and significance are computed.
        season: Of MASE; by default M4's, or 1 where no series is longer up to its first cutoff.
        networks: Which models are networks; by default all that are neither naive nor one of `CHEAP`.
        significance: Level of the test.
        overlap: How many successive forecasts share targets: horizon / step, rounded up; counted by default.
        seconds: Time that each model took to fit.

    Returns:
        A row a model, best first: model, kind, the metrics (`coverage-80`, … for each level; `wql`), skill, seconds,
        p (Holm-corrected, one-sided: is it better than each of the naive forecasts?), significant. A model that
        left out a forecast has NaN for a score and stands last.

    Raises:
        DefinitionError: `season` or `overlap` is no whole number from one on.
        ForecasterError: A metric is not known.
    """
    _check_metrics(metrics, rank_by)
    fitting = _up_to(frame, panel)
    season = scale_season(fitting) if season is None else whole("season", season)
    models, scale = models_of(frame), scales(fitting, season)
    networks = [m for m in models if not is_naive(m) and m not in CHEAP] if networks is None else networks
    kinds = [kind_of(model, networks) for model in models]
    naive = [model for model, kind in zip(models, kinds, strict=True) if kind == "naive"]
    points = list(dict.fromkeys([rank_by, *(name for name in metrics if name in METRICS)]))
    table = score(frame, models, points, scale)
    if "coverage" in metrics:
        table = table.join(_coverages(frame, models))
    if "wql" in metrics:
        table["wql"] = _quantile_losses(frame, models)
    table["skill"] = 1 - table[rank_by] / table.loc[naive, rank_by].min()
    table["seconds"] = [(seconds or {}).get(model, np.nan) for model in models]
    course = curves(frame, models, METRICS[rank_by], scale, panel.shared_clock)
    shared = _overlap(frame) if overlap is None else whole("overlap", overlap)
    table["p"] = holm([_beats_all(course, model, naive, shared) for model in models])
    table["significant"] = table["p"] < significance
    table.insert(0, "kind", kinds)
    return table.sort_values(rank_by, kind="stable").reset_index()


def _up_to(frame: pd.DataFrame, panel: Panel) -> Panel:
    """The fitting part of a backtest: each series up to its first cutoff, on a shared clock all up to the first."""
    first = frame.groupby("unique_id")["cutoff"].min()
    first = first[first.index.isin(panel.ids)]
    ticks = pd.Series(panel.ticks(pd.Index(first)), index=first.index)
    borders = np.full(len(panel), ticks.min()) if panel.shared_clock else ticks.reindex(panel.ids).to_numpy()
    return panel.until(np.where(np.isnan(borders), panel.last, borders).astype(np.int64))


def _check_metrics(metrics: Sequence[str], rank_by: str) -> None:
    for name in (*metrics, rank_by):
        if name not in METRICS and (name not in ("coverage", "wql") or name == rank_by):
            known = ", ".join(METRICS)
            raise ForecasterError(f"no metric {name!r} to rank by or show: write {known}, or coverage or wql to show")


def _coverages(frame: pd.DataFrame, models: Sequence[str]) -> pd.DataFrame:
    """Coverage of each level that any model has; NaN for models without it."""
    levels = _levels(frame)
    having: dict[float, list[str]] = {}
    for model in models:
        for level in levels.get(model, ()):
            having.setdefault(level, []).append(model)
    shares = {f"coverage-{level:g}": coverages(frame, having[level], level) for level in sorted(having)}
    return pd.DataFrame(shares, index=pd.Index(models, name="model"))


def _quantile_losses(frame: pd.DataFrame, models: Sequence[str]) -> list[float]:
    """The weighted quantile loss of models that have all levels that any has; NaN for the others."""
    levels = _levels(frame)
    every = sorted({level for model in models for level in levels.get(model, ())})
    complete = [bool(every) and sorted(levels.get(model, ())) == every for model in models]
    return [
        weighted_quantile_loss(frame, model, every) if whole else np.nan
        for model, whole in zip(models, complete, strict=True)
    ]


def _overlap(frame: pd.DataFrame) -> int:
    """The largest number of cutoffs that forecast the same value."""
    return int(frame.groupby(["unique_id", "ds"]).size().max())


def _beats_all(course: pd.DataFrame, model: str, naive: Sequence[str], overlap: int) -> float:
    """P-value that a model beats every naive forecast, the largest of the single ones; NaN for a naive one."""
    if model in naive or not naive:
        return float("nan")
    own = course[model].to_numpy()
    return max(diebold_mariano(own, course[rival].to_numpy(), overlap) for rival in naive)
