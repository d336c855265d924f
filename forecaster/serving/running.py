"""Running a server until it is told to stop."""

from __future__ import annotations

import socket
from typing import Any

import uvicorn

from forecaster.errors import ForecasterError
from forecaster.serving.app import Server
from forecaster.serving.connection import connection_class
from forecaster.serving.settings import Settings

__all__ = ["listen", "uvicorn_server"]


def listen(settings: Settings) -> socket.socket:
    """Binds the server's address.

    Raises:
        ForecasterError: It is taken, not this machine's, or not allowed.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio leaves Nagle's delay on
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(2 * settings.limits.connections)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or str(error)
        raise ForecasterError(
            f"cannot listen on {settings.host}:{settings.port} ({reason}); choose others with --host and --port"
        ) from None
    listener.set_inheritable(True)
    return listener


def uvicorn_server(server: Server) -> uvicorn.Server:
    """A server that is ready to run; `run(sockets=[listen(settings)])` serves until SIGTERM or Ctrl-C.

    Args:
        server: What is served.
    """
    limits = server.settings.limits
    told: dict[str, Any] = {
        "http": connection_class(limits), "ws": "none", "lifespan": "on", "log_config": None,
        "access_log": False, "server_header": False, "proxy_headers": False, "loop": "asyncio",
        "backlog": 2 * limits.connections, "timeout_keep_alive": limits.idle_seconds,
        "timeout_graceful_shutdown": limits.drain_seconds,
    }  # fmt: skip
    return uvicorn.Server(uvicorn.Config(server.application, **told))
