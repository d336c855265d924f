"""Recurrent Keras networks for time series, judged honestly against naive forecasts, exported and kept trained.

Example:
    >>> import forecaster
    >>> panel = forecaster.read_csv("data/energy_demand.csv", target="demand")       # doctest: +SKIP
    >>> lstm = forecaster.RecurrentForecaster("lstm", horizon=48)                    # doctest: +SKIP
    >>> naive = forecaster.NaiveForecaster(forecaster.seasonal_naive, 48, season=48) # doctest: +SKIP
    >>> scores = forecaster.backtest([lstm, naive], panel, windows=14)               # doctest: +SKIP
    >>> print(forecaster.leaderboard(scores, panel))                                 # doctest: +SKIP

Importing the package loads neither TensorFlow nor pandas: names are looked up when they are used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from forecaster.config import ModelDefinition, PipelineDefinition, Project, read_model, read_pipeline
    from forecaster.errors import ForecasterError
    from forecaster.evaluation import backtest, leaderboard
    from forecaster.forecasting.baselines import NaiveForecaster, drift, mean, naive, naive2, seasonal_naive
    from forecaster.forecasting.inspection import Inspection, inspect
    from forecaster.forecasting.protocol import Forecaster
    from forecaster.forecasting.published import PublishedForecaster
    from forecaster.forecasting.recurrent import RecurrentForecaster
    from forecaster.forecasting.ridge import RidgeForecaster
    from forecaster.pipeline.run import run
    from forecaster.series import Panel, panel_from_frame, read_csv, read_parquet
    from forecaster.store import Store

__all__ = [
    "Forecaster",
    "ForecasterError",
    "Inspection",
    "ModelDefinition",
    "NaiveForecaster",
    "Panel",
    "PipelineDefinition",
    "Project",
    "PublishedForecaster",
    "RecurrentForecaster",
    "RidgeForecaster",
    "Store",
    "backtest",
    "drift",
    "inspect",
    "leaderboard",
    "mean",
    "naive",
    "naive2",
    "panel_from_frame",
    "read_csv",
    "read_model",
    "read_parquet",
    "read_pipeline",
    "run",
    "seasonal_naive",
]

_ROOMS = {
    "config": ("ModelDefinition", "PipelineDefinition", "Project", "read_model", "read_pipeline"),
    "errors": ("ForecasterError",),
    "evaluation": ("backtest", "leaderboard"),
    "forecasting.baselines": ("NaiveForecaster", "drift", "mean", "naive", "naive2", "seasonal_naive"),
    "forecasting.inspection": ("Inspection", "inspect"),
    "forecasting.protocol": ("Forecaster",),
    "forecasting.published": ("PublishedForecaster",),
    "forecasting.recurrent": ("RecurrentForecaster",),
    "forecasting.ridge": ("RidgeForecaster",),
    "pipeline": ("run",),
    "series": ("Panel", "panel_from_frame", "read_csv", "read_parquet"),
    "store": ("Store",),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'forecaster' has no attribute {name!r}")
    return getattr(importlib.import_module(f"forecaster.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
