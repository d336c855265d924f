"""What `POST /api/forecast/{name}` takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
import orjson
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, model_validator

from forecaster.forecasting.protocol import interval_columns
from forecaster.series.stamps import written
from forecaster.serving.models import CHAMPION, Loaded
from forecaster.serving.observations import Rows
from forecaster.serving.symbol_answers import SymbolStep, steps_of
from forecaster.store import Manifest

__all__ = ["BODY", "Aside", "ForecastAnswer", "ForecastRequest", "Which", "answer"]

Which = Annotated[int, Field(ge=1, lt=2**53)] | Literal["champion", "previous"]
"""A version by its number or its label."""


class ForecastRequest(BaseModel):
    """What is to be forecast; all of it may be left out.

    Attributes:
        observations: Recent rows with the columns of the training data, as a list of rows or a mapping of columns;
            without them the training data are read as they are now.
        text: For a version that was trained on a text: what is to be gone on from.
        symbols: The same, symbol by symbol; null where one is missing.
        known: Rows of the known covariates over the horizon.
        levels: Intervals in per cent; all trained ones by default.
        top: Of symbols, how many of the likeliest are named for a step; three by default.
        start: Time stamp of the first step; by default the one after the last observation. A gap is forecast through.
        version: Its number, or `champion` (by default) or `previous`.
    """

    model_config = ConfigDict(extra="forbid")

    observations: Rows | None = None
    text: str | None = None
    symbols: list[str | None] | None = None
    known: Rows | None = None
    levels: list[Annotated[float, Field(gt=0, lt=100)]] | None = None
    top: Annotated[int, Field(ge=1, le=1000)] | None = None
    start: str | int | None = None
    version: Which = CHAMPION

    @model_validator(mode="after")
    def _from_one_place(self) -> ForecastRequest:
        given = [name for name in ("observations", "text", "symbols") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"{given[0]} and {given[1]} are both there; send one of them")
        return self


class Step(BaseModel):
    """The forecast of one step of one series.

    Attributes:
        unique_id: The series.
        ds: When, as a time stamp or a whole number.
        cutoff: The last time stamp that the forecast has seen.
        forecast: The median, in the data's own units.
        intervals: Lower and upper bound by level in per cent.
    """

    unique_id: str
    ds: str | int
    cutoff: str | int
    forecast: float
    intervals: dict[str, tuple[float, float]]


class ForecastAnswer(BaseModel):
    """Forecasts, and who made them.

    Attributes:
        unknown: Of symbols, those among the recent ones that the version does not know, and categories of known
            covariates, as late=YES; it reads them as unknown, and as none of the categories.
        left_out: Series that are not forecast, since their known covariates do not reach over all that is to be
            forecast; absent where there are none. Where that holds for every series, the request is refused.
    """

    name: str
    version: int
    model: str
    frequency: str
    unknown: list[str] | None = None
    left_out: list[str] | None = None
    forecasts: list[Step] | list[SymbolStep]


BODY: dict[str, Any] = {
    "requestBody": {
        "required": False,
        "content": {
            "application/json": {
                "schema": ForecastRequest.model_json_schema(ref_template="#/components/schemas/{model}")
            },
            "text/csv": {"schema": {"type": "string"}},
            "text/plain": {"schema": {"type": "string"}},
        },
    }
}


@dataclass(frozen=True)
class Aside:
    """What is said beside the forecasts; see `ForecastAnswer`."""

    unknown: Sequence[str]
    left_out: Sequence[str]


def answer(loaded: Loaded, name: str, frame: pd.DataFrame, aside: Aside) -> bytes:
    """The answer as JSON.

    Args:
        loaded: The version that answers.
        name: The model's.
        frame: Its forecasts.
        aside: What is said beside them.
    """
    manifest = loaded.version.manifest
    stamps, cutoffs = written(frame["ds"]), written(frame["cutoff"])
    told: dict[str, Any] = {"name": name, "version": loaded.number, "model": manifest.model}
    told["frequency"] = manifest.frequency["name"]
    if aside.left_out:
        told["left_out"] = aside.left_out
    if manifest.vocabulary:
        told |= {"unknown": aside.unknown, "forecasts": steps_of(frame, manifest.model, stamps, cutoffs)}
    else:
        told["forecasts"] = _steps(frame, manifest, stamps, cutoffs)
    return orjson.dumps(told, option=orjson.OPT_SERIALIZE_NUMPY)


def _steps(frame: pd.DataFrame, manifest: Manifest, stamps: list[Any], cutoffs: list[Any]) -> list[dict[str, Any]]:
    column = manifest.model
    levels = [level for level in sorted(manifest.levels) if interval_columns(column, level)[0] in frame]
    bounds = {f"{level:g}": np.ascontiguousarray(frame[list(interval_columns(column, level))]) for level in levels}
    medians = frame[column].to_numpy()
    return [
        {
            "unique_id": str(series),
            "ds": stamps[place],
            "cutoff": cutoffs[place],
            "forecast": medians[place],
            "intervals": {level: pair[place] for level, pair in bounds.items()},
        }
        for place, series in enumerate(frame["unique_id"])
    ]
