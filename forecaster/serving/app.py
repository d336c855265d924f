"""The application: its parts made and put together. Pages and routes are added here, one router each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from forecaster.config import Project
from forecaster.serving import health
from forecaster.serving.executor import Executor
from forecaster.serving.front import Front
from forecaster.serving.metrics import Metrics
from forecaster.serving.models import Models
from forecaster.serving.protocol import Protocol
from forecaster.serving.settings import Settings
from forecaster.serving.shelves import ChallengerShelf, StoreShelf
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
    """

    def __init__(self, project: Project, settings: Settings | None = None) -> None:
        self.project, self.settings = project, settings or Settings()
        limits = self.settings.limits
        self.models = Models()
        self.metrics = Metrics(self.models)
        self.executor = Executor(limits, self.metrics.observe_call)
        self.watcher = Watcher(
            [StoreShelf(Store(project.store)), ChallengerShelf(project.store)],
            self.models,
            self.settings.poll,
            self.metrics.versions_changed,
            self.metrics.version_failed,
        )
        self.metrics.waiting.set_function(self.executor.waiting)
        protocol = Protocol(self.models, self.executor, limits)
        self.application = Front(protocol, self._inner(), self.settings, self.metrics)

    def _inner(self) -> FastAPI:
        """Everything but `/v1/`."""
        inner = FastAPI(
            title="forecaster", lifespan=self._lifespan, docs_url=None, redoc_url=None, openapi_url="/openapi.json"
        )
        inner.include_router(health.router(self.watcher, self.models, self.metrics))
        return inner

    @asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        self.watcher.start()
        yield
        self.watcher.stop()
        self.executor.stop()
        self.models.close()
