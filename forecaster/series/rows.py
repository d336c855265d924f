"""Rows by series and time: sorted, each series and stamp once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from forecaster.errors import DataError
from forecaster.series.precision import note_rounding
from forecaster.series.rawtable import RawTable
from forecaster.series.stamps import parse_stamps

__all__ = ["Rows", "sorted_rows"]


@dataclass(frozen=True)
class Rows:
    """The rows of a table in the order of series and time.

    Attributes:
        names: Of the series; shape (series,).
        series: Number of the series of each row; shape (rows,).
        stamps: int64 or `datetime64[us]`; shape (rows,).
        values: float32, the target and the covariates; shape (rows, columns).
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
        return np.searchsorted(self.series, np.arange(len(self.names), dtype=self.series.dtype))


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
    target = table.columns.target
    exact = table.exact(target)
    covariates = [table.numbers(name)[:, None] for name in table.columns.covariates]
    parts = [table.numbers(target, exact)[:, None], *covariates]
    values = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    if _in_order(series, stamps):
        note_rounding(exact, series, names, table)
        return Rows(names, series, stamps, values, range(len(series)), zone)
    order = _order(series, stamps, len(names))
    if (order[1:] != order[:-1] + 1).any():
        table.notes["sorted"] = "rows were not in the order of series and time; sorted"
    series, stamps, values = series[order], stamps[order], values[order]
    note_rounding(exact[order], series, names, table)
    again = np.append(False, (series[1:] == series[:-1]) & (stamps[1:] == stamps[:-1]))
    if not again.any():
        return Rows(names, series, stamps, values, order, zone)
    _refuse_contradictions(again, names[series], values, order, table)
    table.notes["duplicates"] = f"rows that repeat another exactly: {int(again.sum()):,}; dropped"
    once = ~again
    return Rows(names, series[once], stamps[once], values[once], order[once], zone)


def _in_order(series: np.ndarray, stamps: np.ndarray) -> bool:
    """Whether each series and stamp is there once, series by series and later stamps later."""
    same = series[1:] == series[:-1]
    return bool(((series[1:] > series[:-1]) | (same & (stamps[1:] > stamps[:-1]))).all())


def _order(series: np.ndarray, stamps: np.ndarray, count: int) -> np.ndarray:
    """The rows in the order of series and time; rows of one series and time as they stand."""
    if (stamps[1:] >= stamps[:-1]).all():  # all series side by side, moment by moment: a radix sort will do
        return np.argsort(series.astype(np.uint16) if count <= 1 << 16 else series, kind="stable")
    return np.lexsort((stamps, series))


def _refuse_contradictions(
    again: np.ndarray, ids: np.ndarray, values: np.ndarray, order: np.ndarray, table: RawTable
) -> None:
    before = np.roll(values, 1, axis=0)
    equal = ((values == before) | (np.isnan(values) & np.isnan(before))).all(axis=1)
    if not (again & ~equal).any():
        return
    place = int(np.flatnonzero(again & ~equal)[0])
    earlier, later = sorted((int(order[place - 1]), int(order[place])))
    time = table.columns.time
    raise DataError(
        f"{table.row(later)}: series {ids[place]!r} has {time} {table.shown(later, time)} twice with different values "
        f"(also {table.row(earlier).rpartition(', ')[2]}); keep one row, or name the id column; where clocks were "
        "put back, tell the zone (`zone: Europe/London`), or write the stamps with their offset from UTC"
    )
