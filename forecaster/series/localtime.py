"""Local time without offsets: which moment a clock on the wall meant, when it is put forward and back."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.calendar import STAMP
from forecaster.series.rawtable import RawTable

__all__ = ["check_zone", "in_zone", "moments_of"]


def check_zone(zone: str) -> None:
    """Refuses a zone that there is not.

    Raises:
        DataError: There is none of that name.
    """
    try:
        pd.Timestamp(0, tz=zone)
    except (KeyError, ValueError, OSError):
        raise DataError(f"zone: {zone!r} is no time zone; write a name such as Europe/London") from None


def in_zone(stamp: pd.Timestamp, zone: str) -> pd.Timestamp:
    """A stamp in a zone: its clock's where it has no offset from UTC.

    Raises:
        DataError: A time that no clock showed there, or one that was shown twice.

    Example:
        >>> str(in_zone(pd.Timestamp("2024-07-01 12:00"), "Europe/Berlin"))
        '2024-07-01 12:00:00+02:00'
    """
    if stamp.tzinfo is not None:
        return stamp.tz_convert(zone)
    try:
        return stamp.tz_localize(zone)
    except ValueError:  # what pandas raises for both
        near = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        raise DataError(
            f"{stamp} is an hour that the clocks of {zone} skip or show twice, as they are put forward or back; write "
            f"it with its offset from UTC, as {near}"
        ) from None


def moments_of(clock: np.ndarray, zone: str, series: np.ndarray, table: RawTable) -> np.ndarray:
    """The moments, in UTC, at which a zone's clocks showed given times.

    An hour that is shown twice, since clocks were put back, is told apart by the order of the rows: a series that has
    both must be in the order of time, forward or backward.

    Args:
        clock: `datetime64[us]`, in the order of the table; shape (rows,).
        zone: Name of the zone.
        series: Number of the series of each row.
        table: For messages and notes.

    Raises:
        DataError: A time that no clock showed, or one that was shown twice and cannot be told apart.
    """
    codes, times = pd.factorize(clock)
    index = pd.DatetimeIndex(times)
    late = index.tz_localize(zone, ambiguous=np.zeros(len(index), bool), nonexistent="NaT")
    if (hole := np.asarray(late.isna())).any():
        row = int(np.argmax(hole[codes]))
        raise DataError(
            f"{table.cell(row, table.columns.time)}: {table.shown(row, table.columns.time)} was shown by no clock in "
            f"{zone}, since clocks were put forward over it; correct it, or write the zone that the stamps keep all "
            "year, such as `zone: UTC`"
        )
    early = index.tz_localize(zone, ambiguous=np.ones(len(index), bool), nonexistent="NaT")
    last, first = (each.tz_convert("UTC").tz_localize(None).to_numpy(STAMP) for each in (late, early))
    moments = last[codes]
    twice = (first != last)[codes]
    if twice.any():
        moments[twice] = _told_apart(np.flatnonzero(twice), clock, zone, series, table, (first[codes], moments))
        table.notes["clocks put back"] = f"{int(twice.sum()):,} stamps that were shown twice; told apart by their order"
        _check_order(twice, moments, series, zone, table)
    return moments


def _told_apart(
    rows: np.ndarray,
    clock: np.ndarray,
    zone: str,
    series: np.ndarray,
    table: RawTable,
    moments: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The moments of the rows whose time was shown twice: the earlier for the first of a pair, in the order of time."""
    pairs = pd.DataFrame({"series": series[rows], "clock": clock[rows]})
    groups = pairs.groupby(["series", "clock"])["clock"]
    if (wrong := (groups.transform("size") != 2).to_numpy()).any():
        _refuse(int(rows[np.argmax(wrong)]), zone, table, "its series does not have it twice, so it could be either")
    spans = pd.DataFrame({"series": series, "clock": clock}).groupby("series")["clock"].agg(["first", "last"])
    backward = (spans["first"] > spans["last"]).reindex(pairs["series"]).to_numpy()
    earlier = (groups.cumcount().to_numpy() == 0) != backward
    return np.asarray(np.where(earlier, moments[0][rows], moments[1][rows]))


def _check_order(twice: np.ndarray, moments: np.ndarray, series: np.ndarray, zone: str, table: RawTable) -> None:
    """The order of rows tells times apart only where all rows of the series are in order."""
    rows = np.flatnonzero(np.isin(series, np.unique(series[twice])))
    rows = rows[np.argsort(series[rows], kind="stable")]
    same = series[rows[1:]] == series[rows[:-1]]
    forward = moments[rows[1:]] > moments[rows[:-1]]
    for direction in (forward, ~forward):
        kept = pd.Series(direction | ~same).groupby(series[rows[1:]]).transform("all").to_numpy()
        same &= ~kept
    if same.any():
        doubtful = np.isin(series, series[rows[1:][same]]) & twice
        _refuse(
            int(np.argmax(doubtful)), zone, table, "the rows of its series are in no order that tells which is meant"
        )


def _refuse(row: int, zone: str, table: RawTable, why: str) -> NoReturn:
    time = table.columns.time
    raise DataError(
        f"{table.cell(row, time)}: {table.shown(row, time)} was shown twice by clocks in {zone}, since they were put "
        f"back, and {why}; write stamps with their offset from UTC (2024-10-27T02:30+01:00)"
    )
