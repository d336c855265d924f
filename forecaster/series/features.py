"""Calendar features: known covariates that follow from the time stamps alone, computed when they are needed.

A periodic feature is the pair `<name>_sin`, `<name>_cos` of its place in the cycle, so that the end of a cycle lies
beside its beginning: sin and cos of 2π × the share of the cycle that has passed. What has no cycle is one column with
the feature's name. All follow the clock on the wall: local time where the stamps have a zone, across daylight saving.

    minute_of_day    minutes since midnight / 1440
    hour             hour / 24
    weekday          (0 for Monday … 6 for Sunday) / 7
    day_of_month     (day − 1) / days of this month
    month            (month − 1) / 12
    day_of_year      (day of the year − 1) / days of this year
    week_of_year     (ISO week − 1) / weeks of this ISO year
    holiday:GB       1 on public holidays of a country, or of a region (holiday:AU-VIC), else 0
    session_gap      days since the session before; missing for the first session of the data
    session_of_week  sessions that this week had before; missing in the first week of the data
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecaster.config.features import checked_feature
from forecaster.errors import DataError
from forecaster.series.calendar import DAY, Calendar, EvenSteps, Sessions

__all__ = ["CalendarFeatures"]

BLOCK = 1_024
"""Ticks that are computed at once."""


class CalendarFeatures:
    """Calendar features on one calendar: a table by tick, of which only what was asked for is made.

    Args:
        names: Of the features; see the module.
        calendar: What ticks mean in dates.
        zone: Time zone whose clock is followed; None: the stamps are what the clock showed.

    Attributes:
        columns: Names of the columns, in order.
        definitions: How each column is computed, for whoever must do the same elsewhere.

    Raises:
        DataError: There is no such feature, it has no meaning on the calendar, or `holidays` is not installed.

    Example:
        >>> hours = EvenSteps("h", 3_600_000_000, 0)
        >>> CalendarFeatures(["hour"], hours).rows(np.array([0, 6])).round(3).tolist()
        [[0.0, 1.0], [1.0, 0.0]]
    """

    def __init__(self, names: Sequence[str], calendar: Calendar, zone: str | None = None) -> None:
        self.names, self.calendar, self.zone = tuple(names), calendar, zone
        self.definitions: dict[str, str] = {}
        for name in self.names:
            _check(name, calendar)
            self.definitions.update(_definitions(name))
        self.columns = tuple(self.definitions)
        if len(set(self.names)) < len(self.names):
            raise DataError(f"calendar: {', '.join(self.names)}: a feature is there twice; write each once")
        self._table = (0, np.zeros((0, len(self.columns)), np.float32))

    def rows(self, ticks: np.ndarray) -> np.ndarray:
        """The features at some ticks.

        Returns:
            float32, shape (*ticks.shape, columns).

        Raises:
            DataError: The calendar is not known as far ahead as that.
        """
        start, table = self._table
        low, high = int(ticks.min()), int(ticks.max()) + 1
        if low < start or high > start + len(table):
            start, table = self._table = self._grown(low, high)
        return np.asarray(table[ticks - start])

    def _grown(self, low: int, high: int) -> tuple[int, np.ndarray]:
        """The table, made to reach over [low, high), and its first tick."""
        if isinstance(self.calendar, Sessions):
            self.calendar.stamps(np.array([low, high - 1]))  # refuses what it does not reach
            return 0, self._computed(0, len(self.calendar.table))
        start, table = self._table
        low, high = low // BLOCK * BLOCK, -(-high // BLOCK) * BLOCK
        if not len(table):
            return low, self._computed(low, high)
        stop = start + len(table)
        parts = [self._computed(low, start)] if low < start else []
        parts.append(table)
        parts += [self._computed(stop, high)] if high > stop else []
        return min(low, start), np.concatenate(parts)

    def _computed(self, low: int, high: int) -> np.ndarray:
        clock = pd.DatetimeIndex(self.calendar.stamps(np.arange(low, high)))
        if self.zone is not None:
            clock = clock.tz_localize("UTC").tz_convert(self.zone).tz_localize(None)
        columns = [column for name in self.names for column in _columns(name, clock)]
        return np.stack(columns, axis=1).astype(np.float32)


def _weeks_of_year(clock: pd.DatetimeIndex) -> np.ndarray:
    """Of the ISO year: the week of 28 December is always the last."""
    years = clock.isocalendar()["year"].to_numpy(np.int64)
    last = pd.DatetimeIndex([f"{year:04d}-12-28" for year in np.unique(years)])
    weeks = last.isocalendar()["week"].to_numpy(np.int64)
    return np.asarray(weeks[np.unique(years, return_inverse=True)[1]])


Shares = Callable[[pd.DatetimeIndex], Any]
CYCLES: dict[str, tuple[Shares, str]] = {
    "minute_of_day": (
        lambda clock: (clock - clock.normalize()) / pd.Timedelta(1, "D"),
        "minutes since midnight / 1440",
    ),
    "hour": (lambda clock: clock.hour / 24, "hour / 24"),
    "weekday": (lambda clock: clock.day_of_week / 7, "weekday (Monday 0) / 7"),
    "day_of_month": (lambda clock: (clock.day - 1) / clock.days_in_month, "(day - 1) / days of the month"),
    "month": (lambda clock: (clock.month - 1) / 12, "(month - 1) / 12"),
    "day_of_year": (
        lambda clock: (clock.day_of_year - 1) / (365 + clock.is_leap_year),
        "(day of the year - 1) / days of the year",
    ),
    "week_of_year": (
        lambda clock: (clock.isocalendar()["week"].to_numpy(np.float64) - 1) / _weeks_of_year(clock),
        "(ISO week - 1) / weeks of the ISO year",
    ),
}
"""Periodic features: the share of the cycle that has passed at each time of the clock, and the same in words."""

PLAIN = {
    "session_gap": "days since the session before",
    "session_of_week": "sessions earlier in the same week (from Monday)",
}


def _definitions(name: str) -> dict[str, str]:
    """The columns of a feature, and how each is computed."""
    if name in CYCLES:
        words = CYCLES[name][1]
        return {f"{name}_{wave}": f"{wave}(2 pi x), x = {words}" for wave in ("sin", "cos")}
    if name.startswith("holiday:"):
        return {name: f"1 on public holidays of {name.partition(':')[2]} (package holidays), else 0"}
    return {name: PLAIN[name]}


def _columns(name: str, clock: pd.DatetimeIndex) -> list[np.ndarray]:
    if name in CYCLES:
        angle = 2 * np.pi * np.asarray(CYCLES[name][0](clock), np.float64)
        return [np.sin(angle), np.cos(angle)]
    if name == "session_gap":
        days = clock.normalize().to_numpy().astype("datetime64[D]").astype(np.float64)
        return [np.diff(days, prepend=np.nan)]
    if name == "session_of_week":
        return [_session_of_week(clock)]
    days, places = np.unique(clock.to_numpy().astype("datetime64[D]"), return_inverse=True)
    free = _holidays(name, int(clock[0].year), int(clock[-1].year))
    return [np.isin(days, free)[places].astype(np.float64)]


def _session_of_week(clock: pd.DatetimeIndex) -> np.ndarray:
    days = clock.to_numpy().astype("datetime64[D]")
    mondays = days - clock.day_of_week.to_numpy().astype("timedelta64[D]")
    _, first, places = np.unique(mondays, return_index=True, return_inverse=True)
    numbers = (np.arange(len(days)) - first[places]).astype(np.float64)
    return np.where(mondays < days[0], np.nan, numbers)  # nothing is known of a week's sessions before the table


def _holidays(name: str, first: int, last: int) -> np.ndarray:
    """The public holidays of a country or region from one year to another, as days."""
    try:
        import holidays
    except ImportError:
        raise DataError(f"calendar: {name} needs the package holidays; install forecaster[calendar]") from None
    country, _, region = name.partition(":")[2].partition("-")
    try:
        found = holidays.country_holidays(country, region or None, years=range(first, last + 1))
    except NotImplementedError:
        known = holidays.list_supported_countries()
        regions = ", ".join(known.get(country, ())) or "none"
        those = f"the regions of {country} are {regions}" if country in known else f"no country {country}"
        raise DataError(
            f"calendar: {name}: the package holidays knows no such public holidays ({those}); write an ISO 3166 code "
            "such as holiday:GB or holiday:AU-VIC"
        ) from None
    return np.array(sorted(found), "datetime64[D]")


def _check(name: str, calendar: Calendar) -> None:
    """Refuses a feature that does not exist, or that says nothing on this calendar."""
    try:
        checked_feature(name)
    except ValueError as error:
        raise DataError(f"calendar: {error}") from None
    if isinstance(calendar, EvenSteps) and calendar.numeric:
        raise DataError(
            f"calendar: {name} needs dates, but the time stamps are whole numbers; write the stamps as dates "
            "(or say `time_format:`), or leave `calendar` out"
        )
    days = isinstance(calendar, Sessions) or calendar.width % DAY == 0  # type: ignore[attr-defined]
    weeks = isinstance(calendar, EvenSteps) and calendar.width % (7 * DAY) == 0
    if (days and name in ("minute_of_day", "hour")) or (weeks and name == "weekday"):
        raise DataError(f"calendar: {name} is the same at every step of {calendar.name}; leave it out")
    if name.startswith("session") and not (isinstance(calendar, Sessions) and _is_daily(calendar)):
        raise DataError(
            f"calendar: {name} needs the sessions of an exchange or business days, but the steps are "
            f"{calendar.name}; write `freq: XNYS` or `freq: B`, or leave it out"
        )
    if name.startswith("holiday:"):
        _holidays(name, 2024, 2024)


def _is_daily(calendar: Sessions) -> bool:
    return bool(np.median(np.diff(calendar.table)) <= np.timedelta64(3, "D"))
