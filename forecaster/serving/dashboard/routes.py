"""The dashboard's routes: the front page, a page for each pipeline, the data of its plot, and static files."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import orjson
from fastapi import APIRouter, Query, Request, Response

from forecaster.config import Project
from forecaster.errors import ForecasterError
from forecaster.serving.dashboard.front_page import front_page
from forecaster.serving.dashboard.markup import page, text
from forecaster.serving.dashboard.outlook import outlook
from forecaster.serving.dashboard.overview import Overview
from forecaster.serving.dashboard.pipeline_page import pipeline_page
from forecaster.serving.failures import Refused, status_of
from forecaster.serving.forecasts import Forecasts, wanted
from forecaster.serving.metrics import Metrics
from forecaster.serving.models import CHAMPION
from forecaster.store import Store

__all__ = ["Dashboard", "router"]

STATIC: Final = {
    "dashboard.css": "text/css", "dashboard.js": "text/javascript", "chart.js": "text/javascript",
    "bars.js": "text/javascript", "symbols.js": "text/javascript", "dates.js": "text/javascript",
    "svg.js": "text/javascript", "icon.svg": "image/svg+xml",
}  # fmt: skip
FRESH = 30.0
"""Seconds for which a plot's data are kept."""
REMEMBERED = 64


class Dashboard:
    """What the pages are made of.

    Args:
        project: Whose pipelines.
        forecasts: Makes the forecasts that are shown.
        metrics: Knows how served forecasts turned out.
        local: Whether `/api` needs no token.
    """

    def __init__(self, project: Project, forecasts: Forecasts, metrics: Metrics, local: bool) -> None:
        self.store, self.forecasts, self.metrics, self.local = Store(project.store), forecasts, metrics, local
        self.overview = Overview(project, forecasts.models)
        self._made: OrderedDict[tuple[object, ...], tuple[float, bytes]] = OrderedDict()

    async def outlook(self, name: str, series: str | None) -> bytes:
        """The data of a pipeline's plot, made anew when they are older than half a minute.

        Raises:
            Refused: 404 when nothing is served under that name.
            DataError: See `outlook.outlook`.
        """
        models = self.forecasts.models
        with models.lease(wanted(models, name, CHAMPION)) as loaded:
            key = (name, loaded.identity, loaded.number, series)
            kept = self._made.get(key)
            if kept is not None and time.monotonic() - kept[0] < FRESH:
                return kept[1]
            found = await self.forecasts.threads.run(lambda: outlook(self.forecasts, loaded, name, series))
        made = orjson.dumps(found)
        self._made[key] = (time.monotonic(), made)
        while len(self._made) > REMEMBERED:
            self._made.popitem(last=False)
        return made

    async def outlook_on(self, name: str, series: str | None, csv: bytes) -> bytes:
        """The same for a file of one's own; nothing of it is kept.

        Raises:
            Refused: 404 when nothing is served under that name.
            DataError: See `outlook.outlook`.
        """
        models = self.forecasts.models
        with models.lease(wanted(models, name, CHAMPION)) as loaded:
            made = await self.forecasts.threads.run(lambda: outlook(self.forecasts, loaded, name, series, csv))
        return orjson.dumps(made)

    def close(self) -> None:
        """Lets go of the ledger."""
        self.overview.books.close()


def router(dashboard: Dashboard) -> APIRouter:
    """The pages."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    def front() -> Response:
        return _shown(lambda: front_page(*dashboard.overview.all()))

    @routes.get("/pipelines/{name}")
    def pipeline(name: str) -> Response:
        def made() -> bytes:
            found = dashboard.overview.one(name)
            if found is None:
                raise Refused(404, f"There is no pipeline {name[:100]!r} in this project's store, files or ledger.")
            return pipeline_page(found, dashboard.store, dashboard.metrics.turned_out(name), dashboard.local)

        return _shown(made)

    @routes.get("/pipelines/{name}/outlook")
    async def forecast(request: Request, name: str, series: str | None = Query(None, max_length=1000)) -> Response:
        made = await dashboard.outlook(name, series)
        return Response(made, media_type="application/json", headers={"Cache-Control": "no-cache"})

    @routes.post("/api/outlook/{name}")
    async def uploaded(request: Request, name: str, series: str | None = Query(None, max_length=1000)) -> Response:
        csv = await request.scope["bodies"].read(request.scope, request.receive)
        return Response(await dashboard.outlook_on(name, series, csv), media_type="application/json")

    @routes.get("/static/{name}")
    def static(name: str, request: Request) -> Response:
        if name not in STATIC:
            raise Refused(404, f"there is no file {name[:100]!r} here")
        content = (Path(__file__).parent / "static" / name).read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=STATIC[name], headers=headers)

    return routes


def _shown(made: Callable[[], bytes]) -> Response:
    """A page; an error becomes a page too."""
    status = 200
    try:
        body = made()
    except ForecasterError as error:
        status = status_of(error)
        title = "Not found" if status == 404 else "This page cannot be shown"
        body = page(
            title, f'<section><p class="verdict bad">{text(error)}</p><p><a href="/">All pipelines</a></p></section>'
        )
    return Response(body, status, {"Cache-Control": "no-cache"}, "text/html; charset=utf-8")
