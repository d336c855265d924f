"""Calendars: the grid of time stamps that a series lives on, counted in whole ticks.

Inside the program time is an integer. A calendar says which tick a time stamp has and the other way round:
evenly spaced stamps by division; business days, months and exchange sessions by a table of stamps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError

__all__ = ["OFF_GRID", "Calendar", "EvenSteps", "Sessions", "calendar_from", "infer_calendar"]

STAMP = "datetime64[us]"
AHEAD = 2_000
"""Steps that a table of stamps reaches beyond the last stamp of the data."""
OFF_GRID = int(np.iinfo(np.int64).min)
"""The tick of a time stamp that is not on the grid."""


class Calendar(ABC):
    """A grid of time stamps.

    Attributes:
        name: What the user would write for `freq`.
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


@dataclass(frozen=True)
class EvenSteps(Calendar):
    """Evenly spaced stamps: `anchor + tick × width`.

    Args:
        name: What the user would write for `freq`.
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
        ticks, rest = np.divmod(stamps.astype(np.int64) - self.anchor, self.width)
        return np.where(rest == 0, ticks, OFF_GRID)

    def stamps(self, ticks: np.ndarray) -> np.ndarray:
        """As `Calendar.stamps`."""
        values = self.anchor + np.asarray(ticks, np.int64) * self.width
        return values if self.numeric else values.astype(STAMP)


@dataclass(frozen=True, eq=False)
class Sessions(Calendar):
    """Stamps listed in a table: business days, months, the sessions of an exchange.

    Ticks count from the first entry, which is not after the first stamp of the data.
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
            raise DataError(
                f"calendar {self.name}: known only from {self.table[0]} to {self.table[-1]}; forecast a shorter horizon"
            )
        return np.asarray(self.table[ticks])


def calendar_from(freq: str | int, first: Any, last: Any) -> Calendar:
    """The calendar that a user named.

    Args:
        freq: A whole number (for stamps that are whole numbers), a pandas alias, or an exchange's code.
        first: First stamp of the data.
        last: Last stamp of the data.

    Raises:
        DataError: No such alias or exchange.
    """
    if isinstance(freq, int):
        return EvenSteps(str(freq), freq, int(first), numeric=True)
    first, last = pd.Timestamp(first).as_unit("us"), pd.Timestamp(last).as_unit("us")
    try:
        offset = pd.tseries.frequencies.to_offset(freq)
    except ValueError:
        return _exchange(freq, first, last)
    if isinstance(offset, pd.offsets.Tick | pd.offsets.Day | pd.offsets.Week):
        days = {pd.offsets.Day: 1, pd.offsets.Week: 7}.get(type(offset))
        width = pd.Timedelta(offset.n * days, "D") if days else pd.Timedelta(offset)
        return EvenSteps(freq, int(width / pd.Timedelta(1, "us")), int(first.value))
    day = first.normalize()
    known = pd.date_range(day, last, freq=offset)
    coming = pd.date_range(known[-1] if len(known) else day, periods=AHEAD, freq=offset)
    return Sessions(freq, (known.union(coming) + (first - day)).to_numpy(STAMP))


def _exchange(code: str, first: pd.Timestamp, last: pd.Timestamp) -> Calendar:
    import exchange_calendars

    names = exchange_calendars.get_calendar_names(include_aliases=True)
    if code not in names:
        some = ", ".join(sorted(name for name in names if name.startswith("XN")))
        raise DataError(
            f"freq: {code!r} is neither a pandas alias (30min, h, D, B, W, MS) nor the code of an exchange ({some}, …)"
        )
    horizon = max(last, pd.Timestamp.now()) + pd.Timedelta(365, "D")
    bound = exchange_calendars.get_calendar(code).bound_max()
    calendar = exchange_calendars.get_calendar(
        code, start=first.normalize() - pd.Timedelta(10, "D"), end=min(horizon.normalize(), bound or horizon.normalize())
    )
    sessions = calendar.sessions
    return Sessions(code, sessions[sessions >= first.normalize()].to_numpy(STAMP))


EVEN_NAMES = (
    (86_400_000_000, "D"),
    (3_600_000_000, "h"),
    (60_000_000, "min"),
    (1_000_000, "s"),
    (1_000, "ms"),
    (1, "us"),
)


def infer_calendar(stamps: Sequence[np.ndarray]) -> Calendar:
    """Finds the grid that all stamps lie on.

    Month, quarter and year starts and ends come first, then business days (no Saturday or Sunday in
    at least three weeks), then the greatest common divisor of all distances, provided that it is also
    the most frequent distance.

    Args:
        stamps: For each series its stamps in order, either `datetime64[us]` or integers.

    Raises:
        DataError: Irregular stamps; the message says what to write for `freq`.
    """
    everything = np.unique(np.concatenate(list(stamps)))
    if len(everything) < 3:
        raise DataError(f"freq: cannot be inferred from {len(everything)} time stamps; write it, for instance `freq: h`")
    numeric = everything.dtype.kind in "iu"
    if not numeric and (named := _by_name(pd.DatetimeIndex(everything))):
        return named
    distances = np.concatenate([np.diff(one.astype(np.int64)) for one in stamps])
    distances = distances[distances > 0]
    width = int(np.gcd.reduce(distances))
    values, counts = np.unique(distances, return_counts=True)
    common = int(values[counts.argmax()])
    if common != width:
        raise DataError(_irregular(everything, distances, common, width, numeric))
    name = str(width) if numeric else _even_name(width)
    return EvenSteps(name, width, int(everything[0].astype(np.int64)), numeric)


def _by_name(index: pd.DatetimeIndex) -> Calendar | None:
    days = index.normalize()
    if not (index - days == index[0] - days[0]).all():
        return None
    for alias, on in (
        ("YS", index.is_year_start), ("YE", index.is_year_end), ("QS", index.is_quarter_start),
        ("QE", index.is_quarter_end), ("MS", index.is_month_start), ("ME", index.is_month_end),
    ):  # fmt: skip
        if on.all():
            return calendar_from(alias, index[0], index[-1])
    single = np.median(np.diff(days.to_numpy())) == np.timedelta64(1, "D")
    if single and index[-1] - index[0] >= pd.Timedelta(21, "D") and (index.dayofweek < 5).all():
        return calendar_from("B", index[0], index[-1])
    return None


def _even_name(width: int) -> str:
    unit, alias = next((unit, alias) for unit, alias in EVEN_NAMES if width % unit == 0)
    return alias if width == unit else f"{width // unit}{alias}"


def _irregular(everything: np.ndarray, distances: np.ndarray, common: int, width: int, numeric: bool) -> str:
    def say(distance: int) -> str:
        return str(distance) if numeric else str(pd.Timedelta(distance, "us"))

    share = np.mean(distances == common)
    odd = int(distances[distances % common != 0][0])
    return (
        f"time stamps are irregular: {share:.0%} of the steps are {say(common)}, but there is one of {say(odd)}, "
        f"and only a grid of {say(width)} would hold all {len(everything)} stamps; "
        f"write `freq:` to say which grid is meant, or bring the data onto one"
    )
