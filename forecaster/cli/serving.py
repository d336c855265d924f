"""`serve`: the store behind TensorFlow Serving's protocol."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from forecaster.cli.console import console
from forecaster.config import Project
from forecaster.errors import DefinitionError
from forecaster.serving.settings import Limits, Settings
from forecaster.store import Store

__all__ = ["serve_project"]


def serve_project(
    project: Path | None,
    host: str,
    port: int,
    poll: float,
    deadline: float,
    queue: int,
    body: int,
    grpc_port: int | None,
    quiet: bool,
) -> None:
    """Serves until SIGTERM or Ctrl-C, then lets requests under way finish."""
    from forecaster.serving.app import Server
    from forecaster.serving.journal import log_to_stderr
    from forecaster.serving.running import listen, uvicorn_server

    settings = _settings(host, port, poll, replace(Limits(), deadline=deadline, queue=queue, body=body << 20))
    found = Project.find(project)
    with listen(settings) as listener, ExitStack() as further:
        log_to_stderr(quiet)
        server = Server(found, settings)
        if grpc_port is not None:
            from forecaster.serving.grpc_service import grpc_listening

            grpc_port = further.enter_context(grpc_listening(server, grpc_port))
        _greet(found, settings, listener.getsockname()[1], grpc_port)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _heard)
        uvicorn_server(server).run(sockets=[listener])


def _settings(host: str, port: int, poll: float, limits: Limits) -> Settings:
    if not 0 <= port <= 65535:
        raise DefinitionError(f"--port {port}: there is no such port; write 0 to 65535")
    token = os.environ.get("FORECASTER_TOKEN", "").strip()  # one from a file may end with a line break
    return Settings(host=host, port=port, token=token or None, poll=poll, limits=limits)


def _heard(*_: object) -> None:
    """What is left to do once the server has heard a signal and has stopped in good order: nothing."""


def _greet(project: Project, settings: Settings, port: int, grpc_port: int | None) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    console.print(f"Serving {project.store} on http://{host}:{port} (Ctrl-C stops)", markup=False, soft_wrap=True)
    if not Store(project.store).names():
        console.print("Nothing is published there yet: forecaster run pipelines/NAME.yaml", markup=False)
    if grpc_port is not None:
        console.print(f"gRPC on {host}:{grpc_port}", markup=False)
    if not settings.local and settings.token is None:
        console.print(
            "Reachable from elsewhere and without a token: /v1 answers everybody, POST to /api nobody. Set "
            "FORECASTER_TOKEN to open it to those who know it.",
            markup=False,
        )
