"""Time stamps as people write them, read without guessing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from forecaster.errors import DataError
from forecaster.series.calendar import DAY, STAMP
from forecaster.series.coded import Coded
from forecaster.series.localtime import check_zone, moments_of
from forecaster.series.rawtable import RawTable

__all__ = ["parse_stamps", "say_stamp", "written"]

OFFSET = r"([T ]\d.*)(?:[Zz]|[+-]\d\d(?::?\d\d)?)$"
"""A time of day, and behind it the distance from UTC."""
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000}
"""Microseconds of what stamps count since 1970."""
WRITTEN_OFFSET = r"(.*)[+-]\d\d:?\d\d(?::?\d\d)?"
"""What is in front of the distance from UTC, wherever a format of its own has it."""
FARTHEST = 270 * 365 * DAY
LARGEST_COUNT = 2**62
"""Size of a whole number that is still let in, so that distances are 64-bit numbers, too."""
DATES = "all stamps show the same time of day, so the dates are taken without their zone"


def say_stamp(stamp: Any) -> str:
    """A stamp for people: the date alone at midnight, a whole number as it is.

    Example:
        >>> say_stamp(np.datetime64("2024-01-31T00:00")), say_stamp(np.datetime64("2024-01-31T13:30"))
        ('2024-01-31', '2024-01-31T13:30:00')
    """
    if isinstance(stamp, int | np.integer):
        return str(stamp)
    return pd.Timestamp(stamp).isoformat().removesuffix("T00:00:00")


def written(stamps: pd.Series[Any]) -> list[str | int]:
    """Stamps for programs: ISO 8601, with the offset from UTC of the zone that they have; whole numbers as they are.

    Example:
        >>> written(pd.Series(pd.date_range("2024-07-01", periods=1, tz="Europe/Berlin"))), written(pd.Series([7]))
        (['2024-07-01T00:00:00+02:00'], [7])
    """
    if pd.api.types.is_datetime64_any_dtype(stamps):
        return [stamp.isoformat() for stamp in stamps]
    return [int(stamp) for stamp in stamps]


def parse_stamps(
    table: RawTable,
    time_format: str | None,
    zone: str | None = None,
    series: np.ndarray | None = None,
    *,
    clock: bool = False,
) -> tuple[np.ndarray, str | None]:
    """Reads the column of time stamps.

    Whole numbers stay whole numbers; everything else must be a date in ISO 8601, or in `time_format`.
    Stamps with a zone become UTC; where all of them show the same time of day on their own clock, they
    mean days or longer and keep that clock's date, unless steps are known to be shorter.

    Args:
        table: The table.
        time_format: `strptime` format, where they are not ISO 8601; or `epoch_s`, `epoch_ms` for seconds or
            milliseconds since 1970 in UTC.
        zone: Time zone of the clock that stamps without an offset show, and that all are given back by.
        series: Number of the series of each row; needed where `zone` puts clocks back.
        clock: Whether the time of day means something, even if all stamps show the same.

    Returns:
        The stamps as int64 or `datetime64[us]`, and the zone that they came in.

    Raises:
        DataError: Names row, column, value and remedy.
    """
    name = table.columns.time
    column = table.frame[name]
    if (absent := column.isna().to_numpy()).any():
        raise DataError(f"{table.cell(int(np.argmax(absent)), name)}: no time stamp; write one")
    if zone is not None:
        check_zone(zone)
    if time_format in EPOCHS:
        return _without_zone(_from_epoch(Coded.of(column), time_format, table), None, zone, table, clock)
    if pd.api.types.is_integer_dtype(column) and time_format is None:
        if zone is not None:
            raise DataError(f"{table.cell(0, name)}: whole numbers have no time zone; leave `zone` out")
        if (large := ((column > LARGEST_COUNT) | (column < -LARGEST_COUNT)).to_numpy(bool)).any():
            place = int(np.argmax(large))
            raise DataError(
                f"{table.cell(place, name)}: {table.shown(place, name)} is above 2^62 in size, too large for a whole "
                "number as a time stamp; correct it, or subtract a constant from all"
            )
        return column.to_numpy(np.int64), None
    if pd.api.types.is_float_dtype(column) or pd.api.types.is_bool_dtype(column):
        raise DataError(
            f"{table.cell(0, name)}: {table.shown(0, name)} is no date; write whole numbers or ISO 8601 dates"
        )
    if pd.api.types.is_datetime64_any_dtype(column):
        _refuse_finer(column, range(len(column)), table)
        if column.dt.tz is None:
            return _local(column.to_numpy(STAMP), zone, series, table, clock)
        return _without_zone(Coded.of(column), None, zone, table, clock)
    coded = Coded.of(column)
    moments, shown = _read(coded, time_format, table)
    _refuse_finer(moments, coded.codes, table)
    if moments.dt.tz is None:
        return _local(moments.to_numpy(STAMP)[coded.codes], zone, series, table, clock)
    return _without_zone(Coded(coded.codes, moments), shown, zone, table, clock)


def _refuse_finer(moments: pd.Series[Any], codes: np.ndarray | range, table: RawTable) -> None:
    """Refuses moments between two microseconds; `codes` say which moment each row has."""
    if moments.dt.unit == "ns" and (finer := moments.dt.nanosecond.to_numpy() != 0).any():
        name, place = table.columns.time, int(np.argmax(finer[codes]))
        raise DataError(
            f"{table.cell(place, name)}: {table.shown(place, name)} lies between two microseconds, the finest steps "
            "that there are; round the stamps, or number the steps with whole numbers"
        )


def _from_epoch(coded: Coded, unit: str, table: RawTable) -> Coded:
    """Seconds or milliseconds since 1970 as moments in UTC."""
    name = table.columns.time
    counts = pd.to_numeric(coded.values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    if not (valid := np.isfinite(counts)).all():
        place = coded.first(~valid)
        raise DataError(f"{table.cell(place, name)}: {table.shown(place, name)} is no number, so no `{unit}`")
    micros = np.rint(counts * EPOCHS[unit])
    if (wrong := np.abs(micros) > FARTHEST).any():
        place = coded.first(wrong)
        other = "epoch_ms" if unit == "epoch_s" else "an ISO 8601 date"
        raise DataError(
            f"{table.cell(place, name)}: {table.shown(place, name)} as `{unit}` is not in the years 1700 to 2240; "
            f"write `time_format: {other}`, or correct it"
        )
    return Coded(coded.codes, pd.Series(micros.astype(np.int64).astype(STAMP)).dt.tz_localize("UTC"))


def _local(
    shown: np.ndarray, zone: str | None, series: np.ndarray | None, table: RawTable, clock: bool
) -> tuple[np.ndarray, str | None]:
    """Stamps without an offset: what a clock showed, where `zone` says which."""
    if zone is None:
        return shown, None
    if not clock and not ((shown - shown[0]) % np.timedelta64(DAY, "us")).any():
        table.notes["time zone"] = DATES
        return shown, None
    table.notes["time zone"] = f"{zone} (as told); steps are counted in UTC"
    return moments_of(shown, zone, np.zeros(len(shown), np.int64) if series is None else series, table), zone


def _without_zone(
    coded: Coded, shown: pd.Series[Any] | None, told: str | None, table: RawTable, clock: bool
) -> tuple[np.ndarray, str | None]:
    """Moments in UTC, and the zone to give them back in."""
    moments = coded.values.dt.tz_convert(told) if told else coded.values
    if shown is None or told:
        shown = moments.dt.tz_localize(None)
    if not clock and (shown - shown.dt.normalize()).nunique() == 1:
        table.notes["time zone"] = DATES
        return shown.to_numpy(STAMP)[coded.codes], None
    zone = told or getattr(moments.dt.tz, "key", None) or str(moments.dt.tz)
    try:
        pd.Timestamp(0, tz=zone)
    except (KeyError, ValueError):
        raise DataError(
            f"{table.source}: the time zone {zone} has no name to be recorded by; "
            "write `.dt.tz_convert('Europe/Berlin')` or the like"
        ) from None
    table.notes["time zone"] = f"{zone}{' (as told)' if told else ''}; steps are counted in UTC"
    utc = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    offsets = (shown - utc).unique()
    if zone == "UTC" and len(offsets) > 1:
        table.notes["offsets"] = " and ".join(_say_offset(offset) for offset in sorted(offsets)[:2])
    return utc.to_numpy(STAMP)[coded.codes], zone


def _say_offset(offset: pd.Timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _read(coded: Coded, time_format: str | None, table: RawTable) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """The moments, and what the clocks on the wall showed."""
    layout, column = (time_format or "ISO8601").strip(), coded.values.astype(str).str.strip()
    try:
        dates = pd.to_datetime(column, format=layout)
    except ValueError:
        return _read_mixed(coded, time_format, table)
    if dates.isna().any():  # pandas takes "" and "nan" for missing dates
        return _read_mixed(coded, time_format, table)
    return dates, dates.dt.tz_localize(None)


def _read_mixed(coded: Coded, time_format: str | None, table: RawTable) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Stamps that pandas refuses: no dates, some with and some without an offset, or offsets that differ."""
    name, layout = table.columns.time, (time_format or "ISO8601").strip()
    column = coded.values.astype(str).str.strip()
    try:
        moments = pd.to_datetime(column, format=layout, errors="coerce", utc=True)
    except ValueError as error:
        raise DataError(
            f"{table.source}: time_format {time_format!r} cannot be used ({error}); write it as in %d/%m/%Y %H:%M"
        ) from None
    if moments.isna().any():
        place = coded.first(moments.isna())
        expected = f"in the format {time_format!r}" if time_format else "as ISO 8601 (2024-01-31T13:30)"
        raise DataError(
            f"{table.cell(place, name)}: {_text(place, coded)!r} is no date {expected}; "
            'write it so, or say how to read it with `time_format:` (for instance "%d/%m/%Y")'
        )
    if time_format:
        clock = pd.to_datetime(
            column.str.replace(WRITTEN_OFFSET, r"\1Z", regex=True), format=layout, errors="coerce", utc=True
        )
        return moments, clock.fillna(moments).dt.tz_localize(None)
    aware = column.str.fullmatch(".*" + OFFSET)
    if not aware.all():
        place = coded.first(aware != aware.iloc[coded.codes[0]])
        raise DataError(
            f"{table.cell(place, name)}: {_text(place, coded)!r} and {_text(0, coded)!r} differ in having a time "
            "zone; write all with one, or none"
        )
    return moments, pd.to_datetime(column.str.replace(OFFSET, r"\1", regex=True), format="ISO8601")


def _text(row: int, coded: Coded) -> str:
    return str(coded.values.iloc[coded.codes[row]])
