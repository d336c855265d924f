"""Time stamps as people write them, read without guessing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError

__all__ = ["parse_stamps"]


def parse_stamps(
    column: pd.Series[Any], time_format: str | None, row: Callable[[int], str]
) -> tuple[np.ndarray, str | None]:
    """Reads a column of time stamps.

    Whole numbers stay whole numbers; everything else must be a date in ISO 8601, or in `time_format`.
    Stamps with a zone become UTC; where all of them show the same time of day on their own clock, they
    mean days or longer and keep that clock's date.

    Args:
        column: The stamps.
        time_format: `strptime` format, where they are not ISO 8601.
        row: Says where position n stands, for messages.

    Returns:
        The stamps as int64 or `datetime64[us]`, and the zone that they came in.

    Raises:
        DataError: Names row, column, value and remedy.
    """
    if column.isna().any():
        raise DataError(f"{row(int(np.flatnonzero(column.isna())[0]))}, column {column.name!r}: no time stamp; write one")
    if pd.api.types.is_integer_dtype(column) and time_format is None:
        return column.to_numpy(np.int64), None
    if pd.api.types.is_float_dtype(column):
        raise DataError(f"{row(0)}, column {column.name!r}: {column.iloc[0]!r} is no date; write whole numbers or ISO dates")
    dates = pd.to_datetime(_dates(column, time_format, row))
    zone = dates.dt.tz
    if zone is None:
        return dates.to_numpy("datetime64[us]"), None
    local = dates.dt.tz_localize(None)
    if (local - local.dt.normalize()).nunique() == 1:
        return local.to_numpy("datetime64[us]"), None
    return dates.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]"), str(zone)


def _dates(column: pd.Series[Any], time_format: str | None, row: Callable[[int], str]) -> pd.Series[Any]:
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    column = column.astype(str)
    try:
        return pd.to_datetime(column, format=time_format or "ISO8601")
    except ValueError as error:
        if "mixed" in str(error).lower():
            return _mixed(column, row)
    read = pd.to_datetime(column, format=time_format or "ISO8601", errors="coerce", utc=True)
    place = int(np.flatnonzero(read.isna())[0])
    expected = f"in the format {time_format!r}" if time_format else "as ISO 8601 (2024-01-31T13:30)"
    raise DataError(
        f"{row(place)}, column {column.name!r}: {column.iloc[place]!r} is no date {expected}; "
        "write it so, or say how to read it with `time_format:` (for instance \"%d/%m/%Y\")"
    )


def _mixed(column: pd.Series[Any], row: Callable[[int], str]) -> pd.Series[Any]:
    """Stamps with differing offsets are UTC moments; some with and some without an offset are ambiguous."""
    aware = column.str.contains(r"(?:Z|[+-]\d\d:?\d\d)$", regex=True)
    if not aware.all():
        place = int(np.flatnonzero(aware != aware.iloc[0])[0])
        raise DataError(
            f"{row(place)}, column {column.name!r}: {column.iloc[place]!r} and {column.iloc[0]!r} differ in having a time "
            "zone; write all with one, or none"
        )
    return pd.to_datetime(column, format="ISO8601", utc=True)
