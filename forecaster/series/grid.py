"""The grid: sorted rows laid on a calendar; steps without a row stay missing."""

from __future__ import annotations

import numpy as np

from forecaster.errors import DataError
from forecaster.series.calendar import OFF_GRID, Calendar, EvenSteps
from forecaster.series.panel import Panel
from forecaster.series.precision import differ, note_merged
from forecaster.series.rawtable import RawTable
from forecaster.series.rows import Rows
from forecaster.series.stamps import say_stamp
from forecaster.words import plural

__all__ = ["lay_on_grid"]

MOST_EMPTY = 20
"""A grid may hold this many times more steps than the table has rows; beyond, the frequency must be wrong."""


def lay_on_grid(rows: Rows, calendar: Calendar, clock: str, table: RawTable) -> Panel:
    """The panel of a table's rows.

    A series begins at its first observed target and ends at its last. Covariates before the first are left out;
    behind the last are the known ones of the future, and past ones are left out there, too.

    Args:
        rows: Sorted.
        calendar: The grid.
        clock: `shared`, `own`, or `auto`: own for whole-number stamps.
        table: Where the rows came from, for messages and notes.

    Raises:
        DataError: A stamp off the grid, a grid that would be nearly empty, a static covariate that changes, a
            series without a target.
    """
    ticks = calendar.ticks(rows.stamps)
    _refuse_off_grid(ticks, rows, calendar, table)
    starts, kept = _begin(rows, table)
    first = ticks[starts]
    counts = ticks[np.append(rows.starts[1:], len(ticks)) - 1] - first + 1
    if counts.sum() > MOST_EMPTY * len(ticks) + 1_000:
        raise DataError(
            f"{table.source}: on the calendar {calendar.name} {counts.sum():,} steps would hold only {len(ticks):,} "
            "rows; write a coarser `freq:`, or leave out stamps that are far from all others"
        )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    columns = table.columns
    values = _laid(rows.values[kept], offsets[:-1] - first, rows.series[kept], ticks[kept], int(offsets[-1]))
    ends = _ends(values, offsets)
    _leave_out_past(values, offsets, ends, rows, table)
    numeric = isinstance(calendar, EvenSteps) and calendar.numeric
    return Panel(
        ids=rows.names,
        values=values,
        offsets=offsets,
        first=first,
        ends=ends,
        calendar=calendar,
        past=tuple(columns.past),
        known=tuple(columns.known),
        static=tuple(columns.static),
        static_values=_static(rows, table),
        shared_clock=clock == "shared" or (clock == "auto" and not numeric),
        zone=rows.zone,
    )


def _laid(rows: np.ndarray, shifts: np.ndarray, series: np.ndarray, ticks: np.ndarray, steps: int) -> np.ndarray:
    """The rows at their steps: tick and shift of their series; NaN at all others."""
    if steps == len(rows):  # every step has its row
        return np.ascontiguousarray(rows)
    values = np.full((steps, rows.shape[1]), np.nan, np.float32)
    values[shifts[series] + ticks] = rows
    return values


def _refuse_off_grid(ticks: np.ndarray, rows: Rows, calendar: Calendar, table: RawTable) -> None:
    off = np.flatnonzero(ticks == OFF_GRID)
    if not len(off):
        return
    place = int(rows.positions[off[0]])
    stamp = rows.stamps[off[0]]
    day = "" if stamp.dtype.kind in "iu" else f" ({stamp.astype('datetime64[D]').item():%A})"
    raise DataError(
        f"{table.row(place)}: {say_stamp(stamp)}{day} is not on the calendar {calendar.name} "
        f"({len(off):,} of {len(ticks):,} stamps are not); correct the stamps or write another "
        "`freq:` (--freq where a file is checked)"
    )


def _begin(rows: Rows, table: RawTable) -> tuple[np.ndarray, np.ndarray | slice]:
    """The row of the first observed target of each series, and which rows do not stand before it."""
    observed = np.isfinite(rows.values[:, 0])
    if observed[rows.starts].all():
        return rows.starts, slice(None)
    places = np.arange(len(observed))
    starts = np.minimum.reduceat(np.where(observed, places, len(observed)), rows.starts)
    none = rows.names[starts == len(observed)]
    if len(none):
        more = f" (nor have {len(none) - 1} more)" if len(none) > 1 else ""
        raise DataError(f"{table.source}: series {none[0]!r} has no target at all{more}; leave it out")
    return starts, places >= starts[rows.series]


def _ends(values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """One behind the last observed target of each series, which has one."""
    if np.isfinite(values[offsets[1:] - 1, 0]).all():
        return offsets[1:].copy()
    observed = np.where(np.isfinite(values[:, 0]), np.arange(len(values)), -1)
    return np.asarray(np.maximum.reduceat(observed, offsets[:-1]) + 1)


def _leave_out_past(values: np.ndarray, offsets: np.ndarray, ends: np.ndarray, rows: Rows, table: RawTable) -> None:
    """Takes past covariates behind the ends out, and notes how many are left out there and before the starts."""
    if not table.columns.past:
        return
    past = slice(1, 1 + len(table.columns.past))
    told = np.isfinite(rows.values[:, past]).sum()
    later = np.arange(len(values)) >= np.repeat(ends, np.diff(offsets))
    values[later, past] = np.nan
    count = int(told - np.isfinite(values[:, past]).sum())
    if count:
        where = "before the first or behind the last target of their series"
        table.notes["past covariates"] = f"{plural(count, 'value')} {where}; left out"


def _static(rows: Rows, table: RawTable) -> np.ndarray:
    """One value a series and column: the first that is told, which no other may contradict."""
    values = np.full((len(rows.names), len(table.columns.static)), np.nan, np.float32)
    for column, name in enumerate(table.columns.static):
        cells = rows.arranged(table.exact(name))
        told, first = np.isfinite(cells), np.full(len(rows.names), np.nan)
        first[rows.series[told][::-1]] = cells[told][::-1]
        if (changes := told & differ(cells, first[rows.series])).any():
            place = int(np.flatnonzero(changes)[0])
            raise DataError(
                f"{table.row(int(rows.positions[place]))}: static column {name!r} changes within series "
                f"{rows.names[rows.series[place]]!r}; declare it as past or known"
            )
        values[:, column] = table.numbers(name, first)
        note_merged(first, name, table)
    return values
