"""Trading days: the calendar of daily prices from one exchange or several.

Several exchanges share one clock: a step is a day on which any of them is open. On the other exchanges' days a
series is missing, which networks and baselines pass over, and there is no forecast for it. So parts are cut at
the same dates for all, and every forecast is dated on a session of its own exchange.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from forecaster.errors import DataError
from forecaster.series.calendar import DAY, OFF_GRID, STAMP, Calendar, Sessions, calendar_from

__all__ = ["MixedSessions", "trading_days"]

MOST_ODD = 0.05
"""Share of a symbol's days that may be no sessions of its calendar; beyond, the calendar must be another."""


@dataclass(frozen=True, eq=False)
class MixedSessions(Sessions):
    """The days on which any of several exchanges is open.

    Args:
        name: See `Sessions`.
        table: See `Sessions`.
        members: Whether each day of the table is a session of a series' own exchange, by the series' name.
    """

    members: Mapping[str, np.ndarray]

    def trading(self, names: Sequence[str] | np.ndarray, ticks: np.ndarray) -> np.ndarray:
        """As `Calendar.trading`."""
        return np.array([self.members[str(name)][row] for name, row in zip(names, ticks, strict=True)])


def trading_days(days: Mapping[str, np.ndarray], codes: Mapping[str, str]) -> tuple[Calendar, list[str]]:
    """The calendar of daily prices.

    A day with a price that is no session in exchange_calendars (a special session, say) is taken for one, as
    long as such days are few.

    Args:
        days: The days with prices of each symbol, `datetime64`.
        codes: Of the calendar of each symbol, see `exchanges.calendar_code`.

    Returns:
        The calendar, named by the codes, and the days that were added to it, in words.

    Raises:
        DataError: A calendar does not fit its symbol, or cannot be made.
    """
    everything = np.concatenate(list(days.values()))
    first, last = everything.min().astype(STAMP), everything.max().astype(STAMP)
    calendars = {code: calendar_from(code, first, last) for code in sorted(set(codes.values()))}
    odd = {symbol: _odd(symbol, stamps, calendars[codes[symbol]]) for symbol, stamps in days.items()}
    told = [f"{symbol} {day.astype('datetime64[D]')}" for symbol, extra in odd.items() for day in extra]
    if len(calendars) == 1 and not told:
        return next(iter(calendars.values())), []
    tables = {code: _table(calendar, first, last) for code, calendar in calendars.items()}
    end = min(table[-1] for table in tables.values())
    own = {symbol: np.union1d(tables[code], odd[symbol]) for symbol, code in codes.items()}
    table = np.unique(np.concatenate(list(own.values())))
    table = table[table <= max(end, last)]
    name = "+".join(calendars)
    return MixedSessions(name, table, {symbol: np.isin(table, mine) for symbol, mine in own.items()}), told


def _odd(symbol: str, stamps: np.ndarray, calendar: Calendar) -> np.ndarray:
    """Days with prices that are no sessions."""
    stamps = stamps.astype(STAMP)
    ticks = calendar.ticks(stamps)
    odd = stamps[ticks == OFF_GRID]
    if len(odd) > max(1, MOST_ODD * len(stamps)):
        raise DataError(
            f"{symbol}: {len(odd):,} of its {len(stamps):,} days, {odd[0].astype('datetime64[D]')} first, are no "
            f"sessions of {calendar.name}; write `freq:` with the right calendar, such as D or B"
        )
    return np.asarray(odd)


def _table(calendar: Calendar, first: np.datetime64, last: np.datetime64) -> np.ndarray:
    """The sessions of a calendar; of even days those up to a year ahead, as for exchanges."""
    if isinstance(calendar, Sessions):
        return calendar.table
    ahead = max(last, np.datetime64("now").astype(STAMP)) + np.timedelta64(365 * DAY, "us")
    return np.arange(first.astype("datetime64[D]"), ahead.astype("datetime64[D]")).astype(STAMP)
