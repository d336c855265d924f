"""The application: its parts made and put together. Pages and routes are added here, one router each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from forecaster.config import Project
from forecaster.errors import ForecasterError
from forecaster.serving import forecasts, health, streaming
from forecaster.serving.answers import Answer
from forecaster.serving.dashboard.routes import Dashboard
from forecaster.serving.dashboard.routes import router as dashboard_router
from forecaster.serving.document import document
from forecaster.serving.executor import Executor
from forecaster.serving.failures import error_body
from forecaster.serving.forecasts import Forecasts
from forecaster.serving.front import Front
from forecaster.serving.metrics import Metrics
from forecaster.serving.models import Models
from forecaster.serving.problems import first_problem
from forecaster.serving.protocol import Protocol
from forecaster.serving.settings import Settings
from forecaster.serving.shelves import ChallengerShelf, StoreShelf
from forecaster.serving.streaming import Streams
from forecaster.serving.truth import Truth
from forecaster.serving.watching import Watcher
from forecaster.store import Store

__all__ = ["Server"]


class Server:
    """Everything that one server consists of.

    Args:
        project: Whose store is served.
        settings: Where, to whom and within which limits.

    Attributes:
        application: The ASGI application.
        models: What is served.
        watcher: Keeps it in step with the store.
        executor: Runs it.
        metrics: What Prometheus reads.
        protocol: TensorFlow Serving's.
        doors: Where else calls come in; they are closed before what the calls need is.
    """

    def __init__(self, project: Project, settings: Settings | None = None) -> None:
        self.project, self.settings = project, settings or Settings()
        self.doors = ExitStack()
        limits = self.settings.limits
        store = Store(project.store)
        self.models = Models()
        self.metrics = Metrics(self.models)
        self.executor = Executor(limits, self.metrics.observe_call)
        self.watcher = Watcher(
            [StoreShelf(store), ChallengerShelf(store.challengers)],
            self.models,
            self.settings.poll,
            self.metrics.versions_changed,
            self.metrics.version_failed,
        )
        self.metrics.waiting.set_function(self.executor.waiting)
        self.forecasts = Forecasts(self.models, self.executor, project.root, limits, Truth(self.metrics))
        self.streams = Streams(self.models, self.executor, limits, self.metrics)
        self.metrics.sessions.set_function(self.streams.sessions.__len__)
        self.dashboard = Dashboard(project, self.forecasts, self.metrics, self.settings.local)
        self.protocol = Protocol(self.models, self.executor, limits)
        self.application = Front(self.protocol, self._inner(), self.settings, self.metrics)

    def _inner(self) -> FastAPI:
        """Everything but `/v1/`: a router for each concern."""
        inner = FastAPI(title="forecaster", lifespan=self._lifespan, docs_url=None, redoc_url=None, openapi_url=None)
        inner.include_router(health.router(self.watcher, self.models, self.metrics))
        inner.include_router(forecasts.router(self.forecasts))
        inner.include_router(streaming.router(self.streams))
        inner.include_router(dashboard_router(self.dashboard))
        inner.add_api_route("/openapi.json", lambda: document(inner), include_in_schema=False)
        inner.add_exception_handler(RequestValidationError, _invalid)
        inner.add_exception_handler(HTTPException, _not_there)
        inner.add_exception_handler(ForecasterError, _refused)
        inner.add_exception_handler(Exception, _fault)
        return inner

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self.watcher.start()
        yield
        self.doors.close()
        self.watcher.stop()
        self.forecasts.threads.stop()
        self.executor.stop()
        self.dashboard.close()
        self.models.close()


async def _refused(request: Request, error: Exception) -> Response:
    """What is refused, as an error object."""
    request.scope["exchange"].reason = str(error)[:300]
    answer = Answer.of(error)
    headers = {name.decode(): value.decode() for name, value in answer.headers}
    return Response(answer.body, answer.status, headers, media_type=answer.kind)


async def _fault(request: Request, error: Exception) -> Response:
    """A fault of ours, as an error object; the front door logs it."""
    answer = Answer.fault(request.scope["exchange"].id)
    return Response(answer.body, answer.status, media_type=answer.kind)


async def _invalid(_: Request, error: Exception) -> Response:
    """Parameters that are not what they should be, as an error object."""
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    return Response(error_body(first_problem(problems)), 400, media_type="application/json")


async def _not_there(request: Request, error: Exception) -> Response:
    """Unknown paths and methods, as an error object."""
    status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (500, None)
    message = f"there is no {request.method} {request.url.path[:200]}; see /openapi.json for what there is"
    return Response(error_body(message), status, headers, media_type="application/json")
