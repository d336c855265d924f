"""`POST /api/forecast/{name}`: time-stamped forecasts with intervals, from observations or from the training data."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, ValidationError

from forecaster.forecasting.foreseeable import foreseeable
from forecaster.forecasting.gap import Tell
from forecaster.forecasting.protocol import chosen_levels
from forecaster.forecasting.published import PublishedForecaster
from forecaster.forecasting.published_symbols import PublishedSymbols, strangers
from forecaster.forecasting.symbol_frame import TOP
from forecaster.series import Panel
from forecaster.series.symbols import strange_categories
from forecaster.serving.executor import Executor
from forecaster.serving.failures import Refused
from forecaster.serving.forecast_bodies import BODY, Aside, ForecastAnswer, ForecastRequest, Which, answer
from forecaster.serving.jsontext import parse_object
from forecaster.serving.models import CHAMPION, Loaded, Models, Wanted
from forecaster.serving.observations import Observations
from forecaster.serving.problems import PROBLEMS, first_problem
from forecaster.serving.settings import Limits
from forecaster.serving.symbol_answers import prompted
from forecaster.serving.threads import BoundedThreads, apart
from forecaster.serving.truth import Truth

__all__ = ["Forecasts", "router", "wanted"]

logger = logging.getLogger(__name__)


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

    def forecast(
        self, loaded: Loaded, name: str, asked: ForecastRequest, csv: bytes | None
    ) -> tuple[pd.DataFrame, Aside]:
        """The forecast frame, and what is said beside it; runs in a thread.

        Raises:
            DataError: As on the command line.
            Refused: 500 when the model's answer is no number; 400 for what the version's kind of value has not.
        """
        manifest = loaded.version.manifest
        if manifest.vocabulary and asked.levels is not None:
            raise Refused(400, "levels: symbols have no intervals; leave it out, and write top for how many are named")
        if not manifest.vocabulary and asked.top is not None:
            raise Refused(400, "top: the version forecasts numbers, not symbols; leave it out")
        observations = self._observations(loaded)
        panel = self._panel(observations, asked, csv)
        unknown: list[str] = []
        if manifest.vocabulary:
            unknown = [*strangers(panel, manifest), *strange_categories(panel, manifest.inputs["known"])]
        if asked.known is not None:
            panel = observations.with_known(panel, asked.known)
        able = foreseeable(panel, manifest.horizon, asked.start)
        frame = self.predict(loaded, name, able.panel, asked.levels, asked.start, asked.top)
        self._truth.arrived(name, panel)
        levels = chosen_levels(asked.levels, manifest.levels)
        self._truth.expect(name, panel, frame, manifest.model, levels)
        if able.told:
            logger.warning("%s: %s", name, able.told)
        return frame, Aside(unknown, able.left_out)

    def answered(self, loaded: Loaded, name: str, asked: ForecastRequest, csv: bytes | None, as_csv: bool) -> bytes:
        """The same as the body of an answer, a CSV file or JSON; runs in a thread.

        Raises:
            DataError: As `forecast`.
            Refused: As `forecast`.
        """
        frame, aside = self.forecast(loaded, name, asked, csv)
        return frame.to_csv(index=False).encode() if as_csv else answer(loaded, name, frame, aside)

    def trained_on(self, loaded: Loaded) -> Panel:
        """The data that a version was trained on, as they are now.

        Raises:
            DataError: They are not there any more.
        """
        return self._observations(loaded).trained_on()

    def uploaded(self, loaded: Loaded, csv: bytes) -> Panel:
        """Observations as a CSV file, written as the training data are.

        Raises:
            DataError: Names row, column and remedy.
        """
        return self._observations(loaded).from_csv(csv)

    def predict(
        self,
        loaded: Loaded,
        name: str,
        panel: Panel,
        levels: Sequence[float] | None,
        start: str | int | None,
        top: int | None = None,
        tell: Tell | None = None,
    ) -> pd.DataFrame:
        """The forecast frame of a panel; runs in a thread. `top` is for symbols only; `tell`: see
        `PublishedForecaster.called_by`.

        Raises:
            DataError: As on the command line.
            Refused: 500 when the model's answer is no number.
        """
        until = time.monotonic() + self.limits.deadline
        signature, manifest = loaded.model.signatures["serving_default"], loaded.version.manifest
        kind = PublishedSymbols if manifest.vocabulary else PublishedForecaster

        def run(inputs: dict[str, np.ndarray]) -> np.ndarray:
            arrays = {key: np.asarray(inputs[key], spec.dtype) for key, spec in signature.inputs.items()}
            rows = signature.check(arrays)
            return self._executor.submit(loaded.model, signature, arrays, rows, until).result()[kind.output]

        inputs = [(key, signature.inputs[key].sizes, signature.inputs[key].dtype) for key in signature.inputs]
        forecaster = kind.called_by(run, inputs, manifest, tell)
        if isinstance(forecaster, PublishedSymbols):
            frame = forecaster.predict(panel, None, start, top or TOP)
        else:
            frame = forecaster.predict(panel, levels, start)
        if not np.isfinite(frame[f"{forecaster.name}{'-p' if manifest.vocabulary else ''}"]).all():
            raise Refused(500, f"version {loaded.number} of {name} answers with something that is no number")
        return frame

    def _observations(self, loaded: Loaded) -> Observations:
        return Observations(loaded.version, self._project, self.limits.elements)

    @staticmethod
    def _panel(observations: Observations, asked: ForecastRequest, csv: bytes | None) -> Panel:
        if csv is not None:
            return observations.from_csv(csv)
        if asked.observations is not None:
            return observations.from_rows(asked.observations)
        if asked.text is not None or asked.symbols is not None:
            return prompted(observations.version, asked.text, asked.symbols)
        return observations.trained_on()


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
        top: Annotated[int | None, Query(ge=1, le=1000, description="with CSV, of symbols")] = None,
        version: Annotated[Which, Query(description="with CSV")] = CHAMPION,
    ) -> Response:
        """Forecasts from the end of the observations, or of the training data as they are now.

        The body is JSON, or a CSV file written as the training data are (`Content-Type: text/csv`; then `level`, `top`
        and `version` stand in the query), or, where a text was learnt, the text to go on from (`text/plain`).
        `Accept: text/csv` answers the frame of `forecaster predict`.
        """
        body = await request.scope["bodies"].read(request.scope, request.receive)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        in_query = ForecastRequest(levels=level, top=top, version=version)
        if kind == "text/plain" and body.strip():
            in_query, body = in_query.model_copy(update={"text": _decoded(body)}), b""
        csv = body if kind == "text/csv" else None
        asked = in_query if csv is not None else await apart(len(body), _asked, body, forecasts.limits, in_query)
        as_csv = "text/csv" in request.headers.get("accept", "")
        with forecasts.models.lease(wanted(forecasts.models, name, asked.version)) as loaded:
            request.scope["exchange"].seen(name, loaded.number)
            made = await forecasts.threads.run(lambda: forecasts.answered(loaded, name, asked, csv, as_csv))
        return Response(made, media_type="text/csv" if as_csv else "application/json")

    return routes


def wanted(models: Models, name: str, version: Which) -> Wanted:
    """A version by its number or its label.

    Raises:
        Refused: 404; there is no such label now.
    """
    if isinstance(version, int):
        return Wanted(name, version)
    if version not in models.labels(name):
        if groups := models.groups(name):
            raise Refused(404, f"{name} has a model for each group; ask for one of them: {', '.join(groups)}")
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


def _decoded(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(400, f"the text is not UTF-8 at byte {error.start + 1}; send it in UTF-8") from None
