"""Asking Yahoo for one symbol's prices through yfinance, patiently, and finding out why there are none.

yfinance is asked to raise its errors (`config.debug.hide_exceptions = False`) instead of logging them and
returning an empty table. Two of its habits need care here:

- answers are cached in the process, failed ones too, so the cache is emptied before every attempt;
- an unknown symbol, a server error and an empty span can end in the same exception, so in doubt the
  prices are asked for once more, for the HTTP status alone; and an absence is believed when told twice.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

import pandas as pd

from forecaster.series.exchanges import Listing
from forecaster.series.request import Request
from forecaster.series.running import running

__all__ = ["PATIENCE", "Answer", "Failure", "Patience", "ask", "load_client", "raising_errors"]

logger = logging.getLogger(__name__)

_PRICES = ["Open", "High", "Low", "Close"]
_ANSWERED = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)


@dataclass(frozen=True)
class Patience:
    """How long Yahoo is waited for.

    Before attempt n + 1 there is a pause of `pause` × `growth`^(n - 1) seconds; `timeout`, in seconds,
    bounds one request for prices. `sleep` makes the pauses.
    """

    attempts: int = 5
    pause: float = 3.0
    growth: float = 2.0
    timeout: float = 10.0
    sleep: Callable[[float], None] = field(default=time.sleep, compare=False)


PATIENCE = Patience()


@dataclass(frozen=True)
class Failure:
    """Why a symbol has no prices, and what to do; `temporary` where the same request may succeed later."""

    symbol: str
    reason: str
    remedy: str
    temporary: bool


@dataclass(frozen=True)
class Answer:
    """The prices of one symbol, as `ticker.fetch` gives them, and what Yahoo says about it."""

    prices: pd.DataFrame
    listing: Listing


def ask(symbol: str, request: Request, patience: Patience) -> Answer | Failure:
    """Asks for the prices of one symbol until they come, a refusal is told twice, or patience ends."""
    attempt, before = 1, None
    while True:
        try:
            return _history(symbol, request, patience.timeout)
        except _faults() as error:
            failure = _judged(error, request, symbol, patience.timeout)
        told_twice = failure == before and not failure.temporary
        if told_twice or attempt >= patience.attempts:
            return failure
        pause = patience.pause * patience.growth ** (attempt - 1)
        logger.info("%s: %s; asking again in %g s", symbol, failure.reason, pause)
        patience.sleep(pause)
        attempt, before = attempt + 1, failure


@contextmanager
def raising_errors() -> Iterator[None]:
    """Lets yfinance raise what it would log; its settings are afterwards as before."""
    load_client()
    import yfinance

    debug = yfinance.config.debug
    before, debug.hide_exceptions = debug.hide_exceptions, False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
            yield
    finally:
        debug.hide_exceptions = before


def load_client() -> None:
    """Loads yfinance's HTTP client so that it calls its own curl.

    TensorFlow exports an older one to whatever is loaded behind it, which fails at options that it does not know.
    """
    if sys.platform == "linux":
        flags = sys.getdlopenflags()
        sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))
        try:
            import curl_cffi  # noqa: F401
        finally:
            sys.setdlopenflags(flags)


def _faults() -> tuple[type[Exception], ...]:
    """What yfinance raises: its own errors, its HTTP client's and cache's, those of parsing odd answers."""
    from peewee import PeeweeException
    from yfinance.exceptions import YFException

    return (YFException, OSError, PeeweeException, ValueError, LookupError, TypeError, AttributeError)


def _history(symbol: str, request: Request, timeout: float) -> Answer:
    import yfinance
    from yfinance.data import YfData
    from yfinance.exceptions import YFPricesMissingError

    YfData.cache_get.cache_clear()
    ticker = yfinance.Ticker(symbol)
    answer: pd.DataFrame = ticker.history(
        period="max" if request.start is None else None,
        start=request.start,
        end=request.end,
        interval=request.interval,
        auto_adjust=request.adjusted,
        keepna=request.interval != "30m",  # made of 15m bars: there, yfinance fills nights with empty bars
        timeout=timeout,
    )
    if answer.empty or answer["Close"].isna().all():
        raise YFPricesMissingError(symbol, "")
    answer = answer.sort_index()
    told: Mapping[str, Any] = ticker.history_metadata
    left_out = running(pd.DatetimeIndex(answer.index), request.interval, told, pd.Timestamp.now("UTC"))
    tidy = _tidy(answer, symbol, request)
    prices = tidy[~left_out].reset_index(drop=True)
    if prices["Close"].isna().all():
        raise YFPricesMissingError(symbol, "", "its only session is still running")
    last = tidy.loc[left_out, "ds"].max().isoformat() if left_out.any() else None
    return Answer(prices, replace(_listing(told), unfinished=last))


def _listing(told: Mapping[str, Any]) -> Listing:
    names = ("exchangeName", "fullExchangeName", "exchangeTimezoneName", "instrumentType", "currency")
    return Listing(*(str(told.get(name) or "") for name in names))


def _tidy(answer: pd.DataFrame, symbol: str, request: Request) -> pd.DataFrame:
    columns = [*_PRICES, *([] if request.adjusted else ["Adj Close"]), "Volume"]
    table = answer[columns].astype("float64")
    missing = table[_PRICES].isna().all(axis=1)
    table.loc[missing, "Volume"] = float("nan")  # yfinance writes 0
    index = pd.DatetimeIndex(table.index)
    if request.intraday:
        stamps = index.tz_convert("UTC").astype("datetime64[us, UTC]")
    else:
        stamps = index.tz_localize(None).normalize().astype("datetime64[us]")
    table.insert(0, "unique_id", pd.Series(symbol, index=table.index, dtype="str"))
    table.insert(1, "ds", stamps)
    return table.reset_index(drop=True)


def _judged(error: Exception, request: Request, symbol: str, timeout: float) -> Failure:
    from peewee import PeeweeException
    from yfinance.exceptions import YFPricesMissingError

    status, error = _status(error, request, symbol, timeout)
    if status == HTTPStatus.NOT_FOUND:
        reason = "Yahoo does not know it (HTTP 404); it is misspelt, or was delisted"
        return Failure(symbol, reason, "look it up on https://finance.yahoo.com/lookup", False)
    if status in _ANSWERED and isinstance(error, YFPricesMissingError):
        span = f"from {request.start or 'the beginning'} to before {request.end or 'now'}"
        reason = f"no prices at interval {request.interval} {span}: {error.yahoo_reason or 'an empty answer'}"
        return Failure(symbol, reason, "write another start, end or interval", False)
    remedy = "check the network, wait some minutes and try again; run and predict --offline take the last snapshot"
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        reason = "Yahoo limits the rate of requests (HTTP 429)"
    elif status != HTTPStatus.OK:
        reason = f"Yahoo answers with HTTP {status}"
    elif isinstance(error, OSError):
        reason = "no answer in time" if "Timeout" in type(error).__name__ else f"connection failed ({error})"
    elif isinstance(error, PeeweeException):
        reason = f"yfinance cannot use its cache ({error})"
        remedy = "let XDG_CACHE_HOME name a folder that can be written"
    else:
        reason = f"Yahoo's answer cannot be read ({type(error).__name__}: {error})"
    return Failure(symbol, reason, remedy, True)


def _status(error: Exception, request: Request, symbol: str, timeout: float) -> tuple[int, Exception]:
    """The HTTP status behind an error (200 where none is), and the error that is to be explained."""
    from yfinance.const import _BASE_URL_
    from yfinance.data import YfData
    from yfinance.exceptions import YFRateLimitError

    plain = isinstance(error, (YFRateLimitError, OSError))
    if not plain or type(error).__name__ == "HTTPError":  # an OSError, of curl_cffi or of requests
        span = {
            "period1": int(pd.Timestamp(request.start or "1970-01-02", tz="UTC").timestamp()),
            "period2": int(pd.Timestamp(request.end or "now", tz="UTC").timestamp()),
        }
        url = f"{_BASE_URL_}/v8/finance/chart/{symbol}"
        try:
            answer = YfData().get(url, params={**span, "interval": request.interval}, timeout=timeout)
            return int(answer.status_code), error
        except _faults() as second:
            error = second
    return HTTPStatus.TOO_MANY_REQUESTS if isinstance(error, YFRateLimitError) else HTTPStatus.OK, error
