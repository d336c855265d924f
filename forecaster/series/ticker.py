"""Prices from Yahoo by ticker symbol, through yfinance: patient, all or nothing, with snapshots.

yfinance is asked to raise its errors (`config.debug.hide_exceptions = False`) instead of logging them and
returning an empty table. Two of its habits need care here:

- answers are cached in the process, failed ones too, so the cache is emptied before every attempt;
- an unknown symbol, a server error and an empty span can end in the same exception, so in doubt the
  prices are asked for once more, for the HTTP status alone; and an absence is believed when told twice.
"""

from __future__ import annotations

import logging
import re
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path

import pandas as pd

from forecaster.errors import DataError
from forecaster.series.snapshot import INTERVALS, Request, Snapshot, read_snapshot, write_snapshot

__all__ = [
    "PATIENCE",
    "DownloadError",
    "Failure",
    "Patience",
    "fetch",
    "load",
    "read_snapshot",
    "write_snapshot",
]

logger = logging.getLogger(__name__)

_PRICES = ["Open", "High", "Low", "Close"]
_ANSWERED = (HTTPStatus.OK, HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
_SYMBOL = re.compile(r"(?=.*[A-Z0-9])[A-Z0-9^.=&_$-]+")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


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


class DownloadError(DataError):
    """Symbols could not be downloaded: holds one `Failure` for each of them."""

    def __init__(self, failures: Sequence[Failure], asked: int) -> None:
        super().__init__(failures, asked)
        self.failures = failures
        self.asked = asked

    def __str__(self) -> str:
        lines = [f"  {each.symbol}: {each.reason}; {each.remedy}" for each in self.failures]
        return "\n".join([f"{len(lines)} of {self.asked} symbols could not be downloaded:", *lines])

    @property
    def temporary(self) -> bool:
        """Whether nothing but the network, or Yahoo's own trouble, stood in the way."""
        return all(failure.temporary for failure in self.failures)


def fetch(
    symbols: Sequence[str],
    start: date | str | None = None,
    end: date | str | None = None,
    interval: str = "1d",
    adjusted: bool = True,
    patience: Patience = PATIENCE,
) -> pd.DataFrame:
    """Downloads the prices of some symbols: all of them, or an error.

    Args:
        symbols: Yahoo's symbols, such as AAPL, BRK-B, ^GSPC, EURUSD=X; they become upper case.
        start: First day (inclusive), in the exchange's time zone; None for all that Yahoo has.
        end: The day after the last (exclusive); None for up to now.
        interval: 1m, 2m, 5m, 15m, 30m, 60m, 90m, 1h, 1d, 1wk, 1mo or 3mo.
        adjusted: Whether prices are adjusted for dividends too; for splits Yahoo always adjusts them.
        patience: How long to wait for Yahoo.

    Returns:
        `unique_id, ds, Open, High, Low, Close, Volume` (and `Adj Close` unless adjusted), float64 where
        not said otherwise: the symbols in the order asked for, each by time. `ds` is the session's date
        without a zone, or a moment in UTC for intervals below a day. What Yahoo leaves out is NaN.

    Raises:
        DataError: The request is impossible.
        DownloadError: At least one symbol failed; names each, why, and what to do.
    """
    return _download(_request(symbols, start, end, interval, adjusted), patience)


def load(
    symbols: Sequence[str],
    start: date | str | None = None,
    end: date | str | None = None,
    interval: str = "1d",
    adjusted: bool = True,
    *,
    folder: Path | str,
    offline: bool = False,
    patience: Patience = PATIENCE,
) -> tuple[pd.DataFrame, Snapshot]:
    """Downloads as `fetch` does and keeps a snapshot; falls back, with a warning, to the last good one.

    It falls back when `offline` is asked for, or when only the network or Yahoo's trouble stood in the way:
    an unknown symbol stays an error.

    Args:
        symbols: As for `fetch`; so are the following four.
        start: See `fetch`.
        end: See `fetch`.
        interval: See `fetch`.
        adjusted: See `fetch`.
        folder: Where snapshots are kept, named by the request.
        offline: Use the last snapshot and no network.
        patience: How long to wait for Yahoo.

    Returns:
        The frame of `fetch`, and what the snapshot's JSON file tells; its `fallback_reason` is None after
        a download.

    Raises:
        DataError: As `fetch`; or there is no good snapshot to fall back to.
    """
    request = _request(symbols, start, end, interval, adjusted)
    path = Path(folder) / f"{request.key}.csv"
    if offline:
        return _last_good(path, "offline was asked for")
    try:
        frame = _download(request, patience)
    except DownloadError as error:
        if not error.temporary:
            raise
        return _last_good(path, str(error))
    return frame, write_snapshot(
        frame, path, start=request.start, end=request.end, interval=interval, adjusted=adjusted
    )


def _last_good(path: Path, reason: str) -> tuple[pd.DataFrame, Snapshot]:
    try:
        frame, info = read_snapshot(path)
    except DataError as error:
        raise DataError(f"{reason}\nNor is there a good snapshot of the same request: {error}") from error
    logger.warning("prices are of the snapshot %s, downloaded %s: %s", path, info.downloaded, reason)
    return frame, replace(info, fallback_reason=reason)


def _request(
    symbols: Sequence[str], start: date | str | None, end: date | str | None, interval: str, adjusted: bool
) -> Request:
    first, last = _day(start, "start"), _day(end, "end")
    if first and last and first >= last:
        raise DataError(f"start {first} is not before end {last}, which is not included: write a later end")
    if interval not in INTERVALS:
        raise DataError(f"interval {interval!r} is not offered: write one of {', '.join(INTERVALS)}")
    return Request(_checked(symbols), first, last, interval, adjusted)


def _day(value: date | str | None, name: str) -> date | None:
    try:
        day = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise DataError(f"{name} {value!r} is no date: write it as 2015-01-31") from error
    if isinstance(day, datetime):
        raise DataError(f"{name} {day} has a time of day: write the day alone, {day.date()}")
    return day


def _checked(symbols: Sequence[str]) -> tuple[str, ...]:
    if isinstance(symbols, str) or not symbols:
        raise DataError(f"symbols is {symbols!r}: write a list of at least one, as in ['AAPL', '^GSPC']")
    upper = tuple(symbol.strip().upper() for symbol in symbols)
    for symbol in upper:
        if not _SYMBOL.fullmatch(symbol):
            raise DataError(f"symbol {symbol!r} cannot be one of Yahoo's: write AAPL, BRK-B, ^GSPC, EURUSD=X")
        if _ISIN.fullmatch(symbol):
            raise DataError(f"{symbol} is an ISIN: look up its symbol on https://finance.yahoo.com/lookup")
        if upper.count(symbol) > 1:
            raise DataError(f"symbol {symbol} is asked for {upper.count(symbol)} times: write it once")
    return upper


def _download(request: Request, patience: Patience) -> pd.DataFrame:
    frames: list[pd.DataFrame] = []
    failures: list[Failure] = []
    with _raising_errors():
        for symbol in request.symbols:
            answer = _patiently(symbol, request, patience)
            if isinstance(answer, pd.DataFrame):
                frames.append(answer)
                continue
            failures.append(answer)
            if answer.temporary:  # all is lost already: the others are asked once, to name those that fail
                patience = replace(patience, attempts=1)
    if failures:
        raise DownloadError(failures, len(request.symbols))
    return pd.concat(frames, ignore_index=True)


def _patiently(symbol: str, request: Request, patience: Patience) -> pd.DataFrame | Failure:
    attempt, before = 1, None
    while True:
        try:
            answer = _history(symbol, request, patience.timeout)
        except _faults() as error:
            failure = _judged(error, request, symbol, patience.timeout)
        else:
            return _tidy(answer, symbol, request)
        told_twice = failure == before and not failure.temporary
        if told_twice or attempt >= patience.attempts:
            return failure
        pause = patience.pause * patience.growth ** (attempt - 1)
        logger.info("%s: %s; asking again in %g s", symbol, failure.reason, pause)
        patience.sleep(pause)
        attempt, before = attempt + 1, failure


@contextmanager
def _raising_errors() -> Iterator[None]:
    import yfinance

    debug = yfinance.config.debug
    before, debug.hide_exceptions = debug.hide_exceptions, False
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=DeprecationWarning, module="yfinance")
            yield
    finally:
        debug.hide_exceptions = before


def _faults() -> tuple[type[Exception], ...]:
    """What yfinance raises: its own errors, its HTTP client's and cache's, those of parsing odd answers."""
    from peewee import PeeweeException
    from yfinance.exceptions import YFException

    return (YFException, OSError, PeeweeException, ValueError, LookupError, TypeError, AttributeError)


def _history(symbol: str, request: Request, timeout: float) -> pd.DataFrame:
    import yfinance
    from yfinance.data import YfData
    from yfinance.exceptions import YFPricesMissingError

    YfData.cache_get.cache_clear()
    answer: pd.DataFrame = yfinance.Ticker(symbol).history(
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
    return answer


def _tidy(answer: pd.DataFrame, symbol: str, request: Request) -> pd.DataFrame:
    columns = [*_PRICES, *([] if request.adjusted else ["Adj Close"]), "Volume"]
    table = answer[columns].astype("float64").sort_index()
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
    remedy = "check the network, wait some minutes and try again, or use the last snapshot (offline)"
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
