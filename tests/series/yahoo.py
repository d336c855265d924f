"""A local server that speaks Yahoo's chart protocol, and a session that sends yfinance to it.

yfinance's own request, cookie, error and parsing code runs unchanged. Only its HTTP session is another:
every URL, whatever its host, is asked for as plain HTTP with the local server as the proxy.
"""

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pandas as pd

from forecaster.series.yahoo import load_client

load_client()  # before TensorFlow's curl can stand in its place, in whatever order test files are collected

import yfinance  # noqa: E402
from curl_cffi.requests import Session  # noqa: E402

CONSENT = '<html><form><input name="csrfToken" value="t"><input name="sessionId" value="s"></form></html>'
DAYS = ["2024-01-02 09:30", "2024-01-03 09:30", "2024-01-04 09:30"]
SPAN: dict[str, Any] = {"start": "2024-01-01", "end": "2024-01-10"}
RATE_LIMIT: dict[str, Any] = {"status": 429, "body": b"Too Many Requests"}
UNKNOWN = {"code": "Not Found", "description": "No data found, symbol may be delisted"}


def chart(
    symbol: str,
    stamps: Sequence[str],
    close: Sequence[float | None],
    *,
    zone: str = "America/New_York",
    adjclose: Sequence[float | None] | None = None,
    spread: float = 1.0,
    volume: Sequence[int | None] | None = None,
    events: dict[str, Any] | None = None,
    sessions: Sequence[tuple[str, str]] = (),
    meta: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Yahoo's answer for one symbol: open = close - spread, high = close + spread, low = open - spread.

    `meta` is what Yahoo says about the symbol besides, such as `exchangeName` or `currentTradingPeriod`.
    """
    seconds = [_epoch(stamp, zone) for stamp in stamps]

    def moved(by: float) -> list[float | None]:
        return [None if value is None else value + by for value in close]

    quote = {"open": moved(-spread), "high": moved(spread), "low": moved(-2 * spread), "close": list(close)}
    quote["volume"] = list(volume) if volume else [None if value is None else 1000 for value in close]
    told: dict[str, Any] = {
        "currency": "USD",
        "symbol": symbol,
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": zone,
        "priceHint": 2,
        "validRanges": ["1d", "5d", "1mo", "max"],
        **(meta or {}),
    }
    if sessions:
        told["tradingPeriods"] = [
            [{"timezone": "X", "start": _epoch(start, zone), "end": _epoch(end, zone), "gmtoffset": 0}]
            for start, end in sessions
        ]
    indicators: dict[str, Any] = {"quote": [quote]}
    if adjclose is not None:
        indicators["adjclose"] = [{"adjclose": list(adjclose)}]
    result = {"meta": told, "timestamp": seconds, "indicators": indicators}
    if events:
        result["events"] = {
            kind: {str(_epoch(at, zone)): {**each, "date": _epoch(at, zone)} for at, each in entries.items()}
            for kind, entries in events.items()
        }
    return {"chart": {"result": [result], "error": None}}


def empty(symbol: str) -> dict[str, Any]:
    """Yahoo's answer for a known symbol that has no prices in the span."""
    answer = chart(symbol, [], [])
    del answer["chart"]["result"][0]["timestamp"]
    answer["chart"]["result"][0]["indicators"] = {"quote": [{}], "adjclose": [{}]}
    return answer


def refusal(code: str, description: str) -> dict[str, Any]:
    return {"chart": {"result": None, "error": {"code": code, "description": description}}}


def _epoch(stamp: str, zone: str) -> int:
    return int(pd.Timestamp(stamp, tz=zone).timestamp())


def session_until(minutes: float, zone: str = "America/New_York") -> tuple[str, dict[str, Any]]:
    """A session that ends so many minutes from now: the stamp of its bar, and what Yahoo's `meta` says of it."""
    end = pd.Timestamp.now("UTC").floor("s") + pd.Timedelta(minutes, "min")
    start = end - pd.Timedelta(6.5, "h")
    regular = {"timezone": "X", "start": int(start.timestamp()), "end": int(end.timestamp()), "gmtoffset": 0}
    return f"{start.tz_convert(zone):%Y-%m-%d %H:%M:%S}", {"currentTradingPeriod": {"regular": regular}}


@dataclass
class Trouble:
    """What is answered instead of a chart: for so many requests, or for ever."""

    status: int = 200
    body: bytes = b""
    delay: float = 0.0
    short: int = 0
    prices_only: bool = False
    times: int | None = None


@dataclass
class Yahoo:
    """What the server knows, and what it was asked."""

    charts: dict[str, dict[str, Any]] = field(default_factory=dict)
    troubles: dict[str, list[Trouble]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    queries: list[dict[str, str]] = field(default_factory=list)

    def add(self, symbol: str, *args: Any, **kwargs: Any) -> None:
        self.charts[symbol] = chart(symbol, *args, **kwargs)

    def trouble(self, symbol: str, **kwargs: Any) -> None:
        self.troubles.setdefault(symbol, []).append(Trouble(**kwargs))

    def take_trouble(self, symbol: str, of_prices: bool) -> Trouble | None:
        for trouble in self.troubles.get(symbol, []):
            if trouble.times != 0 and (of_prices or not trouble.prices_only):
                trouble.times = trouble.times and trouble.times - 1
                return trouble
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    yahoo: Yahoo

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        host = url.hostname or ""
        self.yahoo.asked.append(host + url.path)
        if url.path.startswith("/v8/finance/chart/"):
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            self._chart(unquote(url.path.removeprefix("/v8/finance/chart/")), query)
        elif url.path == "/v1/test/getcrumb":
            self._send(200, b"crumb", "text/plain")
        elif host == "fc.yahoo.com":
            self._send(404, b"", "text/html", {"Set-Cookie": "A3=x; Domain=.yahoo.com; Path=/; Max-Age=9999"})
        elif host == "guce.yahoo.com":
            self._send(200, CONSENT.encode(), "text/html")
        else:
            self._send(404, json.dumps({"quoteSummary": {"result": None, "error": UNKNOWN}}).encode())

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self._send(200, b"", "text/html")

    def _chart(self, symbol: str, query: dict[str, str]) -> None:
        self.yahoo.queries.append({"symbol": symbol, **query})
        trouble = self.yahoo.take_trouble(symbol, of_prices="period1" in query)
        if trouble:
            time.sleep(trouble.delay)
            self._send(trouble.status, trouble.body, short=trouble.short)
        elif symbol in self.yahoo.charts:
            self._send(200, json.dumps(self.yahoo.charts[symbol]).encode())
        else:
            self._send(404, json.dumps({"chart": {"result": None, "error": UNKNOWN}}).encode())

    def _send(
        self,
        status: int,
        body: bytes,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
        short: int = 0,
    ) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": kind, **(headers or {})}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body) + short))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = bool(short)
        except OSError:  # the client has stopped waiting
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


class LocalSession(Session):
    """Sends every request, whatever host it names, to the local server (a plain-HTTP proxy sees them all)."""

    def __init__(self, port: int) -> None:
        super().__init__(impersonate="chrome", trust_env=False, proxy=f"http://127.0.0.1:{port}")

    def request(self, method: Any, url: str, *args: Any, **kwargs: Any) -> Any:
        return super().request(method, url.replace("https://", "http://"), *args, **kwargs)


def forget() -> None:
    """Puts yfinance's process-wide state back to what it is at the start of a process."""
    from yfinance import base, cache, data

    base._tz_info_fetch_ctr = 0
    data.SingletonMeta._instances.pop(data.YfData, None)
    data.YfData.cache_get.cache_clear()
    cache._TzCacheManager._tz_cache = None
    cache._CookieCacheManager._Cookie_cache = None
    cache._ISINCacheManager._isin_cache = None


@contextmanager
def serving(cache: Path) -> Iterator[Yahoo]:
    """Runs the server and sends yfinance to it; its caches lie in `cache`."""
    yahoo = Yahoo()
    handler = type("Handler", (_Handler,), {"yahoo": yahoo})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    forget()
    yfinance.set_tz_cache_location(str(cache))
    session = LocalSession(server.server_port)
    yfinance.data.YfData(session=session)
    try:
        yield yahoo
    finally:
        forget()
        session.close()
        server.shutdown()
        server.server_close()
        thread.join()
