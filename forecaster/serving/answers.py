"""Answers, and request bodies: read within bounds of size, time and memory."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from forecaster.errors import ForecasterError
from forecaster.serving.failures import Refused, error_body, status_of
from forecaster.serving.settings import Limits

__all__ = ["CROWDED", "Answer", "Bodies", "header"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

CROWDED = "crowded"
"""In the `state` of a request's scope: whether there are too many connections to answer it."""
UNREAD = frozenset({400, 408, 411, 413, 415})
"""Statuses after which a request's body may not have been read, so that the connection cannot be used again."""


@dataclass
class Answer:
    """What is sent back.

    Attributes:
        body: Bytes.
        status: HTTP's.
        kind: Content type.
        headers: Further ones.
    """

    body: bytes
    status: int = 200
    kind: str = "application/json"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    @classmethod
    def error(cls, status: int, message: str, retry_after: int | None = None) -> Answer:
        """An error object."""
        headers = [(b"retry-after", b"%d" % retry_after)] if retry_after is not None else []
        if status in UNREAD:
            headers.append((b"connection", b"close"))
        return cls(error_body(message), status, headers=headers)

    @classmethod
    def of(cls, error: Exception) -> Answer:
        """The answer to an error that names its cause."""
        status = status_of(error) if isinstance(error, ForecasterError) else 500
        return cls.error(status, str(error), error.retry_after if isinstance(error, Refused) else None)

    @classmethod
    def fault(cls, request: str) -> Answer:
        """The answer where something is wrong with the server itself."""
        return cls.error(500, f"a fault in the server; its log has it under request id {request}")

    async def send(self, send: Send) -> None:
        """Sends it."""
        headers = [
            (b"content-type", self.kind.encode()),
            (b"content-length", b"%d" % len(self.body)),
            *self.headers,
        ]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


def header(scope: Scope, name: bytes) -> str:
    """A request's header, empty where it is absent."""
    found: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value.decode("latin-1") for key, value in found if key == name), "")


class Bodies:
    """Reads request bodies; all that are held at the same time share one bound.

    A body counts from its first byte until its request has ended, packed and unpacked.

    Args:
        limits: Of size, time and memory.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._held = 0
        self._most = max(limits.memory, 2 * limits.body)  # the largest one has room, also packed and unpacked

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """A request's body, unpacked if it is gzipped. `let_go` when the request has ended.

        Raises:
            Refused: 413 too large, 408 too slow, 415 packed in another way, 400 damaged, 503 too many at a time.
        """
        packing = header(scope, b"content-encoding").strip().lower() or "identity"
        if packing not in ("identity", "gzip"):
            raise Refused(415, f"Content-Encoding {packing[:40]!r} is not known; send gzip or none")
        announced = header(scope, b"content-length")
        if announced.isdecimal() and int(announced[:20]) > self._limits.body:
            raise self._too_large()
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                body = await self._received(receive, scope["exchange"])
        except TimeoutError:
            raise Refused(408, f"the body did not arrive within {self._limits.body_seconds:g} s") from None
        if packing == "gzip":
            body = self._unpacked(body)
            self._hold(body, scope["exchange"])
        return body

    def let_go(self, exchange: Any) -> None:
        """The body of a request that has ended counts no more."""
        self._held -= exchange.held
        exchange.held = 0

    async def _received(self, receive: Receive, exchange: Any) -> bytes:
        parts: list[bytes] = []
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the client left before its request was whole")
            part = message.get("body", b"")
            if exchange.held + len(part) > self._limits.body:
                raise self._too_large()
            self._hold(part, exchange)
            parts.append(part)
            if not message.get("more_body"):
                return parts[0] if len(parts) == 1 else b"".join(parts)

    def _hold(self, part: bytes, exchange: Any) -> None:
        self._held += len(part)
        exchange.held += len(part)
        if self._held > self._most:
            raise Refused(503, "too many large requests at the same time; try again", retry_after=1)

    def _unpacked(self, body: bytes) -> bytes:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            whole = unpacker.decompress(body, self._limits.body + 1)
        except zlib.error as error:
            raise Refused(400, f"the body is not gzip as its Content-Encoding says ({error})") from None
        if len(whole) > self._limits.body:
            raise self._too_large()
        if not unpacker.eof or unpacker.unused_data:
            raise Refused(400, "the gzipped body is cut short, or more follows it; send one gzip stream")
        return whole

    def _too_large(self) -> Refused:
        return Refused(
            413,
            f"the body is larger than {self._limits.body:,} bytes; send fewer rows at a time, or observations as CSV "
            "(Content-Type: text/csv), which is smaller than JSON, or start the server with a larger --max-body",
        )
