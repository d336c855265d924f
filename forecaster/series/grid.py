"""The grid: sorted rows laid on a calendar; steps without a row stay missing."""

from __future__ import annotations

import numpy as np

from forecaster.errors import DataError
from forecaster.series.calendar import OFF_GRID, Calendar, EvenSteps
from forecaster.series.panel import Panel
from forecaster.series.rawtable import RawTable
from forecaster.series.rows import Rows
from forecaster.series.stamps import say_stamp

__all__ = ["lay_on_grid"]

MOST_EMPTY = 20
"""A grid may hold this many times more steps than the table has rows; beyond, the frequency must be wrong."""


def lay_on_grid(rows: Rows, calendar: Calendar, clock: str, table: RawTable) -> Panel:
    """The panel of a table's rows.

    A series ends at its last observed target. Behind it are the known covariates of the future; what a table
    has of past covariates there is left out.

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
    starts = rows.starts
    first = ticks[starts]
    counts = ticks[np.append(starts[1:], len(ticks)) - 1] - first + 1
    if counts.sum() > MOST_EMPTY * len(ticks) + 1_000:
        raise DataError(
            f"{table.source}: on the calendar {calendar.name} {counts.sum():,} steps would hold only {len(ticks):,} "
            "rows; write a coarser `freq:`, or leave out stamps that are far from all others"
        )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    columns = table.columns
    moving = 1 + len(columns.past) + len(columns.known)
    values = _laid(rows.values[:, :moving], offsets[:-1] - first, rows.series, ticks, int(offsets[-1]))
    ends = _ends(values, offsets, rows.names, table)
    _leave_out_later_past(values, offsets, ends, table)
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
        static_values=_static(rows, rows.values[:, moving:], table),
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
        f"({len(off):,} of {len(ticks):,} stamps are not); correct the stamps or write another `freq:`"
    )


def _ends(values: np.ndarray, offsets: np.ndarray, names: np.ndarray, table: RawTable) -> np.ndarray:
    """One behind the last observed target of each series."""
    if np.isfinite(values[offsets[1:] - 1, 0]).all():
        return offsets[1:].copy()
    observed = np.where(np.isfinite(values[:, 0]), np.arange(len(values)), -1)
    last = np.maximum.reduceat(observed, offsets[:-1])
    if (last < 0).any():
        none = names[last < 0]
        more = f" (nor have {len(none) - 1} more)" if len(none) > 1 else ""
        raise DataError(f"{table.source}: series {none[0]!r} has no target at all{more}; leave it out")
    return np.asarray(last + 1)


def _leave_out_later_past(values: np.ndarray, offsets: np.ndarray, ends: np.ndarray, table: RawTable) -> None:
    if not table.columns.past:
        return
    past = slice(1, 1 + len(table.columns.past))
    later = np.arange(len(values)) >= np.repeat(ends, np.diff(offsets))
    count = int(np.isfinite(values[later, past]).sum())
    if count:
        values[later, past] = np.nan
        table.notes["past covariates"] = f"{count:,} values behind the last target of their series; left out"


def _static(rows: Rows, cells: np.ndarray, table: RawTable) -> np.ndarray:
    """One value a series and column: the first that is told, which no other may contradict."""
    values = np.full((len(rows.names), cells.shape[1]), np.nan, np.float32)
    for column, name in enumerate(table.columns.static):
        told = np.isfinite(cells[:, column])
        values[rows.series[told][::-1], column] = cells[told, column][::-1]
        if (changes := told & (cells[:, column] != values[rows.series, column])).any():
            place = int(np.flatnonzero(changes)[0])
            raise DataError(
                f"{table.row(int(rows.positions[place]))}: static column {name!r} changes within series "
                f"{rows.names[rows.series[place]]!r}; declare it as past or known"
            )
    return values
