"""`POST /api/stream/{name}`: one observation in, the forecast of the next step out, in constant time.

A version whose network carries state has a second signature `step`. In go the raw `observation (batch, features)` with
NaN for what is missing, `known` covariates of the next step, `static` ones and the state tensors by name; out come the
new state and `quantiles (batch, 1, levels)`. Its manifest names the tensors; all zeros is the state before the first
observation. Of symbols the observation is a string, and `probabilities (batch, 1, symbols)` come out.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Annotated, Any

import numpy as np
import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from forecaster.forecasting.protocol import choose_quantiles, chosen_levels
from forecaster.serving.carried import STEP, given_state, state_shapes, zero_state
from forecaster.serving.executor import Executor
from forecaster.serving.failures import Refused
from forecaster.serving.forecast_bodies import Which
from forecaster.serving.forecasts import wanted
from forecaster.serving.jsontext import parse_object
from forecaster.serving.metrics import Metrics
from forecaster.serving.models import CHAMPION, Loaded, Models, Wanted
from forecaster.serving.observed import Observed
from forecaster.serving.problems import PROBLEMS, first_problem
from forecaster.serving.sessions import Session, Sessions
from forecaster.serving.settings import Limits
from forecaster.serving.symbol_answers import Likely, likely_step
from forecaster.store import Manifest

__all__ = ["StreamRequest", "Streams", "router"]

START = "start"
Value = int | float | str | None
Numbers = list[Any] | float
"""Nested lists of numbers, or one number."""


class State(BaseModel):
    """A stream's state, as an answer gave it.

    Attributes:
        version: Whose it is.
        network: A mark of that version's files, since its number may be used again for others.
        tensors: Numbers by tensor name.
    """

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1, lt=2**53)
    network: str = Field(max_length=64)
    tensors: dict[str, Numbers]


class StreamRequest(BaseModel):
    """One observation of one series.

    Attributes:
        observation: A value, or null for a missing one, for the target and each past and known covariate; of symbols
            for the target alone (of a text that is `character` or `word`).
        known: The known covariates of the next step, where there are any but calendar features.
        static: The static covariates, where there are any.
        ds: Its time stamp; needed where calendar features are read, and in a session that had one before; else it is
            only checked and answered. With it a session's last request can be sent again and has the same answer;
            without it that would be a further observation.
        state: Of the last answer; without it (and without a session) the stream starts.
        session: `start`, or the id that the answer to that gave.
        levels: Intervals in per cent; all trained ones by default.
        top: How many of the likeliest symbols are named, 3 by default.
        version: Where to start: a number, `champion` (by default) or `previous`.
    """

    model_config = ConfigDict(extra="forbid")

    observation: dict[str, Value]
    known: dict[str, Value] = {}
    static: dict[str, Value] = {}
    ds: str | int | None = None
    state: State | None = None
    session: str | None = Field(default=None, max_length=64)
    levels: list[Annotated[float, Field(gt=0, lt=100)]] | None = None
    top: int | None = Field(default=None, ge=1, le=1000)
    version: Which | None = None


class StreamAnswer(BaseModel):
    """The forecast of the next step.

    Attributes:
        name: Of the model.
        version: That answered; a state belongs to it.
        ds: Of the next step, if the observation had one.
        forecast: The median, in the data's own units; or the likeliest symbol.
        intervals: Lower and upper bound by level in per cent.
        probability: Of the likeliest symbol.
        likeliest: The likeliest symbols, that one first.
        unknown: Of symbols, what the version does not know and reads as such: the observed one, and categories of
            covariates, as late=YES.
        state: To be sent with the next observation; absent in a session.
        session: The session's id.
        expires: Seconds until the session is forgotten if it is not used.
    """

    name: str
    version: int
    ds: str | int | None
    forecast: float | str
    intervals: dict[str, tuple[float, float]] | None = None
    probability: float | None = None
    likeliest: list[Likely] | None = None
    unknown: list[str] | None = None
    state: State | None = None
    session: str | None = None
    expires: float | None = None


class Streams:
    """Steps of streams.

    Args:
        models: What is served.
        executor: Runs it.
        limits: Of time and sessions.
        metrics: Where one-step errors are counted.
    """

    def __init__(self, models: Models, executor: Executor, limits: Limits, metrics: Metrics) -> None:
        self.models, self.limits = models, limits
        self._executor, self._metrics = executor, metrics
        self.sessions = Sessions(limits.sessions, limits.session_seconds)

    async def answer(self, name: str, asked: StreamRequest, request: Request) -> dict[str, Any]:
        """Makes one step.

        Raises:
            Refused: 400 without carried state, or for an impossible observation or state; 404 for an unknown session;
                409 when the version of a state is gone.
        """
        _check_together(asked)
        if asked.session is None or asked.session == START:
            with self._lease(name, asked) as loaded:
                request.scope["exchange"].seen(name, loaded.number)
                shapes = state_shapes(name, loaded)
                state = given_state(asked.state.tensors, shapes) if asked.state else zero_state(shapes)
                session = Session(name, loaded.number, loaded.network, state)
                answer = await self._step(session, loaded, asked)
            if asked.session == START:
                return {**answer, "session": self.sessions.start(session), "expires": self.sessions.seconds}
            tensors = {key: tensor.tolist() for key, tensor in session.state.items()}
            return {**answer, "state": {"version": loaded.number, "network": loaded.network, "tensors": tensors}}
        session = self.sessions.get(asked.session, name)
        async with session.lock:
            request.scope["exchange"].seen(name, session.version)
            if asked.ds is None or session.last is None or session.last[0] != asked:  # else its answer was lost
                with self._going_on(name, session) as loaded:
                    session.last = asked, await self._step(session, loaded, asked)
            answer = session.last[1]
        return {**answer, "session": asked.session, "expires": self.sessions.seconds}

    def _lease(self, name: str, asked: StreamRequest) -> AbstractContextManager[Loaded]:
        if asked.state is not None:
            return self._going_on(name, asked.state)
        return self.models.lease(wanted(self.models, name, asked.version or CHAMPION))

    @contextmanager
    def _going_on(self, name: str, state: State | Session) -> Iterator[Loaded]:
        """The version that a state belongs to."""
        gone = f"version {state.version} of {name}, whose state this is, is not served any more"
        served = self.models.loaded(name)
        if served and state.version not in served:
            raise Refused(409, f"{gone}; start anew")
        with self.models.lease(Wanted(name, state.version)) as loaded:
            if loaded.network != state.network:
                raise Refused(409, f"{gone}, and its number is another network's; start anew")
            yield loaded

    async def _step(self, session: Session, loaded: Loaded, asked: StreamRequest) -> dict[str, Any]:
        """Advances a session by one observation; it stays as it is if that fails."""
        manifest = loaded.version.manifest
        observed = Observed.read(manifest, asked.observation, asked.known, asked.static, asked.ds)
        said = _said(manifest, observed, asked)
        if session.awaited is not None and observed.stamp != session.awaited:
            found = "missing" if observed.stamp is None else observed.stamp
            raise Refused(
                400, f"ds is {found}, but the session awaits {session.awaited}; send null for a missing value"
            )
        outputs = await self._run(loaded, {**observed.inputs, **session.state})
        told = outputs["probabilities" if manifest.vocabulary else "quantiles"]
        state = {key: outputs[key][0] for key in session.state}
        if not all(np.isfinite(part).all() for part in (told, *state.values())):
            raise Refused(500, f"version {loaded.number} of {session.model} answers with something that is no number")
        session.state, session.awaited = state, observed.following
        return {"name": session.model, "version": loaded.number, "ds": observed.following, **said(told[0, 0])}

    async def _run(self, loaded: Loaded, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        signature = loaded.model.signatures[STEP]
        batch = {key: np.asarray(inputs[key][None], spec.dtype) for key, spec in signature.inputs.items()}
        rows = signature.check(batch)
        until = time.monotonic() + self.limits.deadline
        future = self._executor.submit(loaded.model, signature, batch, rows, until)
        try:
            async with asyncio.timeout(self.limits.deadline):
                outputs: dict[str, np.ndarray] = await asyncio.wrap_future(future)
                return dict(outputs)
        except TimeoutError:
            raise Refused(504, f"no answer within {self.limits.deadline:g} s; try again") from None


def _said(manifest: Manifest, observed: Observed, asked: StreamRequest) -> Callable[[np.ndarray], dict[str, Any]]:
    """What is answered of a step: from its quantiles, or from the probabilities of all symbols.

    Raises:
        LevelError: A level was not trained.
        Refused: 400; something is asked for that this kind of value has not.
    """
    if manifest.vocabulary:
        if asked.levels is not None:
            raise Refused(400, "levels: symbols have no intervals; leave it out, and write top for how many are named")
        return lambda told: likely_step(told, manifest.vocabulary, asked.top, observed.unknown)
    if asked.top is not None:
        raise Refused(400, "top: the version forecasts numbers, not symbols; leave it out")
    levels = chosen_levels(asked.levels, manifest.levels)

    def intervals(told: np.ndarray) -> dict[str, Any]:
        bounds, middle = choose_quantiles(told, manifest.levels, levels), len(levels)
        found = {
            f"{level:g}": [bounds[middle - 1 - place], bounds[middle + 1 + place]] for place, level in enumerate(levels)
        }
        return {"forecast": bounds[middle], "intervals": found}

    return intervals


def _check_together(asked: StreamRequest) -> None:
    if asked.state is not None and asked.session is not None:
        raise Refused(409, "state and session are both given; the server keeps the state of a session")
    if asked.version is not None and (asked.state is not None or asked.session not in (None, START)):
        raise Refused(409, "a stream that goes on keeps its version; leave version out")


def router(streams: Streams) -> APIRouter:
    """The one route."""
    routes = APIRouter(prefix="/api", tags=["streaming"])
    schema = StreamRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    body = {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}

    @routes.post("/stream/{name}", response_model=StreamAnswer, openapi_extra=body, responses=PROBLEMS)
    async def stream(name: str, request: Request) -> Response:
        """Advances a stream by one observation; the state travels with the requests or is kept in a session."""
        text = await request.scope["bodies"].read(request.scope, request.receive)
        try:
            asked = StreamRequest.model_validate(parse_object(text, streams.limits))
        except ValidationError as error:
            raise Refused(400, first_problem(error.errors())) from None
        answer = await streams.answer(name, asked, request)
        return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")

    return routes
