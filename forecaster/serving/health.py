"""Is the process alive, can it answer, and what has it done: `/healthz`, `/readyz`, `/metrics`."""

from __future__ import annotations

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from forecaster.serving.metrics import Metrics
from forecaster.serving.models import Models
from forecaster.serving.watching import Watcher

__all__ = ["router"]


class Health(BaseModel):
    """The process runs."""

    status: str = "alive"


class Readiness(BaseModel):
    """Whether requests can be answered.

    Attributes:
        status: `ready`, or `loading` until the store has been looked through.
        models: The champion's number of each model.
        failed: Versions that could not be loaded, and why, by model.
    """

    status: str
    models: dict[str, int]
    failed: dict[str, dict[str, str]]


def router(watcher: Watcher, models: Models, metrics: Metrics) -> APIRouter:
    """The three routes."""
    routes = APIRouter(tags=["operation"])

    @routes.get("/healthz")
    async def healthz() -> Health:
        """The process runs."""
        return Health()

    @routes.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
    async def readyz() -> Response:
        """200 once the store has been looked through; versions that failed are named, the ones before serve on."""
        ready = watcher.ready.is_set()
        failed = {
            name: {str(number): reason for number, reason in failures.items()}
            for name in models.known()
            if (failures := models.failures(name))
        }
        champions = {name: max(models.loaded(name)) for name in models.names()}
        told = Readiness(status="ready" if ready else "loading", models=champions, failed=failed)
        return JSONResponse(told.model_dump(), 200 if ready else 503)

    @routes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def metrics_text() -> Response:
        """Prometheus' text form."""
        return Response(metrics.text(), media_type=metrics.kind)

    return routes
