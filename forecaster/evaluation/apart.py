"""Scores of series that a network knew little of: shorter than its lookback, or not in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecaster.evaluation.metrics import scales, score
from forecaster.series import Panel, training_windows

__all__ = ["LONG", "NEW", "SHORT", "kinds_of_series", "scored_apart"]

LONG, SHORT, NEW = "as long as the lookback", "shorter than the lookback", "not in training"


def kinds_of_series(fitting: Panel, ids: Sequence[str], lookback: int, horizon: int) -> pd.Series:
    """What a network could know of each series.

    Args:
        fitting: Of which it learnt.
        ids: Of series that it forecast.
        lookback: Steps that it sees.
        horizon: Steps that it forecasts.

    Returns:
        One of `LONG`, `SHORT` and `NEW` for each id: whether the series was as long as the lookback before the first
        forecast origin, and whether any of its windows was one to learn from.
    """
    learnt = {fitting.ids[number] for number in np.unique(training_windows(fitting, lookback, horizon).series)}
    lengths = dict(zip(fitting.ids, fitting.lengths, strict=True))
    kinds = [NEW if name not in learnt else SHORT if lengths[name] < lookback else LONG for name in ids]
    return pd.Series(kinds, index=pd.Index(ids, name="unique_id"))


def scored_apart(
    frame: pd.DataFrame, fitting: Panel, models: Sequence[str], metric: str, season: int, lookback: int, horizon: int
) -> pd.DataFrame:
    """Scores of each kind of series by itself.

    Args:
        frame: A backtest.
        fitting: What lies before it.
        models: Whose scores.
        metric: One of `METRICS`; sMAPE in its place where a kind has no score by it, as MASE of series without a past.
        season: Of MASE.
        lookback: Steps that networks see.
        horizon: Steps that they forecast.

    Returns:
        A row a kind: kind, series, forecasts, metric, and a column a model. No rows where all series are of one kind.
    """
    kinds = kinds_of_series(fitting, list(dict.fromkeys(frame["unique_id"])), lookback, horizon)
    parts = {kind: frame[frame["unique_id"].isin(kinds.index[kinds == kind])] for kind in (LONG, SHORT, NEW)}
    parts = {kind: part for kind, part in parts.items() if len(part)}
    if len(parts) < 2:
        return pd.DataFrame(columns=["kind", "series", "forecasts", "metric", *models])
    scale = scales(fitting, season)
    told, scores = metric, {kind: score(part, models, [metric], scale)[metric] for kind, part in parts.items()}
    if any(one.isna().all() for one in scores.values()):
        told, scores = "smape", {kind: score(part, models, ["smape"], scale)["smape"] for kind, part in parts.items()}
    rows = []
    for kind, part in parts.items():
        origins = len(part[["unique_id", "cutoff"]].drop_duplicates())
        said: dict[str, object] = {str(model): value for model, value in scores[kind].items()}
        rows.append({"kind": kind, "series": part["unique_id"].nunique(), "forecasts": origins, "metric": told, **said})
    return pd.DataFrame(rows)
