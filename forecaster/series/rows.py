"""Rows by series and time: sorted, each series and stamp once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.errors import DataError
from forecaster.series.precision import differ, note_rounding
from forecaster.series.rawtable import RawTable
from forecaster.series.stamps import parse_stamps

__all__ = ["Rows", "sorted_rows", "sorted_stamps"]


@dataclass(frozen=True)
class Rows:
    """The rows of a table in the order of series and time.

    Attributes:
        names: Of the series; shape (series,).
        series: Number of the series of each row; shape (rows,).
        stamps: int64 or `datetime64[us]`; shape (rows,).
        values: float32, the target and the covariates that are not static; shape (rows, columns).
        positions: Where each row stands in the table; shape (rows,).
        zone: Time zone in which the stamps were written.
    """

    names: np.ndarray
    series: np.ndarray
    stamps: np.ndarray
    values: np.ndarray
    positions: np.ndarray | range
    zone: str | None

    @cached_property
    def starts(self) -> np.ndarray:
        """First row of each series; shape (series,)."""
        return _starts(self.series, len(self.names))

    def arranged(self, cells: np.ndarray) -> np.ndarray:
        """A column of the table in the order of the rows."""
        return cells if isinstance(self.positions, range) else cells[self.positions]


def sorted_rows(table: RawTable, time_format: str | None, zone: str | None = None, *, clock: bool = False) -> Rows:
    """Reads all cells that are used; what was put right is noted.

    Args:
        table: The table.
        time_format: As `parse_stamps`.
        zone: As `parse_stamps`.
        clock: As `parse_stamps`.

    Raises:
        DataError: A cell that cannot be read, or two rows of one series and time that differ.
    """
    series, names = table.ids()
    stamps, zone = parse_stamps(table, time_format, zone, series, clock=clock)
    if _in_order(series, stamps):
        return Rows(names, series, stamps, _values(slice(None), series, names, table), range(len(series)), zone)
    order = _order(series, stamps, len(names))
    series, stamps = series[order], stamps[order]
    if ((order[1:] < order[:-1]) & (series[1:] == series[:-1])).any():
        table.notes["sorted"] = "rows were not in the order of time within their series; sorted"
    again = np.append(False, (series[1:] == series[:-1]) & (stamps[1:] == stamps[:-1]))
    if again.any():
        _refuse_contradictions(np.flatnonzero(again), names[series], order, table)
        table.notes["duplicates"] = f"rows that repeat another exactly: {int(again.sum()):,}; dropped"
        series, stamps, order = series[~again], stamps[~again], order[~again]
    return Rows(names, series, stamps, _values(order, series, names, table), order, zone)


def sorted_stamps(table: RawTable, time_format: str | None, zone: str | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The stamps of all series one after the other, each in order, and the first row of each series.

    Args:
        table: The table; nothing else of it is looked at.
        time_format: As `parse_stamps`.
        zone: As `parse_stamps`.

    Raises:
        DataError: A row without a series, or a stamp that cannot be read.
    """
    series, names = table.ids()
    stamps, _ = parse_stamps(table, time_format, zone, series)
    if not _in_order(series, stamps):
        order = _order(series, stamps, len(names))
        series, stamps = series[order], stamps[order]
    return stamps, _starts(series, len(names))


def _starts(series: np.ndarray, count: int) -> np.ndarray:
    return np.searchsorted(series, np.arange(count, dtype=series.dtype))


def _values(order: np.ndarray | slice, series: np.ndarray, names: np.ndarray, table: RawTable) -> np.ndarray:
    """The target and the covariates that move, as 32-bit numbers; what these lose is noted."""
    columns = [table.columns.target, *table.columns.past, *table.columns.known]
    values = np.empty((len(series), len(columns)), np.float32)
    for place, name in enumerate(columns):
        exact = table.exact(name)[order]
        values[:, place] = table.numbers(name, exact)
        note_rounding(exact, series, names, name, table)
    return values


def _in_order(series: np.ndarray, stamps: np.ndarray) -> bool:
    """Whether each series and stamp is there once, series by series and later stamps later."""
    same = series[1:] == series[:-1]
    return bool(((series[1:] > series[:-1]) | (same & (stamps[1:] > stamps[:-1]))).all())


def _order(series: np.ndarray, stamps: np.ndarray, count: int) -> np.ndarray:
    """The rows in the order of series and time; rows of one series and time as they stand."""
    if (stamps[1:] >= stamps[:-1]).all():  # all series side by side, moment by moment: a radix sort will do
        return np.argsort(series.astype(np.uint16) if count <= 1 << 16 else series, kind="stable")
    return np.lexsort((stamps, series))


def _refuse_contradictions(again: np.ndarray, ids: np.ndarray, order: np.ndarray, table: RawTable) -> None:
    """Compares rows with those before them, of the same series and time: as they are told, but for rounding."""
    other = np.zeros(len(again), bool)
    for name in (table.columns.target, *table.columns.covariates):
        exact = table.exact(name)
        other |= differ(exact[order[again]], exact[order[again - 1]])
    if not other.any():
        return
    place = int(again[np.argmax(other)])
    earlier, later = sorted((int(order[place - 1]), int(order[place])))
    time, also = table.columns.time, table.row(earlier).rpartition(", ")[2]
    if table.row(earlier) == table.row(later):
        also = f"{also}: the labels repeat, by place they are rows {earlier} and {later} from 0 on"
    raise DataError(
        f"{table.row(later)}: series {ids[place]!r} has {time} {table.shown(later, time)} twice with different values "
        f"(also {also}); keep one row, or name the id column; where clocks were "
        "put back, tell the zone (`zone: Europe/London`), or write the stamps with their offset from UTC"
    )
