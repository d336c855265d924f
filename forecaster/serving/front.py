"""The front door: every request gets an id, its bounds, its safety headers, a line in the log and its place in the
metrics; every error becomes an error object, whatever went wrong.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from forecaster.errors import ForecasterError
from forecaster.serving.answers import CROWDED, Answer, Bodies, Receive, Scope, Send, header
from forecaster.serving.failures import Refused
from forecaster.serving.journal import RequestIds
from forecaster.serving.metrics import Metrics
from forecaster.serving.protocol import PREFIX, Protocol
from forecaster.serving.settings import Settings

__all__ = ["Front"]

LOG = logging.getLogger("forecaster.serving")
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]", ""})
QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that are asked for all the time; they are logged only when they fail."""
SAFETY = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        b"font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    ),
]


@dataclass
class Exchange:
    """What is known of a request while it is answered and after; `held` are the bytes of its body that still count."""

    id: str
    route: str
    status: int = 0
    sent: int = 0
    held: int = 0
    model: str = ""
    version: int = 0
    reason: str = ""

    def seen(self, model: str, version: int) -> None:
        """Notes which version answers."""
        self.model, self.version = model, version


class Front:
    """The ASGI application: `/v1/` by the protocol, all else by the inner application.

    Args:
        protocol: TensorFlow Serving's.
        inner: Pages and `/api`.
        settings: Who may do what.
        metrics: Where requests are counted.
    """

    def __init__(self, protocol: Protocol, inner: Application, settings: Settings, metrics: Metrics) -> None:
        self._protocol, self._inner, self._settings, self._metrics = protocol, inner, settings, metrics
        self._bodies, self._ids = Bodies(settings.limits), RequestIds()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; passes on what is no request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._inner(scope, receive, send)
            return
        start = time.perf_counter()
        exchange = Exchange(self._ids.of(header(scope, b"x-request-id")), route_of(scope["path"]))
        scope["exchange"], scope["bodies"] = exchange, self._bodies
        outgoing = _Outgoing(send, exchange, scope["method"] == "HEAD")
        self._metrics.under_way.inc()
        try:
            await self._answer(scope, receive, outgoing)
        except Exception as error:  # what no part expected is logged with its trace, and is a 500
            await self._fail(error, exchange, outgoing)
        finally:
            self._metrics.under_way.dec()
            self._bodies.let_go(exchange)
            self._note(scope, exchange, time.perf_counter() - start)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("state", {}).get(CROWDED):
            raise Refused(503, "too many connections at the same time; try again", retry_after=1)
        if scope["method"] == "HEAD":  # is answered as GET would be, without the body
            scope = {**scope, "method": "GET"}
        path = scope.get("raw_path") or scope["path"].encode()
        by_protocol = path[: len(PREFIX)].lower() == PREFIX
        self._check_caller(scope, by_protocol)
        if not by_protocol:
            await self._inner(scope, receive, send)
            return
        exchange: Exchange = scope["exchange"]
        answer = await self._protocol.answer(
            scope["method"], path, scope["query_string"], lambda: self._bodies.read(scope, receive), exchange.seen
        )
        await answer.send(send)

    def _check_caller(self, scope: Scope, by_protocol: bool) -> None:
        """Keeps web pages of others away from a local server, and strangers from `/api` of an open one.

        What is asked of the protocol and what is only read need no token. All else does, however its path is written:
        the inner application alone knows what it takes for `/api`.
        """
        if self._settings.local:
            host = header(scope, b"host").lower()
            name = host if host.endswith("]") else host.rsplit(":", 1)[0]
            if name not in LOCAL_NAMES and name != self._settings.host:
                raise Refused(403, f"this server answers to localhost only, not to {host[:100]!r}; bind it with --host")
        elif not by_protocol and scope["method"] != "GET":
            self._check_token(header(scope, b"authorization"))

    def _check_token(self, given: str) -> None:
        token = self._settings.token
        if token is None:
            raise Refused(
                403, "this server can be reached from elsewhere, so /api needs a token; set FORECASTER_TOKEN to one"
            )
        kind, _, shown = given.partition(" ")
        expected, shown = token.encode("utf-8", "surrogateescape"), shown.strip(" \t")
        spellings = (shown.encode("latin-1"), shown.encode())  # of é: as curl sends it, as browsers and Python do
        if kind.lower() != "bearer" or not any(hmac.compare_digest(one, expected) for one in spellings):
            raise Refused(401, "send the server's token: Authorization: Bearer TOKEN")

    async def _fail(self, error: Exception, exchange: Exchange, send: _Outgoing) -> None:
        if isinstance(error, ForecasterError):
            answer, message = Answer.of(error), str(error)
        else:
            LOG.exception("a fault", extra={"request_id": exchange.id})
            answer, message = Answer.fault(exchange.id), type(error).__name__
        exchange.reason = message[:300]
        if not send.started:
            await answer.send(send)

    def _note(self, scope: Scope, exchange: Exchange, seconds: float) -> None:
        status = exchange.status or 499
        self._metrics.requests.labels(exchange.route, exchange.model, str(status)).inc()
        self._metrics.seconds.labels(exchange.route).observe(seconds)
        if status < 400 and scope["path"] in QUIET:
            return
        told: dict[str, Any] = {
            "request_id": exchange.id, "method": scope["method"], "path": scope["path"][:300], "status": status,
            "ms": round(seconds * 1000, 3), "bytes": exchange.sent, "client": (scope.get("client") or ("",))[0],
        }  # fmt: skip
        if exchange.model:
            told |= {"model": exchange.model, "version": exchange.version}
        if exchange.reason:
            told["reason"] = exchange.reason
        LOG.log(logging.ERROR if status == 500 else logging.INFO, "request", extra=told)


class _Outgoing:
    """Adds the id and the safety headers to an answer on its way, leaves out the body for HEAD, and counts it."""

    def __init__(self, send: Send, exchange: Exchange, headers_only: bool) -> None:
        self._send, self._exchange, self._headers_only = send, exchange, headers_only
        self.started = False

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._exchange.status = message["status"]
            own = {name for name, _ in message.get("headers", ())}
            added = [(name, value) for name, value in SAFETY if name not in own]
            headers = [*message.get("headers", ()), (b"x-request-id", self._exchange.id.encode()), *added]
            message = {**message, "headers": headers}
        elif self._headers_only:
            message = {**message, "body": b""}
        else:
            self._exchange.sent += len(message.get("body", b""))
        await self._send(message)


def route_of(path: str) -> str:
    """What the metrics call a path, decoded: one of a few names, whatever was sent.

    Example:
        >>> route_of("/v1/models/a:predict"), route_of("/api/forecast/a"), route_of("/wp-admin")
        ('predict', 'forecast', 'other')
    """
    lower = path.lower()
    if lower.startswith(PREFIX.decode()):
        return "predict" if lower.endswith(":predict") else "metadata" if lower.endswith("/metadata") else "status"
    first, _, rest = lower.lstrip("/").partition("/")
    if first == "api":
        name = rest.partition("/")[0]
        return name if name in ("forecast", "outlook", "stream", "models") else "other"
    if first in ("pipelines", "static"):
        return first
    return first if first in ("healthz", "readyz", "metrics", "") and not rest else "other"
