"""A pipeline file: which data, how far ahead, which models, judged how, published when."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    model_validator,
)

from forecaster.config.model import ModelDefinition, Name

__all__ = [
    "NAIVE",
    "BacktestDefinition",
    "Baseline",
    "FileData",
    "Metric",
    "ModelVariant",
    "PipelineDefinition",
    "PromoteDefinition",
    "TickerData",
]

Baseline = Literal["naive", "seasonal_naive", "drift", "mean", "naive2", "ridge"]
Metric = Literal["mase", "smape", "rmse", "coverage"]
NAIVE: tuple[Baseline, ...] = ("naive", "seasonal_naive", "drift", "mean", "naive2")
"""The naive forecasts: what a network must beat to be published."""

Level = Annotated[float, Field(gt=0, lt=100, description="per cent of the outcomes that the interval should hold")]


class Strict(BaseModel):
    """Unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FileData(Strict):
    """A CSV or Parquet file in long form: one row a series and time stamp."""

    source: Literal["csv", "parquet"] = "csv"
    path: str = Field(description="relative to the working directory, else to the pipeline file")
    id: str | None = Field(None, description="column that names the series; omit for one series")
    time: str = Field("ds", description="column of time stamps, or of whole numbers")
    target: str = Field("y", description="column to forecast")
    freq: str | PositiveInt | None = Field(
        None, description="pandas alias (30min, D, MS), an exchange (XNYS), or a whole step; omit to infer"
    )
    missing: Literal["mask", "error"] = Field("mask", description="what to do with gaps in the target")
    known: list[str] = Field([], description="covariates that are known over the horizon")
    past: list[str] = Field([], description="covariates that are known up to the cutoff")
    static: list[str] = Field([], description="covariates with one value a series")
    ignore: list[str] = Field([], description="columns to leave out")
    time_format: str | None = Field(None, description="strptime format of the stamps, where they are not ISO 8601")
    clock: Literal["auto", "shared", "own"] = Field(
        "auto", description="shared: series are cut at the same dates; own: each from its own end (auto: whole numbers)"
    )


class TickerData(Strict):
    """Daily (or finer) price history by yfinance, kept as a snapshot."""

    source: Literal["ticker"]
    symbols: Annotated[list[str], Field(min_length=1)]
    start: dt.date | None = None
    end: dt.date | None = None
    interval: str = "1d"
    adjusted: bool = Field(True, description="prices adjusted for splits and dividends")
    target: Literal["Open", "High", "Low", "Close", "Volume"] = "Close"
    freq: str | None = Field(None, description="exchange (XNYS) whose sessions the series is indexed by; omit to infer")
    past: list[Literal["Open", "High", "Low", "Close", "Volume"]] = Field([], description="further columns as inputs")
    offline: bool = Field(False, description="use the last snapshot and no network")


def _source(value: Any) -> str:
    source = value.get("source", "csv") if isinstance(value, dict) else getattr(value, "source", "csv")
    return "ticker" if source == "ticker" else "file"


Data = Annotated[
    Annotated[FileData, Tag("file")] | Annotated[TickerData, Tag("ticker")],
    Discriminator(_source),
]


class BacktestDefinition(Strict):
    """How the test part is cut into forecasts from a rolling origin."""

    windows: PositiveInt | Literal["auto"] = Field("auto", description="forecast origins in the test part")
    step: PositiveInt | Literal["auto"] = Field("auto", description="time steps between origins; auto: the horizon")
    refit: bool = Field(False, description="fit again at every origin")


class PromoteDefinition(Strict):
    """When a network may be published."""

    metric: Literal["mase", "smape", "rmse"] = "mase"
    significance: float = Field(0.05, gt=0, lt=1, description="level of the Diebold-Mariano test")
    refit: bool = Field(False, description="fit the winner once more on all data before it is published")


class ModelVariant(BaseModel):
    """A model in `models/`, with some of its keys changed: `{extends: lstm, steps: 300}`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    extends: str = Field(description="name of a file in models/, or a path")


Season = PositiveInt | Annotated[list[PositiveInt], Field(min_length=1)] | Literal["auto"]


class PipelineDefinition(Strict):
    """A pipeline file; only `data` and `horizon` must be given.

    Units: `horizon`, `lookback`, `season`, `metric_season` and the backtest's `step` are in time steps, `levels` in per cent.

    Example:
        >>> PipelineDefinition(data={"path": "demand.csv"}, horizon=48).levels
        [80.0, 95.0]
    """

    name: Name | None = Field(None, description="names the published model; the file's name by default")
    data: Data
    horizon: PositiveInt = Field(description="time steps to forecast")
    lookback: PositiveInt | Literal["auto"] = Field("auto", description="time steps that a network sees")
    season: Season = Field("auto", description="season or seasons of the data, in time steps")
    metric_season: PositiveInt | Literal["auto"] = Field("auto", description="season of MASE and Naive2; auto: M4's")
    levels: Annotated[list[Level], Field(min_length=1)] = [80.0, 95.0]
    models: Annotated[list[str | ModelVariant | ModelDefinition], Field(min_length=1)] = [
        "simple_rnn",
        "lstm",
        "gru",
        "custom_lstm",
    ]
    baselines: Annotated[list[Baseline], Field(min_length=1)] = [*NAIVE, "ridge"]
    backtest: BacktestDefinition = BacktestDefinition()
    validation: PositiveInt | Literal["auto"] = Field(
        "auto", description="forecast origins held out of the training part for early stopping and the choice"
    )
    transform: Literal["none", "log", "difference", "log_return", "auto"] = Field(
        "auto", description="what the network sees; auto: log_return for tickers, none for files"
    )
    metrics: Annotated[list[Metric], Field(min_length=1)] = ["mase", "smape", "rmse", "coverage"]
    seed: NonNegativeInt = 1
    promote: PromoteDefinition = PromoteDefinition()
    keep: PositiveInt = Field(5, description="published versions to keep")

    @model_validator(mode="after")
    def _consistent(self) -> PipelineDefinition:
        if len(set(self.levels)) < len(self.levels):
            raise ValueError(f"levels: {self.levels} names a level twice; write each once")
        if not set(self.baselines) & set(NAIVE):
            raise ValueError(
                f"baselines: {self.baselines} has no naive forecast to compare with; add one of {', '.join(NAIVE)}"
            )
        if self.promote.metric not in self.metrics:
            raise ValueError(
                f"promote.metric: {self.promote.metric!r} is not among metrics {self.metrics}; add it there"
            )
        return self
