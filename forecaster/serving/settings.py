"""What a server is told: where it listens and how much it takes on."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from functools import cached_property

__all__ = ["Limits", "Settings"]


@dataclass(frozen=True)
class Limits:
    """How much one server takes on; what goes beyond is refused at once.

    Attributes:
        body: Bytes of a request's body, also after decompression (413).
        memory: Bytes of all bodies that are held at the same time (503); two of the largest fit in any case.
        elements: JSON values in a body, and cells of the table that they make (413).
        queue: Requests that wait for a model (503).
        rows: Windows that are put together into one call of a model.
        threads: Calls of models at the same time.
        deadline: Seconds until a request is given up (504).
        connections: Open connections (503).
        header_bytes: Of a request's line and headers (431).
        header_seconds: Until a request's headers must be there; also for connections that never send any.
        body_seconds: Until a request's body must be there (408).
        idle_seconds: Until a connection without requests is closed.
        drain_seconds: For requests under way when the server is told to stop.
        sessions: Streaming sessions that are kept.
        session_seconds: Until a session that is not used is forgotten.
    """

    body: int = 32 << 20
    memory: int = 256 << 20
    elements: int = 4_000_000
    queue: int = 256
    rows: int = 256
    threads: int = 2
    deadline: float = 30.0
    connections: int = 512
    header_bytes: int = 64 << 10
    header_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 60.0
    drain_seconds: float = 30.0
    sessions: int = 10_000
    session_seconds: float = 3600.0


@dataclass(frozen=True)
class Settings:
    """Where a server listens, who may do what, and its limits.

    Attributes:
        host: Address to bind to; loopback by default, so that nobody else can reach it.
        port: 0 takes a free one.
        token: What callers of `/api` must show when the server can be reached from elsewhere.
        poll: Seconds between two looks at the store.
        limits: How much it takes on.
    """

    host: str = "127.0.0.1"
    port: int = 8501
    token: str | None = None
    poll: float = 2.0
    limits: Limits = field(default_factory=Limits)

    @cached_property
    def local(self) -> bool:
        """Whether only this machine can reach the server.

        Example:
            >>> Settings().local, Settings(host="0.0.0.0").local
            (True, False)
        """
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False
