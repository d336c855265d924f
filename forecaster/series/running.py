"""The running session: Yahoo gives the prices so far as if they were its last, which they are not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["GRACE", "running"]

GRACE = pd.Timedelta("30min")
"""After the end of a session its prices may still change: some are delayed, and auctions come after the end."""

_COARSE = {"1wk": pd.DateOffset(weeks=1), "1mo": pd.DateOffset(months=1), "3mo": pd.DateOffset(months=3)}


def running(stamps: pd.DatetimeIndex, interval: str, told: Mapping[str, Any], now: pd.Timestamp) -> np.ndarray:
    """Which bars are not finished, so that their last price is no close.

    - A day's bar is finished half an hour after the end of the session that Yahoo names (`currentTradingPeriod`);
      where Yahoo names none, on the next day.
    - A bar of weeks or months is finished on the first day after it.
    - A bar below a day is finished when Yahoo's last trade is not before its end, else half an hour after it.

    Args:
        stamps: Start of each bar, in the exchange's time zone.
        interval: As asked of Yahoo.
        told: What Yahoo says about the symbol (its `meta`).
        now: The moment of the download; Yahoo's last trade (`regularMarketTime`) goes before a clock that is slow.

    Returns:
        True where a bar is not finished; shape (bars,).

    Example:
        >>> days = pd.DatetimeIndex(["2024-01-03", "2024-01-04"], tz="America/New_York")
        >>> hours = {"start": 1704378600, "end": 1704402000}  # 4 January, 9:30 to 16:00
        >>> told = {"currentTradingPeriod": {"regular": hours}}
        >>> running(days, "1d", told, pd.Timestamp("2024-01-04 16:20", tz="America/New_York")).tolist()
        [False, True]
    """
    zone = stamps.tz
    traded = _moment(told.get("regularMarketTime"))
    now = max(now, traded) if traded is not None else now
    if interval not in ("1d", *_COARSE):
        ends = stamps + int(interval[:-1]) * pd.Timedelta("1h" if interval.endswith("h") else "1min")
        late = np.asarray(ends + GRACE > now)
        return late if traded is None else late & np.asarray(ends > traded)
    days = stamps.tz_localize(None).normalize()
    today = now.tz_convert(zone).tz_localize(None).normalize()
    if interval in _COARSE:
        return np.asarray(days + _COARSE[interval] > today)
    session = _session(told, zone)
    if session is None:
        return np.asarray(days >= today)
    day, end = session
    return np.asarray(days >= pd.Timestamp(day)) if now < end + GRACE else np.asarray(days > pd.Timestamp(day))


def _session(told: Mapping[str, Any], zone: Any) -> tuple[date, pd.Timestamp] | None:
    """Day and end of the session that runs, or was or will be the nearest."""
    period = told.get("currentTradingPeriod")
    regular = period.get("regular") if isinstance(period, Mapping) else None
    if not isinstance(regular, Mapping):
        return None
    start, end = _moment(regular.get("start")), _moment(regular.get("end"))
    return (start.tz_convert(zone).date(), end) if start is not None and end is not None else None


def _moment(told: Any) -> pd.Timestamp | None:
    """A moment from seconds since 1970, as Yahoo tells it, or a time stamp, as yfinance turns it into."""
    if isinstance(told, pd.Timestamp) and told.tz is not None:
        return told
    return pd.Timestamp(told, unit="s", tz="UTC") if isinstance(told, int) else None
