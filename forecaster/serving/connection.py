"""One TCP connection: HTTP by httptools, with a time for everything that a client may let us wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from forecaster.serving.answers import CROWDED
from forecaster.serving.failures import error_body
from forecaster.serving.settings import Limits

__all__ = ["connection_class"]

GRACE = 5.0
"""Seconds that the application has to refuse a slow body before the connection is cut."""
WRITING = 30.0
"""Seconds for a client to take what it asked for."""


def connection_class(limits: Limits) -> type[asyncio.Protocol]:
    """Uvicorn's protocol with these limits; by itself it waits for headers, bodies and readers for ever."""
    return type("LimitedConnection", (Connection,), {"limits": limits})


class Alarm:
    """Calls a function after a time, unless it is set anew or put off before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
        self._loop, self._call = loop, call
        self._handle: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Rings once, after that time from now."""
        self.off()
        self._handle = self._loop.call_later(seconds, self._call)

    def off(self) -> None:
        """Does not ring."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None


class Connection(HttpToolsProtocol):
    """Refuses long headers, cuts connections that dawdle, and tells the application when there are too many.

    Uvicorn makes one for each connection, so its limits are an attribute of the class; see `connection_class`.
    """

    limits: Limits

    def __init__(self, *told: Any, **named: Any) -> None:
        super().__init__(*told, **named)
        self._dawdling = Alarm(self.loop, self._give_up)
        self._unread = Alarm(self.loop, lambda: self.transport.abort())
        self._in_head, self._head_ended, self._head = True, False, 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > 2 * self.limits.connections:  # so many that not even a refusal is written
            transport.abort()
            return
        self._dawdling.set(self.limits.header_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._dawdling.off()
        self._unread.off()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._head_ended = False
        super().data_received(data)
        if self._in_head and not self._head_ended:
            self._head += len(data)
            if self._head > self.limits.header_bytes:
                self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head = True, 0
        self._dawdling.set(self.limits.header_seconds)

    def on_headers_complete(self) -> None:
        self._in_head, self._head, self._head_ended = False, 0, True
        if sum(len(name) + len(value) for name, value in self.headers) + len(self.url) > self.limits.header_bytes:
            self._refuse_head()
            return
        self._dawdling.set(self.limits.body_seconds + GRACE)
        most = self.limits.connections
        crowded = self.scope["state"][CROWDED] = len(self.connections) > most or len(self.tasks) >= most
        super().on_headers_complete()
        if crowded:  # the application refuses it, and makes room
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._dawdling.off()
        super().on_message_complete()
        self._in_head, self._head_ended = True, True  # what comes now belongs to the next request

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.set(WRITING)

    def resume_writing(self) -> None:
        self._unread.off()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, f"{msg.rstrip('.')}: send HTTP/1.1")

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.close()

    def _refuse_head(self) -> None:
        self._refuse(431, f"the request's headers are longer than {self.limits.header_bytes:,} bytes")

    def _refuse(self, status: int, message: str) -> None:
        if self.transport.is_closing():
            return
        body = error_body(message)
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
