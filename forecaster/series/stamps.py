"""Time stamps as people write them, read without guessing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.calendar import STAMP
from forecaster.series.rawtable import RawTable

__all__ = ["parse_stamps", "say_stamp"]

OFFSET = r"([T ]\d.*)(?:[Zz]|[+-]\d\d(?::?\d\d)?)$"
"""A time of day, and behind it the distance from UTC."""


def say_stamp(stamp: Any) -> str:
    """A stamp for people: the date alone at midnight, a whole number as it is.

    Example:
        >>> say_stamp(np.datetime64("2024-01-31T00:00")), say_stamp(np.datetime64("2024-01-31T13:30"))
        ('2024-01-31', '2024-01-31T13:30:00')
    """
    if isinstance(stamp, int | np.integer):
        return str(stamp)
    return pd.Timestamp(stamp).isoformat().removesuffix("T00:00:00")


def parse_stamps(table: RawTable, time_format: str | None) -> tuple[np.ndarray, str | None]:
    """Reads the column of time stamps.

    Whole numbers stay whole numbers; everything else must be a date in ISO 8601, or in `time_format`.
    Stamps with a zone become UTC; where all of them show the same time of day on their own clock, they
    mean days or longer and keep that clock's date.

    Args:
        table: The table.
        time_format: `strptime` format, where they are not ISO 8601.

    Returns:
        The stamps as int64 or `datetime64[us]`, and the zone that they came in.

    Raises:
        DataError: Names row, column, value and remedy.
    """
    name = table.columns.time
    column = table.frame[name]
    if column.isna().any():
        raise DataError(f"{table.cell(int(np.flatnonzero(column.isna())[0]), name)}: no time stamp; write one")
    if pd.api.types.is_integer_dtype(column) and time_format is None:
        return column.to_numpy(np.int64), None
    if pd.api.types.is_float_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise DataError(
            f"{table.cell(0, name)}: {table.shown(0, name)} is no date; write whole numbers or ISO 8601 dates"
        )
    if pd.api.types.is_datetime64_any_dtype(column):
        moments, clock = column, column.dt.tz_localize(None)
    else:
        moments, clock = _read(column.astype(str), time_format, table)
    if moments.dt.tz is None:
        return moments.to_numpy(STAMP), None
    return _without_zone(moments, clock, table)


def _without_zone(moments: pd.Series[Any], clock: pd.Series[Any], table: RawTable) -> tuple[np.ndarray, str | None]:
    if (clock - clock.dt.normalize()).nunique() == 1:
        table.notes["time zone"] = "all stamps show the same time of day, so the dates are taken without their zone"
        return clock.to_numpy(STAMP), None
    zone = getattr(moments.dt.tz, "key", None) or str(moments.dt.tz)
    try:
        pd.Timestamp(0, tz=zone)
    except (KeyError, ValueError):
        raise DataError(
            f"{table.source}: the time zone {zone} has no name to be recorded by; "
            "write `.dt.tz_convert('Europe/Berlin')` or the like"
        ) from None
    table.notes["time zone"] = f"{zone}; steps are counted in UTC"
    offsets = (clock - moments.dt.tz_convert("UTC").dt.tz_localize(None)).unique()
    if zone == "UTC" and len(offsets) > 1:
        table.notes["offsets"] = " and ".join(_say_offset(offset) for offset in sorted(offsets)[:2])
    return moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(STAMP), zone


def _say_offset(offset: pd.Timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _read(column: pd.Series[Any], time_format: str | None, table: RawTable) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """The moments, and what the clocks on the wall showed."""
    layout = time_format or "ISO8601"
    try:
        dates = pd.to_datetime(column, format=layout)
    except ValueError:
        return _read_mixed(column, time_format, table)
    return dates, dates.dt.tz_localize(None)


def _read_mixed(
    column: pd.Series[Any], time_format: str | None, table: RawTable
) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Stamps that pandas refuses: no dates, some with and some without an offset, or offsets that differ."""
    name, layout = table.columns.time, time_format or "ISO8601"
    try:
        moments = pd.to_datetime(column, format=layout, errors="coerce", utc=True)
    except ValueError as error:
        raise DataError(
            f"{table.source}: time_format {time_format!r} cannot be used ({error}); write it as in %d/%m/%Y %H:%M"
        ) from None
    if moments.isna().any():
        place = int(np.flatnonzero(moments.isna())[0])
        expected = f"in the format {time_format!r}" if time_format else "as ISO 8601 (2024-01-31T13:30)"
        raise DataError(
            f"{table.cell(place, name)}: {column.iloc[place]!r} is no date {expected}; "
            'write it so, or say how to read it with `time_format:` (for instance "%d/%m/%Y")'
        )
    if time_format:
        return moments, moments.dt.tz_localize(None)
    aware = column.str.fullmatch(".*" + OFFSET)
    if not aware.all():
        place = int(np.flatnonzero(aware != aware.iloc[0])[0])
        raise DataError(
            f"{table.cell(place, name)}: {column.iloc[place]!r} and {column.iloc[0]!r} differ in having a time "
            "zone; write all with one, or none"
        )
    return moments, pd.to_datetime(column.str.replace(OFFSET, r"\1", regex=True), format="ISO8601")
