"""`POST /api/forecast/{name}`: time-stamped forecasts with intervals, from observations or from the training data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import orjson
import pandas as pd
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forecaster.forecasting.protocol import chosen_levels, interval_columns
from forecaster.forecasting.published import PublishedForecaster
from forecaster.series import Panel
from forecaster.serving.executor import Executor
from forecaster.serving.failures import Refused
from forecaster.serving.jsontext import parse_object
from forecaster.serving.models import CHAMPION, Loaded, Models, Wanted
from forecaster.serving.observations import Observations, Rows
from forecaster.serving.problems import PROBLEMS, first_problem
from forecaster.serving.settings import Limits
from forecaster.serving.threads import BoundedThreads
from forecaster.serving.truth import Truth

__all__ = ["Forecasts", "Which", "router", "wanted"]

Which = Annotated[int, Field(ge=1, lt=2**53)] | Literal["champion", "previous"]
"""A version by its number or its label."""


class ForecastRequest(BaseModel):
    """What is to be forecast; all of it may be left out.

    Attributes:
        observations: Recent rows with the columns of the training data, as a list of rows or a mapping of columns;
            without them the training data are read as they are now.
        known: Rows of the known covariates over the horizon.
        levels: Intervals in per cent; all trained ones by default.
        start: Time stamp of the first step; by default the one after the last observation. A gap is forecast through.
        version: Its number, or `champion` (by default) or `previous`.
    """

    model_config = ConfigDict(extra="forbid")

    observations: Rows | None = None
    known: Rows | None = None
    levels: list[Annotated[float, Field(gt=0, lt=100)]] | None = None
    start: str | int | None = None
    version: Which = CHAMPION


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
    """Forecasts, and who made them."""

    name: str
    version: int
    model: str
    frequency: str
    forecasts: list[Step]


class Forecasts:
    """Forecasts by loaded versions.

    Args:
        models: What is served.
        executor: Runs it.
        project: Folder below which ticker snapshots are kept.
        limits: Of time and bodies.
        truth: Remembers what was forecast.
    """

    def __init__(self, models: Models, executor: Executor, project: Path, limits: Limits, truth: Truth) -> None:
        self.models, self.limits = models, limits
        self._executor, self._project, self._truth = executor, project, truth
        self.threads = BoundedThreads(limits.threads, 32, limits.deadline)

    def forecast(self, loaded: Loaded, name: str, asked: ForecastRequest, csv: bytes | None) -> pd.DataFrame:
        """The forecast frame; runs in a thread.

        Raises:
            DataError: As on the command line.
            Refused: 500 when the model's answer is no number.
        """
        panel = self._panel(Observations(loaded.version, self._project), asked, csv)
        frame = self.predict(loaded, name, panel, asked.levels, asked.start)
        column = loaded.version.manifest.model
        self._truth.arrived(name, panel)
        levels = chosen_levels(asked.levels, loaded.version.manifest.levels)
        self._truth.expect(name, panel, frame, column, levels)
        return frame

    def trained_on(self, loaded: Loaded) -> Panel:
        """The data that a version was trained on, as they are now.

        Raises:
            DataError: They are not there any more.
        """
        return Observations(loaded.version, self._project).trained_on()

    def uploaded(self, loaded: Loaded, csv: bytes) -> Panel:
        """Observations as a CSV file, written as the training data are.

        Raises:
            DataError: Names row, column and remedy.
        """
        return Observations(loaded.version, self._project).from_csv(csv)

    def predict(
        self, loaded: Loaded, name: str, panel: Panel, levels: Sequence[float] | None, start: str | int | None
    ) -> pd.DataFrame:
        """The forecast frame of a panel; runs in a thread.

        Raises:
            DataError: As on the command line.
            Refused: 500 when the model's answer is no number.
        """
        until = time.monotonic() + self.limits.deadline
        signature = loaded.model.signatures["serving_default"]

        def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
            arrays = {key: np.asarray(inputs[key], spec.dtype) for key, spec in signature.inputs.items()}
            rows = signature.check(arrays)
            return self._executor.submit(loaded.model, signature, arrays, rows, until).result()["quantiles"]

        inputs = [(key, signature.inputs[key].sizes, signature.inputs[key].dtype) for key in signature.inputs]
        forecaster = PublishedForecaster.called_by(run, inputs, loaded.version.manifest)
        frame = forecaster.predict(panel, levels, start)
        if not np.isfinite(frame[forecaster.name]).all():
            raise Refused(500, f"version {loaded.number} of {name} answers with something that is no number")
        return frame

    @staticmethod
    def _panel(observations: Observations, asked: ForecastRequest, csv: bytes | None) -> Panel:
        if csv is not None:
            panel = observations.from_csv(csv)
        elif asked.observations is not None:
            panel = observations.from_rows(asked.observations)
        else:
            panel = observations.trained_on()
        return panel if asked.known is None else observations.with_known(panel, asked.known)


BODY: dict[str, Any] = {
    "requestBody": {
        "required": False,
        "content": {
            "application/json": {
                "schema": ForecastRequest.model_json_schema(ref_template="#/components/schemas/{model}")
            },
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


def router(forecasts: Forecasts) -> APIRouter:
    """The one route."""
    routes = APIRouter(prefix="/api", tags=["forecasting"])

    @routes.post(
        "/forecast/{name}", response_model=ForecastAnswer, openapi_extra=BODY,
        responses={**PROBLEMS, 200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def forecast(
        name: str,
        request: Request,
        level: Annotated[list[Annotated[float, Field(gt=0, lt=100)]] | None, Query(description="with CSV")] = None,
        version: Annotated[Which, Query(description="with CSV")] = CHAMPION,
    ) -> Response:
        """Forecasts from the end of the observations, or of the training data as they are now.

        The body is JSON, or a CSV file written as the training data are (`Content-Type: text/csv`; then `level`
        and `version` stand in the query). `Accept: text/csv` answers the frame of `forecaster predict`.
        """
        body = await request.scope["bodies"].read(request.scope, request.receive)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        in_query = ForecastRequest(levels=level, version=version)
        asked, csv = (in_query, body) if kind == "text/csv" else (_asked(body, forecasts.limits, in_query), None)
        with forecasts.models.lease(wanted(forecasts.models, name, asked.version)) as loaded:
            request.scope["exchange"].seen(name, loaded.number)
            frame = await forecasts.threads.run(lambda: forecasts.forecast(loaded, name, asked, csv))
            if "text/csv" in request.headers.get("accept", ""):
                return Response(frame.to_csv(index=False), media_type="text/csv")
            return Response(_answer(loaded, name, frame), media_type="application/json")

    return routes


def wanted(models: Models, name: str, version: Which) -> Wanted:
    """A version by its number or its label.

    Raises:
        Refused: 404; there is no such label now.
    """
    if isinstance(version, int):
        return Wanted(name, version)
    if version not in models.labels(name):
        raise Refused(404, f"there is no {version} version of {name}; see /readyz for what is served")
    return Wanted(name, label=version)


def _asked(body: bytes, limits: Limits, in_query: ForecastRequest) -> ForecastRequest:
    if not body.strip():
        return in_query
    try:
        asked = ForecastRequest.model_validate(parse_object(body, limits))
    except ValidationError as error:
        raise Refused(400, first_problem(error.errors())) from None
    return asked


def _answer(loaded: Loaded, name: str, frame: pd.DataFrame) -> bytes:
    manifest = loaded.version.manifest
    column = manifest.model
    levels = [level for level in sorted(manifest.levels) if interval_columns(column, level)[0] in frame]
    bounds = {f"{level:g}": np.ascontiguousarray(frame[list(interval_columns(column, level))]) for level in levels}
    stamps, cutoffs = _stamps(frame["ds"]), _stamps(frame["cutoff"])
    medians = frame[column].to_numpy()
    steps = [
        {
            "unique_id": str(series),
            "ds": stamps[place],
            "cutoff": cutoffs[place],
            "forecast": medians[place],
            "intervals": {level: pair[place] for level, pair in bounds.items()},
        }
        for place, series in enumerate(frame["unique_id"])
    ]
    answer = {"name": name, "version": loaded.number, "model": column, "frequency": manifest.frequency["name"]}
    return orjson.dumps({**answer, "forecasts": steps}, option=orjson.OPT_SERIALIZE_NUMPY)


def _stamps(column: pd.Series[Any]) -> list[str | int]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return [stamp.isoformat() for stamp in column]
    return [int(stamp) for stamp in column]
