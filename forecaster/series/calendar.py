"""Calendars: the grid of time stamps that a series lives on, counted in whole ticks.

Inside the program time is an integer. A calendar says which tick a time stamp has and the other way round:
evenly spaced stamps by division; business days, months and exchange sessions by a table of stamps.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset

from forecaster.errors import DataError

__all__ = ["DAY", "OFF_GRID", "STAMP", "Calendar", "EvenSteps", "Sessions", "calendar_from", "within_days"]

STAMP = "datetime64[us]"
DAY = 86_400_000_000
"""Microseconds."""
AHEAD = 2_000
"""Steps that a table of stamps reaches beyond the last stamp of the data."""
OFF_GRID = int(np.iinfo(np.int64).min)
"""The tick of a time stamp that is not on the grid."""
BLOCK = 1 << 17
"""Stamps that are looked at together."""

WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
EVEN_NAMES = ((DAY, "D"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms"), (1, "us"))


class Calendar(ABC):
    """A grid of time stamps.

    Attributes:
        name: What can be written for `freq` to get the same grid.
    """

    name: str

    @abstractmethod
    def ticks(self, stamps: np.ndarray) -> np.ndarray:
        """The tick of each stamp, int64; `OFF_GRID` where it lies on none."""

    @abstractmethod
    def stamps(self, ticks: np.ndarray) -> np.ndarray:
        """The stamp of each tick.

        Raises:
            DataError: The calendar is not known as far ahead as that.
        """

    @abstractmethod
    def tick_from(self, stamp: Any) -> int:
        """The first tick at or behind a stamp (`datetime64`, or a whole number where stamps are such)."""

    def trading(self, names: Sequence[str] | np.ndarray, ticks: np.ndarray) -> np.ndarray:
        """Whether series have a step at each tick at all: where exchanges are mixed, not on others' sessions.

        Args:
            names: Of the series.
            ticks: Shape (series, ticks); so is what is returned.
        """
        return np.ones((len(names), *np.shape(ticks)[1:]), bool)


@dataclass(frozen=True)
class EvenSteps(Calendar):
    """Evenly spaced stamps: `anchor + tick × width`.

    Args:
        name: What can be written for `freq`.
        width: Microseconds between ticks, or the plain difference where stamps are whole numbers.
        anchor: The stamp of tick 0, in the same unit.
        numeric: Whether stamps are whole numbers and no dates.

    Example:
        >>> hours = EvenSteps("h", 3_600_000_000, 0)
        >>> hours.ticks(np.array(["1970-01-01T05:00", "1970-01-01T05:30"], "datetime64[us]"))[0]
        np.int64(5)
    """

    name: str
    width: int
    anchor: int
    numeric: bool = False

    def ticks(self, stamps: np.ndarray) -> np.ndarray:
        """As `Calendar.ticks`."""
        ticks = np.empty(np.shape(stamps), np.int64)
        for start in range(0, len(ticks), BLOCK):  # what is computed in between stays in the cache
            block = stamps[start : start + BLOCK]
            distances = (block if self.numeric else block.astype(STAMP)).astype(np.int64) - self.anchor
            some = distances // self.width
            some[some * self.width != distances] = OFF_GRID
            ticks[start : start + BLOCK] = some
        return ticks

    def stamps(self, ticks: np.ndarray) -> np.ndarray:
        """As `Calendar.stamps`."""
        values = self.anchor + np.asarray(ticks, np.int64) * self.width
        return values if self.numeric else values.astype(STAMP)

    def tick_from(self, stamp: Any) -> int:
        """As `Calendar.tick_from`."""
        value = int(stamp if self.numeric else np.datetime64(stamp, "us").astype(np.int64))
        return -(-(value - self.anchor) // self.width)


@dataclass(frozen=True, eq=False)
class Sessions(Calendar):
    """Stamps listed in a table: business days, months, the sessions of an exchange.

    Ticks count from the first entry, which is not before the day of the first stamp of the data.
    """

    name: str
    table: np.ndarray

    def ticks(self, stamps: np.ndarray) -> np.ndarray:
        """As `Calendar.ticks`."""
        stamps = stamps.astype(STAMP)
        places = np.searchsorted(self.table, stamps)
        found = self.table[np.minimum(places, len(self.table) - 1)] == stamps
        return np.where(found, places, OFF_GRID)

    def stamps(self, ticks: np.ndarray) -> np.ndarray:
        """As `Calendar.stamps`."""
        ticks = np.asarray(ticks, np.int64)
        if ticks.size and (ticks.min() < 0 or ticks.max() >= len(self.table)):
            first, last = pd.Timestamp(self.table[0]), pd.Timestamp(self.table[-1])
            raise DataError(f"calendar {self.name}: known only from {first} to {last}; forecast a shorter horizon")
        return np.asarray(self.table[ticks])

    def tick_from(self, stamp: Any) -> int:
        """As `Calendar.tick_from`; one behind the last where the table ends before."""
        return int(np.searchsorted(self.table, np.datetime64(stamp, "us")))


def within_days(freq: str | int | Calendar | None) -> bool:
    """Whether a frequency, where one is known, has steps shorter than a day, so that a time of day means something.

    Example:
        >>> within_days("15min"), within_days("D"), within_days("XNYS"), within_days(None)
        (True, False, False, False)
    """
    if isinstance(freq, Calendar):
        return isinstance(freq, EvenSteps) and not freq.numeric and freq.width < DAY
    try:
        step = pd.tseries.frequencies.to_offset(freq) if isinstance(freq, str) else None
    except ValueError:  # an exchange, or no frequency at all
        return False
    return isinstance(step, pd.offsets.Tick) and pd.Timedelta(step) < pd.Timedelta(1, "D")


def calendar_from(freq: str | int, first: Any, last: Any) -> Calendar:
    """The calendar that a user named.

    A grid of days or weeks has the time of day of the first stamp; one of several days, weeks or months
    starts counting there. A week begins on the day that the alias names, and `W` alone is pandas' `W-SUN`.

    Args:
        freq: A whole number (for stamps that are whole numbers), a pandas alias, or an exchange's code.
        first: First stamp of the data.
        last: Last stamp of the data.

    Raises:
        DataError: No such alias or exchange, or one that does not go forward.

    Example:
        >>> calendar_from("60min", "2024-01-01", "2024-01-02").name
        'h'
    """
    if isinstance(freq, int):
        if freq < 1:
            raise DataError(f"freq: {freq} is no step; write a whole number from 1 on")
        return EvenSteps(str(freq), freq, int(first), numeric=True)
    begin, end = pd.Timestamp(first).as_unit("us"), pd.Timestamp(last).as_unit("us")
    try:
        offset = to_offset(freq)
    except ValueError:
        return _exchange(freq, begin, end)
    if offset.n < 1:
        raise DataError(f"freq: {freq!r} does not go forward; write a positive number of steps, such as 1h")
    if isinstance(offset, pd.offsets.Tick):
        width, rest = divmod(offset.nanos, 1_000)
        if rest:
            raise DataError(
                f"freq: {freq!r} is no whole number of microseconds, the finest steps that there are; write a coarser "
                "one, or number the steps with whole numbers"
            )
        return even_steps(width, begin)
    if isinstance(offset, pd.offsets.Day):
        return even_steps(offset.n * DAY, begin)
    if isinstance(offset, pd.offsets.Week):
        late = (begin.weekday() - WEEKDAYS.index(offset.freqstr[-3:])) % 7
        return even_steps(offset.n * 7 * DAY, begin - pd.Timedelta(late, "D"))
    if isinstance(offset, pd.offsets.BusinessHour):
        raise DataError(f"freq: {freq!r}: steps below a day must be even; write h or 30min, with gaps at night")
    day = begin.normalize()
    known = pd.date_range(day, end, freq=offset)
    coming = pd.date_range(known[-1] if len(known) else day, periods=AHEAD, freq=offset)
    return Sessions(offset.freqstr, (known.union(coming) + (begin - day)).to_numpy(STAMP))


def even_steps(width: int, anchor: pd.Timestamp) -> EvenSteps:
    """Steps of `width` microseconds through `anchor`, named as pandas would."""
    unit, alias = next((unit, alias) for unit, alias in EVEN_NAMES if width % unit == 0)
    if width % (7 * DAY) == 0:
        unit, alias = 7 * DAY, f"W-{WEEKDAYS[anchor.weekday()]}"
    name = alias if width == unit else f"{width // unit}{alias}"
    return EvenSteps(name, width, int(anchor.to_datetime64().astype(STAMP).astype(np.int64)))


OLD_ALIASES = {"H": "h", "T": "min", "S": "s", "L": "ms", "M": "ME", "Q": "QE", "A": "YE", "Y": "YE", "BM": "BME"}
"""What pandas called them until version 2."""


def _exchange(code: str, first: pd.Timestamp, last: pd.Timestamp) -> Calendar:
    """The sessions of an exchange up to a year from now, each with the time of day of the first stamp."""
    import exchange_calendars

    names = exchange_calendars.get_calendar_names(include_aliases=True)
    if code not in names:
        raise DataError(_no_such(code, names))
    day = first.normalize()
    year_ahead = (max(last, pd.Timestamp.now()) + pd.Timedelta(365, "D")).normalize()
    try:
        known = exchange_calendars.get_calendar(code)
        begin = max(day - pd.Timedelta(10, "D"), known.bound_min() or pd.Timestamp.min.ceil("D"))
        end = min(year_ahead, known.bound_max() or year_ahead)
        sessions = exchange_calendars.get_calendar(code, start=begin, end=end).sessions
    except (ValueError, exchange_calendars.errors.CalendarError) as error:
        reason = str(error)[:160]
        raise DataError(f"freq: the calendar of {code} cannot be made ({reason}); write another, such as B") from None
    if not (sessions >= day).any():
        raise DataError(f"freq: the calendar of {code} ends on {end.date()}, before the data; write another, such as B")
    return Sessions(code, (sessions[sessions >= day] + (first - day)).to_numpy(STAMP))


def _no_such(code: str, names: list[str]) -> str:
    count, letters = re.fullmatch(r"(\d*)(.*)", code, re.DOTALL).groups()  # type: ignore[union-attr]
    if letters in OLD_ALIASES:
        return f"freq: {code!r} is an old alias of pandas; write {count}{OLD_ALIASES[letters]}"
    some = ", ".join(sorted(name for name in names if name.startswith("XN")))
    return (
        f"freq: {code!r} is neither a pandas alias (30min, h, D, B, W-MON, MS) nor the code of an exchange ({some}, …)"
    )
