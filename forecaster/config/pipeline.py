"""A pipeline file: which data, how far ahead, which models, judged how, published when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    NonNegativeInt,
    PositiveInt,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from forecaster.config.data import FileData, Strict, TextData, TickerData
from forecaster.config.model import NETWORKS, RECURRENT, ModelDefinition, ModelKeys, Name
from forecaster.config.schedule import DaskDefinition, Schedule
from forecaster.config.symbols import SYMBOL_BASELINES, check_kind, with_defaults_of_kind

__all__ = [
    "CHEAP",
    "LEVELS",
    "MEMBERS",
    "NAIVE",
    "BacktestDefinition",
    "Baseline",
    "FileData",
    "Metric",
    "ModelVariant",
    "PipelineDefinition",
    "PromoteDefinition",
    "Rival",
    "TextData",
    "TickerData",
    "Transform",
]

Baseline = Literal[
    "naive", "seasonal_naive", "drift", "mean", "naive2", "ridge", "auto_ets", "theta", "auto_arima",
    "most_frequent", "last", "seasonal", "bigram", "ngram",
]  # fmt: skip
Metric = Literal[
    "mase", "smape", "rmse", "coverage", "wql", "direction",
    "log_loss", "accuracy", "top_3", "perplexity", "bits",
]  # fmt: skip
Rival = Literal[
    "champion", "naive", "seasonal_naive", "drift", "mean", "naive2", "ridge", "auto_ets", "theta", "auto_arima",
    "most_frequent", "last", "seasonal", "bigram", "ngram",
]  # fmt: skip
NAIVE: tuple[Baseline, ...] = ("naive", "seasonal_naive", "drift", "mean", "naive2")
"""The naive forecasts: what a network must beat to be published."""
CHEAP: tuple[Baseline, ...] = ("ridge", "auto_ets", "theta", "auto_arima")
"""Rivals that are no networks."""

LEVELS = (0.001, 99.999)
"""The narrowest and the widest interval, in per cent: beyond them a bound is the median, or nothing is beyond it."""
Level = Annotated[
    float, Field(ge=LEVELS[0], le=LEVELS[1], description="per cent of the outcomes that the interval should hold")
]
Transform = Literal["none", "log", "difference", "log_return", "auto"]


def _source(value: Any) -> str | None:
    source = value.get("source", "csv") if isinstance(value, Mapping) else getattr(value, "source", "csv")
    if source in ("ticker", "text"):
        return f"<{source}>"
    return "<file>" if source in ("csv", "parquet") else None


Data = Annotated[
    Annotated[FileData, Tag("<file>")] | Annotated[TickerData, Tag("<ticker>")] | Annotated[TextData, Tag("<text>")],
    Discriminator(
        _source,
        custom_error_type="source",
        custom_error_message="source should be 'csv', 'parquet', 'ticker' or 'text'",
    ),
]


class BacktestDefinition(Strict):
    """How the test part is cut into forecasts from a rolling origin."""

    windows: PositiveInt | Literal["auto"] = Field(default="auto", description="forecast origins in the test part")
    step: PositiveInt | Literal["auto"] = Field(
        default="auto", description="time steps between origins; auto: the horizon"
    )
    refit: bool = Field(default=False, description="fit again at every origin")


class PromoteDefinition(Strict):
    """When a network may be published."""

    metric: Literal["mase", "smape", "rmse", "log_loss"] = "mase"
    beat: Annotated[list[Rival], Field(min_length=1)] = Field(
        default=["champion", "naive", "seasonal_naive"],
        description="what a retrained network must beat significantly: the champion, and baselines of the pipeline; "
        "of symbols by default all of them",
    )
    significance: float = Field(default=0.05, gt=0, lt=1, description="level of the Diebold-Mariano test")
    min_windows: Annotated[int, Field(ge=3)] = Field(
        default=14, description="fewest forecast origins on which champion and challenger are compared"
    )
    refit: bool = Field(default=False, description="fit the winner once more on all data before it is published")


class ModelVariant(BaseModel):
    """A model in `models/`, with some of its keys changed: `{extends: lstm, steps: 300}`."""

    model_config = ConfigDict(extra="allow", frozen=True)

    extends: str = Field(description="name of a file in models/, or a path")

    @model_validator(mode="after")
    def _changes_keys_of_a_model(self) -> ModelVariant:
        ModelKeys.model_validate({"network": NETWORKS[0], **(self.model_extra or {})})
        return self


def _entry(value: Any) -> str | None:
    if isinstance(value, str):
        return "<name>"
    if isinstance(value, ModelVariant) or (isinstance(value, Mapping) and "extends" in value):
        return "<variant>"
    return "<definition>" if isinstance(value, Mapping | ModelDefinition) else None


Entry = Annotated[
    Annotated[str, Tag("<name>")]
    | Annotated[ModelVariant, Tag("<variant>")]
    | Annotated[ModelDefinition, Tag("<definition>")],
    Discriminator(
        _entry,
        custom_error_type="entry",
        custom_error_message="should be a name in models/, a path, or a mapping with `network` or `extends`",
    ),
]
Executor = Annotated[
    Annotated[Literal["local"], Tag("<local>")] | Annotated[DaskDefinition, Tag("<dask>")],
    Discriminator(
        lambda value: (
            "<dask>" if isinstance(value, Mapping | DaskDefinition) else "<local>" if value == "local" else None
        ),
        custom_error_type="executor",
        custom_error_message='should be local, or {dask: "tcp://scheduler:8786"}',
    ),
]
Season = PositiveInt | Annotated[list[PositiveInt], Field(min_length=1)] | Literal["auto"]

MEMBERS: Mapping[str, tuple[type[BaseModel], ...]] = {
    "<file>": (FileData,),
    "<ticker>": (TickerData,),
    "<text>": (TextData,),
    "<local>": (),
    "<dask>": (DaskDefinition,),
    "<variant>": (ModelVariant, ModelDefinition),
    "<definition>": (ModelVariant, ModelDefinition),
}
"""The classes whose keys a mapping may have, by the tags that pydantic puts into the places of errors."""


class PipelineDefinition(BaseModel):
    """A pipeline file; only `data` and `horizon` must be given.

    Units: `horizon`, `lookback`, `season`, `metric_season` and the backtest's `step` are in time steps, `levels` in
    per cent.

    Example:
        >>> PipelineDefinition(data={"path": "demand.csv"}, horizon=48).levels
        [80.0, 95.0]
    """

    model_config = Strict.model_config

    name: Name | None = Field(default=None, description="names the published model; the file's name by default")
    data: Data
    horizon: PositiveInt = Field(description="time steps to forecast")
    lookback: PositiveInt | Literal["auto"] = Field(default="auto", description="time steps that a network sees")
    season: Season = Field(default="auto", description="season or seasons of the data, in time steps")
    metric_season: PositiveInt | Literal["auto"] = Field(
        default="auto", description="season of MASE and Naive2; auto: M4's, and 1 for MASE where no series is longer"
    )
    levels: Annotated[list[Level], Field(min_length=1)] = [80.0, 95.0]
    models: Annotated[list[Entry], Field(min_length=1)] = [*RECURRENT]
    baselines: Annotated[list[Baseline], Field(min_length=1)] = [*NAIVE, "ridge"]
    backtest: BacktestDefinition = BacktestDefinition()
    validation: PositiveInt | Literal["auto"] = Field(
        default="auto", description="forecast origins held out of the training part for early stopping and the choice"
    )
    transform: Transform = Field(
        default="auto",
        description="what the network sees; auto: log_return for prices of tickers, else log where changes grow with "
        "the level, else none",
    )
    metrics: Annotated[list[Metric], Field(min_length=1)] = ["mase", "smape", "rmse", "coverage", "wql"]
    seed: NonNegativeInt = 1
    warm_start: bool = Field(default=False, description="go on from the weights of the version that is published")
    promote: PromoteDefinition = Field(default=PromoteDefinition(), validate_default=True)
    keep: PositiveInt = Field(default=5, description="published versions, and as many challengers, to keep")
    schedule: Schedule | None = Field(default=None, description="when to retrain: a line of cron, in UTC; or a mapping")
    executor: Executor = Field(
        default="local", description="where groups, folds and trials are fitted, and retraining is done"
    )
    devices: PositiveInt | Literal["all"] = Field(
        default=1, description="GPUs (or logical CPU devices) of one machine that a network learns on"
    )

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_kind(cls, content: Any) -> Any:
        return with_defaults_of_kind(content) if isinstance(content, Mapping) else content

    @property
    def symbolic(self) -> bool:
        """Whether what is forecast are symbols."""
        return getattr(self.data, "kind", "numbers") == "symbols"

    @property
    def split(self) -> bool:
        """Whether there is a model for each of several groups of series."""
        return isinstance(self.data, FileData) and self.data.groups is not None and self.data.groups.split

    @field_validator("baselines", "metrics", "transform", "promote")
    @classmethod
    def _of_the_kind(cls, value: Any, info: ValidationInfo) -> Any:
        data = info.data.get("data")
        return value if data is None else check_kind(value, str(info.field_name), getattr(data, "kind", "numbers"))

    @field_validator("levels", "baselines", "metrics")
    @classmethod
    def _each_once(cls, values: list[Any]) -> list[Any]:
        if doubled := [value for place, value in enumerate(values) if value in values[:place]]:
            raise ValueError(f"{doubled[0]} is there twice; write each once")
        return values

    @field_validator("baselines")
    @classmethod
    def _some_naive(cls, baselines: list[Baseline]) -> list[Baseline]:
        if not set(baselines) & {*NAIVE, *SYMBOL_BASELINES}:
            raise ValueError(f"no naive forecast to compare with; add one of {', '.join(NAIVE)}")
        return baselines

    @field_validator("promote")
    @classmethod
    def _by_a_metric_that_is_measured(cls, promote: PromoteDefinition, info: ValidationInfo) -> PromoteDefinition:
        metrics = info.data.get("metrics")
        if metrics and promote.metric not in metrics:
            raise ValueError(
                f"metric {promote.metric!r} is not among metrics {metrics}; add it there, or write another here"
            )
        return promote

    @field_validator("promote")
    @classmethod
    def _rivals_that_run(cls, promote: PromoteDefinition, info: ValidationInfo) -> PromoteDefinition:
        baselines: list[str] = info.data.get("baselines") or []
        absent = [name for name in promote.beat if name != "champion" and name not in baselines]
        if not absent or not baselines:
            return promote
        if "beat" in promote.model_fields_set:
            raise ValueError(f"beat names {absent[0]!r}, which is not among baselines {baselines}; add it there")
        there: list[str] = [name for name in promote.beat if name in baselines]
        there = there or [name for name in (*NAIVE, *SYMBOL_BASELINES) if name in baselines]
        return promote.model_copy(update={"beat": ["champion", *there]})
