"""Prices from Yahoo by ticker symbol, through yfinance: patient, all or nothing, with snapshots.

How Yahoo is asked, and what goes wrong there, is in `yahoo`; what is kept, in `snapshot`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from forecaster.errors import DataError
from forecaster.series.exchanges import Listing
from forecaster.series.request import INTERVALS, Request, snapshot_file
from forecaster.series.snapshot import Snapshot, read_snapshot, write_snapshot
from forecaster.series.yahoo import PATIENCE, Failure, Patience, ask, raising_errors

__all__ = [
    "PATIENCE",
    "DownloadError",
    "Failure",
    "Patience",
    "download",
    "fetch",
    "load",
    "read_snapshot",
    "request_of",
    "write_snapshot",
]

logger = logging.getLogger(__name__)

_SYMBOL = re.compile(r"(?=.*[A-Z0-9])[A-Z0-9^.=&_$-]+")
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}[0-9]")


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
        without a zone, or a moment in UTC for intervals below a day. What Yahoo leaves out is NaN. A session
        that is still running is left out: its last price is no close (see `running`).

    Raises:
        DataError: The request is impossible.
        DownloadError: At least one symbol failed; names each, why, and what to do.
    """
    return _download(request_of(symbols, start, end, interval, adjusted), patience)[0]


def download(
    symbols: Sequence[str],
    start: date | str | None = None,
    end: date | str | None = None,
    interval: str = "1d",
    adjusted: bool = True,
    *,
    where: Path | str,
    patience: Patience = PATIENCE,
) -> tuple[pd.DataFrame, Path, Snapshot]:
    """Downloads as `fetch` does and writes a snapshot.

    Args:
        symbols: As for `fetch`; so are the following four.
        start: See `fetch`.
        end: See `fetch`.
        interval: See `fetch`.
        adjusted: See `fetch`.
        where: A `.csv` or `.parquet` file, or a folder: there the request names the file, and `load` finds it.
        patience: How long to wait for Yahoo.

    Returns:
        The frame of `fetch`, the file, and what the JSON file beside it tells.

    Raises:
        DataError: As `fetch`; or the snapshot cannot be written.
    """
    request = request_of(symbols, start, end, interval, adjusted)
    path = snapshot_file(Path(where), request)
    frame, listings = _download(request, patience)
    info = write_snapshot(
        frame, path, start=request.start, end=request.end, interval=interval, adjusted=adjusted, listings=listings
    )
    return frame, path, info


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
    request = request_of(symbols, start, end, interval, adjusted)
    path = Path(folder) / f"{request.key}.csv"
    if offline:
        return _last_good(path, "offline was asked for")
    try:
        frame, _, info = download(symbols, start, end, interval, adjusted, where=path, patience=patience)
    except DownloadError as error:
        if not error.temporary:
            raise
        return _last_good(path, str(error))
    return frame, info


def _last_good(path: Path, reason: str) -> tuple[pd.DataFrame, Snapshot]:
    try:
        frame, info = read_snapshot(path)
    except DataError as error:
        raise DataError(f"{reason}\nNor is there a good snapshot of the same request: {error}") from error
    logger.warning("prices are of the snapshot %s, downloaded %s: %s", path, info.downloaded, reason)
    return frame, replace(info, fallback_reason=reason)


def request_of(
    symbols: Sequence[str], start: date | str | None, end: date | str | None, interval: str, adjusted: bool
) -> Request:
    """A request, checked; the arguments are those of `fetch`.

    Raises:
        DataError: An argument cannot be meant, and what to write instead.
    """
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


def _download(request: Request, patience: Patience) -> tuple[pd.DataFrame, Mapping[str, Listing]]:
    frames: list[pd.DataFrame] = []
    listings: dict[str, Listing] = {}
    failures: list[Failure] = []
    with raising_errors():
        for symbol in request.symbols:
            answer = ask(symbol, request, patience)
            if isinstance(answer, Failure):
                failures.append(answer)
                if answer.temporary:  # all is lost already: the others are asked once, to name those that fail
                    patience = replace(patience, attempts=1)
                continue
            frames.append(answer.prices)
            listings[symbol] = answer.listing
    if failures:
        raise DownloadError(failures, len(request.symbols))
    return pd.concat(frames, ignore_index=True), listings
